"""Words for lessons: what a task is about to do, what stands in its way, how it ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cowpath.checker.explain import CaseScene, at_the_end
from cowpath.checker.paint import paint
from cowpath.checker.picture import RUNS, Picture, TaskState
from cowpath.designs import Design
from cowpath.kernel import names as n
from cowpath.observe.words import Chain

from .ground import Ground

NOBODY, DISK = "nobody: it can move", "the disk"


def in_its_way(chain: Chain, *, able: bool) -> str | None:
    """What stands in the way of a chain's first task, as an answer; None for what nobody has. ``able``: it can move."""
    first = chain.hops[0]
    kind = n.W_NONE if first.thing is None else first.thing.kind
    if first.thing is not None and kind == n.W_MEMORY:
        return first.thing.title
    if len(chain.hops) > 1:
        return chain.hops[1].task
    if able:
        return NOBODY
    return DISK if kind in (n.W_PAGE_LOCK, n.W_WRITEBACK, n.W_CONGESTED) and not chain.deadlock else None


def labels(ground: Ground, movers: Sequence[int]) -> Iterator[str]:
    """The names of movers."""
    return (ground.names[mover] for mover in movers)


def task_line(task: TaskState, design: Design) -> str:
    """``attacker in A: file_cow, next lock_page; holds page reference``."""
    who = f"{task.name} in {task.group}" if task.group else task.name
    if task.places:
        place = task.places[-1]
        step = "its error exit" if place.at < 0 else design.paths[place.path][place.at]
        at = f"{place.path}, {'next' if task.state == RUNS else 'in'} {step}"
        words = at if task.state == RUNS else f"{task.state}, {at}"
    else:
        words = f"in user mode, next: {task.does}" if task.does else task.state
    return f"{who}: {words}" + (f"; holds {', '.join(task.holds)}" if task.holds else "")


def what_next(picture: Picture, name: str, design: Design) -> str:
    """What a task's next move is; "" of others."""
    for task in picture.tasks:
        if task.name == name:
            return task_line(task, design).partition(": ")[2].partition("; holds")[0]
    return ""


def how_it_is(ground: Ground, movers: list[int], *, bad: bool) -> str:
    """Who waits for whom after these moves; or how the property is violated."""
    there = ground.stand(movers)
    if bad and ground.property.of_states:
        return f"{at_the_end(there, ground.plan, ground.property.number)}."
    chains = [str(chain) for chain in paint(there, CaseScene(there.k, ground.plan)).chains]
    return f"{'; '.join(chains)}." if chains else "Nobody waits for another then."
