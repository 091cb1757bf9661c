"""Verdicts, from the machine's state alone.

For the tasks outside: ``stuck`` (a task outside waits, through any chain of locks, for a group's memory, and nothing in
the machine will ever end it), ``stalled`` (such a wait was longer than the bound, and ended or may still end), or
``isolated``. For a group: ``progresses``, ``waits`` (killer off, everybody asleep), ``live-locked`` (only retries, or
everybody asleep although the killer is on), ``finished``, ``killed``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cowpath.kernel import names as n
from cowpath.kernel.memcg_oom import is_below

from .clock import Clock, Stall
from .waitfor import alive, chain, charging_frame, group_blocked, memory_behind, waits_for_lock

if TYPE_CHECKING:
    from cowpath.session.plan import Plan


@dataclass(frozen=True)
class Judgement:
    """``outside`` and ``groups`` are verdicts, ``chains`` sentences, ``longest`` the longest stall if there was one."""

    outside: str
    groups: dict[str, str]
    group_chains: dict[str, str]
    chains: tuple[str, ...]
    longest: Stall | None


def judge(k: Any, plan: Plan, clock: Clock) -> Judgement:
    """Judge a machine at the end of its run."""
    clock.finish()
    stuck = _stuck(k)
    longest = max(clock.stalls, key=lambda stall: stall.ns, default=None)
    outside = "stuck" if stuck else "stalled" if longest else "isolated"
    groups, group_chains = {}, {}
    for g, name in enumerate(plan.groups):
        if g and k.state.groups[g].alive:
            groups[name] = _group_verdict(k, g)
            waiting = _waiting_in(k, g)
            if groups[name] in ("waits", "live-locked") and waiting is not None:
                group_chains[name] = clock.words(chain(k, waiting))
    if stuck:
        chains = tuple(
            f"{clock.words(chain(k, t))}; {_so_far(k, t)}, and nothing in the machine will end it" for t in stuck
        )
    elif longest:
        chains = (f"{longest.words}; {longest.ns / 1e9:.2f} s" + (", then it went on" if longest.ended else " so far"),)
    else:
        chains = ()
    return Judgement(outside, groups, group_chains, chains, longest)


def _stuck(k: Any) -> list[int]:
    """The tasks outside that wait for the memory of a group in which nothing can happen any more."""
    found = []
    for t in range(int(k.state.n_tasks)):
        if not waits_for_lock(k, t):
            continue
        g = int(memory_behind(k, t))
        if g != n.NONE and not is_below(k, int(k.state.tasks[t].group), g) and group_blocked(k, g):
            found.append(t)
    return found


def _so_far(k: Any, t: int) -> str:
    """How long a task has been asleep."""
    return f"{(int(k.books.now) - int(k.books.tasks[t].since)) / 1e9:.2f} s so far"


def _members(k: Any, g: int) -> list[int]:
    tasks = range(int(k.state.n_tasks))
    return [t for t in tasks if alive(k, t) and is_below(k, int(k.state.tasks[t].group), g)]


def _waiting_in(k: Any, g: int) -> int | None:
    """One of the group's tasks that wait for memory."""
    return next((t for t in _members(k, g) if charging_frame(k, t) != n.NONE), None)


def _group_verdict(k: Any, g: int) -> str:
    members = _members(k, g)
    if not members:
        return "killed" if k.books.groups[g].killed else "finished"
    blocked = int(group_blocked(k, g))
    if not blocked:
        return "progresses"
    over = {int(k.state.tasks[t].frames[d].group) for t in members if (d := int(charging_frame(k, t))) != n.NONE}
    if blocked == 1 and all(k.state.groups[o].oom_kill_disable for o in over):
        return "waits"
    return "live-locked"
