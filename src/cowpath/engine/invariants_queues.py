"""What must always be true of wait queues and wake-ups. Each function answers OK, or what is wrong."""

from __future__ import annotations

import numpy as np

from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.charge_oom import OOM_MUTEX_PHASE, W_OOM_LOCK
from cowpath.kernel.compiled import compiled
from cowpath.kernel.completion import awaited
from cowpath.kernel.generated import mutex_of, mutexes_of, rwsem_of, rwsems_of, which_mutex

from .invariants_locks import step_of
from .invariants_pages import OK
from .timers import WAKE_TASK
from .waitfor import alive


@compiled
def count_queue(k, queue, kind, other_kind, which, seen):
    """Mark who stands in a wait queue. False if somebody does not belong there or the queue's ends are wrong.

    ``which`` = NONE: the queue is for many things.
    """
    last = n.NONE
    t = queue.head
    while t != n.NONE:
        task = k.state.tasks[t]
        if seen[t] or task.run_state != n.T_SLEEPING or (task.wait_id != which and which != n.NONE):
            return False
        if task.wait_kind != kind and task.wait_kind != other_kind:
            return False
        seen[t] = 1
        last = t
        t = task.wait_next
    return queue.tail == last


@compiled
def sleepers_stand_in_their_queue(k):
    """Each sleeper is in the queue that it names, and nobody else is in any; who is being killed sleeps on only
    where the kernel lets him."""
    state = k.state
    seen = np.zeros(state.n_tasks, np.int8)
    for p in range(state.n_pages):
        if not count_queue(k, state.pages[p].waiters, n.W_PAGE_LOCK, n.W_PAGE_LOCK, p, seen):
            return p
    for kind in range(n.WAIT_KINDS):
        for i in range(0 if n.TO_WRITE[kind] else rwsems_of(k, kind)):
            if not count_queue(k, rwsem_of(k, kind, i).waiters, kind, kind + 1, i, seen):
                return i
    for kind in range(n.WAIT_KINDS):
        for i in range(mutexes_of(k, kind)):
            if not count_queue(k, mutex_of(k, kind, i).waiters, kind, kind, i, seen):
                return i
    for slot in range(state.n_swaps):
        if not count_queue(k, state.swaps[slot].waiters, n.W_SWAP_ENTRY, n.W_SWAP_ENTRY, slot, seen):
            return slot
    for g in range(state.n_groups):
        if not count_queue(k, state.groups[g].oom_waiters, n.W_OOM, n.W_OOM, g, seen):
            return g
    if not count_queue(k, state.congested, n.W_CONGESTED, n.W_CONGESTED, 0, seen):
        return n.UNLIMITED
    if not count_queue(k, state.writeback_waiters, n.W_WRITEBACK, n.W_WRITEBACK, n.NONE, seen):
        return n.UNLIMITED
    for t in range(state.n_tasks):
        task = state.tasks[t]
        if task.run_state != n.T_SLEEPING:
            if seen[t] or task.wait_kind != n.W_NONE:
                return t
            continue
        if seen[t] != n.QUEUED[task.wait_kind] or (task.sigkill and task.killable):
            return t
    return OK


@compiled
def will_lock(k, p):
    """A runnable task is about to take this page's lock."""
    for t in range(k.state.n_tasks):
        if k.state.tasks[t].run_state != n.T_RUNNABLE or k.state.tasks[t].depth == 0:
            continue
        f = k.state.tasks[t].frames[k.state.tasks[t].depth - 1]
        step = step_of(k, t)
        locking = step == s.LOCK_PAGE or step == s.GRAB_PAGE or step == s.TRUNCATE_PAGE or step == s.WP_REUSE
        locking = locking or step == s.WRITE_CACHE_PAGES or step == s.UNMAP_REGION or step == s.MAP_REGION
        locking = locking or step == s.EXIT_MM or step == s.EXEC_MMAP or step == s.MMPUT  # munlock_vma_pages_range
        if locking and f.page == p and f.held & n.H_PAGE_REF:
            return True
    return False


@compiled
def will_lock_mutex(k, kind, which):
    """A runnable task is about to take this mutex."""
    for t in range(k.state.n_tasks):
        task = k.state.tasks[t]
        step = step_of(k, t) if task.run_state == n.T_RUNNABLE else n.NONE
        if kind == W_OOM_LOCK and step != n.NONE:
            locking = task.frames[task.depth - 1].phase == OOM_MUTEX_PHASE and s.CHARGES[step] != 0
        else:
            locking = step != n.NONE and s.TAKES[step] & n.HOLD_OF_WAIT[kind] != 0
        if locking and which_mutex(task.frames[task.depth - 1], kind) == which:
            return True
    return False


@compiled
def has_alarm(k, t):
    """The timer that ends the task's sleep is set, or one that goes off before."""
    if k.books.tasks[t].ends < k.books.tasks[t].alarm:
        return False
    for i in range(k.books.n_timers):
        timer = k.books.timers[i]
        if timer.what == WAKE_TASK and timer.which == t and timer.at == k.books.tasks[t].alarm:
            return True
    return False


@compiled
def no_wakeup_is_lost(k):
    """Nobody sleeps on a lock that nobody has and nobody is about to take, on a dead child, for a task that is so far
    or dead, for a page that is written already, or without a timer; the flusher does not sleep for ever while something
    is dirty, nor the OOM reaper while there is a victim.
    """
    state = k.state
    for t in range(state.n_tasks):
        task = state.tasks[t]
        if task.run_state != n.T_SLEEPING:
            continue
        kind = task.wait_kind
        which = task.wait_id
        if kind == n.W_PAGE_LOCK and state.pages[which].locked_by == n.FREE and not will_lock(k, which):
            return t
        if n.IS_MUTEX[kind] and mutex_of(k, kind, which).owner == n.FREE and not will_lock_mutex(k, kind, which):
            return t
        if n.IS_RWSEM[kind]:
            sem = rwsem_of(k, kind, which)
            if sem.writer == n.NONE and sem.readers == 0:
                return t
        if kind == n.W_VMA_LOCK:
            vma = state.vmas[which]
            if vma.readers == 0 or state.mms[vma.mm].mmap_sem.writer != t:
                return t
        if n.ENDS_BY_TIME[kind] and not has_alarm(k, t):
            return t
        if kind == n.W_WRITEBACK and state.pages[which].bits & n.PG_WRITEBACK == 0:
            return t
        if kind == n.W_IDLE and task.kthread != which:
            return t
        if kind == n.W_IDLE and which == n.KT_FLUSHER and state.zone.dirty > 0 and not has_alarm(k, t):
            return t
        if kind == n.W_SWAP_ENTRY and not state.swaps[which].reserved:
            return t
        if kind == n.W_IDLE and which == n.KT_OOM_REAPER and state.oom_reaper_list != n.NONE:
            return t
        if kind == n.W_CHILD and not has_living_child(k, t, which):
            return t
        if kind == n.W_COMPLETION and awaited(k, t, k.books.ops[task.pc]) != which:
            return t
    return OK


@compiled
def has_living_child(k, t, want):
    """There is a child to wait for, and none that is dead already."""
    child = k.state.tasks[t].first_child
    living = False
    while child != n.NONE:
        if want < 0 or k.state.tasks[child].slot == want:
            if not alive(k, child):
                return False
            living = True
        child = k.state.tasks[child].sibling
    return living
