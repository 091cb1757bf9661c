"""A group's counters until 3.19 (kernel/res_counter.c), and what all kernels have of them: to lower them."""

from __future__ import annotations

from . import names as n
from . import steps as s
from .compiled import compiled
from .hierarchy import parent_of
from .wait import emit, spend


@compiled
def res_counter_charge(k, g, pages):
    """Raise res and memsw of the group and its ancestors, or nothing at all.

    Returns ``(over, memsw)``: NONE if it went well, else the group over its limit and whether that was memsw's.
    """
    spend(k, s.RES_CHARGE)
    up = g
    while up != n.NONE:
        group = k.state.groups[up]
        books = k.books.groups[up]
        if group.res.usage + pages > group.res.limit:
            books.failcnt += 1
            return up, 0
        books.max_usage = max(books.max_usage, group.res.usage + pages)  # also where an ancestor refuses then
        up = parent_of(k, up)
    up = g
    while up != n.NONE:
        group = k.state.groups[up]
        books = k.books.groups[up]
        if group.memsw.usage + pages > group.memsw.limit:
            books.memsw_failcnt += 1
            return up, 1
        books.memsw_max_usage = max(books.memsw_max_usage, group.memsw.usage + pages)
        up = parent_of(k, up)
    up = g
    while up != n.NONE:
        group = k.state.groups[up]
        group.res.usage += pages
        group.memsw.usage += pages
        emit(k, n.EV_USAGE, n.NONE, up, 0, group.res.usage, 0)
        up = parent_of(k, up)
    return n.NONE, 0


@compiled
def res_counter_uncharge(k, g, pages):
    """Lower res and memsw of the group and its ancestors."""
    up = g
    while up != n.NONE:
        k.state.groups[up].res.usage -= pages
        k.state.groups[up].memsw.usage -= pages
        emit(k, n.EV_USAGE, n.NONE, up, 0, k.state.groups[up].res.usage, 0)
        up = parent_of(k, up)


@compiled
def account_kmem(k, g, pages):
    """Of what the group is charged for so many pages more (or less) are the kernel's (memcg_account_kmem)."""
    k.books.groups[g].kmem += pages
    up = g
    while up != n.NONE:
        books = k.books.groups[up]
        books.kmem_usage += pages
        books.kmem_max_usage = max(books.kmem_max_usage, books.kmem_usage)
        up = parent_of(k, up)


@compiled
def res_uncharge_memory(k, g):
    """Lower res alone by a page: it is in swap now, and memsw goes on counting it."""
    up = g
    while up != n.NONE:
        k.state.groups[up].res.usage -= 1
        emit(k, n.EV_USAGE, n.NONE, up, 0, k.state.groups[up].res.usage, 0)
        up = parent_of(k, up)
