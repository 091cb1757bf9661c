"""What a search has found: the safe orders and what they cost, and why the others fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cowpath import designs
from cowpath.designs import Design, has_memory_high
from cowpath.designs.edits import moved
from cowpath.kernels.check import PAYING

from .measures import KINDS, Costly, pareto
from .orders import Steps
from .places import PATHS, paid_at
from .suite import Failure

Outcome = Failure | Costly
Counts = dict[str, dict[str, int]]
SAFE = "safe"


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
class Paid:
    """Of a path that pays for memory.high, besides. ``places``: orders by where they sleep, and what comes of them."""

    places: Counts
    own: Costly  # what the design's own order costs
    no_cure: tuple[Safe, ...]  # some orders that violate no-reread, but not isolation: those that change least
    set_aside: tuple[Failure, ...]  # cases that the path fails wherever it pays, and what it violates there
    as_they_are: Counts | None  # of the orders, if the faults that the path makes pay, too; None: it makes none

    def as_json(self) -> dict[str, Any]:
        """``paid`` in docs/json.md."""
        return {"places": self.places, "own": asdict(self.own),
                "no_cure": [each.as_json() for each in self.no_cure],
                "set_aside": [asdict(each) for each in self.set_aside], "as_they_are": self.as_they_are}  # fmt: skip


@dataclass(frozen=True)
class Found:
    """What a search has found. ``failed_by``: orders by a property that they violate, and the case."""

    path: str
    design: str
    cases: tuple[str, ...]
    orders: int
    safe: tuple[Safe, ...]  # those on the front first, then by the time under the page lock
    failed_by: dict[str, dict[str, int]]
    own: tuple[Failure, ...]  # what the design's own order violates first, by case
    wall_s: float
    paid: Paid | None = None  # of a path that pays for memory.high

    def as_json(self) -> dict[str, Any]:
        """The object that ``--json`` prints."""
        return {"path": self.path, "from": self.design, "cases": list(self.cases), "orders": self.orders,
                "safe": [each.as_json() for each in self.safe], "failed_by": self.failed_by,
                "own": [asdict(each) for each in self.own], "wall_s": self.wall_s,
                "paid": None if self.paid is None else self.paid.as_json()}  # fmt: skip


def ranked(design: Design, path: str, measured: Iterable[tuple[Steps, Costly]], named: bool = True) -> tuple[Safe, ...]:
    """Orders by what they cost: those on the front first. ``named``: packaged designs may be these."""
    costs = list(measured)
    front = pareto([each for _, each in costs])
    packaged: dict[Steps, list[str]] = {}
    for known in (designs.load(name) for name in (designs.names() if named else ())):
        if path not in PATHS or has_memory_high(known):
            packaged.setdefault(known.paths[path], []).append(known.name)
    kept = [
        Safe(steps, moved(design.paths[path], steps), each, best, packaged.get(steps, []))
        for (steps, each), best in zip(costs, front, strict=True)
    ]
    return tuple(sorted(kept, key=lambda each: (not each.pareto, each.measure.key(), len(each.moved))))


def failed_by(outcomes: Iterable[Outcome]) -> Counts:
    """Orders by what has refuted them, and where; the most frequent first."""
    failures = Counter((each.property, each.case) for each in outcomes if isinstance(each, Failure))
    found: Counts = {}
    for (name, case), count in failures.most_common():
        found.setdefault(name, {})[case] = count
    return found


def by_place(outcomes: Sequence[tuple[Steps, Outcome]]) -> Counts:
    """Orders by where they sleep for memory.high, and what comes of them."""
    found: Counts = {}
    for steps, outcome in outcomes:
        what = outcome.property if isinstance(outcome, Failure) else SAFE
        at = found.setdefault(paid_at(steps, PAYING[1]), {})
        at[what] = at.get(what, 0) + 1
    return found


def safe_of(outcomes: Iterable[tuple[Steps, Outcome]]) -> list[tuple[Steps, Costly]]:
    """The orders that nothing refutes."""
    return [(steps, outcome) for steps, outcome in outcomes if isinstance(outcome, KINDS)]
