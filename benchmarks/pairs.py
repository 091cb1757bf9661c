"""This tree against another commit: the core, two sessions and the checker, in turns, the best of each side.

    python benchmarks/pairs.py BASE [--pairs 10] [--least 0.95]

BASE is checked out beside this tree for as long as it takes. A turn is a process of its own for each side and point;
seconds are of its own processor time. Ends with 1 where this tree has less than ``--least`` of the other's speed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tables import console, rate, show

HERE = Path(__file__).resolve().parent
ONE_TURN = HERE / "one_turn.py"
POINTS = {
    "core": "the lock-charge-OOM core, faults/s",
    "fork-bomb": "examples/fork-bomb.sh for 3 s, moves/s",
    "swap": "examples/swap.sh, moves/s",
    "check": "all states of the crowd, unreduced, transitions/s",
    "check-folded": "all states of the crowd, folded, transitions/s",
}


@contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """The other commit's tree."""
    with tempfile.TemporaryDirectory(prefix="cowpath-base-") as name:
        tree = Path(name) / "tree"
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", str(tree), commit], cwd=HERE, check=True)
        try:
            yield tree
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(tree)], cwd=HERE, check=True)


def turn(tree: Path, point: str) -> float:
    """One measurement of a point in a tree: its rate."""
    paths = os.pathsep.join([str(tree / "src"), str(tree / "benchmarks")])
    line = [sys.executable, "-P", str(ONE_TURN), point]  # -P: what it imports is the tree's, not what is beside it
    done = subprocess.run(line, cwd=tree, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{point} in {tree} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return float(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", help="the commit to compare with")
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--least", type=float, default=0.95)
    parser.add_argument("--point", action="append", choices=list(POINTS), help="only these (default: all)")
    wanted = parser.parse_args()
    rows, slow = [], []
    with checked_out(wanted.base) as base:
        for point in wanted.point or POINTS:
            for tree in (base, HERE.parent):  # compiles, if need be
                turn(tree, point)
            before, after = [], []
            for _ in range(wanted.pairs):
                before.append(turn(base, point))
                after.append(turn(HERE.parent, point))
            ratio = max(after) / max(before)
            spread = " to ".join(f"{f(b / a for a, b in zip(before, after, strict=True)):.2f}" for f in (min, max))
            rows.append((POINTS[point], rate(max(before)), rate(max(after)), f"{ratio:.3f}", spread))
            console.print(f"{point}: {ratio:.3f}")
            if ratio < wanted.least:
                slow.append(point)
    headings = ("point", wanted.base[:10], "here", "best / best", "pair by pair")
    show(f"{wanted.pairs} pairs, in turns", headings, rows)
    if slow:
        console.print(f"Less than {wanted.least} of {wanted.base}: {', '.join(slow)}")
        sys.exit(1)


if __name__ == "__main__":
    main()
