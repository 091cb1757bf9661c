"""Reclaim: of a group's pages, over its hierarchy, or of the whole machine's (mm/vmscan.c of 3.0).

A reclaim frame: ``group`` is over its limit (0: the machine is short of memory), ``victim`` the group whose lists are
being scanned, ``priority`` 12 to 0, ``scan`` the pages still to be scanned of each list, ``which`` the list, ``todo``
the pages left of this round on it, ``done`` the pages freed, ``arg`` how (R_*). One move looks at one page.
"""

from __future__ import annotations

from . import names as n
from . import steps as s
from .block import TENTH_NS, bdi_write_congested, congestion_wait
from .compiled import compiled
from .frames import R_HIGH, R_KSWAPD, R_NOSWAP, R_SHRINK, SWAPPINESS_SHIFT
from .hierarchy import is_below
from .memcg_protection import passed_over, spared, try_low
from .memcg_stock import drain_all_stock_async, drain_stock
from .memcg_swap import mem_cgroup_get_nr_swap_pages
from .memcontrol import mem_cgroup_margin
from .page_alloc import free_pages
from .page_writeback import wake_flusher
from .shrink import chain_of, recent_of, shrink_active_list, shrink_inactive_list
from .swapfile import free_swap_pages
from .wait import current, emit, spend, spend_times

DEF_PRIORITY = 12
SWAP_CLUSTER_MAX = 32
MAX_SWAPPINESS = 200
WRITEBACK_THRESHOLD = 48  # pages scanned in a pass, after which the flusher is asked to write

START = 0
SCAN = 1
REBALANCE = 2  # some active anonymous pages go down to the inactive list


@compiled
def step_drain_all_stock(k, t):
    """The beginning of mem_cgroup_hierarchical_reclaim; of the whole machine's there is none."""
    f = current(k, t)
    f.phase = START
    if f.group > 0 and not mem_cgroup_hierarchical_reclaim(k, t, f):
        f.pc += 1  # nothing to scan
        return end_reclaim(k, t, f)
    return n.NEXT


@compiled
def mem_cgroup_select_victim(k, root):
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
def mem_cgroup_hierarchical_reclaim(k, t, f):
    """Choose the next group with pages (``victim``). False when the hierarchy's root comes round the second time."""
    while True:
        g = mem_cgroup_select_victim(k, f.group)
        if g == f.group:
            f.retries += 1
            if f.arg & R_HIGH == 0 and not k.state.page_counter:  # else the charge does
                drain_all_stock_async(k, k.state.tasks[t].cpu, f.group)
            if f.retries > 1 and not (k.books.has_low and try_low(f)):
                return False
        if k.books.has_low and passed_over(k, f, g):
            continue
        for which in range(len(k.state.groups[g].lists)):
            if k.state.groups[g].lists[which].count > 0:
                f.victim = g
                f.phase = START
                return True


@compiled
def step_shrink_zone(k, t):
    """One page a move, over the lists, the priorities and the hierarchy's groups."""
    f = current(k, t)
    k.books.resched_ok = 1
    if f.phase == START:
        return try_to_free_pages(k, t, f)
    if f.todo > 0:
        f.todo -= 1
        shrink_list(k, t, f)
        return n.AGAIN
    if f.phase == SCAN and shrink_zone(k, f):
        return n.AGAIN
    if f.phase == SCAN and inactive_is_low(k, f, n.LRU_ACTIVE_ANON):  # balanced whether any were reclaimed or not
        f.phase = REBALANCE
        f.lru = n.LRU_ACTIVE_ANON
        f.todo = SWAP_CLUSTER_MAX
        return n.AGAIN
    f.phase = SCAN
    return do_try_to_free_pages(k, t, f)


@compiled
def try_to_free_pages(k, t, f):
    """A pass begins (of a group's pages, try_to_free_mem_cgroup_pages): at the lowest share of the lists."""
    f.priority = DEF_PRIORITY + 1
    f.index = f.done  # pages freed before this group's turn
    f.phase = SCAN
    f.todo = 0
    return do_try_to_free_pages(k, t, f)


@compiled
def shrink_list(k, t, f):
    """A page of the list in hand."""
    if f.lru == n.LRU_ACTIVE_ANON or f.lru == n.LRU_ACTIVE_FILE:
        shrink_active_list(k, f)
    else:
        shrink_inactive_list(k, t, f)


@compiled
def is_over(k, f):
    """Enough has been freed: a cluster; for memory.high, what was asked for; for kswapd, memory is above its high
    watermark.
    """
    if f.arg & R_KSWAPD:
        return free_pages(k) > k.state.zone.high_pages
    if f.arg & R_HIGH:
        return f.done >= f.count
    return f.done - f.index >= max(SWAP_CLUSTER_MAX, f.count)


@compiled
def do_try_to_free_pages(k, t, f):
    """The end of a round over the lists: another with a higher share of them, a nap, the next group, or the end."""
    if not is_over(k, f) and f.priority > 0:
        if f.priority <= DEF_PRIORITY and f.scanned >= WRITEBACK_THRESHOLD and k.state.zone.dirty > 0:
            k.state.zone.wanted = max(k.state.zone.wanted, f.scanned)
            wake_flusher(k)
        f.priority -= 1
        spend(k, s.SCAN_PRIORITY)
        get_scan_count(k, f)
        f.lru = n.LRU_ACTIVE_FILE  # the round begins with the list after it
        if f.priority < DEF_PRIORITY - 3 and bdi_write_congested(k):
            return congestion_wait(k, t, TENTH_NS)
        return n.AGAIN
    more = f.group > 0 and f.arg & R_SHRINK == 0 and mem_cgroup_margin(k, f.group) <= 0
    if f.arg & R_HIGH:
        more = not is_over(k, f)
    if more and mem_cgroup_hierarchical_reclaim(k, t, f):
        return n.AGAIN
    return end_reclaim(k, t, f)


