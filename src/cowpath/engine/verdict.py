"""Verdicts, from the machine's state alone: what has happened, and what may still happen.

For the tasks outside: ``stuck`` (a task outside waits, through any chain of locks, for the memory of a group in which
nothing was charged, uncharged or ended for the bound), ``stalled`` (such a wait was longer than a stall may be, and
ended or may well end), or ``isolated``. For a group: ``progresses``, ``waits`` (killer off, all who charge are asleep),
``live-locked`` (they retry in vain, or sleep although the killer is on), ``finished``, ``killed``, or ``empty`` (it
never had a task).

Who of a group that stands still could yet do something (sleeps on a timer, runs, waits for the disk), and who outside
could yet come to help it (``foresight``), is named beside the verdict: ``Free``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from cowpath.kernel import names as n

from .chain import chain
from .clock import Clock, Stall
from .standstill import survey

if TYPE_CHECKING:
    from cowpath.session.plan import Plan

AT_ONCE = -1  # of Free.for_ns: no timer ends what it does


@dataclass(frozen=True)
class Free:
    """A task of a group that stands still, or outside, which may yet do something for its memory."""

    task: int
    kind: int  # what it waits for (W_*); W_NONE: it runs
    for_ns: int  # how long it still sleeps, or AT_ONCE


@dataclass(frozen=True)
class Judgement:
    """``outside`` and ``groups`` are verdicts, ``chains`` sentences, ``longest`` the longest stall if there was one.

    ``waits`` are what the sentences are about, and ``group_waits`` those of the groups, as ``Clock.words`` made them.
    ``free`` are, by group that stands still, who may yet do something, the soonest first.
    """

    outside: str
    groups: dict[str, str]
    group_chains: dict[str, str]
    chains: tuple[str, ...]
    longest: Stall | None
    waits: tuple[Any, ...] = ()
    group_waits: tuple[Any, ...] = ()
    free: dict[str, tuple[Free, ...]] = field(default_factory=dict)


def judge(k: Any, plan: Plan, clock: Clock, unless: Callable[[Sequence[Free]], str] = lambda free: "") -> Judgement:
    """Judge a machine at the end of its run. ``unless`` puts into words who may yet do something ("" for nobody)."""
    clock.finish()
    survey(k)
    count = int(k.state.n_tasks)
    stuck = [int(t) for t in np.flatnonzero(_alive(k) & (k.books["tasks"]["stuck_on"][:count] != n.NONE))]
    longest = max(clock.stalls, key=lambda stall: stall.ns, default=None)
    outside = "stuck" if stuck else "stalled" if longest else "isolated"
    groups, group_waits, group_chains, free = {}, {}, {}, {}
    for g, name in enumerate(plan.groups):
        if g and k.state.groups[g].alive:
            members = _members(k, g)
            waiting = [t for t in members if k.books.tasks[t].charging != n.NONE]
            groups[name] = _group_verdict(k, g, members, waiting)
            if groups[name] in ("waits", "live-locked"):
                free[name] = _free(k, members)
                group_waits[name] = clock.words(chain(k, waiting[0]))
                group_chains[name] = f"{group_waits[name]}{_after(unless(free[name]))}"
    waits: tuple[Any, ...] = ()
    ends: tuple[str, ...] = ()
    if stuck:
        waits = tuple(clock.words(chain(k, t)) for t in stuck)
        ends = tuple(f"{_so_far(k, t)}, and nothing in the machine will end it{_hope(k, t, unless)}" for t in stuck)
    elif longest:
        waits = (longest.words,)
        ends = (f"{longest.ns / 1e9:.2f} s" + (", then it went on" if longest.ended else " so far"),)
    chains = tuple(f"{wait}; {end}" for wait, end in zip(waits, ends, strict=True))
    return Judgement(outside, groups, group_chains, chains, longest, waits, tuple(group_waits.values()), free)


def _so_far(k: Any, t: int) -> str:
    """How long a task has been asleep."""
    return f"{(int(k.books.now) - int(k.books.tasks[t].since)) / 1e9:.2f} s so far"


def _hope(k: Any, t: int, unless: Callable[[Sequence[Free]], str]) -> str:
    """Who of the group on which a task is stuck may yet do something: `` unless idle[3], ..., does something``."""
    g = int(k.books.tasks[t].stuck_on)
    words = unless(_free(k, _members(k, g)))
    return f" {words}" if words else ""


def _after(words: str) -> str:
    """Words that follow a sentence, if there are any."""
    return f"; for ever, {words}" if words else ""


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


def _free(k: Any, members: list[int]) -> tuple[Free, ...]:
    """Those of a group that may yet do something, and those outside who may come to help it; the soonest first."""
    tasks = k.state["tasks"][: int(k.state.n_tasks)]
    outside = np.flatnonzero((tasks["group"] == 0) & _alive(k)).tolist()
    found = []
    for t in (*members, *outside):
        if k.books.tasks[t].free:
            asleep = int(k.state.tasks[t].run_state) == n.T_SLEEPING
            kind = int(k.state.tasks[t].wait_kind) if asleep else n.W_NONE
            ends = int(k.books.tasks[t].ends)
            timed = kind in (n.W_TIMER, n.W_THROTTLE) and ends > 0
            found.append(Free(t, kind, max(0, ends - int(k.books.now)) if timed else AT_ONCE))
    return tuple(sorted(found, key=lambda free: (free.for_ns, free.task)))


def _group_verdict(k: Any, g: int, members: list[int], waiting: list[int]) -> str:
    if not members:
        books = k.books.groups[g]
        return "empty" if not books.joined else "killed" if books.killed else "finished"
    blocked = int(k.books.groups[g].blocked)
    if not blocked or not waiting:
        return "progresses"
    over = {int(k.books.tasks[t].charging) for t in waiting}
    if blocked == 1 and all(k.state.groups[o].oom_kill_disable for o in over):
        return "waits"
    return "live-locked"
