"""Writes to a group's files (mm/memcontrol.c of 3.0)."""

from __future__ import annotations

from . import names as n
from .block import TENTH_NS, pause
from .cgroup import errno_of, has_children
from .compiled import compiled
from .frames import R_NOSWAP, R_SHRINK, call_reclaim
from .hierarchy import is_below
from .memcg_commit import memsw_is_minimum
from .memcg_mkdir import mem_cgroup_css_alloc
from .memcg_move import mem_cgroup_force_empty_list
from .memcg_oom import memcg_oom_recover
from .memcontrol_v1 import force_empty, mem_cgroup_resize_max
from .memory_files import memory_files_write
from .wait import current, emit

RECLAIM_RETRIES = 5  # MEM_CGROUP_RECLAIM_RETRIES


@compiled
def step_resize_limit(k, t):
    """A write to a file of the group; mkdir of one that finds no room."""
    f = current(k, t)
    op = k.books.ops[f.op]
    if op.code == n.OP_CG_CREATE:
        return mem_cgroup_css_alloc(k, t, f, op)
    g = op.a
    if not k.state.groups[g].alive:
        return finish(k, t, g, op, n.FAIL_NOENT)
    if op.b == n.CG_FORCE_EMPTY:
        if k.state.force_empty:
            return end_or_go_on(k, t, g, op, force_empty(k, t, f, g))
        return mem_cgroup_force_empty(k, t, f, op)
    if op.b >= n.CG_HIGH:
        return end_or_go_on(k, t, g, op, memory_files_write(k, t, f, op))
    if op.b != n.CG_LIMIT and op.b != n.CG_MEMSW_LIMIT:
        return finish(k, t, g, op, write_small(k, g, op.b, op.c))
    if k.state.limit_once:
        return end_or_go_on(k, t, g, op, mem_cgroup_resize_max(k, t, f, g, op.c, op.b == n.CG_MEMSW_LIMIT))
    return mem_cgroup_resize_limit(k, t, f, op)


@compiled
def end_or_go_on(k, t, g, op, answer):
    """The writer gets its status when all is done."""
    running = answer == n.CALL or answer == n.AGAIN or answer == n.YIELD or answer == n.SLEEP
    return answer if running else finish(k, t, g, op, answer)


@compiled
def call_resize_limit(k, t, f):
    """try_to_free_mem_cgroup_pages; for memory.high, of as many pages as it says."""
    call_reclaim(k, t, f)
    k.state.tasks[t].frames[k.state.tasks[t].depth - 1].count = f.count
    return n.NEXT


@compiled
def mem_cgroup_resize_limit(k, t, f, op):
    """A limit, of memory or of memory and swap. One below usage reclaims, five fruitless rounds a child, then EBUSY."""
    g = op.a
    group = k.state.groups[g]
    other = group.memsw if op.b == n.CG_LIMIT else group.res
    counter = group.res if op.b == n.CG_LIMIT else group.memsw
    if op.b == n.CG_LIMIT and op.c > other.limit:
        return finish(k, t, g, op, n.FAIL_INVAL)
    if op.b == n.CG_MEMSW_LIMIT and op.c < other.limit:
        return finish(k, t, g, op, n.FAIL_INVAL)
    if counter.usage <= op.c:
        enlarge = op.c > counter.limit
        counter.limit = op.c
        if enlarge:
            memcg_oom_recover(k, g)
        return finish(k, t, g, op, n.NEXT)
    if f.phase == 0:
        f.retries = RECLAIM_RETRIES * mem_cgroup_count_children(k, g)
        f.index = counter.usage
        f.group = g
        f.todo = R_SHRINK | (R_NOSWAP if op.b == n.CG_MEMSW_LIMIT or memsw_is_minimum(k, g) else 0)
        f.phase = 1
        return n.CALL
    if k.state.tasks[t].sigkill:
        return n.FAIL_KILLED
    if counter.usage >= f.index:
        f.retries -= 1
    else:
        f.index = counter.usage
    if f.retries <= 0:
        return finish(k, t, g, op, n.FAIL_BUSY)
    return n.CALL


@compiled
def mem_cgroup_force_empty(k, t, f, op):
    """mem_cgroup_force_empty: reclaim what can be, charge the rest to the parent. EBUSY with tasks or children."""
    g = op.a
    group = k.state.groups[g]
    if group.tasks > 0 or has_children(k, g):
        return finish(k, t, g, op, n.FAIL_BUSY)
    if f.phase == 0:
        f.retries = RECLAIM_RETRIES
        f.group = g
        f.todo = 0
    elif f.phase == 1 and f.ret == 0:
        f.retries -= 1
        f.phase = 2
        return pause(k, t, TENTH_NS)  # congestion_wait
    if k.state.tasks[t].sigkill:
        return n.FAIL_KILLED
    if f.retries > 0 and group.res.usage > 0:
        f.phase = 1
        return n.CALL
    return finish(k, t, g, op, n.NEXT if mem_cgroup_force_empty_list(k, g) else n.FAIL_BUSY)


@compiled
def mem_cgroup_count_children(k, g):
    """mem_cgroup_count_children: the group and those below it in the hierarchy."""
    count = 0
    for other in range(1, k.state.n_groups):
        if k.state.groups[other].alive and is_below(k, other, g):
            count += 1
    return max(1, count)


@compiled
def write_small(k, g, what, value):
    """The files that take effect at once."""
    group = k.state.groups[g]
    books = k.books.groups[g]
    if what == n.CG_OOM_CONTROL:
        shared = group.use_hierarchy and has_children(k, g)
        shared = shared or (group.parent > 0 and k.state.groups[group.parent].use_hierarchy)
        if shared and k.state.always_hierarchy == 0:
            return n.FAIL_INVAL
        group.oom_kill_disable = value
        if value == 0:
            memcg_oom_recover(k, g)
    elif what == n.CG_SWAPPINESS:
        if value > 100:
            return n.FAIL_INVAL
        group.swappiness = value
    elif what == n.CG_USE_HIERARCHY and k.state.always_hierarchy:
        return n.NEXT if value == 1 else n.FAIL_INVAL
    elif what == n.CG_USE_HIERARCHY:
        up = group.parent
        if (up > 0 and k.state.groups[up].use_hierarchy) or value > 1:
            return n.FAIL_INVAL
        if has_children(k, g):
            return n.FAIL_BUSY
        group.use_hierarchy = value
    elif what == n.CG_FAILCNT:
        books.failcnt = 0
    elif what == n.CG_MEMSW_FAILCNT:
        books.memsw_failcnt = 0
    elif what == n.CG_MAX_USAGE:
        books.max_usage = group.res.usage
    elif what == n.CG_MEMSW_MAX_USAGE:
        books.memsw_max_usage = group.memsw.usage
    return n.NEXT


@compiled
def finish(k, t, g, op, status):
    """The writer gets its status (an E* number for what failed)."""
    f = current(k, t)
    f.phase = 0
    k.state.tasks[t].status = errno_of(status)
    emit(k, n.EV_GROUP, t, g, op.b, op.c, k.state.tasks[t].status)
    return n.NEXT
