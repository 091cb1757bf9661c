"""The page cache (mm/filemap.c, mm/truncate.c): where a file's pages are found, read and dropped.

A file's pages stand in ``slots[first + index]``; the cache holds one reference to each. Which ones are read ahead says
``readahead.py``; what becomes of those of shmem that are in swap, ``shmem.py``.
"""

from __future__ import annotations

from . import names as n
from . import state as st
from . import steps as s
from .block import (
    add_new_to_request,
    add_to_request,
    clear_congested,
    end_page_writeback,
    free_request,
    new_request,
    submit,
    submit_bios,
    wait_on_page_writeback,
)
from .buffer import try_to_free_buffers
from .compiled import compiled
from .folio import folio_contains, folio_nr_pages, next_page, page_folio
from .frames import push
from .kmem import undo_kmem
from .lru import lru_add_drain, lru_cache_add, lru_del, mark_page_accessed
from .memcontrol import (
    __mem_cgroup_uncharge_common,
    count_majfault,
    mem_cgroup_uncharge_end,
    mem_cgroup_uncharge_page,
)
from .page_alloc import free_page
from .page_lock import (
    FOR_IO,
    KILLED,
    RETRIED,
    WAITING,
    __lock_page_or_retry,
    lock_page,
    lock_page_killable,
    lock_page_maybe_drop_mmap,
    maybe_unlock_mmap_for_io,
    trylock_page,
    unlock_page,
    wait_on_page_locked,
)
from .page_writeback import clear_page_dirty
from .page_writeback import set_page_dirty as mark_dirty
from .pgtable import lookup_pte, pte_of
from .places import note_removed
from .ra_state import last_read, read_rest
from .wait import current, go_to, spend
from .workingset import take_shadow, workingset_refault
from .xarray import xa_erase, xa_erase_shadow, xa_store

REREAD_PHASE = 6  # of lock_page and wait_uptodate: the page was read once more
MISSED_PHASE = 5  # of find_page: read-ahead has been asked for the page
SINGLE_PHASE = 8  # the page alone has been asked for (page_cache_read), or one for shmem made
AHEAD_PHASE = 9  # the page is in hand, and the window behind its marker has been asked for
FORCE_PHASE = 11  # so many pages have been asked for, whatever the window (force_page_cache_readahead)
SWAP_PHASE = 10  # a page of shmem has been asked for from swap
MMAP_LOTSAMISS = 100  # more misses than hits: faults read ahead no more


@compiled
def cached_subpage(k, file, index):
    """The page of a file at an index, or NONE: a look into the radix tree, without a reference."""
    return k.state.slots[k.state.files[file].first + index] - 1


@compiled
def cached_page(k, file, index):
    """The folio to which it belongs, or NONE."""
    p = cached_subpage(k, file, index)
    return page_folio(k, p) if p != n.NONE else n.NONE


@compiled
def find_get_page(k, file, index):
    """The page of a file at an index, with a reference, or NONE."""
    p = cached_page(k, file, index)
    if p != n.NONE:
        k.state.pages[p].refs += 1
    return p


@compiled
def is_swapped(k, file, index):
    """The page is one of shmem that is in swap."""
    return k.state.shmem_swp[k.state.files[file].first + index] != 0


@compiled
def page_cache_release(k, p):
    """Drop a reference; the last one frees the page."""
    page = k.state.pages[p]
    page.refs -= 1
    if page.refs == 0:
        lru_del(k, p)
        mem_cgroup_uncharge_page(k, p)
        free_page(k, p)


@compiled
def add_to_page_cache(k, p, file, index):
    """The cache takes a reference to the page."""
    page = k.state.pages[p]
    page.file = file
    page.index = index
    page.refs += 1
    if k.state.files[file].shmem:
        page.bits |= n.PG_SWAPBACKED
    set_slots(k, p, 1)


@compiled
def set_slots(k, p, cached):
    """The slots of a folio's pages name them from now on (1), or nothing (0)."""
    page = k.state.pages[p]
    file = k.state.files[page.file]
    slot = file.first + page.index
    while p != n.NONE:
        k.state.slots[slot] = p + 1 if cached else 0
        file.cached += 1 if cached else -1
        slot += 1
        p = next_page(k, p)


