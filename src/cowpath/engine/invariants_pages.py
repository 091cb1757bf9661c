"""What must always be true of pages: references, lists and the page cache. Each answers OK, or what is wrong.

This and the other invariants hold between any two moves. Each is one pass over what was ever used, so they are for
small machines.
"""

from __future__ import annotations

import numpy as np

from cowpath.kernel import names as n
from cowpath.kernel.compiled import compiled
from cowpath.kernel.folio import folio_nr_pages, next_page, page_folio
from cowpath.kernel.lru import list_of, lruvec_of

OK = -1


@compiled
def free_pages_are_clean(k):
    """Nobody has, locks, maps, lists or is charged for a free page; all pages that are not free are in use."""
    state = k.state
    count = 0
    p = state.free_page
    while p != n.NONE:
        page = state.pages[p]
        count += 1
        if count > state.n_pages or page.refs != 0 or page.mapcount != 0 or page.rmap != n.NONE or page.bits != 0:
            return p
        if page.group != n.NONE or page.file != n.NONE or page.locked_by != n.FREE or page.waiters.head != n.NONE:
            return p
        p = page.lru_next
    return OK if count == state.n_pages - state.used_pages else count


@compiled
def is_used(k, p):
    """The number is that of a page that somebody has a reference to."""
    return 0 <= p < k.state.n_pages and k.state.pages[p].refs > 0


@compiled
def is_page_table(k, p):
    """The page is that of a page table, and nothing else."""
    return is_used(k, p) and k.state.pages[p].bits == n.PG_TABLE and k.state.pages[p].refs == 1


@compiled
def references_add_up(k):
    """A page's references: the page cache's or swap cache's, one for each mapping, in frames, of disk requests; a page
    table's own."""
    state = k.state
    want = np.zeros(state.n_pages, np.int32)
    used = 0
    for p in range(state.n_pages):
        page = state.pages[p]
        want[p] = page.mapcount + (page.file != n.NONE) + (page.bits & n.PG_SWAPCACHE != 0)
        used += folio_nr_pages(k, p) if state.pages[p].refs > 0 else 0
    for t in range(state.n_tasks):
        for d in range(state.tasks[t].depth):
            f = state.tasks[t].frames[d]
            if f.held & n.H_PAGE_REF:
                if not is_used(k, f.page):
                    return f.page
                want[f.page] += 1
            if f.held & n.H_NEW_PAGE:
                if not is_used(k, f.newpage):
                    return f.newpage
                want[f.newpage] += 1
            if f.prealloc_pte != n.NONE:
                if not is_page_table(k, f.prealloc_pte):
                    return f.prealloc_pte
                want[f.prealloc_pte] += 1
    for i in range(state.n_tables):
        p = state.tables[i].page
        if state.tables[i].mm != n.NONE and p != n.NONE:
            if not is_page_table(k, p):
                return p
            want[p] += 1
    for r in range(len(state.requests)):
        p = state.requests[r].first if state.requests[r].busy else n.NONE
        while p != n.NONE:
            if not is_used(k, p) or want[p] > state.pages[p].refs:
                return p
            want[p] += 1
            p = state.pages[p].io_next
    for p in range(state.n_pages):
        if want[p] != state.pages[p].refs:
            return p
    return OK if used == state.used_pages else used


@compiled
def mm_is_free(k, m):
    """The mm is on the free list."""
    other = k.state.free_mm
    while other != n.NONE:
        if other == m:
            return True
        other = k.state.mms[other].root
    return False


@compiled
def links_of(page, of_zone):
    """Its neighbours on the zone's list, or on its group's."""
    if of_zone:
        return page.zone_prev, page.zone_next
    return page.lru_prev, page.lru_next


@compiled
def count_list(k, chain, g, which):
    """Walk a list of group ``g`` (NONE: of the zone). Its length, or what is wrong as a number below 0."""
    count = 0
    before = n.NONE
    p = chain.head
    while p != n.NONE:
        page = k.state.pages[p]
        back, forth = links_of(page, g == n.NONE)
        count += folio_nr_pages(k, p)
        if count > chain.count or page.bits & n.PG_LRU == 0 or list_of(page) != which or back != before:
            return -p - 1
        if g != n.NONE and lruvec_of(page) != g:
            return -p - 1
        before = p
        p = forth
    if count != chain.count or chain.tail != before:
        return -n.UNLIMITED
    return count


@compiled
def lru_lists_are_whole(k):
    """Every page with PG_LRU is on the zone's list that its bits name, and on the same of its group if it is charged
    (since 3.3 on its group's or the root's alone); the lists' links and counts are right.
    """
    state = k.state
    left = 0
    charged = 0
    for p in range(state.n_pages):
        page = state.pages[p]
        if page.bits & n.PG_LRU:
            left += folio_nr_pages(k, p)
            charged += folio_nr_pages(k, p) if page.group != n.NONE or state.lruvecs != 0 else 0
    for which in range(len(state.zone.lists)):
        if state.lruvecs:  # the zone only counts
            count = state.zone.lists[which].count
        else:
            count = count_list(k, state.zone.lists[which], n.NONE, which)
        if count < 0:
            return -count - 1
        left -= count
        for g in range(state.n_groups):
            count = count_list(k, state.groups[g].lists[which], g, which)
            if count < 0:
                return -count - 1
            charged -= count
    return OK if left == 0 and charged == 0 else n.UNLIMITED


@compiled
def pages_in_use_are_listed(k):
    """A page that is mapped, in the page cache or in the swap cache is on a list, where reclaim can find it, or waits
    for its place there.
    """
    for p in range(k.state.n_pages):
        page = k.state.pages[p]
        used = page.mapcount > 0 or page.file != n.NONE or page.bits & n.PG_SWAPCACHE != 0
        if used and page.bits & n.PG_LRU == 0 and k.books.pages[p].batched == 0:
            return p
    return OK


@compiled
def page_cache_agrees(k):
    """Slots and pages name each other, within the file; the file's count is right."""
    state = k.state
    cached = 0
    for p in range(state.n_pages):
        page = state.pages[p]
        if page.file == n.NONE:
            continue
        cached += folio_nr_pages(k, p)
        if page.bits & n.PG_ANON or not 0 <= page.file < state.n_files:
            return p
        file = state.files[page.file]
        if not 0 <= page.index <= page.index + k.books.pages[p].tails < file.room:
            return p
        slot, each = file.first + page.index, p
        while each != n.NONE:
            if state.slots[slot] != each + 1 or page_folio(k, each) != p:
                return p
            slot += 1
            each = next_page(k, each)
    for i in range(state.n_files):
        count = 0
        for slot in range(state.files[i].first, state.files[i].first + state.files[i].room):
            count += state.slots[slot] != 0
            if state.slots[slot] and state.shmem_swp[slot]:  # it is in one place
                return i
        if count != state.files[i].cached:
            return i
        cached -= count
    return OK if cached == 0 else cached
