"""Check a case on a design: every interleaving is visited, each property proved or refuted by a shortest schedule.

Properties of states are decided by the reduced search, and what it finds is found again, as short as can be, by one
without any reduction. Properties of the whole graph take a search that makes every move of every state and folds only
the numbers of pages, tables and the like; so does a user's property, which sees every state.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cowpath.cases.plan import CasePlan
from cowpath.designs import Design
from cowpath.engine import explore
from cowpath.engine import properties as p
from cowpath.engine.costs import Costs
from cowpath.errors import InputError
from cowpath.kernel.state import EXPLORE

from . import boot
from .coverage import coverage_of
from .explain import at_the_end, chain_of, never_ends, standstill
from .graph import NO_LOOP, Graph, Loop, stands_still, starved, stuck
from .movers import mover_names
from .properties import Property
from .result import PROVED, UNFINISHED, VACUOUS, VIOLATED, Result
from .space import Limits, Space, Step

Progress = Callable[[str, Step], None]


@dataclass(frozen=True)
class Settings:
    """How to search. ``reduction``: fold what is alike, run on what is local; the verdicts are the same without."""

    limits: Limits = field(default_factory=Limits)
    reduction: bool = True
    progress: Progress | None = None


def check_case(
    plan: CasePlan, design: Design, wanted: Sequence[Property], costs: Costs, settings: Settings | None = None
) -> list[Result]:
    """A result for each wanted property. Raises InputError, or MachineError where the small machine is too small."""
    check = _Check(plan, design, costs, settings or Settings())
    results: dict[str, Result] = {}
    once = list(dict.fromkeys(wanted))
    packaged = [each for each in once if each.of_states and each.holds is None]
    if packaged:
        results |= check.of_states(packaged)
    graphs = [each for each in once if not each.of_states]
    if graphs:
        results |= check.of_graphs(graphs)
    users = {own: check.users(own) for own in once if own.holds is not None}
    return [users[each] if each in users else results[each.name] for each in wanted]


class _Check:
    """One case on one design."""

    def __init__(self, plan: CasePlan, design: Design, costs: Costs, settings: Settings) -> None:
        self.plan, self.design, self.costs, self.settings = plan, design, costs, settings
        self.began = time.perf_counter()
        self.killers = plan.case.may_kill

    def search(self, what: str, wanted: int, **options: Any) -> Space:
        """A search from the case's start; the machine must not run out of anything."""
        space = Space()
        k = boot.start(self.plan, self.design, self.costs, space)
        tell = self.settings.progress
        why = space.explore(
            wanted, age_counts=self.killers, limits=self.settings.limits,
            progress=None if tell is None else lambda step: tell(what, step), **options,
        )  # fmt: skip
        if why == explore.EXHAUSTED:
            raise boot.too_small(k, self.plan)
        return space

    def result(self, prop: Property, space: Space, **more: Any) -> Result:
        """A result with what the search was like; proved, vacuous, or not finished, unless ``more`` says otherwise."""
        verdict = UNFINISHED if space.unfinished else PROVED
        reason = f"not finished: the limit of {space.unfinished} was met" if space.unfinished else ""
        coverage = None
        if space.coverage is not None:
            coverage = coverage_of(self.plan, self.design, space.coverage, space.moved)
            if coverage.vacuous:
                verdict = VACUOUS
                reason = f"proved, but vacuous: {coverage.vacuous} in {space.states:,} states"
        facts: dict[str, Any] = {
            "verdict": verdict, "depth": space.depth, "chain": [], "schedule": [], "cycle": [], "certified": False,
            "reason": reason, "coverage": coverage,
        }  # fmt: skip
        facts |= more
        return Result(
            design=self.design.name, path=self.plan.case.path, case=self.plan.case.name, property=prop.name,
            states=space.states, transitions=space.transitions,
            wall_s=round(time.perf_counter() - self.began, 6), **facts,
        )  # fmt: skip

    def violation(
        self, prop: Property, space: Space, way: list[int], certified: bool,
        explain: Callable[[Space], str], cycle: Sequence[int] = (),
    ) -> Result:  # fmt: skip
        """A result with its schedule and the end of it in words."""
        there = Space()
        k = boot.start(self.plan, self.design, self.costs, there)
        if there.play(way) != len(way):
            raise AssertionError("a schedule that the search has found cannot be played")
        names = mover_names(self.plan, k)
        reason = explain(there)
        return self.result(
            prop, space, verdict=VIOLATED, depth=len(way), chain=[reason], certified=certified, reason=reason,
            schedule=[names[mover] for mover in way], cycle=[names[mover] for mover in cycle],
        )  # fmt: skip

    # --- properties of states
    def of_states(self, wanted: Sequence[Property]) -> dict[str, Result]:
        """All at once, by one search; and once more, without reduction, for those that are violated."""
        bits = sum(1 << each.number for each in wanted)
        reduce = self.settings.reduction
        space = self.search(
            "states", bits, alike=boot.alike_tasks(self.plan), fold=reduce, reduce=reduce, stop=True
        )  # fmt: skip
        bad = [each for each in wanted if space.found(each.number) >= 0]
        shortest = space
        if bad and reduce:
            shortest = self.search(
                "a shortest way", sum(1 << each.number for each in bad), fold=False, reduce=False, stop=True
            )  # fmt: skip
        return {each.name: self.of_state(each, space, shortest) for each in wanted}

    def of_state(self, prop: Property, space: Space, shortest: Space) -> Result:
        """The result for one of them."""
        if space.found(prop.number) < 0:
            return self.result(prop, space)
        certified = shortest.found(prop.number) >= 0
        source = shortest if certified else space
        way = source.way_to(source.found(prop.number))
        return self.violation(prop, space, way, certified, lambda there: at_the_end(there, self.plan, prop.number))

    # --- properties of the graph
    def of_graphs(self, wanted: Sequence[Property]) -> dict[str, Result]:
        """All by one search that keeps the edges."""
        space = self.search("the graph", 0, fold=self.settings.reduction, reduce=False, edges=True)
        if space.unfinished:
            return {each.name: self.result(each, space) for each in wanted}
        graph = Graph.of(space)
        return {each.name: self.of_graph(each, space, graph) for each in wanted}

    def of_graph(self, prop: Property, space: Space, graph: Graph) -> Result:
        """The result for one of them."""
        loop = NO_LOOP
        if prop.number == p.NO_STUCK:
            state, who = stuck(graph, EXPLORE.tasks)
            loop = Loop(state, who, NO_LOOP.members, ())
        elif prop.number == p.STARVATION:
            loop = starved(graph, EXPLORE.tasks)
        else:
            loop = stands_still(graph, int(space.k.state.n_groups))
        if loop.state < 0:
            return self.result(prop, space)
        explain: Callable[[Space], str] = lambda there: chain_of(there, self.plan, loop.who)  # noqa: E731
        if prop.number == p.NO_STUCK:
            explain = lambda there: never_ends(there, self.plan, loop.who)  # noqa: E731
        elif prop.number == p.PROGRESS:
            explain = lambda there: standstill(graph, loop, self.plan, there.k)  # noqa: E731
        return self.violation(prop, space, space.way_to(loop.state), True, explain, loop.walk)

    # --- a user's own
    def users(self, prop: Property) -> Result:
        """Ask the user's function about every state."""
        found = -1

        def look(k: Any, state: int) -> bool:
            nonlocal found
            if not self.holds(prop, k):
                found = state
            return found >= 0

        space = self.search(prop.name, 0, fold=False, reduce=False, look=look)
        if found < 0:
            return self.result(prop, space)
        return self.violation(prop, space, space.way_to(found), True, lambda _: f"{prop.name} does not hold")

    def holds(self, prop: Property, k: Any) -> bool:
        """What the user's function says; what it raises is an error of the input."""
        assert prop.holds is not None
        try:
            return bool(prop.holds(k))
        except Exception as error:
            problem = f"property {prop.name} raised {type(error).__name__}: {error}"
            raise InputError(problem, file=prop.holds.__code__.co_filename) from None
