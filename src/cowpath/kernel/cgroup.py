"""Groups come and go, and tasks join them (kernel/cgroup.c of 3.0)."""

from __future__ import annotations

from . import names as n
from . import steps as s
from .compiled import compiled
from .hierarchy import note_member
from .kmem import account_memcg, charge_now, memcg_objects, uncharge_objects
from .memcg_move import mem_cgroup_css_offline, mem_cgroup_force_empty_list, move_swap
from .policies import number
from .wait import emit

PARENT = number("removed_group", "parent")
STAYS = number("removed_group", "stays")


@compiled
def cgroup_create(k, g, parent):
    """mkdir: a group without limits, with its parent's use_hierarchy and swappiness. A status."""
    group = k.state.groups[g]
    if group.alive:
        return n.FAIL_EXIST
    if not k.state.groups[parent].alive:
        return n.FAIL_NOENT
    if not leave_to_parent(k, g):  # of a dead group that had the name
        return n.FAIL_BUSY
    group.alive = 1
    group.parent = parent
    group.use_hierarchy = k.state.groups[parent].use_hierarchy if parent > 0 else k.state.cgroup2
    if k.state.always_hierarchy:
        group.use_hierarchy = 1
    group.oom_kill_disable = k.state.groups[parent].oom_kill_disable if parent > 0 else 0
    group.swappiness = k.state.groups[parent].swappiness
    group.res.limit = n.UNLIMITED
    group.memsw.limit = n.UNLIMITED
    group.high = n.UNLIMITED
    group.low_pages = 0
    group.min_pages = 0
    group.swap_max = n.UNLIMITED
    group.swap_high = n.UNLIMITED
    group.swap_usage = 0
    group.controls = 0
    group.oom_lock = 0
    group.under_oom = 0
    group.oom_group = 0
    clear_books(k, g)
    k.state.n_groups = max(k.state.n_groups, g + 1)
    group.made_of = memcg_objects(k) if k.books.charges_kmem and parent > 0 else 0
    if group.made_of > 0:
        charge_now(k, parent, group.made_of)
        account_memcg(k, parent, 1)
    emit(k, n.EV_GROUP, n.NONE, g, n.CG_MADE, 0, 0)
    return n.NEXT


@compiled
def cgroup_mkdir(k, op):
    """mkdir, as OP_CG_CREATE wants it. An errno."""
    status = n.NEXT
    if op.bits & n.CREATE_MISSING == 0 or not k.state.groups[op.a].alive:
        status = cgroup_create(k, op.a, op.b)
    if op.bits & n.CREATE_ENABLES and k.state.cgroup2 and status == n.NEXT:
        status = cgroup_subtree_control_write(k, op.b, 1)
    return errno_of(status)


@compiled
def clear_books(k, g):
    """The files of a new group start at 0, also if there was one of its name before; it has had no task."""
    books = k.books.groups[g]
    books.failcnt = 0
    books.memsw_failcnt = 0
    books.max_usage = 0
    books.kmem_max_usage = books.kmem_usage
    books.memsw_max_usage = 0
    books.pgpgin = 0
    books.pgpgout = 0
    books.split_pages = 0
    books.thp_fault_alloc = 0
    books.thp_fault_fallback = 0
    books.thp_fault_fallback_charge = 0
    books.pgfault = 0
    books.pgmajfault = 0
    books.joined = 0
    books.deaths = 0
    books.killed = 0
    books.rounds = 0
    for which in range(len(books.vm_events)):
        books.vm_events[which] = 0
    books.cost[0] = books.cost[1] = 0
    books.refaults[0] = books.refaults[1] = 0
    books.nonresident_age = 0
    for which in range(len(books.events)):
        books.events[which] = 0
        books.events_local[which] = 0
    books.progress_at = k.books.now
    psi = k.books.psi[g]
    for which in range(len(psi.total)):
        psi.total[which] = psi.avg_total[which] = 0
    for which in range(len(psi.avg)):
        psi.avg[which] = 0
    for which in range(len(psi.times)):
        psi.times[which] = 0


