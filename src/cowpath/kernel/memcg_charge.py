"""The step ``charge``, and the charge by res_counters: __mem_cgroup_try_charge (mm/memcontrol.c of 3.0 and 3.12).

The one by page counters is in ``try_charge.py``, how a charge ends in ``memcg_commit.py``, what it does when reclaim
has come to nothing in ``charge_oom.py``.
"""

from __future__ import annotations

from . import names as n
from . import steps as s
from .charge_oom import SLEEP, after_oom, mem_cgroup_oom
from .compiled import compiled
from .frames import R_NOSWAP
from .memcg_commit import (
    FOUND_ROOM,
    FROM_STOCK,
    RECLAIMED,
    TRY,
    begin_charge,
    bypass,
    charge_fails,
    finish_charge,
    get_mem_cgroup_from_mm,
    gives_up_early,
    goes_past,
    meets_limit,
    mem_cgroup_cancel_charge_swapin,
    mem_cgroup_try_charge_swapin,
    memsw_is_minimum,
    note_round,
    pages_to_charge,
)
from .memcg_high import note_over_high
from .memcg_stock import consume_stock, refill_stock
from .memcontrol import mem_cgroup_margin, mem_cgroup_uncharge_page
from .move_charge import mem_cgroup_wait_acct_move
from .res_counter import res_counter_charge
from .try_charge import try_charge
from .wait import current, emit, fatal_signal_pending


@compiled
def step_charge(k, t):
    """mem_cgroup_newpage_charge, mem_cgroup_cache_charge: the page in hand."""
    f = current(k, t)
    g = get_mem_cgroup_from_mm(k, t, f)
    if f.path == s.P_SWAP_IN:
        if f.held & n.H_CHARGE:  # a design that charges before it locks has come back for another page
            mem_cgroup_cancel_charge_swapin(k, f)
        g = mem_cgroup_try_charge_swapin(k, t, f)
    elif f.path == s.P_SWAP_READAHEAD:
        g = mem_cgroup_try_charge_swapin(k, t, f)
    elif f.newpage == n.NONE:
        return n.NEXT  # write(2) found the page in the cache
    return charge_group(k, t, f, g)


@compiled
def charge_group(k, t, f, g):
    """A charge; one that has met a limit on its way says when it has ended."""
    had_met = f.batch == pages_to_charge(k, f)
    answer = try_charge(k, t, f, g) if k.state.page_counter else __mem_cgroup_try_charge(k, t, f, g)
    if not had_met:
        return answer
    over_since = k.books.tasks[t].over_since
    if (answer == n.NEXT or f.batch == 0) and over_since > 0:
        emit(k, n.EV_CHARGE, t, g, 0, k.books.now - (over_since - 1), 0)
        k.books.tasks[t].over_since = 0
    return answer


@compiled
def __mem_cgroup_try_charge(k, t, f, g):
    """__mem_cgroup_try_charge for a page.

    Each phase is one atomic move: the stock, a try to raise the counters, what follows a reclaim pass (another path),
    the OOM section and what follows a sleep in it. In 3.0 it never fails (with ``oom`` set it loops). In 3.12 it does,
    after as many rounds, and after the first failure the rest of the fault is charged to root (task_in_memcg_oom).
    """
    task = k.state.tasks[t]
    if f.phase > RECLAIMED:
        return after_oom(k, t, f)
    if f.phase == RECLAIMED:
        return after_reclaim(k, t, f)
    if g == 0:
        return finish_charge(k, t, f, 0)
    if f.phase == FROM_STOCK:
        if task.memdie or task.memcg_oom or fatal_signal_pending(k, t):
            if task.memcg_oom:
                return finish_charge(k, t, f, 0)
            if goes_past(k, t):
                return bypass(k, t, f)
        if f.batch == 0:
            begin_charge(k, f)
        if consume_stock(k, task.cpu, g, 1):
            return finish_charge(k, t, f, g)
        f.phase = TRY
    elif fatal_signal_pending(k, t) and goes_past(k, t):
        return bypass(k, t, f)
    return mem_cgroup_do_charge(k, t, f, g)


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
    meets_limit(k, t, f, over, memsw)
    if f.batch > 1:  # no reclaim for the sake of a batch
        f.batch = 1
        f.phase = FROM_STOCK
        return n.AGAIN
    if gives_up_early(k, f):
        return charge_fails(k, t, f)
    f.group = over
    f.todo = R_NOSWAP if memsw or memsw_is_minimum(k, over) else 0
    f.phase = RECLAIMED
    return n.CALL


@compiled
def after_reclaim(k, t, f):
    """Reclaim has done what it could: try again, or go into the OOM section."""
    note_round(k, f.group)
    last = f.retries == 0
    if last and k.state.charge_on_oom == SLEEP:
        f.retries = k.books.reclaim_retries
    if mem_cgroup_margin(k, f.group) >= 1 or f.ret > 0:
        if k.state.charge_on_oom != SLEEP:  # there no round is the last
            f.tried |= FOUND_ROOM
        f.phase = FROM_STOCK
        return n.AGAIN
    if mem_cgroup_wait_acct_move(k, t) == n.SLEEP:
        f.phase = TRY  # CHARGE_RETRY
        return n.SLEEP
    if last:
        return mem_cgroup_oom(k, t, f)
    f.retries -= 1
    f.phase = TRY
    return n.AGAIN


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
