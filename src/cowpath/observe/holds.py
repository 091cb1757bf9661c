"""Who holds page locks, and how long: what the tables, the JSON and the pictures take their figures from.

A page is locked by a task; by read-ahead, which puts pages into a cache locked and sends them to the disk when it has
them all (it may wait for memory in between); or by the disk, which reads them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from cowpath.kernel import names as n
from cowpath.kernel.page_lock import hold_kind
from cowpath.kernel.steps import STEP_NAMES
from cowpath.observe.scene import Scene, place_of_page
from cowpath.observe.text import task_label

_kind = getattr(hold_kind, "py_func", hold_kind)  # of a few pages: no compiler is needed


@dataclass(frozen=True)
class Hold:
    """The time that one owner held the lock of one page, without a break."""

    kind: int  # HOLD_*
    begin: int  # ns; of one that has ended only the length is known
    ns: int
    page: int  # its frame, or NONE: it may be another page by now
    place: int  # kernel.places
    task: int  # NONE: the disk
    comm: int
    group: int
    step: int  # that took the lock, or NONE
    ended: bool


def held_now(k: Any) -> Iterator[Hold]:
    """The holds that still go on."""
    now, state = int(k.books.now), k.state
    for p in np.flatnonzero(state.pages[: int(state.n_pages)]["locked_by"] != n.FREE).tolist():
        kind, books = _kind(k, p), k.books.pages[p]
        owner = int(state.pages[p].locked_by)
        if owner < 0:
            owner = n.NONE if kind == n.HOLD_DISK else int(state.requests[n.REQUEST_OWNER - owner].owner)
        comm = group = n.NONE
        if owner >= 0:
            task = state.tasks[owner]
            comm, group = int(task.program), int(task.group) if int(task.kthread) == n.KT_NONE else n.NONE
        yield Hold(kind, int(books.locked_at), now - int(books.locked_at), p, place_of_page(k, p), owner, comm, group,
                   int(books.locked_in), False)  # fmt: skip


@dataclass(frozen=True)
class OfKind:
    """All holds by one kind of owner."""

    ended: int
    total_ns: int  # with those that go on, so far
    now: int  # that go on
    longest: Hold | None


class PageLocks:
    """The page locks of a machine as it stands: a row for each kind of owner, and how many were locked at once."""

    def __init__(self, k: Any) -> None:
        going_on = list(held_now(k))
        self.kinds = [_of_kind(k, kind, [hold for hold in going_on if hold.kind == kind])
                      for kind in range(n.HOLD_KINDS)]  # fmt: skip
        self.locked = len(going_on)
        self.most_locked = int(k.books.most_locked)
        self.most_locked_at = int(k.books.most_locked_at)

    @property
    def longest(self) -> Hold | None:
        """Of all kinds; of several the first kind's."""
        return max((each.longest for each in self.kinds if each.longest), key=lambda hold: hold.ns, default=None)


def _of_kind(k: Any, kind: int, going_on: list[Hold]) -> OfKind:
    found = k.books.holds[kind]
    holds = going_on
    if found.ended:
        place, task, comm, group, step = (int(found[name]) for name in ("place", "task", "comm", "group", "step"))
        holds = [Hold(kind, n.NONE, int(found.ns), n.NONE, place, task, comm, group, step, True), *going_on]
    total = int(found.total) + sum(hold.ns for hold in going_on)
    return OfKind(int(found.ended), total, len(going_on), max(holds, key=lambda hold: hold.ns, default=None))


def page_lock_summary(locks: PageLocks, scene: Scene) -> dict[str, Any]:
    """``page_lock`` of docs/json.md: the longest hold of all, that of each kind of owner, and how many at once."""
    kinds = {
        name: {"holds": each.ended + each.now, "total_ns": each.total_ns, "locked_now": each.now}
        | hold_summary(each.longest, scene)
        for name, each in zip(n.LOCKER_NAMES, locks.kinds, strict=True)
    }
    longest = locks.longest
    return hold_summary(longest, scene) | {
        "kind": None if longest is None else n.LOCKER_NAMES[longest.kind],
        "locked_now": locks.locked,
        "most_locked": locks.most_locked,
        "most_locked_at_ns": locks.most_locked_at if locks.most_locked else None,
        "by_kind": kinds,
    }


def hold_summary(hold: Hold | None, scene: Scene) -> dict[str, Any]:
    """How long, by whom, which page, taken in which step, whether it has ended."""
    if hold is None:
        return {"longest_hold_ns": None, "holder": None, "group": None, "page": None, "step": None, "ended": None}
    return {
        "longest_hold_ns": hold.ns,
        "holder": "the disk" if hold.task == n.NONE else task_label(scene.comm(hold.comm), hold.task),
        "group": scene.group(hold.group) if hold.group > 0 else None,
        "page": scene.place(hold.place) if hold.page == n.NONE else scene.page(hold.page),
        "step": STEP_NAMES[hold.step] if 0 <= hold.step < len(STEP_NAMES) else None,
        "ended": hold.ended,
    }
