"""A group's counters from 3.19 on (mm/page_counter.c, 3e32cb2e0a12): memory + swap, then memory, up the hierarchy.

Here a try is one atomic move. In the kernel two that race may both fail although one would fit.
"""

from __future__ import annotations

from . import names as n
from . import steps as s
from .compiled import compiled
from .hierarchy import parent_of
from .wait import emit, spend


@compiled
def page_counter_try_charge(k, g, pages):
    """Raise memsw and memory of the group and its ancestors, or nothing at all.

    Returns ``(over, memsw)``: NONE if it went well, else the group over its limit and whether that was memsw's. A
    maximum sees also what an ancestor, or memory, then refuses.
    """
    spend(k, s.RES_CHARGE)
    up = g
    while up != n.NONE:
        memsw = k.state.groups[up].memsw
        books = k.books.groups[up]
        if memsw.usage + pages > memsw.limit:
            if not k.state.failcnt_of_memory:
                books.memsw_failcnt += 1
            return up, 1
        books.memsw_max_usage = max(books.memsw_max_usage, memsw.usage + pages)
        up = parent_of(k, up)
    up = g
    while up != n.NONE:
        res = k.state.groups[up].res
        books = k.books.groups[up]
        if res.usage + pages > res.limit:
            books.failcnt += 1
            return up, 0
        books.max_usage = max(books.max_usage, res.usage + pages)
        up = parent_of(k, up)
    page_counter_charge(k, g, pages)
    return n.NONE, 0


@compiled
def page_counter_charge(k, g, pages):
    """Raise them, whatever the limits (page_counter_charge)."""
    while g != n.NONE:
        group = k.state.groups[g]
        books = k.books.groups[g]
        group.res.usage += pages
        group.memsw.usage += pages
        books.max_usage = max(books.max_usage, group.res.usage)
        books.memsw_max_usage = max(books.memsw_max_usage, group.memsw.usage)
        emit(k, n.EV_USAGE, n.NONE, g, 0, group.res.usage, 0)
        g = parent_of(k, g)
