"""Processes that share a search: what is told when one of them does not come back."""

import os

import pytest

from cowpath.checker.workers import pool_of
from cowpath.errors import WorkerError


def test_a_process_that_is_killed_is_told_of_and_is_no_traceback() -> None:
    with pytest.raises(WorkerError, match="ended from outside") as told, pool_of(1) as pool:
        pool.submit(os._exit, 9).result()
    assert told.value.exit_status == 3
