"""Reclaim of a group's pages (mm/vmscan.c of 3.0), and the walk over its hierarchy (mm/memcontrol.c).

A reclaim frame: ``group`` is over its limit, ``batch`` the group whose lists are being scanned, ``priority`` 12 to 0,
``which`` the list, ``todo`` the pages left of it, ``done`` the pages freed. One move looks at one page. Without swap
only file pages are scanned, and of those only the clean ones can go (no write-back yet).
"""

from __future__ import annotations

from . import names as n
from . import steps as s
from .compiled import compiled
from .filemap import remove_from_page_cache
from .hierarchy import is_below
from .lru import lru_add, lru_del
from .memcontrol import drain_all_stock, drain_stock, margin, uncharge_lone
from .mmap import find_vma
from .page_alloc import free_page
from .pgtable import clear_pte, mm_of_pte, pte_of, vpn_of_pte
from .wait import current, emit, spend, spend_times

DEF_PRIORITY = 12
SWAP_CLUSTER_MAX = 32

START = 0
SCAN = 1
KEEP = 0
ACTIVATE = 1
RECLAIM = 2


@compiled
def drain_step(k, t):
    """The beginning of mem_cgroup_hierarchical_reclaim."""
    f = current(k, t)
    if not next_victim(k, t, f):
        f.phase = SCAN  # nothing to scan
    return n.NEXT


@compiled
def select_victim(k, root):
    """mem_cgroup_select_victim: the hierarchy's groups in turn, going on after the one that was last."""
    group = k.state.groups[root]
    if not group.use_hierarchy:
        return root
    g = group.last_child
    while True:
        g = g + 1 if g + 1 < k.state.n_groups else 1
        if k.state.groups[g].alive and is_below(k, g, root):
            group.last_child = g
            return g


@compiled
def next_victim(k, t, f):
    """Choose the next group with pages (``batch``). False when the hierarchy's root comes round the second time."""
    while True:
        g = select_victim(k, f.group)
        if g == f.group:
            f.retries += 1
            drain_all_stock(k, k.state.tasks[t].cpu, f.group)
            if f.retries > 1:
                return False
        for which in range(len(k.state.groups[g].lists)):
            if k.state.groups[g].lists[which].count > 0:
                f.batch = g
                f.phase = START
                return True


@compiled
def shrink_zone(k, t):
    """try_to_free_mem_cgroup_pages: one page a move, over the lists, the priorities and the hierarchy's groups."""
    f = current(k, t)
    k.books.resched_ok = 1
    if f.phase == START:
        f.priority = DEF_PRIORITY + 1
        f.todo = 0
        f.which = n.LRU_INACTIVE_FILE
        f.phase = SCAN
        f.index = f.done  # pages freed before this group's turn
    if f.priority < DEF_PRIORITY and f.done - f.index >= SWAP_CLUSTER_MAX:
        f.todo = 0
    if f.todo > 0:
        f.todo -= 1
        if f.which == n.LRU_ACTIVE_FILE:
            shrink_active(k, f)
        else:
            shrink_inactive(k, f)
        return n.AGAIN
    if next_list(k, f):
        return n.AGAIN
    if margin(k, f.group) <= 0 and next_victim(k, t, f):
        return n.AGAIN
    return end_reclaim(k, t, f)


@compiled
def next_list(k, f):
    """Choose the next list of this priority, or the next priority. False when the group has been scanned enough."""
    group = k.state.groups[f.batch]
    if f.priority <= DEF_PRIORITY and f.which == n.LRU_ACTIVE_FILE:
        f.which = n.LRU_INACTIVE_FILE
        f.todo = scan_count(group.lists[n.LRU_INACTIVE_FILE].count, f.priority)
        if f.todo > 0:
            return True
    while f.priority > 0 and f.done - f.index < SWAP_CLUSTER_MAX:
        f.priority -= 1
        spend(k, s.SCAN_PRIORITY)
        active = group.lists[n.LRU_ACTIVE_FILE].count
        if active > group.lists[n.LRU_INACTIVE_FILE].count:  # inactive_file_is_low
            f.which = n.LRU_ACTIVE_FILE
            f.todo = scan_count(active, f.priority)
            return True
        f.which = n.LRU_INACTIVE_FILE
        f.todo = scan_count(group.lists[n.LRU_INACTIVE_FILE].count, f.priority)
        if f.todo > 0:
            return True
    return False


