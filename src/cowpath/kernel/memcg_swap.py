"""Swap of a group of cgroup v2, which is counted and limited by itself (mm/memcontrol.c).

What counts both (``memsw``) goes on counting both, without a limit: swap is the difference. So a page counts once it
has left memory, and not already when it gets its slot.
"""

from __future__ import annotations

from . import names as n
from .compiled import compiled
from .hierarchy import parent_of
from .memcg_events import memcg_memory_event


@compiled
def swap_usage(k, g):
    """Pages of the group, and of those below it, in swap."""
    group = k.state.groups[g]
    return group.memsw.usage - group.res.usage


@compiled
def mem_cgroup_get_nr_swap_pages(k, g):
    """How many more pages of the group may go to swap, by memory.swap.max of it and of those above."""
    most = n.UNLIMITED
    while g > 0:
        most = min(most, k.state.groups[g].swap_max - swap_usage(k, g))
        g = parent_of(k, g)
    return most


@compiled
def mem_cgroup_try_charge_swap(k, g):
    """mem_cgroup_try_charge_swap: a page of the group may have a slot. False: memory.swap.max says no."""
    up = g
    while up > 0:
        if swap_usage(k, up) >= k.state.groups[up].swap_max:
            memcg_memory_event(k, up, n.ME_SWAP_MAX)
            memcg_memory_event(k, up, n.ME_SWAP_FAIL)
            return False
        up = parent_of(k, up)
    return True
