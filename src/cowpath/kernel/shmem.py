"""Shared memory without a disk behind it (mm/shmem.c of 3.0): objects of mmap(), and pages that go to swap and back.

A page that is out leaves its slot in the file's place (``shmem_swp``), which counts as an entry of the slot.
"""

from __future__ import annotations

from . import names as n
from . import state as st
from .compiled import compiled
from .filemap import cached_page, delete_from_page_cache, page_cache_release
from .generated import begin_file
from .kmem import evict_inode
from .memcg_commit import mem_cgroup_cancel_charge_swapin
from .memcontrol import __mem_cgroup_commit_charge, mem_cgroup_uncharge_end
from .places import place_of
from .swap_state import __add_to_swap_cache, free_swap_and_cache
from .swapfile import get_swap_page, swap_free, uncharge_swap
from .wait import emit
from .xarray import xa_erase


@compiled
def shmem_swp_entry(k, file, index):
    """The slot in which a page of the file is, or NONE."""
    return k.state.shmem_swp[k.state.files[file].first + index] - 1


@compiled
def shmem_swp_set(k, file, index, slot):
    """A page of the file is in this slot; NONE: in none any more."""
    k.state.shmem_swp[k.state.files[file].first + index] = slot + 1


# --- objects -------------------------------------------------------------------------------------
@compiled
def shmem_zero_setup(k, pages):
    """An object for a shared anonymous mapping, without a name: only fork hands it on. NONE when there is no room."""
    state = k.state
    before = n.NONE
    file = state.free_file
    while file != n.NONE and state.files[file].room < pages:
        before = file
        file = state.files[file].next
    if file != n.NONE:
        if before == n.NONE:
            state.free_file = state.files[file].next
        else:
            state.files[before].next = state.files[file].next
    elif state.n_files < len(state.files) and state.n_slots + pages <= len(state.slots):
        file = state.n_files
        state.n_files += 1
        state.files[file].first = state.n_slots
        state.files[file].room = pages
        state.n_slots += pages
    else:
        k.books.error = st.ERR_FILES
        return n.NONE
    new = state.files[file]
    first, room = new.first, new.room
    begin_file(new)
    new.first = first
    new.room = room
    new.pages = pages
    new.shmem = 1
    new.anonymous = 1
    return file


@compiled
def shmem_evict_inode(k, file):
    """The last mapping has gone: so do the object and its pages, those in swap too."""
    old = k.state.files[file]
    uncharged = n.NONE
    for index in range(old.pages):
        slot = shmem_swp_entry(k, file, index)
        if slot != n.NONE:
            xa_erase(k, file, index, 1)
            shmem_swp_set(k, file, index, n.NONE)
            free_swap_and_cache(k, slot)
        p = cached_page(k, file, index)
        if p != n.NONE:
            g = delete_from_page_cache(k, p)
            page_cache_release(k, p)
            if g != uncharged:
                mem_cgroup_uncharge_end(k, uncharged)
                uncharged = g
    mem_cgroup_uncharge_end(k, uncharged)
    evict_inode(k, file)
    old.pages = 0
    old.anonymous = 0
    old.next = k.state.free_file
    k.state.free_file = file


# --- swap ----------------------------------------------------------------------------------------
@compiled
def shmem_writepage(k, p):
    """An unmapped page goes from the page cache to the swap cache, still charged. False: no slot is free."""
    slot = get_swap_page(k, k.state.pages[p].group)
    if slot == n.NONE:
        return False
    page = k.state.pages[p]
    file = page.file
    shmem_swp_set(k, file, page.index, slot)
    k.state.slots[k.state.files[file].first + page.index] = 0
    k.state.files[file].cached -= 1
    k.books.pages[p].origin = place_of(k, p)
    k.books.origins[slot] = k.books.pages[p].origin
    page.file = n.NONE
    page.refs -= 1
    __add_to_swap_cache(k, p, slot)
    k.state.swaps[slot].count = 1  # swap_shmem_alloc
    return True


@compiled
def add_from_swap(k, t, f):
    """The end of shmem_getpage for a page in swap: from the swap cache to the page cache, and its slot is let go.

    A charge that was tried for a page that is charged already, or that somebody else has brought in, goes back.
    """
    counters = k.books.groups[k.state.tasks[t].group].counters
    page = k.state.pages[f.page]
    came_first = f.index < k.state.files[f.file].pages and shmem_swp_entry(k, f.file, f.index) == f.swap
    if f.held & n.H_CHARGE and f.charged_group != n.NONE and came_first and page.group == n.NONE:
        __mem_cgroup_commit_charge(k, f.page, f.charged_group, True)
        f.charged_group = n.NONE
        uncharge_swap(k, f.swap)
    elif f.held & n.H_CHARGE and f.charged_group != n.NONE:
        mem_cgroup_cancel_charge_swapin(k, f)
        counters[n.C_CHARGES_WASTED] += 1
    f.held &= ~n.H_CHARGE
    if not came_first:
        return n.NEXT
    shmem_swp_set(k, f.file, f.index, n.NONE)
    k.state.swaps[f.swap].page = 0  # delete_from_swap_cache: its reference is the page cache's now
    page.bits = (page.bits & ~n.PG_SWAPCACHE) | n.PG_DIRTY
    page.file = f.file
    page.index = f.index
    k.state.slots[k.state.files[f.file].first + f.index] = f.page + 1
    k.state.files[f.file].cached += 1
    swap_free(k, f.swap)
    emit(k, n.EV_SWAP_IN, t, f.page, page.group, f.swap, 1)
    return n.NEXT
