"""What is read off a point: the figures of a table, a curve, and an export."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from cowpath.errors import InputError
from cowpath.observe.costs import time
from cowpath.observe.summary import peak
from cowpath.observe.text import count, significant
from cowpath.words import nearest

from .point import FAILED
from .store import Row

Result = dict[str, Any]  # a run, as in cowpath run --json


@dataclass(frozen=True)
class Measure:
    """A figure of a run. ``read`` gives None where a run has none."""

    name: str
    title: str
    read: Callable[[Result], float | None]
    show: Callable[[float], str] = lambda value: significant(value) if value % 1 else count(int(value))


def _finished(run: Result) -> float | None:
    verdicts = run["group_verdicts"].values()
    return fmean(verdict == "finished" for verdict in verdicts) if verdicts else None


def _longest(run: Result) -> float:
    stall = run["longest_stall"]
    return float(stall["ns"]) if stall else 0.0


MEASURES = {
    each.name: each
    for each in (
        Measure("time", "machine's time at the end", lambda run: run["virtual_ns"], time),
        Measure("finished", "groups that have finished, of 1", _finished),
        Measure("held-up", "held up outside, of 1", lambda run: float(run["verdict"] != "isolated")),
        Measure("longest-stall", "longest stall outside", _longest, time),
        Measure("stalls", "stalls outside", lambda run: run["stalls"]),
        Measure("kills", "OOM kills", lambda run: run["totals"]["oom_kills"]),
        Measure("majors", "major faults", lambda run: run["major_faults"]),
        Measure("faults", "page faults", lambda run: run["faults"]),
        Measure("reclaimed", "pages reclaimed", lambda run: run["totals"]["pages_reclaimed"]),
        Measure("throttled", "asleep for memory.high", lambda run: run["blocked_ns"].get("throttled", 0), time),
        Measure("page-lock", "asleep for page locks", lambda run: run["blocked_ns"].get("page_lock", 0), time),
        Measure("outside-p99", "p99 of faults outside", lambda run: run["bystanders"]["p99_ns"], time),
    )
}
DEFAULT = "time"


def find(name: str) -> Measure:
    """A measure by its name. Raises InputError."""
    if name not in MEASURES:
        hint = nearest(name, MEASURES, f"one of: {', '.join(MEASURES)}")
        raise InputError(f"--measure: there is no {name!r}", hint=hint)
    return MEASURES[name]


@dataclass(frozen=True)
class Spread:
    """The mean of some runs, with the least and the most; None where no run has the figure."""

    mean: float
    least: float
    most: float

    @staticmethod
    def of(values: Iterable[float | None]) -> Spread | None:
        """Of those that are there."""
        known = [float(value) for value in values if value is not None]
        return Spread(fmean(known), min(known), max(known)) if known else None


@dataclass
class Cell:
    """All seeds of one combination of values on one design."""

    values: tuple[str, ...]
    design: str
    results: list[Result]
    errors: list[str]

    def spread(self, measure: Measure) -> Spread | None:
        """Of a figure, over the seeds."""
        return Spread.of(measure.read(run) for run in self.results)

    def verdicts(self) -> dict[str, int]:
        """How many runs had which verdict for the tasks outside."""
        return _counted(run["verdict"] for run in self.results)

    def group_verdicts(self) -> dict[str, dict[str, int]]:
        """The same for each group."""
        names = dict.fromkeys(name for run in self.results for name in run["group_verdicts"])
        return {name: _counted(run["group_verdicts"].get(name) for run in self.results) for name in names}


def _counted(words: Iterable[str | None]) -> dict[str, int]:
    found: dict[str, int] = {}
    for word in words:
        if word is not None:
            found[word] = found.get(word, 0) + 1
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def cells(rows: Iterable[Row]) -> list[Cell]:
    """The points, those that differ in nothing but the seed together, in the order of their values as numbers."""
    found: dict[tuple[tuple[str, ...], str], Cell] = {}
    for row in sorted(rows, key=lambda row: row.seed):
        cell = found.setdefault((row.values, row.design), Cell(row.values, row.design, [], []))
        if row.status == FAILED or row.result is None:
            cell.errors.append(row.error or "")
        else:
            cell.results.append(row.result)
    return sorted(found.values(), key=lambda cell: (*(_in_order(value) for value in cell.values), cell.design))


def _in_order(value: str) -> tuple[int, float, str]:
    from .values import as_number

    number = as_number(value)
    return (0, number, "") if number is not None else (1, 0.0, value)


def flat(result: Result | None) -> dict[str, Any]:
    """A run's figures by name, for a row of an export; with those of each group behind ``GROUP.``"""
    if result is None:
        return {}
    groups: dict[str, Any] = {}
    for name, group in result["groups"].items():
        groups |= {
            f"{name}.verdict": result["group_verdicts"].get(name),
            f"{name}.peak_bytes": peak(group),
            f"{name}.p99_ns": group["latency"]["p99_ns"],
            **{f"{name}.{key}": group[key] for key in ("oom_kills", "major_faults", "jobs_done")},
        }
    return {
        "verdict": result["verdict"],
        "ended": result["ended"],
        "virtual_ns": result["virtual_ns"],
        **{
            name.replace("-", "_") + ("_ns" if measure.show is time else ""): measure.read(result)
            for name, measure in MEASURES.items()
            if name != "time"
        },
        "steps": result["steps"],
        "retries": result["retries"],
        **groups,
    }


def varied(cells_: Sequence[Cell], names: Sequence[str]) -> list[int]:
    """Which names take more than one value."""
    return [at for at in range(len(names)) if len({cell.values[at] for cell in cells_}) > 1]
