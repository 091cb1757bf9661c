"""mkdir of a group: what it is made of is charged to the group above it (mem_cgroup_css_alloc of mm/memcontrol.c,
3e38e0aaca9e, 5.9). A charge like any other: it reclaims, it kills, and where nobody may be killed mkdir is ENOMEM.
"""

from __future__ import annotations

from . import names as n
from . import steps as s
from . import waits
from .cgroup import cgroup_mkdir, errno_of
from .compiled import compiled
from .frames import R_HIGH, R_NOSWAP
from .hierarchy import parent_of
from .kmem import bytes_for, drain_stocks, memcg_objects
from .memcg_events import memcg_memory_event
from .memcg_oom import mem_cgroup_out_of_memory
from .memcg_stock import stock_of
from .memcontrol import mem_cgroup_margin
from .mutex import mutex_lock_killable, mutex_unlock
from .oom_kill import OOM_NOBODY
from .wait import spend

W_OOM_LOCK = waits.number("oom_lock")
SWAP_CLUSTER_MAX = 32
RECLAIMED, KILLING = 1, 2  # phases; 2: oom_lock is wanted


@compiled
def pages_to_make(k, parent):
    """Pages that a new group's charge needs besides what this CPU keeps."""
    c = k.books.cpu
    size = memcg_objects(k) - bytes_for(k, c, parent)
    return (size + n.PAGE_SIZE - 1) // n.PAGE_SIZE - stock_of(k, c, parent)


@compiled
def group_without_room(k, op):
    """The group, of the new one's parent and those above, that has no room for the charge, or NONE."""
    g = op.b
    if g == 0 or not k.books.charges_kmem or k.state.groups[op.a].alive or not k.state.groups[g].alive:
        return n.NONE
    pages = pages_to_make(k, g)
    while g != n.NONE and (pages <= 0 or mem_cgroup_margin(k, g) >= pages):
        g = parent_of(k, g)
    return g


@compiled
def mem_cgroup_css_alloc(k, t, f, op):
    """The charge, as often as there is hope, and then the group. NEXT: the caller has its status."""
    g = group_without_room(k, op)
    if g == n.NONE:
        return finish(k, t, f, cgroup_mkdir(k, op))
    if f.phase == 0:
        f.retries = k.books.reclaim_retries
        drain_stocks(k, k.state.tasks[t].cpu, g)
    elif f.phase == RECLAIMED and f.ret == 0:
        f.retries -= 1
    elif f.phase == KILLING:
        return kill_for_group(k, t, f, g, pages_to_make(k, op.b))
    if k.state.tasks[t].sigkill:
        return finish(k, t, f, errno_of(n.FAIL_OOM))
    if f.retries > 0:
        return reclaim_for_group(k, f, g, pages_to_make(k, op.b))
    if k.state.groups[g].oom_kill_disable:
        return finish(k, t, f, errno_of(n.FAIL_OOM))
    memcg_memory_event(k, g, n.ME_OOM)
    f.phase = KILLING
    return n.AGAIN


@compiled
def reclaim_for_group(k, f, g, pages):
    """The counter has refused: try_to_free_mem_cgroup_pages."""
    group = k.state.groups[g]
    memsw = group.memsw.limit - group.memsw.usage < pages
    if memsw:
        k.books.groups[g].memsw_failcnt += 1
    else:
        k.books.groups[g].failcnt += 1
    memcg_memory_event(k, g, n.ME_MAX)
    f.group = g
    f.todo = R_HIGH | (R_NOSWAP if memsw else 0)
    f.count = SWAP_CLUSTER_MAX
    f.phase = RECLAIMED
    return n.CALL


@compiled
def kill_for_group(k, t, f, g, pages):
    """mem_cgroup_out_of_memory, under oom_lock, if there is still no room. After a kill it is all tried again."""
    locked = mutex_lock_killable(k, t, W_OOM_LOCK)
    if locked == n.FAIL_KILLED:
        return finish(k, t, f, errno_of(n.FAIL_OOM))
    if locked != n.NEXT:
        return locked
    spend(k, s.OOM_SLEEP)
    found = OOM_NOBODY + 1
    if mem_cgroup_margin(k, g) < pages:
        found = mem_cgroup_out_of_memory(k, t, g)
    mutex_unlock(k, t, W_OOM_LOCK)
    if found == OOM_NOBODY:
        return finish(k, t, f, errno_of(n.FAIL_OOM))
    f.phase = RECLAIMED
    f.ret = 0
    f.retries = k.books.reclaim_retries + 1
    return n.YIELD


@compiled
def finish(k, t, f, errno):
    """The caller gets its status."""
    f.phase = 0
    k.state.tasks[t].status = errno
    return n.NEXT
