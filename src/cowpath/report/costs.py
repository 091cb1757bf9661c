"""The page of ``cowpath costs``: the tables of the terminal, and in each cell a mark that shows mean and range."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cowpath.observe.costs import DesignCosts, Measure, SessionCosts, measures_of
from cowpath.observe.costs_tables import compared, foot, heading, mean_text, one_line, range_text, verdicts
from cowpath.observe.text import clean
from cowpath.report import html

WIDTH, EDGE = 96, 4  # px of a mark, and what of it stays free on either side


def write(target: Path, measured: Sequence[SessionCosts], sources: Sequence[str], command: str) -> None:
    """Write the page, whole or not at all; ``sources`` are the sessions' texts. Raises InputError."""
    html.write(target, text_of(measured, sources, command))


def text_of(measured: Sequence[SessionCosts], sources: Sequence[str], command: str) -> str:
    """The page as text: the same figures give the same text."""
    sessions = [_session(each, source) for each, source in zip(measured, sources, strict=True)]
    return html.render("costs.html.j2", sessions=sessions, command=command)


def _session(costs: SessionCosts, source: str) -> dict[str, Any]:
    tables = [
        {"question": question, "headings": [one_line(measure) for measure in measures],
         "rows": [{"design": clean(row.design), "cells": [_cell(costs, row, measure) for measure in measures]}
                  for row in costs.rows]}
        for question, measures in measures_of(costs)
    ]  # fmt: skip
    return {"name": clean(costs.session), "heading": heading(costs), "verdicts": verdicts(costs), "tables": tables,
            "foot": foot(costs), "source": source}  # fmt: skip


def _cell(costs: SessionCosts, row: DesignCosts, measure: Measure) -> dict[str, Any]:
    return {"mean": mean_text(row, measure), "relative": compared(row, measure, costs.base),
            "spread": range_text(row, measure), "mark": _mark(costs, row, measure)}  # fmt: skip


def _mark(costs: SessionCosts, row: DesignCosts, measure: Measure) -> dict[str, Any] | None:
    """Places in px, from 0 to the most that any design has of it."""
    figure = row.figures[measure.key]
    all_of_it = {each.design: each.figures[measure.key] for each in costs.rows}
    most = max((each.most for each in all_of_it.values() if each is not None), default=0.0)
    if figure is None or most <= 0:
        return None
    base = all_of_it[costs.base]
    places = {"least": figure.least, "mean": figure.mean, "most": figure.most}
    if base is not None:
        places["base"] = base.mean
    found: dict[str, Any] = {"base": None}
    return found | {name: round(EDGE + (WIDTH - 2 * EDGE) * value / most, 1) for name, value in places.items()}
