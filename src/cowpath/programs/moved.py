"""Where the memory of a recorded process lies in the model: at its own addresses, until mremap moves some of it.

The model does not move page tables, and needs not: what is moved stays where it is, and the addresses that the process
has for it from then on are translated. What is mapped later where it once was, and is still in the model, gets another
place.
"""

from __future__ import annotations

from dataclasses import dataclass, field

ELSEWHERE = 1 << 33  # first page of a range that Linux gives to nobody: below all heaps and mappings, above programs


@dataclass
class Places:
    """Ranges of pages that have another place in the model than their own: first page, one past the last, place."""

    moved: list[tuple[int, int, int]] = field(default_factory=list)
    free: int = ELSEWHERE

    def copy(self) -> Places:
        """A forked child's."""
        return Places(list(self.moved), self.free)

    def of(self, first: int, pages: int) -> list[tuple[int, int]]:
        """Where a range lies, as far as it can be mapped at all: places in its order, each with so many pages."""
        if not self.moved:
            return [(first, pages)]
        end = first + pages
        found = [(max(begin, first), place - begin, min(stop, end) - max(begin, first))
                 for begin, stop, place in self.moved if max(begin, first) < min(stop, end)]  # fmt: skip
        strangers = [(begin, stop) for begin, stop, _ in self.moved] + self.occupied()
        found += [(begin, 0, count) for begin, count in without(first, end, strangers)]
        return [(begin + further, count) for begin, further, count in sorted(found)]

    def page(self, vpn: int) -> int | None:
        """Where a page lies; None: it can't be mapped."""
        if not self.moved:
            return vpn
        return next((place for place, _ in self.of(vpn, 1)), None)

    def occupied(self) -> list[tuple[int, int]]:
        """What lies in the model where the process has, or may have, something else."""
        return [(place, place + stop - begin) for begin, stop, place in self.moved]

    def forget(self, first: int, pages: int) -> None:
        """A range is unmapped: its addresses stand for nothing any more."""
        end, kept = first + pages, []
        for begin, stop, place in self.moved:
            if begin < min(stop, first):
                kept.append((begin, min(stop, first), place))
            if max(begin, end) < stop:
                kept.append((max(begin, end), stop, place + max(begin, end) - begin))
        self.moved = sorted(kept)

    def new(self, first: int, pages: int) -> int:
        """The place for a new mapping of a range that is not mapped: its own, if nothing that was moved lies there."""
        self.forget(first, pages)
        if all(stop <= first or first + pages <= begin for begin, stop in self.occupied()):
            return first
        place, self.free = self.free, self.free + pages
        self._enter(first, pages, place)
        return place

    def move(self, old: int, new: int, pages: int) -> None:
        """A range is mapped at ``new`` from now on, which is not mapped, and no more at ``old``."""
        places = self.of(old, pages)
        self.forget(old, pages)
        self.forget(new, pages)
        for place, count in places:
            self._enter(new, count, place)
            new += count

    def _enter(self, first: int, pages: int, place: int) -> None:
        if place != first:
            self.moved = sorted([*self.moved, (first, first + pages, place)])


def without(first: int, end: int, taken: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """What is left of a range (of pages, or of bytes) when others are taken away: where each part begins, how many."""
    left = []
    for begin, stop in sorted(taken):
        if first < min(begin, end):
            left.append((first, min(begin, end) - first))
        first = max(first, stop)
    return [*left, (first, end - first)] if first < end else left
