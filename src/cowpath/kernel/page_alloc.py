"""Pages of the machine, handed out and taken back; watermarks (mm/page_alloc.c of 3.0)."""

from __future__ import annotations

from . import names as n
from . import steps as s
from .compiled import compiled
from .folio import drop_tail, prep_compound_page
from .generated import begin_page
from .wait import spend, try_to_wake_up


@compiled
def free_pages(k):
    """nr_free_pages"""
    return k.state.memory - k.state.used_pages


@compiled
def zone_watermark_ok(k, mark):
    """More pages than the watermark are free."""
    return free_pages(k) > mark


@compiled
def wakeup_kswapd(k):
    """Free memory is low: kswapd begins to reclaim, if it does not already."""
    t = k.state.kswapd
    if t != n.NONE and k.state.tasks[t].wait_kind == n.W_IDLE:
        try_to_wake_up(k, t)


@compiled
def may_take(k, t):
    """Whether task ``t`` gets a page without reclaiming first (__alloc_pages_slowpath, ALLOC_NO_WATERMARKS)."""
    zone = k.state.zone
    if zone_watermark_ok(k, zone.low_pages):
        return True
    spend(k, s.ALLOC_SLOW)
    wakeup_kswapd(k)
    return zone_watermark_ok(k, zone.min_pages) or (k.state.tasks[t].memdie != 0 and free_pages(k) > 0)


@compiled
def take_page(k):
    """A free page with one reference, or NONE when the machine has no more."""
    state = k.state
    p = state.free_page
    if p != n.NONE:
        state.free_page = state.pages[p].lru_next
    elif state.n_pages < state.memory:
        p = state.n_pages
        state.n_pages += 1
    else:
        return n.NONE
    state.used_pages += 1
    page = state.pages[p]
    begin_page(page)
    k.books.pages[p].origin = 0
    k.books.pages[p].workingset = 0
    k.books.pages[p].zeroes = 0
    page.refs = 1
    return p


@compiled
def take_folio(k, order):
    """A free folio of 2 to the ``order`` pages with one reference, or NONE where that would take what the watermarks
    keep: nobody reclaims for it (__GFP_NORETRY).
    """
    pages = 1 << order
    if not zone_watermark_ok(k, k.state.zone.low_pages + pages - 1):
        return n.NONE
    head = take_page(k)
    last = head
    for _ in range(pages - 1):
        p = take_page(k)
        k.state.pages[p].refs = 0
        last = prep_compound_page(k, head, p, last)
    return head


@compiled
def free_page(k, p):
    """Give a page back whose last reference has gone, with its folio."""
    if k.books.pages[p].tails > 0:
        tail = drop_tail(k, p)
        while tail != n.NONE:
            after = drop_tail(k, tail)
            free_one(k, tail)
            tail = after
    free_one(k, p)


@compiled
def free_one(k, p):
    """Give one page back."""
    page = k.state.pages[p]
    page.bits = 0
    page.index = 0
    page.lru_next = k.state.free_page
    k.state.free_page = p
    k.state.used_pages -= 1
    k.state.zone.pages_scanned = 0
    spend(k, s.FREE_PAGE)
