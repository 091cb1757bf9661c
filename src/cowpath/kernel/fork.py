"""A task begins: fork, clone, exec (kernel/fork.c, fs/exec.c). Who runs when is the driver's."""

from __future__ import annotations

from . import names as n
from . import objects as o
from . import state as st
from . import steps as s
from .compiled import compiled
from .exit import forget_files, forget_job
from .generated import begin_task
from .hierarchy import note_member
from .kmem import STACK, UNRECLAIMABLE, free_objects, give_to_mm, give_to_task, size_of
from .kmem_charge import charge_objects, is_counted
from .mmap import copy_page_range, copy_ra_state, exit_mmap, mm_alloc, mm_free, new_vma, next_to_copy
from .munlock import munlock_vma_pages_range
from .pte_alloc import pmd_populate
from .wait import announce, current, emit, fatal_signal_pending, go_to


@compiled
def new_task(k):
    """A task's record; NONE when there is no room."""
    state = k.state
    t = state.free_task
    if t != n.NONE:
        state.free_task = state.tasks[t].sibling
    elif state.n_tasks < len(state.tasks):
        t = state.n_tasks
        state.n_tasks += 1
    else:
        k.books.error = st.ERR_TASKS
        return n.NONE
    task = state.tasks[t]
    begin_task(task)
    task.run_state = n.T_RUNNABLE
    task.leader = t
    state.births += 1
    task.born = state.births
    task.is_root = 1
    books = k.books.tasks[t]
    books.vruntime = 0
    books.since = 0
    books.asleep = 0
    books.stalled = n.NONE
    books.alarm = 0
    books.over_since = 0
    books.chosen_at = 0
    books.reaped = 0
    books.ends = 0
    books.via = n.NONE
    books.cpu_ns = 0
    books.minflt = 0
    books.majflt = 0
    books.family = 0
    books.began = 0
    books.completed = 0
    return t


@compiled
def step_dup_mm(k, t):
    """The child's address space."""
    k.books.resched_ok = 1
    return dup_mmap(k, t, current(k, t))


@compiled
def dup_mmap(k, t, f):
    """A chunk of the parent's mappings a move."""
    if f.phase == 0:
        child_mm = mm_alloc(k, k.state.tasks[t].group)
        if child_mm == n.NONE:
            return n.FAIL_OOM
        f.other_mm = child_mm
        give_to_mm(k, f, child_mm)
        f.vma = k.state.mms[f.mm].vmas
        f.phase = 1
        f.vpn = n.NONE
        return n.AGAIN
    if f.vma == n.NONE:
        f.phase = 0
        return n.NEXT
    vma = k.state.vmas[f.vma]
    if f.vpn == n.NONE:
        vm_area_dup(k, f)
    f.vpn = copy_page_range(k, f.mm, f.other_mm, f.vma, f.vpn, vma.end)
    if f.vpn >= vma.end:
        f.vma = vma.next
        f.vpn = n.NONE
    return n.AGAIN


@compiled
def vm_area_dup(k, f):
    """The child's copy of a mapping; its pages are still to come."""
    vma = k.state.vmas[f.vma]
    new = new_vma(k, f.other_mm, vma.start, vma.end, vma.file, vma.pgoff, vma.prot & ~n.VM_LOCKED)
    copy_ra_state(k, f.vma, new)
    f.vpn = vma.start
    return new


@compiled
def charge_vm_area(k, t, f):
    """The same, and the copy is charged; it may turn out to be a part of the one before."""
    if not is_counted(k, t, f):
        vm_area_dup(k, f)
        return n.NEXT
    status = charge_objects(k, t, f, size_of(k, o.VM_AREA_STRUCT), STACK if f.objects > 0 else 0, UNRECLAIMABLE)
    if status != n.NEXT:
        return status
    new = vm_area_dup(k, f)
    if new == n.NONE or k.state.vmas[new].kmem:
        free_objects(k, f.charged_group, size_of(k, o.VM_AREA_STRUCT))
    else:
        k.state.vmas[new].kmem = 1 + f.charged_group
    return n.NEXT


@compiled
def step_dup_mmap(k, t):
    """The head of dup_mmap's loop, where page tables are charged: on to the next one of the parent's that is copied,
    a mapping a move; out of the loop when there is none.
    """
    f = current(k, t)
    k.books.resched_ok = 1
    if f.other_mm == n.NONE:
        f.other_mm = mm_alloc(k, k.state.tasks[t].group)
        if f.other_mm == n.NONE:
            return n.FAIL_OOM
        give_to_mm(k, f, f.other_mm)
        return next_mapping(k, f, k.state.mms[f.mm].vmas)
    if f.vma == n.NONE:
        go_to(k, f, s.COPY_PAGE_RANGE)
        return n.NEXT
    if f.vpn == n.NONE:
        status = charge_vm_area(k, t, f)
        if status != n.NEXT:
            return status
    f.vpn = next_to_copy(k, f.mm, f.vma, f.vpn)
    if f.vpn < k.state.vmas[f.vma].end:
        return n.NEXT
    return next_mapping(k, f, k.state.vmas[f.vma].next)


