"""Who an event is about: the group and the name that each task had when it happened.

Task numbers are re-used, and tasks change their group and name; the log says when (fork, exec, joining a group).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cowpath.kernel import names as n

Events = npt.NDArray[Any]  # of dtype kernel.books.event
Ints = npt.NDArray[np.int64]

OUTSIDE = 0  # the group number of tasks that are in no group: the root group


@dataclass(frozen=True)
class Who:
    """For each event of a block: the group and the name (number in ``plan.comms``) of ``event.task``."""

    group: Ints
    comm: Ints


class Tracker:
    """Follows the tasks through the log. Feed it every block once, in order."""

    kinds = (n.EV_FORK, n.EV_EXEC, n.EV_GROUP)  # of events that say whom others are about

    def __init__(self, comms_at_boot: Sequence[int] = (), kthreads: Sequence[int] = ()) -> None:
        """``comms_at_boot[t]`` is the name of task t, for those that exist before the first event.

        ``kthreads`` are the kernel's own tasks, which are neither in a group nor outside: their group is NONE.
        """
        self.comm: Ints = np.array(comms_at_boot, np.int64)
        self.group: Ints = np.full(len(self.comm), OUTSIDE, np.int64)
        self.group[list(kthreads)] = n.NONE

    def attribute(self, events: Events) -> Who:
        """The group and name of the task of every event; those of no task (NONE) get NONE."""
        self._make_room(events)
        kind, task = events["kind"], events["task"].astype(np.int64)
        known = np.maximum(task, 0)
        group, comm = self.group[known], self.comm[known]
        joined = (kind == n.EV_GROUP) & (events["b"] == n.NONE)
        changing = np.flatnonzero((kind == n.EV_FORK) | (kind == n.EV_EXEC) | joined)
        if len(changing):
            self._apply_changes(events, changing, task, group, comm)
        group[task < 0] = n.NONE
        comm[task < 0] = n.NONE
        return Who(group, comm)

    def _make_room(self, events: Events) -> None:
        forked = events["a"][events["kind"] == n.EV_FORK]
        highest = max(int(events["task"].max(initial=-1)), int(forked.max(initial=-1)))
        missing = highest + 1 - len(self.comm)
        if missing > 0:
            extra = max(missing, len(self.comm))
            self.comm = np.append(self.comm, np.full(extra, n.NONE))
            self.group = np.append(self.group, np.full(extra, OUTSIDE))

    def _apply_changes(self, events: Events, changing: Ints, task: Ints, group: Ints, comm: Ints) -> None:
        """Go through the changes in order, then give each event the latest one of its task before it."""
        who, what = self._changes(events[changing])
        span = len(events) + 1
        keys = who * span + changing + 1
        order = np.argsort(keys, kind="stable")
        keys, what = keys[order], what[order]
        latest = np.searchsorted(keys, task * span + np.arange(len(events)), side="right") - 1
        changed = np.flatnonzero((latest >= 0) & (task >= 0))
        changed = changed[keys[latest[changed]] // span == task[changed]]
        group[changed] = what[latest[changed], 0]
        comm[changed] = what[latest[changed], 1]

    def _changes(self, events: Events) -> tuple[Ints, Ints]:
        """The task that each change is about, and its (group, name) from then on."""
        who = np.empty(len(events), np.int64)
        what = np.empty((len(events), 2), np.int64)
        columns = (events[name].tolist() for name in ("kind", "task", "a", "b"))
        for i, (kind, task, a, b) in enumerate(zip(*columns, strict=True)):
            if kind == n.EV_FORK:
                self.group[a] = self.group[task] if task >= 0 else OUTSIDE
                self.comm[a] = self.comm[task] if b == n.NONE and task >= 0 else b
                task = a
            elif kind == n.EV_EXEC:
                self.comm[task] = a
            else:
                self.group[task] = a
            who[i] = task
            what[i] = self.group[task], self.comm[task]
        return who, what
