"""The search: every order through the suite, the safe ones through the clock; shared out, and resumable."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from cowpath import designs
from cowpath.cases import Case
from cowpath.cases.plan import CasePlan, compile_case
from cowpath.checker.workers import Pool, Workers
from cowpath.designs import Design
from cowpath.designs.edits import moved
from cowpath.engine import costs
from cowpath.engine import properties as p
from cowpath.engine.costs import Costs
from cowpath.kernel.compiled import cache_folder, sources_as_they_stand
from cowpath.kernels.check import PAYING

from . import scenes
from .found import Found, Outcome, Paid, by_place, failed_by, ranked, safe_of
from .journal import Journal
from .measures import KINDS, Costly
from .neighbours import Neighbours
from .orders import Steps, orders
from .places import PATHS, calls_faults, paid_at, pays_at_once, placements, with_bare_faults
from .rank import Timed, measure_throttled
from .suite import Bench, Failure, benches, first_failure, of_high

CHUNK = 64  # orders that are sent at once, at most
PARTS = 16  # chunks of a search, at least: so that all who work have some
Told = Callable[[int, int, int], None]  # orders done, of how many, how many are safe


def search(
    design: Design, path: str, cases: Sequence[Case], pool: Pool | None, told: Told | None = None, fresh: bool = False
) -> Found:
    """Check and rank every order of a path's steps; ``pool``: who works beside this process (None: nobody).

    Raises InputError, and WorkerError where nobody is left to work; like a KeyboardInterrupt it leaves a whole journal.
    """
    began = time.perf_counter()
    changed, aside, as_they_are = design, tuple[Failure, ...](), None
    named = tuple(case.name for case in cases)
    if path in PATHS:
        cases, aside = _set_aside(design, path, cases)
        named = tuple(name for name in named if name not in {failure.case for failure in aside})
    outcomes = _search(changed, path, cases, pool, told, fresh)
    if path in PATHS and calls_faults(design, path):
        changed, as_they_are = with_bare_faults(design), failed_by(outcome for _, outcome in outcomes)
        outcomes = _search(changed, path, cases, pool, told, fresh)
    worker = Share.of(design, path, cases).worker()
    failures = tuple(worker.failures(design.paths[path]))
    paid = None
    if path in PATHS:
        own = worker.measured(design.paths[path])
        no_cure = ranked(design, path, Share.of(changed, path, cases).worker().no_cure(outcomes))
        paid = Paid(by_place(outcomes), own, no_cure, aside, as_they_are)
    for searched in (design, changed):
        Journal(_journal_file(searched, path, cases), False).drop()
    return Found(
        path, design.name, named, len(outcomes),
        ranked(design, path, safe_of(outcomes), as_they_are is None), failed_by(outcome for _, outcome in outcomes),
        failures, round(time.perf_counter() - began, 6), paid,
    )  # fmt: skip


def _set_aside(design: Design, path: str, cases: Sequence[Case]) -> tuple[list[Case], tuple[Failure, ...]]:
    """The cases of memory.high; and which of the others are violated. In those nobody ever pays, so that one order says
    what is true of all.
    """
    marked = [case for case in cases if case.has_high]
    if not marked:
        return list(cases), ()
    nowhere = next(placements(path, design.paths[path]))
    others = [Bench(case, design, costs.load(), path) for case in cases if not case.has_high]
    found = (bench.reduced(nowhere) for bench in others)
    return marked, tuple(failure for failure in found if failure is not None)


def _search(
    design: Design, path: str, cases: Sequence[Case], pool: Pool | None, told: Told | None, fresh: bool
) -> list[tuple[Steps, Outcome]]:
    """What becomes of every order."""
    every = list((placements if path in PATHS else orders)(path, design.paths[path]))
    with closing(Journal(_journal_file(design, path, cases), fresh)) as journal:
        outcomes = journal.read(len(every))
        left = [at for at in range(len(every)) if at not in outcomes]
        safe = sum(isinstance(outcome, KINDS) for outcome in outcomes.values())
        for at, outcome in _outcomes(Share.of(design, path, cases), every, left, pool):
            outcomes[at] = outcome
            journal.write(at, outcome)
            safe += isinstance(outcome, KINDS)
            if told is not None:
                told(len(outcomes), len(every), safe)
    return [(every[at], outcomes[at]) for at in range(len(every))]


def _journal_file(design: Design, path: str, cases: Sequence[Case]) -> Path:
    """The file of this very search: the same design, path and cases, and the same cowpath."""
    text = json.dumps([sources_as_they_stand(), designs.to_data(design), path, [case.text for case in cases]],
                      sort_keys=True)  # fmt: skip
    return cache_folder() / f"search-{hashlib.sha256(text.encode()).hexdigest()[:16]}.jsonl"


Numbered = tuple[int, Steps]  # an order, and its number


def _outcomes(share: Share, every: list[Steps], left: list[int], pool: Pool | None) -> Iterator[tuple[int, Outcome]]:
    """What becomes of the orders with these numbers, as they are done."""
    parts = list(chunks(every, set(left)))
    if pool is None or not left:
        for chunk in parts:
            yield from share.each(chunk)
        return
    with pool() as workers:
        yield from workers.first(share.first, parts[0])
        yield from _shared_out(share, parts[1:], workers)


def _shared_out(share: Share, parts: list[Chunk], workers: Workers) -> Iterator[tuple[int, Outcome]]:
    """These by all who work, and by this process, which takes the last that nobody has begun with."""
    sent: dict[Future[list[tuple[int, Outcome]]], Chunk] = {workers.submit(share, chunk): chunk for chunk in parts}
    try:
        while sent:
            last = next(reversed(sent))
            if last.cancel():
                yield from share.each(sent.pop(last))
            else:
                wait(sent, return_when=FIRST_COMPLETED)
            for done in [future for future in sent if future.done()]:
                del sent[done]
                yield from done.result()
    finally:
        for future in sent:
            future.cancel()


def chunks(every: list[Steps], left: set[int]) -> Iterator[Chunk]:
    """The orders in parts: always the same, for what an order is refuted by depends on those before it in its part."""
    size = min(CHUNK, 1 + len(every) // PARTS)
    for begin in range(0, len(every), size):
        part = [(at, every[at]) for at in range(begin, min(begin + size, len(every)))]
        wanted = frozenset(at for at, _ in part if at in left)
        if wanted:
            yield Chunk(part[: 1 + max(wanted) - begin], wanted)


@dataclass(frozen=True)
class Chunk:
    """Orders that follow each other. Of those that are not ``wanted`` it is known what becomes of them."""

    orders: Sequence[Numbered]
    wanted: frozenset[int]


@dataclass(frozen=True)
class Share:
    """A search as it is sent to whoever works for it: called with orders it returns what becomes of them."""

    design: Design
    path: str
    cases: tuple[Case, ...]
    name: str  # of the search

    @staticmethod
    def of(design: Design, path: str, cases: Sequence[Case]) -> Share:
        """Of this search."""
        return Share(design, path, tuple(cases), _journal_file(design, path, cases).name)

    def __call__(self, chunk: Chunk) -> list[tuple[int, Outcome]]:
        """What becomes of these orders."""
        return list(self.each(chunk))

    def each(self, chunk: Chunk) -> Iterator[tuple[int, Outcome]]:
        """The same, one after the other."""
        worker, neighbours = self.worker(), Neighbours()
        for at, steps in chunk.orders:
            failure = worker.failure(steps, neighbours)
            if at in chunk.wanted:
                yield at, failure or worker.measured(steps)

    def first(self, chunk: Chunk) -> list[tuple[int, Outcome]]:
        """The same of all, and all is compiled then that any order takes."""
        done = self(chunk)
        self.worker().compile()
        return done

    def worker(self) -> Worker:
        """What a thread works with: it is written to, so none is shared, and it is made once for a search."""
        if getattr(_OWN, "name", None) != self.name:
            _OWN.worker, _OWN.name = Worker(self.design, self.path, self.cases), self.name
        made: Worker = _OWN.worker
        return made


_OWN = threading.local()


class Worker:
    """One process' share of a search."""

    def __init__(self, design: Design, path: str, cases: Sequence[Case]) -> None:
        self.design, self.path = design, path
        self.costs: Costs = costs.load()
        self.suite: list[Bench] = benches(cases, design, self.costs, path)
        self.scene = scenes.Scene.of(path) if path in scenes.paths() else None
        timed = [case for case in cases if not case.outside and (path not in PATHS or case.has_high)]
        self.plans: list[CasePlan] = [compile_case(case) for case in timed]  # that the clock runs, if not the scene

    def compile(self) -> None:
        """Have all compiled that it takes: the explorer is by now, the clock may not be."""
        self.measured(self.design.paths[self.path])

    def failure(self, steps: Steps, neighbours: Neighbours) -> Failure | None:
        """What an order violates; None: it is safe. Of a path that is no fault's: first, case by case."""
        if self.path not in PATHS:
            return neighbours.failure(self.suite, steps)
        return first_failure(self.suite, steps) or of_high(self.suite, steps)

    def outcome(self, steps: Steps) -> Outcome:
        """What becomes of an order by itself."""
        return self.failure(steps, Neighbours()) or self.measured(steps)

    def failures(self, steps: Steps) -> list[Failure]:
        """What an order violates first in each case, where it violates something."""
        return [failure for failure in (bench.failure(steps) for bench in self.suite) if failure is not None]

    def no_cure(self, outcomes: Sequence[tuple[Steps, Outcome]]) -> list[tuple[Steps, Costly]]:
        """Orders that free the outsiders and have the task read its own pages again: of each place where it may reclaim
        the one that sleeps right there, if that is such a one, else the one that changes least.
        """
        reread, isolation = p.NAMES[p.NO_REREAD], 1 << p.ISOLATION
        refuted = [steps for steps, each in outcomes if isinstance(each, Failure) and each.property == reread]
        found: dict[str, Steps] = {}
        own = self.design.paths[self.path]
        for steps in sorted(refuted, key=lambda steps: (not pays_at_once(steps), len(moved(own, steps)))):
            place = paid_at(steps, PAYING[0])
            if place not in found and not any(bench.reduced(steps, isolation) for bench in self.suite):
                found[place] = steps
        return [(steps, self.measured(steps)) for steps in found.values()]

    def measured(self, steps: Steps) -> Costly:
        """What an order costs in the clock. Paths are compared by what they are searched for."""
        if self.path not in PATHS:
            return self.timed.measure(steps)
        design = replace(self.design, paths=self.design.paths | {self.path: steps})
        if self.scene is not None:
            return scenes.measure(self.scene, design)
        return measure_throttled(self.plans, design, self.costs)

    @cached_property
    def timed(self) -> Timed:
        """The cases in the clock, for a fault's path."""
        return Timed(self.plans, self.design, self.costs, self.path)
