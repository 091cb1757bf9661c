"""Large folios are split into pages (split_folio; mm/huge_memory.c)."""

from __future__ import annotations

from . import names as n
from .compiled import compiled
from .folio import drop_tail, folio_nr_pages
from .lru import lru_add, lru_del
from .memcontrol import mem_cgroup_uncharge_page
from .page_alloc import free_one
from .pgtable import pte_of

OF_EACH_PAGE = n.PG_UPTODATE | n.PG_DIRTY | n.PG_ANON | n.PG_ACTIVE | n.PG_REFERENCED | n.PG_UNEVICTABLE


@compiled
def split_folio(k, head):
    """Each page of the folio is one of its own from now on. Who has the folio in hand, or its lock, has its first page's;
    a tail of anonymous memory that nothing maps any more is freed.
    """
    if folio_nr_pages(k, head) == 1:
        return
    folio = k.state.pages[head]
    listed = folio.bits & n.PG_LRU
    lru_del(k, head)
    index = folio.index
    tail = drop_tail(k, head)
    while tail != n.NONE:
        after = drop_tail(k, tail)
        index += 1
        split_tail(k, head, tail, index, listed)
        tail = after
    if listed:
        lru_add(k, head)


@compiled
def split_tail(k, head, p, index, listed):
    """A tail gets what it has had of its folio."""
    folio, page = k.state.pages[head], k.state.pages[p]
    mapped = count_rmap(k, p)
    page.file = folio.file
    page.index = index if folio.file != n.NONE else 0
    page.bits = folio.bits & OF_EACH_PAGE
    page.group = folio.group
    page.mapcount = mapped
    page.refs = mapped + (1 if folio.file != n.NONE else 0)
    folio.mapcount -= mapped
    folio.refs -= mapped
    if page.refs == 0:
        mem_cgroup_uncharge_page(k, p)
        free_one(k, p)
    elif listed:
        lru_add(k, p)


@compiled
def count_rmap(k, p):
    """How many entries map the page."""
    count = 0
    number = k.state.pages[p].rmap
    while number != n.NONE:
        count += 1
        number = pte_of(k, number).rmap_next
    return count
