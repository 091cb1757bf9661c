"""Write-back: the flusher thread, fsync (fs/fs-writeback.c, mm/page-writeback.c of 3.0).

A frame of the path ``writeback``: ``file`` whose pages are written (NONE: the files in turn, with ``arg`` only old
ones), ``index`` the next page, ``count`` the most pages, ``done`` those written, ``which`` the request being filled.
"""

from __future__ import annotations

from . import names as n
from . import steps as s
from .block import (
    REQUEST_PAGES,
    TENTH_NS,
    add_write,
    are_neighbours,
    bdi_write_congested,
    congestion_wait,
    new_request,
    queue_is_full,
    submit,
    wait_on_page_writeback,
)
from .compiled import compiled
from .filemap import cached_page, page_cache_release
from .folio import folio_nr_pages
from .frames import push
from .memcg_dirty import wb_over_bg_thresh
from .page_lock import WAITING, lock_page, unlock_page
from .page_writeback import clear_page_dirty, dirty_limits
from .rmap import page_mkclean
from .wait import current, sleep_nap, spend

LOOK_AHEAD = 4096  # slots of a file looked at in one move
INTERVAL_NS = 5_000_000_000  # dirty_writeback_interval
EXPIRE_NS = 30_000_000_000  # dirty_expire_interval
CHUNK = 1024  # MAX_WRITEBACK_PAGES

EVERYTHING = 1 << 30
ONE_FILE = 2  # frame.arg of the path writeback: no other file's pages


# --- writing pages -------------------------------------------------------------------------------
@compiled
def is_old(k, file):
    """The file's oldest dirty page has been so for longer than dirty_expire_interval."""
    return k.books.now - k.books.dirtied_at[file] >= EXPIRE_NS


@compiled
def flush(k, f):
    """Send the request that is being filled to the disk."""
    if f.request != n.NONE:
        submit(k, f.request)
        f.request = n.NONE


@compiled
def next_file(k, f):
    """The files with dirty pages in turn, one window of write-back each. False when there is none left."""
    files = k.state.n_files
    for i in range(files):
        at = (k.state.flush_file + i) % files
        if k.state.files[at].dirty > 0 and (not f.arg or is_old(k, at)):
            k.state.flush_file = at
            f.file = at
            f.index = k.state.files[at].writeback_index
            f.todo = k.state.files[at].room  # slots until it has come round
            return True
    return False


@compiled
def next_dirty(k, f):
    """The next page that is to be written, from ``index`` on; NONE if this move has not found one."""
    file = k.state.files[f.file]
    for _ in range(LOOK_AHEAD):
        if f.todo <= 0:
            return n.NONE
        if f.index >= file.room:
            f.index = 0
        p = cached_page(k, f.file, f.index)
        if p != n.NONE and k.state.pages[p].bits & n.PG_DIRTY and k.state.pages[p].bits & n.PG_WRITEBACK == 0:
            return p
        f.index += 1
        f.todo -= 1
    return n.NONE


@compiled
def step_write_cache_pages(k, t):
    """A page a move."""
    k.books.resched_ok = 1
    return write_cache_pages(k, t, current(k, t))


@compiled
def write_cache_pages(k, t, f):
    """For one page: lock it, make it ready for the disk, unlock it. Neighbours share a request."""
    if f.held & n.H_PAGE_REF:  # it has waited for the page's lock
        return lock_and_write(k, t, f)
    if queue_is_full(k):
        flush(k, f)
        return congestion_wait(k, t, TENTH_NS)
    if f.count <= 0 or (f.file == n.NONE and not next_file(k, f)):
        flush(k, f)
        return n.NEXT
    p = next_dirty(k, f)
    if p == n.NONE:
        if f.todo > 0:
            return n.AGAIN
        flush(k, f)
        return end_of_file(k, f)
    k.state.pages[p].refs += 1
    f.page = p
    f.held |= n.H_PAGE_REF
    return lock_and_write(k, t, f)


@compiled
def lock_and_write(k, t, f):
    """The page in hand is written, if it is still the file's once it has been locked."""
    p = f.page
    if k.state.pages[p].locked_by != n.FREE and not k.state.keeps_bio:
        flush(k, f)  # nobody may wait for pages that are not on their way
    if lock_page(k, t, p) == WAITING:
        return n.SLEEP
    if k.state.pages[p].file == f.file:
        write_page(k, t, f, p)
    page = k.state.pages[p]
    pages = page.index + folio_nr_pages(k, p) - f.index if page.file == f.file else 1
    unlock_page(k, p)
    page_cache_release(k, p)
    f.held &= ~n.H_PAGE_REF
    f.page = n.NONE
    f.index += pages
    f.todo -= pages
    f.count -= pages
    f.done += pages
    k.state.files[f.file].writeback_index = f.index
    return n.AGAIN


