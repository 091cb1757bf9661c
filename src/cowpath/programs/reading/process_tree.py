"""From the events of a file to tables that begin with a launcher and its command, whatever the file tells of them.

The importer wants a tree of processes: a launcher whose first child is the command. ``perf record COMMAND`` records
the command from its exec on; a file that was recorded by other means may begin in the middle, or hold many processes
that have nothing to do with each other. What is not there is added here, and the account says so.
"""

from __future__ import annotations

from pathlib import PurePosixPath

import numpy as np

from cowpath.errors import InputError
from cowpath.programs.reading.account import Account
from cowpath.programs.reading.clock import Clock
from cowpath.programs.reading.tracepoints import Events
from cowpath.programs.tables import SCHEMAS, Rows, Tables

LAUNCHER = 0  # the number of the idle task, which runs no command
COMM_SHOWN = 15  # TASK_COMM_LEN - 1
ERR_USER = 4  # x86's page-fault error code: taken in user mode

Life = tuple[int, str, int, int, int, str]  # time, kind, pid, tid, ppid, comm: a row of procs


def tables_of(events: Events, account: Account, clock: Clock, name: str, file: str | None) -> Tables:
    """The five tables. Raises InputError if there is no fault among the events."""
    if not len(events.faults):
        hint = "perf record -d -c 1 -e exceptions:page_fault_user,exceptions:page_fault_kernel -- COMMAND"
        raise InputError("no page fault was recorded", file=file, hint=hint)
    faults, maps, vmcalls = events.faults.rows(), events.maps.rows(), events.vmcalls.rows()
    pagecache = events.pagecache.rows()
    lives = _lives(events, account)
    _say(events, account, clock, lives)
    if not len(vmcalls):
        vmcalls = _calls_of(maps)
    lives = _rooted(lives, events, name, account, faults)
    procs = _rows(lives + _ends_of_exec(lives, faults, vmcalls))
    for rows in (faults, procs, maps, vmcalls, pagecache):
        rows["time_ns"] = np.where(rows["time_ns"] > 0, np.maximum(rows["time_ns"] - clock.first + 1, 0), 0)
    files = [filename for _, filename in events.execs]
    return Tables(faults, procs, maps, vmcalls, pagecache, command=tuple(files[:1]), utime_ns=None)


def _lives(events: Events, account: Account) -> list[Life]:
    """Forks, execs and exits: perf's own records, or the scheduler's events where there are none."""
    rows = events.procs.rows()
    lives: list[Life] = [(*life,) for life in rows[["time_ns", "kind", "pid", "tid", "ppid", "comm"]].tolist()]
    kinds = {life[1] for life in lives}
    if "fork" not in kinds:
        for at, child, _ in events.sched_forks:
            lives.append((at.time_ns, "fork", child, child, at.pid, ""))
        if events.sched_forks:
            account.instead["which forks made threads"] = "each made a process"
    for at, filename in events.execs:
        if "exec_comm" not in kinds:
            comm = PurePosixPath(filename).name[:COMM_SHOWN]
            lives.append((at.time_ns, "exec_comm", at.pid, at.tid, 0, comm))
        lives.append((at.time_ns, "exec", at.pid, at.tid, 0, ""))
    if "exit_task" not in kinds:
        lives += [(at.time_ns, "exit_task", at.pid, at.tid, 0, "") for at in events.exits]
    return lives


def _say(events: Events, account: Account, clock: Clock, lives: list[Life]) -> None:
    """What was found, and what is missing."""
    ends = {life[3] for life in lives if life[1] == "exit_task"}
    alive = set(events.faults.rows()["tid"].tolist()) - ends
    account.found |= {
        "page faults": len(events.faults),
        "memory calls": len(events.vmcalls),
        "mappings": len(events.maps),
        "page-cache events": len(events.pagecache),
        "forks": sum(life[1] == "fork" for life in lives),
        "execs": sum(life[1] == "exec_comm" for life in lives),
    }
    if events.kernel_faults:
        account.ignored["faults on addresses of the kernel's"] += events.kernel_faults
    absent = {
        "mmap, munmap, mprotect, mremap and brk calls": (
            not len(events.vmcalls), "a mapping is what a mapping's record says, and nothing is ever unmapped"),
        "pages added to the page cache": (
            not len(events.pagecache), "all mapped files were in it already, and nothing was read or written"),
        "inodes of mapped files (perf has put build ids in their place)": (
            events.maps_without_ino > 0, "their pages in the page cache are taken for another file's"),
        "CPU time": (True, "a task ran from each event to the next one on its CPU, 3 ms at most"),
        "repeated use of pages": (True, "the machine's reuse rule"),
    }  # fmt: skip
    account.instead |= {what: instead for what, (is_absent, instead) in absent.items() if is_absent}
    if alive:
        account.gaps.append(f"{len(alive):,} of {len(alive | ends):,} tasks do not end in it")
    if events.unpaired:
        calls = ", ".join(f"{count:,} of {call}" for call, count in events.unpaired.most_common())
        account.gaps.append(f"calls without a beginning or an end: {calls}")
    if clock.backwards:
        account.gaps.append(f"time goes back {clock.backwards:,} times")