@compiled
def scan_count(pages, priority):
    """get_scan_count, without anonymous pages: a share by priority, but at least a cluster."""
    return min(pages, max(pages >> priority, SWAP_CLUSTER_MAX))


@compiled
def end_reclaim(k, t, f):
    """There is room, or all groups have been asked."""
    emit(k, n.EV_RECLAIM, t, f.group, 0, f.done, f.scanned)
    books = k.books.groups[f.group]
    books.counters[n.C_SCANNED] += f.scanned
    books.counters[n.C_RECLAIMED] += f.done
    return n.NEXT


@compiled
def page_referenced(k, p, g):
    """Clear and count the accessed bits that the tasks of the group whose list it is have set. Returns (count, bits).

    References from elsewhere do not count (mm_match_cgroup): a page that is charged to the group is reclaimed
    under its users outside. ``bits``: VM_EXEC, VM_LOCKED of the mappings.
    """
    found = 0
    bits = 0
    number = k.state.pages[p].rmap
    while number != n.NONE:
        spend(k, s.RMAP_PTE)
        pte = pte_of(k, number)
        m = mm_of_pte(k, number)
        v = find_vma(k, m, vpn_of_pte(k, number))
        if v != n.NONE:
            bits |= k.state.vmas[v].prot & n.VM_LOCKED
            if k.state.mms[m].owner_group == g and pte.bits & n.PTE_ACCESSED:
                pte.bits &= ~n.PTE_ACCESSED
                bits |= k.state.vmas[v].prot & n.VM_EXEC
                found += 1
        number = pte.rmap_next
    return found, bits


@compiled
def shrink_active(k, f):
    """shrink_active_list for one page: down to the inactive list, or another round if it is executed text in use."""
    p = k.state.groups[f.batch].lists[n.LRU_ACTIVE_FILE].tail
    if p == n.NONE:
        f.todo = 0
        return
    spend(k, s.SCAN_PAGE)
    f.scanned += 1
    lru_del(k, p)
    found, bits = page_referenced(k, p, f.batch)
    if bits & n.VM_LOCKED:
        k.state.pages[p].bits |= n.PG_UNEVICTABLE
    elif found == 0 or bits & n.VM_EXEC == 0:
        k.state.pages[p].bits &= ~n.PG_ACTIVE
    lru_add(k, p)


@compiled
def check_references(k, p, found):
    """page_check_references for a file page: twice referenced means active, once means another round."""
    page = k.state.pages[p]
    was_referenced = page.bits & n.PG_REFERENCED
    page.bits &= ~n.PG_REFERENCED
    if found == 0:
        return RECLAIM
    page.bits |= n.PG_REFERENCED
    if was_referenced or found > 1:
        return ACTIVATE
    return KEEP


@compiled
def shrink_inactive(k, f):
    """shrink_page_list for one page. A page that cannot be trylocked is skipped."""
    p = k.state.groups[f.batch].lists[n.LRU_INACTIVE_FILE].tail
    if p == n.NONE:
        f.todo = 0
        return
    spend(k, s.SCAN_PAGE)
    f.scanned += 1
    lru_del(k, p)
    page = k.state.pages[p]
    if page.locked_by != n.FREE:
        lru_add(k, p)
        return
    found, bits = page_referenced(k, p, f.batch)
    if bits & n.VM_LOCKED:
        page.bits |= n.PG_UNEVICTABLE
        lru_add(k, p)
        return
    verdict = check_references(k, p, found)
    if verdict == ACTIVATE:
        page.bits |= n.PG_ACTIVE
    if verdict != RECLAIM or page.bits & n.PG_DIRTY or not evict(k, p):
        lru_add(k, p)
        return
    f.done += 1


@compiled
def evict(k, p):
    """Unmap a clean page everywhere (try_to_unmap) and take it out of the page cache (__remove_mapping)."""
    page = k.state.pages[p]
    if page.refs != 1 + page.mapcount:
        return False  # somebody has it in hand
    while page.rmap != n.NONE:
        clear_pte(k, page.rmap)
        page.refs -= 1
    if page.bits & n.PG_DIRTY:  # the entries knew of a write
        return False
    spend(k, s.RECLAIM_PAGE)
    g = remove_from_page_cache(k, p)
    page.refs -= 1
    free_page(k, p)
    uncharge_lone(k, g)
    return True


@compiled
def run_drain_worker(k, c):
    """The CPU's worker drains its stock, as drain_all_stock asked."""
    if k.state.cpus[c].drain:
        drain_stock(k, c)
        spend_times(k, s.UNCHARGE, 1)
