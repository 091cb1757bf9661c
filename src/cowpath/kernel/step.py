"""step(): one atomic move of one task, and what follows from a step's answer. All drivers call this."""

from __future__ import annotations

from . import filemap, memory
from . import names as n
from . import steps as s
from .compiled import compiled, inlined
from .dispatch import (
    FIRST_OF_FILES,
    FIRST_OF_TASKS,
    call_from,
    run_fault_step,
    run_file_step,
    run_own_step,
    run_task_step,
)
from .fork import undo_dup_mm
from .generated import clear_frame
from .invalidate_lock import invalidate_unlock
from .kmem import undo_kmem
from .memcg_charge import undo_charge
from .mmap_lock import vma_end_read, vma_end_write_all
from .mutex import mutex_of_hold, mutex_unlock
from .pte_alloc import pte_free
from .rwsem import up_read, up_write
from .swapfile import swapcache_free
from .syscalls import note_returned, what_was_done
from .user import after_kernel, user
from .wait import emit, spend

IN_USER_MODE = 0  # books.tasks[t].following; else 1 + the step, or
UNWINDING = -1


@inlined
def step(k, t):
    """Let task ``t`` make one move; books.spent is its cost in ns. NEXT, AGAIN, SLEEP, YIELD, HOST or EXITED."""
    books = k.books
    books.spent = 0
    books.steps += 1
    following = books.tasks[t].following
    if following == IN_USER_MODE:
        books.resched_ok = 1
        status = user(k, t)
        look_ahead(k, t)
        return status
    books.resched_ok = 0
    task = k.state.tasks[t]
    f = task.frames[task.depth - 1]
    if following == UNWINDING:
        status = unwind(k, t, f)
        look_ahead(k, t)
        return status
    which = following - 1
    path = f.path
    spend(k, which)
    if path <= s.LAST_FAULT_PATH:
        books.groups[task.group].counters[n.C_STEPS] += 1
    if which < FIRST_OF_FILES:
        status = run_fault_step(k, t, which)
    elif which < FIRST_OF_TASKS:
        status = run_file_step(k, t, which)
    elif which < s.OF_THE_KERNEL:
        status = run_task_step(k, t, which)
    else:
        status = run_own_step(k, t, which)
    if (books.log_mask >> n.EV_STEP) & 1:
        emit(k, n.EV_STEP, t, which, status, books.spent, path)
    return settle(k, t, f, which, status)


@inlined
def look_ahead(k, t):
    """Note which step the task takes next, now that nothing waits for it: it decides where the next move jumps to."""
    task = k.state.tasks[t]
    following = IN_USER_MODE
    if task.depth > 0:
        f = task.frames[task.depth - 1]
        following = UNWINDING
        if f.unwinding == 0:
            following = 1 + k.books.paths[f.path].steps[f.pc]
    k.books.tasks[t].following = following


@inlined
def settle(k, t, f, which, status):
    """Go on as the step has answered."""
    if status == n.NEXT:
        path = k.books.paths[f.path]
        f.pc += 1
        if f.pc < path.length:
            k.books.tasks[t].following = 1 + path.steps[f.pc]  # look_ahead, the usual case
            return n.NEXT
        status = leave(k, t, f, n.NEXT)
    elif status == n.CALL:
        call_from(k, t, f, which)
        status = n.NEXT
    elif status >= n.RETRY:
        f.unwinding = status
        f.phase = 0
        if k.books.paths[f.path].has_on_error:
            f.pc = 0
        status = n.AGAIN
    look_ahead(k, t)
    return status


@inlined
def leave(k, t, f, status):
    """The path is over: its result goes to the path that called it, or to user mode."""
    task = k.state.tasks[t]
    if f.path == s.P_PAGE_FAULT or f.path == s.P_HANDLE_MM_FAULT:
        memory.note_fault(k, t, f, status)
    value = f.done if f.path == s.P_RECLAIM or f.path == s.P_WRITEBACK else 0
    major = f.fault & n.F_MAJOR
    path = f.path
    if task.depth == 1:
        note_returned(k, t, f, path)
    clear_frame(f)
    task.depth -= 1
    if task.depth == 0:
        return after_kernel(k, t, path, status)
    above = task.frames[task.depth - 1]
    above.fault |= major
    above.ret = value if status == n.NEXT else -status
    return n.NEXT


@compiled
def undo_one(k, t, f, bit):
    """Give one thing back that the frame holds."""
    if bit == n.H_PAGE_LOCK:
        spend(k, s.UNLOCK_PAGE)
        memory.step_unlock_page(k, t)
    elif bit == n.H_PAGE_REF:
        spend(k, s.PUT_PAGE)
        memory.step_put_page(k, t)
    elif bit == n.H_CHARGE:
        undo_charge(k, t)
    elif bit == n.H_NEW_PAGE:
        memory.undo_alloc(k, t)
    elif bit == n.H_PAGE_TABLE:
        pte_free(k, t, f)
    elif bit == n.H_MMAP_READ:
        spend(k, s.MMAP_READ_UNLOCK)
        up_read(k, k.state.mms[f.mm].mmap_sem)
        f.held &= ~n.H_MMAP_READ
    elif bit == n.H_MMAP_WRITE:
        spend(k, s.MMAP_WRITE_UNLOCK)
        vma_end_write_all(k, f.mm)
        up_write(k, k.state.mms[f.mm].mmap_sem)
        f.held &= ~n.H_MMAP_WRITE
    elif bit & (n.H_INVALIDATE_READ | n.H_INVALIDATE_WRITE):
        spend_unlock(k, bit)
        invalidate_unlock(k, f)
    elif bit == n.H_SWAP_ENTRY:
        swapcache_free(k, f)
    elif bit == n.H_VMA_READ:
        vma_end_read(k, f)
    elif bit == n.H_KMEM:
        undo_kmem(k, f)
    elif bit & n.H_MUTEXES:
        spend_unlock(k, bit)
        mutex_unlock(k, t, mutex_of_hold(bit))


@compiled
def spend_unlock(k, bit):
    """What the step costs that gives this back on the path."""
    for which in range(s.MOST_STEPS):
        if s.GIVES[which] & bit:
            spend(k, which)
            return


@compiled
def unwind(k, t, f):
    """After an error: one undo a move, in reverse order of the steps, or as the design's own error exit says."""
    path = k.books.paths[f.path]
    if path.has_on_error:
        while f.pc < path.error_length:
            bit = path.on_error[f.pc]
            f.pc += 1
            if f.held & bit:
                undo_one(k, t, f, bit)
                return n.AGAIN
        return give_up(k, t, f)
    while f.pc >= 0:
        bits = s.TO_UNDO[path.steps[f.pc]] & f.held
        if bits:
            undo_one(k, t, f, bits & n.H_PAGE_LOCK if bits & n.H_PAGE_LOCK else bits)
            return n.AGAIN
        f.pc -= 1
    return give_up(k, t, f)


@compiled
def give_up(k, t, f):
    """The end of an error exit. What read-ahead has gathered before it failed is read all the same."""
    if (f.path == s.P_READAHEAD or f.path == s.P_SWAP_READAHEAD) and f.request != n.NONE:
        filemap.step_submit_io(k, t)
    if f.path == s.P_FORK and f.other_mm != n.NONE and not undo_dup_mm(k, f):
        return n.AGAIN
    status = f.unwinding
    return leave(k, t, f, what_was_done(k, t, f) if status == n.FAIL_CHARGE else status)
