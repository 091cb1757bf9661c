"""Address spaces and their mappings (mm/mmap.c, kernel/fork.c): mm_alloc, find_vma, map, unmap, copy.

Mappings are a list in order of addresses; numbers are pages.
"""

from __future__ import annotations

from . import names as n
from . import state as st
from . import steps as s
from .compiled import compiled
from .folio import page_folio
from .generated import begin_mm
from .kmem import free_mm, free_vm_area
from .lru import keeps_charge, lru_add, lru_add_drain, lru_del, mark_page_accessed, stay_in_batch
from .memcontrol import __mem_cgroup_uncharge_common, mem_cgroup_uncharge_end, uncharge_table
from .oom_queue import dequeue
from .page_alloc import free_page
from .page_counter import page_counter_charge
from .pgtable import clear_pte, clear_swap_pte, free_table, is_none, lookup_pte, pte_of, set_pte, set_swap_pte
from .shmem import shmem_evict_inode
from .swap_state import free_orphan, free_swap_and_cache
from .wait import spend

ZAP_CHUNK = 64  # entries cleared in one move; a cond_resched() lies between two


@compiled
def mm_alloc(k, g):
    """An empty address space with one user, owned by a task of group ``g``; NONE when there is no room."""
    state = k.state
    m = state.free_mm
    if m != n.NONE:
        state.free_mm = state.mms[m].root
    elif state.n_mms < len(state.mms):
        m = state.n_mms
        state.n_mms += 1
    else:
        k.books.error = st.ERR_MMS
        return n.NONE
    mm = state.mms[m]
    begin_mm(mm)
    mm.users = 1
    mm.owner_group = g
    k.books.mm_table[m] = n.NONE
    k.books.mm_vma[m] = n.NONE
    return m


@compiled
def mm_free(k, m):
    """The last user is gone and everything is unmapped."""
    mm = k.state.mms[m]
    free_mm(k, m)
    dequeue(k, m)
    mm.oom_skip = 0
    mm.unstable = 0
    mm.owner_group = 0
    mm.users = 0
    mm.vmas = n.NONE
    mm.root = k.state.free_mm
    k.state.free_mm = m


@compiled
def find_vma(k, m, vpn):
    """The mapping that holds a page, or NONE."""
    vmas = k.state.vmas
    v = k.books.mm_vma[m]
    if v != n.NONE and vmas[v].mm == m and vmas[v].start <= vpn < vmas[v].end:
        return v
    v = k.state.mms[m].vmas
    while v != n.NONE and vmas[v].end <= vpn:
        v = vmas[v].next
    if v == n.NONE or vmas[v].start > vpn:
        return n.NONE
    k.books.mm_vma[m] = v
    return v


@compiled
def new_vma(k, m, start, end, file, pgoff, prot):
    """A mapping in its place in the list (nothing may be there yet). An anonymous neighbour of the same kind grows."""
    state = k.state
    before = n.NONE
    after = state.mms[m].vmas
    while after != n.NONE and state.vmas[after].end <= start:
        before = after
        after = state.vmas[after].next
    if before != n.NONE and file == n.NONE:
        left = state.vmas[before]
        if left.end == start and left.file == n.NONE and (left.prot & ~n.VM_ANON_VMA) == (prot & ~n.VM_ANON_VMA):
            left.end = end
            return before
    v = vm_area(k, m, start, end, file, pgoff, prot)
    if v == n.NONE:
        return n.NONE
    state.vmas[v].next = after
    if before == n.NONE:
        state.mms[m].vmas = v
    else:
        state.vmas[before].next = v
    return v


@compiled
def split_vma(k, m, v, at):
    """__split_vma: the mapping ends here, and a new one goes on. The new one, or NONE."""
    state = k.state
    vma = state.vmas[v]
    new = vm_area(k, m, at, vma.end, vma.file, vma.pgoff + (at - vma.start), vma.prot)
    if new == n.NONE:
        return n.NONE
    copy_ra_state(k, v, new)
    state.vmas[new].marked = vma.marked
    state.vmas[new].next = vma.next
    vma.next = new
    vma.end = at
    k.books.mm_vma[m] = n.NONE
    return new


@compiled
def vm_area(k, m, start, end, file, pgoff, prot):
    """A mapping's record, in no list yet; NONE when there is no room."""
    state = k.state
    v = state.free_vma
    if v != n.NONE:
        state.free_vma = state.vmas[v].next
    elif state.n_vmas < len(state.vmas):
        v = state.n_vmas
        state.n_vmas += 1
    else:
        k.books.error = st.ERR_VMAS
        return n.NONE
    vma = state.vmas[v]
    vma.mm = m
    vma.start = start
    vma.end = end
    vma.file = file
    vma.pgoff = pgoff
    vma.prot = prot
    if file != n.NONE:
        state.files[file].mapped += 1
    return v


