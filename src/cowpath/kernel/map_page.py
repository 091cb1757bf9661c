"""The end of a fault, under the page table's lock: the page is mapped, if nobody was faster (mm/memory.c of 3.0)."""

from __future__ import annotations

from . import names as n
from . import steps as s
from .compiled import compiled
from .filemap import page_cache_release
from .folio import next_page, page_folio
from .huge_memory import map_huge
from .memcg_commit import mem_cgroup_cancel_charge_swapin
from .memcontrol import __mem_cgroup_commit_charge
from .page_writeback import set_page_dirty
from .pgtable import clear_pte, is_none, lookup_pte, pte_of, set_pte
from .places import note_mapped
from .policies import number as number_of
from .pte_alloc import pmd_populate, pte_free
from .rmap import page_add_new_anon_rmap
from .shmem import add_from_swap
from .swap_state import forget_copy, reuse_swap_page, try_to_free_swap
from .swapfile import swap_free, uncharge_swap, vm_swap_full
from .wait import current, emit

EXCLUSIVE = number_of("wp_reuse", "exclusive")
SHARED_WRITABLE = n.VM_SHARED | n.VM_WRITE


@compiled
def step_map_page(k, t):
    """The end of a fault, under the page table's lock: map the new page, or the file's.

    pte_same: if another thread was faster, the new page goes back (uncharged).
    """
    f = current(k, t)
    if f.path == s.P_SWAP_IN and f.vma == n.NONE:
        return add_from_swap(k, t, f)
    huge = f.path == s.P_ANON and k.books.pages[f.newpage].tails > 0
    if huge and lookup_pte(k, f.mm, f.vpn) != n.NONE:  # another thread has put a table there
        drop_newpage(k, t, f)
        if f.held & n.H_PAGE_TABLE:
            pte_free(k, t, f)
        return n.NEXT
    if f.held & n.H_PAGE_TABLE:
        pmd_populate(k, t, f, f.mm)
    number = lookup_pte(k, f.mm, f.vpn)
    taken = number != n.NONE and not is_none(pte_of(k, number))
    present = taken and pte_of(k, number).bits & n.PTE_PRESENT != 0
    if f.path == s.P_WP_COPY:
        return do_wp_page(k, t, f, number, present)
    if f.path == s.P_SWAP_IN:
        return do_swap_page(k, t, f, number)
    if f.path == s.P_WP_SHARED:
        if present and page_folio(k, pte_of(k, number).page) == f.page:
            pte_of(k, number).bits |= n.PTE_WRITE | n.PTE_DIRTY | n.PTE_ACCESSED
            set_page_dirty(k, f.page)
        return n.NEXT
    if taken:  # lost the race
        drop_newpage(k, t, f)
        return n.NEXT
    if not check_stable_address_space(k, f):
        return n.FAIL_SIGBUS
    if userfaultfd_missing(k, f):
        return n.FAIL_USERFAULT
    if f.path == s.P_ANON:
        return do_anonymous_page(k, t, f)
    return __do_fault(k, t, f)


@compiled
def check_stable_address_space(k, f):
    """False where the OOM reaper has begun to take what is private: nobody may find zeroes in its place."""
    return not k.state.mms[f.mm].unstable or k.state.vmas[f.vma].prot & n.VM_SHARED != 0


@compiled
def userfaultfd_missing(k, f):
    """Who finds no page here is to ask a userfaultfd's handler (86039bd3b4e6, 4.3). That is looked at last, when a page
    for it has been charged.
    """
    return k.state.vmas[f.vma].prot & n.VM_UFFD_MISSING != 0 and f.fault & n.F_COPY == 0


@compiled
def __do_fault(k, t, f):
    """The end of a fault on a file: the copy is mapped, or the file's page."""
    if f.newpage != n.NONE and f.held & n.H_NEW_PAGE:
        return map_new(k, t, f)
    bits = n.PTE_ACCESSED
    if f.path == s.P_FILE_SHARED_WRITE:
        bits |= n.PTE_WRITE | n.PTE_DIRTY
        set_page_dirty(k, f.page)
    elif k.state.files[f.file].shmem and k.state.vmas[f.vma].prot & SHARED_WRITABLE == SHARED_WRITABLE:
        bits |= n.PTE_WRITE  # vma_wants_writenotify: nobody counts its dirty pages
    k.state.pages[f.page].refs += 1
    set_pte(k, f.mm, f.vpn, page_in_hand(k, f), bits)
    return n.NEXT


@compiled
def page_in_hand(k, f):
    """Of the folio in hand, which is locked, the page at the fault's index (folio_file_page)."""
    p = f.page
    for _ in range(f.index - k.state.pages[p].index):
        p = next_page(k, p)
    return p


@compiled
def do_anonymous_page(k, t, f):
    """The end of a fault where nothing was: the new page is mapped, or, for a read, the zero page."""
    if f.path == s.P_ANON:
        return map_new(k, t, f)
    set_pte(k, f.mm, f.vpn, n.NONE, n.PTE_ACCESSED)
    return n.NEXT