@compiled
def add_to_page_cache_lru(k, p, file, index, reads):
    """A page that is charged to its group joins the cache and the lists. One that is to be read may be a refault."""
    add_to_page_cache(k, p, file, index)
    pages = folio_nr_pages(k, p)
    shadow = 0
    for at in range(index, index + pages):  # the last one counts (__filemap_add_folio)
        shadow = take_shadow(k, file, at) or shadow
    if reads:
        workingset_refault(k, p, shadow, pages)
    lru_cache_add(k, p)


@compiled
def delete_from_page_cache(k, p):
    """The page is no longer the file's; the cache's reference stays with the caller. Returns the group uncharged."""
    page = k.state.pages[p]
    lru_del(k, p)
    xa_erase(k, page.file, page.index, folio_nr_pages(k, p))
    if k.books.pages[p].buffers:
        try_to_free_buffers(k, p)
    set_slots(k, p, 0)
    clear_page_dirty(k, p)
    note_removed(k, p)
    page.file = n.NONE
    return __mem_cgroup_uncharge_common(k, p)


@compiled
def step_find_page(k, t):
    """filemap_fault, do_generic_file_read, shmem_getpage: look the page up; on a miss have it read (another path) and
    look again. From a page that bears a window's marker on, the next window is read (another path), the page in hand.
    """
    f = current(k, t)
    if f.phase == AHEAD_PHASE:  # whatever has come of that
        f.phase = 0
        return n.NEXT
    fault = f.path <= s.LAST_FAULT_PATH
    if fault and f.phase == MISSED_PHASE:  # do_sync_mmap_readahead is done
        count_majfault(k, t)
    if f.index >= k.state.files[f.file].pages:
        f.phase = 0
        return n.FAIL_SIGBUS
    p = find_get_page(k, f.file, f.index)
    if p == n.NONE:
        return on_miss(k, t, f, fault)
    asked = f.phase
    f.phase = 0
    if fault and asked == SWAP_PHASE and f.fault & n.F_MAJOR:  # shmem_fault counts when it has the page
        count_majfault(k, t)
    f.page = p
    f.held |= n.H_PAGE_REF
    f.relock = 1 if f.path == s.P_WP_SHARED else 0  # do_wp_page has it from its entry: a plain lock
    if f.relock or k.state.files[f.file].shmem or (asked != 0 if fault else f.path != s.P_READ):
        return n.NEXT
    if fault:
        vma = k.state.vmas[f.vma]
        if vma.prot & n.VM_RAND_READ:
            return n.NEXT
        vma.mmap_miss = max(0, vma.mmap_miss - 1)
    page = k.state.pages[p]
    if page.bits & n.PG_READAHEAD == 0 or page.bits & n.PG_WRITEBACK:
        return n.NEXT
    page.bits &= ~n.PG_READAHEAD
    if fault:
        maybe_unlock_mmap_for_io(k, t, f)
    f.phase = AHEAD_PHASE
    return n.CALL


@compiled
def on_miss(k, t, f, fault):
    """The page is not there: read ahead, and if that has not brought it, read it alone; in shmem a new page is made and
    charged in any case, before it is found to be in swap.
    """
    file = k.state.files[f.file]
    if f.phase != MISSED_PHASE and f.ret < 0 and f.phase != 0:  # there was no memory
        f.phase = 0
        return n.RETRY if f.fault & n.F_FPIN and -f.ret == n.FAIL_CHARGE else -f.ret
    spend(k, s.FIND_MISS)
    if file.shmem:
        f.phase = SWAP_PHASE if f.phase != 0 and is_swapped(k, f.file, f.index) else SINGLE_PHASE
        return n.CALL
    ahead = f.phase == 0 and file.readahead > 1 and (misses_little(k, f) if fault else f.path == s.P_READ)
    if fault and f.phase == 0:
        f.fault |= n.F_MAJOR
        if not ahead:
            count_majfault(k, t)
    if fault and ahead and f.path != s.P_WP_SHARED:
        maybe_unlock_mmap_for_io(k, t, f)
    f.phase = MISSED_PHASE if ahead else SINGLE_PHASE
    return n.CALL


@compiled
def misses_little(k, f):
    """do_sync_mmap_readahead counts the miss: faults that find their pages much less often than not read no more. Those
    in a mapping of MADV_RANDOM never do.
    """
    if f.vma == n.NONE:
        return False
    vma = k.state.vmas[f.vma]
    if vma.prot & n.VM_RAND_READ:
        return False
    if vma.mmap_miss < MMAP_LOTSAMISS * 10 and not k.books.forgets_misses:
        vma.mmap_miss += 1
    return vma.mmap_miss <= MMAP_LOTSAMISS