def _calls_of(maps: Rows) -> Rows:
    """The mmap calls that mappings' records stand for. Those of an exec are not told apart: they are mapped twice."""
    calls = np.zeros(len(maps), SCHEMAS["vmcalls"])
    for column in ("time_ns", "pid", "tid"):
        calls[column] = maps[column]
    calls["call"] = "mmap"
    for argument, column in (
        ("a0", "addr"),
        ("a1", "len"),
        ("a2", "prot"),
        ("a3", "flags"),
        ("a5", "pgoff"),
        ("ret", "addr"),
    ):
        calls[argument] = maps[column].astype(calls[argument].dtype)
    return calls


def _ends_of_exec(lives: list[Life], faults: Rows, vmcalls: Rows) -> list[Life]:
    """The ends of those execs that have none: the task's first call, or first fault in user mode, after it."""
    ended = {life[3] for life in lives if life[1] == "exec"}
    begun = [life for life in lives if life[1] == "exec_comm" and life[3] not in ended]
    if not begun:
        return []
    in_user_mode = faults[(faults["err"] & ERR_USER) != 0]
    found = []
    for time_ns, _, pid, tid, _, _ in begun:
        after = [
            rows["time_ns"][(rows["tid"] == tid) & (rows["time_ns"] > time_ns)][:1] for rows in (in_user_mode, vmcalls)
        ]
        times = np.concatenate(after)
        if len(times):
            found.append((int(times.min()), "exec", pid, tid, 0, ""))
    return found


def _rooted(lives: list[Life], events: Events, name: str, account: Account, faults: Rows) -> list[Life]:
    """A launcher, the command that it starts, and below it all that has no parent in the file."""
    forked = {life[2] for life in lives if life[1] == "fork"}
    users = dict.fromkeys(pid for pid in faults["pid"].tolist() if pid > 0)
    parents = dict.fromkeys(life[4] for life in lives if life[1] == "fork" and life[4] > 0)
    orphans = [pid for pid in users | parents if pid not in forked]
    first: list[Life] = [(0, "comm", LAUNCHER, LAUNCHER, 0, "launcher")]
    parent = LAUNCHER
    if len(orphans) > 1:
        parent = max(int(faults["tid"].max()), *(life[3] for life in lives), *orphans) + 1
        first += _started(parent, LAUNCHER, name[:COMM_SHOWN])
        account.instead[f"who started {len(orphans):,} of the processes"] = f"a task {name[:COMM_SHOWN]}, all at once"
    execs = {life[2]: life[0] for life in reversed(lives) if life[1] == "exec_comm"}
    began = _first_times(faults, "pid")
    for pid in orphans:
        if pid in execs and execs[pid] <= began.get(pid, execs[pid]):
            first.append((0, "fork", pid, pid, parent, ""))
        else:
            first += _started(pid, parent, events.comms.get(pid, ""))
    threads = {life[3] for life in lives if life[1] == "fork"} | set(orphans)
    begun = _first_times(faults, "tid")
    pids = dict(zip(faults["tid"].tolist(), faults["pid"].tolist(), strict=True))
    more = [(begun[tid], "fork", pid, tid, pid, "") for tid, pid in pids.items() if tid != pid and tid not in threads]
    return first + lives + more


def _first_times(rows: Rows, column: str) -> dict[int, int]:
    """When each process or task is first seen in rows that are in order of time."""
    keys, places = np.unique(rows[column], return_index=True)
    return dict(zip(keys.tolist(), rows["time_ns"][places].tolist(), strict=True))


def _started(pid: int, parent: int, comm: str) -> list[Life]:
    """A process that is there from the start, in an address space of its own."""
    return [(0, "fork", pid, pid, parent, ""), (0, "exec_comm", pid, pid, 0, comm)]


def _rows(lives: list[Life]) -> Rows:
    rows = np.zeros(len(lives), SCHEMAS["procs"])
    for column, values in zip(("time_ns", "kind", "pid", "tid", "ppid", "comm"), zip(*lives, strict=True), strict=True):
        rows[column] = values
    return rows[np.argsort(rows["time_ns"], kind="stable")]
