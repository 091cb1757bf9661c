"""Who waits for whom: from a waiting task, through the locks' holders, to a group's memory.

A task inside a charge that is not getting through waits for memory, whatever it does at the moment (reclaim, sleep in
the OOM section, spin). Everything is read off the state. ``books.tasks[].via`` and ``books.queue`` are scratch space.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.charge_oom import SLEEP
from cowpath.kernel.compiled import compiled, driver
from cowpath.kernel.generated import mutex_of, rwsem_of
from cowpath.kernel.hierarchy import is_below
from cowpath.kernel.memcg_commit import NO_BOUND, RECLAIMED, charges_table
from cowpath.kernel.wait import has_to_read, holds_vma, page_owner

CHARGING = (n.W_OOM, n.W_MEMORY)  # kinds of links that are in a charge that does not get through
MEMORY = (*CHARGING, n.W_THROTTLE)  # ... that wait for a group's memory


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


@compiled
def is_being_read(k, p):
    """The page is locked by a request that the disk has: it will be unlocked."""
    owner = k.state.pages[p].locked_by
    return owner <= n.REQUEST_OWNER and k.state.requests[n.REQUEST_OWNER - owner].submitted != 0


@compiled
def is_charging(k, t, g):
    """Inside a charge that is not getting through: a task of this group, or for the group's memory one from elsewhere
    (a page from swap is charged to the group that it was swapped out from)."""
    d = charging_frame(k, t)
    if d == n.NONE:
        return False
    return is_below(k, k.state.tasks[t].group, g) or is_below(k, k.state.tasks[t].frames[d].group, g)


@compiled
def stands_still(k, g):
    """Nothing has come of this group's charges. 0: no; 1: all who charge are asleep; 2: they retry.

    For the bound there was no successful charge, uncharge, exit or OOM kill; and those that retry have done so for as
    long, or so many times. What its other tasks do, or may yet do (``may_act``), is no progress of its memory.
    """
    books = k.books.groups[g]
    now = k.books.now
    if now - books.progress_at < k.books.bound_ns:
        return 0
    charging = False
    retrying = False
    enough = books.rounds >= k.books.bound_rounds
    for t in range(k.state.n_tasks):
        if not alive(k, t) or not is_charging(k, t, g):
            continue
        charging = True
        if k.state.tasks[t].wait_kind != n.W_OOM:
            retrying = True
            over_since = k.books.tasks[t].over_since
            enough = enough or (over_since > 0 and now - (over_since - 1) >= k.books.bound_ns)
    if not charging:
        return 0
    if not retrying:
        return 1
    return 2 if enough else 0


@compiled
def may_act(k, t):
    """A living task may still do something by itself: it runs, or time, the disk or somebody outside wakes it.

    Not who is in a charge, unless the disk has work for it to wait for; nor who waits for a lock behind one who is.
    """
    task = k.state.tasks[t]
    if task.run_state == n.T_SLEEPING and n.GOES_BY[task.wait_kind] and task.wait_kind != n.W_TIMER:
        return True
    if waiting_frame(k, t) != n.NONE:
        return False
    if task.run_state == n.T_RUNNABLE or task.wait_kind == n.W_TIMER:
        return True
    if task.wait_kind == n.W_CHILD:
        return has_free_child(k, t)
    if task.wait_kind == n.W_PAGE_LOCK and is_being_read(k, task.wait_id):
        return True
    end = find_charger(k, t)
    if end == n.NONE:
        return True
    over = k.state.tasks[end].frames[waiting_frame(k, end)].group
    return not is_below(k, task.group, over) and not is_below(k, over, task.group) and stands_still(k, over) == 0


@compiled
def has_free_child(k, t):
    """The task waits for a child elsewhere, outside its group, that nobody's memory holds up."""
    task = k.state.tasks[t]
    child = task.first_child
    while child != n.NONE:
        other = k.state.tasks[child]
        awaited = task.wait_id < 0 or other.slot == task.wait_id
        if awaited and alive(k, child) and not is_below(k, other.group, task.group):
            if find_charger(k, child) == n.NONE:
                return True
        child = other.sibling
    return False


@compiled
def is_over(k, g):
    """The group stands still, and nothing can happen in it any more unless something happens outside."""
    still = stands_still(k, g)
    if still == 0 or (still == 2 and k.books.groups[g].rounds < k.books.bound_rounds):
        return False
    for t in range(k.state.n_tasks):
        if alive(k, t) and (is_below(k, k.state.tasks[t].group, g) or is_charging(k, t, g)) and may_act(k, t):
            return False
    return True


@compiled
def settled(k, shell):
    """In no group can anything happen any more, nobody outside may yet change that, and the shell waits in vain for a
    child (or has ended: NONE)."""
    if shell != n.NONE and (
        k.state.tasks[shell].run_state != n.T_SLEEPING or k.state.tasks[shell].wait_kind != n.W_CHILD
    ):
        return False
    busy = 0
    for g in range(1, k.state.n_groups):
        if k.state.groups[g].alive and k.state.groups[g].tasks > 0:
            if not is_over(k, g):
                return False
            busy += 1
    write_survey(k)
    for t in range(k.state.n_tasks):
        if t != shell and k.state.tasks[t].group == 0 and k.books.tasks[t].free:
            return False
    return shell == n.NONE or (busy > 0 and k.books.tasks[shell].lost != 0)


