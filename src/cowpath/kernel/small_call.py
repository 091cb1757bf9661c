"""System calls that are one atomic move, most of them writes to a cgroup's files."""

from __future__ import annotations

from . import names as n
from .cgroup import (
    cgroup_attach_task,
    cgroup_mkdir,
    cgroup_rmdir,
    errno_of,
    may_attach,
    rmdir_tree,
)
from .compiled import compiled
from .completion import begin_family, complete
from .frames import finish_op
from .move_charge import begin_attach
from .wait import emit


@compiled
def small_call(k, t, op):
    """Calls that are one atomic move."""
    task = k.state.tasks[t]
    code = op.code
    if code != n.OP_HOST or op.bits != n.HOST_KEEPS_STATUS:
        task.status = 0
    if code == n.OP_MARK:
        g = task.group
        while True:
            k.books.groups[g].counters[n.C_JOBS] += 1
            g = k.state.groups[g].parent
            if g <= 0:
                break
        emit(k, n.EV_MARK, t, op.a, 0, 0, 0)
    elif code == n.OP_FAMILY:
        begin_family(k, t)
    elif code == n.OP_COMPLETE:
        complete(k, t)
    elif code == n.OP_ATTACH:
        task.status = may_attach(k, op.a)
        if task.status == 0:
            cgroup_attach_task(k, t, op.a)
            task.pc += op.b
    elif code == n.OP_CG_CREATE:
        task.status = cgroup_mkdir(k, op)
    elif code == n.OP_CG_DELETE:
        task.status = errno_of(rmdir_tree(k, op.a) if op.bits == n.DELETE_TREE else cgroup_rmdir(k, op.a))
    elif code == n.OP_AFFINITY:
        task.affinity = op.a
        k.books.resched_ok = 1
        finish_op(k, t)
        return n.YIELD
    elif code == n.OP_OOM_ADJ:
        task.oom_score_adj = op.a
    elif code == n.OP_CLASSIFY:
        moved = k.state.names[op.b] - 1
        task.status = classify(k, op.a, moved, op.bits)
        if task.status == 0 and begin_attach(k, t, moved):
            return n.NEXT
    elif code == n.OP_STATUS:
        task.status = op.a
    elif code == n.OP_SIGBUS:
        task.sigbus_handler = op.a
    elif code == n.OP_FAIL_READS:
        k.state.files[op.a].bad_first = op.b
        k.state.files[op.a].bad_count = op.c
    elif code == n.OP_HOST:
        if not readable(k, op.b, op.bits):
            task.status = errno_of(n.FAIL_NOENT)
        k.books.host = op.a
        k.books.host_task = t
        emit(k, n.EV_HOST, t, op.a, 0, 0, 0)
        finish_op(k, t)
        return n.HOST
    return finish_op(k, t)


@compiled
def readable(k, g, bits):
    """The files of the group that OP_HOST wants are there."""
    if bits != n.HOST_READS and bits != n.HOST_READS_MEMORY:
        return True
    group = k.state.groups[g]
    if k.state.cgroup2 and bits == n.HOST_READS_MEMORY and g > 0 and not k.state.groups[group.parent].controls:
        return False
    return group.alive != 0


@compiled
def classify(k, g, t, threads):
    """cgroup_attach_task, or _proc: a task joins a group, with its threads or alone, and not its children; its pages
    stay where they are. An errno.
    """
    status = may_attach(k, g)
    if status:
        return status
    if t == n.NONE or k.state.tasks[t].run_state == n.T_ZOMBIE:
        return 3
    leader = k.state.tasks[t].leader
    threads = threads or k.state.cgroup2  # v2 knows processes only
    for other in range(k.state.n_tasks if threads and k.state.tasks[leader].threads > 0 else 0):
        thread = k.state.tasks[other]
        if other != t and thread.leader == leader and thread.run_state != n.T_FREE and thread.run_state != n.T_ZOMBIE:
            cgroup_attach_task(k, other, g)
    cgroup_attach_task(k, t, g)
    return 0
