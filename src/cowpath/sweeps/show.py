"""A sweep as a table for people, and as one object for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from cowpath.observe.tables import verdict_text
from cowpath.observe.terminal import Fitted
from cowpath.observe.text import clean, count, visible

from .measures import MEASURES, Cell, Measure, cells
from .store import Row, Sweep

SHOWN = ("longest-stall", "time", "kills", "majors")
MOST_ERRORS = 5


def report(sweep: Sweep, rows: Iterable[Row], measures: Sequence[Measure] = ()) -> Iterator[RenderableType]:
    """A line for each combination of values and each design; then what has failed."""
    found = cells(rows)
    there = sum(len(cell.results) + len(cell.errors) for cell in found)
    yield Text(f"{clean(sweep.session)}: {count(there)} points, of {count(sweep.wanted)} that were asked for last",
               style="bold")  # fmt: skip
    yield table(sweep, found, measures or [MEASURES[name] for name in SHOWN])
    yield from failures(sweep, found)


def table(sweep: Sweep, found: Sequence[Cell], measures: Sequence[Measure]) -> Fitted:
    """The lines. Means over the seeds; where runs differ, the least and the most behind them."""
    several = len({cell.design for cell in found}) > 1
    groups = list(dict.fromkeys(name for cell in found for name in cell.group_verdicts()))
    keys = [*(f"{short(name)}:" for name in sweep.names), *(["design"] if several else [])]
    made = Fitted(*keys, "runs:", "outside", *map(clean, groups), *(f"{measure.title}:" for measure in measures),
                  keys=len(keys) or 1)  # fmt: skip
    for cell in found:
        line: list[Any] = [clean(value) for value in cell.values]
        line += [clean(cell.design)] if several else []
        line += [count(len(cell.results)), counts_text(cell.verdicts())]
        line += [counts_text(cell.group_verdicts().get(group, {})) for group in groups]
        line += [spread_text(cell, measure) for measure in measures]
        made.add_row(*line)
    return made


def short(name: str) -> str:
    """The first of several names, and how many more there are."""
    first, *more = name.split("+")
    return clean(first) + (f" +{len(more)}" if more else "")


def counts_text(counts: dict[str, int]) -> Text:
    """``isolated 18, stalled 2``; one verdict alone without its number."""
    if len(counts) <= 1:
        return verdict_text(next(iter(counts), None))
    parts = [Text.assemble(verdict_text(verdict), f" {number}") for verdict, number in counts.items()]
    return Text(", ").join(parts)


def spread_text(cell: Cell, measure: Measure) -> str:
    """``12.3 s (11.0 s to 14.1 s)``"""
    spread = cell.spread(measure)
    if spread is None:
        return "-"
    mean, least, most = map(measure.show, (spread.mean, spread.least, spread.most))
    return mean if least == most else f"{mean} ({least} to {most})"


def failures(sweep: Sweep, found: Sequence[Cell]) -> Iterator[Text]:
    """What has failed, each error once."""
    where: dict[str, list[Cell]] = {}
    for cell in found:
        for error in cell.errors:
            where.setdefault(error, []).append(cell)
    if where:
        yield Text(f"Failed: {count(sum(map(len, where.values())))} points", style="bold red")
    for error, its in list(where.items())[:MOST_ERRORS]:
        named = ", ".join(f"{name}={value}" for name, value in zip(sweep.names, its[0].values, strict=True))
        yield Text(visible(f"  {count(len(its))}, as {named} on {its[0].design}: {error}"))
    if len(where) > MOST_ERRORS:
        yield Text(f"  ... and {len(where) - MOST_ERRORS} more errors")


def as_json(sweep: Sweep, rows: Iterable[Row]) -> dict[str, Any]:
    """docs/json.md."""
    found = cells(rows)
    return {
        "sweep": sweep.id,
        "session": sweep.session,
        "names": list(sweep.names),
        "wanted": sweep.wanted,
        "cells": [cell_json(sweep, cell) for cell in found],
    }


def cell_json(sweep: Sweep, cell: Cell) -> dict[str, Any]:
    """A combination of values on a design."""
    spreads = {name: cell.spread(measure) for name, measure in MEASURES.items()}
    return {
        "values": dict(zip(sweep.names, cell.values, strict=True)),
        "design": cell.design,
        "runs": len(cell.results),
        "failed": len(cell.errors),
        "verdicts": cell.verdicts(),
        "group_verdicts": cell.group_verdicts(),
        "measures": {name: None if spread is None else vars(spread) for name, spread in spreads.items()},
    }
