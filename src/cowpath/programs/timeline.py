"""All records of a command in one order of time, each with the CPU time that its task used after it.

CPU time in user mode is not recorded; the rule is: a task runs from a record of its own until the next record of any
task on the same CPU, or its own next record, whichever comes first; of that time, what the record itself cost the
recorded kernel is taken off (a call's duration, ``FAULT_NS``, ``CACHE_NS``), and no stretch counts for more than
``longest_ns``, because a long one hides a time slice of somebody outside the recording, a disk or a pipe.
``longest_ns`` is solved for: the sum of all stretches is the CPU time that the command used when it ran without perf
(truth.json), or, where that is not known, ``LONGEST_NS``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cowpath.programs.order import carried_forward, following
from cowpath.programs.tables import Rows, Tables

FAULT_NS = 700  # a minor fault on the recorded kernel
CACHE_NS = 600  # adding a page to the page cache
WAKE_NS = 1_000  # waking a task, in a system call
LONGEST_NS = 3_000_000  # recorded gaps have two humps: up to 2 ms, and from 4 ms (a lost time slice)

AT_ONCE = 1 << 16  # records that are turned into Python's numbers at a time, which need much more room

Ints = npt.NDArray[np.int64]
RECORD = np.dtype([(name, "i8") for name in ("time_ns", "pid", "tid", "kind", "row", "cost", "cpu")])
PROC, CALL, MAP, FAULT, CACHE, LOOK, WAKES, WOKEN = range(8)  # kinds of records; also their order where times are equal


@dataclass(frozen=True)
class Timeline:
    """Records in order of time, column by column. ``row`` is the record's row in its own table."""

    kind: Ints
    row: Ints
    time_ns: Ints
    tid: Ints
    ran_ns: Ints  # CPU time between the task's previous record and this one
    longest_ns: int

    @property
    def end_ns(self) -> int:
        """The time of the last one."""
        return int(self.time_ns[-1])

    def __iter__(self) -> Iterator[tuple[int, int, int, int, int]]:
        """Kind, row, time, task and CPU time of every record."""
        columns = (self.kind, self.row, self.time_ns, self.tid, self.ran_ns)
        for at in range(0, len(self.kind), AT_ONCE):
            yield from zip(*(column[at : at + AT_ONCE].tolist() for column in columns), strict=True)


def timeline(tables: Tables, root: int) -> Timeline:
    """The records of all tasks but ``root``, the launcher. A fork is a record of its parent.

    A wake-up is one of the waker, and after that one of the woken: that takes no time, and is on no CPU.
    """
    procs = tables.procs.copy()
    forks = procs["kind"] == "fork"
    procs["pid"][forks] = procs["tid"][forks] = procs["ppid"][forks]
    woken = tables.wakeups.copy()
    woken["pid"] = woken["tid"] = woken["woken"]
    parts = [
        _part(procs, PROC, 0),
        _part(tables.vmcalls, CALL, tables.vmcalls["dur_ns"]),
        _part(tables.maps, MAP, 0),
        _part(tables.faults, FAULT, 0 if tables.accesses else FAULT_NS, tables.faults["cpu"]),
        _part(tables.pagecache, CACHE, CACHE_NS),
        _part(tables.revisits, LOOK, 0),
        _part(tables.wakeups, WAKES, WAKE_NS, tables.wakeups["cpu"]),
        _part(woken, WOKEN, 0),
    ]
    records = np.concatenate(parts)
    records = records[(records["pid"] != root) | (records["kind"] == PROC)]
    records = records[np.lexsort((records["row"], records["kind"], records["time_ns"]))]
    ran = np.zeros(len(records), np.int64)
    running = records["kind"] != WOKEN
    ran[running], longest_ns = _ran(records[running], root, tables.utime_ns)
    return Timeline(records["kind"], records["row"], records["time_ns"], records["tid"], ran, longest_ns)


def _ran(records: Rows, root: int, utime_ns: int | None) -> tuple[Ints, int]:
    """The CPU time between each record and its task's one before, and the cap."""
    time_ns, tid = records["time_ns"], records["tid"]
    cpu = carried_forward(records["cpu"], records["cpu"] >= 0, tid)
    own_next = following(tid)
    ends = np.minimum(_times(time_ns, own_next), _times(time_ns, following(cpu)))
    counts = (own_next >= 0) & (records["pid"] != root)
    stretch = np.where(counts, np.maximum(ends - time_ns - records["cost"], 0), 0)
    longest_ns = _longest(stretch, utime_ns)
    ran = np.zeros(len(records), np.int64)
    ran[own_next[own_next >= 0]] = np.minimum(stretch, longest_ns)[own_next >= 0]
    return ran, longest_ns


def _part(table: Rows, kind: int, cost: Any, cpu: Any = -1) -> Rows:
    part = np.empty(len(table), RECORD)
    for name in ("time_ns", "pid", "tid"):
        part[name] = table[name]
    part["kind"], part["row"], part["cost"], part["cpu"] = kind, np.arange(len(table)), cost, cpu
    return part


def _times(time_ns: npt.NDArray[np.int64], places: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The times at these places; far away where there is none."""
    return np.where(places < 0, np.iinfo(np.int64).max, time_ns[places])


def _longest(stretches: npt.NDArray[np.int64], cpu_ns: int | None) -> int:
    """The cap with which the stretches add up to ``cpu_ns``."""
    if cpu_ns is None or len(stretches) == 0:
        return LONGEST_NS
    low, high = 1, max(1, int(stretches.max()))
    while low < high:
        middle = (low + high) // 2
        if int(np.minimum(stretches, middle).sum()) < cpu_ns:
            low = middle + 1
        else:
            high = middle
    return low
