"""The fault's steps (mm/memory.c of 3.0; the entry is arch/x86/mm/fault.c): what __do_fault and its kin are made of.

A fault has two frames: ``page_fault`` (mmap_sem, find_vma) and the path for its kind, which a design may reorder.
"""

from __future__ import annotations

from . import names as n
from . import steps as s
from .compiled import compiled
from .figures import note_latency
from .filemap import call_find_page, filemap_fault, page_cache_release
from .folio import aligned_order, folio_contains
from .frames import push
from .huge_memory import HPAGE_PMD_ORDER, is_huge
from .mmap import find_vma as lookup_vma
from .mmap_lock import vma_end_read
from .page_alloc import take_folio
from .page_alloc_slow import __alloc_pages_nodemask
from .page_lock import unlock_page
from .pgtable import is_none, lookup_pte, pte_of
from .policies import number as number_of
from .ra_state import MAX_PAGECACHE_ORDER, has_large_folios, without_folio
from .rmap import anon_vma_prepare
from .rwsem import down_read, down_write, up_read, up_write
from .swap_state import call_find_swap_page, lock_swap_page
from .wait import current, emit, go_to, sleep_alone, spend, try_to_wake_up

EACH_TRY = number_of("pgfault", "each try")
DIRTY_RETRY = number_of("dirty_fault", "retry")
USERFAULT = 2  # phase of handle_pte_fault: its handler is waited for


# --- the entry ---------------------------------------------------------------------------------
@compiled
def step_mmap_read_lock(k, t):
    """down_read(&mm->mmap_sem)"""
    f = current(k, t)
    if not down_read(k, t, k.state.mms[f.mm].mmap_sem, n.W_MMAP_READ, f.mm):
        return n.SLEEP
    f.held |= n.H_MMAP_READ
    return n.NEXT


@compiled
def step_mmap_read_unlock(k, t):
    """up_read(&mm->mmap_sem)"""
    f = current(k, t)
    up_read(k, k.state.mms[f.mm].mmap_sem)
    f.held &= ~n.H_MMAP_READ
    return n.NEXT


@compiled
def step_mmap_write_lock(k, t):
    """down_write(&mm->mmap_sem)"""
    f = current(k, t)
    if not down_write(k, t, k.state.mms[f.mm].mmap_sem, n.W_MMAP_WRITE, f.mm):
        return n.SLEEP
    f.held |= n.H_MMAP_WRITE
    return n.NEXT


@compiled
def step_mmap_write_unlock(k, t):
    """up_write(&mm->mmap_sem)"""
    f = current(k, t)
    up_write(k, k.state.mms[f.mm].mmap_sem)
    f.held &= ~n.H_MMAP_WRITE
    return n.NEXT


@compiled
def step_find_vma(k, t):
    """The mapping of the faulting address, and whether it allows the access."""
    f = current(k, t)
    f.vma = lookup_vma(k, f.mm, f.vpn)
    if f.vma == n.NONE:
        return n.FAIL_SEGV
    vma = k.state.vmas[f.vma]
    if f.fault & n.F_WRITE and vma.prot & n.VM_WRITE == 0:
        return n.FAIL_SEGV
    f.file = vma.file
    f.index = vma.pgoff + (f.vpn - vma.start)
    return n.NEXT


@compiled
def handle_pte_fault(k, f):
    """Which path this fault takes, or NONE if somebody else has already mapped the page."""
    vma = k.state.vmas[f.vma]
    number = lookup_pte(k, f.mm, f.vpn)
    write = f.fault & n.F_WRITE != 0
    if number != n.NONE:
        pte = pte_of(k, number)
        if pte.bits & n.PTE_PRESENT:
            if not write or pte.bits & n.PTE_WRITE:
                return n.NONE
            return s.P_WP_SHARED if vma.prot & n.VM_SHARED and vma.file != n.NONE else s.P_WP_COPY
        if pte.bits & n.PTE_SWAP:
            return s.P_SWAP_IN
    if vma.file == n.NONE:
        return s.P_ANON if write else s.P_ANON_READ
    if not write:
        return s.P_FILE_READ
    return s.P_FILE_SHARED_WRITE if vma.prot & n.VM_SHARED else s.P_FILE_COW


