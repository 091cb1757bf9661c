"""The disk (block/, mm/backing-dev.c): requests with latency and bandwidth, one after the other, reads first.

The driver says when the request in hand is done. A request owns the lock of the pages that it reads (they are not up to
date yet); pages that it writes bear PG_WRITEBACK instead.
"""

from __future__ import annotations

from . import names as n
from . import state as st
from .compiled import compiled
from .folio import folio_nr_pages
from .generated import begin_request
from .lru import rotate_reclaimable_page
from .page_lock import begin_hold, hand_on
from .page_writeback import mapping_cap_account_dirty, note_dirty
from .wait import sleep_nap, sleep_on, try_to_wake_up, unlink, wake_all

REQUEST_PAGES = 256  # of one request: 1 MiB
SECOND_NS = 1_000_000_000
JIFFY_NS = 4_000_000  # HZ = 250
TENTH_NS = 100_000_000  # HZ/10: the longest nap for the disk
READS_IN_A_ROW = 16  # before a write gets its turn


@compiled
def new_request(k, t):
    """An empty request that is being filled by task ``t``; NONE when the queue is full."""
    for r in range(len(k.state.requests)):
        request = k.state.requests[r]
        if not request.busy:
            begin_request(request)
            request.busy = 1
            request.owner = t
            return r
    k.books.error = st.ERR_REQUESTS
    return n.NONE


@compiled
def append(k, r, p):
    """One more page for a request, which keeps a reference to it."""
    request = k.state.requests[r]
    k.state.pages[p].refs += 1
    k.state.pages[p].io_next = n.NONE
    if request.first == n.NONE:
        request.first = p
    else:
        k.state.pages[request.last].io_next = p
    request.last = p
    request.pages += folio_nr_pages(k, p)


@compiled
def add_to_request(k, r, p):
    """A page to be read, which its reader has locked: the lock belongs to the request until its data is there."""
    k.state.pages[p].locked_by = n.REQUEST_OWNER - r
    append(k, r, p)


@compiled
def add_new_to_request(k, r, p, step):
    """A page that a step has just made, to be read: the same, and it was not locked."""
    begin_hold(k, p, n.REQUEST_OWNER - r, step)
    append(k, r, p)


@compiled
def add_write(k, r, p):
    """A page to be written (set_page_writeback). It can be read and mapped meanwhile."""
    k.state.requests[r].write = 1
    k.state.pages[p].bits |= n.PG_WRITEBACK
    k.state.zone.writeback += folio_nr_pages(k, p)
    if mapping_cap_account_dirty(k, k.state.pages[p]):
        note_dirty(k, p, 0, folio_nr_pages(k, p))
    append(k, r, p)


@compiled
def are_neighbours(k, p, q):
    """Page ``q`` comes right after page ``p`` on the disk."""
    one = k.state.pages[p]
    two = k.state.pages[q]
    swapped = n.PG_SWAPCACHE & one.bits & two.bits
    return (
        one.index + folio_nr_pages(k, p) == two.index and one.file == two.file and (one.file != n.NONE or swapped != 0)
    )


@compiled
def back_merge(k, p):
    """elv_merge: a page to be written joins the last request that waits, if it comes right after that."""
    r = k.state.writes.tail
    if r == n.NONE or k.state.requests[r].pages >= REQUEST_PAGES or not are_neighbours(k, k.state.requests[r].last, p):
        return False
    add_write(k, r, p)
    return True


@compiled
def free_request(k, r):
    """A request that is done, or was never filled."""
    begin_request(k.state.requests[r])


@compiled
def submit(k, r):
    """submit_bio: the request is the disk's now. An empty one is dropped."""
    request = k.state.requests[r]
    if request.pages == 0:
        free_request(k, r)
        return
    if not request.write:
        hand_on_all(k, r)
    request.submitted = 1
    request.next = n.NONE
    k.books.request_at[r] = k.books.now
    queue = k.state.writes if request.write else k.state.reads
    if queue.tail == n.NONE:
        queue.head = r
    else:
        k.state.requests[queue.tail].next = r
    queue.tail = r
    k.state.writes_waiting += request.write


