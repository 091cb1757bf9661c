"""Pages that a recorded process was seen to come back to (``cowpath record --reuse``), as touches of its recording.

Each look at a process counted, mapping by mapping, the pages that had been used since the look before. Those that were
touched for the first time meanwhile are among them, and for a file the pages that fault-around maps with each; the
rest are pages that it came back to. Which ones, nobody has seen: blocks of ``BLOCK`` pages are taken as if by chance,
always the same ones first, and touched once, for reading, at the time of the look. How often they were used between
two looks is not known either: once is the least.

The machine's rule for re-use does nothing after a touch of such a process (``recording.ALL_KNOWN``), nor after these,
be they of one page or of several in a row.
"""

from __future__ import annotations

from itertools import groupby

from cowpath.kernel import names as n
from cowpath.programs.address_space import PAGE_SHIFT, AddressSpace, page_up
from cowpath.programs.recorded_task import Task
from cowpath.programs.recording import ALL_KNOWN

BLOCK = 16
FAULT_AROUND_PAGES = 16  # fault_around_bytes, mm/memory.c
LEAP = 2_654_435_761  # spreads numbers


def looked_at(task: Task, space: AddressSpace, start: int, end: int, used: int) -> int:
    """A look at a mapping: ``used`` of its pages since the one before. Returns how many are touched again.

    ``end`` 0: the first look at the process, from which on its pages count.
    """
    if end == 0:
        space.fresh.clear()
        return 0
    ranges = space.places.of(start >> PAGE_SHIFT, page_up(end - start))
    known = [vpn for vpn in space.known() if any(place <= vpn < place + pages for place, pages in ranges)]
    fresh = [vpn for vpn in known if vpn in space.fresh]
    space.fresh.difference_update(fresh)
    again = used - sum(FAULT_AROUND_PAGES if _maps_around(space, vpn) else 1 for vpn in fresh)
    old = sorted(set(known) - set(fresh), key=_by_chance)[: max(again, 0)]
    for _, run in groupby(enumerate(sorted(vpn for vpn in old if space.find(vpn))), lambda each: each[1] - each[0]):
        pages = [vpn for _, vpn in run]
        if len(pages) == 1:
            task.emit(n.OP_TOUCH, pages[0], ALL_KNOWN)
        else:
            task.emit(n.OP_TOUCH, pages[0], len(pages), 1)
    return len(old)


def _maps_around(space: AddressSpace, vpn: int) -> bool:
    """Whether its first touch has mapped its neighbours too: it is a file's, and was read."""
    area, row = space.find(vpn), space.touched.get(vpn)
    return area is not None and area.file != n.NONE and row is not None and row[1] & n.F_WRITE == 0


def _by_chance(vpn: int) -> tuple[int, int]:
    block = vpn // BLOCK
    return block * LEAP >> 8 & 0xFFFF, vpn
