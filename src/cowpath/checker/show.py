"""Verdicts of checks as tables for people: a line per property, and a counterexample's moves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from cowpath.observe.tables import merged
from cowpath.observe.terminal import Fitted
from cowpath.observe.text import clean, count, duration

from .player import Row
from .result import Result

STYLES = {"proved": "green", "violated": "bold red", "vacuous": "bold yellow", "unfinished": "yellow"}
OTHERS, AFTER = "outside and devices", ("page locked by", "usage/limit", "begins:")  # headings
DITTO = '"'
MARKS = {"proved": "proved", "violated": "VIOLATED", "vacuous": "proved, but vacuous", "unfinished": "not finished"}


def verdict_text(verdict: str) -> Text:
    """A verdict in its colour."""
    return Text(MARKS[verdict], style=STYLES[verdict])


def results_table(results: Sequence[Result]) -> RenderableType:
    """A row per result, where several properties may share one, then a sentence for each that is not proved."""
    table = Fitted("design", "case", "property", "verdict", "moves:", "states:", "transitions:", keys=3)
    for properties, (design, case, *figures) in merged((result.property, _cells(result)) for result in results):
        table.add_row(design, case, ", ".join(properties), *figures)
    return Group(table, Text(), *reasons(results), *never(results))


def _cells(result: Result) -> list[Text]:
    figures = (str(result.depth), count(result.states), count(result.transitions))
    return [Text(clean(result.design)), Text(clean(result.case)), verdict_text(result.verdict), *map(Text, figures)]


def reasons(results: Sequence[Result]) -> Iterator[RenderableType]:
    """Why each is not proved; what is the same for several designs, and for several properties, is said once."""
    for (case, reason, designs), names in merged_reasons(results).items():
        head = Text.assemble((f"{clean(case)}, {', '.join(names)}", "bold"), f" ({', '.join(map(clean, designs))}):")
        yield Group(head, Padding(Text(reason), (0, 0, 0, 2)))


def merged_reasons(results: Sequence[Result]) -> dict[tuple[str, str, tuple[str, ...]], list[str]]:
    """By case, reason and designs the properties that are not proved there."""
    said: dict[tuple[str, str, str], list[str]] = {}
    for result in results:
        if result.reason:
            said.setdefault((result.case, result.property, result.reason), []).append(result.design)
    together: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for (case, name, reason), designs in said.items():
        together.setdefault((case, reason, tuple(designs)), []).append(name)
    return together


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
    """A counterexample: a row per move, the page locks and usages after it, the time it begins. A column per task
    where there is room, else one that says who moves."""
    return _Moves(rows, tasks, begins_cycle)


class _Moves:
    def __init__(self, rows: Sequence[Row], tasks: Sequence[str], begins_cycle: int | None = None) -> None:
        self.rows, self.tasks, self.begins_cycle = rows, tasks, begins_cycle

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        wide = self._column_per_task()
        yield wide if wide.fits(options.max_width) else self._one_column()

    def _column_per_task(self) -> Fitted:
        shown = [name for t, name in enumerate(self.tasks) if any(row.task == t for row in self.rows)]
        others = any(row.task < 0 for row in self.rows)
        table = Fitted("move:", *map(clean, shown), *([OTHERS] if others else []), *AFTER)
        for row in self._rows(table):
            mine = self._who(row)
            cells = [_doing(row) if name == mine else "" for name in shown]
            last = [row.mover if row.task < 0 else ""] if others else []
            table.add_row(str(row.number), *cells, *last, *_after(row))
        return table

    def _one_column(self) -> Fitted:
        """What is as after the move before has a ditto mark: there is room for each lock once."""
        table = Fitted("move:", "who", "does", *AFTER)
        before = ["", ""]
        for row in self._rows(table):
            *after, begins = _after(row)
            same = [DITTO if cell and cell == last else cell for cell, last in zip(after, before, strict=True)]
            who = clean(self._who(row)) if row.task >= 0 else ""
            table.add_row(str(row.number), who, _doing(row) if row.task >= 0 else row.mover, *same, begins)
            before = after
        return table

    def _rows(self, table: Fitted) -> Iterator[Row]:
        for row in self.rows:
            if row.number == self.begins_cycle:
                table.add_section()
            yield row

    def _who(self, row: Row) -> str:
        return self.tasks[row.task] if 0 <= row.task < len(self.tasks) else ""


def _after(row: Row) -> list[str]:
    """The machine after a move."""
    return [", ".join(row.locks), ", ".join(row.usage), duration(row.begins_ns)]


def _doing(row: Row) -> str:
    words = f"{row.path}: {row.step}" if row.path else row.step
    return f"{words} ({row.ends})" if row.ends else words
