"""What reclaim does with one page: down from the active list, or out of memory (mm/vmscan.c of 3.0)."""

from __future__ import annotations

from . import names as n
from . import steps as s
from .block import add_write, back_merge, bdi_write_congested, new_request, queue_is_full, submit
from .compiled import compiled
from .filemap import MISSED_PHASE, SINGLE_PHASE, delete_from_page_cache
from .folio import first_rmap, folio_nr_pages
from .frames import R_HIGH, R_KSWAPD, R_NOSWAP
from .huge_memory import split_folio
from .lru import lru_add, lru_del
from .memcontrol import uncharge_lone
from .page_alloc import free_page
from .page_writeback import clear_page_dirty
from .rmap import page_mkclean, page_referenced, try_to_unmap
from .shmem import shmem_writepage
from .swap_state import add_to_swap, delete_from_swap_cache
from .wait import emit, spend

RECLAIM = 0  # of page_check_references
RECLAIM_CLEAN = 1  # only if it need not be written
KEEP = 2
ACTIVATE = 3


@compiled
def chain_of(k, f, which):
    """The list that a reclaim frame means: the machine's, or its group's."""
    if f.group == 0:
        return k.state.zone.lists[which]
    return k.state.groups[f.victim].lists[which]


@compiled
def recent_of(k, f):
    """The reclaim statistics that go with the lists."""
    if f.group == 0:
        return k.state.zone.recent
    return k.state.groups[f.victim].recent


@compiled
def isolate(k, f):
    """Take the list's last page off its lists, and count it; NONE if there is none."""
    p = chain_of(k, f, f.lru).tail
    if p == n.NONE:
        f.todo = 0
        return n.NONE
    spend(k, s.SCAN_PAGE)
    pages = folio_nr_pages(k, p)
    f.todo -= pages - 1  # the first of them is the caller's
    f.scanned += pages
    lru_del(k, p)
    k.books.aged += 1
    recent_of(k, f).scanned[0 if f.lru <= n.LRU_ACTIVE_ANON else 1] += pages
    if f.group == 0:
        k.state.zone.pages_scanned += pages
    page = k.state.pages[p]
    if page.group == n.NONE and page.mapcount > 0:
        note_uncharged(k, p)
    return p


