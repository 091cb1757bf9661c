"""Figures of a run, gathered from the event log block by block in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cowpath.kernel import names as n
from cowpath.observe.histogram import Histogram
from cowpath.observe.who import OUTSIDE, Events, Ints, Tracker, Who

KILLS_KEPT = 1000  # OOM kills that are remembered one by one; all are counted

# sleeps for a lock or for memory; what a task sleeps for of its own will (a child, a timer) is not "blocked"
BLOCKING = (n.W_PAGE_LOCK, n.W_MMAP_READ, n.W_MMAP_WRITE, n.W_I_MUTEX, n.W_OOM)
IN_A_FAULT = (n.W_PAGE_LOCK, n.W_MMAP_READ, n.W_OOM)

# kinds of events that these figures are made from; the machine need not log others
NEEDED = (n.EV_FAULT, n.EV_LOCK, n.EV_WAKE, n.EV_FORK, n.EV_EXEC, n.EV_GROUP, n.EV_RECLAIM, n.EV_OOM_KILL)


@dataclass(frozen=True)
class Worst:
    """The longest fault of a class of tasks."""

    ns: int
    task: int
    comm: int
    path: int  # number of the fault's path in the design, or NONE: it has not ended
    at_ns: int  # when it ended, or the end of the run


@dataclass(frozen=True)
class Hold:
    """The longest time that one task held a page lock without a break."""

    ns: int
    task: int
    comm: int
    group: int
    file: int  # NONE: an anonymous page
    index: int
    step: int  # that took the lock, or NONE
    ended: bool


@dataclass(frozen=True)
class Kill:
    """The OOM killer took a task."""

    at_ns: int
    group: int
    task: int
    comm: int
    badness: int


class Latencies:
    """Faults of one class of tasks: those in one group, or those outside every group."""

    def __init__(self) -> None:
        self.finished = Histogram()
        self.unfinished: list[int] = []  # ns so far of the faults that the end of the run cut off asleep
        self.blocked_ns = 0
        self.worst: Worst | None = None

    @property
    def faults(self) -> int:
        """How many faults there were, ended or not."""
        return self.finished.count + len(self.unfinished)

    def summary(self) -> dict[str, int | None]:
        """What ``--json`` shows of them. An unfinished fault counts with the time that it has taken so far."""
        everything = self.finished
        if self.unfinished:
            everything = Histogram()
            everything.add(np.array(self.unfinished))
            everything.count += self.finished.count
            everything.buckets += self.finished.buckets
            everything.largest = max(everything.largest, self.finished.largest)
            if self.finished.count:
                everything.smallest = min(everything.smallest, self.finished.smallest)
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
    """Latencies of faults per group, the longest hold of a page lock, OOM kills, reclaim, and counts of events.

    ``on_events`` takes a block of the log; ``finish`` adds what the end of the run cut off.
    """

    def __init__(self, comms_at_boot: Sequence[int] = (), kthreads: Sequence[int] = ()) -> None:
        """``comms_at_boot[t]`` is the name (number in ``plan.comms``) of task t, for the tasks that exist at boot.

        ``kthreads`` are those of them that are kernel threads: what they wait for is nobody's.
        """
        self.tracker = Tracker(comms_at_boot, kthreads)
        self.latencies: dict[int, Latencies] = {OUTSIDE: Latencies()}  # by group number
        self.longest_hold: Hold | None = None
        self.kills: list[Kill] = []
        self.kill_count = 0
        self.reclaim: dict[int, dict[str, int]] = {}  # by group number: passes, freed, scanned (pages)
        self.events: Ints = np.zeros(len(n.EVENT_NAMES), np.int64)  # how many of each kind
        self.last_ns = 0

    @property
    def outside(self) -> Latencies:
        """The faults of the bystanders: tasks outside every group."""
        return self.latencies[OUTSIDE]

    def of_group(self, group: int) -> Latencies:
        """The faults of the tasks in a group."""
        return self.latencies.setdefault(group, Latencies())

    def on_events(self, events: Events) -> Who:
        """Take a block of the log (valid only during the call); returns whom its events are about."""
        who = self.tracker.attribute(events)
        if len(events):
            kind = events["kind"]
            self.events += np.bincount(kind, minlength=len(self.events))
            self.last_ns = int(events["time"][-1])
            self._faults(events, who, np.flatnonzero(kind == n.EV_FAULT))
            self._wakes(events, who, np.flatnonzero(kind == n.EV_WAKE))
            self._holds(events, who, np.flatnonzero((kind == n.EV_LOCK) & (events["task"] >= 0)))
            self._kills(events, np.flatnonzero(kind == n.EV_OOM_KILL))
            self._reclaims(events, np.flatnonzero(kind == n.EV_RECLAIM))
        return who

    def _faults(self, events: Events, who: Who, at: Ints) -> None:
        for group, mine in by_group(who, at):
            latencies = self.of_group(group)
            values = events["value"][mine]
            latencies.finished.add(values)
            top = mine[int(values.argmax())]
            if latencies.worst is None or events["value"][top] > latencies.worst.ns:
                e = events[top]
                worst = Worst(int(e["value"]), int(e["task"]), int(who.comm[top]), int(e["a"]), int(e["time"]))
                latencies.worst = worst

    def _wakes(self, events: Events, who: Who, at: Ints) -> None:
        for group, mine in by_group(who, at[np.isin(events["a"][at], BLOCKING)]):
            self.of_group(group).blocked_ns += int(events["value"][mine].sum())

    def _holds(self, events: Events, who: Who, at: Ints) -> None:
        if not len(at):
            return
        top = int(at[int(events["value"][at].argmax())])
        e = events[top]
        where = int(e["extra"])
        self._offer_hold(
            Hold(
                ns=int(e["value"]),
                task=int(e["task"]),
                comm=int(who.comm[top]),
                group=int(who.group[top]),
                file=where >> 32,
                index=where & 0xFFFFFFFF,
                step=int(e["b"]),
                ended=True,
            )
        )

    def _offer_hold(self, hold: Hold) -> None:
        if self.longest_hold is None or hold.ns > self.longest_hold.ns:
            self.longest_hold = hold

    def _kills(self, events: Events, at: Ints) -> None:
        self.kill_count += len(at)
        for i in at[: max(0, KILLS_KEPT - len(self.kills))]:
            e = events[i]
            victim = int(e["b"])
            known = 0 <= victim < len(self.tracker.comm)
            comm = int(self.tracker.comm[victim]) if known else n.NONE
            self.kills.append(Kill(int(e["time"]), int(e["a"]), victim, comm, int(e["value"])))

    def _reclaims(self, events: Events, at: Ints) -> None:
        for group in np.unique(events["a"][at]):
            mine = at[events["a"][at] == group]
            sums = self.reclaim.setdefault(int(group), {"passes": 0, "freed": 0, "scanned": 0})
            sums["passes"] += len(mine)
            sums["freed"] += int(events["value"][mine].sum())
            sums["scanned"] += int(events["extra"][mine].sum())

    def finish(self, k: Any) -> None:
        """Add what the end of the run cut off: tasks still asleep on a lock or for memory, page locks still held."""
        now = int(k.books.now)
        tasks = k.state.tasks[: int(k.state.n_tasks)]
        asleep = (tasks["run_state"] == n.T_SLEEPING) & np.isin(tasks["wait_kind"], BLOCKING)
        asleep &= tasks["kthread"] == n.KT_NONE
        for t in np.flatnonzero(asleep):
            task = k.state.tasks[t]
            ns = now - int(k.books.tasks[t].since)
            latencies = self.of_group(int(task.group))
            latencies.blocked_ns += ns
            if task.wait_kind in IN_A_FAULT:
                latencies.unfinished.append(ns)
                if latencies.worst is None or ns > latencies.worst.ns:
                    latencies.worst = Worst(ns, int(t), int(task.program), n.NONE, now)
        self._open_holds(k, now)

    def _open_holds(self, k: Any, now: int) -> None:
        owners = k.state.pages[: int(k.state.n_pages)]["locked_by"]
        for p in np.flatnonzero(owners >= 0):
            task = k.state.tasks[owners[p]]
            page, books = k.state.pages[p], k.books.pages[p]
            self._offer_hold(
                Hold(
                    ns=now - int(books.locked_at),
                    task=int(owners[p]),
                    comm=int(task.program),
                    group=int(task.group),
                    file=int(page.file),
                    index=int(page.index),
                    step=int(books.locked_in),
                    ended=False,
                )
            )


def by_group(who: Who, at: Ints) -> Iterator[tuple[int, Ints]]:
    """The positions ``at`` sorted apart by the group of their task; events of no task are left out."""
    groups = who.group[at]
    for group in np.unique(groups):
        if group >= 0:
            yield int(group), at[groups == group]
