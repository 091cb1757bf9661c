"""perf: whether it can record here, and if not, what to type; how it is asked to record, and to print.

What is recorded are tracepoints, which perf prints by the format text of the running kernel, and perf's own records of
mappings, forks, execs and exits. Sources: perf-record(1), perf-script(1), Documentation/admin-guide/perf-security.rst.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cowpath.errors import InputError

CALLS = ("mmap", "munmap", "mremap", "mprotect", "brk")
CALLS_OPTION = "CONFIG_FTRACE_SYSCALLS"
NEEDED = {  # tracepoint -> what a kernel without it lacks
    "exceptions:page_fault_user": "CONFIG_TRACEPOINTS on x86",
    "exceptions:page_fault_kernel": "CONFIG_TRACEPOINTS on x86",
    "sched:sched_process_exec": "CONFIG_TRACEPOINTS",
    **{f"syscalls:sys_{side}_{call}": CALLS_OPTION for call in CALLS for side in ("enter", "exit")},
}
CACHE_ADDED = "filemap:mm_filemap_add_to_page_cache"
WAKING = "sched:sched_waking"
USEFUL = {  # tracepoint -> what the recording lacks without it
    CACHE_ADDED: "files that are read or written without a mapping",
    "filemap:mm_filemap_delete_from_page_cache": "files that are deleted",
    WAKING: "who waited for whom, but for children",
    "signal:signal_deliver": "the count of faults that ended in a signal",
}
FILTERS = {
    WAKING: "!(common_flags & 0x18)",  # TRACE_FLAG_HARDIRQ, TRACE_FLAG_SOFTIRQ: not by an interrupt, on top of a task
    "signal:signal_deliver": "sig == 7 || sig == 11",  # SIGBUS, SIGSEGV
}
FIELDS = "comm,pid,tid,cpu,time,event,trace"
CLOCK = "CLOCK_MONOTONIC"  # time.monotonic_ns(): what is measured beside it has the same clock
BUFFER = "16M"  # for each CPU: at a million faults a second it takes a tenth of a second to fill
PARANOID = Path("/proc/sys/kernel/perf_event_paranoid")
TRACING = (Path("/sys/kernel/tracing"), Path("/sys/kernel/debug/tracing"))
PACKAGES = "Debian: apt install linux-perf; Ubuntu: linux-tools-$(uname -r); Fedora, RHEL, Arch: perf"
AS_ROOT = "run it as root: sudo cowpath record -- COMMAND; to record for another user: sudo ... -- sudo -u USER COMMAND"


@dataclass(frozen=True)
class Perf:
    """The perf that is installed, and the events that this kernel has for it."""

    path: str
    version: str
    events: tuple[str, ...]
    missing: tuple[str, ...]  # of USEFUL

    def record(self, out: Path, command: Sequence[str]) -> list[str]:
        """The words that record a command into ``out``: every event (``-c 1``), of it and of all that it starts."""
        words = [self.path, "record", "--quiet", "-o", str(out), "-c", "1", "-d", "-k", CLOCK, "-B", "-N"]
        if os.geteuid() == 0:
            words += ["-m", BUFFER]
        for event in self.events:
            words += ["-e", event]
            if event in FILTERS:
                words += ["--filter", FILTERS[event]]
        return [*words, "--", *command]

    def script(self, recorded: Path) -> list[str]:
        """The words that print what was recorded."""
        shows = ("--show-mmap-events", "--show-task-events", "--show-lost-events")
        return [self.path, "script", "-i", str(recorded), "--ns", *shows, "-F", FIELDS]


def find() -> Perf:
    """The perf that can record here. Raises InputError that says what is missing and what to type."""
    path = shutil.which("perf")
    if path is None:
        raise InputError("perf is not installed", hint=PACKAGES)
    try:
        asked = subprocess.run([path, "--version"], capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(f"perf does not start: {error}", file=path, hint=PACKAGES) from error
    if asked.returncode != 0:  # Ubuntu's, which looks for the one of the running kernel
        first = (asked.stderr or asked.stdout).strip().partition("\n")[0]
        raise InputError(f"perf does not start: {first}", file=path, hint=PACKAGES)
    events, missing = available(tracing())
    return Perf(path, asked.stdout.strip().removeprefix("perf version "), events, missing)


def tracing() -> Path:
    """Where the kernel's tracepoints are described, readable. Raises InputError."""
    folder = next((folder for folder in TRACING if _readable(folder / "events")), None)
    if folder is not None and (os.geteuid() == 0 or paranoid() < 0):
        return folder
    if os.geteuid() != 0:
        loose = f"sysctl kernel.perf_event_paranoid=-1 (it is {paranoid()}), mount -o remount,mode=755 {TRACING[0]}"
        raise InputError("perf may not record the tracepoints of this kernel", hint=f"{AS_ROOT}; or as root: {loose}")
    hint = f"mount -t tracefs none {TRACING[0]}; if it knows no tracefs, the kernel lacks CONFIG_TRACING"
    raise InputError("the kernel's tracepoints are not to be seen", file=TRACING[0], hint=hint)


def available(folder: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The tracepoints that are there, and those of USEFUL that are not. Raises InputError if one of NEEDED is not."""
    there = {event: (folder / "events" / event.replace(":", "/") / "id").exists() for event in (*NEEDED, *USEFUL)}
    lacking = [event for event in NEEDED if not there[event]]
    if lacking:
        options = ", ".join(dict.fromkeys(NEEDED[event] for event in lacking))
        problem = f"this kernel does not have the tracepoint{'s' * (len(lacking) > 1)} {', '.join(lacking)}"
        raise InputError(problem, hint=f"a kernel with {options}")
    return tuple(event for event in there if there[event]), tuple(event for event in USEFUL if not there[event])


def paranoid() -> int:
    """What kernel.perf_event_paranoid is; 2, the kernel's default, where that cannot be read."""
    try:
        return int(PARANOID.read_text())
    except (OSError, ValueError):
        return 2


def _readable(folder: Path) -> bool:
    return os.access(folder, os.R_OK | os.X_OK)
