"""What a group leaves behind when it is emptied or removed: to its parent (mm/memcontrol.c of 3.0)."""

from __future__ import annotations

from . import names as n
from . import steps as s
from .compiled import compiled
from .folio import folio_nr_pages, next_page
from .hierarchy import parent_of
from .kmem import reparent_kmem
from .lru import lru_add, lru_add_drain_all, lru_del
from .memcg_oom import memcg_oom_recover
from .memcg_stock import drain_slot, slot_of
from .memcg_swap import reparent_swap
from .page_counter import page_counter_charge
from .res_counter import account_kmem, res_counter_charge
from .swapfile import uncharge_swap
from .wait import spend


@compiled
def mem_cgroup_move_parent(k, p, g):
    """A folio of the group is charged to its parent. False where that has no room."""
    up = k.state.groups[g].parent
    if parent_of(k, g) == n.NONE and up > 0 and res_counter_charge(k, up, folio_nr_pages(k, p))[0] != n.NONE:
        return False
    lru_del(k, p)
    mem_cgroup_move_account(k, p, g)
    lru_add(k, p)
    return True


@compiled
def mem_cgroup_force_empty_list(k, g):
    """What is left of the pages is charged to the parent. False if it can't be."""
    group = k.state.groups[g]
    lru_add_drain_all(k)
    drain_stock_of(k, g)
    for which in range(len(group.lists)):
        while group.lists[which].head != n.NONE:
            p = group.lists[which].head
            if not mem_cgroup_move_parent(k, p, g):
                return False
    memcg_offline_kmem(k, g)
    memcg_oom_recover(k, g)
    return group.res.usage == 0


@compiled
def mem_cgroup_css_offline(k, g):
    """mem_cgroup_css_offline: the pages stay charged to the dead group, on its lists; the kernel's own do not."""
    memcg_offline_kmem(k, g)
    drain_stock_of(k, g)


@compiled
def drain_stock_of(k, g):
    """What CPUs keep of the group's charges goes back."""
    for c in range(k.state.n_cpus):
        if slot_of(k, c, g) != n.NONE:
            drain_slot(k, c, slot_of(k, c, g))


@compiled
def memcg_offline_kmem(k, g):
    """memcg_offline_kmem: what the kernel has for others, in the group's name, is charged to its parent."""
    reparent_kmem(k, g)
    if k.books.groups[g].kmem > 0:
        reparent_tables(k, g)


@compiled
def reparent_tables(k, g):
    """Page tables of a task that has left the group (memcg_reparent_objcgs): the group above is charged from now on."""
    up = k.state.groups[g].parent
    for p in range(k.state.n_pages):
        page = k.state.pages[p]
        if page.group != g or page.bits & n.PG_TABLE == 0:
            continue
        page.group = up
        account_kmem(k, g, -1)
        account_kmem(k, up, 1)
        k.state.groups[g].res.usage -= 1
        k.state.groups[g].memsw.usage -= 1
        if parent_of(k, g) == n.NONE and up > 0:
            page_counter_charge(k, up, 1)


@compiled
def mem_cgroup_move_account(k, p, g):
    """mem_cgroup_move_account from a group to its parent; an ancestor that counts both is not touched."""
    page = k.state.pages[p]
    source = k.books.groups[g]
    target = k.books.groups[k.state.groups[g].parent]
    page.group = k.state.groups[g].parent
    pages = folio_nr_pages(k, p)
    source.pgpgout += 1
    target.pgpgin += 1
    if page.bits & n.PG_ANON:
        source.rss -= pages
        target.rss += pages
    else:
        mapped = mapped_pages(k, p)
        source.cache -= pages
        target.cache += pages
        source.mapped_file -= mapped
        target.mapped_file += mapped
    k.state.groups[g].res.usage -= pages
    k.state.groups[g].memsw.usage -= pages
    spend(k, s.UNCHARGE)


@compiled
def mapped_pages(k, p):
    """How many pages of the folio somebody maps."""
    count = 0
    while p != n.NONE:
        count += k.state.pages[p].rmap != n.NONE
        p = next_page(k, p)
    return count


@compiled
def move_swap(k, g):
    """What the group has in swap is its parent's from now on, if that is charged with it; else nobody's."""
    if k.state.cgroup2:  # and who reads it in is charged
        reparent_swap(k, g)
    if k.books.groups[g].swap == 0:
        return
    up = n.NONE if k.state.cgroup2 else parent_of(k, g)
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
