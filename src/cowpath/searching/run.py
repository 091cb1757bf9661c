"""The search: every order through the suite, the safe ones through the clock, on all cores, from where it was left."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from cowpath import designs
from cowpath.cases import Case
from cowpath.cases.plan import CasePlan, compile_case
from cowpath.checker.many import leave_interrupts, pool_of
from cowpath.designs import Design, has_memory_high
from cowpath.designs.edits import moved
from cowpath.engine import costs
from cowpath.engine.costs import Costs
from cowpath.kernel.compiled import cache_folder, sources_as_they_stand

from .journal import Journal
from .measures import KINDS, Costly, pareto
from .orders import Steps, orders
from .places import PATHS, placements
from .rank import measure, measure_throttled
from .suite import Bench, Failure, benches, first_failure, of_high

CHUNK = 64  # orders that a process is given at once, at most
Told = Callable[[int, int, int], None]  # orders done, of how many, how many are safe
Outcome = Failure | Costly


@dataclass(frozen=True)
class Safe:
    """An order that no case of the suite refutes. ``moved``: how it differs from the design that was begun with."""

    steps: Steps
    moved: list[str]
    measure: Costly
    pareto: bool
    known_as: list[str]  # packaged designs that have this order

    def as_json(self) -> dict[str, Any]:
        """An entry of ``safe`` in docs/json.md."""
        return {"steps": list(self.steps), "moved": self.moved, **asdict(self.measure), "pareto": self.pareto,
                "known_as": self.known_as}  # fmt: skip


@dataclass(frozen=True)
class Found:
    """What a search has found. ``failed_by``: orders by the property and the case that they violate first."""

    path: str
    design: str
    cases: tuple[str, ...]
    orders: int
    safe: tuple[Safe, ...]  # those on the front first, then by the time under the page lock
    failed_by: dict[str, dict[str, int]]
    own: tuple[Failure, ...]  # what the design's own order violates first, by case
    wall_s: float

    def as_json(self) -> dict[str, Any]:
        """The object that ``--json`` prints."""
        return {"path": self.path, "from": self.design, "cases": list(self.cases), "orders": self.orders,
                "safe": [each.as_json() for each in self.safe], "failed_by": self.failed_by,
                "own": [asdict(each) for each in self.own], "wall_s": self.wall_s}  # fmt: skip


def search(
    design: Design, path: str, cases: Sequence[Case], processes: int, told: Told | None = None, fresh: bool = False
) -> Found:
    """Check and rank every order of a path's steps. Raises InputError; a KeyboardInterrupt leaves a whole journal."""
    began = time.perf_counter()
    every = list((placements if path in PATHS else orders)(path, design.paths[path]))
    journal = Journal(_journal_file(design, path, cases), fresh)
    outcomes = journal.read(len(every))
    left = [at for at in range(len(every)) if at not in outcomes]
    safe = sum(isinstance(outcome, KINDS) for outcome in outcomes.values())
    for at, outcome in _outcomes(design, path, cases, every, left, processes):
        outcomes[at] = outcome
        journal.write(at, outcome)
        safe += isinstance(outcome, KINDS)
        if told is not None:
            told(len(outcomes), len(every), safe)
    journal.drop()
    return _found(design, path, cases, [(every[at], outcomes[at]) for at in range(len(every))],
                  time.perf_counter() - began)  # fmt: skip


def _journal_file(design: Design, path: str, cases: Sequence[Case]) -> Path:
    """The file of this very search: the same design, path and cases, and the same cowpath."""
    text = json.dumps([sources_as_they_stand(), designs.to_data(design), path, [case.text for case in cases]],
                      sort_keys=True)  # fmt: skip
    return cache_folder() / f"search-{hashlib.sha256(text.encode()).hexdigest()[:16]}.jsonl"


