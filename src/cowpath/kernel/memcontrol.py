"""The memory controller (mm/memcontrol.c of 3.0): counters, the per-CPU stock, charge and uncharge, limits.

Usage is counted in pages. Group 0 is the root: it has no limit and its pages are not counted, only listed.
The step ``charge`` is in ``memcg_charge.py``, what happens when a group is out of memory in ``memcg_oom.py``.
"""

from __future__ import annotations

from . import names as n
from . import steps as s
from .compiled import compiled
from .folio import folio_nr_pages
from .hierarchy import parent_of
from .lru import set_group
from .memcg_oom import memcg_oom_recover
from .memcg_stock import refill_stock
from .rcu import call_rcu
from .res_counter import account_kmem, res_counter_uncharge, res_uncharge_memory
from .swapfile import record_swap
from .wait import spend


@compiled
def made_progress(k, g):
    """A charge, an uncharge or an exit came about in this group: whoever waits for its memory may hope."""
    while g != n.NONE:
        k.books.groups[g].progress_at = k.books.now
        k.books.groups[g].rounds = 0
        g = parent_of(k, g)


@compiled
def __mem_cgroup_commit_charge(k, p, g, is_cache):
    """The page is the group's now."""
    page = k.state.pages[p]
    set_group(k, p, g)
    books = k.books.groups[g]
    books.pgpgin += 1  # a folio counts once
    if is_cache:
        books.cache += folio_nr_pages(k, p)
    else:
        page.bits |= n.PG_ANON
        books.rss += folio_nr_pages(k, p)
    books.counters[n.C_CHARGES] += 1
    made_progress(k, g)


@compiled
def memcg_kmem_charge(k, p, g):
    """A page of the kernel's own is the group's now: neither rss nor cache, and on no list (memcg_kmem_charge)."""
    k.state.pages[p].group = g
    account_kmem(k, g, 1)
    books = k.books.groups[g]
    books.counters[n.C_CHARGES] += 1
    made_progress(k, g)


@compiled
def forget_charge(k, p):
    """The page is on no group's account any more; the counters are the caller's. Returns the group, or NONE."""
    page = k.state.pages[p]
    g = page.group
    if g == n.NONE:
        return n.NONE
    books = k.books.groups[g]
    if page.bits & n.PG_TABLE:
        account_kmem(k, g, -1)
        page.group = n.NONE
        return g
    books.pgpgout += 1
    if page.bits & n.PG_ANON:
        books.rss -= folio_nr_pages(k, p)
    else:
        books.cache -= folio_nr_pages(k, p)
    page.group = n.NONE
    return g


@compiled
def __mem_cgroup_uncharge_common(k, p):
    """The page is nobody's any more. The caller calls ``uncharge_end`` when its series is over."""
    g = forget_charge(k, p)
    if g > 0:
        if k.state.tables_to_stock and k.state.pages[p].bits & n.PG_TABLE:  # obj_cgroup_uncharge_pages
            refill_stock(k, k.books.cpu, g, 1)
        else:
            res_counter_uncharge(k, g, folio_nr_pages(k, p))
        spend(k, s.UNCHARGE)
    return g


@compiled
def uncharge_table(k, p):
    """tlb_remove_table: of a page table that has been in use the charge goes when a grace period is over."""
    page = k.state.pages[p]
    g = page.group
    if k.state.tables_to_stock and call_rcu(k, g, 1, 0, 0):
        k.state.groups[g].kernel_pages += 1
        page.group = n.NONE
        spend(k, s.UNCHARGE)
    else:
        mem_cgroup_uncharge_page(k, p)


@compiled
def mem_cgroup_uncharge_swapcache(k, p, slot):
    """mem_cgroup_uncharge_swapcache: an unmapped page leaves the swap cache. With a ``slot`` that stays in use, the
    group is charged for that from now on (memsw); with NONE for nothing.
    """
    if slot == n.NONE:
        return __mem_cgroup_uncharge_common(k, p)
    g = forget_charge(k, p)
    if g == n.NONE:
        return n.NONE
    record_swap(k, slot, g)
    if g > 0:
        res_uncharge_memory(k, g)
        spend(k, s.UNCHARGE)
    return g


@compiled
def mem_cgroup_uncharge_end(k, g):
    """mem_cgroup_uncharge_end: a series of uncharges from this group is over; wake those who wait for its memory."""
    if g == n.NONE or g == 0:
        return
    made_progress(k, g)
    up = g
    while up != n.NONE:
        memcg_oom_recover(k, up)
        up = parent_of(k, up)


@compiled
def uncharge_lone(k, g):
    """The end of an uncharge that is no part of a series (an unmap, a truncation, an fadvise): 3.0 wakes nobody."""
    if g > 0:
        made_progress(k, g)


@compiled
def count_majfault(k, t):
    """mem_cgroup_count_vm_event(PGMAJFAULT): the task's fault has had to read."""
    k.books.groups[k.state.tasks[t].group].pgmajfault += 1


@compiled
def mem_cgroup_uncharge_page(k, p):
    """A lone uncharge of one page."""
    uncharge_lone(k, __mem_cgroup_uncharge_common(k, p))


@compiled
def mem_cgroup_margin(k, g):
    """How many more pages the group may be charged (mem_cgroup_margin)."""
    group = k.state.groups[g]
    return min(group.res.limit - group.res.usage, group.memsw.limit - group.memsw.usage)
