"""Swap of a group of cgroup v2, counted and limited by itself: slots, by the group whose page got them
(mm/memcontrol.c; mem_cgroup_try_charge_swap since 4.5).

A slot counts from when a page gets it until it is free, also while the page is still, or again, in memory.
"""

from __future__ import annotations

from . import names as n
from .compiled import compiled
from .hierarchy import parent_of
from .memcg_events import memcg_memory_event


@compiled
def mem_cgroup_get_nr_swap_pages(k, g):
    """How many more pages of the group may go to swap, by memory.swap.max of it and of those above."""
    most = n.UNLIMITED
    while g > 0:
        most = min(most, k.state.groups[g].swap_max - k.state.groups[g].swap_usage)
        g = parent_of(k, g)
    return most


@compiled
def may_swap(k, g):
    """The group's page may have a slot. False, which is counted: memory.swap.max says no."""
    up = g
    while up > 0:
        group = k.state.groups[up]
        if group.swap_usage >= group.swap_max:
            memcg_memory_event(k, up, n.ME_SWAP_MAX)
            memcg_memory_event(k, up, n.ME_SWAP_FAIL)
            return False
        up = parent_of(k, up)
    return True


@compiled
def mem_cgroup_try_charge_swap(k, slot, g):
    """The slot is the group's from now on."""
    k.state.swaps[slot].owner = 1 + g if g > 0 else 0
    while g > 0:
        k.state.groups[g].swap_usage += 1
        g = parent_of(k, g)


@compiled
def mem_cgroup_uncharge_swap(k, slot):
    """The slot is free."""
    g = k.state.swaps[slot].owner - 1
    k.state.swaps[slot].owner = 0
    while g > 0:
        k.state.groups[g].swap_usage -= 1
        g = parent_of(k, g)


@compiled
def reparent_swap(k, g):
    """A group goes: its slots are counted above only."""
    up = parent_of(k, g)
    for slot in range(k.state.n_swaps):
        if k.state.swaps[slot].owner == 1 + g:
            k.state.swaps[slot].owner = 1 + up if up > 0 else 0
    k.state.groups[g].swap_usage = 0
