"""The page cache's trees (lib/xarray.c): which nodes a file has, and which group is charged for each.

A node has 64 places, of pages or of nodes of the level below. It is charged to the group of whoever inserts the first
page below it, as kernel memory (XA_FLAGS_ACCOUNT), and goes with the last. A tree is as high as its last page needs; a
lone page at index 0 needs no node. Kept where nodes are charged for (``k.books.objects``), in the books.
"""

from __future__ import annotations

from . import names as n
from . import objects as o
from .compiled import compiled
from .folio import ilog2
from .kmem import free_reclaimable, size_of, undo_kmem
from .rcu import call_rcu

CHUNK_SHIFT = 6  # XA_CHUNK_SHIFT
CHUNK = 1 << CHUNK_SHIFT
ABSENT = 0  # node.owner; else 1 + the group that is charged, 1: nobody is


@compiled
def keeps_nodes(k):
    """This kernel charges for them."""
    return k.books.charges_kmem != 0 and size_of(k, o.XA_NODE) > 0


@compiled
def nodes_of_level(room, level):
    """How many nodes of a level a file with room for so many pages may have."""
    return (room - 1 >> CHUNK_SHIFT * (level + 1)) + 1


@compiled
def node_at(k, file, level, index):
    """The number of the node of a level that covers a page."""
    room = k.state.files[file].room
    number = k.books.trees[file].first - 1
    for below in range(level):
        number += nodes_of_level(room, below)
    return number + (index >> CHUNK_SHIFT * (level + 1))


@compiled
def levels_for(last):
    """How high a tree is that has an entry up to this index."""
    levels = 0
    while last > 0:
        levels += 1
        last >>= CHUNK_SHIFT
    return levels


@compiled
def workingset_update_node(k, number):
    """A node whose entries have changed: reclaim may take one that has nothing but shadows (shadow_nodes.py)."""
    node = k.books.nodes[number]
    only_shadows = 0 < node.entries == node.shadows
    if only_shadows == (node.listed > 0):
        return
    k.books.nodes_listed += only_shadows
    node.listed = k.books.nodes_listed if only_shadows else 0
    k.books.groups[node.owner - 1].shadow_nodes += 1 if only_shadows else -1


@compiled
def make_node(k, file, level, index, group, bytes_left):
    """A node, empty so far. Returns what is left of the bytes."""
    node = k.books.nodes[node_at(k, file, level, index)]
    paid = group > 0 and bytes_left >= size_of(k, o.XA_NODE)
    node.owner = 1 + group if paid else 1
    return bytes_left - size_of(k, o.XA_NODE) if paid else bytes_left


@compiled
def enter(k, file, index, order, group, bytes_left):
    """A folio takes its place. Nodes that are missing are made, and paid for by so many bytes that ``group`` has been
    charged; returns what is left of them.
    """
    tree = k.books.trees[file]
    top = levels_for(index + (1 << order) - 1)
    if tree.entries > 0:
        while tree.height < top:
            bytes_left = make_node(k, file, tree.height, 0, group, bytes_left)
            tree.height += 1
            k.books.nodes[node_at(k, file, tree.height - 1, 0)].entries += 1
    tree.height = max(tree.height, top)
    entries = 1 << order  # they are counted by pages, nodes below as one each
    tree.entries += entries
    level = order // CHUNK_SHIFT
    while level < tree.height:
        node = k.books.nodes[node_at(k, file, level, index)]
        node.entries += entries
        entries = 1
        if node.owner != ABSENT:
            workingset_update_node(k, node_at(k, file, level, index))
            break
        bytes_left = make_node(k, file, level, index, group, bytes_left)
        level += 1
    return bytes_left


@compiled
def plant(k, file):
    """The file's place among the nodes. What was in the page cache before anybody was charged is nobody's."""
    tree = k.books.trees[file]
    if tree.first > 0:
        return
    room = k.state.files[file].room
    tree.first = 1 + k.books.n_nodes
    level = 0
    while True:
        count = nodes_of_level(room, level)
        k.books.n_nodes += count
        if count == 1:
            break
        level += 1
    first = k.state.files[file].first
    for index in range(room if k.state.files[file].cached > 0 else 0):
        if k.state.slots[first + index] != 0:
            enter(k, file, index, 0, 0, 0)


