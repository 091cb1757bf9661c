"""The OOM reaper's queue: address spaces of victims, first come, first served (oom_reaper_list of mm/oom_kill.c)."""

from __future__ import annotations

from . import names as n
from .compiled import compiled
from .policies import number
from .wait import try_to_wake_up

AT_ONCE = number("oom_reaper", "at once")
DELAY_NS = 2_000_000_000  # OOM_REAPER_DELAY: 2*HZ

# of mm.reap
QUEUED = 1
DUE = 2  # its delay is over, or the reaper sleeps for that


@compiled
def enqueue(k, m):
    """queue_oom_reaper: once for each address space; a kernel without the thread has no queue."""
    state = k.state
    mm = state.mms[m]
    if state.oom_reaper == n.NONE or mm.reap or mm.oom_skip:
        return
    mm.reap = DUE if state.reaper_delay == AT_ONCE else QUEUED
    mm.reap_next = n.NONE
    k.books.reap_at[m] = k.books.now + DELAY_NS
    if state.oom_reaper_list == n.NONE:
        state.oom_reaper_list = m
    else:
        last = state.oom_reaper_list
        while state.mms[last].reap_next != n.NONE:
            last = state.mms[last].reap_next
        state.mms[last].reap_next = m
    if state.tasks[state.oom_reaper].wait_kind == n.W_IDLE:
        try_to_wake_up(k, state.oom_reaper)


@compiled
def dequeue(k, m):
    """The address space has been reaped, or is gone without that."""
    state = k.state
    if state.mms[m].reap == 0:
        return
    after = state.mms[m].reap_next
    if state.oom_reaper_list == m:
        state.oom_reaper_list = after
    else:
        before = state.oom_reaper_list
        while state.mms[before].reap_next != m:
            before = state.mms[before].reap_next
        state.mms[before].reap_next = after
    state.mms[m].reap = 0
    state.mms[m].reap_next = n.NONE
