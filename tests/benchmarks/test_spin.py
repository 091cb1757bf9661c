"""The models that were written for SPIN by hand (benchmarks/spin/) agree with cowpath: verdicts and shortest ways."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = str(Path(__file__).parents[2] / "benchmarks")


@pytest.fixture(scope="module")
def bench() -> Any:
    """The module ``spin_models`` of the benchmarks, which is not installed."""
    sys.path.insert(0, BENCHMARKS)
    try:
        import spin_models
    finally:
        sys.path.remove(BENCHMARKS)
    if spin_models.missing():
        pytest.skip(f"{spin_models.missing()} not installed")
    return spin_models


@pytest.mark.parametrize(
    ("case", "design", "prop", "moves"),
    [
        ("commit", "linux-3.0", "isolation", 15),
        ("killed-waiter", "preallocate", "isolation", 0),
        ("mmap-sem-reader", "preallocate", "isolation", 12),
        ("truncate-while-waiting", "charge-after-unlock", "no-stale-page", 23),
        ("truncate-while-waiting", "unlock-charge-relock", "no-stale-page", 0),
        ("high-read", "linux-6.18", "isolation", 24),
        ("high-read", "high-after-submit", "isolation", 0),
        ("high-read", "high-after-submit", "no-reread", 22),
        ("high-truncate", "linux-6.18", "isolation", 23),
        ("high-truncate", "high-after-submit", "isolation", 31),
        ("high-truncate", "high-at-return", "isolation", 0),
        ("high-truncate", "high-at-return", "no-reread", 0),
    ],
)
def test_spin_and_cowpath_agree(bench: Any, case: str, design: str, prop: str, moves: int) -> None:
    expected = bench.Verdict(moves > 0, moves)
    assert bench.spin_verdict(case, design, prop) == expected
    assert bench.cowpath_verdict(case, design, prop) == expected
