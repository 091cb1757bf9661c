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
from .folio import folio_nr_pages
from .kmem import close_file
from .page_alloc import free_pages
from .policies import number
from .ra_state import open_file, page_cache_ra_order
from .wait import current

ON_DEMAND = number("readahead_windows", "on demand")
BY_ORDER = number("readahead_windows", "by order")


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
    opened.ra.order = 0


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
def do_sync_mmap_readahead(k, f, ra, most):
    """A fault that has not found its page: a window around it; in executable memory (6.18) from it on, no further than
    the mapping, and without a marker.
    """
    vma = k.state.vmas[f.vma]
    ra.order = 0
    ra.pages = most
    if k.state.readahead_windows == BY_ORDER and vma.prot & n.VM_EXEC:
        ra.start = f.index
        ra.pages = min(most, vma.pgoff + (vma.end - vma.start) - f.index)
        ra.async_pages = 0
    else:
        ra.start = max(0, f.index - most // 2)
        ra.async_pages = most // 4
    page_cache_ra_order(k, f, ra)


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
    page_cache_ra_order(k, f, ra)


@compiled
def page_cache_sync_ra(k, f, ra, prev, wanted, most):
    """The same since 6.12 for a page that is missing: it begins a stream (``prev``: 1 + the page that the last read
    ended with), or the pages before it tell of one, or it is read alone.
    """
    index = f.index
    ra.order = 0
    if index == 0 or wanted > most or index == prev or index == prev + 1:
        ra.start = index
        ra.pages = get_init_ra_size(wanted, most)
        ra.async_pages = ra.pages - wanted if ra.pages > wanted else ra.pages >> 1
    else:
        history = count_history_pages(k, f.file, index, most)
        if history <= wanted:
            f.count = wanted
            return
        if history >= index:
            history *= 2
        ra.start = index
        ra.pages = min(history + wanted, most)
        ra.async_pages = 1
    page_cache_ra_order(k, f, ra)


@compiled
def page_cache_async_ra(k, f, ra, wanted, most):
    """And for one that bears the marker: the window behind it, in 6.18 of larger folios, with one of which it ends."""
    index = f.index
    marked = cached_page(k, f.file, index)
    pages = folio_nr_pages(k, marked) if marked != n.NONE else 1
    if f.vma == n.NONE and marked != n.NONE:  # filemap_readahead
        index = k.state.pages[marked].index
        wanted += f.index - index
    expected = ra.start + ra.pages - ra.async_pages
    if index == expected - expected % pages:
        ra.start += ra.pages
        ra.pages = max(ra.pages, get_next_ra_size(ra.pages, most))
    else:  # the marker of another reader
        hole = next_hole(k, f.file, index + 1, most)
        if hole - index > most:
            f.count = 0
            return
        ra.start = hole
        ra.pages = get_next_ra_size(hole - index + wanted, most)
    if k.state.readahead_windows == BY_ORDER and not k.books.single_pages:
        ra.order += 2
        align = 1 << min(ra.order, lowest_bit(most))
        end = ra.start + ra.pages
        if end - end % align > ra.start:
            ra.pages -= end % align
    ra.async_pages = ra.pages
    page_cache_ra_order(k, f, ra)


@compiled
def lowest_bit(number):
    """ffs() - 1"""
    bit = 0
    while number >> bit & 1 == 0:
        bit += 1
    return bit


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
        if k.state.readahead_windows == ON_DEMAND:
            ondemand_readahead(k, f, opened.ra, opened.prev, why == AHEAD_PHASE, wanted, most)
        elif why == AHEAD_PHASE:
            page_cache_async_ra(k, f, opened.ra, wanted, most)
        else:
            page_cache_sync_ra(k, f, opened.ra, opened.prev, wanted, most)
    elif why == AHEAD_PHASE and k.state.readahead_windows == ON_DEMAND:
        ondemand_readahead(k, f, k.state.vmas[f.vma].ra, 0, True, readahead, most)
    elif why == AHEAD_PHASE:
        page_cache_async_ra(k, f, k.state.vmas[f.vma].ra, readahead, most)
    else:
        do_sync_mmap_readahead(k, f, k.state.vmas[f.vma].ra, most)
    return n.NEXT