@compiled
def call_find_page(k, t, f):
    """Have the page that is missing read, or what lies ahead; or a page of shmem brought back from swap."""
    below = push(k, t, s.P_SWAP_IN if f.phase == SWAP_PHASE else s.P_READAHEAD)
    below.file = f.file
    below.index = f.index
    if below.path == s.P_READAHEAD:
        below.vma = f.vma
        below.count = f.count  # of a read: what is still to come
        below.arg = f.phase
    return n.NEXT


@compiled
def filemap_fault(k, t):
    """The fault's page lock.

    The first time after find_page it is filemap_fault's: lock_page_or_retry, then check that the page is still the
    file's (else look it up again), up to date and within the file. A second time it is a plain lock_page().
    """
    f = current(k, t)
    if f.phase == MISSED_PHASE or f.phase >= SINGLE_PHASE or f.held & n.H_PAGE_REF == 0:
        status = step_find_page(k, t)
        if status != n.NEXT:
            return status
    shmem = k.state.files[f.file].shmem  # find_lock_page
    if f.relock or f.phase == REREAD_PHASE or shmem:
        may_kill = not f.relock and not shmem and f.fault & n.F_KILLABLE and k.state.killable_lock
        got = lock_page_killable(k, t, f.page) if may_kill else lock_page(k, t, f.page)
    else:
        killable = 1 if f.fault & n.F_KILLABLE and k.state.killable_lock else 0
        if k.state.allow_retry == FOR_IO:
            got = lock_page_maybe_drop_mmap(k, t, f, killable)
        else:
            got = __lock_page_or_retry(k, t, f, killable)
    if got == WAITING:
        return n.SLEEP
    if got == KILLED:
        f.phase = 0
        return n.FAIL_KILLED
    if got == RETRIED:
        return n.RETRY
    f.held |= n.H_PAGE_LOCK
    if f.relock:
        f.phase = 0
        return n.NEXT
    return check_locked(k, t, f)


@compiled
def check_locked(k, t, f):
    """What filemap_fault checks once it has the lock."""
    page = k.state.pages[f.page]
    if not folio_contains(k, f.page, f.file, f.index):  # truncated meanwhile
        unlock_page(k, f.page)
        page_cache_release(k, f.page)
        f.held &= ~(n.H_PAGE_LOCK | n.H_PAGE_REF)
        f.page = n.NONE
        f.phase = 0 if k.state.files[f.file].shmem else SINGLE_PHASE  # retry_find: no read-ahead
        f.ret = 0
        if f.newpage != n.NONE:  # what has been copied is not the page that will be found next
            k.state.pages[f.newpage].bits &= ~n.PG_UPTODATE
        return n.AGAIN
    if page.bits & n.PG_UPTODATE == 0:
        if f.phase == REREAD_PHASE:
            f.phase = 0
            return n.RETRY if f.fault & n.F_FPIN else n.FAIL_SIGBUS
        f.phase = REREAD_PHASE
        f.held &= ~n.H_PAGE_LOCK
        maybe_unlock_mmap_for_io(k, t, f)
        return read_one(k, t, f.page)
    if f.fault & n.F_FPIN:  # the lock was only waited for
        f.phase = 0
        return n.RETRY
    if f.index >= k.state.files[f.file].pages:
        f.phase = 0
        return n.FAIL_SIGBUS
    f.phase = 0
    f.relock = 1
    if not k.state.lruvecs:  # else when its entry goes (zap_pte)
        mark_page_accessed(k, f.page)
    return n.NEXT


@compiled
def read_one(k, t, p):
    """->readpage() for a page that is locked by us: the request takes the lock over."""
    r = new_request(k, t)
    if r == n.NONE:
        return n.AGAIN
    k.state.pages[p].bits &= ~n.PG_ERROR
    add_to_request(k, r, p)
    submit(k, r)
    return n.AGAIN


