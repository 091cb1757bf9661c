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
def mapping_cap_account_dirty(k, page):
    """The page is one of a file's that is not in memory alone: what is dirty of these has limits."""
    return page.file != n.NONE and not k.state.files[page.file].shmem


@compiled
def note_dirty(k, p, dirty, writeback):
    """Of a file's page (file_dirty, file_writeback of memory.stat): so many pages more, or less, of who was charged for
    it when it became dirty.
    """
    g = k.books.pages[p].dirtied - 1
    if g != n.NONE:
        k.books.groups[g].dirty += dirty
        k.books.groups[g].writeback += writeback


@compiled
def set_page_dirty(k, p):
    """The page differs from what the disk has. Anonymous pages and shmem are on no account."""
    page = k.state.pages[p]
    if page.bits & n.PG_DIRTY:
        return
    page.bits = (page.bits | n.PG_DIRTY) & ~n.PG_READAHEAD  # ClearPageReclaim: the same bit in 3.0
    if not mapping_cap_account_dirty(k, page):
        return
    pages = folio_nr_pages(k, p)
    k.state.zone.dirty += pages
    if page.bits & n.PG_WRITEBACK == 0:
        k.books.pages[p].dirtied = 1 + page.group
    note_dirty(k, p, pages, 0)
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
    if mapping_cap_account_dirty(k, page):
        k.state.zone.dirty -= folio_nr_pages(k, p)
        note_dirty(k, p, -folio_nr_pages(k, p), 0)
        k.state.files[page.file].dirty -= folio_nr_pages(k, p)


@compiled
def dirtyable_memory(k):
    """global_dirtyable_memory: the free pages and those of files."""
    lists = k.state.zone.lists
    files = lists[n.LRU_INACTIVE_FILE].count + lists[n.LRU_ACTIVE_FILE].count
    return k.state.memory - k.state.used_pages + files


@compiled
def limits_of(usable):
    """domain_dirty_limits: (background, dirty) of so many pages that could be dirty."""
    return usable * BACKGROUND_RATIO // 100, usable * DIRTY_RATIO // 100


@compiled
def dirty_limits(k):
    """The machine's, in pages."""
    return limits_of(dirtyable_memory(k))
