"""What must always be true of tasks, their families and address spaces. Each function answers OK, or what is wrong."""

from __future__ import annotations

import numpy as np

from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.compiled import compiled

from .invariants_locks import step_of
from .invariants_pages import OK, mm_is_free
from .waitfor import alive


@compiled
def mms_have_users(k):
    """An mm's users: the tasks that run in it, who read it through /proc, and a fork that fills it.

    One without users is free, or is being taken down by exactly one frame.
    """
    state = k.state
    users = np.zeros(state.n_mms, np.int32)
    taken_down = np.zeros(state.n_mms, np.int32)
    for t in range(state.n_tasks):
        task = state.tasks[t]
        for d in range(task.depth):
            f = task.frames[d]
            if f.path == s.P_READ_PROC or f.path == s.P_READ_MAPS or f.path == s.P_ACCESS_REMOTE_VM:
                users[f.mm] += f.phase == 0 or step_of(k, t) != s.MMPUT
                taken_down[f.mm] += f.phase == 1 and step_of(k, t) == s.MMPUT
            elif f.path == s.P_FORK and f.other_mm != n.NONE:
                users[f.other_mm] += step_of(k, t) != n.NONE or f.unwinding != 0
            elif f.path == s.P_EXIT and f.phase == 1 and step_of(k, t) == s.EXIT_MM and f.other_mm != n.NONE:
                taken_down[f.other_mm] += 1
            elif f.path == s.P_EXEC and f.phase == 1 and f.other_mm != n.NONE and state.mms[f.other_mm].users == 0:
                taken_down[f.other_mm] += 1
        if alive(k, t) and task.mm != n.NONE:
            users[task.mm] += 1
    for m in range(state.n_mms):
        if state.mms[m].users != users[m] or mm_is_free(k, m) != (users[m] == 0 and taken_down[m] == 0):
            return m
        if users[m] == 0 and taken_down[m] > 1:
            return m
    return OK


@compiled
def tasks_are_queued_once(k):
    """A runnable task is on one CPU, in one CPU's queue, or has just been woken; nobody else is.

    Nobody stands in the queue of a CPU on which it may not run, or of one that idles: there it would wait for ever.
    """
    seen = np.zeros(k.state.n_tasks, np.int32)
    for c in range(k.state.n_cpus):
        cpu = k.books.cpus[c]
        if cpu.curr != n.NONE:
            seen[cpu.curr] += 1
        for i in range(cpu.queued):
            t = k.books.runq[c].heap[i]
            seen[t] += 1
            affinity = k.state.tasks[t].affinity
            if cpu.curr == n.NONE or (affinity != n.NONE and affinity != c):
                return t
    for i in range(k.books.n_woken):
        seen[k.books.woken[i]] += 1
    for t in range(k.state.n_tasks):
        if seen[t] != (k.state.tasks[t].run_state == n.T_RUNNABLE):
            return t
    return OK


@compiled
def families_are_whole(k):
    """Children and parents name each other; a thread group has a leader; the groups know how many tasks they have."""
    state = k.state
    left = 0
    threads = 0  # with those that are being forked
    members = np.zeros(state.n_groups, np.int32)
    for t in range(state.n_tasks):
        task = state.tasks[t]
        if task.run_state == n.T_FREE:
            continue
        threads += (k.books.tasks[t].reaped != 2) + (
            task.depth > 0 and (task.frames[0].path == s.P_FORK or task.frames[0].path == s.P_CLONE)
        )
        left += task.parent != n.NONE
        members[task.group] += alive(k, t)
        leader = task.leader
        if not 0 <= leader < state.n_tasks or state.tasks[leader].run_state == n.T_FREE:
            return t
        if state.tasks[leader].leader != leader or (not alive(k, t) and task.mm != n.NONE):
            return t
        child = task.first_child
        while child != n.NONE:
            if state.tasks[child].parent != t or state.tasks[child].run_state == n.T_FREE:
                return child
            left -= 1
            child = state.tasks[child].sibling
    for g in range(state.n_groups):
        if state.groups[g].tasks != members[g] or (members[g] > 0 and not state.groups[g].alive):
            return g
    if threads != k.books.nr_threads:
        return threads
    return OK if left == 0 else left
