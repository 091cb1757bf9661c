"""Reclaim where each group has lists of its own (shrink_node and what it calls, mm/vmscan.c since 3.3).

A reclaim frame is as in ``vmscan.py``, but: ``group`` is the target, 0 the whole machine; ``victim`` the group whose
lists are in hand; ``scan`` what is left to scan of them (nr[]); ``todo`` the pages left of the batch of 32 in hand;
``index`` the pages that were freed before this group's turn; ``tried`` what the pass may do, and has left out. A move
looks at one page. How much of which list is scanned is in ``scan_count.py``, what becomes of a page in
``shrink_folio.py``.
"""

from __future__ import annotations

from . import names as n
from . import steps as s
from .block import TENTH_NS, congestion_wait, queue_is_full
from .compiled import compiled
from .frames import R_KSWAPD
from .lru import lru_add_drain
from .memcg_protection import LOW_RECLAIM, LOW_SKIPPED, passed_over
from .page_alloc import free_pages
from .page_writeback import wake_flusher
from .policies import number
from .scan_count import (
    FORCE_DEACTIVATE,
    MAY_DEACTIVATE_ANON,
    MAY_DEACTIVATE_FILE,
    get_scan_count,
    inactive_is_low,
    prepare_scan_control,
)
from .shadow_nodes import shrink_shadow_nodes
from .shrink_folio import (
    BATCH_DIRTY,
    BATCH_FREED,
    BATCH_PAGEOUT,
    BATCH_SCANNED,
    shrink_active_folio,
    shrink_inactive_folio,
)
from .vmscan import DEF_PRIORITY, SWAP_CLUSTER_MAX, end_reclaim
from .wait import current, spend
from .workingset import lru_note_cost, subtree_events

SHARED = number("reclaim_walk", "shared")
WHOLE = number("reclaim_walk", "whole")
PARTIAL = number("reclaim_walk", "partial")
WITH_ROTATED = number("scan_balance", "cost and rotated")

# frame.tried, beside those of memcg_protection.py and scan_count.py
SKIPPED_DEACTIVATE = 256  # an active list was left as it is
FULL_WALK = 512  # all groups are visited, whatever has been freed

START = 0
SCAN = 1  # between two batches of the group's lists
IN_BATCH = 2
AGE = 3  # some active anonymous pages go down, whether any were reclaimed or not


@compiled
def step_shrink_node(k, t):
    """One page a move, over the lists, the groups and the priorities."""
    f = current(k, t)
    k.books.resched_ok = 1
    if f.phase == START:
        begin_round(k, f, DEF_PRIORITY)
        return next_group(k, t, f)
    if f.todo > 0:
        return shrink_list(k, t, f)
    if f.phase == IN_BATCH:
        return end_batch(k, t, f)
    if f.phase == SCAN and next_batch(k, t, f):
        return n.AGAIN
    if f.phase == SCAN and k.state.swap_pages > 0 and inactive_is_low(k, f.victim, n.LRU_INACTIVE_ANON):
        f.phase = AGE
        begin_batch(k, t, f, n.LRU_ACTIVE_ANON, SWAP_CLUSTER_MAX)
        return n.AGAIN
    shrink_shadow_nodes(k, f.victim, f.priority)
    return next_group(k, t, f)


# --- priorities and groups -------------------------------------------------------------------------
@compiled
def to_reclaim(f):
    """How many pages are to be freed (nr_to_reclaim)."""
    return max(f.count, SWAP_CLUSTER_MAX)


@compiled
def is_over(k, f):
    """Enough has been freed; for kswapd, memory is above its high watermark."""
    if f.arg & R_KSWAPD:
        return free_pages(k) > k.state.zone.high_pages
    return f.done >= to_reclaim(f)


@compiled
def begin_round(k, f, priority):
    """A round over the groups (shrink_node), at this share of the lists."""
    spend(k, s.SCAN_PRIORITY)
    f.priority = priority
    prepare_scan_control(k, f)
    f.victim = n.NONE


