"""Whom the OOM killer takes (mm/oom_kill.c of 3.0)."""

from __future__ import annotations

from . import names as n
from . import oom_mm
from . import steps as s
from .compiled import compiled
from .figures import note_kill
from .hierarchy import is_below
from .memcg_events import memcg_memory_event
from .policies import number
from .signals import send_sigkill
from .wait import emit, spend

OOM_SCORE_ADJ_MIN = -1000
DYING = -2
BY_PAGES = number("oom_victim", "pages")

# what the OOM killer has come to
OOM_NOBODY = 0  # there is nobody to kill
OOM_DYING = 1  # somebody is dying already
OOM_KILLED = 2


@compiled
def concerns(k, t, g):
    """The task is of the subtree that is out of memory (0: the whole machine is)."""
    return g == 0 or is_below(k, k.state.tasks[t].group, g)


@compiled
def oom_badness(k, t, g, limit):
    """0 for who must not be killed, else 1 to 1000: per mille of the limit that its death would free.

    By pages (a7f638f999ff, 3.6) at least 1, and oom_score_adj and root's 3 % are of the limit.
    """
    task = k.state.tasks[t]
    if task.mm == n.NONE or not concerns(k, t, g) or task.oom_score_adj == OOM_SCORE_ADJ_MIN:
        return 0
    mm = k.state.mms[task.mm]
    if k.state.oom_victim == BY_PAGES:
        adj = task.oom_score_adj - (30 if task.is_root else 0)
        return max(1, mm.anon_rss + mm.file_rss + mm.tables + mm.swapents + adj * (limit // 1000))
    points = (mm.anon_rss + mm.file_rss + mm.tables + mm.swapents) * 1000 // limit
    if task.is_root:
        points -= 30
    points += task.oom_score_adj
    return min(1000, max(1, points))


@compiled
def select_bad_process(k, me, g, limit):
    """The worst task of the subtree and its badness; NONE if there is none, DYING if somebody is dying already."""
    chosen = n.NONE
    worst = 0
    for t in range(k.state.n_tasks):
        task = k.state.tasks[t]
        if task.run_state != n.T_RUNNABLE and task.run_state != n.T_SLEEPING:
            continue
        if not concerns(k, t, g):
            continue
        spend(k, s.OOM_SCAN_TASK)
        if task.mm == n.NONE:
            continue  # task_in_mem_cgroup: who has left its mm is in no group, TIF_MEMDIE or not (until 3.3)
        if task.memdie:
            return DYING, 0
        if task.exiting:
            if t != me:
                return DYING, 0
            chosen = t
            worst = 1000
        points = oom_badness(k, t, g, limit)
        older = chosen != n.NONE and task.born < k.state.tasks[chosen].born
        if points > worst or (points == worst and points > 0 and older):
            chosen = t
            worst = points
    return chosen, worst


@compiled
def oom_kill_process(k, me, victim, g, limit, points):
    """Kill the victim, or its worst child with an mm of its own in its place."""
    task = k.state.tasks[victim]
    if task.exiting:
        task.memdie = 1
        return
    worst = 0
    child = task.first_child
    chosen = victim
    while child != n.NONE:
        other = k.state.tasks[child]
        alive = other.run_state == n.T_RUNNABLE or other.run_state == n.T_SLEEPING
        if alive and other.mm != task.mm:
            child_points = oom_badness(k, child, g, limit)
            if child_points > worst:
                worst = child_points
                chosen = child
        child = other.sibling
    spend(k, s.OOM_KILL)
    k.books.groups[g].counters[n.C_OOM_KILLS] += 1
    badness = max(points, worst)
    note_kill(k, g, chosen, badness)
    emit(k, n.EV_OOM_KILL, me, g, chosen, badness, 0)
    memcg_memory_event(k, k.state.tasks[chosen].group, n.ME_OOM_KILL)
    send_sigkill(k, chosen)
    k.state.tasks[chosen].memdie = 1
    k.state.tasks[chosen].oom_victim = 1
    k.books.tasks[chosen].chosen_at = 1 + k.books.now


@compiled
def kill_worst(k, me, g, limit):
    """Choose a task of the subtree and kill it, unless somebody is dying. OOM_*."""
    if k.state.oom_victim > BY_PAGES:
        victim, points = oom_mm.select_bad_process(k, g, limit)
        if victim >= 0:
            oom_mm.oom_kill_process(k, me, victim, g, limit, points)
    else:
        victim, points = select_bad_process(k, me, g, limit)
        if victim >= 0:
            oom_kill_process(k, me, victim, g, limit, points)
    if victim >= 0:
        return OOM_KILLED
    return OOM_NOBODY if victim == n.NONE else OOM_DYING


@compiled
def out_of_memory(k, t):
    """out_of_memory: the whole machine is. False when there is nobody to kill (a panic)."""
    if k.state.tasks[t].sigkill:
        k.state.tasks[t].memdie = 1
        return True
    whole = max(1, k.state.memory + k.state.swap_pages)
    return kill_worst(k, t, 0, whole) != OOM_NOBODY
