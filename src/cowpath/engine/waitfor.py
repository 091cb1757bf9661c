"""Who waits for whom: from a waiting task, through the locks' holders, to a group's memory.

A task inside a charge that is not getting through waits for memory, whatever it does at the moment (reclaim, sleep in
the OOM section, spin). Everything is read off the state. ``books.tasks[].via`` and ``books.queue`` are scratch space.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.compiled import compiled, entry_point
from cowpath.kernel.generated import mutex_of
from cowpath.kernel.hierarchy import is_below
from cowpath.kernel.wait import holds_mmap, page_owner


@compiled
def in_charge(k, f):
    """The frame's charge has failed at least once and goes on."""
    if f.unwinding or f.group <= 0 or f.batch != 1:
        return False
    return s.CHARGES[k.books.paths[f.path].steps[f.pc]] != 0


@compiled
def charging_frame(k, t):
    """The frame of a charge that has failed at least once and goes on, or NONE."""
    task = k.state.tasks[t]
    for d in range(task.depth):
        if in_charge(k, task.frames[d]):
            return d
    return n.NONE


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
    if kind == n.W_MMAP_READ or kind == n.W_MMAP_WRITE:
        if k.state.mms[which].writer != n.NONE:
            return visit(k, k.state.mms[which].writer, t, count)
        if kind == n.W_MMAP_READ:  # others only read it: a writer that waits for them is before it in the queue
            for other in range(k.state.n_tasks):
                task = k.state.tasks[other]
                if alive(k, other) and task.wait_kind == n.W_MMAP_WRITE and task.wait_id == which:
                    count = visit(k, other, t, count)
            return count
        for other in range(k.state.n_tasks):
            if other != t and alive(k, other) and holds_mmap(k, other, which):
                count = visit(k, other, t, count)
    return count


@compiled
def find_holder_of_memory(k, t):
    """The task at the end of the shortest chain from ``t`` to a group's memory, or NONE. ``via`` leads back."""
    k.books.search += 1  # nobody has been visited by this one
    count = visit(k, t, t, 0)
    at = 0
    while at < count:
        u = k.books.queue[at]
        at += 1
        if charging_frame(k, u) != n.NONE:
            return u
        if k.state.tasks[u].run_state == n.T_SLEEPING:
            count = visit_holders(k, u, count)
    return n.NONE


@entry_point
def find_charger(k, t):
    """``find_holder_of_memory``, for Python."""
    return find_holder_of_memory(k, t)


@compiled
def memory_behind(k, t):
    """The group for whose memory ``t`` waits through any chain of locks, or NONE."""
    if k.state.tasks[t].wait_kind == n.W_OOM:
        return k.state.tasks[t].wait_id
    end = find_holder_of_memory(k, t)
    if end == n.NONE:
        return n.NONE
    return k.state.tasks[end].frames[charging_frame(k, end)].group


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


@compiled
def is_being_read(k, p):
    """The page is locked by a request that the disk has: it will be unlocked."""
    owner = k.state.pages[p].locked_by
    return owner <= n.REQUEST_OWNER and k.state.requests[n.REQUEST_OWNER - owner].submitted != 0


@compiled
def group_blocked(k, g):
    """Nothing can happen in this group any more unless something happens outside. 0: no; 1: all sleep; 2: they spin.

    For the bound there was no successful charge, uncharge or exit; every task of the subtree waits for a lock, a child,
    a timer-less sleep or for memory; and those that spin have gone through the bound's rounds of retries.
    """
    books = k.books.groups[g]
    if k.books.now - books.progress_at < k.books.bound_ns:
        return 0
    charging = 0
    spinning = 0
    for t in range(k.state.n_tasks):
        task = k.state.tasks[t]
        if not alive(k, t) or not is_below(k, task.group, g):
            continue
        if charging_frame(k, t) != n.NONE:
            charging += 1
            if task.wait_kind != n.W_OOM:
                spinning += 1
        elif task.run_state == n.T_RUNNABLE or n.GOES_BY[task.wait_kind]:
            return 0
        elif task.wait_kind == n.W_PAGE_LOCK and is_being_read(k, task.wait_id):
            return 0
    if charging == 0:
        return 0
    if spinning == 0:
        return 1
    return 2 if books.rounds >= k.books.bound_rounds else 0


