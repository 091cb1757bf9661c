"""Follows all tasks through the log, block by block: the pieces of their lanes, and the holds of page locks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cowpath.kernel import names as n
from cowpath.observe import lanes
from cowpath.observe.holds import held_now
from cowpath.observe.who import Events

if TYPE_CHECKING:
    from cowpath.session.plan import Plan


class Follower:
    """Feed it every block once, in order, and at the end the machine."""

    kinds = lanes.KINDS

    def __init__(self, k: Any, plan: Plan) -> None:
        self._tasks = np.zeros(len(k.state.tasks), lanes.TASK)
        self._tasks["life"] = lanes.NOBODY
        self._running = np.full(len(k.books.cpus), n.NONE, np.int64)
        self._lives = np.zeros(1024, lanes.LIFE)
        self._count = 0
        self._pieces = np.zeros(0, lanes.PIECE)
        self._holds = np.zeros(0, lanes.HOLD)
        for t, start in enumerate(plan.starts):
            self._lives = with_room(self._lives, self._count + 1)
            group = n.NONE if t in plan.kthreads else 0
            self._count = lanes.born(self._tasks, self._lives, self._count, t, start.comm, group, 0)
            if k.state.tasks[t].run_state == n.T_SLEEPING:
                self._tasks[t]["state"] = lanes.ASLEEP

    @property
    def lives(self) -> lanes.Lives:
        """All tasks so far, in the order in which they began."""
        return self._lives[: self._count]

    def add(self, events: Events) -> tuple[lanes.Pieces, lanes.Holds]:
        """What has ended in this block, in the order of its end. Good until the next call."""
        wanted = events[np.isin(events["kind"], lanes.KINDS)]
        self._lives = with_room(self._lives, self._count + int((wanted["kind"] == n.EV_FORK).sum()))
        self._pieces = with_room(self._pieces, 2 * len(wanted))
        self._holds = with_room(self._holds, len(wanted))
        self._count, pieces, holds = lanes.follow(
            wanted, self._tasks, self._running, self._lives, self._count, self._pieces, self._holds
        )
        return self._pieces[:pieces], self._holds[:holds]

    def end(self, k: Any) -> tuple[lanes.Pieces, lanes.Holds]:
        """What the end of the run has cut off."""
        now = int(k.books.now)
        pieces = np.zeros(len(self._tasks), lanes.PIECE)
        count = 0
        for t in range(int(k.state.n_tasks)):
            count = lanes.close(self._tasks, self._lives, pieces, count, t, now)
        pieces["open"] = 1
        return pieces[:count], self._held(k)

    def _held(self, k: Any) -> lanes.Holds:
        going_on = list(held_now(k))
        holds = np.zeros(len(going_on), lanes.HOLD)
        for row, hold in zip(holds, going_on, strict=True):
            life = lanes.BY_DISK if hold.task == n.NONE else int(self._tasks["life"][hold.task])
            row["begin"], row["end"], row["open"] = hold.begin, hold.begin + hold.ns, 1
            row["what"], row["page"], row["life"], row["kind"] = hold.place, hold.page, life, hold.kind
        return holds


def with_room(array: npt.NDArray[Any], rows: int) -> npt.NDArray[Any]:
    """The array, or a copy of it that is at least twice as long."""
    if rows <= len(array):
        return array
    more = np.zeros(max(rows, 2 * len(array)), array.dtype)
    more[: len(array)] = array
    return more
