"""Who waits for whom: from a waiting task, through the locks' holders, to a group's memory.

A task inside a charge that is not getting through waits for memory, whatever it does at the moment (reclaim, sleep in
the OOM section, spin). Everything is read off the state. ``books.tasks[].via`` and ``books.queue`` are scratch space.
What comes of it for a group is in ``standstill``; the links as Python's objects are in ``chain``.
"""

from __future__ import annotations

from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.charge_oom import SLEEP
from cowpath.kernel.compiled import compiled, driver
from cowpath.kernel.generated import mutex_of, rwsem_of
from cowpath.kernel.hierarchy import is_below
from cowpath.kernel.memcg_commit import NO_BOUND, RECLAIMED, charges_table
from cowpath.kernel.wait import has_to_read, holds_entry, holds_vma, page_owner


@compiled
def in_charge(k, f):
    """The frame's charge has failed at least once and goes on.

    What a charge has left in the frame says nothing of a page table that is charged later: that begins with the table.
    """
    if f.unwinding or f.group <= 0 or f.batch != 1:
        return False
    step = k.books.paths[f.path].steps[f.pc]
    if s.TAKES[step] & n.H_PAGE_TABLE:
        return charges_table(f)
    return s.CHARGES[step] != 0


@compiled
def charging_frame(k, t):
    """The frame of a charge that has failed at least once and goes on, or NONE."""
    task = k.state.tasks[t]
    for d in range(task.depth):
        if in_charge(k, task.frames[d]):
            return d
    return n.NONE


@compiled
def waiting_frame(k, t):
    """The frame of a charge that goes on until there is memory, or NONE.

    Where a charge may fail (``charge_on_oom``), its rounds of reclaim are so many and no more, and it is none of those
    yet. It is one while it kills, once it goes round because somebody was killed for it or others have had the room
    that it had made, and while it sleeps at the fault's end.
    """
    d = charging_frame(k, t)
    if d == n.NONE or k.state.charge_on_oom == SLEEP:
        return d
    f = k.state.tasks[t].frames[d]
    return d if f.phase > RECLAIMED or f.tried & NO_BOUND else n.NONE


@compiled
def alive(k, t):
    """Runnable or asleep."""
    return k.state.tasks[t].run_state == n.T_RUNNABLE or k.state.tasks[t].run_state == n.T_SLEEPING


@compiled
def visit(k, t, came_from, count):
    """Put a task into the search's queue, once. Returns the queue's new length."""
    if t < 0 or not alive(k, t) or k.books.tasks[t].search == k.books.search:
        return count
    k.books.tasks[t].search = k.books.search
    k.books.tasks[t].via = came_from
    k.books.queue[count] = t
    return count + 1


@compiled
def visit_holders(k, t, count):
    """Put all who hold what ``t`` sleeps for into the queue."""
    task = k.state.tasks[t]
    kind = task.wait_kind
    which = task.wait_id
    if kind == n.W_PAGE_LOCK:
        return visit(k, page_owner(k, which), t, count)
    if n.IS_MUTEX[kind]:
        return visit(k, mutex_of(k, kind, which).owner, t, count)
    if kind == n.W_VMA_LOCK:
        for other in range(k.state.n_tasks):
            if alive(k, other) and holds_vma(k, other, which):
                count = visit(k, other, t, count)
        return count
    if kind == n.W_SWAP_ENTRY:
        for other in range(k.state.n_tasks):
            if alive(k, other) and holds_entry(k, other, which):
                count = visit(k, other, t, count)
        return count
    if n.IS_RWSEM[kind]:
        writer = rwsem_of(k, kind, which).writer
        if writer != n.NONE:
            return visit(k, writer, t, count)
        if not n.TO_WRITE[kind]:  # others only read it: a writer that waits for them is before it in the queue
            for other in range(k.state.n_tasks):
                task = k.state.tasks[other]
                if alive(k, other) and task.wait_kind == kind + 1 and task.wait_id == which:
                    count = visit(k, other, t, count)
            return count
        for other in range(k.state.n_tasks):
            if other != t and alive(k, other) and has_to_read(k, other, kind, which):
                count = visit(k, other, t, count)
    return count


