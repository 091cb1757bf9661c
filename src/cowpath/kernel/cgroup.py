"""Writes to a group's files (mem_cgroup_write, mem_cgroup_resize_limit, ... in mm/memcontrol.c of 3.0)."""

from __future__ import annotations

from . import names as n
from . import steps as s
from .block import TENTH_NS, pause
from .compiled import compiled
from .hierarchy import is_below, parent_of
from .lru import lru_add, lru_del
from .memcg_charge import R_NOSWAP, R_SHRINK, RECLAIM_RETRIES, memsw_is_minimum
from .memcg_oom import memcg_oom_recover
from .memcontrol import drain_stock, res_counter_charge
from .swapfile import uncharge_swap
from .wait import current, emit, spend


@compiled
def cgroup_create(k, g, parent):
    """mkdir: a group without limits, with its parent's use_hierarchy and swappiness. A status."""
    group = k.state.groups[g]
    if group.alive:
        return n.FAIL_BUSY
    if not k.state.groups[parent].alive:
        return n.FAIL_NOENT
    group.alive = 1
    group.parent = parent
    group.use_hierarchy = k.state.groups[parent].use_hierarchy if parent > 0 else 0
    group.oom_kill_disable = k.state.groups[parent].oom_kill_disable if parent > 0 else 0
    group.swappiness = k.state.groups[parent].swappiness
    group.res.limit = n.UNLIMITED
    group.memsw.limit = n.UNLIMITED
    group.oom_lock = 0
    group.under_oom = 0
    clear_books(k, g)
    k.state.n_groups = max(k.state.n_groups, g + 1)
    emit(k, n.EV_GROUP, n.NONE, g, n.CG_MADE, 0, 0)
    return n.NEXT


@compiled
def clear_books(k, g):
    """The files of a new group start at 0, also if there was one of its name before."""
    books = k.books.groups[g]
    books.failcnt = 0
    books.memsw_failcnt = 0
    books.max_usage = 0
    books.memsw_max_usage = 0
    books.pgpgin = 0
    books.pgpgout = 0
    books.pgfault = 0
    books.pgmajfault = 0
    books.rounds = 0
    books.progress_at = k.books.now


@compiled
def has_children(k, g):
    """There are groups below."""
    for other in range(1, k.state.n_groups):
        if k.state.groups[other].alive and k.state.groups[other].parent == g:
            return True
    return False


@compiled
def cgroup_rmdir(k, g):
    """rmdir: EBUSY while there are tasks or children. What is left of the pages goes to the parent."""
    group = k.state.groups[g]
    if not group.alive:
        return n.FAIL_NOENT
    if group.tasks > 0 or has_children(k, g) or is_referred_to(k, g):
        return n.FAIL_BUSY
    if not mem_cgroup_force_empty_list(k, g):
        return n.FAIL_BUSY
    move_swap(k, g)
    group.alive = 0
    return n.NEXT


@compiled
def is_referred_to(k, g):
    """A task is in a charge that has failed here (for a page from swap, or it was moved meanwhile), or reclaims here.

    Those keep css references; 3.0's rmdir would wait for them.
    """
    for t in range(k.state.n_tasks):
        for d in range(k.state.tasks[t].depth):
            f = k.state.tasks[t].frames[d]
            if f.path == s.P_RECLAIM:
                if f.group == g or f.batch == g:
                    return True
            elif f.group == g and f.phase != 0:
                step = k.books.paths[f.path].steps[f.pc]
                if step == s.CHARGE or step == s.PTE_ALLOC_ONE:
                    return True
    return False


@compiled
def mem_cgroup_force_empty_list(k, g):
    """The end of mem_cgroup_force_empty: what is left of the pages is charged to the parent. False if it can't be."""
    group = k.state.groups[g]
    for c in range(k.state.n_cpus):
        if k.state.cpus[c].stock_group == g:
            drain_stock(k, c)
    up = parent_of(k, g)
    for which in range(len(group.lists)):
        while group.lists[which].head != n.NONE:
            p = group.lists[which].head
            if up == n.NONE and group.parent > 0 and res_counter_charge(k, group.parent, 1)[0] != n.NONE:
                return False
            lru_del(k, p)
            mem_cgroup_move_account(k, p, g)
            lru_add(k, p)
    memcg_oom_recover(k, g)
    return group.res.usage == 0


@compiled
def move_swap(k, g):
    """What the group has in swap is its parent's from now on, if that is charged with it; else nobody's."""
    if k.books.groups[g].swap == 0:
        return
    up = parent_of(k, g)
    for slot in range(k.state.n_swaps):
        swap = k.state.swaps[slot]
        if swap.group == g and (swap.count > 0 or swap.page):
            if up == n.NONE:
                uncharge_swap(k, slot)
            else:
                swap.group = up
                k.books.groups[up].swap += 1
                k.books.groups[g].swap -= 1
                k.state.groups[g].memsw.usage -= 1


@compiled
def mem_cgroup_move_account(k, p, g):
    """mem_cgroup_move_account from a group to its parent; an ancestor that counts both is not touched."""
    page = k.state.pages[p]
    source = k.books.groups[g]
    target = k.books.groups[k.state.groups[g].parent]
    page.group = k.state.groups[g].parent
    source.pgpgout += 1
    target.pgpgin += 1
    if page.bits & n.PG_ANON:
        source.rss -= 1
        target.rss += 1
    else:
        source.cache -= 1
        target.cache += 1
        if page.mapcount > 0:
            source.mapped_file -= 1
            target.mapped_file += 1
    k.state.groups[g].res.usage -= 1
    k.state.groups[g].memsw.usage -= 1
    spend(k, s.UNCHARGE)


@compiled
def step_resize_limit(k, t):
    """Write a file of the group. A limit below usage reclaims, five fruitless rounds a child, and gives EBUSY."""
    f = current(k, t)
    op = k.books.ops[f.arg]
    g = op.a
    group = k.state.groups[g]
    if not group.alive:
        return finish(k, t, g, op, n.FAIL_NOENT)
    if op.b == n.CG_FORCE_EMPTY:
        return mem_cgroup_force_empty(k, t, f, op)
    if op.b != n.CG_LIMIT and op.b != n.CG_MEMSW_LIMIT:
        return finish(k, t, g, op, write_small(k, g, op.b, op.c))
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
        if shared or (group.parent > 0 and k.state.groups[group.parent].use_hierarchy):
            return n.FAIL_INVAL
        group.oom_kill_disable = value
        if value == 0:
            memcg_oom_recover(k, g)
    elif what == n.CG_SWAPPINESS:
        if value > 100:
            return n.FAIL_INVAL
        group.swappiness = value
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


@compiled
def errno_of(status):
    """The errno that a failed step stands for."""
    if status == n.FAIL_INVAL:
        return 22
    if status == n.FAIL_BUSY:
        return 16
    if status == n.FAIL_NOENT:
        return 2
    if status == n.FAIL_OOM:
        return 12
    if status == n.FAIL_FAULT or status == n.FAIL_SEGV:
        return 14
    if status == n.FAIL_IO:
        return 5
    if status == n.FAIL_KILLED:
        return 4
    return 0


@compiled
def cgroup_attach_task(k, t, g):
    """The task is charged to this group from now on (its pages stay where they are, as in v1)."""
    task = k.state.tasks[t]
    k.state.groups[task.group].tasks -= 1
    k.state.groups[g].tasks += 1
    task.group = g
    if task.mm != n.NONE:
        k.state.mms[task.mm].owner_group = g
    emit(k, n.EV_GROUP, t, g, n.NONE, 0, 0)
