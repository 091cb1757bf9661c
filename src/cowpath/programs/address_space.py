"""A recorded process's address space, rebuilt call by call, and the instructions that rebuild it in the model."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Set
from dataclasses import dataclass

from cowpath.kernel import names as n
from cowpath.programs.moved import Places

PAGE_SHIFT = 12
STACK_PAGES = 2048  # RLIMIT_STACK: how far a stack may grow
PROT_WRITE, PROT_EXEC = 2, 4
MAP_SHARED = 1

Row = list[int]  # code, bits, a, b, c, d of an instruction; a list because later records may correct it


def page_up(address: int) -> int:
    """The page at or above an address."""
    return (address + (1 << PAGE_SHIFT) - 1) >> PAGE_SHIFT


def vm_bits(prot: int, flags: int, is_file: bool) -> int:
    """VM_* of an mmap call's protection and flags."""
    bits = (n.VM_WRITE if prot & PROT_WRITE else 0) | (n.VM_EXEC if prot & PROT_EXEC else 0)
    return bits | (n.VM_SHARED if flags & MAP_SHARED and is_file else 0)


@dataclass
class Area:
    """A mapping, or what is left of one: pages ``start`` to ``end - 1``. ``row`` is the OP_MMAP that made it."""

    start: int
    end: int
    row: Row
    is_stack: bool = False

    @property
    def file(self) -> int:
        """The number of its file, or NONE."""
        return self.row[4]

    def index(self, vpn: int) -> int:
        """The page of the file that is mapped at ``vpn``."""
        return vpn - self.row[2] + self.row[5]


class AddressSpace:
    """Mappings in order of their addresses."""

    def __init__(self, areas: list[Area] | None = None, brk: int | None = None, places: Places | None = None) -> None:
        self.areas = areas or []
        self.brk = brk  # bytes, or None before the first call
        self.places = places or Places()  # where in the model the process's own addresses lie
        self.touched: dict[int, Row] = {}  # page -> the OP_TOUCH of its process that touched it first
        self.inherited: frozenset[int] = frozenset()  # pages that its parent had touched
        self.fresh: set[int] = set()  # pages touched since the process was looked at
        self.found: Area | None = None  # the latest: most touches fall into the one before's

    def fork(self) -> AddressSpace:
        """A child's copy. Its areas share the rows: they were made by the same instructions."""
        areas = [Area(a.start, a.end, a.row, a.is_stack) for a in self.areas]
        child = AddressSpace(areas, self.brk, self.places.copy())
        child.inherited = self.inherited | self.touched.keys()
        return child

    def known(self) -> Set[int]:
        """All pages that were touched in it, whether they are still mapped or not."""
        return self.inherited | self.touched.keys()

    def find(self, vpn: int) -> Area | None:
        """The mapping of a page; a stack grows down to it."""
        if self.found is not None and self.found.start <= vpn < self.found.end:
            return self.found
        self.found = self._search(vpn)
        return self.found

    def _search(self, vpn: int) -> Area | None:
        at = bisect_right(self.areas, vpn, key=lambda area: area.start)
        if at and vpn < self.areas[at - 1].end:
            return self.areas[at - 1]
        above = self.areas[at] if at < len(self.areas) else None
        if above is None or not above.is_stack or above.end - vpn > STACK_PAGES:
            return None
        # the model's stacks don't grow: this one is mapped large enough at once
        above.row[3] += above.row[2] - min(above.row[2], vpn)
        above.row[2] = min(above.row[2], vpn)
        above.start = vpn
        return above

    def map(self, row: Row, is_stack: bool = False) -> None:
        """What MAP_FIXED does: ``row`` is an OP_MMAP."""
        self.unmap(row[2], row[3])
        area = Area(row[2], row[2] + row[3], row, is_stack)
        self.areas.insert(bisect_right(self.areas, area.start, key=lambda a: a.start), area)

    def unmap(self, start: int, pages: int) -> None:
        """Take away a range; mappings that reach over its ends are cut."""
        end = start + pages
        self.found = None
        kept: list[Area] = []
        for area in self.areas:
            if area.end <= start or end <= area.start:
                kept.append(area)
                continue
            if area.start < start:
                kept.append(Area(area.start, start, area.row, False))
            if end < area.end:
                kept.append(Area(end, area.end, area.row, area.is_stack))
        self.areas = kept

    def protect(self, start: int, pages: int, prot: int) -> None:
        """mprotect: a mapping of the model may do all that it was ever allowed to."""
        for area in self.areas:
            if area.start < start + pages and start < area.end:
                area.row[1] |= vm_bits(prot, 0, False)
