"""rwsems (lib/rwsem.c): readers and writers in one queue; a waiting writer blocks new readers.

Each is one row in ``waits.RWSEMS``. Whoever is woken has been given the lock (``task.granted``).
"""

from __future__ import annotations

from . import names as n
from .compiled import compiled
from .wait import pop_waiter, sleep_on


@compiled
def down_read(k, t, sem, kind, which):
    """Take it for reading: True, or False and asleep (uninterruptible). ``kind``, ``which``: W_*, of what."""
    if k.state.tasks[t].granted:
        k.state.tasks[t].granted = 0
        return True
    if sem.writer == n.NONE and sem.waiters.head == n.NONE:
        sem.readers += 1
        return True
    sleep_on(k, t, sem.waiters, kind, which, 0, 0)
    return False


@compiled
def down_write(k, t, sem, kind, which):
    """Take it for writing: True, or False and asleep."""
    if k.state.tasks[t].granted:
        k.state.tasks[t].granted = 0
        return True
    if sem.writer == n.NONE and sem.readers == 0 and sem.waiters.head == n.NONE:
        sem.writer = t
        return True
    sleep_on(k, t, sem.waiters, kind, which, 0, 1)
    return False


@compiled
def up_read(k, sem):
    """Let a reader's hold go."""
    sem.readers -= 1
    if sem.readers == 0:
        _grant(k, sem)


@compiled
def up_write(k, sem):
    """Let the writer's hold go."""
    sem.writer = n.NONE
    _grant(k, sem)


@compiled
def _grant(k, sem):
    """__rwsem_do_wake: the first waiter, and the readers right behind a reader."""
    head = sem.waiters.head
    if head == n.NONE:
        return
    if k.state.tasks[head].exclusive:
        sem.writer = head
        k.state.tasks[head].granted = 1
        pop_waiter(k, sem.waiters)
        return
    while sem.waiters.head != n.NONE and not k.state.tasks[sem.waiters.head].exclusive:
        sem.readers += 1
        k.state.tasks[sem.waiters.head].granted = 1
        pop_waiter(k, sem.waiters)
