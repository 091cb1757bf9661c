"""What must always be true of locks, and of what frames say they hold. Each function answers OK, or what is wrong."""

from __future__ import annotations

import numpy as np

from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.compiled import compiled
from cowpath.kernel.generated import mutex_of, mutexes_of, rwsem_of, rwsems_of, which_mutex, which_rwsem
from cowpath.kernel.hierarchy import is_below
from cowpath.kernel.memcg_oom import HAS_LOCK, IN_SECTION
from cowpath.kernel.page_lock import was_handed
from cowpath.kernel.step import IN_USER_MODE, UNWINDING

from .invariants_pages import OK, mm_is_free
from .waitfor import alive


@compiled
def step_of(k, t):
    """The kernel step in which a task is, or NONE in user mode (and while it gives things back after an error)."""
    task = k.state.tasks[t]
    if task.depth == 0:
        return n.NONE
    f = task.frames[task.depth - 1]
    return n.NONE if f.unwinding else k.books.paths[f.path].steps[f.pc]


@compiled
def holds_page(k, t, p):
    """How many of the task's frames hold this page's lock."""
    count = 0
    for d in range(k.state.tasks[t].depth):
        f = k.state.tasks[t].frames[d]
        count += f.held & n.H_PAGE_LOCK != 0 and f.page == p
    return count


@compiled
def takes_handed(k, t, p):
    """An unlock has handed the task this page's lock, and its next move takes it."""
    task = k.state.tasks[t]
    handed = task.run_state == n.T_RUNNABLE and task.depth > 0 and was_handed(k, t, p)
    return handed and task.frames[task.depth - 1].page == p and task.frames[task.depth - 1].held & n.H_PAGE_LOCK == 0


@compiled
def request_has(k, r, p):
    """The page is one of the disk request's."""
    if not 0 <= r < len(k.state.requests) or not k.state.requests[r].busy:
        return False
    other = k.state.requests[r].first
    while other != n.NONE and other != p:
        other = k.state.pages[other].io_next
    return other == p


@compiled
def page_locks_have_owners(k):
    """The owner of a page lock is alive and knows it, or is a disk request that has the page."""
    for p in range(k.state.n_pages):
        owner = k.state.pages[p].locked_by
        if owner >= 0 and (owner >= k.state.n_tasks or not alive(k, owner)):
            return p
        if owner >= 0 and holds_page(k, owner, p) != 1 and not takes_handed(k, owner, p):
            return p
        if owner <= n.REQUEST_OWNER and not request_has(k, n.REQUEST_OWNER - owner, p):
            return p
    return OK


@compiled
def next_move(k, t):
    """What the task's frames say of its next move, in the terms of ``books.tasks[t].following``."""
    step = step_of(k, t)
    if step != n.NONE:
        return 1 + step
    return IN_USER_MODE if k.state.tasks[t].depth == 0 else UNWINDING


@compiled
def frames_own_what_they_hold(k):
    """What a frame says it holds is its task's; a charge is never in hand without its page; the dead have no frames."""
    for t in range(k.state.n_tasks):
        task = k.state.tasks[t]
        if task.depth > 0 and not alive(k, t):
            return t
        for d in range(task.depth):
            f = task.frames[d]
            if f.held & n.H_PAGE_LOCK and k.state.pages[f.page].locked_by != t:
                return t
            if f.held & n.H_MMAP_WRITE and k.state.mms[f.mm].mmap_sem.writer != t:
                return t
            if f.held & n.H_INVALIDATE_WRITE and k.state.files[f.file].invalidate_lock.writer != t:
                return t
            if f.held & n.H_MUTEXES and not owns_mutexes(k, t, f):
                return t
            if f.held & n.H_CHARGE and f.held & n.H_NEW_PAGE == 0 and f.path != s.P_SWAP_IN:
                return t
            making = k.books.paths[f.path].steps[f.pc] == s.PTE_ALLOC_ONE
            if (f.prealloc_pte != n.NONE) != (f.held & n.H_PAGE_TABLE != 0) and not making:
                return t
    return OK


@compiled
def faults_keep_their_lock(k):
    """A fault that is about to map a page has the address space's lock, or its caller has: what was let go for I/O is
    had again before.
    """
    for t in range(k.state.n_tasks):
        task = k.state.tasks[t]
        step = step_of(k, t)
        if step != s.MAP_PAGE and step != s.MAP_ZERO_PAGE:
            continue
        f = task.frames[task.depth - 1]
        below = task.frames[max(0, task.depth - 2)]
        if f.vma != n.NONE and below.path == s.P_PAGE_FAULT and below.held & (n.H_MMAP_READ | n.H_VMA_READ) == 0:
            return t
    return OK


