"""A small machine for one question: a few programs by hand, every rule checked after every move, the log kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from cowpath.engine import invariants, loop
from cowpath.kernel import names as n

from .checked import SHELL, boot
from .strategies import Action, File, Group, Session, Task

SECOND = 1_000_000_000
ANON, PRIVATE, SHARED = 0, 1, 2  # what each task has mapped: anonymous memory, file 0, file 1
FREE_GROUP = Group(0, False, None, None, True)
QUIET = Session(
    design="linux-3.0", cpus=1, memory=2000, swap=60, reserve=0, disk_ns=20_000, nr_requests=128, threads=True,
    swappiness=60, seed=1, slice_ns=750_000, readahead=4, reuse=0.0,
    files=(File(40, False, False, 0), File(40, False, False, 0), File(8, True, False, 0)),
    groups=(FREE_GROUP, FREE_GROUP, FREE_GROUP), tasks=(), shell=(), kill_all_ns=0,
)  # fmt: skip
LOGGED = (
    n.EV_STEP, n.EV_GROUP, n.EV_WAIT, n.EV_OOM_KILL, n.EV_PAGEOUT, n.EV_EVICT, n.EV_SWAP_IN, n.EV_CHARGE_FAIL,
)  # fmt: skip


def task(group: int, *program: Action, after_ns: int = 0) -> Task:
    return Task(group, program, after_ns, False, (0, 0, 0), ())


def limited(pages: int, *, memsw: int | None = None, parent: int = 0, killer: bool = True) -> Group:
    """``memsw``: so much above the limit."""
    return Group(parent, True, pages, memsw, killer)


class Small:
    """The machine, run so far; ``events`` is all that it has logged."""

    def __init__(self, tasks: Iterable[Task], **settings: Any) -> None:
        self.k: Any = boot(replace(QUIET, tasks=tuple(tasks), **settings))
        self.k.books.log_mask = sum(1 << kind for kind in LOGGED)
        self.blocks: list[Any] = []

    @property
    def events(self) -> Any:
        return np.concatenate(self.blocks)

    def some(self, kind: int) -> Any:
        """The events of a kind, oldest first."""
        return self.events[self.events["kind"] == kind]

    def run(self, moves: int = 500, until: int = 1000 * SECOND) -> int:
        """Some moves; why they ended. Every rule must hold after each."""
        why, code, at = invariants.run_checked(self.k, until, moves, SHELL)
        assert code == invariants.FINE, invariants.in_words(int(code), int(at))
        self.blocks.append(self.k.books["log"][: int(self.k.books.log_count)].copy())
        self.k.books.log_count = 0
        return int(why)

    def until(self, fits: Callable[[Any], bool], step: int = 1) -> Any:
        """Run until something is so; the machine."""
        for _ in range(100_000):
            if fits(self.k):
                return self.k
            assert self.run(step) == loop.BUDGET, "it never came about"
        raise AssertionError("it does not come about")

    def until_ns(self, at: int) -> Any:
        """Run up to a time."""
        while self.run(until=at) == loop.BUDGET:
            pass
        return self.k

    def finish(self) -> Any:
        """Run until the shell, and so everybody, has ended."""
        for _ in range(1_000):
            why = self.run()
            if why != loop.BUDGET:
                assert why == loop.SCRIPT
                return self.k
        raise AssertionError("it goes on and on")

    def counter(self, which: int, group: int | None = None) -> int:
        counters = self.k.books["groups"]["counters"]
        return int(counters[:, which].sum() if group is None else counters[group, which])


def tasks_of(k: Any, group: int) -> list[int]:
    """The living tasks of a group, but for the shell and the kernel's threads."""
    states = (n.T_RUNNABLE, n.T_SLEEPING)
    living = [t for t in range(int(k.state.n_tasks)) if k.state.tasks[t].run_state in states and t != SHELL]
    return [t for t in living if k.state.tasks[t].group == group and k.state.tasks[t].mm != n.NONE]


def of_group(k: Any, group: int) -> int:
    """The first of them."""
    return tasks_of(k, group)[0]


def sleeps(k: Any, group: int) -> bool:
    """One of them has come to its sleep."""
    return any(k.state.tasks[t].wait_kind == n.W_TIMER for t in tasks_of(k, group))
