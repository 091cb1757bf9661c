"""What may be so of a state, in words: ``nobody waits``, ``victim holds page lock``, ``violated isolation``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cowpath.designs import Design
from cowpath.engine import properties as p
from cowpath.errors import InputError
from cowpath.kernel.steps import PATH_NAMES, STEP_NAMES
from cowpath.observe.text import clean
from cowpath.words import nearest

from .atlas import Atlas, State
from .picture import GONE, STAYS, TaskState

FORMS = (
    "nobody waits", "TASK waits", "TASK is gone", "TASK is done", "TASK in STEP", "TASK in PATH", "TASK holds WORDS",
    "GROUP is full", "violated", "violated PROPERTY",
)  # fmt: skip
ENDS = {"is gone": (GONE,), "is done": (GONE, STAYS)}
Holds = Callable[[State, Design], bool]


@dataclass(frozen=True)
class Condition:
    """A condition, and its words."""

    text: str
    holds: Holds


def condition(text: str, atlas: Atlas) -> Condition:
    """What these words say of a state. Raises InputError that names the word that is wrong."""
    words = " ".join(text.split())
    if words == "nobody waits":
        return Condition(words, lambda state, _: not state.picture.chains)
    if words.split(" ")[0] == "violated":
        return Condition(words, _violated(words[len("violated") :].strip()))
    first = atlas.states[0].picture
    tasks = {clean(task.name) for task in first.tasks} | {name for name in atlas.player.names() if name}
    for name in sorted(tasks, key=len, reverse=True):
        if words.startswith(f"{name} "):
            return Condition(words, _of_task(name, words[len(name) + 1 :]))
    for group in first.groups:
        if words == f"{group.name} is full":
            return Condition(words, _full(group.name))
    names = [*(task.name for task in first.tasks), *(group.name for group in first.groups), "nobody", "violated"]
    word = words.split(" ")[0]
    hint = (nearest(word, names, "") or "") if word not in names else ""
    raise InputError(f"no condition: {text!r}", hint="; ".join(filter(None, (hint, "one of: " + ", ".join(FORMS)))))


def _violated(name: str) -> Holds:
    known = p.NAMES[: p.OF_STATES]
    if name and name not in known:
        hint = nearest(name, known, "of states there are: " + ", ".join(known))
        raise InputError(f"no property of a state: {name!r}", hint=hint)
    return lambda state, _: any(name in ("", found) for found, _reason in state.violates)


def _of_task(name: str, rest: str) -> Holds:
    def of(said: Callable[[TaskState, Design], bool]) -> Holds:
        return lambda state, design: any(said(task, design) for task in state.picture.tasks if task.name == name)

    verb, _, what = rest.partition(" ")
    if rest == "waits":
        return of(lambda task, _: task.waits_for != "")
    if rest in ENDS:
        return of(lambda task, _: task.state in ENDS[rest])
    if verb == "holds" and what:
        return of(lambda task, _: any(what in held for held in task.holds))
    if verb == "in" and what in (*PATH_NAMES, *STEP_NAMES):
        return of(lambda task, design: _is_in(task, design, what))
    if verb == "in":
        raise InputError(
            f"no step and no path {what!r}", hint=nearest(what, (*PATH_NAMES, *STEP_NAMES), "cowpath designs show")
        )
    raise InputError(f"no condition of a task: {rest!r}", hint="one of: " + ", ".join(FORMS))


def _is_in(task: TaskState, design: Design, what: str) -> bool:
    """The task is in a path, or a step of its innermost path comes next."""
    if any(place.path == what for place in task.places):
        return True
    inner = task.places[-1] if task.places else None
    return inner is not None and inner.at >= 0 and design.paths[inner.path][inner.at] == what


def _full(name: str) -> Holds:
    def holds(state: State, _: Design) -> bool:
        group = next(each for each in state.picture.groups if each.name == name)
        full = group.limit is not None and group.usage >= group.limit
        return full or (group.memsw_limit is not None and group.memsw >= group.memsw_limit)

    return holds
