"""The names of the explorer's movers: tasks by their names in the case, the disk, workers, timers, and the outside."""

from __future__ import annotations

from typing import Any

from cowpath.cases.plan import CasePlan
from cowpath.engine import moves as m
from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.words import nearest

OUTSIDE = "outside: "


def task_name(plan: CasePlan, t: int, k: Any = None) -> str:
    """A task as the case calls it; one that is born while the case runs by its number."""
    if t < len(plan.players):
        return plan.players[t].name
    kind = n.KT_NONE if k is None else int(k.state.tasks[t].kthread)
    return n.KT_NAMES[kind] if kind != n.KT_NONE else f"task {t}"


def mover_names(plan: CasePlan, k: Any = None) -> list[str]:
    """A name for each mover, by its number."""
    tasks = [task_name(plan, t, k) for t in range(m.TASKS)]
    workers = [f"worker of CPU {cpu}" for cpu in range(m.TIMERS - m.WORKERS)]
    timers = [f"timer of {name}" for name in tasks]
    outside = [OUTSIDE + move.words for move in plan.outside]
    spare = [f"outside {which}" for which in range(len(outside), m.MOVERS - m.OUTSIDE)]
    return [*tasks, "disk", *workers, *timers, *outside, *spare]


def mover_numbers(labels: list[str], plan: CasePlan, k: Any, source: str) -> list[int]:
    """The movers with these names. Raises InputError for a name that the case does not have."""
    known = {name: number for number, name in reversed(list(enumerate(mover_names(plan, k))))}
    for at, label in enumerate(labels):
        if label not in known:
            hint = nearest(label, known, "a mover of the case")
            raise InputError(f"move {at + 1}: there is no {label!r}", file=source, hint=hint)
    return [known[label] for label in labels]
