"""step(): one atomic move of one task, and what follows from a step's answer. All drivers call this."""

from __future__ import annotations

from . import (
    cgroup,
    exit,
    filemap,
    fork,
    kswapd,
    map_page,
    memory,
    readahead,
    signals,
    swap_state,
    syscalls,
    truncate,
    vmscan,
    writeback,
)
from . import names as n
from . import steps as s
from .compiled import compiled, inlined
from .frames import clear_frame, do_page_fault, push
from .memcg_charge import R_KSWAPD, step_charge, undo_charge
from .pte_alloc import pte_free, step_pte_alloc_one
from .rwsem import up_read, up_write
from .user import after_kernel, user
from .wait import current, emit, spend, step_nanosleep

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
    if which < s.RA_WINDOW:
        status = run_fault_step(k, t, which)
    elif which < s.DUP_MM:
        status = run_file_step(k, t, which)
    else:
        status = run_task_step(k, t, which)
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
        call(k, t, f, which)
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
def call(k, t, f, which):
    """Push the path that a step has called for."""
    if which == s.FIND_PAGE or which == s.LOCK_PAGE or which == s.GRAB_PAGE:
        below = push(k, t, s.P_SWAP_IN if f.phase == filemap.SWAP_PHASE else s.P_READAHEAD)
        below.file = f.file
        below.index = f.index
        if f.phase != filemap.SWAP_PHASE:
            below.vma = f.vma
            below.count = f.count  # of a read: what is still to come
            below.arg = f.phase
    elif which == s.CHARGE or which == s.RESIZE_LIMIT or which == s.ALLOC_PAGE or which == s.PTE_ALLOC_ONE:
        below = push(k, t, s.P_RECLAIM)
        below.group = f.group
        below.arg = f.todo
    elif which == s.HANDLE_PTE_FAULT:
        below = push(k, t, f.which)
        below.mm = f.mm
        below.vpn = f.vpn
        below.vma = f.vma
        below.file = f.file
        below.index = f.index
        below.fault = f.fault
    elif which == s.FIND_SWAP_PAGE:
        below = push(k, t, s.P_SWAP_READAHEAD)
        below.index = f.arg
    elif which == s.BALANCE_DIRTY_PAGES or which == s.WB_WRITEBACK:
        below = push(k, t, s.P_WRITEBACK)
        below.count = writeback.WRITE_CHUNK if which == s.BALANCE_DIRTY_PAGES else writeback.CHUNK
        below.arg = f.arg if which == s.WB_WRITEBACK else 0
    elif which == s.BALANCE_PGDAT:
        below = push(k, t, s.P_RECLAIM)
        below.arg = R_KSWAPD
    elif which == s.POPULATE:  # get_user_pages: not killable
        do_page_fault(k, t, f.mm, f.vpn, f.fault | n.F_ALLOW_RETRY)
    else:  # copy_to_user, copy_from_user
        do_page_fault(k, t, k.state.tasks[t].mm, f.arg + f.vpn, f.fault | n.F_ALLOW_RETRY | n.F_KILLABLE)


@inlined
def leave(k, t, f, status):
    """The path is over: its result goes to the path that called it, or to user mode."""
    task = k.state.tasks[t]
    if f.path == s.P_PAGE_FAULT:
        memory.note_fault(k, t, f, status)
    value = f.done if f.path == s.P_RECLAIM or f.path == s.P_WRITEBACK else 0
    major = f.fault & n.F_MAJOR
    path = f.path
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
        up_read(k, f.mm)
        f.held &= ~n.H_MMAP_READ
    elif bit == n.H_MMAP_WRITE:
        spend(k, s.MMAP_WRITE_UNLOCK)
        up_write(k, f.mm)
        f.held &= ~n.H_MMAP_WRITE
    elif bit == n.H_I_MUTEX:
        spend(k, s.I_MUTEX_UNLOCK)
        syscalls.step_i_mutex_unlock(k, t)