@compiled
def settled(k, shell):
    """In no group can anything happen any more, and the shell waits in vain for a child (or has ended: NONE)."""
    if shell != n.NONE and (
        k.state.tasks[shell].run_state != n.T_SLEEPING or k.state.tasks[shell].wait_kind != n.W_CHILD
    ):
        return False
    busy = 0
    for g in range(1, k.state.n_groups):
        if k.state.groups[g].alive and k.state.groups[g].tasks > 0:
            if not group_blocked(k, g):
                return False
            busy += 1
    if shell == n.NONE:
        return True
    return busy > 0 and waits_in_vain(k, shell)


@compiled
def waits_in_vain(k, shell):
    """The shell's child will never end, where no group can go on: it is in one, is stuck on one, or itself waits so.

    ``stuck_on`` is scratch space here: the next survey writes it anew.
    """
    survey(k)
    found = True
    while found and k.books.tasks[shell].stuck_on == n.NONE:
        found = False
        for t in range(k.state.n_tasks):
            if alive(k, t) and k.books.tasks[t].stuck_on == n.NONE and has_lost_child(k, t):
                k.books.tasks[t].stuck_on = 0
                found = True
    return k.books.tasks[shell].stuck_on != n.NONE


@compiled
def has_lost_child(k, t):
    """The task waits for a child, and those that it waits for (one of them, if for all) will not end."""
    task = k.state.tasks[t]
    if task.run_state != n.T_SLEEPING or task.wait_kind != n.W_CHILD:
        return False
    lost = 0
    others = 0
    child = task.first_child
    while child != n.NONE:
        other = k.state.tasks[child]
        if task.wait_id < 0 or other.slot == task.wait_id:
            if other.group > 0 or k.books.tasks[child].stuck_on != n.NONE:
                lost += 1
            else:
                others += 1
        child = other.sibling
    return lost > 0 and (others == 0 or task.wait_id == n.ALL_CHILDREN)


@entry_point
def survey(k):
    """Write down, for ``engine.verdict``, who waits for whose memory and which groups have come to a standstill.

    One call: handing the machine to compiled code costs Python some milliseconds each time.
    """
    for g in range(1, k.state.n_groups):
        k.books.groups[g].blocked = group_blocked(k, g)
    for t in range(k.state.n_tasks):
        books = k.books.tasks[t]
        books.charging = n.NONE
        books.stuck_on = n.NONE
        if not alive(k, t):
            continue
        d = charging_frame(k, t)
        if d != n.NONE:
            books.charging = k.state.tasks[t].frames[d].group
        if waits_for_lock(k, t):
            g = memory_behind(k, t)
            if g != n.NONE and not is_below(k, k.state.tasks[t].group, g) and k.books.groups[g].blocked:
                books.stuck_on = g


@dataclass(frozen=True)
class Link:
    """One task of a chain: what it waits for (``W_*``), which one (page, mm, file, group), and its step."""

    task: int
    kind: int
    what: int
    step: str


def chain(k: Any, t: int, find: Callable[[Any, int], int] = find_charger) -> list[Link]:
    """The wait of ``t``, then its holder's, and so on: the last link waits for a group's memory or is not waiting.

    Call ``survey`` first, once for the machine as it stands. ``find`` is how ``find_charger`` is called there.
    """
    end = int(find(k, t))
    if end == n.NONE:
        end = _end_of_plain_chain(k)
    tasks = [end]
    while tasks[-1] != t:
        tasks.append(int(k.books.tasks[tasks[-1]].via))
    return [_link(k, task) for task in reversed(tasks)]


def _end_of_plain_chain(k: Any) -> int:
    """The task that the search reached last: the chain leads to no group's memory, but it is a chain."""
    reached = [t for t in range(int(k.state.n_tasks)) if k.books.tasks[t].search == k.books.search]
    lengths = {}
    for t in reached:
        length, at = 0, t
        while int(k.books.tasks[at].via) != at:
            at = int(k.books.tasks[at].via)
            length += 1
        lengths[t] = length
    return max(reached, key=lambda t: (lengths[t], -t))


def _link(k: Any, t: int) -> Link:
    task = k.state.tasks[t]
    step = "user mode"
    if task.depth > 0:
        f = task.frames[int(task.depth) - 1]
        step = s.STEP_NAMES[int(k.books.paths[int(f.path)].steps[int(f.pc)])]
    charging = int(k.books.tasks[t].charging)
    if charging != n.NONE:
        return Link(t, n.W_MEMORY, charging, step)
    if task.run_state != n.T_SLEEPING:
        return Link(t, n.W_NONE, 0, step)
    return Link(t, int(task.wait_kind), int(task.wait_id), step)
