"""Read-ahead on demand (mm/readahead.c of 3.0, and the fault's part of it in mm/filemap.c): which window to read.

What was read last is known of an open file: a mapping has one behind it (``vma.ra``), and each task one of its own for
each file that it reads (``task.opened``). The first page of what lies ahead bears a marker: who comes to it has the
next, larger window read, and does not wait for that.
"""

from __future__ import annotations

from . import names as n
from .block import new_request
from .compiled import compiled
from .filemap import AHEAD_PHASE, FORCE_PHASE, SINGLE_PHASE, cached_page
from .kmem import close_file
from .page_alloc import free_pages
from .records import OPEN_FILES
from .wait import current


@compiled
def open_file(k, t, file):
    """What task ``t`` knows of a file that it reads: the first of ``task.opened`` from now on."""
    opened = k.state.tasks[t].opened
    at = 0
    while at < OPEN_FILES - 1 and opened[at].file != file + 1:
        at += 1
    found = opened[at].file == file + 1
    prev = opened[at].prev if found else 0
    start = opened[at].ra.start if found else 0
    pages = opened[at].ra.pages if found else 0
    async_pages = opened[at].ra.async_pages if found else 0
    if not found:
        close_file(k, opened[at])
    kmem = opened[at].kmem
    for to in range(at, 0, -1):
        opened[to].file = opened[to - 1].file
        opened[to].prev = opened[to - 1].prev
        opened[to].ra.start = opened[to - 1].ra.start
        opened[to].ra.pages = opened[to - 1].ra.pages
        opened[to].ra.async_pages = opened[to - 1].ra.async_pages
        opened[to].kmem = opened[to - 1].kmem
    opened[0].file = file + 1
    opened[0].prev = prev
    opened[0].ra.start = start
    opened[0].ra.pages = pages
    opened[0].ra.async_pages = async_pages
    opened[0].kmem = kmem
    return opened[0]


@compiled
def end_of_read(k, t, f):
    """do_generic_file_read remembers the last page that it has read (ra->prev_pos)."""
    file = k.state.files[f.file]
    if f.vpn > 0 and file.readahead > 1 and not file.shmem:
        open_file(k, t, f.file).prev = f.index


@compiled
def forget_opened(k, t, file):
    """The task has the file open anew: nothing is known of it."""
    opened = open_file(k, t, file)
    close_file(k, opened)
    opened.prev = 0
    opened.ra.start = 0
    opened.ra.pages = 0
    opened.ra.async_pages = 0


@compiled
def io_pages(k):
    """bdi->io_pages: the largest request of the disk."""
    return n.IO_PAGES_OF_4M if k.state.request_of_4m else n.IO_PAGES


@compiled
def most_willneed(k, op):
    """How many pages are read ahead for a POSIX_FADV_WILLNEED: from 4.10 on as many as a window has, or a request."""
    file = k.state.files[op.a]
    most = n.WILLNEED_BATCH
    if k.state.whole_request:
        most = min(max(io_pages(k), file.readahead), max(1, file.pages - op.b))
    return min(most, op.c) if op.c != n.NONE else most


