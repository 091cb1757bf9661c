"""A case on a design as a machine, at the point from which the exploration starts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cowpath.cases.plan import CasePlan, Outside
from cowpath.designs import charges_page_tables, has_memory_high
from cowpath.engine import explore, machine
from cowpath.engine import moves as m
from cowpath.engine.exhausted import exhausted
from cowpath.errors import InputError, MachineError
from cowpath.kernel import names as n
from cowpath.kernel.state import EXPLORE, Capacity

if TYPE_CHECKING:
    from cowpath.designs import Design
    from cowpath.engine.costs import Costs

    from .space import Space


def build(
    plan: CasePlan, design: Design, costs: Costs, capacity: Capacity = EXPLORE, cpus: int | None = None,
    empty: Any = None,
) -> Any:  # fmt: skip
    """The machine at boot: groups with their limits, files, tasks that have not begun. Raises InputError.

    ``empty``: a new machine of that capacity.
    """
    spec = plan.case.machine
    pages = EXPLORE.pages if spec.memory is None or capacity is not EXPLORE else spec.memory
    if capacity is not EXPLORE:
        pages = max(pages, machine.LEAST_PAGES * 2)
    whole = replace(plan.plan.on(design), starts=plan.plan.starts)  # the OOM reaper comes last (start)
    k = machine.build(
        whole, design, costs, cpus=cpus or spec.cpus, memory=pages * n.PAGE_SIZE, swap=spec.swap * n.PAGE_SIZE,
        capacity=capacity, empty=empty,
    )  # fmt: skip
    _set_groups(k, plan)
    k.books.has_high = plan.case.has_high and has_memory_high(design)
    for number, file in enumerate(plan.case.files):
        if file.unreadable:
            k.state.files[number].bad_count = file.pages
    k.books.charge_batch = spec.charge_batch
    k.books.reclaim_retries = spec.reclaim_retries
    k.books.remembers = 0
    k.books.lru_batch = 0
    k.books.gathers_slots = 0
    k.books.dirty_ratelimit = spec.dirty_ratelimit
    return k


def _set_groups(k: Any, plan: CasePlan) -> None:
    for number, (spec, parent) in enumerate(zip(plan.case.groups, plan.plan.parents[1:], strict=True), 1):
        group = k.state.groups[number]
        group.alive = 1
        group.parent = parent
        group.use_hierarchy = spec.hierarchy
        group.oom_kill_disable = not spec.killer
        group.swappiness = machine.DEFAULT_SWAPPINESS
        group.res.limit = n.UNLIMITED if spec.limit is None else spec.limit
        group.memsw.limit = n.UNLIMITED if spec.memsw is None else spec.memsw
        group.oom_group = spec.oom_group
        group.high = n.UNLIMITED if spec.high is None else spec.high
        k.state.n_groups = number + 1


def start(plan: CasePlan, design: Design, costs: Costs, space: Space) -> Any:
    """The small machine, brought to the start of the exploration. Raises InputError if a task does not get there."""
    k = build(plan, design, costs)
    k.books.driver = 0
    k.books.reap_retries = 1
    k.books.n_woken = 0
    k.books.whole_reclaim = plan.case.machine.whole_reclaim
    k.books.shares_mm = any(player.spec and player.spec.thread_of for player in plan.players) or bool(
        np.isin(plan.plan.ops["code"], (n.OP_READ_PROC, n.OP_REMOTE)).any()
    )
    k.books.memory_suffices = plan.case.machine.memory is None
    k.books.forgets_misses = 1
    k.books.single_pages = 1
    k.books.charges_kmem = 0
    k.books.has_rcu = 0
    space.attach(k)
    room = len(plan.players) if charges_page_tables(design) else 0
    _raise_limits(k, [room] * int(k.state.n_groups))
    for number in plan.order:
        player = plan.players[number]
        k.state.tasks[number].cpu = 0 if player.spec and player.spec.count > 1 else number % int(k.state.n_cpus)
        if space.drive(explore.BRING, number, player.go) < 0 or _is_over(k, int(k.state.tasks[number].group), room):
            raise InputError(
                f"task {player.name!r} does not get through what it does before the start, on {design.name}",
                file=plan.case.source, hint="it waits for memory or for another task: a higher limit, or fewer pages",
            )  # fmt: skip
        _check_pools(k, plan)
    _boot_oom_reaper(k, plan, design)
    tables = [_tables_of(k, g) for g in range(int(k.state.n_groups))]
    _raise_limits(k, [count - room for count in tables])
    for move in plan.setup:
        _allow(k, (move,), tables)
        k.state.outside = 0
        space.play([m.OUTSIDE])
        space.drive(explore.SETTLE)
        _check_pools(k, plan)
    k.state.outside = 0
    _allow(k, plan.outside, tables)
    return k


def _boot_oom_reaper(k: Any, plan: CasePlan, design: Design) -> None:
    """The kernel thread, where somebody may be killed: after all tasks that the case has at the start."""
    whole = plan.plan.on(design)
    if len(whole.starts) == len(plan.plan.starts) or not plan.case.may_kill:
        return
    if int(k.state.n_tasks) == EXPLORE.tasks:
        raise InputError(
            f"{EXPLORE.tasks} tasks, and on {design.name} the OOM reaper", file=plan.case.source,
            hint=f"{EXPLORE.tasks - 1} at most, or no OOM killer",
        )  # fmt: skip
    machine.boot_task(k, whole.starts[-1])


def _tables_of(k: Any, g: int) -> int:
    """Page tables that the group is charged for, and those below it are. A case's limits are of other pages: these,
    which its tasks have made before the start where the design charges them, come on top.
    """
    groups = k.state.groups
    below = [c for c in range(g + 1, int(k.state.n_groups)) if groups[g].use_hierarchy and int(groups[c].parent) == g]
    return int(k.books.groups[g].kmem) + sum(_tables_of(k, c) for c in below)


def _is_over(k: Any, g: int, room: int) -> bool:
    """A group that is raised by ``room`` for page tables has other pages in it, beyond its limit; or one above it."""
    while room and g > 0:
        group = k.state.groups[g]
        if int(group.res.usage) - _tables_of(k, g) > int(group.res.limit) - room:
            return True
        g = int(group.parent)
    return False


def _raise_limits(k: Any, pages: list[int]) -> None:
    """Each group's limits, and its memory.high, by so many pages."""
    for group, more in zip(k.state.groups[1 : len(pages)], pages[1:], strict=True):
        for record, field in ((group.res, "limit"), (group.memsw, "limit"), (group, "high")):
            if int(record[field]) < n.UNLIMITED:
                record[field] = int(record[field]) + more


