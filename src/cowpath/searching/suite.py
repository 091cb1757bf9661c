"""The suite that an order must pass: the cases about its path, each explored until the first violation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from cowpath.cases import Case
from cowpath.cases.plan import CasePlan, compile_case
from cowpath.checker import boot
from cowpath.checker.coverage import coverage_of
from cowpath.checker.space import Space
from cowpath.designs import Design
from cowpath.engine import explore, machine
from cowpath.engine import properties as p
from cowpath.engine.costs import Costs
from cowpath.kernel.steps import PATH_NAMES

from .orders import Steps

ALL = (1 << p.OF_STATES) - 1
VACUOUS = "vacuous"  # nothing is violated, for somebody never gets past some step
NO_ROOM = "no-room"  # the small machine has run out of something: nothing is proved


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
        return Failure(VACUOUS, self.plan.case.name) if self._is_vacuous(steps) else None

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