@compiled
def handle_mm_fault(k, t, f):
    """Which path the fault takes, or NONE. Where each try counts as one it is counted here, at the entry."""
    if k.state.pgfault == EACH_TRY:
        count_pgfault(k, t, f)
    return handle_pte_fault(k, f)


@compiled
def count_pgfault(k, t, f):
    """count_memcg_event_mm(PGFAULT): the group of whose memory it is. UFFDIO_COPY is no fault."""
    g = k.state.mms[f.mm].owner_group if f.path == s.P_HANDLE_MM_FAULT else k.state.tasks[t].group
    k.books.groups[g].pgfault += f.fault & n.F_COPY == 0


@compiled
def step_handle_pte_fault(k, t):
    """Run the fault's path; after VM_FAULT_RETRY start again, once, without FAULT_FLAG_ALLOW_RETRY. With its mapping's
    lock that is one try more: the first one with mmap_sem, unless it has been to the disk.
    """
    f = current(k, t)
    if f.phase == USERFAULT:
        return woken_by_handler(k, t, f)
    if f.phase == 0:
        f.fault_path = handle_mm_fault(k, t, f)
        if f.fault_path == n.NONE:
            if k.state.pgfault != EACH_TRY:
                count_pgfault(k, t, f)
            count_attempt(k, t, f, False)
            return n.NEXT
        f.phase = 1
        return n.CALL
    f.phase = 0
    status = -f.ret
    if status == n.NEXT and f.held & (n.H_MMAP_READ | n.H_VMA_READ) == 0 and f.path == s.P_PAGE_FAULT:
        if k.state.dirty_fault != DIRTY_RETRY:
            f.pc = k.books.paths[f.path].length - 1  # VM_FAULT_COMPLETED: there is no lock to let go
        else:
            status = n.RETRY
    asks = status == n.FAIL_USERFAULT
    if asks:  # who has no user's access to try again gets SIGBUS, or EFAULT
        status = n.RETRY if f.path == s.P_PAGE_FAULT else n.FAIL_SIGBUS
    if k.state.tasks[t].memcg_oom and status != n.FAIL_CHARGE:  # 4942642080ea: the failure was dealt with
        k.state.tasks[t].memcg_oom = 0
    if status == n.NEXT:
        k.state.tasks[t].short_of = 0
    minor_of_vma = f.fault & n.F_VMA_LOCK != 0 and f.fault & n.F_MAJOR == 0  # what follows is the first attempt again
    killed = k.state.tasks[t].sigkill and f.fault & n.F_KILLABLE
    if status == n.NEXT or (status == n.RETRY and not killed and not minor_of_vma):
        count_attempt(k, t, f, status == n.RETRY and k.state.retried_is_major != 0)
    if status != n.RETRY:
        if k.state.pgfault != EACH_TRY:  # mm_account_fault
            count_pgfault(k, t, f)
        return status
    k.books.groups[k.state.tasks[t].group].counters[n.C_RETRIES] += 1
    if f.held & n.H_MMAP_READ:
        up_read(k, k.state.mms[f.mm].mmap_sem)
        f.held &= ~n.H_MMAP_READ
    elif f.held & n.H_VMA_READ:
        vma_end_read(k, f)
    if killed:
        return n.FAIL_KILLED
    if asks:
        return handle_userfault(k, t, f)
    f.fault &= ~n.F_VMA_LOCK if minor_of_vma else ~(n.F_ALLOW_RETRY | n.F_VMA_LOCK)
    f.pc = 0
    go_to(k, f, s.MMAP_READ_LOCK)
    return n.AGAIN


