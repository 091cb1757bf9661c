"""What a move has done, in words: two pictures compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from .picture import CHARGES, GONE, RUNS, STANDS_BY, WAITS, GroupState, PageState, Picture, TaskState


def told(before: Picture, after: Picture, mover: str) -> tuple[str, ...]:
    """``attacker gets page lock (lib page 0)``: the effects of a move, those on who made it first."""
    tasks = sorted(after.tasks, key=lambda task: task.name != mover)
    words = [words for task in tasks for words in _of_task(_named(before, task.name), task, task.name == mover)]
    was = {page.frame: page for page in before.pages}
    words += [words for page in after.pages for words in _of_page(was.get(page.frame), page)]
    groups = zip(before.groups, after.groups, strict=True)
    words += [words for old, new in groups for words in _of_group(old, new)]
    return (*words, *_of_disk(before, after))


def _named(picture: Picture, name: str) -> TaskState | None:
    return next((task for task in picture.tasks if task.name == name), None)


def _of_task(old: TaskState | None, new: TaskState, moved: bool) -> Iterator[str]:
    if old is None:
        yield f"{new.name} is born"
        return
    got, gave = Counter(new.holds) - Counter(old.holds), Counter(old.holds) - Counter(new.holds)
    if got:
        yield f"{new.name} gets {_listed(got)}"
    if gave:
        yield f"{new.name} lets go of {_listed(gave)}"
    yield from (f"{new.name}: {note}" for note in new.notes if note not in old.notes)
    yield from _of_state(old, new)
    if moved and new.state in (RUNS, CHARGES):
        yield from _of_place(old, new)


def _of_state(old: TaskState, new: TaskState) -> Iterator[str]:
    if new.state == WAITS and (old.state, old.waits_for) != (new.state, new.waits_for):
        yield f"{new.name} falls asleep: it {new.waits_for}" + (f", {new.by}" if new.by else "")
    elif new.state == CHARGES and old.state == WAITS:
        yield f"{new.name} is woken, and tries its charge again"
    elif new.state == CHARGES and old.state != CHARGES:
        yield f"{new.name} does not get through with its charge: it {new.waits_for}"
    elif old.state == WAITS and new.state == RUNS:
        yield f"{new.name} is woken"
    elif new.state == GONE and old.state != GONE:
        yield f"{new.name} is gone"
    elif old.state == STANDS_BY and new.state != STANDS_BY:
        yield f"{new.name} begins"


def _of_place(old: TaskState, new: TaskState) -> Iterator[str]:
    """A path that is entered, left, or given up."""
    entered = [place.path for place in new.places[len(old.places) :]]
    left = [place.path for place in old.places[len(new.places) :]]
    if entered:
        yield f"{new.name} enters {' and '.join(entered)}"
    if left:
        yield f"{new.name} is done with {' and '.join(reversed(left))}"
    for was, place in zip(old.places, new.places, strict=False):
        if place.undoing and not was.undoing:
            yield f"{new.name} gives up {place.path} ({place.undoing}), and gives back what it holds"


def _of_page(old: PageState | None, new: PageState) -> Iterator[str]:
    if old is None or old.kind == new.kind == "page table":
        return
    mapped = [name for name in new.mapped_by if name not in old.mapped_by]
    gone = [name for name in old.mapped_by if name not in new.mapped_by]
    if mapped:
        yield f"{new.name} is mapped by {' and '.join(mapped)}"
    if gone:
        yield f"{new.name} is no more mapped by {' and '.join(gone)}"
    yield from (f"{new.name} is {mark}" for mark in new.marks if mark not in old.marks)
    if "disk" in old.owner and not new.owner:
        yield f"{new.name} is unlocked by the disk"


def _of_group(old: GroupState, new: GroupState) -> Iterator[str]:
    if old.usage != new.usage:
        yield f"{new.name}'s usage goes from {old.usage} to {_pages(new.usage)}"
    if old.limit != new.limit:
        yield f"{new.name}'s limit is now {'none' if new.limit is None else _pages(new.limit)}"
    if old.killer != new.killer:
        yield f"{new.name}'s OOM killer is now {'on' if new.killer else 'off'}"
    if old.under_oom != new.under_oom:
        yield f"{new.name} is {'out of memory' if new.under_oom else 'no longer out of memory'}"


def _of_disk(before: Picture, after: Picture) -> Iterator[str]:
    was = {request.number: request for request in before.requests}
    now = {request.number: request for request in after.requests}
    for number, request in now.items():
        if number not in was or was[number].state != request.state:
            yield f"a disk request that {request.what}: {request.state}"
    yield from (f"the disk is done: {was[number].what}" for number in was if number not in now)


def _listed(counted: Counter[str]) -> str:
    return ", ".join(counted.elements())


def _pages(count: int) -> str:
    return f"{count} {'page' if count == 1 else 'pages'}"
