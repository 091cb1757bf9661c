"""The suite that an order must pass: the cases about its path, each explored until the first violation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from typing import Any

import numpy as np
import numpy.typing as npt

from cowpath.cases import Case
from cowpath.cases.plan import CasePlan, compile_case
from cowpath.checker import boot
from cowpath.checker.coverage import coverage_of
from cowpath.checker.graph import Graph, starved, stuck
from cowpath.checker.space import Space
from cowpath.designs import Design
from cowpath.engine import explore, machine
from cowpath.engine import properties as p
from cowpath.engine.costs import Costs
from cowpath.kernel.state import EXPLORE
from cowpath.kernel.steps import PATH_NAMES

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


class Bench:
    """A case on a design, of which one path is changed again and again. What runs before the start is the design's."""

    def __init__(self, case: Case, design: Design, costs: Costs, path: str) -> None:
        self.plan: CasePlan = compile_case(case)
        self.design, self.path = design, PATH_NAMES.index(path)
        self.space = Space()
        self.k: Any = boot.start(self.plan, design, costs, self.space)
        self._buffer: npt.NDArray[Any] = np.asarray(self.k.base).view(np.uint8)
        self._start = self._buffer.copy()
        self.slept = self.called = 0  # places of the path, a bit each, in the last search that came to its end

    def states(self) -> int:
        """How many states the design itself has here: how much work the case is."""
        self.failure(None)
        return self.space.states

    def failure(self, steps: Steps | None) -> Failure | None:
        """The first violation of an order, or None. Properties of states only; so small, no reduction is worth it."""
        self._buffer[:] = self._start
        if steps is not None:
            machine.set_path(self.k, self.path, steps)
        why = self.space.explore(ALL, fold=False, reduce=False, stop_at_first=True)
        found = [(self.space.found(which), which) for which in range(p.OF_STATES) if self.space.found(which) >= 0]
        if found:
            return Failure(p.NAMES[min(found)[1]], self.plan.case.name)
        if why != explore.DONE:
            return Failure(NO_ROOM, self.plan.case.name)
        if self._is_vacuous(steps):
            return Failure(VACUOUS, self.plan.case.name)
        self._note_acts()
        return None

    def endless(self, steps: Steps) -> Failure | None:
        """What keeps a task from its end though no state is bad: a call that goes round and round for its pages."""
        self._buffer[:] = self._start
        machine.set_path(self.k, self.path, steps)
        self.space.explore(0, reduce=False, edges=True)
        graph = Graph.of(self.space)
        if stuck(graph, EXPLORE.tasks)[0] >= 0:
            return Failure(p.NAMES[p.NO_STUCK], self.plan.case.name)
        if starved(graph, EXPLORE.tasks).state >= 0:
            return Failure(p.NAMES[p.STARVATION], self.plan.case.name)
        return None

    def reduced(self, steps: Steps, wanted: int = ALL) -> Failure | None:
        """The first violation of some properties (a bit each), by a search with reductions."""
        self._buffer[:] = self._start
        machine.set_path(self.k, self.path, steps)
        why = self.space.explore(wanted, stop_at_first=True)
        for which in range(p.OF_STATES):
            if self.space.found(which) >= 0:
                return Failure(p.NAMES[which], self.plan.case.name)
        return None if why == explore.DONE else Failure(NO_ROOM, self.plan.case.name)

    def _note_acts(self) -> None:
        """At which places of the path somebody has slept for memory.high, and where a step has called another path."""
        seen = self.space.coverage[:, self.path]
        self.slept = int(np.bitwise_or.reduce(seen["throttled"]))
        self.called = int(np.bitwise_or.reduce(seen["called"]))

    def _is_vacuous(self, steps: Steps | None) -> bool:
        """What has been searched whole is safe because somebody stands still."""
        design = self.design
        if steps is not None:
            design = replace(design, paths=design.paths | {PATH_NAMES[self.path]: steps})
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
    slept = reduce(or_, (bench.slept for bench in suite))
    called = reduce(or_, (bench.called for bench in suite))
    acted = {"reclaim_high": called, "high_delay": slept}
    unused = [step for place, step in enumerate(steps) if step in acted and not acted[step] >> place & 1]
    return Failure(IDLE, EVERY) if unused else None
