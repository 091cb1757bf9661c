"""Who runs next: a run queue for each CPU, by virtual runtime, after CFS of 3.0 (kernel/sched_fair.c).

The queue is a binary heap of tasks keyed by (vruntime, number). The running task is not in it.
"""

from __future__ import annotations

from cowpath.kernel import names as n
from cowpath.kernel.compiled import compiled


@compiled
def before(k, a, b):
    """Task ``a`` runs before task ``b``."""
    va = k.books.tasks[a].vruntime
    vb = k.books.tasks[b].vruntime
    return va < vb or (va == vb and a < b)


@compiled
def sift_up(k, c, i):
    """Move an entry up to its place."""
    heap = k.books.runq[c].heap
    t = heap[i]
    while i > 0:
        up = (i - 1) // 2
        if not before(k, t, heap[up]):
            break
        heap[i] = heap[up]
        i = up
    heap[i] = t


@compiled
def sift_down(k, c, i):
    """Move an entry down to its place."""
    heap = k.books.runq[c].heap
    count = k.books.cpus[c].queued
    t = heap[i]
    while True:
        child = 2 * i + 1
        if child >= count:
            break
        if child + 1 < count and before(k, heap[child + 1], heap[child]):
            child += 1
        if not before(k, heap[child], t):
            break
        heap[i] = heap[child]
        i = child
    heap[i] = t


@compiled
def enqueue(k, c, t):
    """Put a runnable task into a CPU's queue."""
    cpu = k.books.cpus[c]
    k.books.runq[c].heap[cpu.queued] = t
    cpu.queued += 1
    sift_up(k, c, cpu.queued - 1)
    k.state.tasks[t].cpu = c


@compiled
def take(k, c, i):
    """Remove the entry at a place of the heap."""
    cpu = k.books.cpus[c]
    heap = k.books.runq[c].heap
    t = heap[i]
    cpu.queued -= 1
    if i < cpu.queued:
        heap[i] = heap[cpu.queued]
        sift_up(k, c, i)
        sift_down(k, c, i)
    return t


@compiled
def update_min_vruntime(k, c):
    """The queue's clock: it never goes back."""
    cpu = k.books.cpus[c]
    least = cpu.min_vruntime
    have = False
    if cpu.curr != n.NONE:
        least = k.books.tasks[cpu.curr].vruntime
        have = True
    if cpu.queued > 0:
        first = k.books.tasks[k.books.runq[c].heap[0]].vruntime
        least = min(least, first) if have else first
    cpu.min_vruntime = max(cpu.min_vruntime, least)


@compiled
def slice_of(k, c):
    """sched_slice: how long the running task may run when others wait."""
    running = k.books.cpus[c].queued + 1
    return max(k.books.sched.latency // running, k.books.sched.min_granularity)


@compiled
def choose_cpu(k, t):
    """Where a task that becomes runnable goes: its own CPU if idle, else an idle one; a new one to the least loaded."""
    task = k.state.tasks[t]
    if task.affinity != n.NONE and task.affinity < k.state.n_cpus:
        return task.affinity
    own = task.cpu
    if k.books.cpus[own].curr == n.NONE and k.books.cpus[own].queued == 0:
        return own
    best = own
    least = 1 << 30
    for c in range(k.state.n_cpus):
        cpu = k.books.cpus[c]
        load = cpu.queued + (1 if cpu.curr != n.NONE else 0)
        if load < least:
            least = load
            best = c
    if least == 0 or k.books.tasks[t].cpu_ns == 0:
        return best
    return own


@compiled
def pull(k, c):
    """Load balancing: take a task that may move from the longest queue, if that is longer by two."""
    longest = n.NONE
    for other in range(k.state.n_cpus):
        if other != c and (longest == n.NONE or k.books.cpus[other].queued > k.books.cpus[longest].queued):
            longest = other
    if longest == n.NONE:
        return
    theirs = k.books.cpus[longest].queued
    mine = k.books.cpus[c].queued
    if theirs == 0 or (theirs < mine + 2 and not (mine == 0 and theirs >= 1)):
        return
    for i in range(theirs - 1, -1, -1):
        t = k.books.runq[longest].heap[i]
        if k.state.tasks[t].affinity == n.NONE:
            take(k, longest, i)
            k.books.tasks[t].vruntime += k.books.cpus[c].min_vruntime - k.books.cpus[longest].min_vruntime
            enqueue(k, c, t)
            return


@compiled
def activate(k, t, now):
    """enqueue_task_fair for a task that was woken or forked; may ask the running task to make way."""
    books = k.books.tasks[t]
    c = choose_cpu(k, t)
    cpu = k.books.cpus[c]
    old = k.state.tasks[t].cpu
    if old != c:
        books.vruntime += cpu.min_vruntime - k.books.cpus[old].min_vruntime
    if books.cpu_ns == 0:
        books.vruntime = max(books.vruntime, cpu.min_vruntime + slice_of(k, c))  # START_DEBIT
    else:
        books.vruntime = max(books.vruntime, cpu.min_vruntime - k.books.sched.latency // 2)
    if cpu.curr == n.NONE:
        cpu.idle_ns += max(0, now - cpu.now)
        cpu.now = max(cpu.now, now)
    elif k.books.tasks[cpu.curr].vruntime - books.vruntime > k.books.sched.wakeup_granularity:
        cpu.resched = 1
    enqueue(k, c, t)
