"""A task moves to another group, and its charges come along (mem_cgroup_move_task; mm/memcontrol.c until 6.13).

The path ``attach``: whose locks are taken, and in which order. What it moves is not modelled: charges stay where they
are. A charge that has met a limit meanwhile waits until the move is over (mem_cgroup_wait_acct_move).
"""

from __future__ import annotations

from . import names as n
from . import steps as s
from . import waits
from .compiled import compiled
from .frames import push
from .mutex import mutex_lock, mutex_unlock
from .wait import sleep_on, wake_all

W_THREADGROUP = waits.number("threadgroup_rwsem")
W_MOVING = waits.number("moving_task")


@compiled
def begin_attach(k, t, moved):
    """cgroup_attach_task has moved it: the rest is the path ``attach``, where there is one. True if so."""
    if k.books.paths[s.P_ATTACH].length == 0 or moved == n.NONE or k.state.tasks[moved].mm == n.NONE:
        return False
    f = push(k, t, s.P_ATTACH)
    f.mm = k.state.tasks[moved].mm
    k.state.mms[f.mm].users += 1  # get_task_mm; mmput at the end
    return True


@compiled
def step_threadgroup_lock(k, t):
    """cgroup_threadgroup_change_begin; of who moves tasks percpu_down_write(&cgroup_threadgroup_rwsem)"""
    return mutex_lock(k, t, W_THREADGROUP)


@compiled
def step_threadgroup_unlock(k, t):
    """cgroup_threadgroup_change_end, percpu_up_write"""
    return mutex_unlock(k, t, W_THREADGROUP)


@compiled
def step_mc_begin(k, t):
    """mem_cgroup_can_attach: mc.moving_task is set."""
    return mutex_lock(k, t, W_MOVING)


@compiled
def step_move_charge(k, t):
    """mem_cgroup_move_charge: only its cost."""
    return n.NEXT


@compiled
def step_mc_end(k, t):
    """mem_cgroup_clear_mc: all who wait for the end of the move go on."""
    status = mutex_unlock(k, t, W_MOVING)
    wake_all(k, k.state.moving_task.waiters)
    return status


@compiled
def mem_cgroup_wait_acct_move(k, t):
    """A charge waits until a move is over. SLEEP, or NEXT: there is none."""
    mover = k.state.moving_task.owner
    if mover == n.FREE or mover == t:
        return n.NEXT
    return sleep_on(k, t, k.state.moving_task.waiters, W_MOVING, 0, 1, 0)
