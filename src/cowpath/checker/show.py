"""Verdicts of checks as tables for people: a line per property, and a counterexample's moves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cowpath.observe.text import clean, count, duration

from .player import Row
from .result import Result

STYLES = {"proved": "green", "violated": "bold red", "vacuous": "bold yellow", "unfinished": "yellow"}
MARKS = {"proved": "proved", "violated": "VIOLATED", "vacuous": "proved, but vacuous", "unfinished": "not finished"}


def verdict_text(verdict: str) -> Text:
    """A verdict in its colour."""
    return Text(MARKS[verdict], style=STYLES[verdict])


def results_table(results: Sequence[Result]) -> RenderableType:
    """A row per result, then a sentence for each that is not proved."""
    table = Table(box=box.SIMPLE, pad_edge=False)
    for heading in ("design", "case", "property", "verdict"):
        table.add_column(heading, overflow="fold")
    for heading in ("moves", "states", "transitions"):
        table.add_column(heading, justify="right")
    for result in results:
        table.add_row(
            clean(result.design), clean(result.case), result.property, verdict_text(result.verdict),
            str(result.depth), count(result.states), count(result.transitions),
        )  # fmt: skip
    return Group(table, *reasons(results), *never(results))


def reasons(results: Sequence[Result]) -> Iterator[RenderableType]:
    """Why each is not proved; what is the same for several designs is said once."""
    for (case, name, reason), designs in merged_reasons(results).items():
        head = Text.assemble((f"{clean(case)}, {name}", "bold"), f" ({', '.join(clean(each) for each in designs)}):")
        yield Group(head, Padding(Text(reason), (0, 0, 0, 2)))


def merged_reasons(results: Sequence[Result]) -> dict[tuple[str, str, str], list[str]]:
    """By case, property and reason the designs on which the property is not proved for that."""
    said: dict[tuple[str, str, str], list[str]] = {}
    for result in results:
        if result.reason:
            said.setdefault((result.case, result.property, result.reason), []).append(result.design)
    return said


def never(results: Sequence[Result]) -> Iterator[RenderableType]:
    """A paragraph for each case and those designs on which it never does the same."""
    for case, designs, lines in unreached(results):
        head = Text.assemble((f"{clean(case)}: what never happens", "bold"), f" ({', '.join(map(clean, designs))}):")
        yield Group(head, *(Padding(Text(line, "dim"), (0, 0, 0, 2)) for line in lines))


def never_in_short(results: Sequence[Result]) -> Iterator[RenderableType]:
    """One line for all of them: where there is such a paragraph, and which command prints it."""
    cases = sorted({case for case, _, _ in unreached(results)})
    if cases:
        case = clean(cases[0])
        yield Text(
            f"In {count(len(cases))} of the cases some step is never reached, or some path never completed, on some "
            f"design: cowpath check -c CASE -d DESIGN names them ({case}, for one).", "dim",
        )  # fmt: skip


def unreached(results: Sequence[Result]) -> Iterator[tuple[str, list[str], tuple[str, ...]]]:
    """What never happened in any state of a case, in lines; the case, and the designs of which they are true."""
    designs: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    searched = {(result.case, result.design): result.coverage for result in results if result.coverage is not None}
    for (case, design), coverage in searched.items():
        designs.setdefault((case, tuple(coverage.lines())), []).append(design)
    for (case, lines), those in designs.items():
        if lines:
            yield case, those, lines


def moves_table(rows: Sequence[Row], tasks: Sequence[str], begins_cycle: int | None = None) -> RenderableType:
    """A counterexample: a column per task, a row per move, the page locks and usages after it, the time it begins."""
    others = any(row.task < 0 for row in rows)
    shown = [name for t, name in enumerate(tasks) if any(row.task == t for row in rows)]
    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column("move", justify="right")
    for name in (*shown, *(["outside and devices"] if others else [])):
        table.add_column(clean(name), overflow="fold")
    for heading in ("page locked by", "usage/limit"):
        table.add_column(heading, overflow="fold")
    table.add_column("begins", justify="right", no_wrap=True)
    for row in rows:
        if begins_cycle is not None and row.number == begins_cycle:
            table.add_section()
        cells = [_doing(row) if 0 <= row.task < len(tasks) and tasks[row.task] == name else "" for name in shown]
        last = [row.mover if row.task < 0 else ""] if others else []
        table.add_row(str(row.number), *cells, *last, ", ".join(row.locks), ", ".join(row.usage),
                      duration(row.begins_ns))  # fmt: skip
    return table


def _doing(row: Row) -> str:
    words = f"{row.path}: {row.step}" if row.path else row.step
    return f"{words} ({row.ends})" if row.ends else words
