"""Who waits for whom in a recorded command, as ``struct completion`` does it (kernel/sched/completion.c): a reader of a
pipe for its writer, a writer for its reader, who sleeps on a futex for who wakes it.

What they hand on is not modelled, only the order: OP_COMPLETE counts what a task has done, OP_AWAIT sleeps until
another task of the same family has come so far, or is no more. A family is a command with all that it has started.
"""

from __future__ import annotations

from . import names as n
from .compiled import compiled
from .wait import current, sleep_alone, try_to_wake_up


@compiled
def begin_family(k, t):
    """From here on the task, and those that it forks, are a family of their own."""
    books = k.books.tasks[t]
    books.family = k.state.tasks[t].born
    books.began = k.state.tasks[t].pc


@compiled
def awaited(k, t, op):
    """The task that OP_AWAIT waits for: of the caller's family, alive, and not so far yet. NONE: it need not wait.

    One that is not there has ended, or will never be: who forks it has been waited for before.
    """
    for other in range(k.state.n_tasks if k.books.tasks[t].family else 0):
        books = k.books.tasks[other]
        if books.began == op.a and books.family == k.books.tasks[t].family and other != t:
            state = k.state.tasks[other].run_state
            if state == n.T_RUNNABLE or state == n.T_SLEEPING:
                return n.NONE if books.completed >= op.b else other
    return n.NONE


@compiled
def wait_for_completion(k, t):
    """OP_AWAIT. Its caller's status stays what it was."""
    other = awaited(k, t, k.books.ops[current(k, t).op])
    if other == n.NONE:
        return n.NEXT
    if k.state.tasks[t].sigkill:
        return n.FAIL_KILLED
    return sleep_alone(k, t, n.W_COMPLETION, other, 1)


@compiled
def complete(k, t):
    """OP_COMPLETE: who waits for just this goes on."""
    k.books.tasks[t].completed += 1
    for other in range(k.state.n_tasks):
        if awaits(k, other, t) and k.books.ops[k.state.tasks[other].pc].b <= k.books.tasks[t].completed:
            try_to_wake_up(k, other)


@compiled
def complete_all(k, t):
    """The task has ended: nobody waits for it any more."""
    for other in range(k.state.n_tasks):
        if awaits(k, other, t):
            try_to_wake_up(k, other)


@compiled
def awaits(k, t, other):
    """The task sleeps in OP_AWAIT, for the other one."""
    task = k.state.tasks[t]
    return task.run_state == n.T_SLEEPING and task.wait_kind == n.W_COMPLETION and task.wait_id == other
