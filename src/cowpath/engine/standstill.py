"""When nothing comes of a group's charges any more, who may still do something, and who will never go on.

``survey`` writes it down for ``engine.verdict``; how waits lead to memory is in ``waitfor``.
"""

from __future__ import annotations

from cowpath.kernel import names as n
from cowpath.kernel.compiled import compiled, driver
from cowpath.kernel.hierarchy import is_below

from .waitfor import alive, charging_frame, find_charger, stuck_behind, waiting_frame, waits_for_lock


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
    if task.wait_kind == n.W_COMPLETION:
        other = task.wait_id
        return not is_below(k, k.state.tasks[other].group, task.group) and find_charger(k, other) == n.NONE
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
    """The task will never go on: it is stuck, of a group that stands still and cannot do anything, or it waits for
    another, or a child, that is lost (for all its children: for one that is)."""
    books = k.books.tasks[t]
    task = k.state.tasks[t]
    if books.stuck_on != n.NONE:
        return True
    if task.group > 0 and k.books.groups[task.group].blocked and not books.free:
        return True
    if task.run_state == n.T_SLEEPING and task.wait_kind == n.W_COMPLETION:
        return k.books.tasks[task.wait_id].lost != 0
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
