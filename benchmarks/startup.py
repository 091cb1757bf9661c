"""How long it takes to start: warm, and with everything to compile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import astuple, dataclass
from pathlib import Path

from tables import Target, show, show_targets

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parent / "examples"
RUNS = 10
SLOWEST = 15


@dataclass(frozen=True)
class Took:
    """One process."""

    wall_s: float
    cpu_s: float
    peak_mib: float


def took(*arguments: str, status: int = 0) -> Took:
    """``cowpath`` with these arguments, as a process that ends with ``status``: the best of some, of each figure."""
    command = [sys.executable, "-c", "from cowpath.cli import main; main()", *arguments]
    # warm is: bytecode is kept as well
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    found = []
    for _ in range(RUNS):
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
        _, how, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(how)
        if process.returncode != status:
            raise subprocess.CalledProcessError(process.returncode, command)
        found.append(Took(time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024))
    return Took(*(min(figures) for figures in zip(*(astuple(each) for each in found), strict=True)))


def measure() -> list[Target]:
    """Warm starts, a cold one, and what its time goes to."""
    small = ("run", str(EXAMPLES / "oom-off.sh"), "--until", "1ms")
    case = ("check", "--compiled", "--design", "linux-3.0", "--case", "commit", "--property", "isolation")
    took(*small)  # everything compiled and in memory
    took(*case, status=1)
    version, run, check = took("--version"), took(*small), took(*case, status=1)
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, str(HERE / "compile_times.py")],
            env=os.environ | {"COWPATH_CACHE": folder},
            check=True, capture_output=True, text=True,
        )  # fmt: skip
    cold = json.loads(done.stdout)
    warm = {"--version": version, "run examples/oom-off.sh --until 1ms": run, " ".join(case): check}
    rows = [
        (f"cowpath {what}, warm", f"{of.wall_s:.2f} s", f"{of.cpu_s:.2f} s", f"{of.peak_mib:.0f} MiB")
        for what, of in warm.items()
    ]
    what = f"compiling {len(cold['functions'])} functions; progress told {cold['told']} times"
    rows.append((what, f"{cold['seconds']:.1f} s", "", ""))
    show(f"4. Start-up: the best of {RUNS}", ("what", "wall", "CPU", "peak memory"), rows)
    show(
        "Where the compile time goes (without the functions that a function calls)",
        ("function", "seconds", "%"),
        [(name, f"{s:.2f}", f"{100 * s / cold['seconds']:.1f}") for name, s in cold["functions"][:SLOWEST]],
    )
    targets = [
        Target("cowpath --version, warm", version.wall_s, 0.09, " s", most=True),
        Target("a small run, warm", run.wall_s, 0.8, " s", most=True),
        Target("cold compile", cold["seconds"], 90, " s", most=True),
        Target("progress told meanwhile", cold["told"], 1),
    ]
    show_targets(targets)
    return targets
