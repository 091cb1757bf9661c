"""The suite that an order must pass: the cases about its path, each explored until the first violation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from typing import Any

import numpy as np

from cowpath.cases import Case
from cowpath.cases.plan import CasePlan, compile_case
from cowpath.checker import boot
from cowpath.checker.anew import Anew
from cowpath.checker.coverage import coverage_of
from cowpath.checker.graph import Graph, starved, stuck
from cowpath.checker.space import Space
from cowpath.designs import Design
from cowpath.engine import explore, machine
from cowpath.engine import properties as p
from cowpath.engine.costs import Costs
from cowpath.engine.invariants_pages import OK
from cowpath.kernel.state import EXPLORE
from cowpath.kernel.steps import FAULT_PATHS, PATH_NAMES

from .beginnings import Beginnings
from .orders import Steps

ALL = (1 << p.OF_EVERY_DESIGN) - 1
VACUOUS = "vacuous"  # nothing is violated, for somebody never gets past some step
NO_ROOM = "no-room"  # the small machine has run out of something: nothing is proved
IDLE = "idle"  # nothing is violated, for a step that pays for memory.high has nothing to do where it stands
EVERY = "every case"


@dataclass(frozen=True)
class Failure:
    """What an order has violated first (or why it proves nothing: VACUOUS, NO_ROOM), and where."""

    property: str
    case: str


@dataclass(frozen=True)
class Seen:
    """What a search of an order has come to."""

    failure: Failure | None
    way: tuple[int, ...] = ()  # the movers of a shortest schedule to what is violated
    slept: int = 0  # places of the path, a bit each, at which somebody has slept for memory.high; of a whole search
    called: int = 0  # and where a step has called another path


class Bench:
    """A case on a design, of which one path is changed again and again. What runs before the start is the design's."""

    def __init__(self, case: Case, design: Design, costs: Costs, path: str) -> None:
        self.plan: CasePlan = compile_case(case)
        self.design, self.path = design, PATH_NAMES.index(path)
        self.space = Space()
        self.k: Any = boot.start(self.plan, design, costs, self.space)
        self._machine = Anew(self.space)
        self._row = self.k.books.paths[self.path]
        self._known = Beginnings[Seen]() if path in FAULT_PATHS else None  # other paths have loops: they jump
        self.seen = Seen(None)  # of the order that was asked for last

    def states(self) -> int:
        """How many states the design itself has here: how much work the case is."""
        self._search(self.design.paths[PATH_NAMES[self.path]])
        return self.space.states

    def failure(self, steps: Steps) -> Failure | None:
        """The first violation of an order, or None: looked up, if a search of another order has come to it."""
        seen = None if self._known is None else self._known.find(steps)
        if seen is None:
            seen = self._search(steps)
            if self._known is not None:
                self._known.add(steps, int(np.bitwise_or.reduce(self._noted["tried"])), seen)
        self.seen = seen
        return seen.failure

    def goes_wrong(self, steps: Steps, failure: Failure, way: tuple[int, ...]) -> bool:
        """Whether a schedule that has led to a violation on another order does on this one."""
        if not way:
            return False
        self._begin(steps)
        played = self.space.play(list(way)) == len(way) and not self.k.plain.books.error
        return played and self.space.drive(explore.OFFENDER, p.NAMES.index(failure.property)) != OK

    def _begin(self, steps: Steps) -> None:
        """The machine at its start, with another order."""
        self._machine.begin()
        machine.set_steps(self._row, steps)

    @property
    def _noted(self) -> Any:
        """``books.coverage`` of the path, of each task."""
        return self.k.books["coverage"].reshape(EXPLORE.tasks, EXPLORE.paths)[:, self.path]

    def _search(self, steps: Steps) -> Seen:
        """Properties of states only; so small, no reduction is worth it."""
        self._begin(steps)
        why = self.space.explore(ALL, fold=False, reduce=False, stop_at_first=True)
        found = [(self.space.found(which), which) for which in range(p.OF_STATES) if self.space.found(which) >= 0]
        if found:
            state, which = min(found)
            return Seen(Failure(p.NAMES[which], self.plan.case.name), tuple(self.space.way_to(state)))
        if why != explore.DONE:
            return Seen(Failure(NO_ROOM, self.plan.case.name))
        if self._is_vacuous(steps):
            return Seen(Failure(VACUOUS, self.plan.case.name))
        slept, called = (int(np.bitwise_or.reduce(self._noted[what])) for what in ("throttled", "called"))
        return Seen(None, slept=slept, called=called)

    def endless(self, steps: Steps) -> Failure | None:
        """What keeps a task from its end though no state is bad: a call that goes round and round for its pages."""
        self._begin(steps)
        self.space.explore(0, reduce=False, edges=True)
        graph = Graph.of(self.space)
        if stuck(graph, EXPLORE.tasks)[0] >= 0:
            return Failure(p.NAMES[p.NO_STUCK], self.plan.case.name)
        if starved(graph, EXPLORE.tasks).state >= 0:
            return Failure(p.NAMES[p.STARVATION], self.plan.case.name)
        return None

    def reduced(self, steps: Steps, wanted: int = ALL) -> Failure | None:
        """The first violation of some properties (a bit each), by a search with reductions."""
        self._begin(steps)
        why = self.space.explore(wanted, stop_at_first=True)
        for which in range(p.OF_STATES):
            if self.space.found(which) >= 0:
                return Failure(p.NAMES[which], self.plan.case.name)
        return None if why == explore.DONE else Failure(NO_ROOM, self.plan.case.name)

    def _is_vacuous(self, steps: Steps) -> bool:
        """What has been searched whole is safe because somebody stands still."""
        design = replace(self.design, paths=self.design.paths | {PATH_NAMES[self.path]: steps})
        return bool(coverage_of(self.plan, design, self.space.coverage, self.space.moved).vacuous)


def benches(cases: Sequence[Case], design: Design, costs: Costs, path: str) -> list[Bench]:
    """The suite: what is the least work first, so that a bad order is soon found out."""
    built = [Bench(case, design, costs, path) for case in cases]
    return sorted(built, key=lambda bench: (bench.states(), bench.plan.case.name))


def first_failure(suite: Sequence[Bench], steps: Steps) -> Failure | None:
    """What an order violates first, case by case; None: it is safe."""
    for bench in suite:
        failure = bench.failure(steps)
        if failure is not None:
            return failure
    return None


def of_high(suite: Sequence[Bench], steps: Steps) -> Failure | None:
    """Of an order that violates no property of states: what else is wrong with where it pays for memory.high."""
    failure = idle(suite, steps)
    for bench in suite if failure is None else ():
        failure = failure or (bench.endless(steps) if bench.plan.case.has_high else None)
    return failure


def idle(suite: Sequence[Bench], steps: Steps) -> Failure | None:
    """Of an order that nothing refutes: a step that pays for memory.high has had nothing to do in any case, so that
    nothing is proved of its place.
    """
    slept = reduce(or_, (bench.seen.slept for bench in suite))
    called = reduce(or_, (bench.seen.called for bench in suite))
    acted = {"reclaim_high": called, "high_delay": slept}
    unused = [step for place, step in enumerate(steps) if step in acted and not acted[step] >> place & 1]
    return Failure(IDLE, EVERY) if unused else None
