"""The clock's inner loop: CPUs, the run queues, timers and the disk, in virtual time.

A move takes effect when it begins and then costs its time. The CPU that is furthest behind moves next; a tie is
decided by the seed. It returns to Python with a reason.
"""

from __future__ import annotations

from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.block import next_request
from cowpath.kernel.compiled import compiled, driver, inlined
from cowpath.kernel.filemap import complete_io
from cowpath.kernel.kmem import rcu_do_batch
from cowpath.kernel.signals import leave_queue
from cowpath.kernel.step import step
from cowpath.kernel.vmscan import run_drain_worker
from cowpath.kernel.wait import emit, random_below, try_to_wake_up

from .psi import psi_collect, psi_settle
from .runqueue import activate, enqueue, pull, slice_of, take, update_min_vruntime
from .standstill import settled
from .timers import DISK_DONE, WAKE_TASK, add_timer, drop_first
from .waitfor import find_stalled

BUDGET = 0  # so many moves are done: time for progress and Ctrl-C
LOG_FULL = 1
UNTIL = 2
HOST = 3
ERROR = 4
IDLE = 5  # nothing can ever happen again
SCRIPT = 6  # the session's shell has exited
STALL = 7  # a wait outside has passed the bound: see books.stalls
SETTLED = 8  # the shell waits for groups in which nothing can happen any more
PAUSE = 9  # Python wants to look at the machine at this time

FOREVER = 1 << 62
LOG_MARGIN = 12288  # events that one move may write at most: more than one for each task


@compiled
def switch_to(k, c):
    """schedule(): the CPU takes the first of its queue, or one from elsewhere, or idles."""
    cpu = k.books.cpus[c]
    if k.state.cpus[c].drain:
        k.books.spent = 0
        run_drain_worker(k, c)
        cpu.now += k.books.spent
    update_min_vruntime(k, c)
    pull(k, c)
    cpu.resched = 0
    if cpu.queued == 0:
        cpu.curr = n.NONE
        k.books.cpu = c
        emit(k, n.EV_SCHED, n.NONE, n.NONE, 0, 0, 0)
        return
    t = take(k, c, 0)
    cpu.curr = t
    cpu.now += k.books.cost[s.SWITCH]
    cpu.slice_at = cpu.now
    if k.books.sched.jitter > 0:  # a whole slice is faster or slower, or all slices would be equally long in steps
        cpu.pace = random_below(k, 2 * k.books.sched.jitter + 1) - k.books.sched.jitter
    k.books.cpu = c
    emit(k, n.EV_SCHED, t, t, 0, 0, 0)


@compiled
def kick_idle(k):
    """Idle CPUs that have been given something to do begin with it."""
    for c in range(k.state.n_cpus):
        cpu = k.books.cpus[c]
        if cpu.curr == n.NONE and cpu.queued > 0:
            switch_to(k, c)


@compiled
def ask_workers(k, now):
    """schedule_work_on: an idle CPU's worker drains its stock at once, a busy one's when the running task makes way."""
    for c in range(k.state.n_cpus):
        cpu = k.books.cpus[c]
        if (k.books.drain_asked >> c) & 1 == 0:
            continue
        if cpu.curr != n.NONE:
            cpu.resched = 1
            continue
        cpu.now = max(cpu.now, now)
        k.books.spent = 0
        run_drain_worker(k, c)
        cpu.now += k.books.spent
    k.books.drain_asked = 0


@compiled
def put_back(k, c):
    """The running task goes back into the queue."""
    cpu = k.books.cpus[c]
    t = cpu.curr
    cpu.curr = n.NONE
    target = k.state.tasks[t].affinity
    if target == n.NONE or target == c or target >= k.state.n_cpus:
        enqueue(k, c, t)
    else:
        activate(k, t, cpu.now)
        kick_idle(k)


