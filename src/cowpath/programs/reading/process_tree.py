"""Processes from the events of a file: a launcher and its command, whatever the file tells of them.

The importer wants a tree of processes: a launcher whose first child is the command. ``perf record COMMAND`` records
the command from its exec on; a file that was recorded by other means may begin in the middle, or hold many processes
that have nothing to do with each other. What is not there is added here, and the account says so.
"""

from __future__ import annotations

from pathlib import PurePosixPath

import numpy as np
import numpy.typing as npt

from cowpath.programs.reading.account import Account
from cowpath.programs.reading.tracepoints import COMM_LENGTH, Events
from cowpath.programs.tables import SCHEMAS, Rows

LAUNCHER = 0  # the number of the idle task, which runs no command
ERR_USER = 4  # x86's page-fault error code: taken in user mode

NEVER = np.empty(0, np.int64)

Life = tuple[int, str, int, int, int, str]  # time, kind, pid, tid, ppid, comm: a row of procs


def lives_of(events: Events, account: Account) -> list[Life]:
    """Forks, execs and exits: perf's own records, or the scheduler's events where there are none."""
    rows = events.procs.rows()
    lives: list[Life] = [(*life,) for life in rows[["time_ns", "kind", "pid", "tid", "ppid", "comm"]].tolist()]
    kinds = {life[1] for life in lives}
    if "fork" not in kinds:
        for at, child, _ in events.sched_forks:
            lives.append((at.time_ns, "fork", events.owners.get(child, child), child, at.pid, ""))
        if events.sched_forks and not events.owners:
            account.instead["which forks made threads"] = "each made a process"
    for at, filename in events.execs:
        if "exec_comm" not in kinds:
            comm = PurePosixPath(filename).name[:COMM_LENGTH]
            lives.append((at.time_ns, "exec_comm", at.pid, at.tid, 0, comm))
        lives.append((at.time_ns, "exec", at.pid, at.tid, 0, ""))
    if "exit_task" not in kinds:
        lives += [(at.time_ns, "exit_task", at.pid, at.tid, 0, "") for at in events.exits]
    return lives


def ends_of_exec(lives: list[Life], faults: Rows, vmcalls: Rows) -> list[Life]:
    """The ends of those execs that have none: the task's first call, or first fault in user mode, after it."""
    ended = {life[3] for life in lives if life[1] == "exec"}
    begun = [life for life in lives if life[1] == "exec_comm" and life[3] not in ended]
    if not begun:
        return []
    in_user_mode = faults[(faults["err"] & ERR_USER) != 0]
    seen = [_times(rows) for rows in (in_user_mode, vmcalls)]
    found: list[Life] = []
    for time_ns, _, pid, tid, _, _ in begun:
        after = [times[at] for times in (some.get(tid, NEVER) for some in seen)
                 if (at := np.searchsorted(times, time_ns, side="right")) < len(times)]  # fmt: skip
        if after:
            found.append((int(min(after)), "exec", pid, tid, 0, ""))
    return found


def _times(rows: Rows) -> dict[int, npt.NDArray[np.int64]]:
    """When each task is seen in rows that are in order of time."""
    order = np.argsort(rows["tid"], kind="stable")
    tids, firsts = np.unique(rows["tid"][order], return_index=True)
    return dict(zip(tids.tolist(), np.split(rows["time_ns"][order], firsts[1:]), strict=False))


def rooted(lives: list[Life], events: Events, name: str, account: Account, faults: Rows) -> list[Life]:
    """A launcher, the command that it starts, and below it all that has no parent in the file."""
    forked = {life[2] for life in lives if life[1] == "fork"}
    users = dict.fromkeys(pid for pid in faults["pid"].tolist() if pid > 0)
    parents = dict.fromkeys(life[4] for life in lives if life[1] == "fork" and life[4] > 0)
    orphans = [pid for pid in users | parents if pid not in forked]
    first: list[Life] = [(0, "comm", LAUNCHER, LAUNCHER, 0, "launcher")]
    parent = LAUNCHER
    if len(orphans) > 1:
        parent = max(int(faults["tid"].max()), *(life[3] for life in lives), *orphans) + 1
        first += _started(parent, LAUNCHER, name[:COMM_LENGTH])
        account.instead[f"who started {len(orphans):,} of the processes"] = f"a task {name[:COMM_LENGTH]}, all at once"
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


def procs_of(lives: list[Life]) -> Rows:
    """The table."""
    rows = np.zeros(len(lives), SCHEMAS["procs"])
    for column, values in zip(("time_ns", "kind", "pid", "tid", "ppid", "comm"), zip(*lives, strict=True), strict=True):
        rows[column] = values
    return rows[np.argsort(rows["time_ns"], kind="stable")]
