"""How fast the simulation is here: faults and steps per second of wall time, for the demo's sessions.

Each run is made twice and the second one is shown, so that compiling does not count; one process, one thread.
"""

from __future__ import annotations

import argparse
import os
import platform
from pathlib import Path

import numba
import numpy
from rich import box
from rich.console import Console
from rich.table import Table

from cowpath import __version__, api
from cowpath.observe.text import count, duration, significant

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
SESSIONS = ("oom-off.sh", "fork-bomb.sh", "commit.sh")
DESIGNS = ("linux-3.0", "preallocate")


def measure(session: Path, design: str, until: str | None) -> api.Result:
    """The second of two equal runs, without data frames."""
    options = api.Options.of(until=until)
    plan, loaded = api.load_plan(session, options), api.load_design(design)
    api.run_plan(plan, loaded, options)
    return api.run_plan(plan, loaded, options)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--until", help="stop each run after this much of the machine's time")
    until = parser.parse_args().until
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for heading in ("session", "design"):
        table.add_column(heading)
    for heading in ("machine's time", "wall", "steps", "steps/s", "faults", "faults/s"):
        table.add_column(heading, justify="right")
    for name in SESSIONS:
        for design in DESIGNS:
            run = measure(EXAMPLES / name, design, until).summary
            wall = run["wall_s"]
            rates = [(count(run[what]), significant(run[what] / wall)) for what in ("steps", "faults")]
            times = (duration(run["virtual_ns"]), f"{significant(wall)} s")
            table.add_row(name, design, *times, *(cell for pair in rates for cell in pair))
    console = Console(width=120)  # the table whole, also where the output is a file
    versions = f"Python {platform.python_version()}, Numba {numba.__version__}, NumPy {numpy.__version__}"
    console.print(f"cowpath {__version__}, {versions}, {platform.machine()}, {os.cpu_count()} CPUs", highlight=False)
    console.print(table)


if __name__ == "__main__":
    main()