@compiled
def next_mapping(k, f, v):
    """On to a mapping of the parent's; where mappings have locks it is marked first."""
    f.vma = v
    f.vpn = n.NONE
    go_to(k, f, s.VMA_START_WRITE)
    return n.AGAIN


@compiled
def step_copy_page_range(k, t):
    """copy_pte_range: the entries of one page table, and back to the loop's head."""
    f = current(k, t)
    k.books.resched_ok = 1
    if f.held & n.H_PAGE_TABLE:
        pmd_populate(k, t, f, f.other_mm)
    entries = len(k.state.tables[0].pte)
    end = min(k.state.vmas[f.vma].end, (f.vpn | (entries - 1)) + 1)
    f.vpn = copy_page_range(k, f.mm, f.other_mm, f.vma, f.vpn, end)
    if f.vpn < end:
        return n.AGAIN
    go_to(k, f, s.DUP_MMAP)
    f.pc -= 1
    return n.NEXT


@compiled
def undo_dup_mm(k, f):
    """The error exit of dup_mm: mmput takes the unfinished address space down, a chunk a move. True when it is gone."""
    if not exit_mmap(k, f.other_mm):
        return False
    mm_free(k, f.other_mm)
    f.other_mm = n.NONE
    return True


@compiled
def step_wake_up_new_task(k, t):
    """The end of do_fork: the child's record, and it runs. The parent's status is 0."""
    f = current(k, t)
    child = new_task(k)
    if child == n.NONE:
        return n.FAIL_OOM
    op = k.books.ops[f.op]
    task = k.state.tasks[t]
    new = k.state.tasks[child]
    if op.bits & n.FORK_THREAD:
        new.mm = task.mm
        k.state.mms[task.mm].users += 1
        new.leader = task.leader
        k.state.tasks[task.leader].threads += 1
    else:
        new.mm = f.other_mm
    new.group = task.group
    give_to_task(k, f, child)
    k.state.groups[task.group].tasks += 1
    note_member(k, task.group)
    new.parent = t
    if task.last_child == n.NONE:
        task.first_child = child
    else:
        k.state.tasks[task.last_child].sibling = child
    task.last_child = child
    new.program = op.c
    new.pc = op.a
    new.entry = op.a
    new.cpu = task.cpu
    new.affinity = op.d - 1 if op.d > 0 else task.affinity
    new.oom_score_adj = task.oom_score_adj
    new.is_root = task.is_root
    new.sigbus_handler = task.sigbus_handler
    new.pdeath_signal = op.bits & n.FORK_DIES_TOO
    for i in range(len(task.registers)):
        new.registers[i] = task.registers[i]
    k.books.tasks[child].vruntime = k.books.tasks[t].vruntime
    k.books.tasks[child].since = k.books.now
    k.books.tasks[child].family = k.books.tasks[t].family
    k.books.tasks[child].began = op.a
    if op.bits & n.FORK_SHELL:
        k.books.tasks[child].reaped = 1
    if op.b != n.NONE:
        if op.bits & n.FORK_ANEW:
            forget_job(k, t, op.b)
        new.slot = op.b
        k.state.names[op.b] = child + 1
    if fatal_signal_pending(k, t):  # what a dying task forks dies with it
        new.sigkill = 1
    emit(k, n.EV_FORK, t, child, op.c, op.b, 0)
    announce(k, child)
    return n.NEXT


@compiled
def step_exec_mmap(k, t):
    """Leave the old address space (and take it down, if this was its last user) for an empty one."""
    f = current(k, t)
    k.books.resched_ok = 1
    task = k.state.tasks[t]
    if f.phase == 0:
        fresh = mm_alloc(k, task.group)
        if fresh == n.NONE:
            return n.FAIL_OOM
        give_to_mm(k, f, fresh)
        f.other_mm = task.mm
        f.mm = n.NONE
        task.mm = fresh
        f.phase = 1
        if f.other_mm != n.NONE:
            k.state.mms[f.other_mm].users -= 1
            if k.state.mms[f.other_mm].users > 0:
                f.other_mm = n.NONE  # its last user takes it down
        return n.AGAIN
    if f.other_mm != n.NONE and not munlock_vma_pages_range(k, t, f, f.other_mm, 0, n.UNLIMITED):
        return n.SLEEP
    if f.other_mm == n.NONE or exit_mmap(k, f.other_mm):
        if f.other_mm != n.NONE:
            mm_free(k, f.other_mm)
            f.other_mm = n.NONE
        f.phase = 0
        op = k.books.ops[f.op]
        task.program = op.c
        task.pc = op.a
        task.entry = op.a
        task.reuse_left = 0
        task.reuse_vpn = n.NONE
        task.sigbus_handler = 0
        forget_files(k, task)
        emit(k, n.EV_EXEC, t, op.c, 0, 0, 0)
        return n.NEXT
    return n.AGAIN