@compiled
def handle_userfault(k, t, f):
    """The fault has let everything go and sleeps until a handler has filled the page; userfaultfd_must_wait: unless
    somebody has done so already.
    """
    f.phase = USERFAULT
    number = lookup_pte(k, f.mm, f.vpn)
    if number != n.NONE and not is_none(pte_of(k, number)):
        return n.AGAIN
    return sleep_alone(k, t, n.W_USERFAULT, 0, 1)


@compiled
def woken_by_handler(k, t, f):
    """The fault is tried again."""
    f.phase = 0
    if k.state.tasks[t].sigkill:
        return n.FAIL_KILLED
    f.fault &= ~n.F_VMA_LOCK if f.fault & n.F_VMA_LOCK else ~n.F_ALLOW_RETRY
    f.pc = 0
    go_to(k, f, s.MMAP_READ_LOCK)
    return n.AGAIN


@compiled
def wake_userfault(k, m, start, end):
    """Who waits for one of these pages goes on."""
    for other in range(k.state.n_tasks):
        task = k.state.tasks[other]
        if task.run_state == n.T_SLEEPING and task.wait_kind == n.W_USERFAULT:
            f = current(k, other)
            if f.mm == m and start <= f.vpn < end:
                try_to_wake_up(k, other)


@compiled
def count_attempt(k, t, f, major):
    """do_page_fault, get_user_pages: the task's maj_flt or min_flt, when the first attempt ends, unless it failed.
    ``major``: it is one because it is tried again (mm_account_fault).
    """
    if f.fault & n.F_COPY:
        return
    if f.fault & n.F_ALLOW_RETRY or not k.state.allow_retry or f.path == s.P_HANDLE_MM_FAULT:
        if f.fault & n.F_MAJOR or major:
            k.books.tasks[t].majflt += 1
        else:
            k.books.tasks[t].minflt += 1


@compiled
def call_handle_pte_fault(k, t, f):
    """The path for the kind of fault."""
    below = push(k, t, f.fault_path)
    below.mm = f.mm
    below.vpn = f.vpn
    below.vma = f.vma
    below.file = f.file
    below.index = f.index
    below.fault = f.fault
    return n.NEXT


# --- the page in hand --------------------------------------------------------------------------
@compiled
def step_lock_page(k, t):
    """The fault's page lock: of a file's page, or of the page of a swap slot."""
    if current(k, t).path == s.P_SWAP_IN:
        return lock_swap_page(k, t)
    return filemap_fault(k, t)


@compiled
def call_lock_page(k, t, f):
    """The page has gone meanwhile, and is read again."""
    if f.path == s.P_SWAP_IN:
        return call_find_swap_page(k, t, f)
    return call_find_page(k, t, f)


@compiled
def step_unlock_page(k, t):
    """unlock_page() of the page in hand."""
    f = current(k, t)
    unlock_page(k, f.page)
    f.held &= ~n.H_PAGE_LOCK
    return n.NEXT


@compiled
def step_put_page(k, t):
    """page_cache_release() of the page in hand."""
    f = current(k, t)
    if f.held & n.H_PAGE_REF:
        page_cache_release(k, f.page)
        f.held &= ~n.H_PAGE_REF
    f.page = n.NONE
    return n.NEXT


@compiled
def step_anon_vma_prepare(k, t):
    """The mapping gets its anon_vma."""
    anon_vma_prepare(k, current(k, t).vma, k.state.tasks[t].group)
    return n.NEXT