@compiled
def submit_bios(k, t, r):
    """mpage_readahead: what is to be read goes to the disk in bios of at most BIO_MAX_VECS pages, each of which is done
    by itself.
    """
    while k.state.requests[r].pages > REQUEST_PAGES and k.state.bios:
        b = new_request(k, t)
        if b == n.NONE:
            break
        cut_off(k, r, b)
        submit(k, b)
    submit(k, r)


@compiled
def cut_off(k, r, b):
    """The first pages of request ``r``, a bio full of them, become request ``b``'s."""
    request, bio = k.state.requests[r], k.state.requests[b]
    p = bio.first = request.first
    while True:
        bio.last = p
        bio.pages += folio_nr_pages(k, p)
        k.state.pages[p].locked_by = n.REQUEST_OWNER - b
        p = k.state.pages[p].io_next
        if bio.pages >= REQUEST_PAGES:
            break
    k.state.pages[bio.last].io_next = n.NONE
    request.first = p
    request.pages -= bio.pages


@compiled
def hand_on_all(k, r):
    """The locks of a request's pages, which who has filled it has held, are the disk's from now on."""
    p = k.state.requests[r].first
    while p != n.NONE:
        hand_on(k, p)
        p = k.state.pages[p].io_next


@compiled
def next_request(k):
    """The disk takes the next request: reads before writes, but not for ever. NONE if it is busy or there is none."""
    state = k.state
    if state.disk_busy != n.NONE:
        return n.NONE
    disk = k.books.disk
    writes = state.writes.head != n.NONE
    reads = state.reads.head != n.NONE and not (writes and disk.reads_in_a_row >= READS_IN_A_ROW)
    if not reads and not writes:
        return n.NONE
    queue = state.reads if reads else state.writes
    disk.reads_in_a_row = disk.reads_in_a_row + 1 if reads else 0
    r = queue.head
    queue.head = state.requests[r].next
    if queue.head == n.NONE:
        queue.tail = n.NONE
    state.requests[r].next = n.NONE
    state.disk_busy = r
    return r


@compiled
def end_page_writeback(k, p):
    """A page has been written: whoever waited for that goes on; what reclaim wanted rid of, it takes next."""
    page = k.state.pages[p]
    page.bits &= ~n.PG_WRITEBACK
    k.state.zone.writeback -= folio_nr_pages(k, p)
    if mapping_cap_account_dirty(k, page):
        note_dirty(k, p, 0, -folio_nr_pages(k, p))
    if page.bits & n.PG_RECLAIM:
        rotate_reclaimable_page(k, p)
    queue = k.state.writeback_waiters
    t = queue.head
    while t != n.NONE:
        after = k.state.tasks[t].wait_next
        if k.state.tasks[t].wait_id == p:
            unlink(k, queue, t)
            try_to_wake_up(k, t)
        t = after


@compiled
def wait_on_page_writeback(k, t, p):
    """Sleep until the page has been written; True if it need not."""
    if k.state.pages[p].bits & n.PG_WRITEBACK == 0:
        return True
    sleep_on(k, t, k.state.writeback_waiters, n.W_WRITEBACK, p, 0, 0)
    return False


@compiled
def queue_is_full(k):
    """All of the queue's requests to write are taken: who wants one has to wait (get_request_wait)."""
    return k.state.writes_waiting >= k.books.disk.nr_requests


@compiled
def bdi_write_congested(k):
    """So many writes wait for the disk that reclaim had better not add to them: 113 (queue_congestion_on_threshold)."""
    nr = k.books.disk.nr_requests
    return k.state.writes_waiting >= nr - nr // 8 + 1


@compiled
def congestion_wait(k, t, ns):
    """Sleep until the disk has fewer writes to do, at most ``ns``."""
    k.books.tasks[t].pause = ns
    return sleep_on(k, t, k.state.congested, n.W_CONGESTED, 0, 0, 0)


@compiled
def clear_congested(k):
    """A write is done: clear_bdi_congested, at 103 (queue_congestion_off_threshold)."""
    k.state.writes_waiting -= 1
    nr = k.books.disk.nr_requests
    if k.state.writes_waiting < nr - nr // 8 - nr // 16 and k.state.congested.head != n.NONE:
        wake_all(k, k.state.congested)


@compiled
def pause(k, t, ns):
    """schedule_timeout_uninterruptible: sleep for a while, whatever happens."""
    return sleep_nap(k, t, n.W_PAUSE, 0, ns)
