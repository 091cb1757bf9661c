"""What is known of a reader (struct file_ra_state), and how its window is read: by folios, or page by page."""

from __future__ import annotations

from . import names as n
from . import steps as s
from .compiled import compiled
from .folio import ilog2
from .kmem import close_file
from .records import OPEN_FILES
from .wait import go_to

MAX_PAGECACHE_ORDER = 9  # of a folio: 2 MiB


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
    order = opened[at].ra.order if found else 0
    if not found:
        close_file(k, opened[at])
    kmem = opened[at].kmem
    for to in range(at, 0, -1):
        opened[to].file = opened[to - 1].file
        opened[to].prev = opened[to - 1].prev
        opened[to].ra.start = opened[to - 1].ra.start
        opened[to].ra.pages = opened[to - 1].ra.pages
        opened[to].ra.async_pages = opened[to - 1].ra.async_pages
        opened[to].ra.order = opened[to - 1].ra.order
        opened[to].kmem = opened[to - 1].kmem
    opened[0].file = file + 1
    opened[0].prev = prev
    opened[0].ra.start = start
    opened[0].ra.pages = pages
    opened[0].ra.async_pages = async_pages
    opened[0].ra.order = order
    opened[0].kmem = kmem
    return opened[0]


@compiled
def last_read(k, t, file):
    """The last page of the file that the task has read, if that is one of those that it knows; else NONE."""
    opened = k.state.tasks[t].opened
    for at in range(OPEN_FILES):
        if opened[at].file == file + 1:
            return opened[at].prev - 1
    return n.NONE


@compiled
def page_cache_ra_order(k, f, ra):
    """The window is the next to be read: in folios of its order, where the file may have some (page_cache_ra_order)."""
    f.index = ra.start
    f.count = ra.pages
    f.arg = ra.async_pages
    if not k.state.large_folios or k.state.files[f.file].shmem:
        ra.order = 0
        return
    f.count = max(0, min(ra.pages, k.state.files[f.file].pages - ra.start))
    f.arg -= ra.pages - f.count
    ra.order = min(ra.order, MAX_PAGECACHE_ORDER, ilog2(ra.pages)) if has_large_folios(k, f.file) else 0
    f.priority = 1 + ra.order


@compiled
def has_large_folios(k, file):
    """mapping_large_folio_support: files on a disk, where the kernel has it; not on the explorer's machine."""
    return k.state.large_folios != 0 and not k.state.files[file].shmem and not k.books.single_pages


@compiled
def without_folio(k, t, f, order):
    """A folio of this order cannot be had, or charged: write(2) tries a smaller one, a fault takes a page, read-ahead
    takes pages. AGAIN.
    """
    if f.path == s.P_READAHEAD:
        return read_rest(k, t, f)
    f.priority = order if f.path == s.P_WRITE else 1
    if f.path == s.P_ANON:
        k.books.groups[k.state.tasks[t].group].thp_fault_fallback += 1
    go_to(k, f, s.ALLOC_PAGE)
    return n.AGAIN


@compiled
def read_rest(k, t, f):
    """page_cache_ra_order has come upon a page that is there already, or there was no memory for a folio: what is left
    of the window is read page by page, past those that are there (do_page_cache_ra). AGAIN.
    """
    ra = k.state.vmas[f.vma].ra if f.vma != n.NONE else open_file(k, t, f.file).ra
    f.arg = ra.async_pages
    f.priority = 0
    go_to(k, f, s.EACH_PAGE)
    return n.AGAIN
