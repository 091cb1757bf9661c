"""What only ``make nightly`` asks: more of the same, which tells nothing that ``make test`` does not on less."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable

import pytest

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
in_nightly_only = pytest.mark.skipif(not NIGHTLY, reason="in make nightly only")


def some_nightly(every: Iterable[object], nightly: Container[object]) -> list[object]:
    """The values to be parametrized with; ``make test`` skips those of ``nightly``, and says so."""

    def skipped(each: object) -> object:
        return pytest.param(*(each if isinstance(each, tuple) else (each,)), marks=in_nightly_only)

    return [skipped(each) if each in nightly else each for each in every]
