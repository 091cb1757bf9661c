"""What must always be true of page tables and mappings. Each function answers OK, or what is wrong."""

from __future__ import annotations

import numpy as np

from cowpath.kernel import names as n
from cowpath.kernel.compiled import compiled
from cowpath.kernel.filemap import cached_subpage
from cowpath.kernel.folio import next_page, page_folio
from cowpath.kernel.pgtable import pte_of

from .invariants_pages import OK, mm_is_free


@compiled
def mappings_point_back(k):
    """The lists of mappings of a folio's pages are as long as its mapcount, and each entry on one maps the page."""
    for head in range(k.state.n_pages):
        if k.books.pages[head].head > 0:
            continue
        folio = k.state.pages[head]
        count = 0
        p = head if folio.refs > 0 else n.NONE
        while p != n.NONE:
            before = n.NONE
            number = k.state.pages[p].rmap
            while number != n.NONE:
                pte = pte_of(k, number)
                count += 1
                if count > folio.mapcount or pte.page != p or pte.rmap_prev != before or pte.bits & n.PTE_PRESENT == 0:
                    return p
                before = number
                number = pte.rmap_next
            p = next_page(k, p)
        if count != folio.mapcount:
            return head
    return OK


@compiled
def entry_fits(k, pte, m, vpn):
    """An entry lies in a mapping of its address space and maps what belongs there, or names a swap slot."""
    state = k.state
    v = state.mms[m].vmas
    while v != n.NONE and state.vmas[v].end <= vpn:
        v = state.vmas[v].next
    if v == n.NONE or state.vmas[v].start > vpn:
        return False
    if pte.bits & n.PTE_PRESENT == 0:
        return pte.bits & ~n.PTE_EXCLUSIVE == n.PTE_SWAP and is_alone(k, pte)
    if pte.page == n.NONE:
        return pte.bits & n.PTE_ZERO != 0 and pte.bits & n.PTE_WRITE == 0
    page = state.pages[page_folio(k, pte.page)]
    if page.bits & n.PG_ANON:
        return page.file == n.NONE and is_alone(k, pte)
    vma = state.vmas[v]
    return page.file == vma.file and cached_subpage(k, vma.file, vma.pgoff + (vpn - vma.start)) == pte.page


@compiled
def is_alone(k, pte):
    """What an entry calls its own alone no other entry maps or names."""
    if pte.bits & n.PTE_EXCLUSIVE == 0:
        return True
    if pte.bits & n.PTE_SWAP:
        return k.state.swaps[pte.page].count == 1
    page = k.state.pages[page_folio(k, pte.page)]
    named = k.state.swaps[page.index].count if page.bits & n.PG_SWAPCACHE else 0
    return pte.rmap_next == n.NONE and pte.rmap_prev == n.NONE and named == 0


@compiled
def page_tables_add_up(k):
    """Each mm's rss, swap and table counts, each table's own, and each entry's place: no page beyond a truncation."""
    state = k.state
    entries = len(state.tables[0].pte)
    anon = np.zeros(state.n_mms, np.int32)
    file = np.zeros(state.n_mms, np.int32)
    swapped = np.zeros(state.n_mms, np.int32)
    tables = np.zeros(state.n_mms, np.int32)
    total = 0
    for i in range(state.n_tables):
        used = 0
        m = state.tables[i].mm
        for slot in range(entries):
            pte = state.tables[i].pte[slot]
            if pte.bits & (n.PTE_PRESENT | n.PTE_SWAP) == 0:
                if pte.page != 0 or pte.bits != 0:
                    return i
                continue
            used += 1
            if m < 0 or not entry_fits(k, pte, m, state.tables[i].start + slot):
                return i
            if pte.bits & n.PTE_SWAP:
                swapped[m] += 1
            elif pte.page != n.NONE:
                total += 1
                is_anon = state.pages[page_folio(k, pte.page)].bits & n.PG_ANON != 0
                anon[m] += is_anon
                file[m] += not is_anon
        if used != (state.tables[i].used if m != n.NONE else 0):
            return i
        if m != n.NONE:
            tables[m] += 1
    for m in range(state.n_mms):
        mm = state.mms[m]
        if mm.anon_rss != anon[m] or mm.file_rss != file[m] or mm.swapents != swapped[m] or mm.tables != tables[m]:
            return m
    for p in range(state.n_pages):
        total -= state.pages[p].mapcount
    return OK if total == 0 else total


@compiled
def vmas_are_in_order(k):
    """Mappings of an mm do not overlap and stand in order; none is lost, and no page-table directory is."""
    state = k.state
    left = 0
    for v in range(state.n_vmas):
        left += state.vmas[v].end > 0
    for m in range(state.n_mms):
        v = state.mms[m].vmas if not mm_is_free(k, m) else n.NONE
        end = 0
        while v != n.NONE:
            vma = state.vmas[v]
            if vma.mm != m or vma.start < end or vma.start >= vma.end:
                return m
            end = vma.end
            left -= 1
            v = vma.next
    return OK if left == 0 else left


@compiled
def directories_add_up(k):
    """Each page-table directory that is in use counts its entries right and hangs in its parent."""
    state = k.state
    free = np.zeros(state.n_directories, np.int8)
    d = state.free_directory
    while d != n.NONE:
        if free[d]:
            return d
        free[d] = 1
        d = state.directories[d].up
    below = np.zeros(state.n_directories, np.int32)
    for i in range(state.n_tables):
        if state.tables[i].mm != n.NONE:
            below[state.tables[i].up] += 1
            if state.directories[state.tables[i].up].entry[state.tables[i].slot] != i:
                return state.tables[i].up
    for d in range(state.n_directories):
        up = state.directories[d].up
        if not free[d] and up != n.NONE:
            below[up] += 1
            if state.directories[up].entry[state.directories[d].slot] != d:
                return up
    for d in range(state.n_directories):
        if below[d] != (0 if free[d] else state.directories[d].used) or (below[d] == 0 and not free[d]):
            return d
    return OK
