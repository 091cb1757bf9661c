"""How long it takes to start: warm, and with everything to compile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from tables import Target, show, show_targets

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parent / "examples"
RUNS = 5
SLOWEST = 15


def seconds(*arguments: str) -> float:
    """Wall time of ``cowpath`` with these arguments, as a process: the median of some."""
    command = [sys.executable, "-c", "from cowpath.cli import main; main()", *arguments]
    taken = []
    for _ in range(RUNS):
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        taken.append(time.perf_counter() - began)
    return median(taken)


def measure() -> list[Target]:
    """Warm starts, a cold one, and what its time goes to."""
    small = str(EXAMPLES / "oom-off.sh")
    seconds("run", small, "--until", "1ms")  # everything compiled and in memory
    version, run = seconds("--version"), seconds("run", small)
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, str(HERE / "compile_times.py")],
            env=os.environ | {"COWPATH_CACHE": folder},
            check=True, capture_output=True, text=True,
        )  # fmt: skip
    cold = json.loads(done.stdout)
    rows = [
        ("cowpath --version, warm", f"{version:.2f} s"),
        ("cowpath run examples/oom-off.sh, warm", f"{run:.2f} s"),
        (
            f"compiling {len(cold['functions'])} functions; progress told {cold['told']} times",
            f"{cold['seconds']:.1f} s",
        ),
    ]
    show("4. Start-up", ("what", "time"), rows)
    show(
        "Where the compile time goes (without the functions that a function calls)",
        ("function", "seconds", "%"),
        [(name, f"{s:.2f}", f"{100 * s / cold['seconds']:.1f}") for name, s in cold["functions"][:SLOWEST]],
    )
    targets = [
        Target("cowpath --version, warm", version, 0.3, " s", most=True),
        Target("a small run, warm", run, 1.5, " s", most=True),
        Target("cold compile", cold["seconds"], 90, " s", most=True),
        Target("progress told meanwhile", cold["told"], 1),
    ]
    show_targets(targets)
    return targets
