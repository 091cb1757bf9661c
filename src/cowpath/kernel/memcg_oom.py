"""A group that is out of memory: the OOM lock, its sleepers, and who may kill (mm/memcontrol.c of 3.0 and 3.1).

Policy ``oom_counter`` (3.0): ``oom_lock`` counts those inside the section; only who raises it from 0 to 1 may kill.
Else (79dfdaccd1d5, 3.1): it is a flag, and ``under_oom`` counts those inside.
"""

from __future__ import annotations

from . import names as n
from . import steps as s
from .compiled import compiled
from .hierarchy import is_below
from .oom_kill import OOM_DYING, kill_worst
from .oom_mm import mark_oom_victim
from .wait import fatal_signal_pending, sleep_on, spend, wake_all

OOM_KILL_PHASE = 3
OOM_SLEPT_PHASE = 4

IN_SECTION = 1
HAS_LOCK = 2


@compiled
def mem_cgroup_oom_lock(k, root):
    """Lock the subtree's OOM; True if we may kill."""
    highest = 0
    failed = False
    for g in range(1, k.state.n_groups):
        group = k.state.groups[g]
        if group.alive and is_below(k, g, root):
            group.under_oom += 1
            failed = failed or group.oom_lock > 0
            if k.state.oom_counter:
                group.oom_lock += 1
                highest = max(highest, group.oom_lock)
    if k.state.oom_counter:
        return highest == 1
    if failed:
        return False
    for g in range(1, k.state.n_groups):
        if k.state.groups[g].alive and is_below(k, g, root):
            k.state.groups[g].oom_lock = 1
    return True


@compiled
def mem_cgroup_oom_unlock(k, root, had_lock):
    """Leave the section."""
    for g in range(1, k.state.n_groups):
        group = k.state.groups[g]
        if group.alive and is_below(k, g, root):
            group.under_oom = max(0, group.under_oom - 1)
            if k.state.oom_counter:
                group.oom_lock = max(0, group.oom_lock - 1)
            elif had_lock:
                group.oom_lock = 0


@compiled
def memcg_wakeup_oom(k, g):
    """memcg_wakeup_oom: wake who sleeps for this group, one above or one below it."""
    for other in range(1, k.state.n_groups):
        if is_below(k, other, g) or is_below(k, g, other):
            wake_all(k, k.state.groups[other].oom_waiters)


@compiled
def memcg_oom_recover(k, g):
    """memcg_oom_recover: there may be memory now; wake the sleepers if there are any."""
    group = k.state.groups[g]
    if (group.oom_lock if k.state.oom_counter else group.under_oom) > 0:
        memcg_wakeup_oom(k, g)


@compiled
def mem_cgroup_handle_oom(k, t, f):
    """The first half of mem_cgroup_handle_oom: take the lock and go to kill, or sleep (killable)."""
    spend(k, s.OOM_SLEEP)
    group = k.state.groups[f.group]
    locked = mem_cgroup_oom_lock(k, f.group)
    f.oomed = IN_SECTION | (HAS_LOCK if locked else 0)
    if locked and not group.oom_kill_disable:
        f.phase = OOM_KILL_PHASE
        return n.AGAIN
    f.phase = OOM_SLEPT_PHASE
    if fatal_signal_pending(k, t):
        return n.AGAIN
    return sleep_on(k, t, group.oom_waiters, n.W_OOM, f.group, 1, 0)


@compiled
def leave_oom(k, t, f):
    """The second half: unlock, and wake everybody else to try again."""
    mem_cgroup_oom_unlock(k, f.group, (f.oomed & HAS_LOCK) != 0)
    f.oomed = 0
    memcg_wakeup_oom(k, f.group)


@compiled
def mem_cgroup_get_limit(k, g):
    """What the group's tasks may have in memory and swap, in pages: memsw's limit, or less where there is less swap."""
    group = k.state.groups[g]
    return min(group.res.limit + k.state.swap_pages, group.memsw.limit)


@compiled
def mem_cgroup_out_of_memory(k, t, g):
    """mem_cgroup_out_of_memory: choose a task of the group and kill it, unless somebody is dying. OOM_*."""
    if fatal_signal_pending(k, t):
        mark_oom_victim(k, t)
        return OOM_DYING
    return kill_worst(k, t, g, max(1, mem_cgroup_get_limit(k, g)))