@compiled
def taken_by(which):
    """What a step takes that has to be given back on an error (the table in steps.py says the same)."""
    if which == s.LOCK_PAGE:
        return n.H_PAGE_LOCK
    if which == s.FIND_PAGE or which == s.WP_REUSE or which == s.FIND_SWAP_PAGE:
        return n.H_PAGE_REF
    if which == s.GRAB_PAGE:
        return n.H_PAGE_LOCK | n.H_PAGE_REF
    if which == s.ALLOC_PAGE:
        return n.H_NEW_PAGE
    if which == s.CHARGE:
        return n.H_CHARGE
    if which == s.PTE_ALLOC_ONE:
        return n.H_PAGE_TABLE
    if which == s.MMAP_READ_LOCK:
        return n.H_MMAP_READ
    if which == s.MMAP_WRITE_LOCK:
        return n.H_MMAP_WRITE
    if which == s.I_MUTEX_LOCK:
        return n.H_I_MUTEX
    if which == s.ADD_TO_PAGE_CACHE:  # write(2): the page that it has inserted is in hand, locked
        return n.H_PAGE_LOCK | n.H_PAGE_REF
    return 0


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
        bits = taken_by(path.steps[f.pc]) & f.held
        if bits:
            undo_one(k, t, f, bits & n.H_PAGE_LOCK if bits & n.H_PAGE_LOCK else bits)
            return n.AGAIN
        f.pc -= 1
    return give_up(k, t, f)


@compiled
def give_up(k, t, f):
    """The end of an error exit. What read-ahead has gathered before it failed is read all the same."""
    if (f.path == s.P_READAHEAD or f.path == s.P_SWAP_READAHEAD) and f.which != n.NONE:
        filemap.step_submit_io(k, t)
    return leave(k, t, f, f.unwinding)


@inlined
def run_fault_step(k, t, which):
    """Steps of a fault."""
    if which == s.MMAP_READ_LOCK:
        return memory.step_mmap_read_lock(k, t)
    if which == s.FIND_VMA:
        return memory.step_find_vma(k, t)
    if which == s.HANDLE_PTE_FAULT:
        return memory.step_handle_pte_fault(k, t)
    if which == s.MMAP_READ_UNLOCK:
        return memory.step_mmap_read_unlock(k, t)
    if which == s.FIND_PAGE:
        return filemap.step_find_page(k, t)
    if which == s.LOCK_PAGE:
        if current(k, t).path == s.P_SWAP_IN:
            return swap_state.lock_swap_page(k, t)
        return filemap.filemap_fault(k, t)
    if which == s.UNLOCK_PAGE:
        return memory.step_unlock_page(k, t)
    if which == s.PUT_PAGE:
        return memory.step_put_page(k, t)
    if which == s.ANON_VMA_PREPARE:
        return memory.step_anon_vma_prepare(k, t)
    if which == s.ALLOC_PAGE:
        return memory.step_alloc_page(k, t)
    if which == s.CHARGE:
        return step_charge(k, t)
    if which == s.COPY_PAGE:
        return memory.step_copy_page(k, t)
    if which == s.CLEAR_PAGE:
        return memory.step_clear_page(k, t)
    if which == s.MAP_PAGE:
        return map_page.step_map_page(k, t)
    if which == s.MAP_ZERO_PAGE:
        return map_page.step_map_zero_page(k, t)
    if which == s.RECHECK_MAPPING:
        return memory.step_recheck_mapping(k, t)
    if which == s.PAGE_MKWRITE:
        return memory.step_page_mkwrite(k, t)
    if which == s.WP_REUSE:
        return memory.step_wp_reuse(k, t)
    if which == s.FIND_SWAP_PAGE:
        return swap_state.step_find_swap_page(k, t)
    if which == s.PTE_ALLOC_ONE:
        return step_pte_alloc_one(k, t)
    return writeback.step_balance_dirty_pages(k, t)


