"""What must always be true of pages, mappings and accounts. Each function answers OK, or the number of what is wrong.

They hold between any two moves. Each is one pass over what was ever used, so they are for small machines.
"""

from __future__ import annotations

import numpy as np

from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.charge_oom import KILL
from cowpath.kernel.compiled import compiled
from cowpath.kernel.hierarchy import is_below
from cowpath.kernel.lru import list_of
from cowpath.kernel.memcg_commit import FORCED
from cowpath.kernel.pgtable import pte_of

OK = -1


# --- free pages and references ------------------------------------------------------------------
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
        used += state.pages[p].refs > 0
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


# --- page tables ---------------------------------------------------------------------------------
@compiled
def mappings_point_back(k):
    """A page's list of mappings is as long as its mapcount, and each entry on it maps the page."""
    for p in range(k.state.n_pages):
        page = k.state.pages[p]
        count = 0
        before = n.NONE
        number = page.rmap if page.refs > 0 else n.NONE
        while number != n.NONE:
            pte = pte_of(k, number)
            count += 1
            if count > page.mapcount or pte.page != p or pte.rmap_prev != before or pte.bits & n.PTE_PRESENT == 0:
                return p
            before = number
            number = pte.rmap_next
        if count != page.mapcount:
            return p
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
    page = state.pages[pte.page]
    if page.bits & n.PG_ANON:
        return page.file == n.NONE and is_alone(k, pte)
    vma = state.vmas[v]
    return page.file == vma.file and page.index == vma.pgoff + (vpn - vma.start)


@compiled
def is_alone(k, pte):
    """What an entry calls its own alone no other entry maps or names."""
    if pte.bits & n.PTE_EXCLUSIVE == 0:
        return True
    if pte.bits & n.PTE_SWAP:
        return k.state.swaps[pte.page].count == 1
    page = k.state.pages[pte.page]
    named = k.state.swaps[page.index].count if page.bits & n.PG_SWAPCACHE else 0
    return page.mapcount == 1 and named == 0


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
                anon[m] += state.pages[pte.page].bits & n.PG_ANON != 0
                file[m] += state.pages[pte.page].bits & n.PG_ANON == 0
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
def mm_is_free(k, m):
    """The mm is on the free list."""
    other = k.state.free_mm
    while other != n.NONE:
        if other == m:
            return True
        other = k.state.mms[other].root
    return False


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


# --- lists and the page cache --------------------------------------------------------------------
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
        count += 1
        if count > chain.count or page.bits & n.PG_LRU == 0 or list_of(page) != which or back != before:
            return -p - 1
        if g != n.NONE and page.group != g:
            return -p - 1
        before = p
        p = forth
    if count != chain.count or chain.tail != before:
        return -n.UNLIMITED
    return count


@compiled
def lru_lists_are_whole(k):
    """Every page with PG_LRU is on the zone's list that its bits name, and on the same of its group if it is charged;
    the lists' links and counts are right.
    """
    state = k.state
    left = 0
    charged = 0
    for p in range(state.n_pages):
        page = state.pages[p]
        if page.bits & n.PG_LRU:
            left += 1
            charged += page.group != n.NONE
    for which in range(len(state.zone.lists)):
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
    """A page that is mapped, in the page cache or in the swap cache is on a list, where reclaim can find it."""
    for p in range(k.state.n_pages):
        page = k.state.pages[p]
        used = page.mapcount > 0 or page.file != n.NONE or page.bits & n.PG_SWAPCACHE != 0
        if used and page.bits & n.PG_LRU == 0:
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
        cached += 1
        if page.bits & n.PG_ANON or not 0 <= page.file < state.n_files:
            return p
        file = state.files[page.file]
        if not 0 <= page.index < file.room or state.slots[file.first + page.index] != p + 1:
            return p
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


# --- accounts ------------------------------------------------------------------------------------
@compiled
def usage_adds_up(k):
    """Usage of a group = the pages charged in its subtree + what CPUs keep for it + charges in hand; within its limit.

    A charge in hand is a page that bears its group already, but for one from swap.
    """
    state = k.state
    own = np.zeros(state.n_groups, np.int64)
    for p in range(state.n_pages):
        if state.pages[p].group != n.NONE:
            own[state.pages[p].group] += 1
    for t in range(state.n_tasks):
        for d in range(state.tasks[t].depth):
            f = state.tasks[t].frames[d]
            if f.path == s.P_SWAP_IN and f.held & n.H_CHARGE and f.charged_group != n.NONE:
                own[f.charged_group] += 1
    for c in range(state.n_cpus):
        if state.cpus[c].stock < 0 or (state.cpus[c].stock > 0 and state.cpus[c].stock_group <= 0):
            return n.UNLIMITED
        own[state.cpus[c].stock_group] += state.cpus[c].stock
    for g in range(1, state.n_groups):
        group = state.groups[g]
        want = 0
        for other in range(1, state.n_groups):
            if is_below(k, other, g):
                want += own[other]
        if not group.alive and want != 0:
            return g
        within = group.res.usage <= group.res.limit or may_exceed(k)
        if group.alive and (group.res.usage != want or not within):
            return g
    return OK


@compiled
def may_exceed(k):
    """By the design's policies, a charge may be made over the limit; in cgroup v2 the limit may be set below usage."""
    forced = k.state.dying_charge == FORCED or (k.state.charge_on_oom == KILL and not k.state.fails_in_vain)
    return forced or k.state.cgroup2 != 0


@compiled
def statistics_add_up(k):
    """cache, rss, mapped_file and pgpgin - pgpgout of memory.stat are what a count of the pages gives; max_usage is the
    most. Page tables are none of these."""
    state = k.state
    cache = np.zeros(state.n_groups, np.int64)
    kmem = np.zeros(state.n_groups, np.int64)
    rss = np.zeros(state.n_groups, np.int64)
    mapped = np.zeros(state.n_groups, np.int64)
    for p in range(state.n_pages):
        page = state.pages[p]
        if page.group == n.NONE:
            continue
        if page.bits & n.PG_TABLE:
            kmem[page.group] += 1
        elif page.bits & n.PG_ANON:
            rss[page.group] += 1
        else:
            cache[page.group] += 1
            mapped[page.group] += page.mapcount > 0
    for g in range(state.n_groups):
        books = k.books.groups[g]
        if books.cache != cache[g] or books.rss != rss[g] or books.mapped_file != mapped[g] or books.kmem != kmem[g]:
            return g
        if g > 0 and books.pgpgin - books.pgpgout != cache[g] + rss[g]:
            return g
        if books.max_usage < state.groups[g].res.usage or books.memsw_max_usage < state.groups[g].memsw.usage:
            return g
    return OK
