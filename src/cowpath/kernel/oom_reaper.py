"""The OOM reaper (mm/oom_kill.c since aac453635549, 4.6): a kernel thread that takes a victim's memory.

A victim that waits for a lock cannot exit, and gives nothing back. The reaper never waits for one: it tries to have the
victim's mmap_sem, ten times, and frees what is private. Then the victim counts no longer (MMF_OOM_SKIP), whatever came
of that, and the killer may choose another. Who exits before its time is come is left alone.
"""

from __future__ import annotations

from . import names as n
from .block import TENTH_NS
from .compiled import compiled
from .mmap import unmap_vmas
from .mmap_lock import mmap_read_trylock
from .oom_queue import DUE, QUEUED, dequeue
from .wait import current, sleep_nap


@compiled
def step_oom_reaper_wait(k, t):
    """oom_reaper: asleep until there is a victim, and until its delay is over (wake_oom_reaper; e4a38402c36e, 5.18)."""
    f = current(k, t)
    k.books.resched_ok = 1
    m = k.state.oom_reaper_list
    if m == n.NONE:
        return sleep_nap(k, t, n.W_IDLE, n.KT_OOM_REAPER, 0)
    if k.state.mms[m].reap == QUEUED:
        k.state.mms[m].reap = DUE
        left = k.books.reap_at[m] - k.books.now
        if left > 0:
            return sleep_nap(k, t, n.W_PAUSE, 0, left)
    f.retries = k.books.reap_retries
    return n.NEXT


@compiled
def step_oom_reap_task_mm(k, t):
    """oom_reap_task: a chunk of the victim's memory a move, or a tenth of a second's sleep where mmap_sem is taken."""
    f = current(k, t)
    k.books.resched_ok = 1
    m = k.state.oom_reaper_list
    if m == n.NONE or k.state.mms[m].reap != DUE:  # it has exited
        return begin_again(f)
    if f.retries > 0:
        if not mmap_read_trylock(k, m):
            f.retries -= 1
            return sleep_nap(k, t, n.W_PAUSE, 0, TENTH_NS)
        if not reap_chunk(k, f, m):
            return n.AGAIN
    k.state.mms[m].oom_skip = 1
    dequeue(k, m)
    return begin_again(f)


@compiled
def begin_again(f):
    """On to the next victim."""
    f.pc = -1
    f.vpn = 0
    f.retries = 0
    return n.NEXT


@compiled
def reap_chunk(k, f, m):
    """__oom_reap_task_mm: private mappings are unmapped. True when that is all."""
    mm = k.state.mms[m]
    if mm.unstable == 0:  # from now on nobody maps anything new here
        mm.unstable = 1
        f.vpn = 0
    v = mm.vmas
    while v != n.NONE and (k.state.vmas[v].end <= f.vpn or is_spared(k, v)):
        v = k.state.vmas[v].next
    if v == n.NONE:
        return True
    vma = k.state.vmas[v]
    start = max(vma.start, f.vpn)
    f.vpn = unmap_vmas(k, m, start, vma.end) if mm.tables > 0 else vma.end
    return False


@compiled
def is_spared(k, v):
    """A shared mapping; and until a213e5cf71cb (5.18) an mlocked one."""
    prot = k.state.vmas[v].prot
    return prot & n.VM_SHARED != 0 or (prot & n.VM_LOCKED != 0 and not k.state.reaps_mlocked)
