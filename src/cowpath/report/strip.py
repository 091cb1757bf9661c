"""A lane at a glance: what took most of each of a few hundred stretches of time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cowpath.observe import lanes as ln
from cowpath.report.looks import DRAWN, drawn_as

CELLS = 240  # of a picture's width
MOST_TICKS, STEPS = 6.5, (1, 2, 5, 10)  # a telephone has room for so many, beside the first
UNITS = ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"), (1, "ns"))


@dataclass(frozen=True)
class Scale:
    """The stretch of the machine's time that pictures show, in ns; places in it are per cent of the width."""

    begin: int
    end: int

    def at(self, ns: float) -> float:
        """The place of a time; beyond an end: that end."""
        place = 100 * (ns - self.begin) / (self.end - self.begin)
        return round(min(max(place, 0.0), 100.0), 3)

    @property
    def cell(self) -> float:
        """The length of a cell, in ns."""
        return (self.end - self.begin) / CELLS

    def ticks(self) -> list[tuple[float, str]]:
        """Round times: their places, and how they read."""
        least = max((self.end - self.begin) / MOST_TICKS, 1)
        power = 10 ** int(np.floor(np.log10(least)))
        step = power * next(times for times in STEPS if power * times >= least)
        factor, unit = next(
            pair for pair in UNITS if step >= pair[0] or pair[0] == 1 or self.end - self.begin >= pair[0]
        )
        first = -(-self.begin // step) * step
        return [(self.at(ns), f"{ns / factor:.10g} {unit}") for ns in range(first, self.end + 1, step)]


@dataclass(frozen=True)
class Bar:
    """A stretch of a lane in one look. Places in per cent."""

    look: str
    left: float
    width: float


def strip(lives: ln.Lives, pieces: ln.Pieces, scale: Scale) -> list[Bar]:
    """A lane: in each cell what took most of its time, death aside; like cells that touch are one bar."""
    took = np.zeros((len(DRAWN), CELLS))
    looks = np.where(pieces["state"] == ln.DEAD, -1, drawn_as(lives, pieces))
    for look in np.unique(looks[looks >= 0]):
        took[look] = time_in_cells(pieces[looks == look], scale)
    most = np.where(took.any(axis=0), took.argmax(axis=0), -1)
    return [Bar(list(DRAWN)[look], 100 * first / CELLS, 100 * (last - first) / CELLS)
            for look, first, last in stretches(most) if look >= 0]  # fmt: skip


def time_in_cells(pieces: npt.NDArray[np.void], scale: Scale) -> npt.NDArray[np.float64]:
    """How much of each cell the pieces take, in ns; they may be in any order, and overlap."""
    edges = scale.begin + scale.cell * np.arange(CELLS + 1)
    upto = np.zeros(CELLS + 1)
    for bound, sign in ((pieces["begin"], 1), (pieces["end"], -1)):
        times = np.sort(bound).astype(np.float64)
        sums = np.concatenate([[0.0], np.cumsum(times)])
        before = np.searchsorted(times, edges, side="right")
        upto += sign * (before * edges - sums[before])  # the sum of edge - time over the times before the edge
    return np.diff(upto).round(3)  # what is left of a rounding is no time


def stretches(values: npt.NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
    """Runs of the same value: it, the first place, and the one after the last."""
    bounds = np.flatnonzero(np.diff(values, prepend=values[0] - 1, append=values[-1] - 1))
    for first, last in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        yield int(values[first]), first, last
