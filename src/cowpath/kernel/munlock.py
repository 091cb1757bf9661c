"""The end of mlock (mm/mlock.c): each page of a locked mapping is locked once before munmap, exec or exit lets it go.

Whoever has a page's lock is waited for, uninterruptibly, and with mmap_sem held for writing in munmap.
"""

from __future__ import annotations

from . import names as n
from .compiled import compiled
from .filemap import page_cache_release
from .folio import page_folio
from .page_lock import WAITING, __lock_page, unlock_page
from .pgtable import lookup_pte, pte_of


@compiled
def munlock_vma_pages_range(k, t, f, m, start, end):
    """The mlocked pages of ``start..end``, one after the other: True when all have been met, False and asleep before.

    ``f.index`` is where it goes on, NONE in the end.
    """
    if f.held & n.H_PAGE_REF:
        if not meet(k, t, f):
            return False
        f.index += 1
    v = k.state.mms[m].vmas if f.index != n.NONE else n.NONE
    while v != n.NONE:
        vma = k.state.vmas[v]
        if vma.prot & n.VM_LOCKED and vma.start < end and vma.end > start:
            f.index = next_locked(k, m, max(f.index, start, vma.start), min(end, vma.end))
            if f.index < min(end, vma.end):
                p = page_folio(k, pte_of(k, lookup_pte(k, m, f.index)).page)
                k.state.pages[p].refs += 1
                f.page = p
                f.held |= n.H_PAGE_REF
                return meet(k, t, f)
        v = vma.next
    f.index = n.NONE
    return True


@compiled
def next_locked(k, m, start, end):
    """The first mapped page from ``start`` on whose lock somebody has, else ``end``: the others are not waited for."""
    entries = len(k.state.tables[0].pte)
    vpn = start
    while vpn < end:
        number = lookup_pte(k, m, vpn)
        if number == n.NONE:
            vpn = (vpn | (entries - 1)) + 1
            continue
        pte = pte_of(k, number)
        mapped = pte.bits & n.PTE_PRESENT and pte.page != n.NONE
        if mapped and k.state.pages[page_folio(k, pte.page)].locked_by != n.FREE:
            return vpn
        vpn += 1
    return end


@compiled
def meet(k, t, f):
    """lock_page, and at once unlock_page: False and asleep while somebody else has the lock."""
    if __lock_page(k, t, f.page, 0) == WAITING:
        return False
    unlock_page(k, f.page)
    page_cache_release(k, f.page)
    f.held &= ~n.H_PAGE_REF
    f.page = n.NONE
    return True