@compiled
def search(k, t, throttled):
    """The task at the end of the shortest chain from ``t`` to one in a charge that does not get through, or, if
    ``throttled``, to one that is over memory.high; or NONE. ``via`` leads back.
    """
    k.books.search += 1  # nobody has been visited by this one
    count = visit(k, t, t, 0)
    at = 0
    while at < count:
        u = k.books.queue[at]
        at += 1
        if waiting_frame(k, u) != n.NONE or (throttled and k.state.tasks[u].wait_kind == n.W_THROTTLE):
            return u
        if k.state.tasks[u].run_state == n.T_SLEEPING:
            count = visit_holders(k, u, count)
    return n.NONE


@compiled
def find_charger(k, t):
    """Who is in the way of ``t`` and in a charge that does not get through: nothing ends that by itself. Or NONE."""
    return search(k, t, False)


@compiled
def find_holder_of_memory(k, t):
    """Who is in the way of ``t`` and waits for a group's memory, if only for a time (throttled). Or NONE."""
    return search(k, t, True)


@compiled
def delays(k, t):
    """The task is at what takes long and is no wait for memory: the disk, a pause for dirty pages, reclaim."""
    task = k.state.tasks[t]
    if task.run_state == n.T_SLEEPING:
        kind = task.wait_kind
        if kind == n.W_PAGE_LOCK:  # of a page that the disk is reading
            return page_owner(k, task.wait_id) <= n.REQUEST_OWNER
        return kind == n.W_WRITEBACK or kind == n.W_CONGESTED or kind == n.W_PAUSE
    for d in range(task.depth):
        if task.frames[d].path == s.P_RECLAIM and task.frames[d].group > 0:
            return True
    return False


@compiled
def find_delay(k, t):
    """Who is in the way of ``t``, through any chain of locks, and at what takes long. Or NONE."""
    k.books.search += 1
    count = visit(k, t, t, 0)
    at = 0
    while at < count:
        u = k.books.queue[at]
        at += 1
        if u != t and delays(k, u):
            return u
        if k.state.tasks[u].run_state == n.T_SLEEPING:
            count = visit_holders(k, u, count)
    return n.NONE


@driver
def find_end(k, t):
    """``find_holder_of_memory``, for Python."""
    return find_holder_of_memory(k, t)


@compiled
def group_short(k, t):
    """The group for whose memory the task itself waits, of one that does."""
    if k.state.tasks[t].wait_kind == n.W_THROTTLE:
        return k.state.tasks[t].wait_id
    return k.state.tasks[t].frames[waiting_frame(k, t)].group


@compiled
def memory_behind(k, t):
    """The group for whose memory ``t`` waits through any chain of locks, or NONE."""
    if k.state.tasks[t].wait_kind == n.W_OOM:
        return k.state.tasks[t].wait_id
    end = find_holder_of_memory(k, t)
    return n.NONE if end == n.NONE else group_short(k, end)


@compiled
def stuck_behind(k, t):
    """The same, of waits that no timer ends."""
    if k.state.tasks[t].wait_kind == n.W_OOM:
        return k.state.tasks[t].wait_id
    end = find_charger(k, t)
    return n.NONE if end == n.NONE else group_short(k, end)


@compiled
def waits_for_lock(k, t):
    """Asleep for a lock, which others may hold, or for memory, which (of a page in swap) may be another group's.

    A kernel thread's wait counts only for those who wait for it in turn.
    """
    task = k.state.tasks[t]
    if task.kthread != n.KT_NONE:
        return False
    return task.run_state == n.T_SLEEPING and n.BLOCKS[task.wait_kind] != 0


@compiled
def find_stalled(k):
    """Mark tasks outside whose wait for a group's memory has passed the bound. True if there are new ones.

    ``books.tasks[t].stalled`` is then the group, until the wait ends.
    """
    found = False
    for t in range(k.state.n_tasks):
        if not waits_for_lock(k, t) or k.books.now - k.books.tasks[t].since < k.books.stall_ns:
            continue
        if k.books.tasks[t].stalled != n.NONE:
            continue
        g = memory_behind(k, t)
        if g != n.NONE and not is_below(k, k.state.tasks[t].group, g):
            k.books.tasks[t].stalled = g
            k.books.stalls[k.books.n_stalls] = t  # for Python to put into words
            k.books.n_stalls += 1
            found = True
    return found
