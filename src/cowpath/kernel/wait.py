"""Time, the log, and wait queues: what every other file of the kernel stands on (kernel/wait.c, kernel/sched.c)."""

from __future__ import annotations

from . import names as n
from . import steps as s
from .compiled import compiled
from .figures import note_wait
from .generated import mutex_of, rwsem_of, which_rwsem


@compiled
def spend(k, what):
    """The current step costs this much more (``what``: an entry of the cost table)."""
    k.books.spent += k.books.cost[what]


@compiled
def spend_times(k, what, times):
    """The current step costs ``times`` entries more."""
    k.books.spent += k.books.cost[what] * times


@compiled
def random_below(k, bound):
    """A number from 0 to bound - 1 (MINSTD): the machine's own, so that a run is a function of its seed."""
    k.books.rng = k.books.rng * 48271 % 2147483647
    return k.books.rng % bound


@compiled
def emit(k, kind, t, a, b, value, extra):
    """Append an event to the log block, if its kind is wanted. The driver empties the block in good time."""
    books = k.books
    if (books.log_mask >> kind) & 1 == 0 or books.log_count >= len(books.log):
        return
    event = books.log[books.log_count]
    books.log_count += 1
    event.time = books.now
    event.kind = kind
    event.cpu = books.cpu
    event.task = t
    event.a = a
    event.b = b
    event.value = value
    event.extra = extra


@compiled
def current(k, t):
    """The frame in which the task is."""
    task = k.state.tasks[t]
    return task.frames[task.depth - 1]


@compiled
def go_to(k, f, step):
    """Go back to an earlier step of the frame's path."""
    path = k.books.paths[f.path]
    for i in range(path.length):
        if path.steps[i] == step:
            f.pc = i
            return


@compiled
def fatal_signal_pending(k, t):
    """A SIGKILL is on its way to this task."""
    return k.state.tasks[t].sigkill != 0


@compiled
def sleep_on(k, t, queue, kind, which, killable, exclusive):
    """Put the task on a wait queue; the step runs again when it is woken.

    At the end; but who only waits for a page's lock or for memory stands in front (prepare_to_wait).
    """
    task = k.state.tasks[t]
    task.run_state = n.T_SLEEPING
    task.wait_kind = kind
    task.wait_id = which
    task.killable = killable
    task.exclusive = exclusive
    task.wait_next = n.NONE
    if queue.tail == n.NONE:
        queue.head = t
        queue.tail = t
    elif not exclusive and n.IN_FRONT[kind] and (kind != n.W_PAGE_LOCK or k.state.page_lock_queue == 0):
        task.wait_next = queue.head
        queue.head = t
    else:
        k.state.tasks[queue.tail].wait_next = t
        queue.tail = t
    _fell_asleep(k, t)
    return n.SLEEP


@compiled
def sleep_alone(k, t, kind, which, killable):
    """Sleep on no queue: a timer or an exiting child wakes the task by name."""
    task = k.state.tasks[t]
    task.run_state = n.T_SLEEPING
    task.wait_kind = kind
    task.wait_id = which
    task.killable = killable
    task.exclusive = 0
    task.wait_next = n.NONE
    _fell_asleep(k, t)
    return n.SLEEP


@compiled
def sleep_nap(k, t, kind, which, ns):
    """Sleep on no queue, uninterruptibly, until a timer ends it after ``ns`` (0: none does)."""
    k.books.tasks[t].pause = ns
    return sleep_alone(k, t, kind, which, 0)


@compiled
def _fell_asleep(k, t):
    task = k.state.tasks[t]
    k.books.tasks[t].since = k.books.now
    k.books.tasks[t].stalled = n.NONE
    step = n.NONE
    if task.depth > 0:
        f = task.frames[task.depth - 1]
        step = k.books.paths[f.path].steps[f.pc]
    if (k.books.log_mask >> n.EV_WAIT) & 1:
        emit(k, n.EV_WAIT, t, task.wait_kind, task.wait_id, step, owner_of(k, t, task.wait_kind, task.wait_id))


@compiled
def owner_of(k, t, kind, which):
    """Who stands in the way of a task that sleeps: a task, a disk request (REQUEST_OWNER - r), or NONE."""
    if kind == n.W_PAGE_LOCK:
        return page_owner(k, which)
    if n.IS_MUTEX[kind]:
        return mutex_of(k, kind, which).owner
    if not n.IS_RWSEM[kind]:
        return n.NONE
    sem = rwsem_of(k, kind, which)
    if sem.writer != n.NONE:
        return sem.writer
    if not n.TO_WRITE[kind] and sem.waiters.head != t:
        return sem.waiters.head  # behind a writer that waits
    return reader_of(k, kind, which)


