"""The swap cache (mm/swap_state.c of 3.0): pages that stand for swap slots, and the steps of a fault on one.

``page.index`` of a page with PG_SWAPCACHE is its slot; the cache holds one reference.
"""

from __future__ import annotations

from . import names as n
from . import steps as s
from .block import add_new_to_request, new_request, wait_on_page_writeback
from .compiled import compiled
from .filemap import page_cache_release
from .frames import push
from .lru import count_vm_events, lru_cache_add, lru_del
from .memcontrol import count_majfault, mem_cgroup_uncharge_page, mem_cgroup_uncharge_swapcache, uncharge_lone
from .page_alloc import free_page
from .page_lock import KILLED, RETRIED, WAITING, __lock_page_or_retry, unlock_page
from .pgtable import lookup_pte, pte_of
from .swapfile import get_swap_page, release_slot, swap_free, swapcache_free, uncharge_swap
from .wait import current, go_to, sleep_on, spend
from .workingset import take_shadow, workingset_refault

MISSED_PHASE = 5  # of find_swap_page: the slot is being read
HEADER = 1  # pages of the swap space before its first slot
PAGE_CLUSTER = 3  # vm.page-cluster: a fault reads the 8 slots around its own


@compiled
def add_to_swap(k, p):
    """An anonymous page gets a slot and joins the swap cache, dirty. False: none is free, or its group may not."""
    slot = get_swap_page(k, k.state.pages[p].group)
    if slot == n.NONE:
        return False
    __add_to_swap_cache(k, p, slot)
    k.books.origins[slot] = k.books.pages[p].origin
    k.state.pages[p].bits |= n.PG_DIRTY
    return True


@compiled
def __add_to_swap_cache(k, p, slot):
    """__add_to_swap_cache"""
    page = k.state.pages[p]
    page.bits |= n.PG_SWAPCACHE
    page.index = slot
    page.refs += 1
    k.state.swaps[slot].page = p + 1


@compiled
def delete_from_swap_cache(k, p):
    """The cache lets a page go, with its reference. A page that nobody maps is uncharged; its slot, if it stays in
    use, is what its group is charged for then. Returns the group that was uncharged, or NONE.
    """
    page = k.state.pages[p]
    slot = page.index
    swap = k.state.swaps[slot]
    swap.page = 0
    page.bits &= ~n.PG_SWAPCACHE
    page.index = 0
    page.refs -= 1
    g = n.NONE
    if page.mapcount == 0:
        g = mem_cgroup_uncharge_swapcache(k, p, slot if swap.count > 0 else n.NONE)
    release_slot(k, slot)
    return g


@compiled
def try_to_free_swap(k, p):
    """A page in memory whose slot no entry names needs no slot. True if the cache has let it go."""
    page = k.state.pages[p]
    if page.bits & n.PG_SWAPCACHE == 0 or page.bits & n.PG_WRITEBACK or k.state.swaps[page.index].count > 0:
        return False
    if page.mapcount == 0:
        lru_del(k, p)
    g = delete_from_swap_cache(k, p)
    page.bits |= n.PG_DIRTY
    uncharge_lone(k, g)
    return True


@compiled
def free_orphan(k, p):
    """free_swap_cache: the last mapping of a page, or the last entry for its slot, has gone: so does the page, if
    nobody has it in hand. Else reclaim finds it.
    """
    page = k.state.pages[p]
    if page.mapcount > 0 or page.locked_by != n.FREE or page.refs != 1:
        return
    if try_to_free_swap(k, p):
        free_page(k, p)


@compiled
def free_swap_and_cache(k, slot):
    """An entry lets its slot go; if it was the last, the page in the swap cache goes too."""
    p = k.state.swaps[slot].page - 1
    swap_free(k, slot)
    if p != n.NONE:
        free_orphan(k, p)


@compiled
def reuse_swap_page(k, p):
    """A page that only one entry maps or would map may be written to; it leaves the swap cache, whose copy is old."""
    page = k.state.pages[p]
    users = page.mapcount
    if users <= 1 and page.bits & n.PG_SWAPCACHE:
        users += k.state.swaps[page.index].count
    return users <= 1


