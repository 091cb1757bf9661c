"""A task ends: exit and wait (kernel/exit.c)."""

from __future__ import annotations

from . import names as n
from .compiled import compiled
from .completion import complete_all, wait_for_completion
from .generated import begin_task, clear_frame
from .hierarchy import parent_of
from .kmem import close_file, free_stack, free_task_struct
from .memcontrol import made_progress
from .mmap import exit_mmap, mm_free
from .munlock import munlock_vma_pages_range
from .signals import has_stopped, send_sigkill, wake_tracer
from .wait import current, emit, sleep_alone, try_to_wake_up

KILLED_STATUS = 137  # 128 + SIGKILL, as a shell gives it
SIGBUS_STATUS = 135
SIGSEGV_STATUS = 139
EXEC_FAILED_STATUS = 126  # of a shell's child that could not run the program
NO_CHILD_STATUS = 127
ECHILD = 10


@compiled
def step_exit_mm(k, t):
    """The beginning of a task's end."""
    k.books.resched_ok = 1
    return exit_mm(k, t, current(k, t))


@compiled
def exit_mm(k, t, f):
    """The task lets go of its address space, which is taken down, a chunk a move, if this was its last user.

    It has had the mmap_sem before. From the beginning the OOM killer sees a task without an mm, and looks at others.
    """
    task = k.state.tasks[t]
    if f.phase == 0:
        f.other_mm = task.mm
        f.mm = n.NONE
        f.phase = 1
        task.mm = n.NONE
        k.state.mms[f.other_mm].users -= 1
    if k.state.mms[f.other_mm].users == 0:
        if not munlock_vma_pages_range(k, t, f, f.other_mm, 0, n.UNLIMITED):
            return n.SLEEP
        if not exit_mmap(k, f.other_mm):
            return n.AGAIN
        mm_free(k, f.other_mm)
    f.other_mm = n.NONE
    return n.NEXT


@compiled
def step_mmput(k, t):
    """The end of a look at another's address space."""
    k.books.resched_ok = 1
    return mmput(k, t, current(k, t))


@compiled
def mmput(k, t, f):
    """Who looked at another's address space lets go of it; if its task died meanwhile, it is taken down here."""
    if f.phase == 0:
        k.state.mms[f.mm].users -= 1
        f.phase = 1
    if k.state.mms[f.mm].users == 0:
        if not munlock_vma_pages_range(k, t, f, f.mm, 0, n.UNLIMITED):
            return n.SLEEP
        if not exit_mmap(k, f.mm):
            return n.AGAIN
        mm_free(k, f.mm)
    f.phase = 0
    return n.NEXT


@compiled
def step_exit_notify(k, t):
    """The task is dead: tell its parent, leave the group."""
    task = k.state.tasks[t]
    f = current(k, t)
    status = f.arg
    if task.sigkill:
        status = KILLED_STATUS
    emit(k, n.EV_EXIT, t, task.sigkill, task.oom_victim, status, task.progress)
    g = task.group
    free_stack(k, t)
    k.state.groups[g].tasks -= 1
    if g > 0:
        made_progress(k, g)
        note_death(k, t, g, status)
    task.exit_status = status
    task.run_state = n.T_ZOMBIE
    wake_tracer(k, t)
    if k.books.tasks[t].family:
        complete_all(k, t)
    clear_frame(task.frames[0])
    task.depth = 0
    reparent(k, t)
    parent = task.parent
    if parent == n.NONE:
        release_task(k, t)
        return n.EXITED
    if k.books.tasks[t].reaped == 1:  # its status is kept here for a later wait, as a shell keeps it
        k.books.tasks[t].reaped = 2
        k.books.nr_threads -= 1
    waiting = k.state.tasks[parent]
    if waiting.run_state == n.T_SLEEPING and waiting.wait_kind == n.W_CHILD:
        try_to_wake_up(k, parent)
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
def reparent(k, t):
    """Orphans go to nobody: dead ones are reaped, live ones reap themselves, or die too if they have asked for that."""
    child = k.state.tasks[t].first_child
    while child != n.NONE:
        after = k.state.tasks[child].sibling
        k.state.tasks[child].parent = n.NONE
        k.state.tasks[child].sibling = n.NONE
        if k.state.tasks[child].run_state == n.T_ZOMBIE:
            release_task(k, child)
        elif k.state.tasks[child].pdeath_signal:
            send_sigkill(k, child)
        child = after
    k.state.tasks[t].first_child = n.NONE
    k.state.tasks[t].last_child = n.NONE


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
def forget_files(k, task):
    """Files are closed: the next program opens its own."""
    for i in range(len(task.opened)):
        opened = task.opened[i]
        close_file(k, opened)
        opened.file = 0
        opened.prev = 0
        opened.ra.start = 0
        opened.ra.pages = 0
        opened.ra.async_pages = 0


@compiled
def release_task(k, t):
    """The record of a task that nobody waits for any more."""
    task = k.state.tasks[t]
    if k.books.tasks[t].reaped != 2:
        k.books.nr_threads -= 1
    free_task_struct(k, t)
    leave_thread_group(k, t)
    if task.slot != n.NONE and k.state.names[task.slot] == t + 1:
        k.state.names[task.slot] = 0
    begin_task(task)
    task.run_state = n.T_FREE
    forget_files(k, task)
    task.sibling = k.state.free_task
    k.state.free_task = t


@compiled
def step_do_wait(k, t):
    """wait4: for one named child, any, or all; its exit status becomes the caller's status."""
    f = current(k, t)
    task = k.state.tasks[t]
    want = f.arg
    if f.todo == n.WAIT_STOPPED:
        return wait_for_stop(k, t, want)
    if f.todo == n.WAIT_COMPLETION:
        return wait_for_completion(k, t)
    child = task.first_child
    living = 0
    while child != n.NONE:
        after = k.state.tasks[child].sibling
        ours = want < 0 or k.state.tasks[child].slot == want
        if ours and k.state.tasks[child].run_state == n.T_ZOMBIE:
            f.status = max(f.status, k.state.tasks[child].exit_status)
            unlink_child(k, t, child)
            release_task(k, child)
            if want != n.ALL_CHILDREN:
                task.status = f.status
                return n.NEXT
        elif ours:
            living += 1
        child = after
    if living == 0:
        task.status = f.status if want == n.ALL_CHILDREN else NO_CHILD_STATUS
        return n.NEXT
    if task.sigkill:
        return n.FAIL_KILLED
    return sleep_alone(k, t, n.W_CHILD, want, 1)


@compiled
def wait_for_stop(k, t, slot):
    """wait4 of who has attached to a task: until that has stopped, or has gone (ECHILD)."""
    task = k.state.tasks[t]
    other = k.state.names[slot] - 1
    if other == n.NONE or k.state.tasks[other].run_state == n.T_ZOMBIE:
        task.status = ECHILD
        return n.NEXT
    if has_stopped(k, other):
        return n.NEXT
    if task.sigkill:
        return n.FAIL_KILLED
    return sleep_alone(k, t, n.W_TRACED, slot, 1)


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
def forget_job(k, t, slot):
    """A shell starts a job anew: the last of this name has it no longer, and those without one are reaped when dead."""
    old = k.state.names[slot] - 1
    if old != n.NONE and k.state.tasks[old].parent == t:
        k.state.tasks[old].slot = n.NONE
    child = k.state.tasks[t].first_child
    while child != n.NONE:
        after = k.state.tasks[child].sibling
        if k.state.tasks[child].slot == n.NONE and k.state.tasks[child].run_state == n.T_ZOMBIE:
            unlink_child(k, t, child)
            release_task(k, child)
        child = after
