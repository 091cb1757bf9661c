"""What becomes of a charge: it gets through, goes past the limit, or fails (mm/memcontrol.c)."""

from __future__ import annotations

from . import names as n
from . import steps as s
from .compiled import compiled
from .filemap import page_cache_release
from .folio import folio_nr_pages, ilog2
from .hierarchy import parent_of
from .kmem import note_kernel_page
from .lru import lru_del
from .memcontrol import (
    __mem_cgroup_commit_charge,
    made_progress,
    mem_cgroup_uncharge_page,
    memcg_kmem_charge,
    uncharge_lone,
)
from .page_alloc import free_page
from .page_counter import page_counter_charge
from .policies import number
from .ra_state import read_rest, without_folio
from .res_counter import res_counter_uncharge
from .swapfile import swapcache_free
from .wait import emit, fatal_signal_pending, go_to

# phases of a step that charges; those of the OOM are in memcg_oom.py
FROM_STOCK = 0
TRY = 1
RECLAIMED = 2

# frame.tried: what a charge that may fail has done already
TRIED_DRAIN = 1  # drain_all_stock
TRIED_OOM = 2  # somebody was killed, or is dying, for it
MEMSW_WAS_HIT = 4  # nothing may be swapped out any more
FOUND_ROOM = 8  # reclaim has made room
LOST_ROOM = 16  # and others have had that
NO_BOUND = TRIED_OOM | LOST_ROOM  # so often it may go round that nobody can say when it ends

TO_ROOT = number("dying_charge", "root")
FORCED = number("dying_charge", "force")
AS_OTHERS = number("dying_charge", "fail")
RA_AS_OTHERS = number("readahead_charge", "oom")
RA_SKIP = number("readahead_charge", "skip")


@compiled
def charges_table(f):
    """The charge is for a page table that pte_alloc_one has just allocated."""
    return f.prealloc_pte != n.NONE and f.held & n.H_PAGE_TABLE == 0


@compiled
def keep_table(f):
    """The page table in hand is paid for. What comes after starts anew, as if there had been no charge."""
    f.held |= n.H_PAGE_TABLE
    f.phase = 0
    f.batch = 0
    f.group = 0
    f.tried = 0
    return n.NEXT


@compiled
def keep_kernel_page(k, f, g):
    """The kernel memory in hand is paid for; what comes after starts anew."""
    note_kernel_page(k, f, g)
    f.phase = 0
    f.batch = 0
    f.group = 0
    return n.NEXT


@compiled
def get_mem_cgroup_from_mm(k, t, f):
    """The group that a charge is made to: the task's, or, where it works on another's memory, that one's. What it reads
    ahead then is its own all the same.
    """
    task = k.state.tasks[t]
    first = task.frames[0]
    if first.path != s.P_ACCESS_REMOTE_VM or (f.path == s.P_READAHEAD and not k.state.files[f.file].shmem):
        return task.group
    return k.state.mms[first.mm].owner_group


@compiled
def pages_to_charge(k, f):
    """How many pages the charge is for: those of the folio in hand."""
    if f.newpage == n.NONE or f.gfp & n.GFP_KERNEL_PAGE or charges_table(f):
        return 1
    return folio_nr_pages(k, f.newpage)


@compiled
def begin_charge(k, f):
    """A charge that has tried nothing yet."""
    f.batch = max(k.books.charge_batch, pages_to_charge(k, f))
    f.retries = k.books.reclaim_retries
    f.oomed = 0
    f.tried = 0


@compiled
def dying(k, t):
    """The task is being killed: TIF_MEMDIE, or a fatal signal is pending."""
    return k.state.tasks[t].memdie != 0 or fatal_signal_pending(k, t)


@compiled
def goes_past(k, t):
    """A dying task's charge does not stop at the limit, if it does not have to do as others do (a4ebf1b6ca1e)."""
    return k.state.dying_charge != AS_OTHERS and dying(k, t)