@compiled
def shrink_zone(k, f):
    """Its loop: the next list that is to be scanned, a cluster of it. False when this priority's share is done.

    A round goes over the lists in their order; between two rounds reclaim stops if it has freed enough.
    """
    for _ in range(2 * 4):
        f.lru = (f.lru + 1) & 3
        if f.lru == 0:
            enough = is_over(k, f) and f.priority < DEF_PRIORITY
            if enough or f.scan[0] + f.scan[2] + f.scan[3] == 0:
                return False
        if f.scan[f.lru] == 0:
            continue
        f.todo = min(f.scan[f.lru], SWAP_CLUSTER_MAX)
        f.scan[f.lru] -= f.todo
        if (f.lru & 1) and not inactive_is_low(k, f, f.lru):  # shrink_list: the active list has its share
            f.todo = 0
            continue
        return True
    return f.scan[0] + f.scan[2] + f.scan[3] > 0


@compiled
def anon_ratio(pages):
    """The inactive_ratio of so many pages: int_sqrt(10 * GiB), at least 1."""
    gib = pages >> 18
    ratio = 1
    while (ratio + 1) * (ratio + 1) <= 10 * gib:
        ratio += 1
    return ratio


@compiled
def inactive_is_low(k, f, active):
    """inactive_anon_is_low, inactive_file_is_low: the active list may lose pages."""
    inactive = chain_of(k, f, active - 1).count
    count = chain_of(k, f, active).count
    if active == n.LRU_ACTIVE_FILE:
        return count > inactive
    if k.state.swap_pages == 0:
        return False
    whole = k.state.memory if f.group == 0 else inactive + count
    return inactive * anon_ratio(whole) < count


@compiled
def get_scan_count(k, f):
    """How much of each list: a share by priority, and between anonymous pages and files by swappiness and by how many
    of those scanned lately were in use.
    """
    anon = chain_of(k, f, n.LRU_INACTIVE_ANON).count + chain_of(k, f, n.LRU_ACTIVE_ANON).count
    file = chain_of(k, f, n.LRU_INACTIVE_FILE).count + chain_of(k, f, n.LRU_ACTIVE_FILE).count
    force = (f.group > 0 or f.arg & R_KSWAPD != 0) and (anon + file) >> f.priority < SWAP_CLUSTER_MAX
    noswap = f.arg & R_NOSWAP != 0 or free_swap_pages(k) <= 0
    if k.state.cgroup2 and not noswap and f.victim > 0:
        noswap = mem_cgroup_get_nr_swap_pages(k, f.victim) <= 0
    ap, fp, whole = 0, 1, 1
    if not noswap:
        ap, fp, whole = shares(k, f, anon, file)
    for which in range(4):
        pages = chain_of(k, f, which).count
        if k.books.has_low and f.group > 0:
            pages = spared(k, f, pages)
        if f.priority > 0 or noswap:
            pages = (pages >> f.priority) * (fp if which >= n.LRU_INACTIVE_FILE else ap) // whole
        if pages == 0 and force and (which >= n.LRU_INACTIVE_FILE or not noswap):
            pages = SWAP_CLUSTER_MAX
        f.scan[which] = pages


@compiled
def shares(k, f, anon, file):
    """get_scan_count's (ap, fp, denominator)."""
    if f.group == 0 and file + free_pages(k) <= k.state.zone.high_pages:
        return 1, 0, 1  # hardly any files are left
    swappiness = k.state.groups[f.victim].swappiness
    if f.arg >> SWAPPINESS_SHIFT:
        swappiness = (f.arg >> SWAPPINESS_SHIFT) - 1
        if swappiness > MAX_SWAPPINESS:
            return 1, 0, 1
    recent = recent_of(k, f)
    if recent.scanned[0] > anon // 4:
        recent.scanned[0] //= 2
        recent.rotated[0] //= 2
    if recent.scanned[1] > file // 4:
        recent.scanned[1] //= 2
        recent.rotated[1] //= 2
    ap = (swappiness + 1) * (recent.scanned[0] + 1) // (recent.rotated[0] + 1)
    fp = (200 - swappiness + 1) * (recent.scanned[1] + 1) // (recent.rotated[1] + 1)
    return ap, fp, ap + fp + 1


@compiled
def zone_reclaimable(k):
    """Reclaim has not yet looked at all pages six times over without freeing one."""
    lists = k.state.zone.lists
    pages = lists[n.LRU_INACTIVE_FILE].count + lists[n.LRU_ACTIVE_FILE].count
    if free_swap_pages(k) > 0:
        pages += lists[n.LRU_INACTIVE_ANON].count + lists[n.LRU_ACTIVE_ANON].count
    return k.state.zone.pages_scanned < 6 * pages


@compiled
def end_reclaim(k, t, f):
    """There is room, or all groups have been asked."""
    emit(k, n.EV_RECLAIM, t, f.group, 0, f.done, f.scanned)
    books = k.books.groups[f.group]
    books.counters[n.C_SCANNED] += f.scanned
    books.counters[n.C_RECLAIMED] += f.done
    if f.group == 0 and f.done == 0 and zone_reclaimable(k):
        f.done = 1  # do_try_to_free_pages: not hopeless yet
    return n.NEXT


@compiled
def run_drain_worker(k, c):
    """The CPU's worker drains its stock, as drain_all_stock asked."""
    if k.state.cpus[c].drain:
        drain_stock(k, c)
        spend_times(k, s.UNCHARGE, 1)
