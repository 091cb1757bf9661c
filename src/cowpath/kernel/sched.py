"""Tasks: fork, exec, exit, wait, sleep (kernel/fork.c, fs/exec.c, kernel/exit.c). Who runs when is the driver's."""

from __future__ import annotations

from . import names as n
from . import state as st
from .compiled import compiled
from .hierarchy import parent_of
from .memcontrol import made_progress
from .mmap import copy_range, exit_mmap_chunk, mm_alloc, mm_free, new_vma
from .signals import kill_tree, send_sigkill
from .wait import announce, current, emit, fatal_signal_pending, sleep_alone, wake

KILLED_STATUS = 137  # 128 + SIGKILL, as a shell gives it
SIGBUS_STATUS = 135
SIGSEGV_STATUS = 139
NO_CHILD_STATUS = 127


@compiled
def new_task(k):
    """A task's record, zeroed; NONE when there is no room."""
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
    task.run_state = n.T_RUNNABLE
    task.mm = n.NONE
    task.parent = n.NONE
    task.leader = t
    task.first_child = n.NONE
    task.last_child = n.NONE
    task.sibling = n.NONE
    state.births += 1
    task.born = state.births
    task.slot = n.NONE
    task.affinity = n.NONE
    task.is_root = 1
    task.reuse_vpn = n.NONE
    books = k.books.tasks[t]
    books.vruntime = 0
    books.since = 0
    books.asleep = 0
    books.stalled = n.NONE
    books.alarm = 0
    books.via = n.NONE
    books.cpu_ns = 0
    books.minflt = 0
    books.majflt = 0
    return t


@compiled
def leave_thread_group(k, t):
    """A thread's record goes; if it was the leader's, another thread leads from now on."""
    tasks = k.state.tasks
    if tasks[t].leader != t:
        tasks[tasks[t].leader].threads -= 1
        return
    heir = n.NONE
    for other in range(k.state.n_tasks if tasks[t].threads > 0 else 0):
        if other != t and tasks[other].run_state != n.T_FREE and tasks[other].leader == t:
            if heir == n.NONE:
                heir = other
                tasks[heir].threads = tasks[t].threads - 1
            tasks[other].leader = heir
    tasks[t].threads = 0


@compiled
def release_task(k, t):
    """The record of a task that nobody waits for any more."""
    task = k.state.tasks[t]
    leave_thread_group(k, t)
    if task.slot != n.NONE and k.state.names[task.slot] == t + 1:
        k.state.names[task.slot] = 0
    task.run_state = n.T_FREE
    task.mm = 0
    task.group = 0
    task.parent = 0
    task.leader = n.NONE
    task.first_child = 0
    task.last_child = 0
    task.born = 0
    task.program = 0
    task.slot = 0
    task.pc = 0
    task.status = 0
    task.exit_status = 0
    task.cpu = 0
    task.affinity = 0
    task.oom_score_adj = 0
    task.is_root = 0
    task.sigbus_handler = 0
    task.progress = 0
    task.entry = 0
    task.reuse_left = 0
    task.reuse_vpn = 0
    task.remaining = 0
    task.sigkill = 0
    task.memdie = 0
    task.oom_victim = 0
    task.exiting = 0
    task.granted = 0
    for i in range(len(task.registers)):
        task.registers[i] = 0
    task.sibling = k.state.free_task
    k.state.free_task = t


@compiled
def join_group(k, t, g):
    """The task is charged to this group from now on (its pages stay where they are, as in v1)."""
    task = k.state.tasks[t]
    k.state.groups[task.group].tasks -= 1
    k.state.groups[g].tasks += 1
    task.group = g
    if task.mm != n.NONE:
        k.state.mms[task.mm].owner_group = g
    emit(k, n.EV_GROUP, t, g, n.NONE, 0, 0)


@compiled
def dup_mm(k, t):
    """dup_mmap: a chunk of the parent's mappings a move."""
    f = current(k, t)
    k.books.resched_ok = 1
    if f.phase == 0:
        child_mm = mm_alloc(k, k.state.tasks[t].group)
        if child_mm == n.NONE:
            return n.FAIL_OOM
        f.which = child_mm
        f.vma = k.state.mms[f.mm].vmas
        f.phase = 1
        f.vpn = n.NONE
        return n.AGAIN
    if f.vma == n.NONE:
        f.phase = 0
        return n.NEXT
    vma = k.state.vmas[f.vma]
    if f.vpn == n.NONE:
        new_vma(k, f.which, vma.start, vma.end, vma.file, vma.pgoff, vma.prot & ~n.VM_LOCKED)
        f.vpn = vma.start
    f.vpn = copy_range(k, f.mm, f.which, f.vma, f.vpn)
    if f.vpn >= vma.end:
        f.vma = vma.next
        f.vpn = n.NONE
    return n.AGAIN