@inlined
def start_timers(k, t, status, now):
    """What the move has set going: a sleep, a disk request."""
    if status == n.SLEEP and k.books.tasks[t].pause > 0:
        set_alarm(k, t, now)
    if k.state.disk_busy == n.NONE and (k.state.reads.head != n.NONE or k.state.writes.head != n.NONE):
        start_disk(k, now)


@compiled
def set_alarm(k, t, now):
    """A sleep that a timer ends. The timer of an earlier one that was cut short is kept, if it goes off before that:
    who is woken and sleeps again, many times, has one timer.
    """
    books = k.books.tasks[t]
    books.ends = now + books.pause
    books.pause = 0
    if not now < books.alarm <= books.ends:
        books.alarm = books.ends
        add_timer(k, books.alarm, WAKE_TASK, t)


@compiled
def end_sleep(k, t, now):
    """The task's timer goes off: its sleep is over, or there is a later end to wait for."""
    books = k.books.tasks[t]
    if books.ends > now:
        books.alarm = books.ends
        add_timer(k, books.alarm, WAKE_TASK, t)
    elif books.ends > 0:
        leave_queue(k, t)
        try_to_wake_up(k, t)


@compiled
def start_disk(k, now):
    """The disk, if it is idle, begins with the next request."""
    r = next_request(k)
    if r == n.NONE:
        return
    disk = k.books.disk
    took = disk.latency + disk.page_ns * k.state.requests[r].pages
    disk.busy_ns += took
    add_timer(k, now + took, DISK_DONE, r)


@compiled
def activate_woken(k, now):
    """Whoever was woken goes into a run queue; an idle CPU takes it at once."""
    for i in range(k.books.n_woken):
        activate(k, k.books.woken[i], now)
    k.books.n_woken = 0
    kick_idle(k)


@compiled
def ends_by_time(k, t):
    """The task sleeps a sleep that a timer may end."""
    return n.MAY_END_BY_TIME[k.state.tasks[t].wait_kind] != 0


@compiled
def fire(k):
    """The earliest timer goes off."""
    timer = k.books.timers[0]
    now = timer.at
    what = timer.what
    which = timer.which
    drop_first(k)
    k.books.now = now
    k.books.cpu = n.NONE
    if what == DISK_DONE:
        emit(k, n.EV_IO, n.NONE, which, k.state.requests[which].pages, now - k.books.request_at[which], 0)
        k.state.disk_busy = n.NONE
        complete_io(k, which)
        start_disk(k, now)
    elif ends_by_time(k, which) and k.books.tasks[which].alarm == now:
        end_sleep(k, which, now)
    activate_woken(k, now)


@inlined
def next_cpu(k):
    """The busy CPU that is furthest behind, or NONE, and its time; a tie is decided by a drawn number."""
    best = n.NONE
    at = FOREVER
    for c in range(k.state.n_cpus):
        cpu = k.books.cpus[c]
        if cpu.curr == n.NONE or cpu.now > at:
            continue
        if cpu.now < at or random_below(k, 2) == 1:
            best = c
            at = cpu.now
    return best, at


@inlined
def move(k, c, t):
    """One move of the running task: the step, its cost, and what the scheduler makes of the answer."""
    cpu = k.books.cpus[c]
    books = k.books
    books.now = cpu.now
    books.cpu = c
    status = step(k, t)
    cost = books.spent
    if books.sched.jitter > 0:
        cost += cost * (random_below(k, 2 * books.sched.jitter + 1) - books.sched.jitter + cpu.pace) // 100
    cpu.now += cost
    books.tasks[t].vruntime += cost
    books.tasks[t].cpu_ns += cost + 1
    start_timers(k, t, status, cpu.now)
    if books.drain_asked:
        ask_workers(k, cpu.now)
    if status == n.SLEEP or status == n.EXITED:
        cpu.curr = n.NONE
        if books.n_woken > 0:
            update_min_vruntime(k, c)
            activate_woken(k, cpu.now)
        if cpu.curr == n.NONE:
            switch_to(k, c)
        return status
    if books.n_woken > 0:
        update_min_vruntime(k, c)
        activate_woken(k, cpu.now)
    if status == n.YIELD or (books.resched_ok and (cpu.resched or due(k, c))):
        put_back(k, c)
        if cpu.curr == n.NONE:  # else it has been given to somebody already, with the other idle ones
            switch_to(k, c)
    return status


