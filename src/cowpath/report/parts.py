"""The parts of a page about runs that are text: tables, step lists, the longest waits, the legend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup
from rich.text import Text

from cowpath.designs import Design
from cowpath.designs.edits import align
from cowpath.kernel.steps import PATH_NAMES
from cowpath.observe import lanes as ln
from cowpath.observe.tables import Column, sections
from cowpath.observe.text import clean, duration
from cowpath.report.graph import graph_of, svg

if TYPE_CHECKING:
    from cowpath.report.chosen import Chosen
    from cowpath.report.lanes_figure import Look
    from cowpath.results import Result

Run = dict[str, Any]

MOST_CHAINS = 3  # sentences per design; the others are much the same
MOST_WAITS = 12
SHOWN_PATH = "file_cow"  # of a page about one design


@dataclass(frozen=True)
class Told:
    """A run in words, and who waits for whom on it as a graph."""

    design: str
    verdict: str
    groups: dict[str, str]
    chain: list[str]
    more: int  # sentences that are left out
    graph: Markup


def told(result: Result) -> Told:
    """The verdicts of a run, and why."""
    chain = result.chain
    graph = svg(graph_of(result.seen.waits), f"who waits for whom on {clean(result.design)}")
    more = max(0, len(chain) - MOST_CHAINS)
    return Told(result.design, result.verdict, result.group_verdicts, chain[:MOST_CHAINS], more, graph)


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
        return Cell(shown.plain, f"verdict {shown.plain}")
    return Cell(clean(str(shown), 60), _side(column))


@dataclass(frozen=True)
class Wait:
    """One of the longest waits for a lock or for memory."""

    who: str
    group: str
    what: str
    begins: str
    lasted: str
    by: str


def longest_waits(chosen: Chosen) -> list[Wait]:
    """The longest waits of tasks for page locks, of those outside every group first."""
    pieces = chosen.pieces[(chosen.pieces["state"] == ln.PAGE_LOCK) & (chosen.pieces["joined"] == 0)]
    inside = chosen.timeline.lives["group"][pieces["life"]] > 0
    order = np.lexsort((pieces["begin"], pieces["begin"] - pieces["end"], inside))[:MOST_WAITS]
    people, things = chosen.person_of(pieces["life"]), chosen.things_of(pieces)
    holders = chosen.person_of(pieces["by"])
    return [
        Wait(
            chosen.names[people[i]],
            chosen.groups[people[i]],
            chosen.things[things[i]] if things[i] >= 0 else "a page lock",
            duration(int(pieces["begin"][i])),
            duration(int(pieces["end"][i] - pieces["begin"][i])) + (" +" if pieces["open"][i] else ""),
            holder(chosen, int(holders[i])),
        )
        for i in order
    ]


def holder(chosen: Chosen, person: int) -> str:
    """Who held it, with the group."""
    if person < 0:
        return "the disk" if person == ln.BY_DISK else "-"
    group = chosen.groups[person]
    return f"{chosen.names[person]} in {group}" if group else chosen.names[person]


@dataclass(frozen=True)
class Step:
    """A step of a path; ``moved``: it stands elsewhere, or not at all, in the first design."""

    name: str
    moved: bool


@dataclass(frozen=True)
class PathOf:
    """A path of a design, and how it differs from the first design's, in words."""

    name: str
    steps: list[Step]
    edits: list[str]


@dataclass(frozen=True)
class DesignOf:
    """What a page shows of a design."""

    name: str
    summary: str
    commit: str
    paths: list[PathOf]
    policies: list[tuple[str, str]]


def design_lists(designs: Sequence[Design]) -> list[DesignOf]:
    """The step lists of the paths in which the designs differ, with what moved from the first to each."""
    first = designs[0]
    differing = [path for path in PATH_NAMES if any(each.paths[path] != first.paths[path] for each in designs)]
    policies = [name for name in first.policies if any(each.policies[name] != first.policies[name] for each in designs)]
    return [
        DesignOf(
            each.name,
            each.summary,
            each.commit,
            [_path(path, first.paths[path], each.paths[path]) for path in differing or [SHOWN_PATH]],
            [(name, str(each.policies[name])) for name in policies or first.policies],
        )
        for each in designs
    ]


def _path(name: str, old: Sequence[str], new: Sequence[str]) -> PathOf:
    found = align(old, new)
    places = sorted(found.kept | {edit.new for edit in found.edits if edit.new >= 0})
    steps = [Step(found.slots[place], place not in found.kept) for place in places]
    return PathOf(name, steps, [edit.words() for edit in found.edits])


HATCHES = {
    "right_diagonal_line": '<path d="M-1 7L7 -1M3 11L11 3"/>',
    "diagonal_cross": '<path d="M0 0L8 8M8 0L0 8"/>',
    "vertical_line": '<path d="M4 0V8"/>',
    "dot": '<circle cx="4" cy="4" r="1.2"/>',
}


def swatch(name: str, look: Look) -> Markup:
    """A state's colour, height and hatching, as they are in the figure."""
    high = max(1.5, 18 * look.height)
    place = f'x="0" y="{(18 - high) / 2:g}" width="30" height="{high:g}"'
    hatch = ""
    if look.hatch:
        hatch = (f'<defs><pattern id="hatch-{name}" width="8" height="8" patternUnits="userSpaceOnUse" fill="#fff" '
                 f'stroke="#fff" stroke-width="1.2">{HATCHES[look.hatch]}</pattern></defs>'
                 f'<rect {place} fill="url(#hatch-{name})"/>')  # fmt: skip
    shape = f'<rect {place} fill="{look.colour}"/>{hatch}'
    return Markup(f'<svg class="swatch" width="30" height="18" aria-hidden="true">{shape}</svg>')
