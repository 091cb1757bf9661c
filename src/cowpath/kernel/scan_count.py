"""How much of which list a round of reclaim scans (prepare_scan_control, get_scan_count: mm/vmscan.c since 5.8)."""

from __future__ import annotations

from . import names as n
from .compiled import compiled
from .frames import R_NOSWAP, SWAPPINESS_SHIFT
from .memcg_protection import LOW, LOW_RECLAIM, LOW_SKIPPED, MIN, mem_cgroup_protection
from .page_alloc import free_pages
from .policies import number
from .workingset import has_swap, lruvec_page_state, subtree_events

BY_ROTATED = number("scan_balance", "rotated")
MAX_SWAPPINESS = 200
SWAP_CLUSTER_MAX = 32

# frame.tried
MAY_DEACTIVATE_ANON = 4
MAY_DEACTIVATE_FILE = 8
FORCE_DEACTIVATE = 16  # whatever the lists' lengths
CACHE_TRIM = 32  # there are enough inactive pages of files: only those
FILE_IS_TINY = 64  # the machine has hardly any pages of files: anonymous ones
ROUND = MAY_DEACTIVATE_ANON | MAY_DEACTIVATE_FILE | CACHE_TRIM | FILE_IS_TINY


@compiled
def prepare_scan_control(k, f):
    """What the pages of the target as a whole say of the round: which active lists may lose some, and whether the
    inactive pages of files are enough.
    """
    g = f.group
    f.tried &= ~ROUND
    if may_deactivate(k, f, g, 0):
        f.tried |= MAY_DEACTIVATE_ANON
    if may_deactivate(k, f, g, 1):
        f.tried |= MAY_DEACTIVATE_FILE
    if k.state.balance_by_cost == BY_ROTATED:
        return
    inactive = lruvec_page_state(k, g, n.LRU_INACTIVE_FILE)
    if inactive >> f.priority and f.tried & MAY_DEACTIVATE_FILE == 0:
        f.tried |= CACHE_TRIM
    if g > 0:
        return
    file = inactive + lruvec_page_state(k, 0, n.LRU_ACTIVE_FILE)
    anon = lruvec_page_state(k, 0, n.LRU_INACTIVE_ANON) >> f.priority
    if file + free_pages(k) <= k.state.zone.high_pages and f.tried & MAY_DEACTIVATE_ANON == 0 and anon > 0:
        f.tried |= FILE_IS_TINY


@compiled
def may_deactivate(k, f, g, file):
    """The active list may lose pages: it is too long, or pages have come back as active ones since the last pass."""
    if f.tried & FORCE_DEACTIVATE:
        return True
    if k.books.groups[g].refaults[file] != subtree_events(k, g, n.VM_ACTIVATE + file):
        return True
    return inactive_is_low(k, g, n.LRU_INACTIVE_FILE if file else n.LRU_INACTIVE_ANON)


@compiled
def int_sqrt(number):
    """The largest integer whose square is not larger."""
    root = 0
    while (root + 1) * (root + 1) <= number:
        root += 1
    return root


@compiled
def inactive_is_low(k, g, inactive):
    """inactive_is_low: by the group and those below it. The larger they are, the shorter the inactive list may be."""
    short = lruvec_page_state(k, g, inactive)
    long = lruvec_page_state(k, g, inactive + 1)
    gib = (short + long) >> 18
    return short * (int_sqrt(10 * gib) if gib > 0 else 1) < long


@compiled
def swappiness_of_pass(k, f):
    """The swappiness that memory.reclaim asks for, else the group's."""
    if f.arg >> SWAPPINESS_SHIFT:
        return (f.arg >> SWAPPINESS_SHIFT) - 1
    return k.state.groups[f.victim].swappiness


@compiled
def get_scan_count(k, f):
    """How much of each list of the group in hand (nr[])."""
    ap, fp, whole = fractions(k, f)
    for which in range(4):
        pages = unprotected(k, f, k.state.groups[f.victim].lists[which].count) >> f.priority
        if pages == 0 and not k.state.groups[f.victim].alive and f.victim > 0:  # scrape out what is left
            pages = min(k.state.groups[f.victim].lists[which].count, SWAP_CLUSTER_MAX)
        f.scan[which] = pages * (fp if which >= n.LRU_INACTIVE_FILE else ap) // whole


@compiled
def unprotected(k, f, pages):
    """How much of a list counts where a part of its group is protected (9783aa9917f8, 5.4)."""
    if not k.books.has_low or f.victim == f.group:
        return pages
    least = mem_cgroup_protection(k, f.victim, f.group, MIN)
    low = mem_cgroup_protection(k, f.victim, f.group, LOW)
    if least == 0 and low == 0:
        return pages
    if f.tried & LOW_RECLAIM == 0 and low > least:
        least = low
        f.tried |= LOW_SKIPPED
    usage = max(k.state.groups[f.victim].res.usage, least)
    return max(pages - pages * least // (usage + 1), SWAP_CLUSTER_MAX)


@compiled
def fractions(k, f):
    """(ap, fp, denominator): anonymous pages' share and files'."""
    swappiness = swappiness_of_pass(k, f)
    if f.arg & R_NOSWAP or not has_swap(k, f.victim) or (f.group > 0 and swappiness == 0):
        return 0, 1, 1
    if swappiness > MAX_SWAPPINESS:  # memory.reclaim swappiness=max
        return 1, 0, 1
    if f.priority == 0 and swappiness > 0:
        return 1, 1, 1  # SCAN_EQUAL
    if f.tried & FILE_IS_TINY:
        return 1, 0, 1
    if f.tried & CACHE_TRIM:
        return 0, 1, 1
    if k.state.balance_by_cost == BY_ROTATED:
        return by_rotated(k, f, swappiness)
    cost = k.books.groups[f.group].cost
    total = cost[0] + cost[1]
    anon = total + cost[0]
    file = total + cost[1]
    total = anon + file
    ap = swappiness * (total + 1) // (anon + 1)
    fp = (MAX_SWAPPINESS - swappiness) * (total + 1) // (file + 1)
    return ap, fp, ap + fp


@compiled
def by_rotated(k, f, swappiness):
    """Until 5.7: by how many of those scanned lately were in use; of the machine's, also by what is left of files."""
    lists = k.state.groups[f.victim].lists
    if f.group == 0:
        file = lruvec_page_state(k, 0, n.LRU_INACTIVE_FILE) + lruvec_page_state(k, 0, n.LRU_ACTIVE_FILE)
        if file + free_pages(k) <= k.state.zone.high_pages:
            return 1, 0, 1
    if lists[n.LRU_INACTIVE_FILE].count >> f.priority and not inactive_is_low(k, f.victim, n.LRU_INACTIVE_FILE):
        return 0, 1, 1
    recent = k.state.groups[f.victim].recent
    for kind in range(2):
        if recent.scanned[kind] > (lists[2 * kind].count + lists[2 * kind + 1].count) // 4:
            recent.scanned[kind] //= 2
            recent.rotated[kind] //= 2
    ap = swappiness * (recent.scanned[0] + 1) // (recent.rotated[0] + 1)
    fp = (MAX_SWAPPINESS - swappiness) * (recent.scanned[1] + 1) // (recent.rotated[1] + 1)
    return ap, fp, ap + fp + 1
