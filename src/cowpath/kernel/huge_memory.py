"""Huge pages of anonymous memory, and how large folios are split (mm/huge_memory.c).

A fault in a mapping of MADV_HUGEPAGE (THP "madvise") where no page table is takes a folio of a whole table's pages.
Here its entries are those of that table, which the kernel only deposits: it is charged all the same.
"""

from __future__ import annotations

from . import names as n
from .compiled import compiled
from .folio import drop_tail, folio_nr_pages, next_page
from .lru import lru_add, lru_del
from .memcontrol import mem_cgroup_uncharge_page
from .page_alloc import free_one
from .pgtable import lookup_pte, pte_of, set_pte

HPAGE_PMD_ORDER = 9
OF_EACH_PAGE = n.PG_UPTODATE | n.PG_DIRTY | n.PG_ANON | n.PG_ACTIVE | n.PG_REFERENCED | n.PG_UNEVICTABLE


@compiled
def is_huge(k, f):
    """The fault may take a huge page: thp_vma_suitable_order, and pmd_none. Not before page counters."""
    vma = k.state.vmas[f.vma]
    if vma.prot & n.VM_HUGEPAGE == 0 or not k.state.page_counter or k.books.single_pages:
        return False
    start = f.vpn & ~(n.HPAGE_PMD_NR - 1)
    return vma.start <= start and start + n.HPAGE_PMD_NR <= vma.end and lookup_pte(k, f.mm, f.vpn) == n.NONE


@compiled
def map_huge(k, t, f, bits):
    """map_anon_folio_pmd: all of the folio in hand; its reference is that of its first page's mapping."""
    p = f.newpage
    vpn = f.vpn & ~(n.HPAGE_PMD_NR - 1)
    k.state.pages[p].refs += n.HPAGE_PMD_NR - 1
    while p != n.NONE:
        if not set_pte(k, f.mm, vpn, p, bits):
            return False
        vpn += 1
        p = next_page(k, p)
    k.books.groups[k.state.tasks[t].group].thp_fault_alloc += 1
    return True


@compiled
def split_folio(k, head, isolated):
    """Each page of the folio is one of its own from now on. Who has the folio in hand, or its lock, has its first
    page's; a tail of anonymous memory that nothing maps any more is freed. ``isolated``: its head is off its lists, and
    stays so.
    """
    if folio_nr_pages(k, head) == 1:
        return
    folio = k.state.pages[head]
    listed = folio.bits & n.PG_LRU
    lru_del(k, head)
    index = folio.index
    tail = drop_tail(k, head)
    while tail != n.NONE:
        after = drop_tail(k, tail)
        index += 1
        split_tail(k, head, tail, index, listed or isolated)
        tail = after
    if listed:
        lru_add(k, head)


@compiled
def split_tail(k, head, p, index, listed):
    """A tail gets what it has had of its folio."""
    folio, page = k.state.pages[head], k.state.pages[p]
    mapped = count_rmap(k, p)
    page.file = folio.file
    page.index = index if folio.file != n.NONE else 0
    page.bits = folio.bits & OF_EACH_PAGE
    page.group = folio.group
    k.books.pages[p].dirtied = k.books.pages[head].dirtied
    if page.group != n.NONE:
        k.books.groups[page.group].split_pages += 1
    page.mapcount = mapped
    page.refs = mapped + (1 if folio.file != n.NONE else 0)
    folio.mapcount -= mapped
    folio.refs -= mapped
    if page.refs == 0:
        mem_cgroup_uncharge_page(k, p)
        free_one(k, p)
    elif listed:
        lru_add(k, p)


@compiled
def count_rmap(k, p):
    """How many entries map the page."""
    count = 0
    number = k.state.pages[p].rmap
    while number != n.NONE:
        count += 1
        number = pte_of(k, number).rmap_next
    return count
