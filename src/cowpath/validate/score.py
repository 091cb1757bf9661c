"""How well a played scenario agrees with the real ones: its counters that change, its outcomes, and their sums."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .changes import Counter, Row, changing
from .outcomes import Outcome, outcomes
from .scenario import Scenario


@dataclass(frozen=True)
class Score:
    """One scenario's."""

    scenario: Scenario
    kernel: str  # the profile that it was played on
    counters: tuple[Counter, ...]
    outcomes: tuple[Outcome, ...]

    @property
    def agree(self) -> int:
        """How many of its counters agree."""
        return sum(counter.agrees for counter in self.counters)

    @property
    def total(self) -> int:
        """How many counters it has that change."""
        return len(self.counters)

    @property
    def outcome_ok(self) -> bool:
        """Every outcome is right."""
        return all(outcome.right for outcome in self.outcomes)

    @property
    def worst(self) -> Counter | None:
        """The counter that is furthest off, as a part of the real one; None if all agree."""
        off = [counter for counter in self.counters if not counter.agrees]
        return max(off, key=lambda counter: counter.off_by, default=None)


def score(scenario: Scenario, simulated: Row, kernel: str) -> Score:
    """Compare what was measured with what the model has made of it, a row of the same schema."""
    real = scenario.row
    return Score(scenario, kernel, tuple(changing(real, simulated)), tuple(outcomes(real, simulated)))


@dataclass(frozen=True)
class Sum:
    """Of many counters: how many agree, and the one that is furthest off."""

    name: str
    agree: int
    total: int
    off_by: float  # of the worst, as a part of the real one

    @property
    def percent(self) -> float:
        """How many of a hundred agree; 100 of none."""
        return 100 * self.agree / self.total if self.total else 100.0


def sums(scores: Iterable[Score], by: Callable[[Score, Counter], str]) -> list[Sum]:
    """The sums by a name, the worst first."""
    found: dict[str, list[Counter]] = {}
    for each in scores:
        for counter in each.counters:
            found.setdefault(by(each, counter), []).append(counter)
    made = [
        Sum(name, sum(c.agrees for c in counters), len(counters), max(c.off_by for c in counters))
        for name, counters in found.items()
    ]
    return sorted(made, key=lambda each: (each.agree - each.total, each.name))


def by_counter(_: Score, counter: Counter) -> str:
    """A counter's own name."""
    return counter.name


def by_kind(each: Score, _: Counter) -> str:
    """The scenario's kind."""
    return each.scenario.kind


def percent(scores: Sequence[Score]) -> float:
    """How many of a hundred counters agree; 100 of none."""
    return Sum("", sum(each.agree for each in scores), sum(each.total for each in scores), 0).percent


def as_json(kernel: str, scores: Sequence[Score]) -> dict[str, Any]:
    """One kernel's object (docs/json.md)."""
    return {
        "kernel": kernel,
        "scenarios": [_scenario(each) for each in scores],
        "agree": sum(each.agree for each in scores),
        "total": sum(each.total for each in scores),
        "outcomes_ok": sum(each.outcome_ok for each in scores),
        "outcomes": len(scores),
    }


def _scenario(each: Score) -> dict[str, Any]:
    worst = each.worst
    told = None if worst is None else {
        "counter": worst.label, "step": worst.step, "real": _plain(worst), "simulated": worst.simulated,
    }  # fmt: skip
    wrong = [
        {"step": one.step, "what": one.what, "real": one.real, "simulated": one.simulated}
        for one in each.outcomes if not one.right
    ]  # fmt: skip
    return {
        "id": each.scenario.id, "kernel": each.scenario.kernel, "agree": each.agree, "total": each.total,
        "outcome_ok": each.outcome_ok, "worst": told, "wrong": wrong,
    }  # fmt: skip


def _plain(counter: Counter) -> float | list[float]:
    real = counter.real
    return real.least if real.least == real.most else [real.least, real.most]
