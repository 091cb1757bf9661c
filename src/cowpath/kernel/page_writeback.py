"""Dirty pages of files: their accounts and their limits (mm/page-writeback.c of 3.0)."""

from __future__ import annotations

from . import names as n
from .compiled import compiled
from .folio import folio_nr_pages
from .wait import try_to_wake_up

DIRTY_RATIO = 20  # percent of the memory that files could have: above it, writers write and pause
BACKGROUND_RATIO = 10  # above it, the flusher writes


@compiled
def wake_flusher(k):
    """wakeup_flusher_threads, and bdi_wakeup_thread_delayed for a first dirty page."""
    t = k.state.flusher
    if t != n.NONE and k.state.tasks[t].wait_kind == n.W_IDLE:
        try_to_wake_up(k, t)


@compiled
def set_page_dirty(k, p):
    """The page differs from what the disk has. Anonymous pages and shmem are on no account."""
    page = k.state.pages[p]
    if page.bits & n.PG_DIRTY:
        return
    page.bits = (page.bits | n.PG_DIRTY) & ~n.PG_READAHEAD  # ClearPageReclaim: the same bit in 3.0
    if page.file == n.NONE or k.state.files[page.file].shmem:
        return
    pages = folio_nr_pages(k, p)
    k.state.zone.dirty += pages
    file = k.state.files[page.file]
    file.dirty += pages
    if page.group != n.NONE:
        k.books.groups[page.group].counters[n.C_DIRTIED] += pages
    if file.dirty == pages:
        k.books.dirtied_at[page.file] = k.books.now
        if k.state.zone.dirty == pages:
            wake_flusher(k)


@compiled
def clear_page_dirty(k, p):
    """The page is being written (clear_page_dirty_for_io), or is going away (cancel_dirty_page)."""
    page = k.state.pages[p]
    if page.bits & n.PG_DIRTY == 0:
        return
    page.bits &= ~n.PG_DIRTY
    if page.file != n.NONE and not k.state.files[page.file].shmem:
        k.state.zone.dirty -= folio_nr_pages(k, p)
        k.state.files[page.file].dirty -= folio_nr_pages(k, p)


@compiled
def dirty_limits(k):
    """global_dirty_limits: (background, dirty) in pages, of the free pages and those of files."""
    lists = k.state.zone.lists
    files = lists[n.LRU_INACTIVE_FILE].count + lists[n.LRU_ACTIVE_FILE].count
    usable = k.state.memory - k.state.used_pages + files
    return usable * BACKGROUND_RATIO // 100, usable * DIRTY_RATIO // 100
