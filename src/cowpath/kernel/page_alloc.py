"""Pages of the machine, handed out and taken back (mm/page_alloc.c)."""

from __future__ import annotations

from . import names as n
from . import state as st
from . import steps as s
from .compiled import compiled
from .wait import init_queue, spend


@compiled
def alloc_page(k):
    """A free page with one reference, or NONE when the machine has no more (books.error then says so)."""
    state = k.state
    p = state.free_page
    if p != n.NONE:
        state.free_page = state.pages[p].lru_next
    elif state.n_pages < state.memory:
        p = state.n_pages
        state.n_pages += 1
    else:
        k.books.error = st.ERR_PAGES
        return n.NONE
    state.used_pages += 1
    page = state.pages[p]
    page.locked_by = n.FREE
    init_queue(page.waiters)
    page.group = n.NONE
    page.file = n.NONE
    page.index = 0
    page.bits = 0
    page.refs = 1
    page.mapcount = 0
    page.rmap = n.NONE
    page.lru_next = n.NONE
    page.lru_prev = n.NONE
    page.io_next = n.NONE
    return p


@compiled
def free_page(k, p):
    """Give a page back whose last reference has gone."""
    page = k.state.pages[p]
    page.bits = 0
    page.index = 0
    page.lru_next = k.state.free_page
    k.state.free_page = p
    k.state.used_pages -= 1
    spend(k, s.FREE_PAGE)
