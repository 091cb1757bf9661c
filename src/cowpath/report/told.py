"""What a page and a notebook say of runs in words and numbers: verdicts with their reasons, and the tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from rich.text import Text

from cowpath.observe.tables import SO_FAR, Column, not_finished, sections
from cowpath.observe.text import clean
from cowpath.report.graph import graph_of, svg

if TYPE_CHECKING:
    from cowpath.results import Result

Run = dict[str, Any]

MOST_CHAINS = 3  # sentences per design; the others are much the same


@dataclass(frozen=True)
class Told:
    """A run in words, and who waits for whom on it as a graph."""

    design: str
    verdict: str
    groups: dict[str, str]
    chain: list[str]
    more: int  # sentences that are left out
    cut: str  # why the run had to end early; empty: it did not
    graph: Markup


def told(result: Result) -> Told:
    """The verdicts of a run, and why."""
    chain = result.chain
    graph = svg(graph_of(result.seen.waits), "who waits for whom")
    more = max(0, len(chain) - MOST_CHAINS)
    return Told(
        result.design,
        result.verdict,
        result.group_verdicts,
        chain[:MOST_CHAINS],
        more,
        not_finished(result.summary),
        graph,
    )


@dataclass(frozen=True)
class Cell:
    """A table's cell: its text, and the class that gives it its place and colour."""

    text: str
    kind: str = ""


@dataclass(frozen=True)
class TableOf:
    """A table: its title, its headings and its rows."""

    title: str
    headings: list[Cell]
    rows: list[list[Cell]]


def tables(runs: Sequence[Run]) -> list[TableOf]:
    """The tables that the terminal shows."""
    return [
        TableOf(
            title,
            [Cell("design"), *(Cell(column.heading, _side(column)) for column in columns)],
            [[Cell(clean(run["design"])), *(_cell(column, run) for column in columns)] for run in runs],
        )
        for title, columns in sections(runs)
    ]


def _side(column: Column) -> str:
    return "number" if column.justify == "right" else ""


def _cell(column: Column, run: Run) -> Cell:
    shown = column.cell(run)
    if isinstance(shown, Text) and column.justify == "left":  # a verdict, in its colour
        return Cell(shown.plain, f"verdict {shown.plain.removesuffix(SO_FAR)}")
    return Cell(clean(str(shown), 60), _side(column))
