"""The slots of the swap space (mm/swapfile.c of 3.0), and who is charged for what is in them (mm/page_cgroup.c).

A slot is in use while page table entries hold it (``count``) or the swap cache has a page for it (``page``).
"""

from __future__ import annotations

from . import names as n
from . import steps as s
from .compiled import compiled
from .hierarchy import parent_of
from .memcg_swap import may_swap, mem_cgroup_try_charge_swap, mem_cgroup_uncharge_swap
from .wait import spend, wake_all


@compiled
def get_swap_page(k, g):
    """A free slot for a page of this group, or NONE: the swap space is full, or there is none, or memory.swap.max."""
    state = k.state
    if state.cgroup2 and not may_swap(k, g):
        return n.NONE
    slot = state.free_swap
    if slot != n.NONE:
        state.free_swap = state.swaps[slot].next
    elif state.n_swaps < state.swap_pages:
        slot = state.n_swaps
        state.n_swaps += 1
        state.swaps[slot].waiters.head = n.NONE
        state.swaps[slot].waiters.tail = n.NONE
    else:
        return n.NONE
    spend(k, s.SWAP_SLOT)
    if state.cgroup2:
        mem_cgroup_try_charge_swap(k, slot, g)
    swap = state.swaps[slot]
    swap.count = 0
    swap.page = 0
    swap.group = n.NONE
    swap.next = n.NONE
    state.used_swaps += 1
    return slot


@compiled
def free_swap_pages(k):
    """nr_swap_pages: slots that nobody uses."""
    return k.state.swap_pages - k.state.used_swaps


@compiled
def vm_swap_full(k):
    """More than half of the swap space is in use."""
    return k.state.used_swaps * 2 > k.state.swap_pages


@compiled
def release_slot(k, slot):
    """free_swap_slot: a slot that neither an entry nor the swap cache uses is free again, at once or together with
    others that this CPU has gathered (67afa38e012e, 4.11); until then it goes on counting.
    """
    swap = k.state.swaps[slot]
    if swap.count > 0 or swap.page or swap.reserved:
        return
    if not k.books.gathers_slots:
        swap_entry_free(k, slot)
        return
    cpu = k.books.cpus[k.books.cpu]
    if cpu.slots == len(cpu.slots_ret):
        for i in range(cpu.slots):
            swap_entry_free(k, cpu.slots_ret[i])
        cpu.slots = 0
    cpu.slots_ret[cpu.slots] = slot
    cpu.slots += 1


@compiled
def swap_entry_free(k, slot):
    """swap_entry_free: the slot may be given to another page."""
    swap = k.state.swaps[slot]
    spend(k, s.SWAP_SLOT)
    if k.state.cgroup2:
        mem_cgroup_uncharge_swap(k, slot)
    swap.group = 0
    k.books.swap_shadows[slot] = 0
    k.books.zeromap[slot] = 0
    swap.next = k.state.free_swap
    k.state.free_swap = slot
    k.state.used_swaps -= 1


@compiled
def swapcache_free(k, f):
    """The frame gives its reservation of a slot back: who has waited for that looks again."""
    k.state.swaps[f.swap].reserved = 0
    wake_all(k, k.state.swaps[f.swap].waiters)
    release_slot(k, f.swap)
    f.held &= ~n.H_SWAP_ENTRY
    f.swap = n.NONE


@compiled
def record_swap(k, slot, g):
    """swap_cgroup_record at swap-out: the group's memsw stays charged for the slot."""
    k.state.swaps[slot].group = g
    k.books.groups[g].swap += 1


@compiled
def uncharge_swap(k, slot):
    """mem_cgroup_uncharge_swap: nobody is charged for the slot any more."""
    g = k.state.swaps[slot].group
    if g == n.NONE:
        return
    k.state.swaps[slot].group = n.NONE
    k.books.groups[g].swap -= 1
    while g > 0:
        k.state.groups[g].memsw.usage -= 1
        g = parent_of(k, g)


@compiled
def swap_free(k, slot):
    """A page table entry lets its slot go; the last one's going ends the charge."""
    swap = k.state.swaps[slot]
    swap.count -= 1
    if swap.count == 0:
        uncharge_swap(k, slot)
        release_slot(k, slot)
