"""The memory controller (mm/memcontrol.c of 3.0): counters, the per-CPU stock, charge and uncharge, limits.

Usage is counted in pages. Group 0 is the root: it has no limit and its pages are not counted, only listed.
The step ``charge`` is in ``memcg_charge.py``, what happens when a group is out of memory in ``memcg_oom.py``.
"""

from __future__ import annotations

from . import names as n
from . import steps as s
from .compiled import compiled
from .folio import folio_nr_pages
from .hierarchy import is_below, parent_of
from .lru import set_group
from .memcg_oom import memcg_oom_recover
from .swapfile import record_swap
from .wait import emit, spend


@compiled
def made_progress(k, g):
    """A charge, an uncharge or an exit came about in this group: whoever waits for its memory may hope."""
    while g != n.NONE:
        k.books.groups[g].progress_at = k.books.now
        k.books.groups[g].rounds = 0
        g = parent_of(k, g)


@compiled
def res_counter_charge(k, g, pages):
    """Raise res and memsw of the group and its ancestors, or nothing at all.

    Returns ``(over, memsw)``: NONE if it went well, else the group over its limit and whether that was memsw's.
    """
    spend(k, s.RES_CHARGE)
    up = g
    while up != n.NONE:
        group = k.state.groups[up]
        books = k.books.groups[up]
        if group.res.usage + pages > group.res.limit:
            books.failcnt += 1
            return up, 0
        books.max_usage = max(books.max_usage, group.res.usage + pages)  # also where an ancestor refuses then
        up = parent_of(k, up)
    up = g
    while up != n.NONE:
        group = k.state.groups[up]
        books = k.books.groups[up]
        if group.memsw.usage + pages > group.memsw.limit:
            books.memsw_failcnt += 1
            return up, 1
        books.memsw_max_usage = max(books.memsw_max_usage, group.memsw.usage + pages)
        up = parent_of(k, up)
    up = g
    while up != n.NONE:
        group = k.state.groups[up]
        group.res.usage += pages
        group.memsw.usage += pages
        emit(k, n.EV_USAGE, n.NONE, up, 0, group.res.usage, 0)
        up = parent_of(k, up)
    return n.NONE, 0


@compiled
def res_counter_uncharge(k, g, pages):
    """Lower res and memsw of the group and its ancestors."""
    up = g
    while up != n.NONE:
        k.state.groups[up].res.usage -= pages
        k.state.groups[up].memsw.usage -= pages
        emit(k, n.EV_USAGE, n.NONE, up, 0, k.state.groups[up].res.usage, 0)
        up = parent_of(k, up)


@compiled
def res_uncharge_memory(k, g):
    """Lower res alone by a page: it is in swap now, and memsw goes on counting it."""
    up = g
    while up != n.NONE:
        k.state.groups[up].res.usage -= 1
        emit(k, n.EV_USAGE, n.NONE, up, 0, k.state.groups[up].res.usage, 0)
        up = parent_of(k, up)


@compiled
def drain_stock(k, c):
    """Give a CPU's stock back to its group's counter. Wakes nobody (3.0)."""
    cpu = k.state.cpus[c]
    if cpu.stock > 0:
        res_counter_uncharge(k, cpu.stock_group, cpu.stock)
    cpu.stock = 0
    cpu.stock_group = 0
    cpu.drain = 0


@compiled
def consume_stock(k, c, g, pages):
    """A charge of so many pages from what this CPU keeps for the group. False where it keeps less."""
    cpu = k.state.cpus[c]
    if cpu.stock_group != g or cpu.stock < pages:
        return False
    cpu.stock -= pages
    return True


@compiled
def refill_stock(k, c, g, pages):
    """Keep what a batch brought too much, for the next charge on this CPU."""
    cpu = k.state.cpus[c]
    if cpu.stock_group != g:
        drain_stock(k, c)
        cpu.stock_group = g
    cpu.stock += pages


@compiled
def drain_all_stock_async(k, c, root):
    """drain_all_stock_async: ask the other CPUs to drain what they keep for this subtree. Their workers do it later."""
    for other in range(k.state.n_cpus):
        cpu = k.state.cpus[other]
        if other != c and cpu.stock > 0 and not cpu.drain and is_below(k, cpu.stock_group, root):
            cpu.drain = 1
            k.books.drain_asked |= 1 << other


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
    books = k.books.groups[g]
    books.kmem += 1
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
        books.kmem -= 1
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
        res_counter_uncharge(k, g, folio_nr_pages(k, p))
        spend(k, s.UNCHARGE)
    return g


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
