"""The thread that keeps some memory free (mm/vmscan.c of 3.0)."""

from __future__ import annotations

from . import names as n
from . import steps as s
from .block import TENTH_NS, congestion_wait
from .compiled import compiled
from .frames import R_KSWAPD, push
from .page_alloc import free_pages
from .vmscan import zone_reclaimable
from .wait import current, sleep_nap, spend


@compiled
def step_kswapd_try_to_sleep(k, t):
    """The beginning of kswapd's loop."""
    return kswapd_try_to_sleep(k, t, current(k, t))


@compiled
def kswapd_try_to_sleep(k, t, f):
    """Sleep while more memory is free than the high watermark, or while reclaim is hopeless."""
    if f.arg or free_pages(k) > k.state.zone.high_pages:
        f.arg = 0
        return sleep_nap(k, t, n.W_IDLE, n.KT_KSWAPD, 0)
    return n.NEXT


@compiled
def step_balance_pgdat(k, t):
    """The rest of it."""
    k.books.resched_ok = 1
    return balance_pgdat(k, t, current(k, t))


@compiled
def balance_pgdat(k, t, f):
    """Reclaim (another path) until the high watermark is reached; a nap if that frees too little while writes go on."""
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


@compiled
def call_balance_pgdat(k, t, f):
    """Reclaim of the whole machine."""
    below = push(k, t, s.P_RECLAIM)
    below.arg = R_KSWAPD
    return n.NEXT