@compiled
def is_lost(k, t):
    """The task will never go on: it is stuck, of a group that stands still and cannot do anything, or it waits for a
    child that is lost (for all its children: for one that is)."""
    books = k.books.tasks[t]
    task = k.state.tasks[t]
    if books.stuck_on != n.NONE:
        return True
    if task.group > 0 and k.books.groups[task.group].blocked and not books.free:
        return True
    if task.run_state != n.T_SLEEPING or task.wait_kind != n.W_CHILD:
        return False
    lost = False
    others = False
    child = task.first_child
    while child != n.NONE:
        if task.wait_id < 0 or k.state.tasks[child].slot == task.wait_id:
            lost = lost or k.books.tasks[child].lost
            others = others or not k.books.tasks[child].lost
        child = k.state.tasks[child].sibling
    return lost and (not others or task.wait_id == n.ALL_CHILDREN)


@compiled
def find_lost(k):
    """Mark who will never go on (``books.tasks[].lost``), from the waiters for memory up to those who wait for them."""
    for t in range(k.state.n_tasks):
        k.books.tasks[t].lost = 0
    found = True
    while found:
        found = False
        for t in range(k.state.n_tasks):
            if not k.books.tasks[t].lost and alive(k, t) and is_lost(k, t):
                k.books.tasks[t].lost = 1
                found = True


@compiled
def may_come(k, t):
    """A task outside may yet kill, write a group's file or take pages from a file: its program says so."""
    task = k.state.tasks[t]
    if task.group > 0 or task.kthread != n.KT_NONE or k.books.tasks[t].lost or not k.books.rescues[task.pc]:
        return False
    return find_charger(k, t) == n.NONE


@compiled
def write_survey(k):
    """Write down, for ``engine.verdict``, who waits for whose memory, which groups have come to a standstill, who will
    never go on, and who may yet do something."""
    for g in range(1, k.state.n_groups):
        k.books.groups[g].blocked = stands_still(k, g)
    for t in range(k.state.n_tasks):
        books = k.books.tasks[t]
        books.charging = n.NONE
        books.stuck_on = n.NONE
        books.free = 0
        if not alive(k, t):
            continue
        if k.state.tasks[t].group > 0:
            books.free = may_act(k, t)
        d = charging_frame(k, t)
        if d != n.NONE:
            books.charging = k.state.tasks[t].frames[d].group
        if waits_for_lock(k, t):
            g = stuck_behind(k, t)
            if g != n.NONE and not is_below(k, k.state.tasks[t].group, g) and k.books.groups[g].blocked:
                books.stuck_on = g
    find_lost(k)
    for t in range(k.state.n_tasks):
        if alive(k, t) and may_come(k, t):
            k.books.tasks[t].free = 1


@driver
def survey(k):
    """``write_survey``, for Python, in one call: to hand over the machine costs some milliseconds each time."""
    write_survey(k)


@dataclass(frozen=True)
class Link:
    """One task of a chain: what it waits for (``W_*``), which one (page, mm, file, group), and its step."""

    task: int
    kind: int
    what: int
    step: str


def chain(k: Any, t: int, find: Callable[[Any, int], int] = find_end) -> list[Link]:
    """The wait of ``t``, then its holder's, and so on: the last link waits for a group's memory or is not waiting.

    Where that memory waits for the OOM killer's victim to die, the chain goes on with the victim's own wait. A last
    link whose task has been there before closes a cycle. Call ``survey`` first, once for the machine as it stands.
    ``find`` is how ``find_end`` is called there.
    """
    links = _to_memory(k, t, find)
    seen = {link.task for link in links}
    while links[-1].kind in CHARGING and (victim := victim_of(k, links[-1].what)) is not None:
        for link in _to_memory(k, victim, find):
            links.append(link)
            if link.task in seen:
                return links
            seen.add(link.task)
    return links


def memory_in(links: Sequence[Link]) -> int:
    """The group for whose memory the first task of a chain waits, or NONE."""
    return next((link.what for link in links if link.kind in MEMORY), n.NONE)


def victims(k: Any) -> list[int]:
    """Whom the OOM killer has chosen and who has not died yet: it kills nobody else in their groups meanwhile."""
    tasks = k.state["tasks"][: int(k.state.n_tasks)]
    living = np.isin(tasks["run_state"], (n.T_RUNNABLE, n.T_SLEEPING))
    return [int(t) for t in np.flatnonzero(living & (tasks["memdie"] != 0) & (tasks["mm"] != n.NONE))]


def victim_of(k: Any, g: int) -> int | None:
    """The victim for whose death a group's memory waits, or None."""
    return next((t for t in victims(k) if _is_below(k, int(k.state.tasks[t].group), g)), None)


def _is_below(k: Any, g: int, root: int) -> bool:
    """``hierarchy.is_below``, for Python."""
    while g != root:
        up = int(k.state.groups[g].parent)
        if up <= 0 or not k.state.groups[up].use_hierarchy:
            return False
        g = up
    return True


def _to_memory(k: Any, t: int, find: Callable[[Any, int], int]) -> list[Link]:
    """The shortest chain from ``t`` to a group's memory; if it leads to none, the longest that there is."""
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
