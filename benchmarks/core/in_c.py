"""The lock-charge-OOM core in C: compile it and run it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from cowpath.engine.costs import Costs

from .size import STRIDE, Run, Size

HERE = Path(__file__).resolve().parent
FLAGS = ("-O2", "-Wall", "-Wextra", "-Wno-sign-compare")

# enum cost of core_sched.h
COSTS = (
    "user_access", "exception", "syscall", "mmap_read_lock", "find_vma", "handle_pte_fault", "mmap_read_unlock",
    "find_page", "lock_page", "anon_vma_prepare", "alloc_page", "charge", "copy_page", "map_page", "unlock_page",
    "put_page", "res_charge", "drain_all_stock", "oom_sleep", "oom_scan_task", "oom_kill", "uncharge", "free_page",
    "zap_pte", "mmap_write_lock", "mmap_write_unlock", "map_region", "unmap_region", "dup_mm", "wake_up_new_task",
    "exit_mm", "exit_notify", "do_wait", "resize_limit", "context_switch", "wake_up",
)  # fmt: skip


def compiler() -> str | None:
    """The C compiler, if there is one."""
    return shutil.which("cc")


@cache
def program() -> Path:
    """The compiled core, in a folder that goes with this process. Raises RuntimeError if cc is missing or fails."""
    cc = compiler()
    if cc is None:
        raise RuntimeError("there is no C compiler (cc)")
    _folder.append(tempfile.TemporaryDirectory(prefix="cowpath-core-"))
    target = Path(_folder[-1].name) / "core"
    done = subprocess.run([cc, *FLAGS, "-o", str(target), str(HERE / "core.c")], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"cc could not compile core.c:\n{done.stderr}")
    return target


_folder: list[tempfile.TemporaryDirectory[str]] = []


def run(size: Size, costs: Costs) -> Run:
    """Run it once. Raises RuntimeError if it fails."""
    numbers = [size.tasks, size.jobs, size.rounds, size.pages, STRIDE, size.limit, size.memory, size.seed]
    numbers += [costs.sched[name] for name in ("latency", "min_granularity", "wakeup_granularity")]
    numbers += [costs.steps[name] for name in COSTS]
    done = subprocess.run([str(program()), *map(str, numbers)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"the C core ended with {done.returncode}: {done.stderr}")
    rows = dict(line.split() for line in done.stdout.splitlines())
    seconds = float(rows.pop("seconds"))
    return Run({name: int(value) for name, value in rows.items()}, seconds)
