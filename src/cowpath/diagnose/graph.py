"""Who can be behind whom: waiters of a lock, and those that must, or may, hold it."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass

import rustworkx

from cowpath.diagnose.tables import Lock, tables
from cowpath.diagnose.waits import Held, Judged, lock_of

MOST_HOLDERS = 8  # a dump of a large machine has thousands of tasks
QUEUED = "a writer that waits keeps later readers out"
MOST_LOOKED_AT = 64  # of which these are the certain ones first


@dataclass(frozen=True)
class Edge:
    """``waiter`` can be behind ``holder`` (places in the list of tasks); certain where the log names lock or owner."""

    waiter: int
    holder: int
    lock: str
    certain: bool
    why: str
    held: bool = True  # the holder surely has a lock of that kind, whichever it is


def edges(tasks: Sequence[Judged]) -> list[Edge]:
    """All of them, of each waiter the first ``MOST_HOLDERS``. Where the log names a lock's owner there is no other."""
    found: list[Edge] = []
    gathered = about(tasks)
    for waiter, told in enumerate(tasks):
        if (
            told.waits_for not in tables().locks
            and not told.waits_for.startswith("a lock")
            and told.inner not in tables().locks
        ):
            continue
        named = by_owner(tasks, waiter) or by_address(tasks, waiter)
        every = named if named is not None else by_class(tasks, waiter, gathered)
        found += sorted(every, key=lambda edge: (not edge.certain, edge.why == QUEUED))[:MOST_HOLDERS]
    return found


def by_owner(tasks: Sequence[Judged], waiter: int) -> list[Edge] | None:
    """The kernel's own word (6.16 and later); None if it has said nothing."""
    owner = tasks[waiter].task.owner
    if owner is None:
        return None
    return [
        Edge(waiter, holder, lock_waited(tasks[waiter]), True, "the kernel names it as the likely owner")
        for holder, other in enumerate(tasks)
        if other.task.pid == owner.pid and holder != waiter
    ]


def by_address(tasks: Sequence[Judged], waiter: int) -> list[Edge] | None:
    """The same lock by its address in lockdep's lists."""
    told = tasks[waiter]
    listed = [lock for lock in told.task.held if lock_of(lock) == lock_waited(told) and lock.address]
    if not listed or told.task.kind == "lockdep":
        return None
    wanted = listed[-1]
    found = [
        Edge(waiter, holder, lock_waited(told), True, "lockdep: the same address")
        for holder, other in enumerate(tasks)
        if holder != waiter and any(held.address == wanted.address for held in other.held)
    ]
    return found or None


def lock_waited(told: Judged) -> str:
    """The lock that a task waits for, at once or on the way to memory."""
    return told.inner if told.inner in tables().locks else told.waits_for


def by_class(tasks: Sequence[Judged], waiter: int, about: About) -> list[Edge]:
    """Whoever holds a lock of that kind, or comes before in its queue."""
    told = tasks[waiter]
    lock = lock_waited(told)
    kind = tables().locks.get(lock)
    if kind is None:
        return []
    found: list[Edge] = []
    for holder in about.near(told, kind):
        other = tasks[holder]
        if holder == waiter or (kind.mm and not one_mm(told, other)):
            continue
        if queued(told, other, lock):
            found.append(Edge(waiter, holder, lock, kind.one, QUEUED))
            continue
        held = next((held for held in other.holds(lock) if excludes(told, held, lock in about.writers)), None)
        if held is not None:
            certain = held.certain and (kind.one or (kind.mm and same_process(told, other)))
            why = f"{held.where} holds it" if held.certain else f"{held.where} can hold it"
            found.append(Edge(waiter, holder, lock, certain, why, held.certain))
        if len(found) >= MOST_LOOKED_AT:
            break
    return found


@dataclass
class About:
    """By lock: the tasks that hold it or wait for it to write; and the locks for which a writer waits."""

    concerned: defaultdict[str, list[int]]
    of_process: defaultdict[tuple[str, int | None], list[int]]
    writers: set[str]

    def near(self, told: Judged, kind: Lock) -> list[int]:
        """Those that can have the lock that a task waits for: of its own process, if it wants its own."""
        tgid = told.task.tgid
        if kind.mm and not told.remote and tgid is not None:
            return self.of_process[kind.name, tgid] + self.of_process[kind.name, None]
        return self.concerned[kind.name]


def about(tasks: Sequence[Judged]) -> About:
    """Gathered once: a dump of a large machine has thousands of waiters."""
    made = About(defaultdict(list), defaultdict(list), set())
    for place, each in enumerate(tasks):
        locks = {held.lock for held in (*each.held, *each.may_hold)}
        if each.mode == "write":
            locks.add(lock_waited(each))
            made.writers.add(lock_waited(each))
        for lock in locks:
            made.concerned[lock].append(place)
            made.of_process[lock, each.task.tgid].append(place)
    return made


def queued(waiter: Judged, other: Judged, lock: str) -> bool:
    """Whether another task waits for the same rwsem to write, and so comes before who wants to read."""
    return waiter.mode == "read" and other.mode == "write" and lock_waited(other) == lock


def excludes(waiter: Judged, held: Held, writers: bool) -> bool:
    """Whether that holder keeps that waiter out: of two readers only if a writer stands between them."""
    return held.mode != "read" or waiter.mode != "read" or writers


def one_mm(waiter: Judged, holder: Judged) -> bool:
    """Whether they can mean the same address space: threads of one process; from outside any other."""
    one, other = waiter.task.tgid, holder.task.tgid
    if one is None or other is None:
        return True
    return (one != other) if waiter.remote else (one == other)


def same_process(waiter: Judged, holder: Judged) -> bool:
    """Whether they are surely threads of one process, and the waiter wants its own lock."""
    return not waiter.remote and waiter.task.tgid is not None and waiter.task.tgid == holder.task.tgid


def cycles(found: Sequence[Edge], count: int) -> set[int]:
    """The tasks that are on a circle of the graph in which at least one surely holds what another waits for."""
    graph: rustworkx.PyDiGraph[None, bool] = rustworkx.PyDiGraph()
    graph.add_nodes_from([None] * count)
    graph.add_edges_from([(edge.waiter, edge.holder, edge.held) for edge in found])
    circles = [set(part) for part in rustworkx.strongly_connected_components(graph) if len(part) > 1]
    sure = {edge.waiter for edge in found if edge.held}
    return {place for circle in circles if circle & sure for place in circle}


def behind(found: Sequence[Edge], count: int, ends: set[int]) -> dict[int, set[int]]:
    """For each task that can be behind one of ``ends``: behind which, the ``MOST_HOLDERS`` nearest."""
    after: dict[int, list[int]] = {number: [] for number in range(count)}
    for edge in found:
        after[edge.waiter].append(edge.holder)
    reached = {start: nearest(after, start, ends) for start in range(count) if after[start]}
    return {start: every for start, every in reached.items() if every}


def nearest(after: dict[int, list[int]], start: int, ends: set[int]) -> set[int]:
    """Ends that can be reached from a task, not itself: those with the fewest between."""
    seen = {start}
    found: set[int] = set()
    rest = deque([start])
    while rest and len(found) < MOST_HOLDERS:
        for place in after[rest.popleft()]:
            if place not in seen:
                seen.add(place)
                rest.append(place)
                if place in ends:
                    found.add(place)
    return found