def _allow(k: Any, allowed: tuple[Outside, ...], tables: list[int]) -> None:
    """The moves of the outside that are possible from now on."""
    k.books.n_outside = len(allowed)
    for row, move in zip(k.books["outside"], allowed, strict=False):
        row["what"], row["a"], row["b"] = move.what, move.a, move.b
        if move.what == m.DO_RAISE:
            row["b"] += tables[move.a]


def _check_pools(k: Any, plan: CasePlan) -> None:
    if k.books.error:
        raise too_small(k, plan)


def too_small(k: Any, plan: CasePlan) -> MachineError:
    """The error for a small machine that has run out of something."""
    pool = exhausted(k)
    what = f"{pool.what} ({pool.count})" if pool else "room"
    return MachineError(f"{plan.case.source}: the small machine has run out of {what}; a smaller case is needed")


def alike_tasks(plan: CasePlan) -> np.ndarray[Any, Any]:
    """For each task the number of the first of those that are alike. Who reads all of /proc goes by their numbers."""
    alike = np.arange(EXPLORE.tasks)
    ops = plan.plan.ops
    if ((ops["code"] == n.OP_READ_PROC) & (ops["a"] == n.ALL_TASKS)).any():
        return alike
    first: dict[int, int] = {}
    for player in plan.players:
        if player.spec is not None and player.spec.count > 1:
            alike[player.number] = first.setdefault(player.alike, player.number)
    return alike