@compiled
def map_new(k, t, f):
    """Map the page that this fault has made; the mapping takes over its reference."""
    p = f.newpage
    page = k.state.pages[p]
    page.bits |= n.PG_ANON | (0 if k.state.inactive_anon else n.PG_ACTIVE)
    if k.books.zero_every > 0:
        k.books.pages[p].zeroes = f.vpn % k.books.zero_every == 0
    own = n.PTE_EXCLUSIVE if k.state.wp_reuse == EXCLUSIVE else 0
    bits = n.PTE_WRITE | n.PTE_DIRTY | n.PTE_ACCESSED | own
    if not (map_huge(k, t, f, bits) if k.books.pages[p].tails > 0 else set_pte(k, f.mm, f.vpn, p, bits)):
        return n.FAIL_OOM
    note_mapped(k, t, p, f)
    page_add_new_anon_rmap(k, p)
    if f.held & n.H_CHARGE:
        f.held &= ~(n.H_NEW_PAGE | n.H_CHARGE)
    else:
        page.refs += 1  # way 2: kept until it is charged
        f.done = 1
    return n.NEXT


@compiled
def do_swap_page(k, t, f, number):
    """The end of do_swap_page: the page is mapped again, for good if nobody else has it, and its slot let go.

    pte_same: if another thread was faster, the charge goes back. A charge that was tried for a page that is charged
    already goes back as well (__mem_cgroup_commit_charge_swapin).
    """
    counters = k.books.groups[k.state.tasks[t].group].counters
    if number == n.NONE or pte_of(k, number).bits & n.PTE_SWAP == 0 or pte_of(k, number).page != f.swap:
        if f.held & n.H_CHARGE:
            mem_cgroup_cancel_charge_swapin(k, f)
            counters[n.C_CHARGES_WASTED] += 1
        return n.NEXT
    page = k.state.pages[f.page]
    bits = n.PTE_ACCESSED | is_exclusive(k, f, number)
    if f.fault & n.F_WRITE and (bits & n.PTE_EXCLUSIVE or may_write(k, f.page)):
        bits |= n.PTE_WRITE | n.PTE_DIRTY
    if page.bits & n.PG_ANON == 0 and page.group != n.NONE:  # charged when it was made for the swap cache
        k.books.groups[page.group].cache -= 1
        k.books.groups[page.group].rss += 1
    page.bits |= n.PG_ANON | (n.PG_ACTIVE if page.bits & n.PG_LRU == 0 and not k.state.inactive_anon else 0)
    page.refs += 1
    set_pte(k, f.mm, f.vpn, f.page, bits)
    if f.held & n.H_CHARGE and f.charged_group != n.NONE:
        if page.group == n.NONE:
            __mem_cgroup_commit_charge(k, f.page, f.charged_group, False)
            f.charged_group = n.NONE
        else:
            mem_cgroup_cancel_charge_swapin(k, f)
            counters[n.C_CHARGES_WASTED] += 1
        uncharge_swap(k, f.swap)
    f.held &= ~n.H_CHARGE
    emit(k, n.EV_SWAP_IN, t, f.page, page.group, f.swap, 0)
    swap_free(k, f.swap)
    if bits & n.PTE_WRITE:
        forget_copy(k, f.page)
    elif vm_swap_full(k):
        try_to_free_swap(k, f.page)
    return n.NEXT


@compiled
def may_write(k, p):
    """A page from swap may be written to at once: by its entries, until it is known whose it is alone."""
    return k.state.wp_reuse != EXCLUSIVE and reuse_swap_page(k, p)


@compiled
def is_exclusive(k, f, number):
    """PTE_EXCLUSIVE if the entry says so, or if the swap cache lets the page go and nobody else has it; else 0."""
    if k.state.wp_reuse != EXCLUSIVE:
        return 0
    if pte_of(k, number).bits & n.PTE_EXCLUSIVE:
        return n.PTE_EXCLUSIVE
    page = k.state.pages[f.page]
    last = page.refs == 1 + (page.bits & n.PG_SWAPCACHE != 0) and k.state.swaps[f.swap].count == 1
    lets_go = page.bits & n.PG_WRITEBACK == 0 and (f.fault & n.F_WRITE != 0 or vm_swap_full(k))
    return n.PTE_EXCLUSIVE if last and lets_go else 0


@compiled
def do_wp_page(k, t, f, number, present):
    """The end of do_wp_page: replace the old page by the copy."""
    if not present or pte_of(k, number).page != f.old_page:
        drop_newpage(k, t, f)
        return n.NEXT
    old = clear_pte(k, number)
    status = map_new(k, t, f)
    if old != n.NONE:
        page_cache_release(k, old)
    return status


@compiled
def drop_newpage(k, t, f):
    """The race for the entry was lost: uncharge and free the new page."""
    if f.held & n.H_NEW_PAGE:
        counters = k.books.groups[k.state.tasks[t].group].counters
        counters[n.C_ALLOCS_WASTED] += 1
        if f.held & n.H_CHARGE:
            counters[n.C_CHARGES_WASTED] += 1
        page_cache_release(k, f.newpage)
        f.held &= ~(n.H_NEW_PAGE | n.H_CHARGE)
    f.newpage = n.NONE


@compiled
def step_map_zero_page(k, t):
    """The end of a read where nothing was: map the zero page."""
    f = current(k, t)
    if f.held & n.H_PAGE_TABLE:
        pmd_populate(k, t, f, f.mm)
    number = lookup_pte(k, f.mm, f.vpn)
    if number != n.NONE and not is_none(pte_of(k, number)):
        return n.NEXT
    if not check_stable_address_space(k, f):
        return n.FAIL_SIGBUS
    return n.FAIL_USERFAULT if userfaultfd_missing(k, f) else do_anonymous_page(k, t, f)
