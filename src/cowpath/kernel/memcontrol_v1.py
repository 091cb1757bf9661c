"""Writes to v1's limits and to force_empty, as later kernels do them (mm/memcontrol-v1.c; 4.19's mm/memcontrol.c)."""

from __future__ import annotations

from . import names as n
from .block import TENTH_NS, pause
from .compiled import compiled
from .frames import R_HIGH, R_NOSWAP
from .kmem import drain_stocks
from .lru import lru_add_drain_all
from .memcg_oom import memcg_oom_recover
from .policies import number

PAUSES = number("force_empty", "pauses")
SWAP_CLUSTER_MAX = 32

DRAINED = 1  # phases
RECLAIMED = 2
PAUSED = 3


@compiled
def mem_cgroup_resize_max(k, t, f, g, most, memsw):
    """A limit below usage: the stocks are drained, once; then a pass of reclaim after the other, and EBUSY after the
    first one that has freed nothing.
    """
    group = k.state.groups[g]
    counter = group.memsw if memsw else group.res
    if (memsw and most < group.res.limit) or (not memsw and most > group.memsw.limit):
        return n.FAIL_INVAL
    if counter.usage <= most:
        raised = most > counter.limit
        counter.limit = most
        if raised:
            memcg_oom_recover(k, g)
        return n.NEXT
    if k.state.tasks[t].sigkill:
        return n.FAIL_KILLED
    if f.phase == 0:
        f.phase = DRAINED
        drain_stocks(k, k.state.tasks[t].cpu, g)
        return n.AGAIN
    if f.phase == RECLAIMED and f.ret == 0:
        return n.FAIL_BUSY
    return _reclaim(f, g, R_NOSWAP if memsw else 0)


@compiled
def force_empty(k, t, f, g):
    """mem_cgroup_force_empty: reclaims until as many passes as a charge has retries were in vain, and succeeds."""
    if f.phase == 0:
        f.retries = k.books.reclaim_retries
        lru_add_drain_all(k)
        drain_stocks(k, k.state.tasks[t].cpu, g)
    elif f.phase == RECLAIMED and f.ret == 0:
        f.retries -= 1
        if k.state.force_empty == PAUSES:
            f.phase = PAUSED
            return pause(k, t, TENTH_NS)  # congestion_wait
    if f.retries <= 0 or k.state.groups[g].res.usage == 0:
        return n.NEXT
    if k.state.tasks[t].sigkill:
        return n.FAIL_KILLED
    return _reclaim(f, g, 0)


@compiled
def _reclaim(f, g, how):
    """try_to_free_mem_cgroup_pages, of a page: a cluster."""
    f.group = g
    f.todo = R_HIGH | how
    f.count = SWAP_CLUSTER_MAX
    f.phase = RECLAIMED
    return n.CALL
