"""The step ``pte_alloc_one``: a page table for the fault's address (mm/memory.c of 5.0; pgalloc.h's __GFP_ACCOUNT)."""

from __future__ import annotations

from . import names as n
from . import steps as s
from .compiled import compiled
from .filemap import page_cache_release
from .memcg_charge import charge_group
from .page_alloc_slow import __alloc_pages_nodemask
from .pgtable import lookup_pte, set_table
from .wait import current, spend


@compiled
def step_pte_alloc_one(k, t):
    """pmd_none: where no page table covers the address, allocate one and charge it to the task's group, as a page; also
    in another's memory: the kernel's own is whose task asks for it.

    It stays in hand until the fault's end (vmf->prealloc_pte). Of fork: in the child's address space.
    """
    f = current(k, t)
    if f.prealloc_pte == n.NONE:
        if f.phase == 0 and lookup_pte(k, f.other_mm if f.path == s.P_FORK else f.mm, f.vpn) != n.NONE:
            return n.NEXT
        status = alloc_table(k, t, f)
        if status != n.NEXT:
            return status
    return charge_group(k, t, f, k.state.tasks[t].group)


@compiled
def alloc_table(k, t, f):
    """The page. alloc_or_reclaim puts it where a fault's new page is, which may be in hand already."""
    newpage = f.newpage
    status = __alloc_pages_nodemask(k, t, f)
    p = f.newpage
    f.newpage = newpage
    if status != n.NEXT:
        return status
    spend(k, s.ALLOC_PAGE)
    spend(k, s.CLEAR_PAGE)
    f.prealloc_pte = p
    k.state.pages[p].bits |= n.PG_TABLE
    f.batch = 0  # a charge that begins
    f.group = 0
    k.books.groups[k.state.tasks[t].group].counters[n.C_ALLOCS] += 1
    return n.NEXT


@compiled
def pmd_populate(k, t, f, m):
    """The page table in hand covers the address from now on, if none was put there meanwhile: at a fault's end."""
    if lookup_pte(k, m, f.vpn) != n.NONE:
        pte_free(k, t, f)
        return
    set_table(k, m, f.vpn, f.prealloc_pte)
    f.prealloc_pte = n.NONE
    f.held &= ~n.H_PAGE_TABLE


@compiled
def pte_free(k, t, f):
    """The page table in hand is not needed: uncharge and free it."""
    counters = k.books.groups[k.state.tasks[t].group].counters
    counters[n.C_ALLOCS_WASTED] += 1
    if k.state.pages[f.prealloc_pte].group != n.NONE:
        counters[n.C_CHARGES_WASTED] += 1
    page_cache_release(k, f.prealloc_pte)
    f.prealloc_pte = n.NONE
    f.held &= ~n.H_PAGE_TABLE
