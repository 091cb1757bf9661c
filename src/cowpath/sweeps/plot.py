"""A sweep as one page: curves with their spread, a heat map where two names are varied, and the table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from cowpath.errors import InputError
from cowpath.observe.text import clean, count, duration
from cowpath.report.curves import Axis, Curve, curves_figure, heat_figure, is_by_multiples
from cowpath.report.sweep import Page, PageTable
from cowpath.words import nearest

from .measures import Cell, Measure, cells, varied
from .show import short, spread_text
from .store import Row, Sweep
from .values import as_number

DESIGN = "design"


def page_of(sweep: Sweep, rows: Iterable[Row], measures: Sequence[Measure], x: str | None, command: str) -> Page:
    """The page. ``x``: which name is on the axis; None: what takes the most numbers. Raises InputError."""
    found = [cell for cell in cells(rows) if cell.results]
    if not found:
        raise InputError("no point of it has been played: there is nothing to draw")
    on_x = axis_of(sweep, found, x)
    figures: dict[str, Any] = {}
    for measure in measures:
        if on_x is not None:
            figures[f"{measure.title}, over {short(sweep.names[on_x])}"] = curves_of(sweep, found, measure, on_x)
        others = [at for at in varied(found, sweep.names) if at != on_x]
        if on_x is not None and others:
            for design in dict.fromkeys(cell.design for cell in found):
                mine = [cell for cell in found if cell.design == design]
                heat = heat_of(sweep, mine, measure, on_x, others[0])
                if heat is not None:
                    figures[f"{measure.title} on {clean(design)}"] = heat
    points = sum(len(cell.results) for cell in found)
    head = f"{count(points)} points: {', '.join(sweep.names) or 'seeds only'}. A band is from the least to the most."
    return Page(sweep.session, "a sweep", head, sweep.source, command, figures, [table_of(sweep, found, measures)])


def axis_of(sweep: Sweep, found: Sequence[Cell], wanted: str | None) -> int | None:
    """Which name is on the axis. Raises InputError."""
    numbers = [
        at for at in range(len(sweep.names)) if all(as_number(cell.values[at]) is not None for cell in found)
    ]  # fmt: skip
    if wanted is None:
        several = [at for at in varied(found, sweep.names) if at in numbers]
        return max(several, key=lambda at: len({cell.values[at] for cell in found}), default=None)
    if wanted not in sweep.names:
        raise InputError(f"--x: {wanted!r} is not varied", hint=nearest(wanted, sweep.names, ", ".join(sweep.names)))
    at = sweep.names.index(wanted)
    if at not in numbers:
        raise InputError(f"--x: not all values of {wanted} are numbers")
    return at


def unit_of(values: Iterable[str]) -> str:
    """``bytes``, ``s`` or nothing: what values are of."""
    kinds = {value[-1:] for value in values}
    return "bytes" if kinds & set("KMGTkmgt") else "s" if kinds & set("sh") else ""


def curves_of(sweep: Sweep, found: Sequence[Cell], measure: Measure, on_x: int) -> Any:
    """A curve for each combination of all else."""
    others = [at for at in varied(found, sweep.names) if at != on_x]
    several = len({cell.design for cell in found}) > 1
    lines: dict[str, list[tuple[float, float, float, float]]] = {}
    for cell in found:
        spread = cell.spread(measure)
        place = as_number(cell.values[on_x])
        if spread is None or place is None:
            continue
        words = [f"{short(sweep.names[at])}={cell.values[at]}" for at in others] + ([cell.design] if several else [])
        label = clean(", ".join(words), 60) or clean(cell.design)
        lines.setdefault(label, []).append((place, spread.mean, spread.least, spread.most))
    values = [cell.values[on_x] for cell in found]
    unit = unit_of(values)
    axis = Axis(f"{short(sweep.names[on_x])}{', s' if unit == 's' else ''}", unit if unit == "bytes" else "",
                is_by_multiples([as_number(value) or 0.0 for value in values]))  # fmt: skip
    drawn = [Curve(label, tuple(sorted(points))) for label, points in lines.items()]
    return curves_figure(drawn, axis, Axis(measure.title, "ns" if is_time(measure) else ""), measure.name)


def heat_of(sweep: Sweep, found: Sequence[Cell], measure: Measure, on_x: int, on_y: int) -> Any | None:
    """A field for each pair; what else was varied is averaged over."""
    fields: dict[tuple[str, str], list[float]] = {}
    for cell in found:
        if (spread := cell.spread(measure)) is not None:
            fields.setdefault((cell.values[on_x], cell.values[on_y]), []).append(spread.mean)
    if not fields:
        return None
    means = [(column, row, sum(figures) / len(figures)) for (column, row), figures in fields.items()]
    return heat_figure(means, short(sweep.names[on_x]), short(sweep.names[on_y]), f"heat {measure.name}", measure.show)


def is_time(measure: Measure) -> bool:
    """Its figures are ns."""
    return measure.show(1e9) == duration(10**9)


def table_of(sweep: Sweep, found: Sequence[Cell], measures: Sequence[Measure]) -> PageTable:
    """A row for each combination on each design."""
    rows = []
    for cell in found:
        verdicts = ", ".join(f"{verdict} {number}" for verdict, number in cell.verdicts().items())
        shown = [spread_text(cell, measure) for measure in measures]
        rows.append([", ".join(cell.values) or "-", clean(cell.design), count(len(cell.results)), verdicts, *shown])
    headings = [", ".join(sweep.names) or "-", DESIGN, "runs", "outside", *(measure.title for measure in measures)]
    return PageTable("In figures: mean (least to most)", headings, rows)
