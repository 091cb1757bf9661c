"""``cowpath record``: a real command becomes a recording, with the account of what was seen and what was not.

perf records into a folder of its own, which goes at the end; the recording is made of what ``perf script`` prints of
it.
"""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from cowpath.errors import InputError
from cowpath.programs.importer import recorded, with_origin
from cowpath.programs.reading.account import Reading
from cowpath.programs.reading.assemble import CPU_TIME, REUSE, WAKEUPS
from cowpath.programs.reading.perf_script import read_perf_script
from cowpath.programs.reading.process_tree import LAUNCHER
from cowpath.programs.recorder import perf as perfs
from cowpath.programs.recorder.group import own_group
from cowpath.programs.recorder.job import Ended, run, tree
from cowpath.programs.recorder.revisits import Watcher
from cowpath.programs.recording import CACHE_SEEN, Recording
from cowpath.programs.tables import Tables

FORMAT = "cowpath record"
REUSE_OF_OTHERS = (
    "each page that was seen to be used again once a look; for processes too short for two looks the machine's rule"
)
PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")
PAGE_SHIFT = PAGE_SIZE.bit_length() - 1
MAP_POPULATE = 0x8000
ERR_USER = 4  # x86's page-fault error code: taken in user mode
CACHE = "pages added to the page cache"  # a key of an account


@dataclass(frozen=True)
class Counts:
    """What perf saw of the command and of all that it has started, also what the recording has no use for."""

    faults: int
    in_kernel: int  # of these
    before_exec: int  # the same: of the command, while it was still the launcher's fork
    signals: int  # SIGSEGV and SIGBUS: as many faults, or somebody's kill
    execs: int
    populated: int  # pages of mappings that MAP_POPULATE fills


@dataclass(frozen=True)
class Recorded:
    """A recording of the command, how it ended, and what its group had counted then (None: it had none)."""

    recording: Recording
    ended: Ended
    counters: dict[str, int] | None
    left: tuple[int, ...]  # processes that were still in the group
    lost: int
    seen: Counts


def record(command: Sequence[str], name: str, *, group: bool = True, reuse: bool = False) -> Recorded:
    """Run the command and record it. Raises InputError where it can't be; KeyboardInterrupt: it was killed.

    With ``group`` it runs in a memory cgroup of its own; with ``reuse`` it is watched for pages that it comes back to.
    """
    perf = perfs.find()
    with TemporaryDirectory(prefix="cowpath-record-") as folder, own_group() if group else nullcontext() as own:
        out = Path(folder, "perf.data")
        watcher = Watcher() if reuse else None
        look = None if watcher is None else lambda pid: watcher.look(own.pids() if own else tree(pid))
        ended = run(command, perf, out, own, look)
        counters = own.counters() if own else None
        left = own.remove() if own else []
        reading = printed(perf, out, name)
        tables = without_launcher(reading.tables, ended.launcher)
        tables = replace(tables, command=tuple(command), utime_ns=round(ended.utime * 1e9))
        if watcher:
            tables = replace(tables, revisits=watcher.table(reading.begin_ns))
        return _recorded(reading, tables, name, ended, counters, left, perf)


def printed(perf: perfs.Perf, out: Path, name: str) -> Reading:
    """What ``perf script`` prints of a file that perf has recorded. Raises InputError."""
    with out.with_name("script.says").open("w+", encoding="utf-8", errors="replace") as says:
        with subprocess.Popen(perf.script(out), stdout=subprocess.PIPE, stderr=says, text=True, errors="replace",
                              stdin=subprocess.DEVNULL) as process:  # fmt: skip
            assert process.stdout
            reading = read_perf_script(process.stdout, name, "perf script")
        if process.returncode != 0:
            says.seek(0)
            problem = f"perf script failed with status {process.returncode}: {' '.join(says.read().split())[-300:]}"
            raise InputError(problem, file=out)
    return reading


def without_launcher(tables: Tables, launcher: int) -> Tables:
    """The tables with the launcher first, which the importer then leaves out; as they stand it is the command."""
    procs = tables.procs
    added = (procs["pid"] == LAUNCHER) | ((procs["kind"] == "fork") & (procs["pid"] == launcher))
    return replace(tables, procs=procs[~added])


def counts(tables: Tables, ended: Ended, signals: int) -> Counts:
    """What there is in the tables, the launcher's part left out."""
    faults = tables.faults[tables.faults["pid"] != ended.launcher]
    execs = tables.procs[(tables.procs["kind"] == "exec_comm") & (tables.procs["pid"] != ended.launcher)]
    first = execs["time_ns"][execs["pid"] == ended.pid][:1]
    calls = tables.vmcalls[(tables.vmcalls["call"] == "mmap") & (tables.vmcalls["pid"] != ended.launcher)]
    populated = calls[(calls["a3"] & MAP_POPULATE != 0) & (calls["ret"] >= 0)]
    return Counts(
        faults=len(faults),
        in_kernel=int((faults["err"] & ERR_USER == 0).sum()),
        before_exec=int(((faults["pid"] == ended.pid) & (faults["time_ns"] < first)).sum()) if len(first) else 0,
        signals=signals,
        execs=len(execs),
        populated=int((populated["a1"] + PAGE_SIZE - 1 >> PAGE_SHIFT).sum()),
    )


def _recorded(
    reading: Reading, tables: Tables, name: str, ended: Ended, counters: dict[str, int] | None, left: list[int],
    perf: perfs.Perf,
) -> Recorded:  # fmt: skip
    account = reading.account
    seen = counts(tables, ended, account.ignored.pop("signal:signal_deliver", 0))
    account.format = FORMAT
    account.instead.pop(CPU_TIME, None)
    if perfs.CACHE_ADDED in perf.events:
        account.instead.pop(CACHE, None)  # there were none
    account.instead.pop(WAKEUPS, None)
    if len(tables.revisits):
        account.instead[REUSE] = REUSE_OF_OTHERS
    for event in perf.missing:
        account.instead[f"the tracepoint {event}"] = f"without it: {perfs.USEFUL[event]}"
    account.header = about(perf, tables.command, ended)
    if left:
        account.gaps.append(f"{len(left)} processes that the command has left behind were still running")
    recording = with_origin(recorded(tables, name, "perf script"), account)
    origin = {**recording.origin, "counters": counters, "used": used(ended), "seen": asdict(seen)}
    origin["whole"] = not origin["gaps"]
    origin[CACHE_SEEN] = perfs.CACHE_ADDED not in perf.missing
    return Recorded(replace(recording, origin=origin), ended, counters, tuple(left), reading.lost, seen)


def about(perf: perfs.Perf, command: Sequence[str], ended: Ended) -> dict[str, str]:
    """What the recording says of machine and command. The machine's name is not in it."""
    return {
        "command": shlex.join(command),
        "ended": ended.words + (" after it was interrupted" if ended.interrupted else ""),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "kernel": f"{platform.system()} {platform.release()}",
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs, {os.sysconf('SC_PHYS_PAGES') * PAGE_SIZE >> 20} MiB",
        "page size": str(os.sysconf("SC_PAGE_SIZE")),
        "perf": perf.version,
    }


def used(ended: Ended) -> dict[str, int | float]:
    """What wait4(2) says that the command and its children used, by the names of struct rusage."""
    return {
        "elapsed_s": (ended.end_ns - ended.begin_ns) / 1e9, "utime_s": ended.utime, "stime_s": ended.stime,
        "minflt": ended.minflt, "majflt": ended.majflt, "maxrss_kib": ended.maxrss,
    }  # fmt: skip
