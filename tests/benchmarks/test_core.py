"""The three programs of the lock-charge-OOM core (benchmarks/README.md) give the same figures."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = str(Path(__file__).parents[2] / "benchmarks")

# tasks, jobs, rounds, pages, limit: with kills; without; in which almost nobody gets memory; one task
SIZES = [(16, 40, 2, 128, 1024), (6, 12, 2, 40, 4096), (24, 60, 1, 96, 64), (1, 3, 2, 700, 500)]
SEEDS = [0, 7]


@pytest.fixture(scope="module")
def core() -> Any:
    """The package ``core`` of the benchmarks, which is not installed."""
    sys.path.insert(0, BENCHMARKS)
    try:
        import core.in_c
        import core.in_cowpath
        import core.size
    finally:
        sys.path.remove(BENCHMARKS)
    return core


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("numbers", SIZES)
def test_c_and_cowpath_agree(core: Any, numbers: tuple[int, ...], seed: int) -> None:
    if core.in_c.compiler() is None:
        pytest.skip("there is no C compiler (cc)")
    size = core.size.Size(*numbers, seed=seed)
    assert core.in_cowpath.run(size).figures == core.in_c.run(size, core.in_cowpath.costs()).figures


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("numbers", SIZES)
def test_simpy_and_cowpath_agree(core: Any, numbers: tuple[int, ...], seed: int) -> None:
    pytest.importorskip("simpy")
    sys.path.insert(0, BENCHMARKS)
    try:
        from core import in_simpy
    finally:
        sys.path.remove(BENCHMARKS)
    size = core.size.Size(*numbers, seed=seed)
    assert core.in_cowpath.run(size).figures == in_simpy.run(size, core.in_cowpath.costs()).figures


def test_the_core_locks_charges_and_kills(core: Any) -> None:
    figures = core.in_cowpath.run(core.size.Size(*SIZES[0])).figures
    for name in ("cows", "charges", "failcnt", "kills", "oom_rounds", "retries", "lock_waits", "bypassed"):
        assert figures[name] > 0, name
    assert figures["max_usage"] == 1024
