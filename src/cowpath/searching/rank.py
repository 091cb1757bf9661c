"""What a safe order costs: its cases in the clock, with nothing from outside, and what the machine's books say then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from cowpath.cases.plan import CasePlan
from cowpath.checker import boot
from cowpath.designs import Design
from cowpath.engine.clock import Clock
from cowpath.engine.costs import Costs
from cowpath.errors import MachineError
from cowpath.kernel import names as n
from cowpath.kernel.state import CLOCK

CPUS = 2
UNTIL_NS = 1_000_000_000


@dataclass(frozen=True)
class Measure:
    """Of all cases together; less of each is better."""

    lock_hold_ns: int  # time under page locks
    wasted: int  # pages allocated, and charges made, for a fault and given back unused
    retries: int  # faults that were dropped and started again
    steps_run: int  # kernel steps of faults

    def beats(self, other: Measure) -> bool:
        """At least as good in everything, and better in something."""
        mine, its = astuple(self), astuple(other)
        return mine != its and all(a <= b for a, b in zip(mine, its, strict=True))


def measure(plans: Sequence[CasePlan], design: Design, costs: Costs) -> Measure:
    """Run the cases in the clock, each to its end."""
    measures = [_one(plan, design, costs) for plan in plans]
    return Measure(*(sum(column) for column in zip(*(astuple(each) for each in measures), strict=True)))


def _one(plan: CasePlan, design: Design, costs: Costs) -> Measure:
    k = boot.build(plan, design, costs, CLOCK, CPUS)
    ending = Clock(k, plan.plan, design).run(UNTIL_NS)
    if ending.exhausted is not None:
        raise MachineError(f"{plan.case.source}: {ending.exhausted}")
    counters = [int(value) for value in k.books.groups["counters"][: int(k.state.n_groups)].sum(axis=0)]
    wasted = counters[n.C_ALLOCS_WASTED] + counters[n.C_CHARGES_WASTED]
    return Measure(counters[n.C_LOCK_NS], wasted, counters[n.C_RETRIES], counters[n.C_STEPS])


def pareto(measures: Sequence[Measure]) -> list[bool]:
    """For each, whether none of the others beats it."""
    distinct = set(measures)
    front = {each for each in distinct if not any(other.beats(each) for other in distinct)}
    return [each in front for each in measures]