@compiled
def wake_up_new_task(k, t):
    """The end of do_fork: the child's record, and it runs. The parent's status is 0."""
    f = current(k, t)
    child = new_task(k)
    if child == n.NONE:
        return n.FAIL_OOM
    op = k.books.ops[f.arg]
    task = k.state.tasks[t]
    new = k.state.tasks[child]
    if op.bits & n.FORK_THREAD:
        new.mm = task.mm
        k.state.mms[task.mm].users += 1
        new.leader = task.leader
        k.state.tasks[task.leader].threads += 1
    else:
        new.mm = f.which
    new.group = task.group
    k.state.groups[task.group].tasks += 1
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
    for i in range(len(task.registers)):
        new.registers[i] = task.registers[i]
    k.books.tasks[child].vruntime = k.books.tasks[t].vruntime
    k.books.tasks[child].since = k.books.now
    if op.b != n.NONE:
        new.slot = op.b
        k.state.names[op.b] = child + 1
    if fatal_signal_pending(k, t):  # what a dying task forks dies with it
        new.sigkill = 1
    emit(k, n.EV_FORK, t, child, op.c, op.b, 0)
    announce(k, child)
    return n.NEXT


@compiled
def exec_mmap(k, t):
    """Leave the old address space (and take it down, if this was its last user) for an empty one."""
    f = current(k, t)
    k.books.resched_ok = 1
    task = k.state.tasks[t]
    if f.phase == 0:
        fresh = mm_alloc(k, task.group)
        if fresh == n.NONE:
            return n.FAIL_OOM
        f.which = task.mm
        task.mm = fresh
        f.phase = 1
        if f.which != n.NONE:
            k.state.mms[f.which].users -= 1
            if k.state.mms[f.which].users > 0:
                f.which = n.NONE  # its last user takes it down
        return n.AGAIN
    if f.which == n.NONE or exit_mmap_chunk(k, f.which):
        if f.which != n.NONE:
            mm_free(k, f.which)
        f.phase = 0
        op = k.books.ops[f.arg]
        task.program = op.c
        task.pc = op.a
        task.entry = op.a
        task.reuse_left = 0
        task.reuse_vpn = n.NONE
        task.sigbus_handler = 0
        emit(k, n.EV_EXEC, t, op.c, 0, 0, 0)
        return n.NEXT
    return n.AGAIN


@compiled
def exit_mm(k, t):
    """exit_mm: the task lets go of its address space, which is taken down, a chunk a move, if this was its last user.

    From the beginning the OOM killer sees a task without an mm, and looks at others.
    """
    f = current(k, t)
    k.books.resched_ok = 1
    task = k.state.tasks[t]
    if f.phase == 0:
        task.exiting = 1
        f.which = task.mm
        f.phase = 1
        task.mm = n.NONE
        if f.which == n.NONE:
            return n.NEXT
        k.state.mms[f.which].users -= 1
        if k.state.mms[f.which].users > 0:
            return n.NEXT
    if not exit_mmap_chunk(k, f.which):
        return n.AGAIN
    mm_free(k, f.which)
    return n.NEXT


@compiled
def mmput(k, t):
    """Who looked at another's address space lets go of it; if its task died meanwhile, it is taken down here."""
    f = current(k, t)
    k.books.resched_ok = 1
    if f.phase == 0:
        k.state.mms[f.mm].users -= 1
        f.phase = 1
    if k.state.mms[f.mm].users == 0:
        if not exit_mmap_chunk(k, f.mm):
            return n.AGAIN
        mm_free(k, f.mm)
    f.phase = 0
    return n.NEXT


@compiled
def reparent(k, t):
    """Orphans go to nobody: dead ones are reaped, live ones reap themselves."""
    child = k.state.tasks[t].first_child
    while child != n.NONE:
        after = k.state.tasks[child].sibling
        k.state.tasks[child].parent = n.NONE
        k.state.tasks[child].sibling = n.NONE
        if k.state.tasks[child].run_state == n.T_ZOMBIE:
            release_task(k, child)
        child = after
    k.state.tasks[t].first_child = n.NONE
    k.state.tasks[t].last_child = n.NONE


