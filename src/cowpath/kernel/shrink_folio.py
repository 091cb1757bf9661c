"""What becomes of one page in reclaim of later kernels (shrink_folio_list, shrink_active_list; mm/vmscan.c)."""

from __future__ import annotations

from . import names as n
from . import steps as s
from .block import wait_on_page_writeback
from .compiled import compiled
from .folio import folio_nr_pages
from .frames import R_KSWAPD, R_PROACTIVE
from .gfp import may_enter_fs
from .lru import count_vm_events, lru_add, lru_del
from .rmap import page_referenced, try_to_unmap
from .shrink import ACTIVATE, KEEP, RECLAIM, RECLAIM_CLEAN, __remove_mapping, has_swap_slot, note_where, pageout
from .swap_state import swap_zeromap_folio_set, try_to_free_swap
from .swapfile import vm_swap_full
from .wait import spend
from .workingset import is_file_lru, keep_shadow, workingset_eviction
from .xarray import xa_erase, xa_hold, xa_store_shadows

# books.tasks[t].batch: pages of the batch in hand
BATCH_SCANNED = 0
BATCH_FREED = 1  # of an active list: those that stay there
BATCH_DIRTY = 2  # of files, dirty, and nobody has begun to write them
BATCH_PAGEOUT = 3  # that reclaim has begun to write


@compiled
def reclaimer(f):
    """Who reclaims: the place of the count among pgscan_* and pgsteal_* (reclaimer_offset)."""
    if f.arg & R_KSWAPD:
        return 0
    return 2 if f.arg & R_PROACTIVE else 1


@compiled
def isolate_folio(k, t, f, p, event):
    """Take a page off its list, and count it."""
    spend(k, s.SCAN_PAGE)
    pages = folio_nr_pages(k, p)
    f.todo -= pages
    f.scanned += pages
    lru_del(k, p)
    k.books.aged += 1
    k.books.tasks[t].batch[BATCH_SCANNED] += pages
    k.books.groups[f.victim].vm_events[event] += pages
    k.state.groups[f.victim].recent.scanned[is_file_lru(k.state.pages[p])] += pages
    if f.group == 0:
        k.state.zone.pages_scanned += pages


# --- of an active list -----------------------------------------------------------------------------
@compiled
def shrink_active_folio(k, t, f):
    """shrink_active_list for one page: down to the inactive list, or another round if it is executed text in use."""
    p = k.state.groups[f.victim].lists[f.lru].tail
    if p == n.NONE:
        f.todo = 0
        return
    isolate_folio(k, t, f, p, n.VM_PGREFILL)
    page = k.state.pages[p]
    file = is_file_lru(page)
    pages = folio_nr_pages(k, p)
    found, bits = page_referenced(k, p, f.group)
    if found:
        k.state.groups[f.victim].recent.rotated[file] += pages
    if bits & n.VM_LOCKED:
        page.bits |= n.PG_UNEVICTABLE
    elif found and bits & n.VM_EXEC and file:
        k.books.tasks[t].batch[BATCH_FREED] += pages
    else:
        page.bits &= ~n.PG_ACTIVE
        if k.books.remembers:
            k.books.pages[p].workingset = 1
        count_vm_events(k, p, n.VM_PGDEACTIVATE, pages)
    lru_add(k, p)


# --- of an inactive list ---------------------------------------------------------------------------
@compiled
def shrink_inactive_folio(k, t, f):
    """One page of an inactive list. AGAIN, or SLEEP: it is being written, and is waited for."""
    p = k.state.groups[f.victim].lists[f.lru].tail
    if p == n.NONE:
        f.todo = 0
        return n.AGAIN
    if waits_for_writeback(k, t, f, p) and not wait_on_page_writeback(k, t, p):
        return n.SLEEP
    isolate_folio(k, t, f, p, n.VM_PGSCAN + reclaimer(f))
    page = k.state.pages[p]
    file = is_file_lru(page)
    pages = folio_nr_pages(k, p) if page.bits & n.PG_ANON == 0 else 1  # what is swapped out has been split
    verdict = shrink_folio(k, t, f, p)
    if verdict == RECLAIM:
        f.done += pages
        k.books.tasks[t].batch[BATCH_FREED] += pages
        k.books.groups[f.victim].vm_events[n.VM_PGSTEAL + reclaimer(f)] += pages
        return n.AGAIN
    if verdict == ACTIVATE:
        if page.bits & n.PG_SWAPCACHE and page.mapcount > 0 and vm_swap_full(k):
            try_to_free_swap(k, p)
        page.bits |= n.PG_ACTIVE
        count_vm_events(k, p, n.VM_PGACTIVATE, folio_nr_pages(k, p))
        k.state.groups[f.victim].recent.rotated[file] += folio_nr_pages(k, p)
    lru_add(k, p)
    return n.AGAIN


