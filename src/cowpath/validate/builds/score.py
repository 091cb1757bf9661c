"""What the model makes of builds, held against the real runs.

A verdict counts by configuration (a job, a limit, so many at a time) where the real runs agree among themselves: it is
right if the model comes to it at each read-ahead that was measured. Beside it stands the rule of thumb that a job
finishes if, without a limit, it never uses more than the limit. Where real and simulated builds finish, ``max_usage``
and ``pgfault`` are close if they are within 5 % of the real runs, major faults if they are of the same order.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from cowpath.kernel import names as n

from .rows import COUNTERS, FINISHED, Measured, Outcome, Setup

CLOSE = 0.05
SAME_ORDER = 0.5  # of a power of ten
PARTS = ("max_usage_in_bytes", "pgfault")  # of which the error is a part of the real value


@dataclass(frozen=True)
class Compared:
    """A setup: its real runs and the model's. ``alone`` are the same without a limit, where they were measured."""

    measured: Measured
    simulated: Outcome
    alone: tuple[Measured, Outcome] | None

    @property
    def setup(self) -> Setup:
        """What was run."""
        return self.measured.setup

    @property
    def both_finish(self) -> bool:
        """There are counters to be compared: those of whole builds."""
        return self.measured.verdicts == (FINISHED,) and self.simulated.verdict == FINISHED

    def span(self, counter: str) -> tuple[int, int]:
        """The least and the most of the real runs."""
        values = [run.counters[counter] for run in self.measured.runs]
        return min(values), max(values)

    def error(self, counter: str) -> float:
        """How far the model is from the nearest real run: a part of that, for major faults in powers of ten."""
        least, most = self.span(counter)
        value = self.simulated.counters[counter]
        nearest = min(max(value, least), most)
        if counter in PARTS:
            return value / nearest - 1 if nearest else float(value != nearest)
        return math.log10(max(value, 1) / max(nearest, 1))

    def is_close(self, counter: str) -> bool:
        """Near enough."""
        return abs(self.error(counter)) <= (CLOSE if counter in PARTS else SAME_ORDER)

    @property
    def slower(self) -> tuple[float | None, float | None]:
        """How many times as long as without a limit: in reality (in the middle), and in the model."""
        if self.alone is None:
            return None, None
        real = median(run.seconds for run in self.measured.runs) / median(run.seconds for run in self.alone[0].runs)
        return real, self.simulated.seconds / self.alone[1].seconds


@dataclass(frozen=True)
class Configuration:
    """A job under a limit, so many at a time, at all read-aheads that were measured."""

    compared: tuple[Compared, ...]
    peak: int | None  # bytes: what it uses at most without a limit, in reality

    @property
    def setup(self) -> Setup:
        """Of the first read-ahead."""
        return self.compared[0].setup

    @property
    def real(self) -> tuple[str, ...]:
        """What became of the real runs: one verdict, if they agree."""
        return tuple(sorted({verdict for each in self.compared for verdict in each.measured.verdicts}))

    @property
    def simulated(self) -> tuple[str, ...]:
        """What becomes of the model's."""
        return tuple(sorted({each.simulated.verdict for each in self.compared}))

    @property
    def scored(self) -> bool:
        """It has a limit, and the real runs agree."""
        return self.setup.limit is not None and len(self.real) == 1

    @property
    def right(self) -> bool:
        """The model says the same."""
        return self.simulated == self.real

    @property
    def by_peak(self) -> bool | None:
        """What the rule of thumb says: it finishes. None: nobody has measured how much it uses."""
        return None if self.peak is None or self.setup.limit is None else self.peak < self.setup.limit

    @property
    def by_peak_right(self) -> bool:
        """Whether that is right."""
        return self.by_peak is not None and self.by_peak == (self.real == (FINISHED,))


@dataclass(frozen=True)
class Totals:
    """How many verdicts are right, and of the builds that finish how many counters are close."""

    right: int
    by_peak: int
    of: int
    close: Mapping[str, int]
    finished: int


def compare(measured: Sequence[Measured], simulated: Mapping[Setup, Outcome]) -> list[Configuration]:
    """All configurations, in the order of the rows."""
    at = {each.setup: each for each in measured}
    found: dict[tuple[Any, ...], list[Compared]] = {}
    for each in measured:
        alone = each.setup.unlimited
        beside = (at[alone], simulated[alone]) if alone in at else None
        found.setdefault(each.setup.configuration, []).append(Compared(each, simulated[each.setup], beside))
    return [Configuration(tuple(its), _peak(its)) for its in found.values()]


def _peak(compared: Sequence[Compared]) -> int | None:
    """The most that real runs without a limit have used: in the middle of the runs, at the read-ahead with the most."""
    peaks = [
        median(run.counters["max_usage_in_bytes"] for run in each.alone[0].runs) for each in compared if each.alone
    ]
    return int(max(peaks)) if peaks else None


def totals(found: Sequence[Configuration]) -> Totals:
    """Sums. Counters are of builds under a limit."""
    scored = [each for each in found if each.scored]
    finished = [one for each in found for one in each.compared if one.both_finish and each.setup.limit is not None]
    close = {name: sum(one.is_close(name) for one in finished) for name in (*PARTS, "pgmajfault")}
    right = sum(each.right for each in scored)
    return Totals(right, sum(each.by_peak_right for each in scored), len(scored), close, len(finished))


@dataclass(frozen=True)
class Held:
    """What the model makes of builds, beside what was measured."""

    design: str
    fetches: int
    configurations: tuple[Configuration, ...]

    @property
    def totals(self) -> Totals:
        """The sums."""
        return totals(self.configurations)

    @property
    def percent(self) -> float:
        """Verdicts that are right."""
        return 100.0 * self.totals.right / self.totals.of if self.totals.of else 100.0

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        sums = self.totals
        return {
            "kernel": self.design,
            "fetches": self.fetches,
            "builds": [_configuration_json(each) for each in self.configurations],
            "right": sums.right,
            "right_by_peak": sums.by_peak,
            "of": sums.of,
            "finished": sums.finished,
            "close": dict(sums.close),
        }


def _configuration_json(each: Configuration) -> dict[str, Any]:
    setup = each.setup
    return {
        "recording": setup.recording,
        "limit_bytes": setup.limit,
        "jobs": setup.jobs,
        "real": list(each.real),
        "simulated": list(each.simulated),
        "scored": each.scored,
        "right": each.right if each.scored else None,
        "fits_by_peak": each.by_peak,
        "read_aheads": [_compared_json(one) for one in each.compared],
    }


def _compared_json(one: Compared) -> dict[str, Any]:
    real, simulated = one.slower
    return {
        "read_ahead_kb": one.setup.read_ahead_kb,
        "real": [_outcome_json(run) for run in one.measured.runs],
        "simulated": _outcome_json(one.simulated),
        "slower": {"real": real, "simulated": simulated},
        "close": {name: one.is_close(name) for name in (*PARTS, "pgmajfault")} if one.both_finish else None,
    }


def _outcome_json(run: Outcome) -> dict[str, Any]:
    counters = {name: run.counters[name] for name in COUNTERS}
    return {"verdict": run.verdict, "seconds": round(run.seconds, 3), **counters, "outside_pgmajfault": run.outside}


def megabytes(size: float) -> float:
    """Of bytes."""
    return size / (256 * n.PAGE_SIZE)