@compiled
def max_sane_readahead(k, pages):
    """No more than half of the memory that is free or holds unused files; it is gone from 4.4 on (600e19afc5f8)."""
    if k.books.memory_suffices or k.state.whole_request:
        return pages
    return min(pages, (k.state.zone.lists[n.LRU_INACTIVE_FILE].count + free_pages(k)) // 2)


@compiled
def get_init_ra_size(wanted, most):
    """The first window of a sequential reader."""
    pages = 1
    while pages < wanted:
        pages *= 2
    if pages <= most // 32:
        return pages * 4
    return pages * 2 if pages <= most // 4 else most


@compiled
def get_next_ra_size(pages, most):
    """The window after one of so many pages."""
    return min(most, pages * (4 if pages < most // 16 else 2))


@compiled
def count_history_pages(k, file, index, most):
    """How many pages in a row, up to the one before ``index``, are in the page cache."""
    count = 0
    while count < most and count < index and cached_page(k, file, index - 1 - count) != n.NONE:
        count += 1
    return count


@compiled
def next_hole(k, file, index, most):
    """The first page from ``index`` on that is not in the page cache, looking at ``most``."""
    end = index + most
    pages = k.state.files[file].pages
    while index < end and index < pages and cached_page(k, file, index) != n.NONE:
        index += 1
    return index


@compiled
def read_window(f, ra):
    """ra_submit: the window is the next to be read."""
    f.index = ra.start
    f.count = ra.pages
    f.arg = ra.async_pages


@compiled
def do_sync_mmap_readahead(k, f, ra, most):
    """A fault that has not found its page: a window around it."""
    ra.start = max(0, f.index - most // 2)
    ra.pages = most
    ra.async_pages = most // 4
    read_window(f, ra)


@compiled
def ondemand_readahead(k, f, ra, prev, hit, wanted, most):
    """For a page that is missing, or (``hit``) bears the marker, of ``wanted`` that are to be read: how much is read.

    ``prev``: 1 + the page that the last read ended with. Nobody who reads like a stream has just this page read.
    """
    index = f.index
    if index > 0 and (index == ra.start + ra.pages - ra.async_pages or index == ra.start + ra.pages):
        ra.start += ra.pages  # where it was expected
        ra.pages = get_next_ra_size(ra.pages, most)
        ra.async_pages = ra.pages
    elif index > 0 and hit:  # the marker of another reader
        hole = next_hole(k, f.file, index + 1, most)
        if hole - index > most:
            f.count = 0
            return
        ra.start = hole
        ra.pages = get_next_ra_size(hole - index + wanted, most)
        ra.async_pages = ra.pages
    elif index == 0 or wanted > most or index == prev or index == prev - 1:
        ra.start = index
        ra.pages = get_init_ra_size(wanted, most)
        ra.async_pages = ra.pages - wanted if ra.pages > wanted else ra.pages
    else:
        history = count_history_pages(k, f.file, index, most)
        if history == 0 or (k.state.context_readahead and history <= wanted):  # a read of its own, somewhere
            f.count = wanted
            return
        if history >= index:
            history *= 2
        ra.start = index
        ra.pages = get_init_ra_size(history + wanted, most)
        ra.async_pages = ra.pages
        if k.state.context_readahead:
            ra.pages = min(history + wanted, most)
            ra.async_pages = 1
    if index == ra.start and ra.pages == ra.async_pages:  # it would hit its own marker at once
        ra.async_pages = get_next_ra_size(ra.pages, most)
        ra.pages += ra.async_pages
        if k.state.whole_request and ra.pages > most:  # dc30b96ab6d5, 4.19
            ra.pages = most
            ra.async_pages = most // 2
    read_window(f, ra)


@compiled
def step_ra_window(k, t):
    """Which pages are read: around a fault, ahead of a reader, or the one page (``arg``: why, the caller's phase).

    From here on ``arg`` is how many pages are left when the marker's comes; 0: none bears one.
    """
    f = current(k, t)
    r = new_request(k, t)
    if r == n.NONE:
        return n.AGAIN
    why, wanted = f.arg, f.count
    f.request = r
    f.batch = 0
    f.phase = 0
    f.arg = 0
    f.count = 1
    if why == SINGLE_PHASE:
        return n.NEXT
    if k.state.charge_on_oom:  # such a charge may fail
        f.gfp = n.GFP_READAHEAD
    if why == FORCE_PHASE:
        f.count = 0 if k.state.files[f.file].shmem else max_sane_readahead(k, wanted)
        return n.NEXT
    readahead = k.state.files[f.file].readahead
    most = max_sane_readahead(k, readahead)
    if f.vma == n.NONE:
        opened = open_file(k, t, f.file)
        if k.state.whole_request and most < wanted:
            most = max(readahead, min(wanted, io_pages(k)))
        ondemand_readahead(k, f, opened.ra, opened.prev, why == AHEAD_PHASE, wanted, most)
    elif why == AHEAD_PHASE:
        ondemand_readahead(k, f, k.state.vmas[f.vma].ra, 0, True, readahead, most)
    else:
        do_sync_mmap_readahead(k, f, k.state.vmas[f.vma].ra, most)
    return n.NEXT
