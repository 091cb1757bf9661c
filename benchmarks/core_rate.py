"""The lock-charge-OOM core in cowpath, C and SimPy, side by side."""

from __future__ import annotations

from statistics import median

from core import in_c, in_cowpath, in_simpy
from core.size import Run, Size
from tables import Target, console, rate, show, show_targets

SIZE = Size(tasks=64, jobs=256, rounds=2, pages=512, limit=16384)
TURNS = 3  # of SimPy; the other two run more often in each
QUICK_RUNS = 5


def measure() -> list[Target]:
    """Take turns, check that all have the same figures, print the medians."""
    costs = in_cowpath.costs()
    in_cowpath.run(SIZE)  # compiles, if need be
    runs: dict[str, list[Run]] = {"cowpath": [], "C -O2": [], "SimPy": []}
    for _ in range(TURNS):
        for _ in range(QUICK_RUNS):
            runs["cowpath"].append(in_cowpath.run(SIZE))
            runs["C -O2"].append(in_c.run(SIZE, costs))
        runs["SimPy"].append(in_simpy.run(SIZE, costs))
    expected = runs["C -O2"][0].figures
    for name, done in runs.items():
        for run in done:
            if run.figures != expected:
                raise RuntimeError(f"{name} has other figures than C: {run.figures} {expected}")
    rates = {name: median(run.faults_per_s for run in done) for name, done in runs.items()}
    own = rates["cowpath"]
    show(
        "1. The lock-charge-OOM core",
        ("program", "runs", "faults/s", "ns a move", "cowpath is"),
        [
            (name, str(len(runs[name])), rate(value), f"{1e9 * expected['faults'] / value / expected['moves']:.1f}",
             f"{own / value:.2f} times as fast")
            for name, value in rates.items()
        ],
    )  # fmt: skip
    console.print(
        f"{SIZE.tasks} tasks, {SIZE.jobs} jobs. All runs of all three have the same figures: "
        + ", ".join(f"{name} {value:,}" for name, value in expected.items()),
        soft_wrap=False,
    )
    targets = [
        Target("faults/s, of SimPy's", own / rates["SimPy"], 40, " x"),
        Target("the same, stretch", own / rates["SimPy"], 100, " x"),
        Target("faults/s, of C's", own / rates["C -O2"], 0.5, " x"),
        Target("the same, stretch", own / rates["C -O2"], 0.8, " x"),
    ]
    show_targets(targets)
    return targets
