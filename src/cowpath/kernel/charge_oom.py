"""What a charge does for which reclaim has come to nothing: by policy ``charge_on_oom``.

``sleep`` (3.0): kill or sleep here, with all that the caller holds, and go round. ``fault-end`` (3812c8c8f395, 3.12):
note the group and fail; the fault is undone, and ``oom_synchronize`` kills or sleeps with nothing held. ``kill``
(29ef680ae7c2, 4.19): kill here, under the machine's oom_lock, and go round; where the killer is off, fail likewise.
"""

from __future__ import annotations

from . import names as n
from . import steps as s
from . import waits
from .compiled import compiled
from .gfp import is_nofs
from .memcg_commit import AS_OTHERS, FROM_STOCK, TRIED_OOM, bypass, charge_fails, dying, force_charge
from .memcg_events import memcg_memory_event
from .memcg_oom import (
    OOM_KILL_PHASE,
    OOM_SLEPT_PHASE,
    leave_oom,
    mem_cgroup_handle_oom,
    mem_cgroup_out_of_memory,
)
from .memcontrol import made_progress, mem_cgroup_margin
from .mutex import mutex_lock, mutex_lock_killable, mutex_unlock
from .oom_kill import OOM_KILLED, OOM_NOBODY
from .policies import number
from .wait import spend

SLEEP = number("charge_on_oom", "sleep")
KILL = number("charge_on_oom", "kill")

OOM_MUTEX_PHASE = 5  # it takes oom_lock
W_OOM_LOCK = waits.number("oom_lock")


@compiled
def in_user_fault(k, t):
    """The task is in a fault from user mode (current->in_user_fault)."""
    f = k.state.tasks[t].frames[0]
    return f.path == s.P_PAGE_FAULT and f.fault & n.F_USER != 0


@compiled
def mem_cgroup_oom(k, t, f):
    """mem_cgroup_oom: wait, kill, or fail."""
    if k.state.charge_on_oom == SLEEP:
        return mem_cgroup_handle_oom(k, t, f)
    if k.state.charge_on_oom == KILL and not k.state.groups[f.group].oom_kill_disable:
        memcg_memory_event(k, f.group, n.ME_OOM)
        f.phase = OOM_MUTEX_PHASE
        return n.AGAIN
    if in_user_fault(k, t):
        k.state.tasks[t].memcg_oom = f.group
    return charge_fails(k, t, f)


@compiled
def after_oom(k, t, f):
    """Kill if that was our part; leave the OOM section; die or try again."""
    if f.phase == OOM_MUTEX_PHASE:
        return lock_oom(k, t, f)
    if f.phase == OOM_KILL_PHASE:  # the section is held while the killer works
        if k.state.charge_on_oom == KILL:
            return kill_in_charge(k, t, f)
        if mem_cgroup_out_of_memory(k, t, f.group) == OOM_KILLED:
            made_progress(k, f.group)
        f.phase = OOM_SLEPT_PHASE
        return n.AGAIN
    leave_oom(k, t, f)
    if dying(k, t):
        return charge_fails(k, t, f) if k.state.dying_charge == AS_OTHERS else bypass(k, t, f)
    k.books.groups[f.group].counters[n.C_OOM_ROUNDS] += 1
    f.phase = FROM_STOCK
    return n.YIELD  # schedule_timeout(1) without a task state set: a mere yield


@compiled
def lock_oom(k, t, f):
    """mutex_lock(&oom_lock); mutex_lock_killable, who is killed meanwhile has had success (7775face2079)."""
    locked = mutex_lock_killable(k, t, W_OOM_LOCK) if k.state.killable_oom_lock else mutex_lock(k, t, W_OOM_LOCK)
    if locked == n.FAIL_KILLED:
        return go_round(k, f)
    if locked == n.NEXT:
        f.phase = OOM_KILL_PHASE
        return n.AGAIN
    return locked


@compiled
def kill_in_charge(k, t, f):
    """mem_cgroup_out_of_memory of 4.19 on. With 1378b37d03e8 it looks first whether there is room by now; until
    f9c645621a28 (5.4) out_of_memory() had "success" with nobody killed where the file system may not be entered.
    """
    spend(k, s.OOM_SLEEP)
    found = OOM_KILLED
    spins = k.state.nofs_spins and is_nofs(k, t)
    if not spins and (not k.state.looks_again or mem_cgroup_margin(k, f.group) < 1):
        found = mem_cgroup_out_of_memory(k, t, f.group)
        if found == OOM_KILLED:
            made_progress(k, f.group)
    mutex_unlock(k, t, W_OOM_LOCK)
    if found != OOM_NOBODY:
        return go_round(k, f)
    if not k.state.fails_in_vain:
        return force_charge(k, t, f)
    if in_user_fault(k, t):
        k.state.tasks[t].short_of = f.group
    return charge_fails(k, t, f)


@compiled
def go_round(k, f):
    """OOM_SUCCESS: the charge begins anew, with all its retries."""
    k.books.groups[f.group].counters[n.C_OOM_ROUNDS] += 1
    f.tried |= TRIED_OOM
    f.retries = k.books.reclaim_retries
    f.phase = FROM_STOCK
    return n.AGAIN