@compiled
def bypass(k, t, f):
    """A dying task's charge goes past the limit: on nobody's account (3.0), root's (3.12), or its group's all the same
    (4.19)."""
    k.books.groups[k.state.tasks[t].group].counters[n.C_BYPASSED] += 1
    if k.state.dying_charge == FORCED or f.gfp & n.GFP_KERNEL_PAGE:
        return force_charge(k, t, f)
    if k.state.dying_charge == TO_ROOT:
        return finish_charge(k, t, f, 0)
    if charges_table(f):
        return keep_table(f)
    f.held |= n.H_CHARGE
    f.phase = 0
    f.tried = 0
    if f.path == s.P_SWAP_IN:
        f.charged_group = n.NONE
    drop_mapped_hold(k, f)
    return n.NEXT


@compiled
def is_cache_path(path):
    """What is charged on this path goes into the page cache, or the swap cache."""
    return path == s.P_READAHEAD or path == s.P_WRITE or path == s.P_SWAP_READAHEAD


@compiled
def drop_mapped_hold(k, f):
    """Way 2: the page was mapped before it was charged; the reference kept for the charge goes."""
    if is_cache_path(f.path) or f.path == s.P_SWAP_IN or not f.done:
        return
    f.held &= ~(n.H_NEW_PAGE | n.H_CHARGE)
    f.done = 0
    page = k.state.pages[f.newpage]
    page.refs -= 1
    if page.refs == 0:  # unmapped meanwhile
        lru_del(k, f.newpage)
        mem_cgroup_uncharge_page(k, f.newpage)
        free_page(k, f.newpage)


@compiled
def mem_cgroup_newpage_charge(k, p, g):
    """Its end: the page of a process, which nobody else has seen yet, is the group's."""
    __mem_cgroup_commit_charge(k, p, g, False)


@compiled
def mem_cgroup_cache_charge(k, p, g):
    """Its end: the page, which is about to join the page cache, is the group's."""
    __mem_cgroup_commit_charge(k, p, g, True)


@compiled
def finish_charge(k, t, f, g):
    """The counter has been raised: the page in hand is charged (one from swap when it is mapped)."""
    f.tried = 0
    if f.gfp & n.GFP_KERNEL_PAGE:
        return keep_kernel_page(k, f, g)
    if charges_table(f):
        memcg_kmem_charge(k, f.prealloc_pte, g)
        return keep_table(f)
    if f.path == s.P_SWAP_IN:
        f.charged_group = g
        made_progress(k, g)
        f.held |= n.H_CHARGE
        f.phase = 0
        return n.NEXT
    if is_cache_path(f.path):
        mem_cgroup_cache_charge(k, f.newpage, g)
    else:
        mem_cgroup_newpage_charge(k, f.newpage, g)
    f.held |= n.H_CHARGE
    f.phase = 0
    drop_mapped_hold(k, f)
    return n.NEXT


@compiled
def force_charge(k, t, f):
    """The page is charged over the limit."""
    swapped = f.path == s.P_SWAP_IN or f.path == s.P_SWAP_READAHEAD
    g = mem_cgroup_try_charge_swapin(k, t, f) if swapped else get_mem_cgroup_from_mm(k, t, f)
    if f.gfp & n.GFP_KERNEL_PAGE:
        g = f.charged_group
    elif charges_table(f):
        g = k.state.tasks[t].group
    if g > 0:
        page_counter_charge(k, g, pages_to_charge(k, f))
    return finish_charge(k, t, f, g)


@compiled
def meets_limit(k, t, f, over, memsw):
    """The charge is refused by this group, of memory, or of memory and swap."""
    if f.tried & FOUND_ROOM:
        f.tried |= LOST_ROOM
    emit(k, n.EV_CHARGE_FAIL, t, over, memsw, k.books.groups[over].failcnt + k.books.groups[over].memsw_failcnt, 0)
    if k.books.tasks[t].over_since == 0:
        k.books.tasks[t].over_since = 1 + k.books.now


@compiled
def gives_up_early(k, f):
    """__GFP_NORETRY: the page is read ahead, and nobody has asked for it."""
    return f.gfp & n.GFP_READAHEAD != 0 and k.state.readahead_charge != RA_AS_OTHERS


