"""The end of a fault from user mode that has failed for want of a group's memory (pagefault_out_of_memory).

All that the fault held has been given back; the group that its charge noted is in ``task.memcg_oom``. Then the access
is tried again. Where no group was noted (``kill`` found nobody to kill), that happens at once.
"""

from __future__ import annotations

from . import names as n
from . import steps as s
from .compiled import compiled
from .memcg_oom import (
    HAS_LOCK,
    IN_SECTION,
    OOM_KILL_PHASE,
    OOM_SLEPT_PHASE,
    mem_cgroup_oom_lock,
    mem_cgroup_oom_unlock,
    mem_cgroup_out_of_memory,
    memcg_oom_recover,
)
from .memcontrol import made_progress
from .oom_kill import OOM_KILLED, OOM_NOBODY
from .wait import current, fatal_signal_pending, sleep_on, spend


@compiled
def step_oom_synchronize(k, t):
    """mem_cgroup_oom_synchronize of 3.12 to 6.1 (3812c8c8f395): who gets the OOM lock kills, if the killer is on."""
    f = current(k, t)
    if f.phase == 0:
        return enter_section(k, t, f, True)
    if f.phase == OOM_KILL_PHASE:
        found = mem_cgroup_out_of_memory(k, t, f.group)
        if found == OOM_KILLED:
            made_progress(k, f.group)
        elif found == OOM_NOBODY:
            k.state.tasks[t].short_of = f.group
        f.phase = OOM_SLEPT_PHASE
        return n.AGAIN
    g = f.group
    had_lock = leave_section(k, t, f)
    if had_lock:
        memcg_oom_recover(k, g)
    return n.NEXT


@compiled
def step_oom_wait(k, t):
    """mem_cgroup_oom_synchronize of 6.12 on: it only sleeps, once, and wakes nobody when it leaves."""
    f = current(k, t)
    if f.phase == 0:
        return enter_section(k, t, f, False)
    leave_section(k, t, f)
    return n.NEXT


@compiled
def enter_section(k, t, f, kills):
    """Take the OOM lock and go to kill, or sleep (killable)."""
    g = k.state.tasks[t].memcg_oom
    if g == 0:
        return n.NEXT
    f.group = g
    f.batch = 1  # engine.waitfor: it waits for the group's memory
    spend(k, s.OOM_SLEEP)
    locked = mem_cgroup_oom_lock(k, g)
    f.oomed = IN_SECTION | (HAS_LOCK if locked else 0)
    if kills and locked and not k.state.groups[g].oom_kill_disable:
        f.phase = OOM_KILL_PHASE
        return n.AGAIN
    f.phase = OOM_SLEPT_PHASE
    if fatal_signal_pending(k, t):
        return n.AGAIN
    return sleep_on(k, t, k.state.groups[g].oom_waiters, n.W_OOM, g, 1, 0)


@compiled
def leave_section(k, t, f):
    """Unlock; the fault's context is dealt with. True if the lock was ours."""
    had_lock = f.oomed & HAS_LOCK != 0
    mem_cgroup_oom_unlock(k, f.group, had_lock)
    k.books.groups[f.group].counters[n.C_OOM_ROUNDS] += 1
    k.state.tasks[t].memcg_oom = 0
    f.oomed = 0
    f.phase = 0
    f.group = 0
    f.batch = 0
    return had_lock