# --- the fault -----------------------------------------------------------------------------------
@compiled
def wanted_slot(k, f):
    """The slot in the entry that the fault is about, or in the place of shmem (no ``vma``), or NONE: it is back."""
    if f.vma == n.NONE:
        file = k.state.files[f.file]
        return k.state.shmem_swp[file.first + f.index] - 1 if f.index < file.pages else n.NONE
    number = lookup_pte(k, f.mm, f.vpn)
    if number == n.NONE or pte_of(k, number).bits & n.PTE_SWAP == 0:
        return n.NONE
    return pte_of(k, number).page


@compiled
def step_find_swap_page(k, t):
    """do_swap_page: look the entry's page up in the swap cache; on a miss read it (another path) and look again."""
    f = current(k, t)
    slot = wanted_slot(k, f)
    if slot == n.NONE:
        f.phase = 0
        f.pc = k.books.paths[f.path].length - 1  # the access is tried again
        return n.NEXT
    f.swap = slot
    p = k.state.swaps[f.swap].page - 1
    if p == n.NONE:
        if f.phase == MISSED_PHASE and f.ret < 0:
            f.phase = 0
            return -f.ret
        spend(k, s.FIND_MISS)
        f.fault |= n.F_MAJOR
        f.phase = MISSED_PHASE
        return n.CALL
    if f.phase == MISSED_PHASE:
        k.books.groups[k.state.tasks[t].group].counters[n.C_SWAP_IN] += 1
        if f.vma != n.NONE:  # shmem_fault counts when it has the page
            count_majfault(k, t)
    f.phase = 0
    k.state.pages[p].refs += 1
    f.page = p
    f.held |= n.H_PAGE_REF
    f.relock = 0
    return n.NEXT


@compiled
def call_find_swap_page(k, t, f):
    """Read the slot, and those around it."""
    below = push(k, t, s.P_SWAP_READAHEAD)
    below.index = f.swap
    below.arg = f.swap
    return n.NEXT


@compiled
def lock_swap_page(k, t):
    """lock_page_or_retry for the page of a swap slot; then it must still be that, and have been read. shmem waits for
    the lock without a retry, and with it until the page is written.
    """
    f = current(k, t)
    if f.held & n.H_PAGE_LOCK:
        return n.NEXT if wait_on_page_writeback(k, t, f.page) else n.SLEEP
    if f.held & n.H_PAGE_REF == 0:
        status = step_find_swap_page(k, t)
        if status != n.NEXT or f.held & n.H_PAGE_REF == 0:
            return status
    got = __lock_page_or_retry(k, t, f, 1 if f.fault & n.F_KILLABLE and k.state.killable_lock else 0)
    if got == WAITING:
        return n.SLEEP
    if got == KILLED:
        return n.FAIL_KILLED
    if got == RETRIED:
        return n.RETRY
    f.held |= n.H_PAGE_LOCK
    f.relock = 1
    page = k.state.pages[f.page]
    if page.bits & n.PG_SWAPCACHE == 0 or page.index != f.swap:  # reclaimed, or reused, meanwhile
        unlock_page(k, f.page)
        page_cache_release(k, f.page)
        f.held &= ~(n.H_PAGE_LOCK | n.H_PAGE_REF)
        f.page = n.NONE
        f.relock = 0
        go_to(k, f, s.FIND_SWAP_PAGE)
        return n.AGAIN
    if page.bits & n.PG_UPTODATE == 0:
        return n.FAIL_SIGBUS
    return n.NEXT if f.vma != n.NONE or wait_on_page_writeback(k, t, f.page) else n.SLEEP


# --- reading -------------------------------------------------------------------------------------
@compiled
def step_swap_window(k, t):
    """Which slots are read."""
    return swapin_readahead(k, t, current(k, t))


@compiled
def swapin_readahead(k, t, f):
    """The slots around the one that is wanted: those of an aligned piece of the swap space, whose first page is no slot
    but its header (swap_cluster_readahead).
    """
    piece = (f.index + HEADER) & ~((1 << PAGE_CLUSTER) - 1)
    f.index = max(piece - HEADER, 0)
    f.count = min(k.state.n_swaps, piece - HEADER + (1 << PAGE_CLUSTER)) - f.index
    f.phase = 0
    f.request = new_request(k, t)
    return n.AGAIN if f.request == n.NONE else n.NEXT