@compiled
def charge_fails(k, t, f):
    """-ENOMEM. A page table goes back at once, a page by the error exit; read-ahead goes on without the page."""
    f.phase = 0
    f.batch = 0
    f.group = 0
    f.tried = 0
    if f.gfp & n.GFP_KERNEL_PAGE:
        f.gfp &= ~n.GFP_KERNEL_PAGE
    elif charges_table(f):
        page_cache_release(k, f.prealloc_pte)
        f.prealloc_pte = n.NONE
        k.books.groups[k.state.tasks[t].group].counters[n.C_ALLOCS_WASTED] += 1
    elif f.path == s.P_READAHEAD and f.gfp & n.GFP_READAHEAD:
        return leave_out(k, t, f)
    elif f.path == s.P_SWAP_READAHEAD:
        return leave_slot_out(k, t, f)
    elif f.newpage != n.NONE and folio_nr_pages(k, f.newpage) > 1:
        return give_folio_up(k, t, f)
    return n.FAIL_CHARGE


@compiled
def give_folio_up(k, t, f):
    """The folio goes back; the path goes on with a smaller one (__filemap_get_folio)."""
    order = ilog2(folio_nr_pages(k, f.newpage))
    page_cache_release(k, f.newpage)
    f.newpage = n.NONE
    f.held &= ~n.H_NEW_PAGE
    books = k.books.groups[k.state.tasks[t].group]
    books.counters[n.C_ALLOCS_WASTED] += 1
    if f.path == s.P_ANON:
        books.thp_fault_fallback_charge += 1
    return without_folio(k, t, f, order)


@compiled
def leave_out(k, t, f):
    """The page is not read ahead: the next one is tried, or (6.10) what has been gathered so far is read; with large
    folios after the rest of the window has been tried once more page by page."""
    page_cache_release(k, f.newpage)
    f.newpage = n.NONE
    f.held &= ~n.H_NEW_PAGE
    k.books.groups[k.state.tasks[t].group].counters[n.C_ALLOCS_WASTED] += 1
    if f.priority > 0:
        return read_rest(k, t, f)
    if k.state.readahead_charge != RA_SKIP:
        f.count = 1
    go_to(k, f, s.NEXT_PAGE)
    return n.AGAIN


@compiled
def leave_slot_out(k, t, f):
    """A slot that nobody has asked for is not read; the one that is wanted fails."""
    if f.index == f.arg:
        return n.FAIL_CHARGE
    page_cache_release(k, f.newpage)
    f.newpage = n.NONE
    f.held &= ~n.H_NEW_PAGE
    if f.held & n.H_SWAP_ENTRY:
        swapcache_free(k, f)
    k.books.groups[k.state.tasks[t].group].counters[n.C_ALLOCS_WASTED] += 1
    go_to(k, f, s.NEXT_PAGE)
    return n.AGAIN


@compiled
def mem_cgroup_try_charge_swapin(k, t, f):
    """mem_cgroup_try_charge_swapin: the group that the page is charged to, or the slot; else the task's own. Of a page
    that is made for the swap cache: the slot's (mem_cgroup_swapin_charge_page).
    """
    if f.path == s.P_SWAP_READAHEAD:
        g = k.state.swaps[f.index].group
        return g if g != n.NONE and k.state.groups[g].alive else get_mem_cgroup_from_mm(k, t, f)
    g = k.state.pages[f.page].group
    if g == n.NONE:
        g = k.state.swaps[f.swap].group
    return g if g != n.NONE and k.state.groups[g].alive else get_mem_cgroup_from_mm(k, t, f)


@compiled
def memsw_is_minimum(k, g):
    """Both limits are the same: to swap out would not help."""
    group = k.state.groups[g]
    return group.res.limit == group.memsw.limit and group.res.limit < n.UNLIMITED


@compiled
def note_round(k, g):
    """A try to charge this group (and those it is charged to) has come to nothing."""
    while g != n.NONE:
        k.books.groups[g].rounds += 1
        g = parent_of(k, g)


@compiled
def mem_cgroup_cancel_charge_swapin(k, f):
    """A charge that was tried for and is not needed goes back to the counters."""
    if f.charged_group > 0:
        res_counter_uncharge(k, f.charged_group, 1)
        uncharge_lone(k, f.charged_group)
    f.charged_group = n.NONE
    f.held &= ~n.H_CHARGE