@compiled
def owns_mutexes(k, t, f):
    """The mutexes that a frame says it holds are its task's."""
    for kind in range(n.WAIT_KINDS):
        if n.IS_MUTEX[kind] and f.held & n.HOLD_OF_WAIT[kind] and mutex_of(k, kind, which_mutex(f, kind)).owner != t:
            return False
    return True


@compiled
def next_steps_are_known(k):
    """The next step, which is looked up in advance, is the one that the frames say."""
    for t in range(k.state.n_tasks):
        if k.books.tasks[t].following != next_move(k, t):
            return t
    return OK


@compiled
def holders(k, kind, which):
    """How many frames hold an rwsem in the way that who waits so wants to, and tasks to whom it was just handed."""
    found = 0
    for t in range(k.state.n_tasks):
        task = k.state.tasks[t]
        for d in range(task.depth):
            f = task.frames[d]
            found += f.held & n.HOLD_OF_WAIT[kind] != 0 and which_rwsem(f, kind) == which
        if task.granted:
            step = step_of(k, t)
            takes = step != n.NONE and s.TAKES[step] & n.HOLD_OF_WAIT[kind] != 0
            found += takes and which_rwsem(task.frames[task.depth - 1], kind) == which
    return found


@compiled
def rwsems_add_up(k):
    """Readers and the writer of an rwsem are the frames that hold it and those to whom it was just handed; nobody has
    a free address space's."""
    for kind in range(n.WAIT_KINDS):
        for i in range(0 if n.TO_WRITE[kind] else rwsems_of(k, kind)):
            sem = rwsem_of(k, kind, i)
            readers, writers = holders(k, kind, i), holders(k, kind + 1, i)
            if sem.readers != readers or (sem.writer != n.NONE) != writers or (readers > 0 and writers > 0):
                return i
    for m in range(k.state.n_mms):
        if mm_is_free(k, m) and (k.state.mms[m].users != 0 or k.state.mms[m].mmap_sem.waiters.head != n.NONE):
            return m
    return OK


@compiled
def vma_locks_add_up(k):
    """A mapping's readers are the frames that have its lock, and none has that of a mapping that is gone; it is marked
    only while somebody has mmap_sem for writing.
    """
    state = k.state
    readers = np.zeros(state.n_vmas, np.int32)
    for t in range(state.n_tasks):
        for d in range(state.tasks[t].depth):
            f = state.tasks[t].frames[d]
            if f.held & n.H_VMA_READ:
                readers[f.vma] += 1
    for v in range(state.n_vmas):
        vma = state.vmas[v]
        if vma.readers != readers[v] or (vma.end == 0 and (vma.readers != 0 or vma.marked != 0)):
            return v
        if vma.marked and state.mms[vma.mm].mmap_sem.writer == n.NONE:
            return v
    return OK


@compiled
def mutexes_have_owners(k):
    """The owner of a mutex is alive and knows it."""
    for kind in range(n.WAIT_KINDS):
        for i in range(mutexes_of(k, kind)):
            owner = mutex_of(k, kind, i).owner
            if owner == n.FREE:
                continue
            count = 0
            for d in range(k.state.tasks[owner].depth):
                f = k.state.tasks[owner].frames[d]
                count += f.held & n.HOLD_OF_WAIT[kind] != 0 and which_mutex(f, kind) == i
            if count != 1 or not alive(k, owner):
                return i
    return OK


@compiled
def oom_sections_add_up(k):
    """oom_lock and under_oom of a group are at most the tasks in a section over it, and 0 when there are none.

    At most, since a group that is made while its parent is in the section is not counted, but taken off (as in 3.0).
    """
    state = k.state
    inside = np.zeros(state.n_groups, np.int32)
    locked = np.zeros(state.n_groups, np.int32)
    for t in range(state.n_tasks):
        for d in range(state.tasks[t].depth):
            f = state.tasks[t].frames[d]
            if f.path == s.P_RECLAIM or f.oomed & IN_SECTION == 0:
                continue
            for g in range(1, state.n_groups):
                if is_below(k, g, f.group):
                    inside[g] += 1
                    locked[g] += f.oomed & HAS_LOCK != 0
    for g in range(1, state.n_groups):
        group = state.groups[g]
        most = inside[g] if state.oom_counter else min(1, locked[g])
        if group.alive and not (0 <= group.oom_lock <= most and 0 <= group.under_oom <= inside[g]):
            return g
    for t in range(state.n_tasks):
        task = state.tasks[t]
        in_section = task.depth > 0 and task.frames[task.depth - 1].oomed & IN_SECTION
        if task.run_state == n.T_SLEEPING and task.wait_kind == n.W_OOM and not in_section:
            return t
    return OK
