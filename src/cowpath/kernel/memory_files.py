"""Writes to the files of a memory cgroup v2 (memory_files[] of mm/memcontrol.c, cgroup_base_files[] of kernel/cgroup).

Limits always take effect, and the write always ends well: what is over ``memory.max`` is reclaimed, and then the
writer runs the group's OOM killer, until the usage is below.
"""

from __future__ import annotations

from . import names as n
from . import steps as s
from . import waits
from .cgroup import cgroup_subtree_control_write
from .compiled import compiled
from .frames import R_HIGH, R_PROACTIVE, swappiness_of
from .hierarchy import is_below
from .kmem import drain_stocks
from .lru import lru_add_drain_all
from .memcg_events import memcg_memory_event
from .memcg_high import WATCHES, memory_high_write
from .memcg_oom import mem_cgroup_out_of_memory
from .memcontrol import mem_cgroup_margin
from .mutex import mutex_lock_killable, mutex_unlock
from .oom_kill import OOM_NOBODY
from .signals import send_sigkill
from .wait import fatal_signal_pending, spend

W_OOM_LOCK = waits.number("oom_lock")
SWAP_CLUSTER_MAX = 32
RECLAIM_RETRIES = 16  # MAX_RECLAIM_RETRIES

# phases of a write
RECLAIMING = 1
KILLING = 2  # oom_lock is wanted


@compiled
def memory_files_write(k, t, f, op):
    """A write to a file of v2. NEXT, CALL (a reclaim), YIELD, SLEEP or an error."""
    g = op.a
    group = k.state.groups[g]
    if op.b == n.CG_SUBTREE:
        return cgroup_subtree_control_write(k, g, op.c)
    if op.b == n.CG_KILL:
        return cgroup_kill(k, g)
    if not k.state.groups[group.parent].controls:
        return n.FAIL_ACCES  # there is no such file, and none can be made
    if op.b == n.CG_HIGH:
        return memory_high_write(k, t, f, g, op.c)
    if op.b == n.CG_MAX:
        return memory_max_write(k, t, f, g, op.c)
    if op.b == n.CG_RECLAIM:
        return memory_reclaim(k, t, f, g, op)
    if op.b == n.CG_OOM_GROUP:
        group.oom_group = op.c
    elif op.b == n.CG_LOW:
        group.low_pages = op.c
        k.books.has_low = 1
    elif op.b == n.CG_MIN:
        group.min_pages = op.c
        k.books.has_low = 1
    elif op.b == n.CG_SWAP_MAX:
        group.swap_max = op.c
    elif op.b == n.CG_SWAP_HIGH:
        group.swap_high = op.c
        k.books.has_high = 1
    return n.NEXT  # memory.peak: a write is about the open file, which is closed at once


@compiled
def memory_max_write(k, t, f, g, most):
    """memory_max_write: the limit counts at once. While usage is over it: the stocks are drained, once; reclaim, until
    16 passes (4.19: 5) have freed nothing; then the OOM killer, again and again. Nobody to kill, or a signal: that is
    all.
    """
    group = k.state.groups[g]
    if f.phase == 0:
        group.res.limit = most
        f.retries = k.books.reclaim_retries
        if group.res.usage > most:
            drain_stocks(k, k.state.tasks[t].cpu, g)
    elif f.phase == RECLAIMING and f.ret == 0:
        f.retries -= 1
    elif f.phase == KILLING:
        return kill_for_max(k, t, f, g)
    if group.res.usage <= most or fatal_signal_pending(k, t):
        return n.NEXT
    if k.state.high_write == WATCHES and group.res.limit != most:
        return n.NEXT  # somebody else has set it
    if f.retries > 0:
        f.phase = RECLAIMING
        return reclaim(f, g, group.res.usage - most, 0)
    memcg_memory_event(k, g, n.ME_OOM)
    f.phase = KILLING
    return n.AGAIN


@compiled
def kill_for_max(k, t, f, g):
    """mem_cgroup_out_of_memory, from the writer: under oom_lock, and only if there is still no room."""
    locked = mutex_lock_killable(k, t, W_OOM_LOCK)
    if locked != n.NEXT:
        return n.NEXT if locked == n.FAIL_KILLED else locked
    spend(k, s.OOM_SLEEP)
    found = OOM_NOBODY + 1
    if mem_cgroup_margin(k, g) < 1:
        found = mem_cgroup_out_of_memory(k, t, g)
    mutex_unlock(k, t, W_OOM_LOCK)
    if found == OOM_NOBODY:
        return n.NEXT
    f.phase = RECLAIMING  # which has freed nothing
    f.ret = 1
    return n.YIELD  # cond_resched


@compiled
def reclaim(f, g, pages, swappiness):
    """try_to_free_mem_cgroup_pages, of so many pages. CALL."""
    f.group = g
    f.todo = R_HIGH | swappiness_of(swappiness)
    f.count = max(SWAP_CLUSTER_MAX, pages)
    return n.CALL


@compiled
def memory_reclaim(k, t, f, g, op):
    """user_proactive_reclaim: all of what is left a pass, or (287d5fedb377, 6.9) a quarter of it, until so much is
    freed; EAGAIN after 16 passes in vain.
    """
    if f.phase == 0:
        f.retries = RECLAIM_RETRIES
    else:
        f.done += f.ret
        if f.ret == 0:
            if f.retries == 0:
                return n.FAIL_AGAIN
            f.retries -= 1
            if f.retries == 0:
                lru_add_drain_all(k)
    if f.done >= op.c:
        return n.NEXT
    if fatal_signal_pending(k, t):
        return n.FAIL_KILLED
    f.phase = RECLAIMING
    left = op.c - f.done
    answer = reclaim(f, g, left // 4 if k.state.reclaims_quarters else left, op.d)
    f.todo |= R_PROACTIVE if k.state.counts_proactive else 0
    return answer


@compiled
def cgroup_kill(k, g):
    """cgroup_kill: SIGKILL for all of the group and of those below it (661ee6280931, 5.14)."""
    for t in range(k.state.n_tasks):
        task = k.state.tasks[t]
        alive = task.run_state == n.T_RUNNABLE or task.run_state == n.T_SLEEPING
        if alive and task.kthread == 0 and is_below(k, task.group, g):
            send_sigkill(k, t)
    return n.NEXT
