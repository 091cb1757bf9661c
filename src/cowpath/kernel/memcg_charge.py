"""The step ``charge``: __mem_cgroup_try_charge and what it is called from (mm/memcontrol.c of 3.0)."""

from __future__ import annotations

from . import names as n
from . import steps as s
from .compiled import compiled
from .frames import R_NOSWAP
from .hierarchy import parent_of
from .lru import lru_del
from .memcg_high import note_over_high
from .memcg_oom import OOM_KILL_PHASE, OOM_SLEPT_PHASE, leave_oom, mem_cgroup_handle_oom, mem_cgroup_out_of_memory
from .memcontrol import (
    __mem_cgroup_commit_charge,
    consume_stock,
    made_progress,
    mem_cgroup_margin,
    mem_cgroup_uncharge_page,
    memcg_kmem_charge,
    refill_stock,
    res_counter_charge,
    res_counter_uncharge,
    uncharge_lone,
)
from .page_alloc import free_page
from .wait import current, emit, fatal_signal_pending

CHARGE_BATCH = 32  # pages; include/linux/swap.h SWAP_CLUSTER_MAX, as 3.0's CHARGE_BATCH
RECLAIM_RETRIES = 5  # MEM_CGROUP_RECLAIM_RETRIES

# phases of the step `charge`; those of the OOM are in memcg_oom.py
FROM_STOCK = 0
TRY = 1
RECLAIMED = 2


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
    return n.NEXT


@compiled
def bypass(k, t, f):
    """A dying task's charge goes past the limit and is on nobody's account."""
    k.books.groups[k.state.tasks[t].group].counters[n.C_BYPASSED] += 1
    if charges_table(f):
        return keep_table(f)
    f.held |= n.H_CHARGE
    f.phase = 0
    if f.path == s.P_SWAP_IN:
        f.charged_group = n.NONE
    drop_mapped_hold(k, f)
    return n.NEXT


@compiled
def is_cache_path(path):
    """What is charged on this path goes into the page cache."""
    return path == s.P_READAHEAD or path == s.P_WRITE


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
def step_charge(k, t):
    """mem_cgroup_newpage_charge, mem_cgroup_cache_charge: the page in hand."""
    f = current(k, t)
    g = k.state.tasks[t].group
    if f.path == s.P_SWAP_IN:
        if f.held & n.H_CHARGE:  # a design that charges before it locks has come back for another page
            mem_cgroup_cancel_charge_swapin(k, f)
        g = mem_cgroup_try_charge_swapin(k, t, f)
    elif f.newpage == n.NONE:
        return n.NEXT  # write(2) found the page in the cache
    return charge_group(k, t, f, g)


@compiled
def charge_group(k, t, f, g):
    """A charge; one that has met a limit on its way says when it has ended."""
    if f.batch != 1:  # it has met none yet
        return __mem_cgroup_try_charge(k, t, f, g)
    answer = __mem_cgroup_try_charge(k, t, f, g)
    over_since = k.books.tasks[t].over_since
    if answer == n.NEXT and over_since > 0:
        emit(k, n.EV_CHARGE, t, g, 0, k.books.now - (over_since - 1), 0)
        k.books.tasks[t].over_since = 0
    return answer


@compiled
def __mem_cgroup_try_charge(k, t, f, g):
    """__mem_cgroup_try_charge for a page.

    Each phase is one atomic move: the stock, a try to raise the counters, what follows a reclaim pass (another path),
    the OOM section and what follows a sleep in it. It never fails (3.0: with ``oom`` set it loops).
    """
    task = k.state.tasks[t]
    if f.phase == OOM_KILL_PHASE or f.phase == OOM_SLEPT_PHASE:
        return after_oom(k, t, f)
    if f.phase == RECLAIMED:
        return after_reclaim(k, t, f)
    if g == 0:
        return finish_charge(k, t, f, 0)
    if f.phase == FROM_STOCK:
        if task.memdie or fatal_signal_pending(k, t):
            return bypass(k, t, f)
        if f.batch == 0:
            f.batch = k.books.charge_batch
            f.retries = k.books.reclaim_retries
            f.oomed = 0
        if consume_stock(k, task.cpu, g):
            return finish_charge(k, t, f, g)
        f.phase = TRY
    elif fatal_signal_pending(k, t):
        return bypass(k, t, f)
    return mem_cgroup_do_charge(k, t, f, g)


