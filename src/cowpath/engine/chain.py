"""A wait in Python's terms: the links from a task, through locks and their holders, to a group's memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cowpath.kernel import names as n
from cowpath.kernel import steps as s

from .waitfor import find_end

CHARGING = (n.W_OOM, n.W_MEMORY)  # kinds of links that are in a charge that does not get through
MEMORY = (*CHARGING, n.W_THROTTLE)  # ... that wait for a group's memory


@dataclass(frozen=True)
class Link:
    """One task of a chain: what it waits for (``W_*``), which one (page, mm, file, group), and its step."""

    task: int
    kind: int
    what: int
    step: str


def chain(k: Any, t: int, find: Callable[[Any, int], int] = find_end) -> list[Link]:
    """The wait of ``t``, then its holder's, and so on: the last link waits for a group's memory or is not waiting.

    Where that memory waits for the OOM killer's victim to die, the chain goes on with the victim's own wait. A last
    link whose task has been there before closes a cycle. Call ``survey`` first, once for the machine as it stands.
    ``find`` is how ``find_end`` is called there.
    """
    links = _to_memory(k, t, find)
    seen = {link.task for link in links}
    while links[-1].kind in CHARGING and (victim := victim_of(k, links[-1].what)) is not None:
        for link in _to_memory(k, victim, find):
            links.append(link)
            if link.task in seen:
                return links
            seen.add(link.task)
    return links


def memory_in(links: Sequence[Link]) -> int:
    """The group for whose memory the first task of a chain waits, or NONE."""
    return next((link.what for link in links if link.kind in MEMORY), n.NONE)


def victims(k: Any) -> list[int]:
    """Whom the OOM killer has chosen and who has not died yet: it kills nobody else in their groups meanwhile."""
    tasks = k.state["tasks"][: int(k.state.n_tasks)]
    living = np.isin(tasks["run_state"], (n.T_RUNNABLE, n.T_SLEEPING))
    return [int(t) for t in np.flatnonzero(living & (tasks["memdie"] != 0) & (tasks["mm"] != n.NONE))]


def victim_of(k: Any, g: int) -> int | None:
    """The victim for whose death a group's memory waits, or None."""
    return next((t for t in victims(k) if _is_below(k, int(k.state.tasks[t].group), g)), None)


def _is_below(k: Any, g: int, root: int) -> bool:
    """``hierarchy.is_below``, for Python."""
    while g != root:
        up = int(k.state.groups[g].parent)
        if up <= 0 or not k.state.groups[up].use_hierarchy:
            return False
        g = up
    return True


def _to_memory(k: Any, t: int, find: Callable[[Any, int], int]) -> list[Link]:
    """The shortest chain from ``t`` to a group's memory; if it leads to none, the longest that there is."""
    end = int(find(k, t))
    if end == n.NONE:
        end = _end_of_plain_chain(k)
    tasks = [end]
    while tasks[-1] != t:
        tasks.append(int(k.books.tasks[tasks[-1]].via))
    return [_link(k, task) for task in reversed(tasks)]


def _end_of_plain_chain(k: Any) -> int:
    """The task that the search reached last: the chain leads to no group's memory, but it is a chain."""
    reached = [t for t in range(int(k.state.n_tasks)) if k.books.tasks[t].search == k.books.search]
    lengths = {}
    for t in reached:
        length, at = 0, t
        while int(k.books.tasks[at].via) != at:
            at = int(k.books.tasks[at].via)
            length += 1
        lengths[t] = length
    return max(reached, key=lambda t: (lengths[t], -t))


def _link(k: Any, t: int) -> Link:
    task = k.state.tasks[t]
    step = "user mode"
    if task.depth > 0:
        f = task.frames[int(task.depth) - 1]
        step = s.STEP_NAMES[int(k.books.paths[int(f.path)].steps[int(f.pc)])]
    charging = int(k.books.tasks[t].charging)
    if charging != n.NONE:
        return Link(t, n.W_MEMORY, charging, step)
    if task.run_state != n.T_SLEEPING:
        return Link(t, n.W_NONE, 0, step)
    return Link(t, int(task.wait_kind), int(task.wait_id), step)