@compiled
def next_group(k, t, f):
    """The next group of the round (shrink_node_memcgs), or of another round; or the end."""
    while True:
        g = n.NONE
        if f.victim == n.NONE or not walks_in_part(k, f) or not is_over(k, f):
            g = mem_cgroup_iter(k, f)
        if g == n.NONE:
            if not goes_round_again(k, f):
                return end_reclaim_pass(k, t, f)
            continue
        f.victim = g
        if k.books.has_low and passed_over(k, f, g):
            continue
        get_scan_count(k, f)
        for which in range(4):
            k.books.tasks[t].scan_target[which] = f.scan[which]
        f.index = f.done
        f.lru = n.NONE
        f.phase = SCAN
        return n.AGAIN


@compiled
def walks_in_part(k, f):
    """A round ends as soon as enough is freed, and the next one goes on with the next group."""
    if f.group == 0 or k.state.reclaim_walk == WHOLE:
        return False
    return f.tried & FULL_WALK == 0


@compiled
def mem_cgroup_iter(k, f):
    """The next group of the target's hierarchy, each before those below it; NONE: that was all."""
    if not walks_in_part(k, f):
        return next_descendant(k, f.victim, f.group)
    target = k.state.groups[f.group]
    at = target.last_child if target.last_child > 0 else n.NONE
    g = next_descendant(k, at, f.group)
    if g == n.NONE and f.victim == n.NONE:  # the walk before had ended with the last one
        g = f.group
    target.last_child = max(g, 0)
    return g


@compiled
def next_descendant(k, g, root):
    """css_next_descendant_pre: after NONE comes the root itself."""
    if g == n.NONE:
        return root
    child = next_child(k, g, 0, root)
    while child == n.NONE and g != root:
        up = k.state.groups[g].parent
        child = next_child(k, up, g, root)
        g = up
    return child


@compiled
def next_child(k, parent, before, root):
    """The next group directly below one, after ``before``; in v1 only where that counts those below."""
    if root > 0 and not k.state.groups[parent].use_hierarchy:
        return n.NONE
    for g in range(before + 1, k.state.n_groups):
        if k.state.groups[g].parent == parent and is_there(k, g):
            return g
    return n.NONE


@compiled
def is_there(k, g):
    """The group is alive, or has been removed and still has pages."""
    group = k.state.groups[g]
    if group.alive:
        return True
    for which in range(len(group.lists)):
        if group.lists[which].count > 0:
            return True
    return False


@compiled
def goes_round_again(k, f):
    """Another round begins, at a higher share of the lists, or all over again if something may yet be had in another
    way. False: that was the pass (do_try_to_free_pages).
    """
    if is_over(k, f):
        return False
    if f.priority > 0:
        begin_round(k, f, f.priority - 1)
        return True
    if f.done > 0:
        return False
    if k.state.reclaim_walk == PARTIAL and f.tried & FULL_WALK == 0:
        f.tried |= FULL_WALK
    elif f.tried & SKIPPED_DEACTIVATE:
        f.tried = (f.tried | FORCE_DEACTIVATE) & ~SKIPPED_DEACTIVATE
    elif f.tried & LOW_SKIPPED:
        f.tried = (f.tried | LOW_RECLAIM) & ~(LOW_SKIPPED | FORCE_DEACTIVATE)
    else:
        return False
    begin_round(k, f, DEF_PRIORITY)
    return True


@compiled
def end_reclaim_pass(k, t, f):
    """What has come back as active pages up to now is no news any more (snapshot_refaults)."""
    for kind in range(2):
        k.books.groups[f.group].refaults[kind] = subtree_events(k, f.group, n.VM_ACTIVATE + kind)
    f.victim = f.group
    return end_reclaim(k, t, f)