@compiled
def page_owner(k, p):
    """Who has a page's lock: a task, a disk request that is on its way, or the task that has yet to submit it."""
    owner = k.state.pages[p].locked_by
    if owner <= n.REQUEST_OWNER:
        request = k.state.requests[n.REQUEST_OWNER - owner]
        if not request.submitted:
            return request.owner
    return owner


@compiled
def reader_of(k, kind, which):
    """A task that holds this rwsem for reading, or NONE."""
    for t in range(k.state.n_tasks):
        if has_to_read(k, t, kind, which):
            return t
    return n.NONE


@compiled
def has_to_read(k, t, kind, which):
    """The task holds this rwsem for reading."""
    bit = n.HOLD_OF_WAIT[n.TO_READ_IT[kind]]
    task = k.state.tasks[t]
    for d in range(task.depth):
        if task.frames[d].held & bit and which_rwsem(task.frames[d], kind) == which:
            return True
    return False


@compiled
def holds_vma(k, t, v):
    """The task has the lock of this mapping, for reading."""
    task = k.state.tasks[t]
    for d in range(task.depth):
        if task.frames[d].vma == v and task.frames[d].held & n.H_VMA_READ:
            return True
    return False


@compiled
def holds_entry(k, t, slot):
    """The task has reserved this swap slot."""
    task = k.state.tasks[t]
    for d in range(task.depth):
        if task.frames[d].swap == slot and task.frames[d].held & n.H_SWAP_ENTRY:
            return True
    return False


@compiled
def try_to_wake_up(k, t):
    """try_to_wake_up: the task is runnable; the driver is told. It must be on no queue any more."""
    task = k.state.tasks[t]
    asleep = k.books.now - k.books.tasks[t].since
    k.books.tasks[t].asleep += asleep
    note_wait(k, t, task.wait_kind, asleep)
    emit(k, n.EV_WAKE, t, task.wait_kind, task.wait_id, asleep, task.progress)
    if k.books.tasks[t].stalled != n.NONE:
        emit(k, n.EV_STALL, t, k.books.tasks[t].stalled, task.wait_kind, asleep, 0)
        k.books.tasks[t].stalled = n.NONE
    k.books.tasks[t].ends = 0
    task.run_state = n.T_RUNNABLE
    task.wait_kind = n.W_NONE
    task.wait_id = 0
    task.wait_next = n.NONE
    task.killable = 0
    task.exclusive = 0
    spend(k, s.WAKE)
    announce(k, t)


@compiled
def announce(k, t):
    """Tell the driver that a task has become runnable."""
    if k.books.driver:
        k.books.woken[k.books.n_woken] = t
        k.books.n_woken += 1


@compiled
def pop_waiter(k, queue):
    """Take the first task off a wait queue, and wake it. Returns it, or NONE."""
    t = queue.head
    if t == n.NONE:
        return n.NONE
    queue.head = k.state.tasks[t].wait_next
    if queue.head == n.NONE:
        queue.tail = n.NONE
    try_to_wake_up(k, t)
    return t


@compiled
def wake_all(k, queue):
    """Wake everybody on a queue."""
    while queue.head != n.NONE:
        pop_waiter(k, queue)


@compiled
def unlink(k, queue, t):
    """Take a task off a wait queue wherever it stands (it is being killed)."""
    before = n.NONE
    at = queue.head
    while at != n.NONE and at != t:
        before = at
        at = k.state.tasks[at].wait_next
    if at == n.NONE:
        return
    after = k.state.tasks[t].wait_next
    if before == n.NONE:
        queue.head = after
    else:
        k.state.tasks[before].wait_next = after
    if queue.tail == t:
        queue.tail = before


@compiled
def step_nanosleep(k, t):
    """Sleep until the driver's timer (or a fatal signal) ends it."""
    f = current(k, t)
    if k.state.tasks[t].sigkill:
        return n.FAIL_KILLED
    if f.phase == 1 or f.arg <= 0:
        return n.NEXT
    f.phase = 1
    k.books.tasks[t].pause = f.arg
    return sleep_alone(k, t, n.W_TIMER, 0, 1)
