"""Mutexes (kernel/mutex.c): every kind in ``waits.LOCKS``, by its number ``W_*``. An owner, and who waits, in turn.

A step that takes one is ``return mutex_lock(k, t, KIND)``, one that gives it back ``return mutex_unlock(k, t, KIND)``.
Of which thing it is (a file, an address space, a group) the frame says.
"""

from __future__ import annotations

from . import names as n
from .compiled import compiled
from .generated import mutex_of, note_group, which_mutex
from .wait import current, fatal_signal_pending, pop_waiter, sleep_on


@compiled
def mutex_lock(k, t, kind):
    """mutex_lock, or, if the table says so, mutex_lock_killable. NEXT, SLEEP or FAIL_KILLED."""
    return _lock(k, t, kind, n.MUTEX_KILLABLE[kind])


@compiled
def mutex_lock_killable(k, t, kind):
    """mutex_lock_killable, of a mutex that others take without that."""
    return _lock(k, t, kind, 1)


@compiled
def _lock(k, t, kind, killable):
    """__mutex_lock_common: who is woken tries again."""
    f = current(k, t)
    note_group(k, t, f, kind)
    which = which_mutex(f, kind)
    mutex = mutex_of(k, kind, which)
    if mutex.owner == n.FREE:
        mutex.owner = t
        f.held |= n.HOLD_OF_WAIT[kind]
        return n.NEXT
    if killable and fatal_signal_pending(k, t):
        return n.FAIL_KILLED
    return sleep_on(k, t, mutex.waiters, kind, which, killable, 1)


@compiled
def mutex_unlock(k, t, kind):
    """mutex_unlock: the first who waits is woken. NEXT."""
    f = current(k, t)
    mutex = mutex_of(k, kind, which_mutex(f, kind))
    mutex.owner = n.FREE
    f.held &= ~n.HOLD_OF_WAIT[kind]
    pop_waiter(k, mutex.waiters)
    return n.NEXT


@compiled
def mutex_of_hold(bit):
    """The kind ``W_*`` of the mutex that a bit of ``held`` stands for, or NONE."""
    for kind in range(n.WAIT_KINDS):
        if n.IS_MUTEX[kind] and n.HOLD_OF_WAIT[kind] == bit:
            return kind
    return n.NONE
