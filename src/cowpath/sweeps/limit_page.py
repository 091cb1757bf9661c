"""The page about the limit that a job needs: how many runs complete, time and major faults over the limit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from cowpath.observe.text import clean, count
from cowpath.report.curves import Axis, Curve, curves_figure
from cowpath.report.sweep import Page, PageTable

from .advice import HEADINGS, rows
from .limit import Answer, Tried

if TYPE_CHECKING:
    from cowpath.sweeping import Limits

Point = tuple[float, float, float]


def page_of(found: Limits, command: str) -> Page:
    """The page."""
    answer = found.answer
    runs = sum(len(each.runs) for each in (answer.unlimited, *answer.tried))
    head = f"{count(runs)} runs on {clean(found.design.name)}, at {len(answer.tried)} limits, {answer.seeds} seeds."
    figures = {
        "Runs that complete": figure(answer, "runs that complete, of 1", "", _share),
        "Time": figure(answer, "time of the runs that complete", "ns", lambda tried: _spread(tried, "virtual_ns")),
        "Major faults": figure(answer, "major faults of the group", "", _majors),
    }
    tables = [PageTable("Limits that were tried", HEADINGS, list(rows(answer)))]
    blocks = [("To paste", found.lines)] if found.lines else []
    return Page(found.session, f"how much memory {clean(answer.group)} needs", head, found.source, command, figures,
                tables, found.sentences, blocks)  # fmt: skip


def figure(answer: Answer, label: str, unit: str, of: Callable[[Tried], Point | None]) -> Any:
    """A curve over the limits, with marks at what was found."""
    points = [(float(tried.limit or 0), *point) for tried in answer.tried if (point := of(tried)) is not None]
    marks = [
        (float(place), word)
        for place, word in ((answer.limit, "completes"), (answer.comfortable, "hardly slower"), (answer.peak, "peak"))
        if place is not None
    ]
    curve = Curve(f"{answer.seeds} seeds", tuple(sorted(points)))
    return curves_figure([curve], Axis("limit", "bytes"), Axis(label, unit), label, marks)


def _share(tried: Tried) -> Point:
    share = tried.completed / len(tried.runs)
    return share, share, share


def _spread(tried: Tried, name: str) -> Point | None:
    return tried.figures(lambda run: run[name])


def _majors(tried: Tried) -> Point:
    values: Sequence[int] = [run["groups"][tried.group]["major_faults"] for run in tried.runs]
    return sum(values) / len(values), min(values), max(values)