@compiled
def missing_nodes(k, file, index, order):
    """How many nodes have to be made for a folio at an index (xas_create)."""
    plant(k, file)
    tree = k.books.trees[file]
    last = index + (1 << order) - 1
    top = max(tree.height, levels_for(last))
    missing = 0
    for level in range(order // CHUNK_SHIFT, top):
        missing += k.books.nodes[node_at(k, file, level, index)].owner == ABSENT
    if tree.entries > 0:  # xas_expand: what is there hangs below new roots
        for level in range(tree.height, top):
            missing += index >> CHUNK_SHIFT * (level + 1) != 0
    return missing


@compiled
def free_node(k, number):
    """The node goes, and its memory when a grace period is over."""
    node = k.books.nodes[number]
    if node.owner > 1 and not call_rcu(k, node.owner - 1, 0, 1, 0):
        free_reclaimable(k, node.owner - 1, size_of(k, o.XA_NODE))
    node.entries = 0
    node.shadows = 0
    workingset_update_node(k, number)
    node.owner = ABSENT


@compiled
def level_of(k, file, index):
    """The level of the node that has the entry of a page: the lowest that is there."""
    height = k.books.trees[file].height
    for level in range(height):
        if k.books.nodes[node_at(k, file, level, index)].owner != ABSENT:
            return level
    return height


@compiled
def remove(k, file, level, index, pages):
    """So many pages have no entry at their place any more: nodes without an entry go, and from above those that have
    nothing but their first.
    """
    tree = k.books.trees[file]
    tree.entries -= pages
    while level < tree.height:
        number = node_at(k, file, level, index)
        k.books.nodes[number].entries -= pages
        if k.books.nodes[number].entries > 0:
            workingset_update_node(k, number)
            break
        free_node(k, number)
        pages = 1
        level += 1
    if tree.entries == 0:
        tree.height = 0
    while tree.height > 1:  # xas_shrink
        root = node_at(k, file, tree.height - 1, 0)
        if k.books.nodes[root].entries > 1 or k.books.nodes[node_at(k, file, tree.height - 2, 0)].owner == ABSENT:
            break
        free_node(k, root)
        tree.height -= 1


@compiled
def xa_erase(k, file, index, pages):
    """A folio's place, or that of its shadow, is empty."""
    if keeps_nodes(k):
        plant(k, file)
        remove(k, file, level_of(k, file, index), index, pages)


@compiled
def remove_shadow(k, file, level, index):
    """The shadow in a page's place goes."""
    if level < k.books.trees[file].height:
        k.books.nodes[node_at(k, file, level, index)].shadows -= 1
    remove(k, file, level, index, 1)


@compiled
def xa_erase_shadow(k, file, index):
    """The same, and nothing takes its place."""
    if keeps_nodes(k):
        plant(k, file)
        remove_shadow(k, file, level_of(k, file, index), index)


@compiled
def xa_store_shadows(k, file, index, pages):
    """What has been held for the shadow of a folio is that from now on."""
    level = level_of(k, file, index)
    if keeps_nodes(k) and level < k.books.trees[file].height:
        number = node_at(k, file, level, index)
        k.books.nodes[number].shadows += pages
        workingset_update_node(k, number)


@compiled
def xa_hold(k, file, index, pages):
    """A folio is about to go, and its shadow will stand in its place: as many entries more, until ``xa_erase``."""
    if not keeps_nodes(k):
        return
    plant(k, file)
    tree = k.books.trees[file]
    tree.entries += pages
    level = level_of(k, file, index)
    if level < tree.height:
        k.books.nodes[node_at(k, file, level, index)].entries += pages


@compiled
def xa_store(k, f, index, pages):
    """The folio is about to join the tree with the nodes that its task has in hand; what is too much goes back. Shadows
    that were in its place go.
    """
    if not keeps_nodes(k):
        return
    plant(k, f.file)
    slot = k.state.files[f.file].first
    level = level_of(k, f.file, index)
    f.objects = enter(k, f.file, index, ilog2(pages), f.charged_group, f.objects)
    for at in range(index, index + pages):
        if k.books.shadows[slot + at] != 0:
            remove_shadow(k, f.file, level, at)
    if f.held & n.H_KMEM:
        undo_kmem(k, f)