@compiled
def step_alloc_page(k, t):
    """alloc_page_vma, page_cache_alloc: a new page in hand (none where write(2) has found one in the cache)."""
    f = current(k, t)
    if f.phase == 0:
        f.newpage = n.NONE
        f.batch = 0
        f.done = 0
        if f.path == s.P_WRITE and f.held & n.H_PAGE_REF:
            return n.NEXT
        order = order_in_hand(k, f)
        if order > 0:
            f.newpage = take_folio(k, order)
            if f.newpage == n.NONE:
                return without_folio(k, t, f, order)
            return keep_newpage(k, t, f)
    status = __alloc_pages_nodemask(k, t, f)
    if status != n.NEXT:
        return status
    return keep_newpage(k, t, f)


@compiled
def order_in_hand(k, f):
    """Of the folio that is to be allocated: in a window of read-ahead as large as its place allows."""
    if f.path == s.P_READAHEAD and f.priority > 1:
        return aligned_order(f.index, f.priority - 1, f.count)
    if f.path == s.P_WRITE and has_large_folios(k, f.file):
        most = min(f.count, k.state.files[f.file].room - f.index)
        largest = f.priority - 1 if f.priority > 0 else MAX_PAGECACHE_ORDER
        return aligned_order(f.index, largest, most)
    if f.path == s.P_ANON and f.priority == 0 and is_huge(k, f):
        return HPAGE_PMD_ORDER
    return 0


@compiled
def keep_newpage(k, t, f):
    """A new folio is in hand."""
    f.held |= n.H_NEW_PAGE
    k.books.groups[k.state.tasks[t].group].counters[n.C_ALLOCS] += 1
    return n.NEXT


@compiled
def step_clear_page(k, t):
    """clear_user_highpage: the new page is zeroes."""
    f = current(k, t)
    k.state.pages[f.newpage].bits |= n.PG_UPTODATE
    return n.NEXT


@compiled
def step_copy_page(k, t):
    """copy_user_highpage: the new page is a copy of the page in hand; of one that is being read, or has been truncated,
    it is none.
    """
    f = current(k, t)
    good = True  # the zero page, which has no frame, is
    if f.page != n.NONE:
        page = k.state.pages[f.page]
        good = page.bits & n.PG_UPTODATE != 0
        good = good and (f.path == s.P_WP_COPY or folio_contains(k, f.page, f.file, f.index))
    if good:
        k.state.pages[f.newpage].bits |= n.PG_UPTODATE
    k.books.groups[k.state.tasks[t].group].counters[n.C_COW] += 1
    return n.NEXT


@compiled
def step_recheck_mapping(k, t):
    """After locking again: is the page still the file's? Else the fault starts again."""
    f = current(k, t)
    if not folio_contains(k, f.page, f.file, f.index):
        return n.RETRY
    return n.NEXT


@compiled
def step_page_mkwrite(k, t):
    """->page_mkwrite(): the file system is told that a shared page will be written."""
    return n.NEXT


@compiled
def undo_alloc(k, t):
    """Give the new page back on an error exit. If that has forgotten the uncharge, the group pays for ever."""
    f = current(k, t)
    if f.held & n.H_CHARGE:
        k.state.pages[f.newpage].group = n.NONE
    page_cache_release(k, f.newpage)
    f.newpage = n.NONE
    f.held &= ~(n.H_NEW_PAGE | n.H_CHARGE)
    k.books.groups[k.state.tasks[t].group].counters[n.C_ALLOCS_WASTED] += 1


@compiled
def note_fault(k, t, f, status):
    """A fault is over: count it, and log how long it took and how long of that it slept.

    A move may be over sooner than its steps say (``jitter``), and a short fault that began at its end be over before
    that: it took no time.
    """
    books = k.books.tasks[t]
    g = k.state.tasks[t].group
    counters = k.books.groups[g].counters
    counters[n.C_FAULTS] += 1
    if f.fault & n.F_MAJOR:
        counters[n.C_MAJOR] += 1
    spend(k, s.EXCEPTION)
    took = max(k.books.now + k.books.spent - books.fault_at, 0)
    note_latency(k, t, f.fault_path, took)
    emit(k, n.EV_FAULT, t, f.fault_path, status, took, books.asleep)
