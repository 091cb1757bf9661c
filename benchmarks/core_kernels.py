"""The lock-charge-OOM core on linux-6.18 against linux-3.0: moves per second, in turns."""

from __future__ import annotations

from dataclasses import replace

from core import in_cowpath
from core.size import Run
from core_rate import SIZE
from tables import Target, rate, show, show_targets

BEFORE, TODAY = "linux-3.0", "linux-6.18"
TURNS = 10
SIZES = {
    "with room for all": replace(SIZE, limit=SIZE.tasks * SIZE.pages * 2),
    "at its limit": SIZE,  # where 3.0's tasks end up asleep behind a page lock, and 6.18's are killed
}


def measure() -> list[Target]:
    """Take turns, print the best of each, and what the same work takes."""
    rows, targets = [], []
    for where, size in SIZES.items():
        runs: dict[str, list[Run]] = {BEFORE: [], TODAY: []}
        for name in runs:
            in_cowpath.run(size, on=name)  # compiles, if need be
        for _ in range(TURNS):
            for name, done in runs.items():
                done.append(in_cowpath.run(size, on=name))
        best = {name: max(done, key=lambda run: run.moves_per_s) for name, done in runs.items()}
        ratio = best[TODAY].moves_per_s / best[BEFORE].moves_per_s
        for name, run in best.items():
            faults, moves = run.figures["faults"], run.figures["moves"]
            rows.append((
                where, name, f"{faults:,}", f"{moves / faults:.1f}", rate(run.moves_per_s), rate(run.faults_per_s),
                f"{ratio:.2f}" if name == TODAY else "",
            ))  # fmt: skip
        targets.append(Target(f"moves/s of the core {where} on {TODAY}, of {BEFORE}'s", ratio, 0.6, " x"))
    headings = ("the core", "kernel", "faults", "moves a fault", "moves/s", "faults/s", "ratio of moves/s")
    show(f"Kernels: the core (best of {TURNS}, in turns)", headings, rows)
    show_targets(targets)
    return targets
