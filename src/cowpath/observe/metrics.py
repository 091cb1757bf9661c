"""Figures of a run, read off the machine's books at its end (``kernel.figures`` has kept them): no log is needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cowpath.kernel import names as n
from cowpath.observe.histogram import Histogram
from cowpath.observe.holds import PageLocks

OUTSIDE = 0  # the group number of tasks that are in no group: the root group

# sleeps for a lock or for memory; what a task sleeps for of its own will (a child, a timer) is not "blocked"
BLOCKING = tuple(kind for kind, wait in enumerate(n.WAITS) if wait.figure)
IN_A_FAULT = tuple(kind for kind, wait in enumerate(n.WAITS) if wait.in_a_fault)


@dataclass(frozen=True)
class Worst:
    """The longest fault of a class of tasks."""

    ns: int
    task: int
    comm: int
    path: int  # number of the fault's path in the design, or NONE: it has not ended
    at_ns: int  # when it ended, or the end of the run


@dataclass(frozen=True)
class Kill:
    """The OOM killer took a task."""

    at_ns: int
    group: int
    task: int
    comm: int
    badness: int


@dataclass
class Latencies:
    """Faults of one class of tasks: those in one group, or those outside every group."""

    finished: Histogram
    unfinished: list[int]  # ns so far of the faults that the end of the run cut off asleep
    blocked_ns: int
    worst: Worst | None
    finished_ns: int = 0  # from entry to end, of all that have ended

    @property
    def faults(self) -> int:
        """How many faults there were, ended or not."""
        return self.finished.count + len(self.unfinished)

    def everything(self) -> Histogram:
        """All of them; an unfinished fault counts with the time that it has taken so far."""
        if not self.unfinished:
            return self.finished
        everything = Histogram()
        everything.add(np.array(self.unfinished))
        everything.join(self.finished)
        return everything

    def summary(self) -> dict[str, int | None]:
        """What ``--json`` shows of them."""
        everything = self.everything()
        return {
            "faults": everything.count,
            "unfinished": len(self.unfinished),
            "p50_ns": everything.quantile(0.50),
            "p99_ns": everything.quantile(0.99),
            "p999_ns": everything.quantile(0.999),
            "max_ns": everything.largest if everything.count else None,
            "blocked_ns": self.blocked_ns,
        }


class Metrics:
    """Latencies of faults per group, sleeps for locks, holds of page locks, OOM kills, of a machine as it stands.

    What the end of the run has cut off counts with its time so far: faults asleep on a lock or for memory, page locks
    that are held.
    """

    def __init__(self, k: Any) -> None:
        self.latencies = [_latencies(k, g) for g in range(int(k.state.n_groups))]  # by group number
        self.page_locks = PageLocks(k)
        self.kills = [
            Kill(*(int(kill[name]) for name in ("at", "group", "task", "comm", "badness")))
            for kill in k.books["kills"][: int(k.books.n_kills)]
        ]
        self.throttled_ns = [int(ns) for ns in k.books.groups["wait_ns"][:, n.W_THROTTLE]]  # by group number
        waits = k.books.groups["wait_ns"][: int(k.state.n_groups)].sum(axis=0)
        self.blocked_ns = {kind: int(waits[kind]) for kind in BLOCKING}  # of all tasks, by what they slept for
        self.reclaims = bool(k.books.groups["counters"][: int(k.state.n_groups), n.C_SCANNED].any())
        self._add_unfinished(k)

    @property
    def blocked_by_name(self) -> dict[str, int]:
        """The same by the figure's name: some kinds of wait are one figure."""
        found: dict[str, int] = {}
        for kind, ns in self.blocked_ns.items():
            found[n.WAITS[kind].figure] = found.get(n.WAITS[kind].figure, 0) + ns
        return found

    @property
    def outside(self) -> Latencies:
        """The faults of the bystanders: tasks outside every group."""
        return self.latencies[OUTSIDE]

    def of_group(self, group: int) -> Latencies:
        """The faults of the tasks in a group. One that was never made has none."""
        return self.latencies[group] if group < len(self.latencies) else Latencies(Histogram(), [], 0, None)

    def _add_unfinished(self, k: Any) -> None:
        now = int(k.books.now)
        tasks = k.state.tasks[: int(k.state.n_tasks)]
        asleep = (tasks["run_state"] == n.T_SLEEPING) & np.isin(tasks["wait_kind"], BLOCKING)
        asleep &= tasks["kthread"] == n.KT_NONE
        for t in np.flatnonzero(asleep):
            task = k.state.tasks[t]
            ns = now - int(k.books.tasks[t].since)
            latencies = self.latencies[int(task.group)]
            latencies.blocked_ns += ns
            self.blocked_ns[int(task.wait_kind)] += ns
            if task.wait_kind == n.W_THROTTLE:
                self.throttled_ns[int(task.group)] += ns
            if task.wait_kind in IN_A_FAULT:
                latencies.unfinished.append(ns)
                if latencies.worst is None or ns > latencies.worst.ns:
                    latencies.worst = Worst(ns, int(t), int(task.program), n.NONE, now)


def _latencies(k: Any, group: int) -> Latencies:
    found, books = k.books.latencies[group], k.books.groups[group]
    finished = Histogram()
    finished.buckets = np.array(found.buckets)
    finished.count, finished.smallest, finished.largest = int(found.count), int(found.shortest), int(found.longest)
    worst = None
    if found.count:
        worst = Worst(int(found.longest), int(found.task), int(found.comm), int(found.path), int(found.at))
    blocked = sum(int(books.wait_ns[kind]) for kind in BLOCKING)
    return Latencies(finished, [], blocked, worst, int(found.total))