def _outcomes(
    design: Design, path: str, cases: Sequence[Case], every: list[Steps], left: list[int], processes: int
) -> Iterator[tuple[int, Outcome]]:
    size = min(CHUNK, 1 + len(left) // (4 * processes))
    chunks = [left[at : at + size] for at in range(0, len(left), size)]
    if processes < 2 or len(chunks) < processes:
        worker = Worker(design, path, cases)
        for chunk in chunks:
            yield from zip(chunk, worker.outcomes([every[at] for at in chunk]), strict=True)
        return
    Worker(design, path, cases).compile()  # before many want it at once
    with pool_of(processes, _begin, design, path, tuple(cases)) as pool:
        try:
            results = pool.map(_go_on, ([every[at] for at in chunk] for chunk in chunks))
            for chunk, outcomes in zip(chunks, results, strict=True):
                yield from zip(chunk, outcomes, strict=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


class Worker:
    """One process' share of a search."""

    def __init__(self, design: Design, path: str, cases: Sequence[Case]) -> None:
        self.design, self.path = design, path
        self.costs: Costs = costs.load()
        self.suite: list[Bench] = benches(cases, design, self.costs, path)
        timed = [case for case in cases if not case.outside and (path not in PATHS or case.has_high)]
        self.plans: list[CasePlan] = [compile_case(case) for case in timed]  # that the clock runs

    def compile(self) -> None:
        """Have all compiled that it takes: the explorer is by now, the clock may not be."""
        self._measure(self.plans[:1], self.design)

    def outcomes(self, some: Sequence[Steps]) -> list[Outcome]:
        """What becomes of these orders."""
        return [self._outcome(steps) for steps in some]

    def _outcome(self, steps: Steps) -> Outcome:
        failure = first_failure(self.suite, steps)
        if failure is None and self.path in PATHS:
            failure = of_high(self.suite, steps)
        if failure is not None:
            return failure
        return self.measured(steps)

    def failures(self, steps: Steps) -> list[Failure]:
        """What an order violates first in each case, where it violates something."""
        return [failure for failure in (bench.failure(steps) for bench in self.suite) if failure is not None]

    def measured(self, steps: Steps) -> Costly:
        """What an order costs in the clock."""
        return self._measure(self.plans, replace(self.design, paths=self.design.paths | {self.path: steps}))

    def _measure(self, plans: Sequence[CasePlan], design: Design) -> Costly:
        """Paths are compared by what they are searched for."""
        how = measure_throttled if self.path in PATHS else measure
        return how(plans, design, self.costs)


_worker: Worker | None = None


def _begin(design: Design, path: str, cases: Sequence[Case]) -> None:
    global _worker
    leave_interrupts()
    _worker = Worker(design, path, cases)


def _go_on(some: list[Steps]) -> list[Outcome]:
    assert _worker is not None
    return _worker.outcomes(some)


def _found(
    design: Design, path: str, cases: Sequence[Case], outcomes: Sequence[tuple[Steps, Outcome]], wall_s: float
) -> Found:
    safe = [(steps, outcome) for steps, outcome in outcomes if isinstance(outcome, KINDS)]
    front = pareto([each for _, each in safe])
    packaged: dict[Steps, list[str]] = {}
    for known in (designs.load(name) for name in designs.names()):
        if path not in PATHS or has_memory_high(known):
            packaged.setdefault(known.paths[path], []).append(known.name)
    kept = [
        Safe(steps, moved(design.paths[path], steps), each, best, packaged.get(steps, []))
        for (steps, each), best in zip(safe, front, strict=True)
    ]
    kept.sort(key=lambda each: (not each.pareto, each.measure.key(), len(each.moved)))
    failures = Counter((each.property, each.case) for _, each in outcomes if isinstance(each, Failure))
    failed_by: dict[str, dict[str, int]] = {}
    for (name, case), count in failures.most_common():
        failed_by.setdefault(name, {})[case] = count
    own = Worker(design, path, cases).failures(design.paths[path])
    return Found(path, design.name, tuple(case.name for case in cases), len(outcomes), tuple(kept), failed_by,
                 tuple(own), round(wall_s, 6))  # fmt: skip
