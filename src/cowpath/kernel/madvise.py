"""madvise(2) that looks at the pages of a range (mm/madvise.c): MADV_DONTNEED, MADV_COLD, MADV_PAGEOUT.

With mmap_sem held for reading, a chunk a move. What only sets or clears what is known of the mappings is
``mprotect_fixup``'s; MADV_POPULATE_READ and _WRITE have a path of their own.
"""

from __future__ import annotations

from . import names as n
from .compiled import compiled
from .folio import page_folio
from .lru import lru_add, lru_add_drain, lru_del
from .mmap import unmap_vmas
from .pgtable import lookup_pte, pte_of
from .shrink import RECLAIM, shrink_page_list
from .wait import current

CHUNK = 32  # SWAP_CLUSTER_MAX


@compiled
def step_madvise_vma(k, t):
    """madvise_walk_vmas: the range's mappings in turn, ``f.index`` is where it goes on; of what is not mapped, at the
    end, ENOMEM. What is mlocked is neither thrown away nor cooled (EINVAL).
    """
    f = current(k, t)
    k.books.resched_ok = 1
    end = f.vpn + f.count
    if f.index >= end:
        return n.FAIL_OOM if f.done else n.NEXT
    v = k.state.mms[f.mm].vmas
    while v != n.NONE and k.state.vmas[v].end <= f.index:
        v = k.state.vmas[v].next
    if v == n.NONE or k.state.vmas[v].start >= end:
        return n.FAIL_OOM
    vma = k.state.vmas[v]
    if vma.start > f.index:  # a hole
        f.done = 1
        f.index = vma.start
    if vma.prot & n.VM_LOCKED:
        return n.FAIL_INVAL
    stop = min(end, vma.end)
    if f.todo == n.MADV_DONTNEED:
        f.index = unmap_vmas(k, f.mm, f.index, stop)
    else:
        lru_add_drain(k, k.state.tasks[t].cpu)
        f.index = madvise_cold_or_pageout(k, t, f, stop)
    return n.AGAIN


@compiled
def madvise_cold_or_pageout(k, t, f, stop):
    """madvise_cold_or_pageout_pte_range: up to CHUNK pages that are mapped, and by nobody else. Where it goes on."""
    entries = len(k.state.tables[0].pte)
    vpn = f.index
    seen = 0
    while vpn < stop and seen < CHUNK:
        number = lookup_pte(k, f.mm, vpn)
        if number == n.NONE:
            vpn = (vpn | (entries - 1)) + 1
            continue
        pte = pte_of(k, number)
        if pte.bits & n.PTE_PRESENT and pte.page != n.NONE and page_folio(k, pte.page) == pte.page:
            if k.state.pages[pte.page].mapcount == 1:
                pte.bits &= ~n.PTE_ACCESSED
                cool(k, t, f, pte.page)
                seen += 1
        vpn += 1
    return min(vpn, stop)


@compiled
def cool(k, t, f, p):
    """folio_deactivate, or reclaim_pages for one page."""
    page = k.state.pages[p]
    page.bits &= ~n.PG_REFERENCED
    if page.bits & n.PG_LRU == 0 or page.bits & n.PG_UNEVICTABLE:
        return
    if f.todo == n.MADV_COLD:
        if page.bits & n.PG_ACTIVE:
            lru_del(k, p)
            page.bits &= ~n.PG_ACTIVE
            lru_add(k, p)
        return
    if page.locked_by != n.FREE or page.bits & n.PG_WRITEBACK:
        return
    lru_del(k, p)
    page.bits &= ~n.PG_ACTIVE
    if shrink_page_list(k, t, f, p, False) != RECLAIM:
        lru_add(k, p)
