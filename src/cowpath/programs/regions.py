"""Where the regions of a written program lie: a place for each name, 2 MiB aligned, far from the others."""

from __future__ import annotations

from dataclasses import dataclass

from cowpath.programs.lines import Line, every, is_number
from cowpath.words import Word, nearest

FIRST_PAGE = 1 << 16  # 256 MiB
ALIGNMENT = 512  # pages: a page table's worth, so that no two regions share one
LAST_PAGE = 1 << 35
# the argument that is a new region's number of pages
SIZES = {"anon": 1, "anonpop": 1, "anonthp": 1, "shm": 1, "mapf": 2}


@dataclass(frozen=True)
class Regions:
    """The regions of a program: first page and number of pages, the largest that the program ever maps there."""

    places: dict[str, tuple[int, int]]

    @classmethod
    def of(cls, lines: tuple[Line, ...], packed: bool = False) -> Regions:
        """Lay out all regions that a program's lines map. Sizes that are no numbers are found out later.

        ``packed``: from page 0 on, one right behind the other.
        """
        sizes: dict[str, int] = {}
        for line in every(lines):
            at = SIZES.get(line.word.text)
            if at is not None and len(line.arguments) > at and is_number(line.arguments[at]):
                name = line.arguments[0].text
                sizes[name] = max(sizes.get(name, 1), int(line.arguments[at].text))
        places: dict[str, tuple[int, int]] = {}
        page = 0 if packed else FIRST_PAGE
        for name, size in sizes.items():
            places[name] = (page, size)
            page += size if packed else (-(-size // ALIGNMENT) + 1) * ALIGNMENT
        return cls(places)

    def place(self, word: Word) -> int:
        """A region's first page."""
        first, size = self._find(word)
        if first + size > LAST_PAGE:
            raise word.error(f"the program's regions are too large: {word.text!r} has no room", "fewer pages")
        return first

    def size(self, word: Word) -> int:
        """A region's pages."""
        return self._find(word)[1]

    def check(self, word: Word, first: int, last: int, where: Word) -> None:
        """Whether pages first to last lie within a region; InputError at ``where`` if not."""
        size = self.size(word)
        if not 0 <= first <= last < size:
            raise where.error(
                f"page {last if first < size else first} is outside of region {word.text!r}, which has {size} pages",
                f"pages 0 to {size - 1}",
            )

    def _find(self, word: Word) -> tuple[int, int]:
        if word.text not in self.places:
            raise word.error(
                f"no region {word.text!r}", nearest(word.text, self.places, "anon, mapf and shm make regions")
            )
        return self.places[word.text]
