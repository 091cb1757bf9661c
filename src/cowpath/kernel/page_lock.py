"""The page lock: PG_locked, its wait queue, and the fault's way of waiting for it (mm/filemap.c).

A lock's owner is a task, or the disk request that reads the page.
"""

from __future__ import annotations

from . import names as n
from . import steps as s
from .compiled import compiled
from .figures import note_hold
from .mmap_lock import vma_end_read
from .places import place_of
from .policies import number
from .rwsem import up_read
from .wait import emit, fatal_signal_pending, page_owner, pop_waiter, sleep_on

TAKEN = 0
WAITING = 1
KILLED = 2
RETRIED = 3  # of lock_page_or_retry: the fault starts again, and mmap_sem has been let go

IN_FRONT = number("page_lock_queue", "in front")
HAND_OVER = number("page_lock_queue", "hand-over")
UNFAIRNESS = 5  # sysctl_page_lock_unfairness: sleeps after which others may be faster (5ef64cc8987a)
WOKEN = -1  # of task.lock_sleeps: who waited for the page to be unlocked has seen that, whoever has locked it since
FOR_IO = number("fault_retry", "io")
RETRY_PHASE = 7  # of a frame: mmap_sem was dropped, the wait ends in VM_FAULT_RETRY


@compiled
def trylock_page(k, t, p):
    """Take a page's lock if it is free."""
    page = k.state.pages[p]
    if page.locked_by != n.FREE:
        return False
    begin_hold(k, p, t, k.books.tasks[t].following - 1)  # the step that is running
    return True


@compiled
def begin_hold(k, p, owner, step):
    """The lock of a page that was not locked belongs to an owner, who has taken it in this step."""
    k.state.pages[p].locked_by = owner
    k.books.pages[p].locked_at = k.books.now
    k.books.pages[p].locked_in = step
    k.books.locked += 1
    if k.books.locked > k.books.most_locked:
        k.books.most_locked = k.books.locked
        k.books.most_locked_at = k.books.now


@compiled
def hold_kind(k, p):
    """Who has a locked page's lock: HOLD_*."""
    owner = k.state.pages[p].locked_by
    if owner >= 0:
        return n.HOLD_TASK
    if k.state.requests[n.REQUEST_OWNER - owner].submitted:
        return n.HOLD_DISK
    step = k.books.pages[p].locked_in
    if step == s.ADD_TO_SWAP_CACHE:
        return n.HOLD_SWAP_READAHEAD
    return n.HOLD_READAHEAD if step == s.ADD_TO_PAGE_CACHE else n.HOLD_TASK


@compiled
def end_hold(k, p):
    """Who has a page's lock is about to let it go, or to hand it on."""
    kind = hold_kind(k, p)
    books = k.books.pages[p]
    held = k.books.now - books.locked_at
    owner = page_owner(k, p)
    note_hold(k, p, kind, owner if kind != n.HOLD_DISK else n.NONE, held)
    if k.books.log_mask:
        sent = kind == n.HOLD_READAHEAD or kind == n.HOLD_SWAP_READAHEAD
        emit(k, n.EV_LOCK_SENT if sent else n.EV_LOCK, owner, p, books.locked_in, held, place_of(k, p))


@compiled
def hand_on(k, p):
    """A page stays locked, and its lock is about to be another owner's."""
    end_hold(k, p)
    k.books.pages[p].locked_at = k.books.now


@compiled
def unlock_page(k, p):
    """Let a page's lock go and wake those who wait: all who only wait, and the first who wants the lock."""
    page = k.state.pages[p]
    if page.locked_by != n.FREE:  # a broken design may let go twice
        end_hold(k, p)
        k.books.locked -= 1
    page.locked_by = n.FREE
    queue = page.waiters
    while queue.head != n.NONE:
        exclusive = k.state.tasks[queue.head].exclusive
        t = pop_waiter(k, queue)
        if k.state.page_lock_queue == HAND_OVER:
            wake_page_function(k, t, p, exclusive)
        if exclusive:
            return


@compiled
def wake_page_function(k, t, p, exclusive):
    """wake_page_function (2a9127fcf229, 5.9): who only waited is done, who has often lost has the lock."""
    if not exclusive:
        k.state.tasks[t].lock_sleeps = WOKEN
    elif k.state.tasks[t].lock_sleeps > UNFAIRNESS:
        begin_hold(k, p, t, k.books.tasks[t].following - 1)


@compiled
def was_handed(k, t, p):
    """An unlock has given the task the lock; its next step takes it."""
    return k.state.pages[p].locked_by == t and k.state.tasks[t].lock_sleeps > UNFAIRNESS


@compiled
def __lock_page(k, t, p, killable):
    """__lock_page, __lock_page_killable: TAKEN, WAITING (asleep), or KILLED."""
    if trylock_page(k, t, p) or was_handed(k, t, p):
        k.state.tasks[t].lock_sleeps = 0
        return TAKEN
    if killable and fatal_signal_pending(k, t):
        k.state.tasks[t].lock_sleeps = 0
        return KILLED
    if k.state.page_lock_queue == HAND_OVER:
        k.state.tasks[t].lock_sleeps = min(k.state.tasks[t].lock_sleeps, UNFAIRNESS) + 1
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
    if k.state.pages[p].locked_by == n.FREE or k.state.tasks[t].lock_sleeps == WOKEN:
        k.state.tasks[t].lock_sleeps = 0
        return TAKEN
    if killable and fatal_signal_pending(k, t):
        return KILLED
    return sleep_for_page(k, t, p, killable, 0)


@compiled
def sleep_for_page(k, t, p, killable, exclusive):
    """Sleep on the page's wait queue: WAITING."""
    page = k.state.pages[p]
    emit(k, n.EV_LOCK_WAIT, t, p, page_owner(k, p), place_of(k, p), 0)
    sleep_on(k, t, page.waiters, n.W_PAGE_LOCK, p, killable, exclusive)
    return WAITING


@compiled
def drop_mmap_sem(k, t):
    """__lock_page_or_retry lets mmap_sem go before it waits: it is held by the page_fault frame below."""
    task = k.state.tasks[t]
    below = task.frames[task.depth - 2]
    if below.held & n.H_MMAP_READ:
        below.held &= ~n.H_MMAP_READ
        up_read(k, k.state.mms[below.mm].mmap_sem)
    elif below.held & n.H_VMA_READ:
        vma_end_read(k, below)


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


@compiled
def maybe_unlock_mmap_for_io(k, t, f):
    """maybe_unlock_mmap_for_io (6b4c9f446981, 5.1): mmap_sem is let go before the first thing of a fault that may take
    long, if the fault may be tried again: it ends in VM_FAULT_RETRY then, whatever comes of that.
    """
    if k.state.allow_retry == FOR_IO and f.fault & n.F_ALLOW_RETRY and f.fault & n.F_FPIN == 0:
        drop_mmap_sem(k, t)
        f.fault |= n.F_FPIN


@compiled
def lock_page_maybe_drop_mmap(k, t, f, killable):
    """lock_page_maybe_drop_mmap (5.1): the wait is for the lock itself, which is let go again at once if mmap_sem was.
    TAKEN, WAITING (asleep) or KILLED.
    """
    if trylock_page(k, t, f.page):
        return TAKEN
    maybe_unlock_mmap_for_io(k, t, f)
    return __lock_page(k, t, f.page, killable)
