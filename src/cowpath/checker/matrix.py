"""The matrix of an audit: cases by designs, in words where they fit the terminal's width, else in signs with a key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from string import ascii_lowercase

from rich.console import Console, ConsoleOptions, RenderableType
from rich.text import Text

from cowpath.observe.terminal import Fitted
from cowpath.observe.text import clean

from .result import Result
from .show import STYLES, verdict_text

SHORT = {"vacuous": "vacuous", "unfinished": "?"}  # in a cell of words
SIGNS = {"vacuous": "v", "unfinished": "?"}  # in a cell of signs
KERNEL = "linux-"

Cells = dict[str, list[Result]]  # by design


class Matrix:
    """Cases by designs: which properties are violated there, by how many moves. What is proved on every design is
    named below, in one line."""

    def __init__(self, results: Sequence[Result]) -> None:
        self.designs = sorted(dict.fromkeys(result.design for result in results), key=_order)
        self.rows: dict[tuple[str, str], Cells] = {}
        for result in results:
            self.rows.setdefault((result.path, result.case), {}).setdefault(result.design, []).append(result)
        self.proved = [case for (_, case), cells in self.rows.items() if self._all_proved(cells)]
        self.codes = _codes(dict.fromkeys(result.property for result in results))
        self.heads = _heads(self.designs)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """In words, or in signs with a key, in as many tables as it takes."""
        words = self._table(("path", "case"), self.designs, _words)
        fits = words.fits(options.max_width)
        if words.rows:
            yield words if fits else self._table(("case",), list(self.heads.values()), self._signs)
        if words.rows and not fits:
            yield Text()
            yield self._key()
        if self.proved:
            yield Text()
            where = f"{self._count()} on {'it' if len(self.designs) == 1 else 'every design'}"
            yield Text.assemble((f"Proved in {where}: ", STYLES["proved"]), ", ".join(map(clean, self.proved)))

    def _all_proved(self, cells: Cells) -> bool:
        """On every design, and each is about it."""
        return len(cells) == len(self.designs) and all(each.verdict == "proved" for of in cells.values() for each in of)

    def _count(self) -> str:
        """``3 of 9 cases``."""
        return f"{len(self.proved)} of {len(self.rows)} {'case' if len(self.rows) == 1 else 'cases'}"

    def _table(self, keys: Sequence[str], heads: Sequence[str], cell: Callable[[Sequence[Result]], Text]) -> Fitted:
        """A row for each case that is not proved everywhere."""
        table = Fitted(*keys, *map(clean, heads), keys=len(keys))
        for (path, case), cells in self.rows.items():
            if case not in self.proved:
                names = [clean(each) for each in (path, case)]
                table.add_row(*names[-len(keys) :], *(cell(cells.get(design, [])) for design in self.designs))
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


def _order(name: str) -> tuple[bool, tuple[int, ...]]:
    """Kernels by their releases, then the other designs as they come."""
    return (False, _release(name)) if _is_kernel(name) else (True, ())


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
