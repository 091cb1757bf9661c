"""What a terminal is given: tables that fit its width, and no blanks at the ends of lines.

A command makes one ``Terminal``, and prints ``Fitted`` tables and texts to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from rich import box
from rich.align import Align
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, ConsoleRenderable, Group, RenderableType, RenderHook
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

BETWEEN = 2  # letters between two columns
LONG_WORD = 28  # letters; a longer word is broken
SHORT_WORD = 14  # ... even such a one, where that keeps a table in one part
BREAKS = "-/_.:"  # after which a word is broken
NARROWEST = 6  # letters, of a column that has to be broken all the same


class Terminal(Console):
    """A console that takes every text as it is, leaves no blanks at line ends, and lets the command line say what
    happens when the reader of its output has gone."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"highlight": False, "markup": False, "emoji": False} | options)
        self.push_render_hook(_NoBlanks())

    def on_broken_pipe(self) -> None:
        """Rich would exit with 1, which is a verdict's status here."""
        raise BrokenPipeError


class _NoBlanks(RenderHook):
    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [Trimmed(Group(*renderables))] if renderables else renderables


class Trimmed:
    """The same without blanks at the ends of its lines."""

    def __init__(self, inner: RenderableType) -> None:
        self.inner = inner

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for line in console.render_lines(self.inner, options, pad=False):
            while line and not line[-1].text.strip():
                line.pop()
            yield from line[:-1]
            if line:
                yield Segment(line[-1].text.rstrip(), line[-1].style)
            yield Segment.line()


class Fitted:
    """A table that fits. Its texts fold where there is no room; where that is not enough, columns go into a second
    table below, each with the first columns again. No word and no number is cut off.

    ``headings``: what ends with a colon stands to the right, and never folds. ``keys``: how many columns every part
    begins with. ``spaced``: an empty line below each row, for cells that have several. Without a heading there is no
    line for them.
    """

    def __init__(self, *headings: str, title: str = "", keys: int = 1, spaced: bool = False) -> None:
        self.headings = [Text(heading.removesuffix(":")) for heading in headings]
        self.right = [heading.endswith(":") for heading in headings]
        self.title, self.keys, self.spaced = title, keys, spaced
        self.rows: list[list[Text]] = []
        self.sections: set[int] = set()  # rows that a line stands before

    def add_row(self, *cells: str | Text) -> None:
        """A row; what it has no cell for is empty. Raises ValueError if there are more cells than columns."""
        missing = len(self.headings) - len(cells)
        if missing < 0:
            raise ValueError(f"{len(cells)} cells, {len(self.headings)} columns")
        self.rows.append([cell if isinstance(cell, Text) else Text(cell) for cell in (*cells, *[""] * missing)])

    def add_section(self) -> None:
        """A line before the next row."""
        self.sections.add(len(self.rows))

    def fits(self, width: int) -> bool:
        """Whether it has room in so many letters without folding or cutting anything."""
        return _together(self._natural()) <= width

    def is_whole(self, width: int) -> bool:
        """Whether all columns stand beside each other there, folded or not."""
        return _together(self._least(LONG_WORD)) <= width

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        if self.title:
            yield Text(self.title, "bold")
        least, shorter = self._least(LONG_WORD), self._least(SHORT_WORD)
        if not self.is_whole(options.max_width) and _together(shorter) <= options.max_width:
            least = shorter
        for at, columns in enumerate(self._parts(options.max_width, least)):
            if at:
                yield Text()
            yield self._part(columns, options.max_width, least)

    def _natural(self) -> list[int]:
        """Letters of each column's widest line."""
        return [max(map(_widest, cells)) for cells in self._columns()]

    def _least(self, longest: int) -> list[int]:
        """Letters that each column needs at least: a number's all, a text's longest word, if that is not too long."""
        return [
            max(map(_widest, cells)) if right else min(longest, max(map(_longest_word, cells)))
            for cells, right in zip(self._columns(), self.right, strict=True)
        ]

    def _columns(self) -> Iterator[list[Text]]:
        for at, heading in enumerate(self.headings):
            yield [heading, *(row[at] for row in self.rows)]

    def _parts(self, width: int, least: Sequence[int]) -> Iterator[list[int]]:
        """The columns of each part, by their places."""
        part = keys = list(range(self.keys))
        for at in range(self.keys, len(self.headings)):
            if part != keys and _together([least[each] for each in [*part, at]]) > width:
                yield part
                part = keys
            part = [*part, at]
        yield part

    def _part(self, columns: Sequence[int], width: int, least: Sequence[int]) -> Table:
        natural = self._natural()
        widths = shared([natural[at] for at in columns], [least[at] for at in columns],
                        width - BETWEEN * (len(columns) - 1))  # fmt: skip
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, BETWEEN - 1, 0, 0),
                      show_header=any(heading.plain for heading in self.headings), show_lines=self.spaced)  # fmt: skip
        for at, wide in zip(columns, widths, strict=True):
            side: Any = "right" if self.right[at] else "left"
            heading = Align(self.headings[at], side, vertical="bottom")
            table.add_column(heading, justify=side, overflow="fold", width=wide, header_style="bold")
        for number, row in enumerate(self.rows):
            if number in self.sections:
                table.add_section()
            table.add_row(*(broken(row[at], wide) for at, wide in zip(columns, widths, strict=True)))
        return table


class Hanging:
    """A line that folds: what follows stands further to the right than its first letter."""

    def __init__(self, line: str, further: int = 2, style: str = "") -> None:
        self.text = Text(line.lstrip(" "), style)
        self.first = len(line) - len(self.text.plain)
        self.rest = self.first + further

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        for at, line in enumerate(self.text.wrap(console, max(options.max_width - self.rest, NARROWEST))):
            line.pad_left(self.rest if at else self.first)
            yield line


def shared(natural: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Widths of columns that come to no more than the room, if that can be: the widest gives first."""
    widths = list(natural)
    for floors in (least, [min(NARROWEST, each) for each in natural]):
        while sum(widths) > room and (loose := [at for at, wide in enumerate(widths) if wide > floors[at]]):
            widths[max(loose, key=widths.__getitem__)] -= 1
    return widths


def _together(widths: Sequence[int]) -> int:
    return sum(widths) + BETWEEN * (len(widths) - 1)


def _widest(cell: Text) -> int:
    return max(map(cell_len, cell.plain.split("\n")))


def _longest_word(cell: Text) -> int:
    return max(map(cell_len, cell.plain.split()), default=1)


def broken(text: Text, width: int) -> Text:
    """With words that are longer than that broken, behind a hyphen or a slash if there is one."""
    offsets = []
    for word in re.finditer(r"\S+", text.plain):
        at = word.start()
        while word.end() - at > width:
            behind = 1 + max(text.plain.rfind(sign, at, at + width) for sign in BREAKS)
            at = behind if behind > at + width // 3 else at + width
            offsets.append(at)
    return Text("\n").join(text.divide(offsets)) if offsets else text
