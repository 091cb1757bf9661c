"""What reclaim remembers of the pages that it has evicted (mm/workingset.c, a528910e12ec, 3.15; anonymous pages since
aae466b0052e, 5.9), and what it has cost to have them back (lru_note_cost, 1431d4d11abb, 5.8).

In the place of an evicted page in the page cache, or in the swap cache, stays a *shadow*: whose reclaim took it, how
much its group had been aged by then, and whether it had been active. A page that comes back there is a refault. If less
has been evicted since than the group could hold besides, it becomes active at once.
"""

from __future__ import annotations

from . import names as n
from .compiled import compiled
from .hierarchy import parent_of
from .lru import age_nonresident, count_vm_events, lruvec_of
from .memcg_swap import mem_cgroup_get_nr_swap_pages
from .policies import number
from .swapfile import free_swap_pages

NO_SHADOWS = number("workingset", "none")
OF_FILES = number("workingset", "file")
BY_ROTATED = number("scan_balance", "rotated")
WITH_ROTATED = number("scan_balance", "cost and rotated")
SWAP_CLUSTER_MAX = 32
GROUP_BITS = 8  # of a shadow, above the bit that says that the page had been active


@compiled
def is_file_lru(page):
    """folio_is_file_lru: it stands on the lists of files' pages."""
    return 0 if page.bits & (n.PG_ANON | n.PG_SWAPBACKED) else 1


@compiled
def descendant(k, g, root):
    """The group is the root of a reclaim, or below it."""
    while g != n.NONE and g != root:
        g = parent_of(k, g) if root > 0 else root
    return g == root


@compiled
def lruvec_page_state(k, g, which):
    """The pages on a list of a group and of those below it (lruvec_page_state)."""
    if g == 0:
        return int(k.state.zone.lists[which].count)
    total = 0
    for other in range(g, k.state.n_groups):
        if k.state.groups[other].lists[which].count > 0 and descendant(k, other, g):
            total += k.state.groups[other].lists[which].count
    return total


@compiled
def subtree_events(k, g, which):
    """A count of VM_* of a group and of those below it."""
    total = 0
    for other in range(g, k.state.n_groups):
        if k.books.groups[other].vm_events[which] > 0 and descendant(k, other, g):
            total += k.books.groups[other].vm_events[which]
    return total


# --- costs -----------------------------------------------------------------------------------------
@compiled
def lru_note_cost(k, g, file, cost):
    """What it has cost the group, and those above it, to reclaim pages of a kind; older costs count half in the end."""
    if not k.books.remembers or k.state.balance_by_cost == BY_ROTATED:
        return
    while True:
        costs = k.books.groups[g].cost
        costs[file] += cost
        pages = 0
        for which in range(4):
            pages += lruvec_page_state(k, g, which)
        if costs[0] + costs[1] > pages // 4:
            costs[0] //= 2
            costs[1] //= 2
        if g == 0:
            return
        g = k.state.groups[g].parent


# --- shadows ---------------------------------------------------------------------------------------
@compiled
def workingset_eviction(k, root, workingset, pages):
    """The shadow of pages that reclaim of group ``root`` takes; 0: none is kept."""
    if k.state.workingset == NO_SHADOWS or not k.books.remembers:
        return 0
    eviction = k.books.groups[root].nonresident_age
    age_nonresident(k, root, pages)
    return 1 + ((eviction << GROUP_BITS | root) << 1 | workingset)


@compiled
def keep_shadow(k, file, index, shadow):
    """The shadow takes the place of a page in the page cache (no ``file``: of a slot in the swap cache)."""
    if file == n.NONE:
        if k.state.workingset != OF_FILES:
            k.books.swap_shadows[index] = shadow
    else:
        k.books.shadows[k.state.files[file].first + index] = shadow


@compiled
def workingset_test_recent(k, shadow, file):
    """As many pages as have been evicted since could stay besides, if the group's other pages went."""
    g = (shadow >> 1) & ((1 << GROUP_BITS) - 1)
    if not k.state.groups[g].alive and g > 0:
        return False
    distance = k.books.groups[g].nonresident_age - (shadow >> (1 + GROUP_BITS))
    size = lruvec_page_state(k, g, n.LRU_ACTIVE_FILE)
    if not file:
        size += lruvec_page_state(k, g, n.LRU_INACTIVE_FILE)
    if has_swap(k, g):
        size += lruvec_page_state(k, g, n.LRU_ACTIVE_ANON)
        if file:
            size += lruvec_page_state(k, g, n.LRU_INACTIVE_ANON)
    return distance <= size


@compiled
def has_swap(k, g):
    """mem_cgroup_get_nr_swap_pages: there is swap space left for the group."""
    if free_swap_pages(k) <= 0:
        return False
    return g == 0 or not k.state.cgroup2 or mem_cgroup_get_nr_swap_pages(k, g) > 0


@compiled
def workingset_refault(k, p, shadow, pages):
    """A page of which a shadow has been kept is back, and about to join the lists: as an active one, if soon enough."""
    if shadow == 0:
        return
    page = k.state.pages[p]
    file = is_file_lru(page)
    count_vm_events(k, p, n.VM_REFAULT + file, pages)
    if not workingset_test_recent(k, shadow - 1, file):
        return
    page.bits |= n.PG_ACTIVE
    age_nonresident(k, lruvec_of(page), pages)
    count_vm_events(k, p, n.VM_ACTIVATE + file, pages)
    if (shadow - 1) & 1:
        k.books.pages[p].workingset = 1
        lru_note_cost(k, lruvec_of(page), file, refault_cost(k, pages))
        count_vm_events(k, p, n.VM_RESTORE + file, pages)


@compiled
def refault_cost(k, pages):
    """Reading costs as much as 32 rotations, where these count (0538a82c39e9)."""
    return pages * SWAP_CLUSTER_MAX if k.state.balance_by_cost == WITH_ROTATED else pages


@compiled
def take_shadow(k, file, index):
    """The shadow that a page of the page cache (no ``file``: of the swap cache) replaces, or 0."""
    if not k.books.remembers:
        return 0
    if file == n.NONE:
        shadow = k.books.swap_shadows[index]
        k.books.swap_shadows[index] = 0
        return shadow
    at = k.state.files[file].first + index
    shadow = k.books.shadows[at]
    k.books.shadows[at] = 0
    return shadow
