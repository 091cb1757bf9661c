"""What must always be true of swap slots, the swap cache and memsw. Each function answers OK, or what is wrong."""

from __future__ import annotations

import numpy as np

from cowpath.kernel import names as n
from cowpath.kernel.compiled import compiled
from cowpath.kernel.hierarchy import is_below
from cowpath.kernel.wait import holds_entry

from .invariants_accounts import may_exceed
from .invariants_pages import OK


@compiled
def in_use(k, slot):
    """An entry names the slot, or the swap cache has a page for it, or somebody is making one; or it is to be freed."""
    for c in range(k.state.n_cpus):
        cpu = k.books.cpus[c]
        for i in range(cpu.slots):
            if cpu.slots_ret[i] == slot:
                return True
    return k.state.swaps[slot].count > 0 or k.state.swaps[slot].page > 0 or k.state.swaps[slot].reserved > 0


@compiled
def reservations(k, slot):
    """How many tasks have reserved the slot; a page is in the cache for none of them."""
    found = 0
    for t in range(k.state.n_tasks):
        found += holds_entry(k, t, slot)
    return found if found == 0 or k.state.swaps[slot].page == 0 else n.NONE


@compiled
def slots_are_counted(k):
    """A slot's count is the number of entries, and of places of shmem, that name it; all slots are in use or free, in
    number ``used_swaps``.
    """
    state = k.state
    named = np.zeros(state.n_swaps, np.int32)
    for i in range(state.n_tables):
        for place in range(len(state.tables[i].pte)):
            pte = state.tables[i].pte[place]
            if pte.bits & n.PTE_SWAP:
                if not 0 <= pte.page < state.n_swaps:
                    return i
                named[pte.page] += 1
    for i in range(state.n_slots):
        if state.shmem_swp[i]:
            if not 0 < state.shmem_swp[i] <= state.n_swaps:
                return i
            named[state.shmem_swp[i] - 1] += 1
    used = 0
    for slot in range(state.n_swaps):
        if state.swaps[slot].count != named[slot] or state.swaps[slot].reserved != reservations(k, slot):
            return slot
        used += in_use(k, slot)
    free = 0
    slot = state.free_swap
    while slot != n.NONE:
        free += 1
        if in_use(k, slot) or free > state.n_swaps:
            return slot
        slot = state.swaps[slot].next
    if used != state.used_swaps or used + free != state.n_swaps or state.n_swaps > state.swap_pages:
        return n.UNLIMITED
    return OK


@compiled
def swap_cache_agrees(k):
    """A slot and its page in the swap cache name each other; the page is nobody's file's. One of the two is charged."""
    state = k.state
    left = 0
    for p in range(state.n_pages):
        page = state.pages[p]
        if page.bits & n.PG_SWAPCACHE == 0:
            continue
        left += 1
        if not 0 <= page.index < state.n_swaps or state.swaps[page.index].page != p + 1 or page.file != n.NONE:
            return p
        if page.group != n.NONE and state.swaps[page.index].group != n.NONE:
            return p
    for slot in range(state.n_swaps):
        left -= state.swaps[slot].page > 0
    return OK if left == 0 else left


@compiled
def memsw_adds_up(k):
    """memsw = res + the slots that are charged to the subtree; memory.stat's swap is the group's own. Within limits."""
    state = k.state
    own = np.zeros(state.n_groups, np.int64)
    for slot in range(state.n_swaps):
        swap = state.swaps[slot]
        if not in_use(k, slot) or swap.group == n.NONE:
            continue
        if swap.count == 0 or (not state.groups[swap.group].alive and not state.removed_group):
            return slot
        own[swap.group] += 1
    for g in range(state.n_groups):
        group = state.groups[g]
        if k.books.groups[g].swap != own[g]:
            return g
        want = group.res.usage
        for other in range(1, state.n_groups):
            if is_below(k, other, g):
                want += own[other]
        if g > 0 and (group.memsw.usage != want or not (group.memsw.usage <= group.memsw.limit or may_exceed(k))):
            return g
    return swap_usage_adds_up(k) if k.state.cgroup2 else OK


@compiled
def swap_usage_adds_up(k):
    """cgroup v2: memory.swap.current = the slots in use that pages of the subtree have got."""
    state = k.state
    for slot in range(state.n_swaps):
        if state.swaps[slot].owner > 0 and not in_use(k, slot):
            return slot
    for g in range(1, state.n_groups):
        want = 0
        for slot in range(state.n_swaps):
            owner = state.swaps[slot].owner - 1
            want += owner > 0 and is_below(k, owner, g)
        if state.groups[g].swap_usage != want:
            return g
    return OK
