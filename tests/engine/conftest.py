"""What the tests of the small machine share."""

from __future__ import annotations

import fcntl

import pytest

from .checked import boot, run
from .small import QUIET


@pytest.fixture(scope="session")
def small_is_compiled(tmp_path_factory: pytest.TempPathFactory) -> None:
    """One of xdist's workers compiles; the others wait, and load what it has cached."""
    shared = tmp_path_factory.getbasetemp().parent
    with (shared / "compile.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run(boot(QUIET), 0)
