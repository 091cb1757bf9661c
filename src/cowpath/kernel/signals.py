"""SIGKILL (kernel/signal.c): a killable sleep ends, everything else sees it when it next looks."""

from __future__ import annotations

from . import names as n
from .compiled import compiled
from .generated import queue_of
from .wait import current, try_to_wake_up, unlink


@compiled
def leave_queue(k, t):
    """Take a sleeper off the queue on which it waits."""
    task = k.state.tasks[t]
    if n.QUEUED[task.wait_kind]:
        unlink(k, queue_of(k, task.wait_kind, task.wait_id), t)


@compiled
def kill_one(k, t):
    """A fatal signal for one task."""
    task = k.state.tasks[t]
    if task.run_state != n.T_RUNNABLE and task.run_state != n.T_SLEEPING:
        return
    task.sigkill = 1
    if task.run_state == n.T_SLEEPING and task.killable:
        leave_queue(k, t)
        try_to_wake_up(k, t)


@compiled
def send_sigkill(k, t):
    """SIGKILL for a whole thread group."""
    leader = k.state.tasks[t].leader
    for other in range(k.state.n_tasks):
        if k.state.tasks[other].run_state != n.T_FREE and k.state.tasks[other].leader == leader:
            kill_one(k, other)


@compiled
def kill_tree(k, t):
    """SIGKILL for a task and all who descend from it, as a user kills a job."""
    for other in range(k.state.n_tasks):
        if k.state.tasks[other].run_state == n.T_FREE or k.state.tasks[other].run_state == n.T_ZOMBIE:
            continue
        up = other
        while up != n.NONE and up != t:
            up = k.state.tasks[up].parent
        if up == t:
            kill_one(k, other)


@compiled
def step_send_sigkill(k, t):
    """kill -9: a task, or a task and its descendants."""
    f = current(k, t)
    op = k.books.ops[f.op]
    victim = k.state.names[op.a] - 1
    if victim == n.NONE:
        k.state.tasks[t].status = 1
        return n.NEXT
    if op.bits & n.KILL_TREE:
        kill_tree(k, victim)
    else:
        send_sigkill(k, victim)
    k.state.tasks[t].status = 0
    return n.NEXT
