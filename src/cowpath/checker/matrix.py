"""The matrix of an audit: cases by designs, in words where they fit the terminal's width, else in signs with a key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from string import ascii_lowercase

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from cowpath.observe.text import clean

from .result import Result
from .show import STYLES, verdict_text

SHORT = {"vacuous": "vacuous", "unfinished": "?"}  # in a cell of words
SIGNS = {"vacuous": "v", "unfinished": "?"}  # in a cell of signs
KERNEL = "linux-"
ANY_WIDTH = 100_000  # letters
BETWEEN = 2  # letters between two columns
EDGES = 4  # letters that a table has at its sides

Cells = dict[str, list[Result]]  # by design


class Matrix:
    """Cases by designs: which properties are violated there, by how many moves."""

    def __init__(self, results: Sequence[Result]) -> None:
        self.designs = list(dict.fromkeys(result.design for result in results))
        self.rows: dict[tuple[str, str], Cells] = {}
        for result in results:
            self.rows.setdefault((result.path, result.case), {}).setdefault(result.design, []).append(result)
        self.codes = _codes(dict.fromkeys(result.property for result in results))
        self.heads = _heads(self.designs)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """In words, or in as many tables of signs as it takes."""
        table = self._in_words()
        if Measurement.get(console, options.update(max_width=ANY_WIDTH), table).maximum <= options.max_width:
            yield table
            return
        for some in self._blocks(options.max_width):
            yield self._in_signs(some)
        yield self._key()

    def _in_words(self) -> Table:
        table = Table(box=box.SIMPLE, pad_edge=False)
        for heading in ("path", "case", *self.designs):
            table.add_column(clean(heading), overflow="fold")
        for (path, case), cells in self.rows.items():
            table.add_row(path, clean(case), *(_words(cells.get(design, [])) for design in self.designs))
        return table

    def _blocks(self, width: int) -> Iterator[list[str]]:
        """Kernels, then the other designs, as many beside each other as there is room for."""
        room = width - EDGES - max(len(clean(case)) for _, case in self.rows)
        kernels = sorted(filter(_is_kernel, self.designs), key=_release)
        for those in (kernels, [design for design in self.designs if design not in kernels]):
            block: list[str] = []
            for design in those:
                if block and sum(map(self._width, [*block, design])) > room:
                    yield block
                    block = []
                block.append(design)
            if block:
                yield block

    def _width(self, design: str) -> int:
        cells = [self._signs(row.get(design, [])) for row in self.rows.values()]
        return BETWEEN + max(len(self.heads[design]), *(len(line) for cell in cells for line in cell.plain.split("\n")))

    def _in_signs(self, designs: Sequence[str]) -> Table:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, BETWEEN - 1, 0, 0))
        for heading in ("case", *(self.heads[design] for design in designs)):
            table.add_column(clean(heading), no_wrap=True)
        for (_, case), cells in self.rows.items():
            if any(cells.get(design) for design in designs):
                table.add_row(clean(case), *(self._signs(cells.get(design, [])) for design in designs))
        return table

    def _signs(self, results: Sequence[Result]) -> Text:
        """``ok``, or the properties that are not: ``I15``."""
        if not results:
            return Text("-", "dim")
        bad = [result for result in results if result.verdict != "proved"]
        if not bad:
            return Text("ok", STYLES["proved"])
        return Text("\n").join(Text(self.sign(each), STYLES[each.verdict]) for each in bad)

    def sign(self, result: Result) -> str:
        """``I15``."""
        return f"{self.codes[result.property]}{SIGNS.get(result.verdict, result.depth)}"

    def _key(self) -> Text:
        """What heads and signs mean."""
        bad = {each.property for row in self.rows.values() for cell in row.values() for each in cell
               if each.verdict != "proved"}  # fmt: skip
        letters = [f"{head} {clean(name)}" for name, head in self.heads.items() if not _is_kernel(name)]
        signs = [f"{code} {clean(name)}" for name, code in self.codes.items() if name in bad]
        lines = [", ".join(letters), ", ".join(signs)]
        lines.append("a number: moves of the shortest schedule that violates it; v proved, but vacuous; "
                     "? not finished; - not about this design")  # fmt: skip
        return Text("\n".join(filter(None, lines)), "dim")


def _is_kernel(name: str) -> bool:
    return name.startswith(KERNEL) and name.removeprefix(KERNEL).replace(".", "").isdecimal()


def _release(name: str) -> tuple[int, ...]:
    return tuple(map(int, name.removeprefix(KERNEL).split(".")))


def _heads(designs: Iterable[str]) -> dict[str, str]:
    """The release of a kernel; of other designs a letter, or two."""
    letters = iter([*ascii_lowercase, *(a + b for a in ascii_lowercase for b in ascii_lowercase)])
    return {name: name.removeprefix(KERNEL) if _is_kernel(name) else next(letters, "?") for name in designs}


def _codes(names: Iterable[str]) -> dict[str, str]:
    """Initials: I for isolation, LO for lock-order; with a number where two have the same."""
    found: dict[str, str] = {}
    for name in names:
        initials = "".join(word[:1] for word in clean(name).split("-")).upper()
        same = sum(code.rstrip("'") == initials for code in found.values())
        found[name] = initials + "'" * same
    return found


def _words(results: Sequence[Result]) -> Text:
    """``proved``, or the properties that are not: ``isolation 15``."""
    bad = [result for result in results if result.verdict != "proved"]
    if not results:
        return Text("-")
    if not bad:
        return verdict_text("proved")
    text = Text()
    for result in bad:
        words = f"{result.property} {result.depth}"
        if result.verdict in SHORT:
            words = f"{result.property}: {SHORT[result.verdict]}"
        text.append(("\n" if text.plain else "") + words, STYLES[result.verdict])
    return text
