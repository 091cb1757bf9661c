"""What a safe order costs: its cases in the clock, with nothing from outside, and what the machine's books say then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from cowpath.cases.plan import CasePlan
from cowpath.checker import boot
from cowpath.checker.space import Space
from cowpath.designs import Design
from cowpath.engine import machine
from cowpath.engine.clock import Clock
from cowpath.engine.costs import Costs
from cowpath.kernel import names as n
from cowpath.kernel.state import CLOCK
from cowpath.kernel.steps import PATH_NAMES

from .mapped import MappedMachine
from .measures import Measure, Throttled
from .orders import Steps
from .throttling import STALL_NS, Books, counters, longest_wait, run

CPUS = 2
UNTIL_NS = 1_000_000_000


class Timed:
    """Cases in the clock, with nothing from outside, on a design of which a fault's path is changed."""

    def __init__(self, plans: Sequence[CasePlan], design: Design, costs: Costs, path: str) -> None:
        self.plans, self.design, self.path = plans, design, PATH_NAMES.index(path)
        self._machines = [MappedMachine(partial(boot.build, plan, design, costs, CLOCK, CPUS)) for plan in plans]

    def measure(self, steps: Steps) -> Measure:
        """Run the cases with an order of the path's steps, each to its end."""
        return Measure.of_all([self._one(plan, mapped.machine(), steps) for plan, mapped in self._each()])

    def _each(self) -> Iterator[tuple[CasePlan, MappedMachine]]:
        return zip(self.plans, self._machines, strict=True)

    def _one(self, plan: CasePlan, k: Any, steps: Steps) -> Measure:
        machine.set_steps(k.books.paths[self.path], steps)
        run(Clock(k, plan.plan, self.design), plan.case.source, UNTIL_NS)
        counted = counters(k)
        wasted = counted[n.C_ALLOCS_WASTED] + counted[n.C_CHARGES_WASTED]
        return Measure(counted[n.C_LOCK_NS], wasted, counted[n.C_RETRIES], counted[n.C_STEPS])


def measure_throttled(plans: Sequence[CasePlan], design: Design, costs: Costs) -> Throttled:
    """Run cases of memory.high in the clock, each to its end."""
    return Throttled.of_all([_one_throttled(plan, design, costs) for plan in plans])


def _one_throttled(plan: CasePlan, design: Design, costs: Costs) -> Throttled:
    k = _machine(plan, design, costs)
    marks = [None if spec.high is None else int(k.state.groups[g].high) for g, spec in enumerate(plan.case.groups, 1)]
    books = _Books(marks)
    k.books.log_mask = sum(1 << kind for kind in books.does)
    clock = Clock(k, plan.plan, design, on_events=books.read, stall_ns=STALL_NS)
    run(clock, plan.case.source)
    waited = longest_wait(clock)
    return Throttled(waited, books.own_ns, counters(k)[n.C_OWN_EVICTED], books.over, books.sleep_ns)


def _machine(plan: CasePlan, design: Design, costs: Costs) -> Any:
    """The case in the clock, from its boot on. Limits and marks are those that the exploration begins with: beside the
    page tables that are there by then.
    """
    k = boot.build(plan, design, costs, CLOCK, CPUS)
    small = boot.start(plan, design, costs, Space())
    for g in range(1, int(k.state.n_groups)):
        group, its = k.state.groups[g], small.state.groups[g]
        group.res.limit, group.memsw.limit, group.high = its.res.limit, its.memsw.limit, its.high
    return k


class _Books(Books):
    """What the log says of the groups with a mark. ``high``: the mark of each group, from 1; None: it has none."""

    def __init__(self, high: Sequence[int | None]) -> None:
        super().__init__()
        self.high = {number: mark for number, mark in enumerate(high, 1) if mark is not None}
        self.members: set[int] = set()
        self.does |= {
            n.EV_GROUP: self._joins, n.EV_FORK: self._forks, n.EV_EXIT: self._exits, n.EV_USAGE: self._uses,
        }  # fmt: skip

    def _joins(self, event: Any) -> None:
        if event["b"] == n.NONE:
            (self.members.add if int(event["a"]) in self.high else self.members.discard)(int(event["task"]))

    def _forks(self, event: Any) -> None:
        if int(event["task"]) in self.members:
            self.members.add(int(event["a"]))

    def _exits(self, event: Any) -> None:
        if int(event["task"]) in self.members:
            self.members.discard(int(event["task"]))
            self.own_ns = int(event["time"])

    def _uses(self, event: Any) -> None:
        mark = self.high.get(int(event["a"]))
        if mark is not None:
            self.over = max(self.over, int(event["value"]) - mark)
