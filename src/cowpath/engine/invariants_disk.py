"""What must always be true of disk requests, write-back and dirty pages. Each function answers OK, or what is wrong."""

from __future__ import annotations

import numpy as np

from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.compiled import compiled
from cowpath.kernel.folio import folio_nr_pages, page_folio

from .invariants_pages import OK
from .timers import DISK_DONE


@compiled
def has_timer(k, what, which):
    """A timer is set for this."""
    for i in range(k.books.n_timers):
        if k.books.timers[i].what == what and k.books.timers[i].which == which:
            return True
    return False


@compiled
def is_filling(k, t, r):
    """The task gathers pages for this request: it reads ahead, or writes."""
    for d in range(k.state.tasks[t].depth):
        f = k.state.tasks[t].frames[d]
        reads = f.path == s.P_READAHEAD or f.path == s.P_SWAP_READAHEAD
        if (reads or f.path == s.P_WRITEBACK or f.path == s.P_FSYNC) and f.request == r:
            return True
    return False


@compiled
def requests_are_in_order(k):
    """A request is being filled by a task that knows it, or is the disk's; it has locked the pages that it reads, and
    those that it writes are under write-back.
    """
    for r in range(len(k.state.requests)):
        request = k.state.requests[r]
        if not request.busy:
            if request.pages != 0 or request.submitted:
                return r
            continue
        count = 0
        p = request.first
        while p != n.NONE and count <= request.pages:
            page = k.state.pages[p]
            locked = page.locked_by == n.REQUEST_OWNER - r
            written = page.bits & n.PG_WRITEBACK != 0
            if locked == (request.write != 0) or written != (request.write != 0):
                return r
            if page.io_next == n.NONE and request.last != p:
                return r
            count += folio_nr_pages(k, p)
            p = page.io_next
        if count != request.pages or (request.submitted and count == 0):
            return r
        if has_timer(k, DISK_DONE, r) != (k.state.disk_busy == r):
            return r
        if not request.submitted and not is_filling(k, request.owner, r):
            return r
    return OK


@compiled
def count_requests(k, queue, write, seen):
    """Mark the requests of a disk's queue. False if one does not belong there or the queue's ends are wrong."""
    last = n.NONE
    r = queue.head
    while r != n.NONE:
        request = k.state.requests[r]
        if seen[r] or not request.submitted or request.write != write:
            return False
        seen[r] = 1
        last = r
        r = request.next
    return queue.tail == last


@compiled
def disk_queues_are_whole(k):
    """The disk's queues and hands hold exactly the requests that were sent, each once; it is never idle meanwhile."""
    state = k.state
    seen = np.zeros(len(state.requests), np.int8)
    if state.disk_busy != n.NONE:
        seen[state.disk_busy] = 1
    elif state.reads.head != n.NONE or state.writes.head != n.NONE:
        return n.UNLIMITED
    if not count_requests(k, state.reads, 0, seen) or not count_requests(k, state.writes, 1, seen):
        return n.UNLIMITED
    writes = 0
    for r in range(len(state.requests)):
        if seen[r] != (state.requests[r].submitted != 0):
            return r
        writes += state.requests[r].submitted and state.requests[r].write
    return OK if writes == state.writes_waiting else writes


@compiled
def writeback_adds_up(k):
    """zone.writeback = pages under write-back = pages of requests to write: none of them is in two requests."""
    state = k.state
    under = 0
    for p in range(state.n_pages):
        under += folio_nr_pages(k, p) if state.pages[p].bits & n.PG_WRITEBACK else 0
    asked = 0
    for r in range(len(state.requests)):
        if state.requests[r].busy and state.requests[r].write:
            asked += state.requests[r].pages
    return OK if under == asked and under == state.zone.writeback else under


@compiled
def dirty_adds_up(k):
    """zone.dirty and each file's dirty are its dirty pages; shmem and anonymous pages are on no account."""
    state = k.state
    dirty = np.zeros(state.n_files, np.int32)
    for p in range(state.n_pages):
        page = state.pages[p]
        if page.file != n.NONE and page.bits & n.PG_DIRTY and not state.files[page.file].shmem:
            dirty[page.file] += folio_nr_pages(k, p)
    whole = 0
    for i in range(state.n_files):
        if state.files[i].dirty != dirty[i]:
            return i
        whole += dirty[i]
    return OK if whole == state.zone.dirty else n.UNLIMITED


# --- between one move and the next ---------------------------------------------------------------
@compiled
def note_dirty(k, was):
    """Note for each slot of the page cache whether its page is still to be written: 0 if not."""
    for slot in range(k.state.n_slots):
        p = k.state.slots[slot] - 1
        was[slot] = p != n.NONE and k.state.pages[page_folio(k, p)].bits & n.PG_DIRTY != 0


@compiled
def nothing_dirty_was_lost(k, was):
    """A file's page that was dirty before the move is so still, is being written, or was truncated."""
    for i in range(k.state.n_files):
        file = k.state.files[i]
        if file.anonymous:  # of mmap: another one may have come about in the same place
            continue
        for index in range(file.pages):
            slot = file.first + index
            if was[slot]:
                p = k.state.slots[slot] - 1
                if p == n.NONE and k.state.shmem_swp[slot] == 0:
                    return slot
                if p != n.NONE and k.state.pages[page_folio(k, p)].bits & (n.PG_DIRTY | n.PG_WRITEBACK) == 0:
                    return slot
    return OK
