"""The models that were written for SPIN by hand (benchmarks/spin/) agree with cowpath: verdicts and shortest ways."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = str(Path(__file__).parents[2] / "benchmarks")


@pytest.fixture(scope="module")
def bench() -> Any:
    """The module ``spin_bench`` of the benchmarks, which is not installed."""
    sys.path.insert(0, BENCHMARKS)
    try:
        import spin_bench
    finally:
        sys.path.remove(BENCHMARKS)
    if spin_bench.missing():
        pytest.skip(f"{spin_bench.missing()} not installed")
    return spin_bench


@pytest.mark.parametrize(
    ("case", "design", "prop", "moves"),
    [
        ("commit", "linux-3.0", "isolation", 15),
        ("killed-waiter", "preallocate", "isolation", 0),
        ("mmap-sem-reader", "preallocate", "isolation", 12),
        ("truncate-while-waiting", "charge-after-unlock", "no-stale-page", 23),
        ("truncate-while-waiting", "unlock-charge-relock", "no-stale-page", 0),
    ],
)
def test_spin_and_cowpath_agree(bench: Any, case: str, design: str, prop: str, moves: int) -> None:
    expected = bench.Verdict(moves > 0, moves)
    assert bench.spin_verdict(case, design, prop) == expected
    assert bench.cowpath_verdict(case, design, prop) == expected