@compiled
def step_wait_uptodate(k, t):
    """do_generic_file_read: an up-to-date page needs no lock; else wait for the read, and read again on an error."""
    f = current(k, t)
    page = k.state.pages[f.page]
    if page.bits & n.PG_UPTODATE:
        f.phase = 0
        k.state.tasks[t].lock_sleeps = 0  # that it was woken was for this page
        if f.path != s.P_READ or not k.state.large_folios or not is_met(k, t, f):
            mark_page_accessed(k, f.page)
        return n.NEXT
    waited = wait_on_page_locked(k, t, f.page, 1 if f.path == s.P_READ else 0)  # read_mapping_page's is not killable
    if waited == WAITING:
        return n.SLEEP
    if waited == KILLED:
        f.phase = 0
        return n.FAIL_KILLED
    if page.bits & n.PG_UPTODATE == 0:
        if page.file == n.NONE:  # truncated: look again
            page_cache_release(k, f.page)
            f.held &= ~n.H_PAGE_REF
            f.phase = 0
            go_to(k, f, s.FIND_PAGE)
            return n.AGAIN
        if f.phase == REREAD_PHASE:
            f.phase = 0
            return n.FAIL_IO
        if not trylock_page(k, t, f.page):  # somebody has it again
            return n.AGAIN
        f.phase = REREAD_PHASE
        return read_one(k, t, f.page)
    return n.AGAIN


@compiled
def is_met(k, t, f):
    """pos_same_folio: what was read before is of the same folio, which has been marked then."""
    before = f.index - 1 if f.vpn > 0 else last_read(k, t, f.file)
    return before >= 0 and folio_contains(k, f.page, f.file, before)


@compiled
def step_add_to_page_cache(k, t):
    """add_to_page_cache_lru: insert the new page locked and not up to date, unless somebody was faster."""
    f = current(k, t)
    if f.newpage == n.NONE:
        return n.NEXT
    p = f.newpage
    f.newpage = n.NONE
    f.batch = 0
    f.held &= ~(n.H_NEW_PAGE | n.H_CHARGE)
    limit = k.state.files[f.file].room if f.path == s.P_WRITE else k.state.files[f.file].pages
    pages = folio_nr_pages(k, p)
    if f.index + pages > limit or is_cached(k, f.file, f.index, pages):
        page_cache_release(k, p)
        if f.held & n.H_KMEM:
            undo_kmem(k, f)
        if f.path == s.P_READAHEAD and f.priority > 0:
            return read_rest(k, t, f)
        if f.path == s.P_WRITE:
            go_to(k, f, s.GRAB_PAGE)  # look again
            return n.AGAIN
        return n.NEXT
    xa_store(k, f, f.index, pages)
    add_to_page_cache_lru(k, p, f.file, f.index, f.path != s.P_WRITE)
    if f.path == s.P_READAHEAD and f.arg > 0 and f.count - pages < f.arg <= f.count:
        k.state.pages[p].bits |= n.PG_READAHEAD
    if f.path == s.P_WRITE:
        trylock_page(k, t, p)
        f.page = p
        f.held |= n.H_PAGE_REF | n.H_PAGE_LOCK
        return n.NEXT
    f.index += pages - 1  # next_page goes on
    f.count -= pages - 1
    add_new_to_request(k, f.request, p, s.ADD_TO_PAGE_CACHE)
    page_cache_release(k, p)
    return n.NEXT


@compiled
def is_cached(k, file, index, pages):
    """One of so many pages from an index on is in the cache, or in swap (-EEXIST)."""
    for at in range(index, index + pages):
        if cached_subpage(k, file, at) != n.NONE or is_swapped(k, file, at):
            return True
    return False


@compiled
def step_submit_io(k, t):
    """Send the window's request, after the loop: its pages have been locked since they were inserted."""
    f = current(k, t)
    if f.file != n.NONE and k.state.files[f.file].shmem:  # no disk behind it: zeroes at once
        complete_io(k, f.request)
    else:
        submit_bios(k, t, f.request)
    if f.path == s.P_SWAP_READAHEAD:
        lru_add_drain(k, k.books.cpu)
    f.request = n.NONE
    return n.NEXT


@compiled
def end_page_read(k, p):
    """A page's data is there, or cannot be had; its lock goes."""
    page = k.state.pages[p]
    bad = False
    if page.file != n.NONE:
        file = k.state.files[page.file]
        bad = page.index < file.bad_first + file.bad_count and file.bad_first < page.index + folio_nr_pages(k, p)
    page.bits |= n.PG_ERROR if bad else n.PG_UPTODATE
    unlock_page(k, p)