@compiled
def exit_notify(k, t):
    """The task is dead: tell its parent, leave the group."""
    task = k.state.tasks[t]
    f = current(k, t)
    status = f.arg
    if task.sigkill:
        status = KILLED_STATUS
    emit(k, n.EV_EXIT, t, task.sigkill, task.oom_victim, status, 0)
    g = task.group
    k.state.groups[g].tasks -= 1
    if g > 0:
        made_progress(k, g)
        note_death(k, t, g, status)
    task.exit_status = status
    task.run_state = n.T_ZOMBIE
    clear_frame(task.frames[0])
    task.depth = 0
    reparent(k, t)
    parent = task.parent
    if parent == n.NONE:
        release_task(k, t)
        return n.EXITED
    waiting = k.state.tasks[parent]
    if waiting.run_state == n.T_SLEEPING and waiting.wait_kind == n.W_CHILD:
        wake(k, parent)
    return n.EXITED


@compiled
def note_death(k, t, g, status):
    """How the group's tasks end, for the verdict on the group."""
    task = k.state.tasks[t]
    while g != n.NONE:
        books = k.books.groups[g]
        books.deaths += 1
        if task.sigkill:
            books.killed += 1
        g = parent_of(k, g)


@compiled
def clear_frame(f):
    """A frame that is not in use is zeroes."""
    f.path = 0
    f.pc = 0
    f.phase = 0
    f.held = 0
    f.ret = 0
    f.unwinding = 0
    f.fault = 0
    f.relock = 0
    f.page = 0
    f.newpage = 0
    f.mm = 0
    f.vma = 0
    f.file = 0
    f.group = 0
    f.batch = 0
    f.retries = 0
    f.oomed = 0
    f.priority = 0
    f.which = 0
    f.todo = 0
    f.done = 0
    f.scanned = 0
    f.vpn = 0
    f.index = 0
    f.count = 0
    f.arg = 0


@compiled
def unlink_child(k, t, child):
    """Take a dead child off the parent's list."""
    before = n.NONE
    at = k.state.tasks[t].first_child
    while at != child:
        before = at
        at = k.state.tasks[at].sibling
    after = k.state.tasks[child].sibling
    if before == n.NONE:
        k.state.tasks[t].first_child = after
    else:
        k.state.tasks[before].sibling = after
    if after == n.NONE:
        k.state.tasks[t].last_child = before


@compiled
def do_wait(k, t):
    """wait4: for one named child, any, or all; its exit status becomes the caller's status."""
    f = current(k, t)
    task = k.state.tasks[t]
    want = f.arg
    child = task.first_child
    living = 0
    while child != n.NONE:
        after = k.state.tasks[child].sibling
        ours = want < 0 or k.state.tasks[child].slot == want
        if ours and k.state.tasks[child].run_state == n.T_ZOMBIE:
            f.which = max(f.which, k.state.tasks[child].exit_status)
            unlink_child(k, t, child)
            release_task(k, child)
            if want != n.ALL_CHILDREN:
                task.status = f.which
                return n.NEXT
        elif ours:
            living += 1
        child = after
    if living == 0:
        task.status = max(0, f.which) if want == n.ALL_CHILDREN else NO_CHILD_STATUS
        return n.NEXT
    if task.sigkill:
        return n.FAIL_KILLED
    return sleep_alone(k, t, n.W_CHILD, want, 1)


@compiled
def nanosleep(k, t):
    """Sleep until the driver's timer (or a fatal signal) ends it."""
    f = current(k, t)
    if k.state.tasks[t].sigkill:
        return n.FAIL_KILLED
    if f.phase == 1:
        return n.NEXT
    f.phase = 1
    return sleep_alone(k, t, n.W_TIMER, f.arg, 1)


@compiled
def kill_step(k, t):
    """kill -9: a task, or a task and its descendants."""
    f = current(k, t)
    op = k.books.ops[f.arg]
    victim = k.state.names[op.a] - 1
    if victim == n.NONE:
        k.state.tasks[t].status = 1
        return n.NEXT
    if op.bits & n.KILL_TREE:
        kill_tree(k, victim)
    else:
        send_sigkill(k, victim)
    k.state.tasks[t].status = 0
    return n.NEXT
