"""Fault-around (do_fault_around of mm/memory.c, filemap_map_pages of filemap.c): a read maps what is there anyway."""

from __future__ import annotations

from . import names as n
from . import steps as s
from .compiled import compiled
from .filemap import cached_page, cached_subpage
from .folio import folio_nr_pages, page_folio
from .pgtable import is_none, lookup_pte, pte_of, set_pte
from .pte_alloc import pmd_populate, pte_free
from .wait import current, spend

FAULT_AROUND_PAGES = 16  # fault_around_bytes: 64 KiB


@compiled
def step_fault_around(k, t):
    """do_fault_around (8c6e50b0290c, 3.15): map the pages of the file around the fault that are in the cache. If the
    one that is wanted is among them, the fault is done.
    """
    f = current(k, t)
    vma = k.state.vmas[f.vma]
    entries = len(k.state.tables[0].pte)
    table = f.vpn & ~(entries - 1)
    start = max(f.vpn & ~(FAULT_AROUND_PAGES - 1), vma.start, table)
    end = min(start + FAULT_AROUND_PAGES, vma.end, table + entries)
    filemap_map_pages(k, t, f, start, end)
    number = lookup_pte(k, f.mm, f.vpn)
    if number != n.NONE and not is_none(pte_of(k, number)):
        if f.held & n.H_PAGE_TABLE:
            pte_free(k, t, f)  # another thread has put one there, and mapped the page: do_fault, at its end
        f.pc = k.books.paths[f.path].length - 1
    return n.NEXT


@compiled
def can_be_mapped(k, p):
    """next_uptodate_page: the page can be had at once, and is no window's marker: who comes there reads ahead."""
    page = k.state.pages[p]
    return page.locked_by == n.FREE and page.bits & n.PG_UPTODATE != 0 and page.bits & n.PG_READAHEAD == 0


@compiled
def filemap_map_pages(k, t, f, start, end):
    """Map what is there and whose lock is free, where the entry is empty; never wait, read or charge."""
    vma = k.state.vmas[f.vma]
    end = min(end, vma.start + (k.state.files[f.file].pages - vma.pgoff))
    vpn = start
    while vpn < end:
        p = cached_page(k, f.file, vma.pgoff + (vpn - vma.start))
        if p == n.NONE or not can_be_mapped(k, p):
            vpn += 1
            continue
        first = vma.start + (k.state.pages[p].index - vma.pgoff)
        after = first + folio_nr_pages(k, p)
        if not is_mapped_whole(k, vma, first, after):
            first = max(first, start)
            after = min(after, end)
        filemap_map_folio_range(k, t, f, first, after)
        vpn = after


@compiled
def is_mapped_whole(k, vma, first, after):
    """The folio lies within the mapping, one page table, and the file, whose last page is in another one."""
    entries = len(k.state.tables[0].pte)
    within = vma.start <= first and after <= vma.end and first // entries == (after - 1) // entries
    return within and after < vma.start + (k.state.files[vma.file].pages - vma.pgoff)


@compiled
def filemap_map_folio_range(k, t, f, first, after):
    """Pages of a folio, where the entries are empty."""
    vma = k.state.vmas[f.vma]
    for vpn in range(first, after):
        vma.mmap_miss = max(0, vma.mmap_miss - 1)
        if f.held & n.H_PAGE_TABLE:
            pmd_populate(k, t, f, f.mm)
        number = lookup_pte(k, f.mm, vpn)
        if number != n.NONE and not is_none(pte_of(k, number)):
            continue
        p = cached_subpage(k, f.file, vma.pgoff + (vpn - vma.start))
        if not set_pte(k, f.mm, vpn, p, n.PTE_ACCESSED):
            return
        k.state.pages[page_folio(k, p)].refs += 1
        spend(k, s.DUP_PTE)