@compiled
def cgroup_rmdir(k, g):
    """rmdir: EBUSY while there are tasks or children. What is left of the pages goes to the parent, or stays the dead
    group's.
    """
    group = k.state.groups[g]
    if not group.alive:
        return n.FAIL_NOENT
    if group.tasks > 0 or has_children(k, g) or is_referred_to(k, g):
        return n.FAIL_BUSY
    if k.state.removed_group == STAYS:
        mem_cgroup_css_offline(k, g)
    elif not mem_cgroup_force_empty_list(k, g):
        return n.FAIL_BUSY
    if k.state.removed_group == PARENT:
        move_swap(k, g)
    if group.made_of > 0:
        uncharge_objects(k, group.parent, group.made_of)
        account_memcg(k, group.parent, -1)
        group.made_of = 0
    group.alive = 0
    return n.NEXT


@compiled
def leave_to_parent(k, g):
    """What is still charged to a dead group is its parent's from now on. False where that has no room."""
    group = k.state.groups[g]
    if group.res.usage == 0 and group.memsw.usage == 0 and group.swap_usage == 0:
        return True
    if not mem_cgroup_force_empty_list(k, g):
        return False
    move_swap(k, g)
    return True


@compiled
def rmdir_tree(k, g):
    """cgdelete -r: the groups below it, children (of higher numbers) first, then the group. The first failure."""
    status = n.FAIL_NOENT
    for other in range(k.state.n_groups - 1, g - 1, -1):
        up = other
        while up > g:
            up = k.state.groups[up].parent
        if up == g and k.state.groups[other].alive:
            status = cgroup_rmdir(k, other)
            if status != n.NEXT:
                return status
    return status


@compiled
def cgroup_attach_task(k, t, g):
    """The task is charged to this group from now on (its pages stay where they are, as in v1)."""
    task = k.state.tasks[t]
    k.state.groups[task.group].tasks -= 1
    k.state.groups[g].tasks += 1
    task.group = g
    note_member(k, g)
    if task.mm != n.NONE:
        k.state.mms[task.mm].owner_group = g
    emit(k, n.EV_GROUP, t, g, n.NONE, 0, 0)


@compiled
def may_attach(k, g):
    """A task may join: an errno. A group of v2 that passes controllers on has no tasks of its own, but for the root."""
    if not k.state.groups[g].alive:
        return errno_of(n.FAIL_NOENT)
    return errno_of(n.FAIL_BUSY) if g > 0 and k.state.groups[g].controls else 0


@compiled
def cgroup_subtree_control_write(k, g, value):
    """cgroup_subtree_control_write: whether the memory controller goes on to the groups below."""
    group = k.state.groups[g]
    if value == n.NONE or value == group.controls:
        return n.NEXT
    if value and g > 0:
        if not k.state.groups[group.parent].controls:
            return n.FAIL_NOENT
        if group.tasks > 0:
            return n.FAIL_BUSY
    for below in range(1, k.state.n_groups):
        other = k.state.groups[below]
        if not value and other.alive and other.parent == g and other.controls:
            return n.FAIL_BUSY
    group.controls = value
    return n.NEXT


@compiled
def has_children(k, g):
    """There are groups below."""
    for other in range(1, k.state.n_groups):
        if k.state.groups[other].alive and k.state.groups[other].parent == g:
            return True
    return False


@compiled
def is_referred_to(k, g):
    """A task is in a charge that has failed here (for a page from swap, or it was moved meanwhile), or reclaims here.

    Those keep css references; 3.0's rmdir would wait for them.
    """
    for t in range(k.state.n_tasks):
        for d in range(k.state.tasks[t].depth):
            f = k.state.tasks[t].frames[d]
            if f.path == s.P_RECLAIM:
                if f.group == g or f.victim == g:
                    return True
            elif f.group == g and f.phase != 0:
                step = k.books.paths[f.path].steps[f.pc]
                if s.CHARGES[step] or step == s.RECLAIM_HIGH:
                    return True
    return False


@compiled
def errno_of(status):
    """The errno that a failed step stands for."""
    if status == n.FAIL_INVAL:
        return 22
    if status == n.FAIL_ACCES:
        return 13
    if status == n.FAIL_BUSY:
        return 16
    if status == n.FAIL_NOENT:
        return 2
    if status == n.FAIL_EXIST:
        return 17
    if status == n.FAIL_OOM or status == n.FAIL_CHARGE:
        return 12
    if status == n.FAIL_AGAIN:
        return 11
    if status == n.FAIL_FAULT or status == n.FAIL_SEGV:
        return 14
    if status == n.FAIL_IO:
        return 5
    if status == n.FAIL_KILLED:
        return 4
    if status == n.FAIL_NFILE:
        return 23
    return 0
