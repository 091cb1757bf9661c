"""Truncation of a file: its mappings and its cached pages go (mm/truncate.c, mm/memory.c)."""

from __future__ import annotations

from . import names as n
from .block import wait_on_page_writeback
from .compiled import compiled
from .filemap import cached_page, delete_from_page_cache, page_cache_release
from .folio import first_rmap
from .huge_memory import split_folio
from .kmem import evict_inode
from .memcontrol import mem_cgroup_uncharge_end
from .mmap import zap_pte
from .page_lock import WAITING, lock_page, unlock_page
from .pgtable import clear_pte, is_none, lookup_pte, pte_of
from .shmem import shmem_swp_entry, shmem_swp_set
from .swap_state import free_swap_and_cache
from .wait import current
from .workingset import take_shadow
from .xarray import xa_erase, xa_erase_shadow


@compiled
def step_truncate_setsize(k, t):
    """The beginning of ftruncate(2)."""
    vmtruncate(k, current(k, t))
    return step_unmap_mapping_range(k, t)


@compiled
def vmtruncate(k, f):
    """The file has its new size; then mappings beyond it go (private copies too), and the pages."""
    file = k.state.files[f.file]
    old = file.pages
    file.pages = min(f.arg, file.room)
    f.index = file.pages
    f.count = old - file.pages
    if file.pages == 0:
        evict_inode(k, f.file)


@compiled
def step_unmap_mapping_range(k, t):
    """Clear all entries beyond the file's end, those of private copies too (even_cows).

    truncate_pagecache calls it a second time after the pages are gone: a fault that had the page locked meanwhile has
    mapped a copy of it.
    """
    f = current(k, t)
    file = k.state.files[f.file]
    for v in range(k.state.n_vmas):
        vma = k.state.vmas[v]
        if vma.mm == n.NONE or vma.end == 0 or vma.file != f.file:
            continue
        first = max(vma.start, vma.start + (file.pages - vma.pgoff))
        for vpn in range(first, vma.end):
            number = lookup_pte(k, vma.mm, vpn)
            if number != n.NONE and not is_none(pte_of(k, number)):
                mem_cgroup_uncharge_end(k, zap_pte(k, number))
    return n.NEXT


@compiled
def step_truncate_page(k, t):
    """A page a move."""
    k.books.resched_ok = 1
    return truncate_inode_pages(k, t, current(k, t))


@compiled
def truncate_inode_pages(k, t, f):
    """For the page at the index: wait for its lock, then take it out of the cache."""
    if f.held & n.H_PAGE_REF == 0:
        slot = shmem_swp_entry(k, f.file, f.index)
        if slot != n.NONE:
            xa_erase(k, f.file, f.index, 1)
            shmem_swp_set(k, f.file, f.index, n.NONE)
            free_swap_and_cache(k, slot)
        p = cached_page(k, f.file, f.index)
        if p == n.NONE:
            if take_shadow(k, f.file, f.index):
                xa_erase_shadow(k, f.file, f.index)
            return n.NEXT
        k.state.pages[p].refs += 1
        f.page = p
        f.held |= n.H_PAGE_REF
    if f.held & n.H_PAGE_LOCK == 0:
        if lock_page(k, t, f.page) == WAITING:
            return n.SLEEP
        f.held |= n.H_PAGE_LOCK
    if not wait_on_page_writeback(k, t, f.page):
        return n.SLEEP
    if k.state.pages[f.page].file == f.file and k.state.pages[f.page].index < f.index:
        split_folio(k, f.page, False)  # truncate_inode_partial_folio; the pages behind its head's are next
        unlock_page(k, f.page)
        page_cache_release(k, f.page)
        f.held &= ~(n.H_PAGE_REF | n.H_PAGE_LOCK)
        f.page = n.NONE
        return n.AGAIN
    drop_truncated(k, f.page)
    unlock_page(k, f.page)
    page_cache_release(k, f.page)
    f.held &= ~(n.H_PAGE_REF | n.H_PAGE_LOCK)
    f.page = n.NONE
    return n.NEXT


@compiled
def drop_truncated(k, p):
    """Unmap a locked page wherever it is still mapped and take it out of the cache."""
    from_cache = k.state.pages[p].file != n.NONE
    while k.state.pages[p].mapcount > 0:
        clear_pte(k, first_rmap(k, p))
        k.state.pages[p].refs -= 1
    if from_cache:
        remove_and_release(k, p)


@compiled
def remove_and_release(k, p):
    """The cache's reference goes; the caller still has one of its own."""
    g = delete_from_page_cache(k, p)
    k.state.pages[p].refs -= 1
    mem_cgroup_uncharge_end(k, g)
