"""The demo's recorded build, without a limit and with the commit's: is it simulated faster than it ran?"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tables import Target, rate, show, show_targets

import cowpath
from cowpath.programs import recording

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parent / "examples"
BUILD = Path(cowpath.__file__).parent / "data" / "recordings" / "lua_j2.recording"
JOBS = 2  # it was recorded with -j2, on two CPUs


def one_run(session: Path, copies: str = "-", until: str = "-") -> dict[str, Any]:
    """In a process of its own, compiled already."""
    command = [sys.executable, str(HERE / "one_run.py"), str(session), copies, until]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}:\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def measure() -> list[Target]:
    """Builds, then the same machine for ten times as long."""
    real_s = recording.load(BUILD).facts["compute_ns"] / JOBS / 1e9
    rows, targets = [], []
    for session in ("no-limit.sh", "commit.sh"):
        for copies in (1, 10):
            run = one_run(EXAMPLES / session, str(copies))
            rows.append(row(f"{session}, {copies} x", run))
            if session == "no-limit.sh":
                what = f"{copies} x the build: wall time, of the least that it can have taken"
                targets.append(Target(what, run["wall_s"] / (copies * real_s), 1, " x", most=True))
    short, long = (one_run(HERE / "steady" / "steady.sh", until=until) for until in ("20s", "200s"))
    rows += [row("steady.sh, 20 s", short), row("steady.sh, 200 s", long)]
    show(
        f"3. Builds (one took {real_s:.2f} s at least: its CPU time on {JOBS} CPUs)",
        ("session", "ended", "machine's time", "wall", "faults", "faults/s", "steps", "steps/s", "peak memory"),
        rows,
    )
    what = "peak memory of the run that is ten times as long"
    targets.append(Target(what, long["peak_kib"] / short["peak_kib"], 1.02, " x", most=True))
    show_targets(targets)
    return targets


def row(name: str, run: dict[str, Any]) -> tuple[str, ...]:
    """A run in a row of the table."""
    wall = run["wall_s"]
    return (name, run["ended"], f"{run['virtual_ns'] / 1e9:.2f} s", f"{wall:.2f} s", f"{run['faults']:,}",
            rate(run["faults"] / wall), f"{run['steps']:,}", rate(run["steps"] / wall),
            f"{run['peak_kib'] >> 10} MiB")  # fmt: skip
