"""From a page to the entries that map it (mm/rmap.c of 3.0)."""

from __future__ import annotations

from . import names as n
from . import objects as o
from . import steps as s
from .compiled import compiled
from .folio import first_rmap, next_page
from .hierarchy import is_below
from .kmem import UNRECLAIMABLE, account_slab, charge_if_room, size_of
from .lru import lru_cache_add
from .mmap import find_vma
from .pgtable import clear_pte, mm_of_pte, pte_of, swap_out_pte, vpn_of_pte
from .wait import spend


@compiled
def anon_vma_prepare(k, v, g):
    """The mapping has an anon_vma from now on, which the task's group pays for: fork copies its entries."""
    vma = k.state.vmas[v]
    if vma.prot & n.VM_ANON_VMA == 0 and vma.anon_vma == 0 and k.books.charges_kmem and g > 0:
        if size_of(k, o.ANON_VMA) > 0 and charge_if_room(k, g, size_of(k, o.ANON_VMA)):
            account_slab(k, k.books.cpu, g, size_of(k, o.ANON_VMA), UNRECLAIMABLE)
            vma.anon_vma = 1 + g
    vma.prot |= n.VM_ANON_VMA


@compiled
def page_add_new_anon_rmap(k, p):
    """A page that a fault has made, and has just mapped, joins the lists, charged or not."""
    lru_cache_add(k, p)


@compiled
def counts_for(k, owner, g):
    """mm_match_cgroup: to reclaim of group ``g`` this group's references count; since 3.3 those from below as well."""
    return owner == g or (k.state.lruvecs != 0 and is_below(k, owner, g))


@compiled
def page_referenced(k, p, g):
    """Clear and count the accessed bits; for a group's reclaim only those that tasks of group ``g`` have set.

    To a group references from elsewhere do not count (mm_match_cgroup): a page that is charged to it is reclaimed
    under its users outside. Returns (count, bits): VM_EXEC, VM_LOCKED of the mappings. ``g`` = 0: the whole machine's.
    """
    found = 0
    bits = 0
    while p != n.NONE:
        referenced, prot = subpage_referenced(k, p, g)
        found = max(found, referenced)  # a mapping counts once, whichever of the folio's pages it has used
        bits |= prot
        p = next_page(k, p)
    return found, bits


@compiled
def subpage_referenced(k, p, g):
    """The same of one page of a folio."""
    found = 0
    bits = 0
    number = k.state.pages[p].rmap
    while number != n.NONE:
        spend(k, s.RMAP_PTE)
        pte = pte_of(k, number)
        m = mm_of_pte(k, number)
        v = find_vma(k, m, vpn_of_pte(k, number))
        if v != n.NONE:
            bits |= k.state.vmas[v].prot & n.VM_LOCKED
            if pte.bits & n.PTE_ACCESSED and (g == 0 or counts_for(k, k.state.mms[m].owner_group, g)):
                pte.bits &= ~n.PTE_ACCESSED
                bits |= k.state.vmas[v].prot & n.VM_EXEC
                found += 1
        number = pte.rmap_next
    return found, bits


@compiled
def try_to_unmap(k, p):
    """Unmap a page everywhere; what maps a page of the swap cache names its slot from now on."""
    page = k.state.pages[p]
    while page.mapcount > 0:
        number = first_rmap(k, p)
        if page.bits & n.PG_SWAPCACHE:
            k.state.swaps[page.index].count += 1  # swap_duplicate
            swap_out_pte(k, number, page.index)
        else:
            clear_pte(k, number)
        page.refs -= 1


@compiled
def page_mkclean(k, p):
    """Before a write to the disk: the next write to the page faults, and makes it dirty again."""
    while p != n.NONE:
        number = k.state.pages[p].rmap
        while number != n.NONE:
            pte = pte_of(k, number)
            if pte.bits & n.PTE_DIRTY:
                spend(k, s.RMAP_PTE)
                pte.bits &= ~(n.PTE_DIRTY | n.PTE_WRITE)
            number = pte.rmap_next
        p = next_page(k, p)
