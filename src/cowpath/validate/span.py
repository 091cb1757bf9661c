"""What several runs of a real kernel gave: a number, or from the least to the most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

EQUAL, WITHIN, NEAR, OFF = ("equal", "within the spread", "within 10 %", "off")
AGREEING = (EQUAL, WITHIN)
NEARLY = 0.1


@dataclass(frozen=True)
class Span:
    """The least and the most that was measured."""

    least: float
    most: float

    @classmethod
    def of(cls, value: Any) -> Span | None:
        """Of a number, or of a list with one per run, or with the least and the most; None: nothing was measured."""
        numbers = [float(each) for each in (value if isinstance(value, list) else [value]) if _is_number(each)]
        return cls(min(numbers), max(numbers)) if numbers else None

    def __contains__(self, value: float) -> bool:
        return self.least <= value <= self.most

    def within(self, other: Span) -> bool:
        """Nothing of it lies outside the other."""
        return self.least in other and self.most in other

    def away(self, value: float) -> float:
        """How far a value lies outside, with its sign; 0 for one within."""
        return value - min(max(value, self.least), self.most)

    def off_by(self, value: float) -> float:
        """The same, as a part of the end that is nearer; all of it where that is 0."""
        away = self.away(value)
        end = self.most if away > 0 else self.least
        return abs(away / end) if end else float(away != 0)

    def verdict(self, value: float | None) -> str:
        """How a simulated value stands to it; one that there is not agrees with nothing."""
        if value is None:
            return OFF
        if value in self:
            return EQUAL if self.least == self.most else WITHIN
        return NEAR if self.off_by(value) <= NEARLY else OFF


def number_of(value: Any) -> float | None:
    """A simulated value: one number; None if it is none."""
    return float(value) if _is_number(value) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, bool | int | float)
