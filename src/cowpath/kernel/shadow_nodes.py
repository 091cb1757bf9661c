"""Reclaim of the page cache's nodes that have nothing but shadows (count_shadow_nodes, scan_shadow_nodes of
mm/workingset.c; do_shrink_slab; 449dd6984d0e, 3.15; by group since 0a6b76dd23fa, 4.2).

One shrinker of many, and the only one whose objects are modelled. It wants rid of those that are more than an eighth of
the group's pages, the oldest first, half of them each time; what is too little for a batch waits, unless the pass is
desperate.

Policy ``shadow_nodes``: since 6.12 (mem_cgroup_flush_stats_ratelimited) the shrinker counts the group's pages by
statistics that may be 2 s old, which are not kept here; there the nodes stay.
"""

from __future__ import annotations

from . import names as n
from .compiled import compiled
from .xarray import CHUNK, CHUNK_SHIFT, node_at, nodes_of_level, remove

SHRINK_BATCH = 128


@compiled
def count_shadow_nodes(k, g):
    """How many of a group's are too many: its pages, those of its objects with them, could not all be refaults."""
    group, books = k.state.groups[g], k.books.groups[g]
    pages = books.slab[0] // n.PAGE_SIZE + books.slab[1] // n.PAGE_SIZE
    for which in range(len(group.lists)):
        pages += group.lists[which].count
    return max(books.shadow_nodes - (pages >> CHUNK_SHIFT - 3), 0)


@compiled
def shrink_shadow_nodes(k, g, priority):
    """do_shrink_slab, of a group in whose turn reclaim is. It costs nothing to make such a node anew (seeks = 0)."""
    books = k.books.groups[g]
    if books.shadow_nodes == 0 or not k.state.shadow_nodes:
        return
    freeable = count_shadow_nodes(k, g)
    if freeable == 0:
        return
    deferred, delta = books.deferred, freeable // 2
    total = min((deferred >> priority) + delta, 2 * freeable)
    scanned = 0
    while (total >= SHRINK_BATCH or total >= freeable) and books.shadow_nodes > 0:
        batch = min(SHRINK_BATCH, total)
        scan_shadow_nodes(k, g, batch)
        total -= batch
        scanned += batch
    books.deferred = min(max(deferred + delta - scanned, 0), 2 * freeable)


@compiled
def scan_shadow_nodes(k, g, most):
    """So many of the group's go, the oldest first, and their shadows with them."""
    for _ in range(min(most, k.books.groups[g].shadow_nodes)):
        file, level, index = oldest_shadow_node(k, g)
        if file == n.NONE:
            return
        first = k.state.files[file].first
        for at in range(index, min(index + (CHUNK << CHUNK_SHIFT * level), k.state.files[file].room)):
            k.books.shadows[first + at] = 0
        k.books.groups[g].vm_events[n.VM_NODERECLAIM] += 1
        remove(k, file, level, index, k.books.nodes[node_at(k, file, level, index)].entries)


@compiled
def oldest_shadow_node(k, g):
    """Its file, its level, and the first page below it; (NONE, 0, 0) if there is none."""
    oldest = 0
    found = (n.NONE, 0, 0)
    for file in range(k.state.n_files):
        tree = k.books.trees[file]
        number = tree.first - 1
        for level in range(tree.height):
            for i in range(nodes_of_level(k.state.files[file].room, level)):
                node = k.books.nodes[number]
                number += 1
                if node.listed > 0 and node.owner == 1 + g and (oldest == 0 or node.listed < oldest):
                    oldest = node.listed
                    found = (file, level, i << CHUNK_SHIFT * (level + 1))
    return found
