"""``cowpath cases run``: both sides of every trial of the case book, in a new process, with the kernel compiled."""

from __future__ import annotations

import json
import subprocess
import sys
import time

from tables import Target, show, show_targets

MOST_S = 120.0
ONE = ("4",)  # a run of one entry first, so that nothing is compiled in the one that is measured


def cases_run(*numbers: str) -> tuple[float, str]:
    """How long the command takes, and what it prints."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "cowpath", "cases", "run", *numbers, "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    return time.perf_counter() - began, done.stdout


def measure() -> list[Target]:
    """The whole book."""
    cases_run(*ONE)
    took, printed = cases_run()
    told = json.loads(printed)
    states = sum(each[side]["states"] for each in told["trials"] for side in ("before", "after"))
    row = (str(told["total"]), str(told["as_expected"]), f"{states:,}", f"{took:.1f} s")
    show("11. The case book", ("trials", "as the book says", "states", "explored in"), [row])
    targets = [Target("the whole case book, warm", took, MOST_S, " s", most=True)]
    show_targets(targets)
    return targets


if __name__ == "__main__":
    measure()