@compiled
def complete_io(k, r):
    """A request is done: for each of its pages what the disk's interrupt does."""
    request = k.state.requests[r]
    p = request.first
    while p != n.NONE:
        after = k.state.pages[p].io_next
        k.state.pages[p].io_next = n.NONE
        if request.write:
            end_page_writeback(k, p)
        else:
            end_page_read(k, p)
        page_cache_release(k, p)
        p = after
    if request.write:
        clear_congested(k)
    free_request(k, r)


@compiled
def step_grab_page(k, t):
    """grab_cache_page_write_begin: find and lock the page; the steps that follow make one if there is none."""
    f = current(k, t)
    if f.index >= k.state.files[f.file].room:
        k.books.error = st.ERR_SLOTS
        k.books.error_file = f.file
        return n.FAIL_INVAL
    status = find_lock_page(k, t, f)
    if status != n.NEXT or f.page == n.NONE:
        return status
    return n.NEXT if wait_on_page_writeback(k, t, f.page) else n.SLEEP


@compiled
def find_lock_page(k, t, f):
    """The page at the frame's index, locked, in hand: NEXT (also where there is none: NONE), SLEEP, or AGAIN if it was
    truncated while we waited.
    """
    if f.held & n.H_PAGE_REF == 0:
        if is_swapped(k, f.file, f.index):  # shmem_getpage
            if f.phase == SWAP_PHASE and f.ret < 0:
                f.phase = 0
                return -f.ret
            f.phase = SWAP_PHASE
            return n.CALL
        f.phase = 0
        f.page = find_get_page(k, f.file, f.index)
        if f.page == n.NONE:
            return n.NEXT
        f.held |= n.H_PAGE_REF
    if f.held & n.H_PAGE_LOCK == 0:
        if lock_page(k, t, f.page) == WAITING:
            return n.SLEEP
        if k.state.pages[f.page].file != f.file:
            unlock_page(k, f.page)
            page_cache_release(k, f.page)
            f.held &= ~n.H_PAGE_REF
            return n.AGAIN
        f.held |= n.H_PAGE_LOCK
    return n.NEXT


@compiled
def step_set_page_dirty(k, t):
    """generic_perform_write, write_end: the page is new data, or as much of the folio as is written at once; the file
    is at least this long.
    """
    f = current(k, t)
    k.state.pages[f.page].bits |= n.PG_UPTODATE
    mark_dirty(k, f.page)
    mark_page_accessed(k, f.page)
    file = k.state.files[f.file]
    f.priority = 0
    if k.books.pages[f.page].tails > 0:
        write_more(k, t, f)
    file.pages = max(file.pages, f.index + 1)
    return n.NEXT


@compiled
def write_more(k, t, f):
    """What else of the folio is written, as far as the caller's memory is there."""
    end = k.state.pages[f.page].index + folio_nr_pages(k, f.page)
    while f.count > 1 and f.index + 1 < end:
        if f.arg != n.NONE and not is_mapped(k, k.state.tasks[t].mm, f.arg + f.vpn + 1):
            return
        f.index += 1
        f.vpn += 1
        f.count -= 1
        k.state.cpus[k.state.tasks[t].cpu].dirtied += 1


@compiled
def is_mapped(k, m, vpn):
    """A page can be read without a fault."""
    number = lookup_pte(k, m, vpn)
    return number != n.NONE and pte_of(k, number).bits & n.PTE_PRESENT != 0


@compiled
def invalidate_complete_page(k, p):
    """Take a page out of the cache and drop the cache's reference."""
    g = delete_from_page_cache(k, p)
    page_cache_release(k, p)
    mem_cgroup_uncharge_end(k, g)


@compiled
def step_invalidate_page(k, t):
    """posix_fadvise(DONTNEED), a page a move."""
    f = current(k, t)
    k.books.resched_ok = 1
    invalidate_mapping_pages(k, f.file, f.index)
    return n.NEXT


@compiled
def invalidate_mapping_pages(k, file, index):
    """For one page: drop it if it is clean and nobody maps it or has it in hand. Only trylocks."""
    p = cached_page(k, file, index)
    if p == n.NONE:
        if take_shadow(k, file, index):
            xa_erase_shadow(k, file, index)
    else:
        page = k.state.pages[p]
        idle = page.locked_by == n.FREE and page.mapcount == 0 and page.refs == 1
        if idle and page.bits & (n.PG_DIRTY | n.PG_WRITEBACK) == 0:
            invalidate_complete_page(k, p)
