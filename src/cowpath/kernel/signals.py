"""Signals (kernel/signal.c). SIGKILL: a killable sleep ends, everything else sees it when it next looks.

SIGTERM, which no task here handles, is the same for who may act on it. SIGSTOP ends no sleep: a task stops when it next
comes to user mode (``do_signal_stop``), until SIGCONT.
"""

from __future__ import annotations

from . import names as n
from .compiled import compiled
from .generated import queue_of
from .wait import current, sleep_alone, try_to_wake_up, unlink


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
def is_of(k, other, leader):
    """The task lives and is one of this thread group."""
    task = k.state.tasks[other]
    return task.leader == leader and (task.run_state == n.T_RUNNABLE or task.run_state == n.T_SLEEPING)


@compiled
def send_sigterm(k, t):
    """SIGTERM: the end of all threads, if one of them may act on it; else it stays until one comes to user mode.

    ``wants_signal``: nobody who sleeps with another signal pending, or who has stopped.
    """
    leader = k.state.tasks[t].leader
    for other in range(k.state.n_tasks):
        if is_of(k, other, leader) and k.state.tasks[other].sigstop == 0:
            send_sigkill(k, t)
            return
    for other in range(k.state.n_tasks):
        if is_of(k, other, leader):
            k.state.tasks[other].sigterm = 1


@compiled
def send_sigstop(k, t):
    """SIGSTOP, which PTRACE_ATTACH sends, too. (Who sleeps interruptibly is woken, and sleeps on when he goes on.)"""
    leader = k.state.tasks[t].leader
    for other in range(k.state.n_tasks):
        if is_of(k, other, leader):
            k.state.tasks[other].sigstop = 1


@compiled
def send_sigcont(k, t):
    """SIGCONT: who has stopped goes on, and who was to stop does not."""
    leader = k.state.tasks[t].leader
    for other in range(k.state.n_tasks):
        task = k.state.tasks[other]
        if is_of(k, other, leader):
            task.sigstop = 0
            if task.wait_kind == n.W_STOPPED:
                try_to_wake_up(k, other)


@compiled
def has_stopped(k, t):
    """The task has stopped, or would if it were awake: SIGSTOP ends an interruptible sleep, which then goes on."""
    task = k.state.tasks[t]
    return task.sigstop != 0 and task.run_state == n.T_SLEEPING and n.INTERRUPTIBLE[task.wait_kind] != 0


@compiled
def wake_tracer(k, t):
    """A task has stopped, or is gone: who has attached to it and waits for that is told."""
    task = k.state.tasks[t]
    if task.sigstop == 0 or task.slot == n.NONE:
        return
    for other in range(k.state.n_tasks):
        tracer = k.state.tasks[other]
        if tracer.run_state == n.T_SLEEPING and tracer.wait_kind == n.W_TRACED and tracer.wait_id == task.slot:
            try_to_wake_up(k, other)


@compiled
def do_signal_stop(k, t):
    """On the way to user mode, with nothing held."""
    wake_tracer(k, t)
    return sleep_alone(k, t, n.W_STOPPED, 0, 1)


@compiled
def step_send_sigkill(k, t):
    """kill(2): SIGKILL, for descendants too, or another signal."""
    f = current(k, t)
    op = k.books.ops[f.op]
    victim = k.state.names[op.a] - 1
    if victim == n.NONE:
        k.state.tasks[t].status = 1
        return n.NEXT
    if op.bits == n.KILL_TREE:
        kill_tree(k, victim)
    elif op.bits == n.KILL_TERM:
        send_sigterm(k, victim)
    elif op.bits == n.KILL_STOP:
        send_sigstop(k, victim)
    elif op.bits == n.KILL_CONT:
        send_sigcont(k, victim)
    else:
        send_sigkill(k, victim)
    k.state.tasks[t].status = 0
    return n.NEXT
