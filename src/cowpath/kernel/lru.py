"""The lists on which pages wait for reclaim (mm/swap.c of 3.0).

Every page that can be reclaimed is on a list of the machine's zone; one that is charged is on the same list of its
group as well. Host-wide reclaim goes by the former, a group's by the latter. Group 0 (root) has lists of its own.
"""

from __future__ import annotations

from . import names as n
from .compiled import compiled
from .folio import folio_nr_pages


@compiled
def list_of(page):
    """The list on which a page belongs: page_lru()."""
    if page.bits & n.PG_UNEVICTABLE:
        return n.LRU_UNEVICTABLE
    base = n.LRU_INACTIVE_ANON if page.bits & (n.PG_ANON | n.PG_SWAPBACKED) else n.LRU_INACTIVE_FILE
    return base + (1 if page.bits & n.PG_ACTIVE else 0)


@compiled
def group_add(k, p):
    """Put a page at the head of its group's list."""
    pages = k.state.pages
    page = pages[p]
    chain = k.state.groups[page.group].lists[list_of(page)]
    page.lru_prev = n.NONE
    page.lru_next = chain.head
    if chain.head == n.NONE:
        chain.tail = p
    else:
        pages[chain.head].lru_prev = p
    chain.head = p
    chain.count += folio_nr_pages(k, p)


@compiled
def _zone_add(k, p):
    pages = k.state.pages
    page = pages[p]
    chain = k.state.zone.lists[list_of(page)]
    page.zone_prev = n.NONE
    page.zone_next = chain.head
    if chain.head == n.NONE:
        chain.tail = p
    else:
        pages[chain.head].zone_prev = p
    chain.head = p
    chain.count += folio_nr_pages(k, p)


@compiled
def _group_del(k, p):
    pages = k.state.pages
    page = pages[p]
    chain = k.state.groups[page.group].lists[list_of(page)]
    if page.lru_prev == n.NONE:
        chain.head = page.lru_next
    else:
        pages[page.lru_prev].lru_next = page.lru_next
    if page.lru_next == n.NONE:
        chain.tail = page.lru_prev
    else:
        pages[page.lru_next].lru_prev = page.lru_prev
    chain.count -= folio_nr_pages(k, p)
    page.lru_next = n.NONE
    page.lru_prev = n.NONE


@compiled
def _zone_del(k, p):
    pages = k.state.pages
    page = pages[p]
    chain = k.state.zone.lists[list_of(page)]
    if page.zone_prev == n.NONE:
        chain.head = page.zone_next
    else:
        pages[page.zone_prev].zone_next = page.zone_next
    if page.zone_next == n.NONE:
        chain.tail = page.zone_prev
    else:
        pages[page.zone_next].zone_prev = page.zone_prev
    chain.count -= folio_nr_pages(k, p)
    page.zone_next = n.NONE
    page.zone_prev = n.NONE


@compiled
def lru_add(k, p):
    """Put a page at the head of its lists: the zone's, and that of the group that is charged, if one is."""
    page = k.state.pages[p]
    if page.bits & n.PG_LRU:
        return
    page.bits |= n.PG_LRU
    _zone_add(k, p)
    if page.group != n.NONE:
        group_add(k, p)


@compiled
def lru_del(k, p):
    """Take a page off its lists."""
    page = k.state.pages[p]
    if page.bits & n.PG_LRU == 0:
        return
    _zone_del(k, p)
    if page.group != n.NONE:
        _group_del(k, p)
    page.bits &= ~n.PG_LRU


@compiled
def note_recent(k, p, rotated):
    """update_page_reclaim_stat: a page of this kind was scanned (or is new), and ``rotated`` if it was found in use."""
    page = k.state.pages[p]
    kind = 0 if page.bits & (n.PG_ANON | n.PG_SWAPBACKED) else 1
    pages = folio_nr_pages(k, p)
    zone = k.state.zone.recent
    zone.scanned[kind] += pages
    zone.rotated[kind] += rotated * pages
    if page.group != n.NONE:
        group = k.state.groups[page.group].recent
        group.scanned[kind] += pages
        group.rotated[kind] += rotated * pages


@compiled
def lru_cache_add(k, p):
    """A new page joins its lists (lru_cache_add_lru)."""
    lru_add(k, p)
    note_recent(k, p, 1 if k.state.pages[p].bits & n.PG_ACTIVE else 0)


@compiled
def activate_page(k, p):
    """From an inactive list to the active one of its kind."""
    page = k.state.pages[p]
    lru_del(k, p)
    page.bits = (page.bits | n.PG_ACTIVE) & ~n.PG_REFERENCED
    lru_add(k, p)
    note_recent(k, p, 1)


@compiled
def mark_page_accessed(k, p):
    """inactive, unreferenced -> inactive, referenced -> active."""
    page = k.state.pages[p]
    if page.bits & (n.PG_ACTIVE | n.PG_UNEVICTABLE) == 0 and page.bits & n.PG_REFERENCED and page.bits & n.PG_LRU:
        activate_page(k, p)
    else:
        page.bits |= n.PG_REFERENCED


@compiled
def rotate_reclaimable_page(k, p):
    """To the tail of its inactive lists: reclaim has had it written, and takes it next."""
    page = k.state.pages[p]
    page.bits &= ~n.PG_RECLAIM
    if page.bits & n.PG_LRU == 0 or page.bits & (n.PG_ACTIVE | n.PG_UNEVICTABLE):
        return
    lru_del(k, p)
    page.bits |= n.PG_LRU
    pages = k.state.pages
    chain = k.state.zone.lists[list_of(page)]
    page.zone_prev = chain.tail
    page.zone_next = n.NONE
    if chain.tail == n.NONE:
        chain.head = p
    else:
        pages[chain.tail].zone_next = p
    chain.tail = p
    chain.count += folio_nr_pages(k, p)
    if page.group == n.NONE:
        return
    mine = k.state.groups[page.group].lists[list_of(page)]
    page.lru_prev = mine.tail
    page.lru_next = n.NONE
    if mine.tail == n.NONE:
        mine.head = p
    else:
        pages[mine.tail].lru_next = p
    mine.tail = p
    mine.count += folio_nr_pages(k, p)
