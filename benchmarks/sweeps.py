"""A sweep of 2,000 points: on two processes against one, what a point costs beside its run, and the coordinator's peak.

Threads beside them: they take turns, for the compiled model holds Python's lock, as what stands around it does.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tables import Target, show, show_targets

HERE = Path(__file__).resolve().parent
POINTS = 2_000
SIDE_BY_SIDE = 2


def took(players: str, count: int, points: int) -> dict[str, float]:
    """A sweep in a process of its own: wall seconds, seconds inside points, peak MiB of that process alone."""
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, str(HERE / "one_sweep.py"), folder, players, str(count), str(points)]
        done = subprocess.run(words, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measure() -> list[Target]:
    """One process, two, and two threads."""
    took("processes", 1, 20)  # everything compiled and in memory
    one, two = took("processes", 1, POINTS), took("processes", SIDE_BY_SIDE, POINTS)
    threads = took("threads", SIDE_BY_SIDE, POINTS // 4)
    overhead = 1000 * (one["wall_s"] - one["points_s"]) / POINTS
    sides = {"one process": one, f"{SIDE_BY_SIDE} processes": two, f"{SIDE_BY_SIDE} threads": threads}
    rows = [
        (
            name,
            f"{of['points']:,.0f}",
            f"{of['wall_s']:.1f} s",
            f"{of['points'] / of['wall_s']:.1f}",
            f"{1000 * of['cpu_s'] / of['points']:.1f} ms",
            f"{of['peak_mib']:.0f} MiB",
        )
        for name, of in sides.items()
    ]
    show(
        "Sweeps: examples/high-readahead.sh with other values of memory.high",
        ("who plays", "points", "wall", "points/s", "coordinator's CPU a point", "its peak"), rows,
    )  # fmt: skip
    targets = [
        Target(f"{SIDE_BY_SIDE} processes against one", one["wall_s"] / two["wall_s"], 1.8, " times"),
        Target("a point beside its run", overhead, 5, " ms", most=True),
        Target("the coordinator", two["peak_mib"], 500, " MiB", most=True),
    ]
    show_targets(targets)
    return targets
