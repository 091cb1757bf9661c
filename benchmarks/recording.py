"""What recording costs the command: the CPU time of a build without perf, under it, and watched for re-use as well.

As root, where perf may record; else it says why not and does nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from tables import Target, show, show_targets

from cowpath.errors import InputError
from cowpath.programs.recorder import group, perf
from cowpath.programs.recorder.record import record

PROJECT = Path(__file__).resolve().parent.parent / "tests" / "data" / "c_project"
COMMAND = ("make", "-s", "-j2")
RUNS = 5
MOST_SLOWER = 15  # percent


def alone() -> float:
    """Seconds of CPU time without perf."""
    with subprocess.Popen(COMMAND) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_utime + used.ru_stime


def recorded(reuse: bool) -> float:
    """The same while it is recorded."""
    ended = record(COMMAND, "make", reuse=reuse).ended
    return ended.utime + ended.stime


def measure() -> list[Target]:
    """All three in turns; the medians."""
    try:
        perf.find()
        group.make().remove()
    except (InputError, OSError) as error:
        print(f"Recording: not measured: {error}")
        return []
    ways: dict[str, Callable[[], float]] = {
        "without perf": alone, "recorded": partial(recorded, False), "with --reuse": partial(recorded, True),
    }  # fmt: skip
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as name:
        os.chdir(shutil.copytree(PROJECT, Path(name, "project")))
        try:
            for _ in range(RUNS):
                for way, run in ways.items():
                    subprocess.run(["make", "-s", "clean"], check=True)
                    seconds[way].append(run())
        finally:
            os.chdir(before)
    medians = {way: median(times) for way, times in seconds.items()}
    slower = {way: 100 * (value / medians["without perf"] - 1) for way, value in medians.items()}
    rows = [(way, f"{medians[way]:.2f}", f"{slower[way]:+.0f}%") for way in ways]
    show("Recording: CPU time of make -j2 of tests/data/c_project", ("", "s", "beside without perf"), rows)
    targets = [Target("recording slows make by", slower["recorded"], MOST_SLOWER, " %", most=True)]
    show_targets(targets)
    return targets


if __name__ == "__main__":
    measure()