@inlined
def due(k, c):
    """The running task's slice is over and others wait."""
    cpu = k.books.cpus[c]
    return cpu.queued > 0 and cpu.now - cpu.slice_at >= slice_of(k, c)


@compiled
def only_flusher(k):
    """Nothing is set to happen but that the flusher looks for dirty pages: that wakes nobody else."""
    if k.state.flusher == n.NONE or k.state.disk_busy != n.NONE:
        return False
    for i in range(k.books.n_timers):
        timer = k.books.timers[i]
        if timer.what == DISK_DONE or (timer.which != k.state.flusher and k.books.tasks[timer.which].alarm == timer.at):
            return False
    return True


@compiled
def let_time_pass(k, until):
    """Nothing will ever happen: who sleeps does so until the bounds for waits are past. True if that shows a stall."""
    asleep = False
    for t in range(k.state.n_tasks):
        task = k.state.tasks[t]
        asleep = asleep or (task.run_state == n.T_SLEEPING and task.wait_kind != n.W_IDLE)
    if not asleep:
        return False
    k.books.now = max(k.books.now, min(until, k.books.now + max(k.books.bound_ns, k.books.stall_ns)))
    return find_stalled(k)


@compiled
def look_round(k, now, shell):
    """From time to time: has a wait become a stall, can nothing happen any more? STALL, SETTLED or BUDGET (neither)."""
    k.books.now = now
    k.books.next_check = now + k.books.stall_ns // 10
    if find_stalled(k):
        return STALL
    if settled(k, shell):
        return SETTLED
    return BUDGET


@driver
def run(k, until, pause, budget, shell):
    """Go on until ``until`` (ns), for at most ``budget`` moves. Returns why it stopped.

    At ``pause`` (ns) it stops, too (PAUSE), with memory.pressure as who reads it then would find it. Nothing else is
    changed by that: a machine in which nothing can happen any more goes by ``until`` alone.
    """
    return go_on(k, until, pause, budget, shell)


@compiled
def go_on(k, until, pause, budget, shell):
    """``run``, for compiled code."""
    stop = min(until, pause)
    activate_woken(k, k.books.now)
    while budget > 0:
        if k.books.error:
            return ERROR
        if k.books.log_count > len(k.books.log) - LOG_MARGIN:
            return LOG_FULL
        c, at = next_cpu(k)
        timer_at = k.books.timers[0].at if k.books.n_timers > 0 else FOREVER
        now = min(at, timer_at)
        if k.books.n_rcu > 0 and k.books.rcu_at <= min(now, until):
            k.books.now = k.books.rcu_at
            rcu_do_batch(k, k.books.now)
            continue
        if now == FOREVER or (c == n.NONE and only_flusher(k)):
            if let_time_pass(k, until):
                return STALL
            return IDLE
        if now >= stop:
            k.books.now = stop
            if stop == until:
                return UNTIL
            if k.books.psi_on:
                psi_settle(k, stop)
                psi_collect(k)
            return PAUSE
        if now >= k.books.next_check:
            found = look_round(k, now, shell)
            if found != BUDGET:
                return found
        budget -= 1
        if k.books.psi_on:
            psi_settle(k, now)
        if timer_at <= at:
            fire(k)
            continue
        t = k.books.cpus[c].curr
        status = move(k, c, t)
        if status == n.HOST:
            if k.books.psi_on:
                psi_collect(k)
            return HOST
        if status == n.EXITED and t == shell:
            return SCRIPT
    return BUDGET