@compiled
def end_of_file(k, f):
    """All of the file has been looked at: that was it for fsync; others go on with the next file."""
    file = k.state.files[f.file]
    k.books.dirtied_at[f.file] = k.books.now  # what became dirty meanwhile is new
    file.writeback_index = 0
    if f.path == s.P_FSYNC or f.arg == ONE_FILE:
        return n.NEXT
    k.state.flush_file = (f.file + 1) % k.state.n_files
    f.file = n.NONE
    return n.AGAIN


@compiled
def write_page(k, t, f, p):
    """The locked page goes into the request, or opens a new one."""
    page = k.state.pages[p]
    if page.bits & n.PG_DIRTY == 0 or page.bits & n.PG_WRITEBACK:
        return
    spend(k, s.WRITE_PAGE)
    if f.request != n.NONE:
        request = k.state.requests[f.request]
        if request.pages >= REQUEST_PAGES or not are_neighbours(k, request.last, p):
            flush(k, f)
    if f.request == n.NONE:
        f.request = new_request(k, t)
        if f.request == n.NONE:
            return
    clear_page_dirty(k, p)
    page_mkclean(k, p)
    add_write(k, f.request, p)


@compiled
def step_filemap_fdatawait(k, t):
    """filemap_fdatawait: until none of the file's pages is being written."""
    f = current(k, t)
    k.books.resched_ok = 1
    file = k.state.files[f.file]
    if f.phase == 0:
        f.phase = 1
        f.index = 0
    for _ in range(LOOK_AHEAD):
        if f.index >= file.room:
            f.phase = 0
            return n.NEXT
        p = cached_page(k, f.file, f.index)
        if p != n.NONE and not wait_on_page_writeback(k, t, p):
            return n.SLEEP
        f.index += 1
    return n.AGAIN


@compiled
def step_filemap_flush(k, t):
    """filemap_flush: begin to write the file's dirty pages (another path), unless the disk has too many already."""
    f = current(k, t)
    if f.phase == 0 and k.state.files[f.file].dirty > 0 and not bdi_write_congested(k):
        f.phase = 1
        return n.CALL
    f.phase = 0
    return n.NEXT


@compiled
def call_filemap_flush(k, t, f):
    """All that is dirty of the file."""
    below = push(k, t, s.P_WRITEBACK)
    below.file = f.file
    below.count = EVERYTHING
    below.todo = k.state.files[f.file].room
    below.arg = ONE_FILE
    return n.NEXT


# --- the flusher ---------------------------------------------------------------------------------
@compiled
def has_old(k):
    """A file has been dirty for longer than dirty_expire_interval."""
    for i in range(k.state.n_files):
        if k.state.files[i].dirty > 0 and is_old(k, i):
            return True
    return False


@compiled
def step_flusher_sleep(k, t):
    """bdi_writeback_thread: sleep until there is something to write; look every 5 s while anything is dirty."""
    f = current(k, t)
    zone = k.state.zone
    if zone.dirty == 0:
        zone.wanted = 0
        return sleep_nap(k, t, n.W_IDLE, n.KT_FLUSHER, 0)
    if f.done:
        f.done = 0
        zone.wanted = 0
        return sleep_nap(k, t, n.W_IDLE, n.KT_FLUSHER, INTERVAL_NS)
    too_many = zone.dirty > dirty_limits(k)[0] or wb_over_bg_thresh(k)
    f.arg = 0 if zone.wanted > 0 or too_many else 1  # 1: only what is old
    if f.arg == 0 or has_old(k):
        return n.NEXT
    return sleep_nap(k, t, n.W_IDLE, n.KT_FLUSHER, INTERVAL_NS)


@compiled
def step_wb_writeback(k, t):
    """The flusher's work."""
    return wb_writeback(k, current(k, t))


@compiled
def wb_writeback(k, f):
    """A chunk of pages, as another path."""
    if f.phase == 0:
        f.phase = 1
        return n.CALL
    f.phase = 0
    f.done = f.ret == 0  # nothing can be written now: all that is dirty is being written already
    k.state.zone.wanted = max(0, k.state.zone.wanted - CHUNK)
    f.pc = -1  # and from the beginning
    return n.NEXT


@compiled
def call_wb_writeback(k, t, f):
    """A chunk."""
    below = push(k, t, s.P_WRITEBACK)
    below.count = CHUNK
    below.arg = f.arg
    return n.NEXT