@compiled
def skip_slots(k, f):
    """Pass over slots that are not in use, and those that are in memory."""
    while f.count > 0 and (k.state.swaps[f.index].count == 0 or k.state.swaps[f.index].page):
        f.index += 1
        f.count -= 1


@compiled
def step_swapcache_prepare(k, t):
    """swapcache_prepare of __read_swap_cache_async: the slot is reserved before the new page is charged (4c6355b25e8b,
    5.8). Who finds it reserved sleeps, uninterruptibly, until its page is there or has failed.
    """
    f = current(k, t)
    swap = k.state.swaps[f.index]
    if swap.count == 0 or swap.page:
        drop_for_slot(k, t, f)
        go_to(k, f, s.NEXT_PAGE)
        return n.AGAIN
    if swap.reserved:
        return sleep_on(k, t, swap.waiters, n.W_SWAP_ENTRY, f.index, 0, 0)
    swap.reserved = 1
    f.swap = f.index
    f.held |= n.H_SWAP_ENTRY
    return n.NEXT


@compiled
def drop_for_slot(k, t, f):
    """The page that was made for a slot is not needed: its charge goes back, and the reservation."""
    p = f.newpage
    counters = k.books.groups[k.state.tasks[t].group].counters
    if f.held & n.H_CHARGE:
        mem_cgroup_uncharge_page(k, p)
        counters[n.C_CHARGES_WASTED] += 1
    k.state.pages[p].refs -= 1
    free_page(k, p)
    f.newpage = n.NONE
    f.held &= ~(n.H_NEW_PAGE | n.H_CHARGE)
    if f.held & n.H_SWAP_ENTRY:
        swapcache_free(k, f)


@compiled
def step_add_to_swap_cache(k, t):
    """A page of the window that is being read."""
    read_swap_cache_async(k, t, current(k, t))
    return n.NEXT


@compiled
def read_swap_cache_async(k, t, f):
    """The new page joins the cache, locked and not up to date, unless somebody was faster. If it is charged already,
    nobody is for the slot any more (mem_cgroup_swapin_uncharge_swap).
    """
    p = f.newpage
    swap = k.state.swaps[f.index]
    if swap.count == 0 or swap.page:
        drop_for_slot(k, t, f)
        return
    if f.held & n.H_CHARGE:
        uncharge_swap(k, f.index)
    __add_to_swap_cache(k, p, f.index)
    if f.held & n.H_SWAP_ENTRY:
        swapcache_free(k, f)
    f.newpage = n.NONE
    f.held &= ~(n.H_NEW_PAGE | n.H_CHARGE)
    k.state.pages[p].bits |= n.PG_SWAPBACKED
    workingset_refault(k, p, take_shadow(k, n.NONE, f.index), 1)
    lru_cache_add(k, p)
    k.books.pages[p].origin = k.books.origins[f.index]
    if k.books.zeromap[f.index]:  # swap_read_folio_zeromap: nothing is read
        k.books.pages[p].zeroes = 1
        k.state.pages[p].bits |= n.PG_UPTODATE
        count_vm_events(k, p, n.VM_SWPIN_ZERO, 1)
    else:
        count_vm_events(k, p, n.VM_PSWPIN, 1)
        add_new_to_request(k, f.request, p, s.ADD_TO_SWAP_CACHE)
    k.state.pages[p].refs -= 1


@compiled
def swap_zeromap_folio_set(k, p):
    """A page of zeroes goes to swap: its slot says so, and nothing is written (0ca0c24e3211, 6.12). True if it is one
    that nobody has in hand.
    """
    page = k.state.pages[p]
    if not k.state.zeromap or not k.books.pages[p].zeroes or page.bits & n.PG_SWAPCACHE == 0 or page.refs != 1:
        return False
    k.books.zeromap[page.index] = 1
    page.bits &= ~n.PG_DIRTY
    count_vm_events(k, p, n.VM_SWPOUT_ZERO, 1)
    return True


@compiled
def forget_copy(k, p):
    """delete_from_swap_cache for a page that is written to now: it stays mapped, and charged."""
    page = k.state.pages[p]
    if page.bits & n.PG_SWAPCACHE and not page.bits & n.PG_WRITEBACK:
        delete_from_swap_cache(k, p)
        page.bits |= n.PG_DIRTY
