"""mmap_sem (lib/rwsem.c): readers and writers in one queue; a waiting writer blocks new readers.

Whoever is woken has been given the lock (``task.granted``).
"""

from __future__ import annotations

from . import names as n
from .compiled import compiled
from .wait import pop_waiter, sleep_on


@compiled
def down_read(k, t, m):
    """Take mmap_sem for reading: True, or False and asleep (uninterruptible, as in 3.0)."""
    mm = k.state.mms[m]
    if k.state.tasks[t].granted:
        k.state.tasks[t].granted = 0
        return True
    if mm.writer == n.NONE and mm.waiters.head == n.NONE:
        mm.readers += 1
        return True
    sleep_on(k, t, mm.waiters, n.W_MMAP_READ, m, 0, 0)
    return False


@compiled
def down_write(k, t, m):
    """Take mmap_sem for writing: True, or False and asleep."""
    mm = k.state.mms[m]
    if k.state.tasks[t].granted:
        k.state.tasks[t].granted = 0
        return True
    if mm.writer == n.NONE and mm.readers == 0 and mm.waiters.head == n.NONE:
        mm.writer = t
        return True
    sleep_on(k, t, mm.waiters, n.W_MMAP_WRITE, m, 0, 1)
    return False


@compiled
def up_read(k, m):
    """Let a reader's hold go."""
    mm = k.state.mms[m]
    mm.readers -= 1
    if mm.readers == 0:
        _grant(k, mm)


@compiled
def up_write(k, m):
    """Let the writer's hold go."""
    mm = k.state.mms[m]
    mm.writer = n.NONE
    _grant(k, mm)


@compiled
def _grant(k, mm):
    """__rwsem_do_wake: the first waiter, and the readers right behind a reader."""
    head = mm.waiters.head
    if head == n.NONE:
        return
    if k.state.tasks[head].wait_kind == n.W_MMAP_WRITE:
        mm.writer = head
        k.state.tasks[head].granted = 1
        pop_waiter(k, mm.waiters)
        return
    while mm.waiters.head != n.NONE and k.state.tasks[mm.waiters.head].wait_kind == n.W_MMAP_READ:
        mm.readers += 1
        k.state.tasks[mm.waiters.head].granted = 1
        pop_waiter(k, mm.waiters)
