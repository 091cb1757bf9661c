"""A charge by page counters (try_charge of 4.19, try_charge_memcg of 5.12 to 7.1; mm/memcontrol.c)."""

from __future__ import annotations

from . import names as n
from .charge_oom import after_oom, mem_cgroup_oom
from .compiled import compiled
from .frames import R_NOSWAP
from .kmem import drain_stocks
from .memcg_commit import (
    AS_OTHERS,
    FORCED,
    FOUND_ROOM,
    FROM_STOCK,
    MEMSW_WAS_HIT,
    RECLAIMED,
    TRIED_DRAIN,
    TRIED_OOM,
    begin_charge,
    bypass,
    charge_fails,
    dying,
    finish_charge,
    gives_up_early,
    goes_past,
    meets_limit,
    note_round,
    pages_to_charge,
)
from .memcg_events import memcg_memory_event
from .memcg_high import note_over_high
from .memcg_stock import consume_stock, refill_stock
from .memcontrol import mem_cgroup_margin
from .move_charge import mem_cgroup_wait_acct_move
from .page_counter import page_counter_try_charge

COSTLY = 8  # pages (PAGE_ALLOC_COSTLY_ORDER)


@compiled
def try_charge(k, t, f, g):
    """try_charge for the folio in hand. Each phase is one atomic move, as in 3.0's ``__mem_cgroup_try_charge``."""
    if f.phase > RECLAIMED:
        return after_oom(k, t, f)
    if f.phase == RECLAIMED:
        return after_reclaim(k, t, f)
    if g == 0:
        return finish_charge(k, t, f, 0)
    if f.batch == 0:
        begin_charge(k, f)
    if consume_stock(k, k.state.tasks[t].cpu, g, pages_to_charge(k, f)):
        return finish_charge(k, t, f, g)
    return charge_counters(k, t, f, g)


@compiled
def charge_counters(k, t, f, g):
    """The counters; if one refuses what is wanted, the exits before reclaim, and reclaim (another path)."""
    pages = pages_to_charge(k, f)
    over, memsw = page_counter_try_charge(k, g, f.batch)
    if over == n.NONE:
        if f.batch > pages:
            refill_stock(k, k.state.tasks[t].cpu, g, f.batch - pages)
        if k.books.has_high:
            note_over_high(k, t, g, f.batch)
        return finish_charge(k, t, f, g)
    meets_limit(k, t, f, over, memsw)
    if f.batch > pages:
        f.batch = pages
        return n.AGAIN
    f.group = over
    if goes_past(k, t):
        return bypass(k, t, f)
    if k.state.tasks[t].memcg_oom:
        return charge_fails(k, t, f)
    memcg_memory_event(k, over, n.ME_MAX)
    if memsw:
        f.tried |= MEMSW_WAS_HIT
    f.todo = R_NOSWAP if f.tried & MEMSW_WAS_HIT else 0
    f.phase = RECLAIMED
    return n.CALL


@compiled
def after_reclaim(k, t, f):
    """There is room, or there may be: again. Else the stocks are drained, once; else a retry less, and then OOM.

    A pass that has freed something costs no retry: there is no bound to those. For a large folio it does, and nobody is
    killed for one (PAGE_ALLOC_COSTLY_ORDER): it fails.
    """
    pages = pages_to_charge(k, f)
    note_round(k, f.group)
    f.phase = FROM_STOCK
    if mem_cgroup_margin(k, f.group) >= pages:
        f.tried |= FOUND_ROOM
        return n.AGAIN
    if f.tried & TRIED_DRAIN == 0:
        f.tried |= TRIED_DRAIN
        drain_stocks(k, k.state.tasks[t].cpu, f.group)
        return n.AGAIN
    if gives_up_early(k, f):
        return charge_fails(k, t, f)
    if f.ret > 0 and pages <= COSTLY:
        f.tried |= FOUND_ROOM
        return n.AGAIN
    if mem_cgroup_wait_acct_move(k, t) == n.SLEEP:
        return n.SLEEP
    if f.retries > 0:
        f.retries -= 1
        return n.AGAIN
    if dying(k, t):
        if k.state.dying_charge == FORCED:
            return bypass(k, t, f)
        if k.state.dying_charge == AS_OTHERS and f.tried & TRIED_OOM:
            return charge_fails(k, t, f)
    return mem_cgroup_oom(k, t, f) if pages <= COSTLY else charge_fails(k, t, f)
