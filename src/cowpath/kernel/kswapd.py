"""Memory that runs short: what an allocation does then, and the thread that keeps some free (mm/page_alloc.c,
mm/vmscan.c: kswapd, of 3.0)."""

from __future__ import annotations

from . import names as n
from . import state as st
from . import steps as s
from .block import JIFFY_NS, TENTH_NS, congestion_wait, pause
from .compiled import compiled
from .oom_kill import out_of_memory
from .page_alloc import free_pages, may_take, take_page
from .vmscan import zone_reclaimable
from .wait import current, sleep_nap, spend

# phases of alloc_page
RECLAIMED = 1
KILLED = 2


@compiled
def __alloc_pages_nodemask(k, t, f):
    """__alloc_pages_nodemask: NEXT (frame.newpage), CALL (reclaim first), SLEEP, or FAIL_OOM for a task that dies."""
    if f.phase == RECLAIMED:
        f.phase = 0
        if f.ret == 0 and free_pages(k) <= k.state.zone.high_pages:
            return __alloc_pages_may_oom(k, t, f)
    f.phase = 0
    if may_take(k, t):
        p = take_page(k)
        if p != n.NONE:
            f.newpage = p
            return n.NEXT
    if k.state.tasks[t].memdie:
        return n.FAIL_OOM
    f.group = 0
    f.todo = 0
    f.phase = RECLAIMED
    return n.CALL


@compiled
def __alloc_pages_may_oom(k, t, f):
    """__alloc_pages_may_oom: kill somebody, wait a jiffy, try again; with nobody to kill the machine is at its end."""
    if not out_of_memory(k, t):
        k.books.error = st.ERR_PAGES
    f.phase = KILLED
    if k.state.tasks[t].memdie:
        return n.AGAIN
    return pause(k, t, JIFFY_NS)


@compiled
def step_kswapd_try_to_sleep(k, t):
    """Sleep while more memory is free than the high watermark, or while reclaim is hopeless."""
    f = current(k, t)
    if f.arg or free_pages(k) > k.state.zone.high_pages:
        f.arg = 0
        return sleep_nap(k, t, n.W_IDLE, n.KT_KSWAPD, 0)
    return n.NEXT


@compiled
def step_balance_pgdat(k, t):
    """Reclaim (another path) until the high watermark is reached; a nap if that frees too little while writes go on."""
    f = current(k, t)
    k.books.resched_ok = 1
    if f.phase == 0:
        f.phase = 1
        spend(k, s.ALLOC_SLOW)
        return n.CALL
    f.phase = 0
    f.pc = -1  # and from the beginning
    if free_pages(k) > k.state.zone.high_pages:
        return n.NEXT
    if not zone_reclaimable(k):
        f.arg = 1  # all_unreclaimable: asleep until it is woken
        return n.NEXT
    if k.state.zone.writeback > 0:
        f.pc = 0
        return congestion_wait(k, t, TENTH_NS)
    return n.NEXT