# --- the lists of a group --------------------------------------------------------------------------
@compiled
def next_batch(k, t, f):
    """shrink_lruvec's loop: up to 32 pages of the next list that is to be scanned. False when the group is done.

    A round goes over the lists in their order; between two of them it is looked whether enough has been freed.
    """
    for _ in range(2 * 4):
        f.lru = (f.lru + 1) & 3
        if f.lru == 0 and f.done - f.index >= to_reclaim(f):
            stop_smaller(k, t, f)
        if f.lru == 0 and f.scan[0] + f.scan[2] + f.scan[3] == 0:
            return False
        if f.scan[f.lru] == 0:
            continue
        pages = min(f.scan[f.lru], SWAP_CLUSTER_MAX)
        f.scan[f.lru] -= pages
        if f.lru & 1 and f.tried & (MAY_DEACTIVATE_ANON if f.lru == n.LRU_ACTIVE_ANON else MAY_DEACTIVATE_FILE) == 0:
            f.tried |= SKIPPED_DEACTIVATE
            continue
        begin_batch(k, t, f, f.lru, pages)
        f.phase = IN_BATCH
        return True
    return f.scan[0] + f.scan[2] + f.scan[3] > 0


@compiled
def stop_smaller(k, t, f):
    """Enough has been freed: no more of the kind of which less is left to scan, and of the other in proportion."""
    if f.group == 0 and f.arg & R_KSWAPD == 0 and f.priority == DEF_PRIORITY:
        return  # direct reclaim of the machine keeps the proportion in its first round
    target = k.books.tasks[t].scan_target
    anon = f.scan[0] + f.scan[1]
    file = f.scan[2] + f.scan[3]
    if anon == 0 or file == 0:
        for which in range(4):
            f.scan[which] = 0
        return
    small, left = (0, anon) if file > anon else (2, file)
    percentage = left * 100 // (target[small] + target[small + 1] + 1)
    f.scan[small] = f.scan[small + 1] = 0
    for which in range(2 - small, 4 - small):
        scanned = target[which] - f.scan[which]
        f.scan[which] = max(target[which] * (100 - percentage) // 100 - scanned, 0)


@compiled
def begin_batch(k, t, f, which, pages):
    """isolate_lru_folios: so many pages of a list, if it has them, are looked at now."""
    lru_add_drain(k, k.books.cpu)
    f.lru = which
    f.todo = min(pages, k.state.groups[f.victim].lists[which].count)
    for i in range(4):
        k.books.tasks[t].batch[i] = 0


@compiled
def shrink_list(k, t, f):
    """A page of the list in hand."""
    if f.lru & 1:
        shrink_active_folio(k, t, f)
        return n.AGAIN
    if f.lru == n.LRU_INACTIVE_ANON and queue_is_full(k):  # blk_mq_get_tag: a write waits for its turn
        return congestion_wait(k, t, TENTH_NS)
    return shrink_inactive_folio(k, t, f)


@compiled
def end_batch(k, t, f):
    """A batch is done: what it has cost is noted, and the flusher woken if all that it met was dirty."""
    f.phase = SCAN
    batch = k.books.tasks[t].batch
    file = 0 if f.lru <= n.LRU_ACTIVE_ANON else 1
    scanned, freed, dirty = batch[BATCH_SCANNED], batch[BATCH_FREED], batch[BATCH_DIRTY]
    if scanned == 0:
        return n.AGAIN
    if f.lru & 1:
        if k.state.balance_by_cost == WITH_ROTATED and freed > 0:  # of the active list: those that stay
            lru_note_cost(k, f.victim, file, freed)
        return n.AGAIN
    cost = batch[BATCH_PAGEOUT]
    if k.state.balance_by_cost == WITH_ROTATED:
        cost = cost * SWAP_CLUSTER_MAX + scanned - freed
    lru_note_cost(k, f.victim, file, cost)
    if dirty == scanned and k.state.zone.dirty > 0:
        k.state.zone.wanted = max(k.state.zone.wanted, scanned)
        wake_flusher(k)
        if not k.state.cgroup2 and f.group > 0:  # v1: as long as the flusher is behind (reclaim_throttle)
            return congestion_wait(k, t, TENTH_NS)
    return n.AGAIN
