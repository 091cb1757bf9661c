"""The start of do_wp_page (mm/memory.c): may a page that is write-protected simply be written to? Else it is copied.

Policy ``wp_reuse``. ``locked`` (until 5.8): an anonymous page is looked at under its lock, for which the fault waits,
and may be written to if only one entry maps or would map it. ``references`` (09854ba94c6a, 5.9): if nobody else has a
reference to it, the swap cache neither; nobody waits for the lock. ``exclusive`` (6c287605fd56, 5.19): besides, an
entry whose page is its own alone (PG_anon_exclusive) knows that, whoever has the page in hand.
"""

from __future__ import annotations

from . import names as n
from .compiled import compiled
from .folio import page_folio
from .map_page import drop_newpage
from .memory import step_put_page
from .page_lock import WAITING, lock_page, unlock_page
from .pgtable import lookup_pte, pte_of
from .policies import number
from .swap_state import forget_copy, reuse_swap_page, try_to_free_swap
from .wait import current

LOCKED = number("wp_reuse", "locked")
EXCLUSIVE = number("wp_reuse", "exclusive")


@compiled
def step_wp_reuse(k, t):
    """The start of do_wp_page: a page that is all ours becomes writable; else take it in hand for the copy.

    The rest of the path is skipped when the page is reused.
    """
    f = current(k, t)
    if f.phase == 0:
        entry = lookup_pte(k, f.mm, f.vpn)
        if entry == n.NONE or pte_of(k, entry).bits & n.PTE_PRESENT == 0:
            return finish_path(k, t, f)  # the access faults again
        f.old_page = pte_of(k, entry).page
        if f.old_page == n.NONE:
            f.page = n.NONE
            return n.NEXT
        f.page = page_folio(k, f.old_page)
        k.state.pages[f.page].refs += 1
        f.held |= n.H_PAGE_REF
        if k.state.pages[f.page].bits & n.PG_ANON == 0:
            return n.NEXT
        if k.state.wp_reuse != LOCKED:
            if not is_ours(k, t, f.page, entry):
                return n.NEXT
            return wp_page_reuse(k, t, f, entry)
        f.phase = 1
    if lock_page(k, t, f.page) == WAITING:
        return n.SLEEP
    f.phase = 0
    unlock_page(k, f.page)
    entry = lookup_pte(k, f.mm, f.vpn)
    same = entry != n.NONE and pte_of(k, entry).bits & n.PTE_PRESENT and page_folio(k, pte_of(k, entry).page) == f.page
    if not same:
        step_put_page(k, t)
        return finish_path(k, t, f)
    page = k.state.pages[f.page]
    in_hand = page.refs > 2 + (page.bits & n.PG_SWAPCACHE != 0)
    if in_hand or not reuse_swap_page(k, f.page):
        return n.NEXT
    forget_copy(k, f.page)
    return wp_page_reuse(k, t, f, entry)


@compiled
def is_ours(k, t, p, entry):
    """From 5.9: all references to the page are the entry's and this fault's. From 5.19 the swap cache may have one, if
    it lets the page go; and an exclusive page needs no look.
    """
    page = k.state.pages[p]
    if pte_of(k, entry).bits & n.PTE_EXCLUSIVE:
        return True
    if k.state.wp_reuse == EXCLUSIVE and page.refs == 3 and page.bits & n.PG_SWAPCACHE and page.locked_by == n.FREE:
        try_to_free_swap(k, p)
    if page.refs != 2 or page.locked_by != n.FREE:
        return False
    if k.state.wp_reuse == EXCLUSIVE:
        pte_of(k, entry).bits |= n.PTE_EXCLUSIVE
    return True


@compiled
def wp_page_reuse(k, t, f, entry):
    """The entry may be written to; the path is over."""
    pte_of(k, entry).bits |= n.PTE_WRITE | n.PTE_DIRTY | n.PTE_ACCESSED
    step_put_page(k, t)
    return finish_path(k, t, f)


@compiled
def finish_path(k, t, f):
    """Skip the rest of the path; a new page that a design has made before goes back."""
    drop_newpage(k, t, f)
    f.pc = k.books.paths[f.path].length - 1
    return n.NEXT
