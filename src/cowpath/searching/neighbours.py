"""What has refuted an order's neighbours is tried on it first: to play a schedule takes a hundredth of a search.

A schedule that ends in a violation refutes any order on which it can be played and does so again. The orders come so
that neighbours differ in their last steps, and most fail alike. Safe is an order only after all searches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .orders import Steps
from .suite import Bench, Failure

KEPT = 8  # schedules


@dataclass(frozen=True)
class Refuted:
    """How a neighbour was refuted."""

    bench: Bench
    failure: Failure
    way: tuple[int, ...]  # the movers of the schedule; empty: it has none


class Neighbours:
    """Orders that are looked at one after the other."""

    def __init__(self) -> None:
        self._last: list[Refuted] = []  # each another way; what has refuted the last order comes first

    def failure(self, suite: Sequence[Bench], steps: Steps) -> Failure | None:
        """What the next order violates; None: it is safe."""
        found = self._played(steps) or self._searched(suite, steps)
        if found is None:
            return None
        self._last = [found, *(each for each in self._last if each != found)][:KEPT]
        return found.failure

    def _played(self, steps: Steps) -> Refuted | None:
        return next((each for each in self._last if each.bench.goes_wrong(steps, each.failure, each.way)), None)

    def _searched(self, suite: Sequence[Bench], steps: Steps) -> Refuted | None:
        """By all cases; the one that has refuted its neighbour first."""
        for bench in dict.fromkeys([*(each.bench for each in self._last), *suite]):
            failure = bench.failure(steps)
            if failure is not None:
                return Refuted(bench, failure, bench.seen.way)
        return None