@compiled
def copy_ra_state(k, v, new):
    """A part or a copy of a mapping has the same open file behind it."""
    if new == n.NONE or k.state.vmas[v].file == n.NONE:
        return
    old, vma = k.state.vmas[v], k.state.vmas[new]
    vma.mmap_miss = old.mmap_miss
    vma.ra.start = old.ra.start
    vma.ra.pages = old.ra.pages
    vma.ra.async_pages = old.ra.async_pages
    vma.ra.order = old.ra.order


@compiled
def _drop_vma(k, m, before, v):
    state = k.state
    after = state.vmas[v].next
    if before == n.NONE:
        state.mms[m].vmas = after
    else:
        state.vmas[before].next = after
    free_vm_area(k, v)
    vma = state.vmas[v]
    file = vma.file
    vma.mm = n.NONE
    vma.start = 0
    vma.end = 0
    vma.file = 0
    vma.pgoff = 0
    vma.prot = 0
    vma.mmap_miss = 0
    vma.marked = 0
    vma.ra.start = 0
    vma.ra.pages = 0
    vma.ra.async_pages = 0
    vma.ra.order = 0
    vma.next = state.free_vma
    state.free_vma = v
    if k.books.mm_vma[m] == v:
        k.books.mm_vma[m] = n.NONE
    if file != n.NONE:
        state.files[file].mapped -= 1
        if state.files[file].anonymous and state.files[file].mapped == 0:
            shmem_evict_inode(k, file)
    return after


@compiled
def remove_vmas(k, m, start, end):
    """Take start..end out of the list of mappings (detach_vmas_to_be_unmapped); mappings at the edges are split."""
    state = k.state
    before = n.NONE
    v = state.mms[m].vmas
    while v != n.NONE and state.vmas[v].start < end:
        vma = state.vmas[v]
        if vma.end <= start:
            before = v
            v = vma.next
            continue
        if vma.start < start and vma.end > end:  # a hole in the middle
            tail_end = vma.end
            vma.end = start
            off = vma.pgoff + (end - vma.start)
            copy_ra_state(k, v, new_vma(k, m, end, tail_end, vma.file, off, vma.prot))
            return
        if vma.start < start:
            vma.end = start
            before = v
            v = vma.next
        elif vma.end > end:
            vma.pgoff += end - vma.start
            vma.start = end
            return
        else:
            v = _drop_vma(k, m, before, v)


@compiled
def zap_pte(k, number):
    """An entry is cleared. Returns the group from which a page was uncharged, or NONE."""
    if pte_of(k, number).bits & n.PTE_SWAP:
        free_swap_and_cache(k, clear_swap_pte(k, number))
        return n.NONE
    young = pte_of(k, number).bits & n.PTE_ACCESSED
    which = pte_of(k, number).page
    p = clear_pte(k, number)
    if p == n.NONE:
        return n.NONE
    page = k.state.pages[p]
    if young and k.state.lruvecs and page.bits & n.PG_ANON == 0 and which == p:  # zap_present_folio_ptes: a folio once
        mark_page_accessed(k, p)
    page.refs -= 1
    g = n.NONE
    if page.refs == 0:
        kept = page.group if keeps_charge(k, p) else 0
        if kept > 0:
            stay_in_batch(k, p)
        lru_del(k, p)
        g = __mem_cgroup_uncharge_common(k, p)
        if kept > 0:
            page_counter_charge(k, kept, 1)
        free_page(k, p)
        return g
    if page.mapcount == 0 and page.bits & n.PG_UNEVICTABLE:  # munlock: with its last mapping
        lru_del(k, p)
        page.bits &= ~n.PG_UNEVICTABLE
        lru_add(k, p)
    if page.bits & n.PG_SWAPCACHE:
        free_orphan(k, p)
    return g


@compiled
def unmap_vmas(k, m, start, end):
    """Unmap up to ZAP_CHUNK pages of start..end; returns where to go on (``end`` when all is done)."""
    entries = len(k.state.tables[0].pte)
    vpn = start
    cleared = 0
    last = n.NONE
    if not k.state.unmap_keeps:
        lru_add_drain(k, k.books.cpu)
    while vpn < end and cleared < ZAP_CHUNK:
        number = lookup_pte(k, m, vpn)
        if number == n.NONE:
            vpn = (vpn | (entries - 1)) + 1
            continue
        stop = min(end, (vpn | (entries - 1)) + 1)
        vpn, cleared, last = zap_pte_range(k, number, vpn, stop, cleared, last)
    mem_cgroup_uncharge_end(k, last)
    return min(vpn, end)


