"""Who can be behind whom: waiters of a lock, and those that must, or may, hold it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cowpath.diagnose.tables import tables
from cowpath.diagnose.waits import Held, Judged, lock_of


@dataclass(frozen=True)
class Edge:
    """``waiter`` can be behind ``holder`` (places in the list of tasks); certain where the log names lock or owner."""

    waiter: int
    holder: int
    lock: str
    certain: bool
    why: str


def edges(tasks: Sequence[Judged]) -> list[Edge]:
    """All of them. Where the log names a lock's owner there is no other."""
    found: list[Edge] = []
    for waiter, told in enumerate(tasks):
        if (
            told.waits_for not in tables().locks
            and not told.waits_for.startswith("a lock")
            and told.inner not in tables().locks
        ):
            continue
        named = by_owner(tasks, waiter) or by_address(tasks, waiter)
        found += named if named is not None else by_class(tasks, waiter)
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


def by_class(tasks: Sequence[Judged], waiter: int) -> list[Edge]:
    """Whoever holds a lock of that kind."""
    told = tasks[waiter]
    lock = lock_waited(told)
    if lock not in tables().locks:
        return []
    about = tables().locks[lock]
    found = []
    for holder, other in enumerate(tasks):
        if holder == waiter:
            continue
        for held in other.holds(lock):
            if not excludes(tasks, told, held, lock) or (about.mm and not one_mm(told, other)):
                continue
            certain = held.certain and (about.one or (about.mm and same_process(told, other)))
            why = f"{held.where} holds it" if held.certain else f"{held.where} can hold it"
            found.append(Edge(waiter, holder, lock, certain, why))
            break
    return found


def excludes(tasks: Sequence[Judged], waiter: Judged, held: Held, lock: str) -> bool:
    """Whether that holder keeps that waiter out: of two readers only if a writer stands between them."""
    if held.mode != "read" or waiter.mode != "read":
        return True
    return any(other.waits_for == lock and other.mode == "write" for other in tasks)


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
    """The tasks that are on a circle of the graph."""
    after: dict[int, set[int]] = {number: set() for number in range(count)}
    for edge in found:
        after[edge.waiter].add(edge.holder)
    return {start for start in range(count) if start in reach(after, after[start])}


def reach(after: dict[int, set[int]], starts: set[int]) -> set[int]:
    """All that can be reached."""
    seen: set[int] = set()
    rest = list(starts)
    while rest:
        place = rest.pop()
        if place not in seen:
            seen.add(place)
            rest += after[place]
    return seen


def behind(found: Sequence[Edge], count: int, ends: set[int]) -> dict[int, set[int]]:
    """For each task that can be behind one of ``ends``: behind which."""
    after: dict[int, set[int]] = {number: set() for number in range(count)}
    for edge in found:
        after[edge.waiter].add(edge.holder)
    reached = {start: reach(after, after[start]) & ends - {start} for start in range(count)}
    return {start: every for start, every in reached.items() if every}