@compiled
def waits_for_writeback(k, t, f, p):
    """A group of v1 has no dirty limits of its own, so its reclaim waits for a page that is being written if it has
    met that before (e62e384e9da8, 3.6): since ecf5fc6e9654 (4.2) not in the midst of what a file system does.
    """
    page = k.state.pages[p]
    if page.bits & n.PG_WRITEBACK == 0 or page.bits & n.PG_RECLAIM == 0 or page.locked_by != n.FREE:
        return False
    if k.state.cgroup2 or f.group == 0 or f.arg & R_KSWAPD:
        return False
    if page.bits & n.PG_SWAPCACHE:
        return True
    return k.state.waits_for_io != 0 or may_enter_fs(k, t, f)


@compiled
def folio_check_references(k, p, found, bits):
    """folio_check_references: a page in use goes round once more, and becomes active when it is met in use a second
    time, by two entries at once, or as executed text. Until 5.8 an anonymous page became so at once.
    """
    page = k.state.pages[p]
    was_referenced = page.bits & n.PG_REFERENCED
    page.bits &= ~n.PG_REFERENCED
    if found > 0:
        page.bits |= n.PG_REFERENCED
        anon = is_file_lru(page) == 0
        if was_referenced or found > 1 or (anon and not k.state.inactive_anon):
            return ACTIVATE
        return ACTIVATE if bits & n.VM_EXEC and not anon else KEEP
    if was_referenced and is_file_lru(page):
        return RECLAIM_CLEAN
    return RECLAIM


@compiled
def shrink_folio(k, t, f, p):
    """shrink_folio_list for one page. RECLAIM, KEEP or ACTIVATE."""
    page = k.state.pages[p]
    if page.locked_by != n.FREE:
        return KEEP
    batch = k.books.tasks[t].batch
    if page.bits & n.PG_WRITEBACK:
        page.bits |= n.PG_RECLAIM
        return ACTIVATE
    if is_file_lru(page) and page.bits & n.PG_DIRTY:
        batch[BATCH_DIRTY] += folio_nr_pages(k, p)
    found, bits = page_referenced(k, p, f.group)
    if bits & n.VM_LOCKED:
        page.bits |= n.PG_UNEVICTABLE
        return KEEP
    verdict = folio_check_references(k, p, found, bits)
    if verdict > RECLAIM_CLEAN:
        return verdict
    if page.bits & n.PG_ANON and not has_swap_slot(k, f, p):
        return ACTIVATE
    where = note_where(k, p)
    try_to_unmap(k, p)
    if page.bits & n.PG_DIRTY and not (page.bits & n.PG_SWAPCACHE and k.state.swaps[page.index].count == 0):
        if is_file_lru(page):  # the flusher's (ee72886d8ed5, 3.2); to be freed as soon as it is written
            page.bits |= n.PG_RECLAIM
            return ACTIVATE
        if verdict == RECLAIM_CLEAN:
            return KEEP
        if swap_zeromap_folio_set(k, p):
            return remove_and_remember(k, t, f, p, where)
        verdict = pageout(k, t, f, p, where)
        batch[BATCH_PAGEOUT] += page.bits & n.PG_WRITEBACK != 0
        return verdict
    return remove_and_remember(k, t, f, p, where)


@compiled
def remove_and_remember(k, t, f, p, where):
    """The page goes, and its shadow takes its place, if anybody may still look there."""
    page = k.state.pages[p]
    file, index = page.file, page.index
    swapped = page.bits & n.PG_SWAPCACHE != 0
    keeps = not swapped or k.state.swaps[index].count > 0
    workingset = k.books.pages[p].workingset if k.books.remembers else 0
    pages = folio_nr_pages(k, p)
    held = keeps and file != n.NONE
    if held:  # the tree's nodes stay for the shadow
        xa_hold(k, file, index, pages)
    verdict = __remove_mapping(k, t, f, p, where)
    shadow = 0
    if verdict == RECLAIM and keeps:
        shadow = workingset_eviction(k, f.group, workingset, pages)
        for at in range(index, index + pages if shadow else index):
            keep_shadow(k, n.NONE if swapped else file, at, shadow)
    if held and shadow == 0:
        xa_erase(k, file, index, pages)
    elif held:
        xa_store_shadows(k, file, index, pages)
    return verdict
