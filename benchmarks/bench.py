"""How fast cowpath is here: the core against C and SimPy and on two kernels, growth, builds, start-up, a page,
sessions, what was measured on real kernels, the first answer.

With ``--base COMMIT`` the first answer and the warm speeds of that commit beside this tree's (a quarter of an hour).
Ends with 1 if a target is not met. One process, one thread at a time; let nothing else run meanwhile.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys

import book
import builds
import cold
import core_kernels
import core_rate
import growth
import imports
import journal
import numba
import numpy
import pages
import pairs
import real_kernels
import recording
import sessions
import startup
from sides import both
from tables import Target, console, show_targets

import sweeps
from cowpath import __version__

POINTS = {
    "core": core_rate.measure,
    "kernels": core_kernels.measure,
    "growth": growth.measure,
    "builds": builds.measure,
    "startup": startup.measure,
    "page": pages.measure,
    "sessions": sessions.measure,
    "imports": imports.measure,
    "recording": recording.measure,
    "sweeps": sweeps.measure,
    "truth": real_kernels.measure,
    "cold": cold.measure,
    "journal": journal.measure,
    "book": book.measure,
}


def against(base: str) -> list[Target]:
    """Another commit beside this tree."""
    with both(base) as sides:
        return cold.compare(sides) + pairs.compare(*sides)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("points", nargs="*", metavar="POINT", help=f"{', '.join(POINTS)} (default: all)")
    parser.add_argument("--base", metavar="COMMIT", help="measure that commit too, and no other points unless named")
    given = parser.parse_args()
    wanted = given.points or ([] if given.base else list(POINTS))
    for name in wanted:
        if name not in POINTS:
            parser.error(f"there is no point {name!r}: {', '.join(POINTS)}")
    versions = f"Python {platform.python_version()}, Numba {numba.__version__}, NumPy {numpy.__version__}"
    console.print(f"cowpath {__version__}, {versions}, {platform.machine()}, {os.cpu_count()} CPUs\n")
    targets: list[Target] = []
    for name in wanted:
        targets += POINTS[name]()
    if given.base:
        targets += against(given.base)
    missed = [target for target in targets if not target.met and "stretch" not in target.what]
    if missed:
        console.print("Not met:")
        show_targets(missed)
        sys.exit(1)
    console.print("All targets are met (a stretch is not one).")


if __name__ == "__main__":
    main()
