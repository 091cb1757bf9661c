"""The page lock: PG_locked, its wait queue, and the fault's way of waiting for it (mm/filemap.c).

A lock's owner is a task, or the disk request that reads the page.
"""

from __future__ import annotations

from . import names as n
from .compiled import compiled
from .figures import note_hold
from .rwsem import up_read
from .wait import emit, fatal_signal_pending, page_owner, pop_waiter, sleep_on

TAKEN = 0
WAITING = 1
KILLED = 2
RETRIED = 3  # of lock_page_or_retry: the fault starts again, and mmap_sem has been let go

RETRY_PHASE = 7  # of a frame: mmap_sem was dropped, the wait ends in VM_FAULT_RETRY


@compiled
def trylock_page(k, t, p):
    """Take a page's lock if it is free."""
    page = k.state.pages[p]
    if page.locked_by != n.FREE:
        return False
    page.locked_by = t
    k.books.pages[p].locked_at = k.books.now
    k.books.pages[p].locked_in = k.books.tasks[t].following - 1  # the step that is running
    return True


@compiled
def place_in_file(page):
    """file << 32 | index, of a page of a file; negative for another one."""
    return int(page.file) * (1 << 32) + int(page.index)  # int(): uncompiled, a product of 32-bit numbers stays one


@compiled
def unlock_page(k, p):
    """Let a page's lock go and wake those who wait: all who only wait, and the first who wants the lock."""
    page = k.state.pages[p]
    held = k.books.now - k.books.pages[p].locked_at
    if page.locked_by >= 0:
        note_hold(k, p, page.locked_by, held)
    emit(k, n.EV_LOCK, page.locked_by, p, k.books.pages[p].locked_in, held, place_in_file(page))
    page.locked_by = n.FREE
    queue = page.waiters
    while queue.head != n.NONE:
        exclusive = k.state.tasks[queue.head].exclusive
        pop_waiter(k, queue)
        if exclusive:
            return


@compiled
def __lock_page(k, t, p, killable):
    """__lock_page, __lock_page_killable: TAKEN, WAITING (asleep), or KILLED."""
    if trylock_page(k, t, p):
        return TAKEN
    if killable and fatal_signal_pending(k, t):
        return KILLED
    return sleep_for_page(k, t, p, killable, 1)


@compiled
def lock_page(k, t, p):
    """lock_page: uninterruptible. TAKEN, or WAITING (asleep)."""
    return __lock_page(k, t, p, 0)


@compiled
def lock_page_killable(k, t, p):
    """lock_page_killable: TAKEN, WAITING (asleep), or KILLED."""
    return __lock_page(k, t, p, 1)


@compiled
def wait_on_page_locked(k, t, p, killable):
    """Wait until nobody has the lock, without taking it: TAKEN (it is free), WAITING, or KILLED."""
    if k.state.pages[p].locked_by == n.FREE:
        return TAKEN
    if killable and fatal_signal_pending(k, t):
        return KILLED
    return sleep_for_page(k, t, p, killable, 0)


@compiled
def sleep_for_page(k, t, p, killable, exclusive):
    """Sleep on the page's wait queue: WAITING."""
    page = k.state.pages[p]
    emit(k, n.EV_LOCK_WAIT, t, p, page_owner(k, p), place_in_file(page), 0)
    sleep_on(k, t, page.waiters, n.W_PAGE_LOCK, p, killable, exclusive)
    return WAITING


@compiled
def drop_mmap_sem(k, t):
    """__lock_page_or_retry lets mmap_sem go before it waits: it is held by the page_fault frame below."""
    task = k.state.tasks[t]
    below = task.frames[task.depth - 2]
    if below.held & n.H_MMAP_READ:
        below.held &= ~n.H_MMAP_READ
        up_read(k, below.mm)


@compiled
def __lock_page_or_retry(k, t, f, killable):
    """The first lock of a fault: TAKEN, WAITING (asleep), KILLED, or RETRIED.

    With FAULT_FLAG_ALLOW_RETRY the wait is for the page to be unlocked, without mmap_sem, and the fault starts again.
    """
    if f.phase != RETRY_PHASE:
        if f.fault & n.F_ALLOW_RETRY == 0:
            return __lock_page(k, t, f.page, killable)
        if trylock_page(k, t, f.page):
            return TAKEN
        drop_mmap_sem(k, t)
        f.phase = RETRY_PHASE
    waited = wait_on_page_locked(k, t, f.page, killable)
    if waited == WAITING:
        return WAITING
    f.phase = 0
    return KILLED if waited == KILLED else RETRIED
