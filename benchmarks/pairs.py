"""This tree against another commit: the core, two sessions and the checker, in turns, the best of each side.

    python benchmarks/pairs.py BASE [--pairs 10] [--point swap]

BASE is checked out beside this tree for as long as it takes, and both are installed. A turn is a process of its own
for each side and point; seconds are of its own processor time. Ends with 1 where this tree is too slow.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from sides import HERE, Side, both, finished
from tables import Target, console, rate, show, show_targets

ONE_TURN = HERE / "one_turn.py"
PAIRS = 10
POINTS = {  # what, and the least of the other's speed that is asked for
    "core": ("the lock-charge-OOM core, faults/s", 0.95),
    "fork-bomb": ("examples/fork-bomb.sh for 3 s, moves/s", 0.90),
    "swap": ("examples/swap.sh, moves/s", 0.90),
    "check": ("all states of the crowd, unreduced, transitions/s", 0.95),
    "check-folded": ("all states of the crowd, folded, transitions/s", 0.95),
    "explore": ("cold-readahead, oom-lock, swap-in, unreduced, transitions/s", 0.95),
    "explore-folded": ("the same and high-readahead on linux-6.12, folded, transitions/s", 0.95),
    "explore-reduced": ("the same, folded and partial order, transitions/s", 0.95),
}


def turn(side: Side, point: str) -> float:
    """One measurement of a point on a side: its rate."""
    settings = side.settings | {"PYTHONPATH": str(side.tree / "benchmarks")}
    # -P: what it imports is the tree's, not what is beside it
    return float(json.loads(finished([side.python, "-P", ONE_TURN, point], side.tree, settings).splitlines()[-1]))


def compare(base: Side, here: Side, points: Sequence[str] = tuple(POINTS), pairs: int = PAIRS) -> list[Target]:
    """Print the table; a target for each point."""
    rows, targets = [], []
    for side in (base, here):
        side.pip("-e", ".[bench]")
    for point in points:
        what, least = POINTS[point]
        for side in (base, here):  # compiles, if need be
            turn(side, point)
        before, after = [], []
        for _ in range(pairs):
            before.append(turn(base, point))
            after.append(turn(here, point))
        ratio = max(after) / max(before)
        spread = " to ".join(f"{f(b / a for a, b in zip(before, after, strict=True)):.2f}" for f in (min, max))
        rows.append((what, rate(max(before)), rate(max(after)), f"{ratio:.3f}", spread))
        targets.append(Target(what, ratio, least, f" of {base.name}'s"))
        console.print(f"{point}: {ratio:.3f}", style="dim")
    headings = ("point", base.name, here.name, "best / best", "pair by pair")
    show(f"Warm speed: {pairs} pairs, in turns", headings, rows)
    show_targets(targets)
    return targets


def main() -> None:
    """The whole command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", help="the commit to compare with")
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--point", action="append", choices=list(POINTS), help="only these (default: all)")
    wanted = parser.parse_args()
    with both(wanted.base) as (base, here):
        targets = compare(base, here, wanted.point or list(POINTS), wanted.pairs)
    sys.exit(not all(target.met for target in targets))


if __name__ == "__main__":
    main()
