"""The OOM killer that takes address spaces (mm/oom_kill.c of 4.19 to 7.1; ``oom_victim`` = ``mm`` or ``leader``).

Who has been chosen is a victim until its memory has been given back, or the reaper has done with it (MMF_OOM_SKIP), and
nobody else of the group is chosen meanwhile. All who share its memory die with it.
"""

from __future__ import annotations

from . import names as n
from . import steps as s
from .compiled import compiled
from .figures import note_kill
from .hierarchy import is_below, parent_of
from .memcg_events import memcg_memory_event
from .oom_queue import enqueue
from .policies import number
from .signals import send_sigkill
from .wait import emit, spend

BY_LEADER = number("oom_victim", "leader")
OOM_SCORE_ADJ_MIN = -1000
NOT_ELIGIBLE = -(1 << 40)
DYING = -2


@compiled
def in_domain(k, t, g):
    """The task lives, and is of the subtree that is out of memory (0: the whole machine is)."""
    task = k.state.tasks[t]
    if task.run_state != n.T_RUNNABLE and task.run_state != n.T_SLEEPING:
        return False
    return g == 0 or is_below(k, task.group, g)


@compiled
def mm_of(k, t):
    """A task's address space, also while it takes it down (of a victim: signal->oom_mm); NONE if it has none left."""
    task = k.state.tasks[t]
    if task.mm == n.NONE and task.depth > 0 and task.frames[0].path == s.P_EXIT:
        return task.frames[0].other_mm
    return task.mm


@compiled
def oom_badness(k, t, limit):
    """Pages that the task's death would give back, and its oom_score_adj in per mille of the limit; NOT_ELIGIBLE."""
    task = k.state.tasks[t]
    if task.mm == n.NONE or task.oom_score_adj == OOM_SCORE_ADJ_MIN or k.state.mms[task.mm].oom_skip:
        return NOT_ELIGIBLE
    mm = k.state.mms[task.mm]
    points = mm.anon_rss + mm.file_rss + mm.tables + mm.swapents + task.oom_score_adj * (limit // 1000)
    return points if k.state.oom_victim == BY_LEADER else max(1, points)


@compiled
def rather(k, t, chosen):
    """Of two as bad: the later one; but of 4.19's threads a leader before them, and the first leader."""
    older = k.state.tasks[t].born < k.state.tasks[chosen].born
    if k.state.oom_victim == BY_LEADER:
        return not older
    leads = k.state.tasks[t].leader == t
    if leads != (k.state.tasks[chosen].leader == chosen):
        return leads
    return older if leads else not older


@compiled
def select_bad_process(k, g, limit):
    """oom_evaluate_task of all: the worst and its points; NONE if nobody is eligible, DYING while a victim is there."""
    chosen = n.NONE
    worst = NOT_ELIGIBLE
    for t in range(k.state.n_tasks):
        if not in_domain(k, t, g):
            continue
        spend(k, s.OOM_SCAN_TASK)
        task = k.state.tasks[t]
        if task.memdie:
            m = mm_of(k, t)
            if m != n.NONE and not k.state.mms[m].oom_skip:
                return DYING, 0
            continue
        if k.state.oom_victim == BY_LEADER and task.leader != t:
            continue
        points = oom_badness(k, t, limit)
        if points > worst or (points == worst and points != NOT_ELIGIBLE and rather(k, t, chosen)):
            chosen = t
            worst = points
    return chosen, worst


@compiled
def shares_mm(k, t, m):
    """The task lives and runs in this address space."""
    task = k.state.tasks[t]
    return task.mm == m and (task.run_state == n.T_RUNNABLE or task.run_state == n.T_SLEEPING)


@compiled
def task_will_free_mem(k, t):
    """The task, and all who share its memory, will exit: it need not be killed."""
    m = k.state.tasks[t].mm
    if m == n.NONE or k.state.mms[m].oom_skip:
        return False
    for other in range(k.state.n_tasks):
        if shares_mm(k, other, m) and not k.state.tasks[other].sigkill and not k.state.tasks[other].exiting:
            return False
    return True


@compiled
def mark_oom_victim(k, t):
    """mark_oom_victim, queue_oom_reaper: it gets at the last pages of the machine, and its memory is waited for."""
    k.state.tasks[t].memdie = 1
    m = mm_of(k, t)
    if m != n.NONE:
        enqueue(k, m)


@compiled
def worst_child(k, victim, limit):
    """4.19: a child with memory of its own dies in the victim's place, the worst of them."""
    chosen = victim
    worst = 0
    child = k.state.tasks[victim].first_child
    while child != n.NONE:
        if in_domain(k, child, 0) and k.state.tasks[child].mm != k.state.tasks[victim].mm:
            points = oom_badness(k, child, limit)
            if points > worst:
                worst = points
                chosen = child
        child = k.state.tasks[child].sibling
    return chosen


@compiled
def mem_cgroup_get_oom_group(k, t, g):
    """The highest group from the victim's up to the one out of memory that has memory.oom.group; NONE: none has."""
    found = n.NONE
    up = k.state.tasks[t].group
    while up > 0:
        if k.state.groups[up].oom_group:
            found = up
        if up == g:
            break
        up = parent_of(k, up)
    return found


@compiled
def oom_kill_process(k, me, victim, g, limit, points):
    """Kill the victim, or a child of its (4.19), and with memory.oom.group all of the group."""
    if task_will_free_mem(k, victim):
        mark_oom_victim(k, victim)
        return
    if k.state.oom_victim != BY_LEADER:
        victim = worst_child(k, victim, limit)
    whole = mem_cgroup_get_oom_group(k, victim, g)
    __oom_kill_process(k, me, victim, g, points)
    if whole == n.NONE:
        return
    memcg_memory_event(k, whole, n.ME_OOM_GROUP_KILL)
    for t in range(k.state.n_tasks):
        task = k.state.tasks[t]
        spared = task.oom_score_adj == OOM_SCORE_ADJ_MIN or task.sigkill or task.mm == n.NONE
        if in_domain(k, t, whole) and not spared:
            __oom_kill_process(k, me, t, g, oom_badness(k, t, limit))


@compiled
def __oom_kill_process(k, me, victim, g, points):
    """SIGKILL for the victim's process and for all others that share its memory."""
    spend(k, s.OOM_KILL)
    k.books.groups[g].counters[n.C_OOM_KILLS] += 1
    note_kill(k, g, victim, points)
    emit(k, n.EV_OOM_KILL, me, g, victim, points, 0)
    memcg_memory_event(k, k.state.tasks[victim].group, n.ME_OOM_KILL)
    send_sigkill(k, victim)
    m = k.state.tasks[victim].mm
    for t in range(k.state.n_tasks):
        if shares_mm(k, t, m):
            send_sigkill(k, t)
    mark_oom_victim(k, victim)
    k.state.tasks[victim].oom_victim = 1
    k.books.tasks[victim].chosen_at = 1 + k.books.now