@compiled
def run_file_step(k, t, which):
    """Steps of read-ahead and of the calls on files and mappings."""
    if which == s.RA_WINDOW:
        return readahead.step_ra_window(k, t)
    if which == s.EACH_PAGE:
        return syscalls.step_each_page(k, t)
    if which == s.NEXT_PAGE:
        return syscalls.step_next_page(k, t)
    if which == s.ADD_TO_PAGE_CACHE:
        return filemap.step_add_to_page_cache(k, t)
    if which == s.SUBMIT_IO:
        return filemap.step_submit_io(k, t)
    if which == s.WAIT_UPTODATE:
        return filemap.step_wait_uptodate(k, t)
    if which == s.COPY_TO_USER:
        return syscalls.copy_user(k, t, 1)
    if which == s.COPY_FROM_USER:
        return syscalls.copy_user(k, t, 0)
    if which == s.GRAB_PAGE:
        return filemap.step_grab_page(k, t)
    if which == s.SET_PAGE_DIRTY:
        return filemap.step_set_page_dirty(k, t)
    if which == s.I_MUTEX_LOCK:
        return syscalls.step_i_mutex_lock(k, t)
    if which == s.I_MUTEX_UNLOCK:
        return syscalls.step_i_mutex_unlock(k, t)
    if which == s.SWAP_WINDOW:
        return swap_state.step_swap_window(k, t)
    if which == s.ADD_TO_SWAP_CACHE:
        return swap_state.step_add_to_swap_cache(k, t)
    if which == s.WRITE_CACHE_PAGES:
        return writeback.step_write_cache_pages(k, t)
    if which == s.FILEMAP_FDATAWAIT:
        return writeback.step_filemap_fdatawait(k, t)
    if which == s.MMAP_WRITE_LOCK:
        return memory.step_mmap_write_lock(k, t)
    if which == s.MMAP_WRITE_UNLOCK:
        return memory.step_mmap_write_unlock(k, t)
    if which == s.MAP_REGION:
        return syscalls.step_map_region(k, t)
    if which == s.UNMAP_REGION:
        return syscalls.step_unmap_region(k, t)
    if which == s.MLOCK_FIXUP:
        return syscalls.step_mlock_fixup(k, t)
    if which == s.POPULATE:
        return syscalls.step_populate(k, t)
    if which == s.INVALIDATE_PAGE:
        return filemap.step_invalidate_page(k, t)
    if which == s.TRUNCATE_SETSIZE:
        return truncate.step_truncate_setsize(k, t)
    if which == s.TRUNCATE_PAGE:
        return truncate.step_truncate_page(k, t)
    if which == s.UNMAP_MAPPING_RANGE:
        return truncate.step_unmap_mapping_range(k, t)
    return n.NEXT  # show_map: only its cost


@compiled
def run_task_step(k, t, which):
    """Steps of tasks, of the groups' files, and of reclaim."""
    if which == s.DUP_MM:
        return fork.step_dup_mm(k, t)
    if which == s.WAKE_UP_NEW_TASK:
        return fork.step_wake_up_new_task(k, t)
    if which == s.EXEC_MMAP:
        return fork.step_exec_mmap(k, t)
    if which == s.EXIT_MM:
        return exit.step_exit_mm(k, t)
    if which == s.EXIT_NOTIFY:
        return exit.step_exit_notify(k, t)
    if which == s.DO_WAIT:
        return exit.step_do_wait(k, t)
    if which == s.NANOSLEEP:
        return step_nanosleep(k, t)
    if which == s.SEND_SIGKILL:
        return signals.step_send_sigkill(k, t)
    if which == s.RESIZE_LIMIT:
        return cgroup.step_resize_limit(k, t)
    if which == s.FLUSHER_SLEEP:
        return writeback.step_flusher_sleep(k, t)
    if which == s.WB_WRITEBACK:
        return writeback.step_wb_writeback(k, t)
    if which == s.KSWAPD_TRY_TO_SLEEP:
        return kswapd.step_kswapd_try_to_sleep(k, t)
    if which == s.BALANCE_PGDAT:
        return kswapd.step_balance_pgdat(k, t)
    if which == s.DRAIN_ALL_STOCK:
        return vmscan.step_drain_all_stock(k, t)
    if which == s.SHRINK_ZONE:
        return vmscan.step_shrink_zone(k, t)
    return exit.step_mmput(k, t)