@compiled
def note_uncharged(k, p):
    """Reclaim has met a page that is mapped already and not charged yet."""
    owner = k.state.mms[k.state.tables[first_rmap(k, p) // len(k.state.tables[0].pte)].mm].owner_group
    k.books.groups[owner].counters[n.C_SEEN_UNCHARGED] += 1


@compiled
def shrink_active_list(k, f):
    """shrink_active_list for one page: down to the inactive list, or another round if it is executed text in use."""
    p = isolate(k, f)
    if p == n.NONE:
        return
    page = k.state.pages[p]
    found, bits = page_referenced(k, p, f.victim)
    if found:
        recent_of(k, f).rotated[0 if f.lru <= n.LRU_ACTIVE_ANON else 1] += folio_nr_pages(k, p)
    if bits & n.VM_LOCKED:
        page.bits |= n.PG_UNEVICTABLE
    elif found == 0 or bits & n.VM_EXEC == 0 or f.lru == n.LRU_ACTIVE_ANON:
        page.bits &= ~n.PG_ACTIVE
    lru_add(k, p)


@compiled
def page_check_references(k, p, found):
    """page_check_references"""
    page = k.state.pages[p]
    was_referenced = page.bits & n.PG_REFERENCED
    page.bits &= ~n.PG_REFERENCED
    if found > 0:
        if page.bits & n.PG_ANON:
            return ACTIVATE
        page.bits |= n.PG_REFERENCED
        return ACTIVATE if was_referenced else KEEP
    if was_referenced and page.bits & (n.PG_ANON | n.PG_SWAPBACKED) == 0:
        return RECLAIM_CLEAN
    return RECLAIM


@compiled
def shrink_inactive_list(k, t, f):
    """shrink_page_list for one page. A page that cannot be trylocked, or is being written, is passed over."""
    p = isolate(k, f)
    if p == n.NONE:
        return
    page = k.state.pages[p]
    if page.locked_by != n.FREE or page.bits & n.PG_WRITEBACK:
        lru_add(k, p)
        return
    found, bits = page_referenced(k, p, f.victim)
    if bits & n.VM_LOCKED:
        page.bits |= n.PG_UNEVICTABLE
        lru_add(k, p)
        return
    verdict = page_check_references(k, p, found)
    pages = 1 if page.bits & n.PG_ANON else folio_nr_pages(k, p)  # what is swapped out has been split
    if verdict <= RECLAIM_CLEAN:
        verdict = shrink_page_list(k, t, f, p, verdict == RECLAIM_CLEAN)
    if verdict == RECLAIM:
        f.done += pages
        return
    if verdict == ACTIVATE:
        page.bits |= n.PG_ACTIVE
        recent_of(k, f).rotated[0 if f.lru <= n.LRU_ACTIVE_ANON else 1] += folio_nr_pages(k, p)
    lru_add(k, p)


@compiled
def shrink_page_list(k, t, f, p, only_clean):
    """The rest of shrink_page_list: a swap slot, unmap, write, and out of memory. RECLAIM, KEEP or ACTIVATE."""
    page = k.state.pages[p]
    if page.bits & n.PG_ANON and not has_swap_slot(k, f, p):
        return ACTIVATE
    where = note_where(k, p)
    try_to_unmap(k, p)
    if page.bits & n.PG_DIRTY and not (page.bits & n.PG_SWAPCACHE and k.state.swaps[page.index].count == 0):
        if only_clean:
            return KEEP
        return pageout(k, t, f, p, where)
    return __remove_mapping(k, t, f, p, where)


@compiled
def has_swap_slot(k, f, p):
    """An anonymous page is in the swap cache, or comes into it now, as a single page, if the reclaim may swap."""
    if k.state.pages[p].bits & n.PG_SWAPCACHE:
        return True
    if f.arg & R_NOSWAP:
        return False
    split_folio(k, p, True)
    return add_to_swap(k, p)


@compiled
def note_where(k, p):
    """For the log: the file and index of a page, or its swap slot."""
    page = k.state.pages[p]
    return int(page.file) * (1 << 32) + int(page.index) if page.file != n.NONE else int(page.index)


@compiled
def pageout(k, t, f, p, where):
    """Begin to write a page, unless somebody has it in hand or too many writes wait already. KEEP, or ACTIVATE for a
    page of shmem for which there is no slot.
    """
    page = k.state.pages[p]
    waits = f.arg & R_KSWAPD != 0 or k.state.lruvecs != 0  # or has waited
    if page.refs != 1 or (queue_is_full(k) if waits else bdi_write_congested(k)):
        return KEEP
    spend(k, s.WRITE_PAGE)
    if page.file != n.NONE and k.state.files[page.file].shmem and not shmem_writepage(k, p):
        return ACTIVATE
    clear_page_dirty(k, p)
    page_mkclean(k, p)
    page.bits |= n.PG_RECLAIM
    if not back_merge(k, p):
        r = new_request(k, t)
        if r == n.NONE:
            return KEEP
        add_write(k, r, p)
        submit(k, r)
    swapped = page.bits & n.PG_SWAPCACHE != 0
    owner = page.group if page.group != n.NONE else 0
    k.books.groups[owner].counters[n.C_SWAP_OUT if swapped else n.C_PAGE_OUT] += 1
    k.books.groups[owner].vm_events[n.VM_PSWPOUT] += swapped
    emit(k, n.EV_PAGEOUT, t, p, page.index if swapped else n.NONE, where, 0)
    return KEEP


@compiled
def __remove_mapping(k, t, f, p, where):
    """__remove_mapping and free: out of the page cache or the swap cache, unless somebody has the page in hand."""
    page = k.state.pages[p]
    if page.refs != 1:
        return KEEP
    spend(k, s.RECLAIM_PAGE)
    emit(k, n.EV_EVICT, t, p, page.group, where, 0)
    if page.bits & n.PG_SWAPCACHE:
        g = delete_from_swap_cache(k, p)
    else:
        note_own(k, t, page.file, page.index)
        if f.arg & R_HIGH:
            note_lost(k, t, page.file, page.index)
        g = delete_from_page_cache(k, p)
        page.refs -= 1
    free_page(k, p)
    uncharge_lone(k, g)
    return RECLAIM


@compiled
def note_own(k, t, file, index):
    """The reclaimer's own fault is about to look up the page that it has just taken (way 1)."""
    task = k.state.tasks[t]
    for d in range(task.depth):
        f = task.frames[d]
        if f.path == s.P_FILE_COW and f.file == file and f.index == index and f.held & n.H_PAGE_REF == 0:
            k.books.groups[task.group].counters[n.C_OWN_EVICTED] += 1


@compiled
def note_lost(k, t, file, index):
    """Who pays for memory.high within a read or a fault has taken a page that it is still to get there: it will have it
    read once more.
    """
    task = k.state.tasks[t]
    for d in range(task.depth):
        f = task.frames[d]
        if f.file == file and is_to_come(k, f, index):
            task.lost_own = 1
            k.books.groups[task.group].counters[n.C_OWN_EVICTED] += 1
            return


@compiled
def is_to_come(k, f, index):
    """A page of the frame's file is still to be got in it: of a read, it lies ahead; of a fault, it is being read."""
    if k.books.paths[f.path].reads_file:
        return f.index <= index < f.index + f.count
    if f.path > s.LAST_FAULT_PATH or f.held & n.H_PAGE_REF:
        return False
    return f.index == index and (f.phase == MISSED_PHASE or f.phase == SINGLE_PHASE)