@compiled
def zap_pte_range(k, number, vpn, stop, cleared, last):
    """Within one page table. Returns where it stopped, how many entries of the chunk are cleared, and the group from
    which a page was uncharged last (or NONE): a series of uncharges is of one group.
    """
    while vpn < stop and cleared < ZAP_CHUNK:
        if not is_none(pte_of(k, number)):
            freed_from = zap_pte(k, number)
            if freed_from != n.NONE:
                if last != n.NONE and last != freed_from:
                    mem_cgroup_uncharge_end(k, last)
                last = freed_from
            cleared += 1
        vpn += 1
        number += 1
    return vpn, cleared, last


@compiled
def overlaps(k, m, start, end):
    """Something is mapped in start..end."""
    v = k.state.mms[m].vmas
    while v != n.NONE and k.state.vmas[v].end <= start:
        v = k.state.vmas[v].next
    return v != n.NONE and k.state.vmas[v].start < end


@compiled
def free_pgtables(k, m, start, end):
    """start..end is unmapped: the charged page tables that no mapping needs any more go, each with its page."""
    if k.state.mms[m].tables == 0:
        return
    entries = len(k.state.tables[0].pte)
    for vpn in range(start & ~(entries - 1), end, entries):
        number = lookup_pte(k, m, vpn)
        if number == n.NONE:
            continue
        p = k.state.tables[number // entries].page
        if p != n.NONE and not overlaps(k, m, vpn, vpn + entries):
            free_table(k, number // entries)
            k.state.pages[p].refs = 0
            uncharge_table(k, p)
            free_page(k, p)


@compiled
def exit_mmap(k, m):
    """Unmap a chunk of a whole address space. True when nothing is left."""
    mm = k.state.mms[m]
    if not k.state.unmap_keeps:
        lru_add_drain(k, k.books.cpu)
    if mm.vmas == n.NONE:
        return True
    vma = k.state.vmas[mm.vmas]
    before = vma.start
    start = unmap_vmas(k, m, vma.start, vma.end) if mm.tables > 0 else vma.end
    vma.pgoff += start - vma.start
    vma.start = start
    if vma.start >= vma.end:
        _drop_vma(k, m, n.NONE, mm.vmas)
    free_pgtables(k, m, before, start)
    return mm.vmas == n.NONE


@compiled
def copy_page_range(k, m, child, v, start, end):
    """copy_page_range for a chunk of a mapping, up to ``end``: anonymous pages are shared, both sides write-protected.

    Pages of files are left for faults to find, where nothing of the mapping was ever copied. Returns where to go on.
    """
    vma = k.state.vmas[v]
    entries = len(k.state.tables[0].pte)
    vpn = start
    copied = 0
    while vpn < end and copied < ZAP_CHUNK:
        number = lookup_pte(k, m, vpn)
        if number == n.NONE:
            vpn = (vpn | (entries - 1)) + 1
            continue
        pte = pte_of(k, number)
        if pte.bits & n.PTE_PRESENT:
            p = pte.page
            folio = page_folio(k, p) if p != n.NONE else n.NONE
            anon = p != n.NONE and k.state.pages[folio].bits & n.PG_ANON
            if anon or p == n.NONE or vma.prot & n.VM_ANON_VMA:
                if vma.prot & n.VM_SHARED == 0:
                    pte.bits &= ~(n.PTE_WRITE | n.PTE_EXCLUSIVE)
                if p != n.NONE:
                    k.state.pages[folio].refs += 1
                set_pte(k, child, vpn, p, pte.bits & ~n.PTE_ZERO)
                spend(k, s.DUP_PTE)
                copied += 1
        elif pte.bits & n.PTE_SWAP:
            k.state.swaps[pte.page].count += 1
            pte.bits &= ~n.PTE_EXCLUSIVE
            set_swap_pte(k, child, vpn, pte.page)
            spend(k, s.DUP_PTE)
            copied += 1
        vpn += 1
    return min(vpn, end)


@compiled
def next_to_copy(k, m, v, start):
    """Where the next page table of a mapping begins that fork copies from; its end if there is none.

    A mapping of a file without pages of its own is left to faults (vma_needs_copy).
    """
    vma = k.state.vmas[v]
    entries = len(k.state.tables[0].pte)
    vpn = start
    while vpn < vma.end and vma.prot & n.VM_ANON_VMA:
        if lookup_pte(k, m, vpn) != n.NONE:
            return vpn
        vpn = (vpn | (entries - 1)) + 1
    return vma.end
