"""The five tables from the events of a file, and the account of what they lack."""

from __future__ import annotations

import numpy as np

from cowpath.errors import InputError
from cowpath.programs.reading.account import Account
from cowpath.programs.reading.clock import Clock
from cowpath.programs.reading.mappings import calls_of, invented
from cowpath.programs.reading.process_tree import Life, ends_of_exec, lives_of, procs_of, rooted
from cowpath.programs.reading.tracepoints import Events
from cowpath.programs.tables import Rows, Tables

CPU_TIME, REUSE = "CPU time", "repeated use of pages"  # what the texts of tracepoints have not
WAKEUPS = "who woke whom"


def tables_of(events: Events, account: Account, clock: Clock, name: str, file: str | None) -> Tables:
    """The five tables. Raises InputError if there is no fault among the events."""
    if not len(events.faults):
        hint = "perf record -d -c 1 -e exceptions:page_fault_user,exceptions:page_fault_kernel -- COMMAND"
        raise InputError("no page fault was recorded", file=file, hint=hint)
    faults, maps, vmcalls = events.faults.rows(), events.maps.rows(), events.vmcalls.rows()
    pagecache, wakeups = events.pagecache.rows(), events.wakeups.rows()
    lives = lives_of(events, account)
    _say(events, account, clock, lives)
    lives = rooted(lives, events, name, account, faults)
    lives += ends_of_exec(lives, faults, vmcalls)
    if not len(vmcalls):
        vmcalls = calls_of(maps, lives)
    more_calls, more_maps, lonely = invented(faults, maps, vmcalls, lives, name)
    if lonely:
        everything = lonely == len(faults)
        which = "mappings" if everything else f"the mappings of {lonely:,} of {len(faults):,} faults"
        account.instead[which] = "pages written to are anonymous, others a file's in the page cache that nobody shares"
        if len(maps) and len(events.vmcalls):
            account.gaps.append(f"{lonely:,} faults lie in no mapping that it tells of")
    maps, vmcalls = _merged(maps, more_maps), _merged(vmcalls, more_calls)
    procs = procs_of(lives)
    for rows in (faults, procs, maps, vmcalls, pagecache, wakeups):
        rows["time_ns"] = np.where(rows["time_ns"] > 0, np.maximum(rows["time_ns"] - clock.first + 1, 0), 0)
    files = [filename for _, filename in events.execs]
    tables = (faults, procs, maps, vmcalls, pagecache)
    return Tables(*tables, command=tuple(files[:1]), utime_ns=None, wakeups=wakeups)


def _merged(rows: Rows, more: Rows) -> Rows:
    """Both, in order of time."""
    both = np.concatenate([more, rows])
    return both[np.argsort(both["time_ns"], kind="stable")]


def _say(events: Events, account: Account, clock: Clock, lives: list[Life]) -> None:
    """What was found, what is missing, and what tells that the file is not whole."""
    ends = {life[3] for life in lives if life[1] == "exit_task"}
    followed = len(events.procs) or events.sched_forks or events.exits
    alive = set(events.faults.rows()["tid"].tolist()) - ends if followed else set()
    account.found |= {
        "page faults": len(events.faults),
        "memory calls": len(events.vmcalls),
        "mappings": len(events.maps),
        "page-cache events": len(events.pagecache),
        "wake-ups": len(events.wakeups),
        "forks": sum(life[1] == "fork" for life in lives),
        "execs": sum(life[1] == "exec_comm" for life in lives),
    }
    if events.kernel_faults:
        account.ignored["faults on addresses of the kernel's"] += events.kernel_faults
    absent = {
        "mmap, munmap, mprotect, mremap and brk calls": (
            len(events.maps) > len(events.vmcalls) == 0, "mappings are what their records say; nothing is unmapped"),
        "names of mapped files": (
            len(events.vmcalls) > len(events.maps) == 0, "their pages are anonymous memory"),
        "when processes started and ended": (not followed, "at their first and last event; none is another's child"),
        "pages added to the page cache": (
            not len(events.pagecache), "all mapped files were in it already, and nothing was read or written"),
        "inodes of mapped files (perf has put build ids in their place)": (
            events.maps_without_ino > 0, "their pages in the page cache are taken for another file's"),
        WAKEUPS: (not len(events.wakeups), "nobody waits for another task, but for a child"),
        CPU_TIME: (True, "a task ran from each event to the next one on its CPU, 3 ms at most"),
        REUSE: (True, "the machine's reuse rule"),
    }  # fmt: skip
    account.instead |= {what: instead for what, (is_absent, instead) in absent.items() if is_absent}
    if alive:
        account.gaps.append(f"{len(alive):,} of {len(alive | ends):,} tasks do not end in it")
    if events.unpaired:
        calls = ", ".join(f"{count:,} of {call}" for call, count in events.unpaired.most_common())
        account.gaps.append(f"calls without a beginning or an end: {calls}")
    if clock.backwards:
        account.gaps.append(f"time goes back {clock.backwards:,} times")