@compiled
def mem_cgroup_try_charge_swapin(k, t, f):
    """mem_cgroup_try_charge_swapin: the group that the page is charged to, or the slot; else the task's own."""
    g = k.state.pages[f.page].group
    if g == n.NONE:
        g = k.state.swaps[f.swap].group
    return g if g != n.NONE and k.state.groups[g].alive else k.state.tasks[t].group


@compiled
def mem_cgroup_do_charge(k, t, f, g):
    """mem_cgroup_do_charge: the counters, else reclaim."""
    over, memsw = res_counter_charge(k, g, f.batch)
    if over == n.NONE:
        if f.batch > 1:
            refill_stock(k, k.state.tasks[t].cpu, g, f.batch - 1)
        if k.books.has_high:
            note_over_high(k, t, g, f.batch)
        return finish_charge(k, t, f, g)
    emit(k, n.EV_CHARGE_FAIL, t, over, memsw, k.books.groups[over].failcnt + k.books.groups[over].memsw_failcnt, 0)
    if k.books.tasks[t].over_since == 0:
        k.books.tasks[t].over_since = 1 + k.books.now
    if f.batch > 1:  # no reclaim for the sake of a batch
        f.batch = 1
        f.phase = FROM_STOCK
        return n.AGAIN
    f.group = over
    f.todo = R_NOSWAP if memsw or memsw_is_minimum(k, over) else 0
    f.phase = RECLAIMED
    return n.CALL


@compiled
def memsw_is_minimum(k, g):
    """Both limits are the same: to swap out would not help."""
    group = k.state.groups[g]
    return group.res.limit == group.memsw.limit and group.res.limit < n.UNLIMITED


@compiled
def after_reclaim(k, t, f):
    """Reclaim has done what it could: try again, or go into the OOM section."""
    note_round(k, f.group)
    last = f.retries == 0
    if last:
        f.retries = k.books.reclaim_retries
    if mem_cgroup_margin(k, f.group) >= 1 or f.ret > 0:
        f.phase = FROM_STOCK
        return n.AGAIN
    if last:
        return mem_cgroup_handle_oom(k, t, f)
    f.retries -= 1
    f.phase = TRY
    return n.AGAIN


@compiled
def note_round(k, g):
    """A try to charge this group (and those it is charged to) has come to nothing."""
    while g != n.NONE:
        k.books.groups[g].rounds += 1
        g = parent_of(k, g)


@compiled
def after_oom(k, t, f):
    """Kill if that was our part; leave the OOM section; die or try again."""
    if f.phase == OOM_KILL_PHASE:  # the section is held while the killer works
        if mem_cgroup_out_of_memory(k, t, f.group):
            made_progress(k, f.group)
        f.phase = OOM_SLEPT_PHASE
        return n.AGAIN
    leave_oom(k, t, f)
    if k.state.tasks[t].memdie or fatal_signal_pending(k, t):
        return bypass(k, t, f)
    k.books.groups[f.group].counters[n.C_OOM_ROUNDS] += 1
    f.phase = FROM_STOCK
    return n.YIELD  # schedule_timeout(1) without a task state set: a mere yield


@compiled
def undo_charge(k, t):
    """mem_cgroup_uncharge_page on an error exit; for a page from swap mem_cgroup_cancel_charge_swapin."""
    f = current(k, t)
    if f.path == s.P_SWAP_IN:
        mem_cgroup_cancel_charge_swapin(k, f)
    else:
        mem_cgroup_uncharge_page(k, f.newpage)
    f.held &= ~n.H_CHARGE
    k.books.groups[k.state.tasks[t].group].counters[n.C_CHARGES_WASTED] += 1


@compiled
def mem_cgroup_cancel_charge_swapin(k, f):
    """A charge that was tried for and is not needed goes back to the counters."""
    if f.charged_group > 0:
        res_counter_uncharge(k, f.charged_group, 1)
        uncharge_lone(k, f.charged_group)
    f.charged_group = n.NONE
    f.held &= ~n.H_CHARGE
