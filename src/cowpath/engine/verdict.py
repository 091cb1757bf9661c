"""Verdicts, from the machine's state alone.

For the tasks outside: ``stuck`` (a task outside waits, through any chain of locks, for a group's memory, and nothing in
the machine will ever end it), ``stalled`` (such a wait was longer than the bound, and ended or may still end), or
``isolated``. For a group: ``progresses``, ``waits`` (killer off, everybody asleep), ``live-locked`` (only retries, or
everybody asleep although the killer is on), ``finished``, ``killed``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cowpath.kernel import names as n

from .clock import Clock, Stall
from .waitfor import chain, survey

if TYPE_CHECKING:
    from cowpath.session.plan import Plan


@dataclass(frozen=True)
class Judgement:
    """``outside`` and ``groups`` are verdicts, ``chains`` sentences, ``longest`` the longest stall if there was one.

    ``waits`` are what the sentences are about, and ``group_waits`` those of the groups, as ``Clock.words`` made them.
    """

    outside: str
    groups: dict[str, str]
    group_chains: dict[str, str]
    chains: tuple[str, ...]
    longest: Stall | None
    waits: tuple[Any, ...] = ()
    group_waits: tuple[Any, ...] = ()


def judge(k: Any, plan: Plan, clock: Clock) -> Judgement:
    """Judge a machine at the end of its run."""
    clock.finish()
    survey(k)
    count = int(k.state.n_tasks)
    stuck = [int(t) for t in np.flatnonzero(_alive(k) & (k.books["tasks"]["stuck_on"][:count] != n.NONE))]
    longest = max(clock.stalls, key=lambda stall: stall.ns, default=None)
    outside = "stuck" if stuck else "stalled" if longest else "isolated"
    groups, group_waits = {}, {}
    for g, name in enumerate(plan.groups):
        if g and k.state.groups[g].alive:
            members = _members(k, g)
            waiting = [t for t in members if k.books.tasks[t].charging != n.NONE]
            groups[name] = _group_verdict(k, g, members, waiting)
            if groups[name] in ("waits", "live-locked"):
                group_waits[name] = clock.words(chain(k, waiting[0]))
    waits: tuple[Any, ...] = ()
    ends: tuple[str, ...] = ()
    if stuck:
        waits = tuple(clock.words(chain(k, t)) for t in stuck)
        ends = tuple(f"{_so_far(k, t)}, and nothing in the machine will end it" for t in stuck)
    elif longest:
        waits = (longest.words,)
        ends = (f"{longest.ns / 1e9:.2f} s" + (", then it went on" if longest.ended else " so far"),)
    chains = tuple(f"{wait}; {end}" for wait, end in zip(waits, ends, strict=True))
    group_chains = {name: str(wait) for name, wait in group_waits.items()}
    return Judgement(outside, groups, group_chains, chains, longest, waits, tuple(group_waits.values()))


def _so_far(k: Any, t: int) -> str:
    """How long a task has been asleep."""
    return f"{(int(k.books.now) - int(k.books.tasks[t].since)) / 1e9:.2f} s so far"


def _alive(k: Any) -> Any:
    """For each task, whether it is runnable or asleep."""
    return np.isin(k.state["tasks"]["run_state"][: int(k.state.n_tasks)], (n.T_RUNNABLE, n.T_SLEEPING))


def _members(k: Any, root: int) -> list[int]:
    """The living tasks of a group and of those that are charged to it."""
    subtree = {root}
    for g in range(1, int(k.state.n_groups)):  # a parent's number is lower than its children's
        parent = int(k.state.groups[g].parent)
        if parent in subtree and k.state.groups[parent].use_hierarchy:
            subtree.add(g)
    groups = k.state["tasks"]["group"][: int(k.state.n_tasks)]
    return [int(t) for t in np.flatnonzero(_alive(k) & np.isin(groups, list(subtree)))]


def _group_verdict(k: Any, g: int, members: list[int], waiting: list[int]) -> str:
    if not members:
        return "killed" if k.books.groups[g].killed else "finished"
    blocked = int(k.books.groups[g].blocked)
    if not blocked:
        return "progresses"
    over = {int(k.books.tasks[t].charging) for t in waiting}
    if blocked == 1 and all(k.state.groups[o].oom_kill_disable for o in over):
        return "waits"
    return "live-locked"
