"""What a group pays for besides its pages in the page cache: nodes of the trees, buffer heads; and for groups in it."""

from __future__ import annotations

import pytest

from cowpath.engine import invariants
from cowpath.kernel import names as n
from cowpath.kernel import objects as o
from cowpath.kernel import steps as s
from cowpath.kernel.cgroup import cgroup_create, cgroup_rmdir
from cowpath.kernel.kmem import memcg_objects, size_of
from cowpath.kernel.xarray import enter as enter_entry
from cowpath.kernel.xarray import levels_for, missing_nodes, plant, xa_erase, xa_hold

from .hand import Hand
from .later import call

KERNEL = "linux-6.18"
ROOM = 640  # pages: ten nodes, and one above them


def tree(room: int = ROOM) -> Hand:
    """A machine whose first file has room for so many pages; nobody pays."""
    hand = Hand(KERNEL)
    hand.k.state.files[0].room = room
    return hand


def nodes(hand: Hand) -> int:
    return int((hand.built.books["nodes"]["owner"] != 0).sum())


def enter(hand: Hand, *indexes: int) -> None:
    plant(hand.k, 0)
    for index in indexes:
        enter_entry(hand.k, 0, index, 0, 0, 0)


@pytest.mark.parametrize(("last", "levels"), [(0, 0), (1, 1), (63, 1), (64, 2), (4095, 2), (4096, 3)])
def test_a_tree_is_as_high_as_its_last_page_needs(last: int, levels: int) -> None:
    assert levels_for(last) == levels


@pytest.mark.parametrize(
    ("before", "index", "order", "missing"),
    [
        ((), 0, 0, 0),  # a lone page at index 0 stands in the root
        ((), 5, 0, 1),
        ((0,), 5, 0, 1),
        ((0,), 70, 0, 3),  # a root, and below it a node for each of the two
        ((5,), 70, 0, 2),
        ((5, 70), 6, 0, 0),
        ((), 70, 0, 2),
        ((), 64, 6, 1),  # a folio of 64 pages is one entry of the level above
        ((), 0, 9, 1),
    ],
)
def test_how_many_nodes_a_page_needs(before: tuple[int, ...], index: int, order: int, missing: int) -> None:
    hand = tree()
    enter(hand, *before)
    have = nodes(hand)
    assert missing_nodes(hand.k, 0, index, order) == missing
    enter_entry(hand.k, 0, index, order, 0, 0)
    assert nodes(hand) == have + missing


def test_nodes_go_with_their_last_entry_and_a_root_with_its_second() -> None:
    hand = tree()
    enter(hand, 5, 70, 600)
    assert nodes(hand) == 4
    xa_erase(hand.k, 0, 600, 1)
    assert nodes(hand) == 3 and int(hand.k.books.trees[0].height) == 2
    xa_erase(hand.k, 0, 70, 1)
    assert nodes(hand) == 1 and int(hand.k.books.trees[0].height) == 1
    xa_hold(hand.k, 0, 5, 1)  # a shadow
    xa_erase(hand.k, 0, 5, 1)
    assert nodes(hand) == 1
    xa_erase(hand.k, 0, 5, 1)
    assert nodes(hand) == 0 and int(hand.k.books.trees[0].entries) == 0


def test_who_reads_a_page_pays_for_its_node_until_the_page_goes() -> None:
    hand = Hand(KERNEL)
    g = hand.group(limit=200)
    t = hand.task(g)
    call(hand, t, s.P_READAHEAD, file=0, index=3, count=1, arg=8)  # the page alone
    assert int(hand.k.state.files[0].cached) == 1
    assert int(hand.of(g).slab_bytes) == size_of(hand.k, o.XA_NODE) and int(hand.k.books.groups[g].kmem) == 1
    assert invariants.check_pages(hand.k) == (invariants.FINE, -1)


def test_a_group_is_charged_for_the_groups_in_it() -> None:
    hand = Hand(KERNEL)
    g = hand.group(limit=200)
    below = g + 1
    assert cgroup_create(hand.k, below, g) == n.NEXT
    assert int(hand.of(g).slab_bytes) == memcg_objects(hand.k) > n.PAGE_SIZE
    assert int(hand.k.books.groups[g].kmem_usage) == -(-memcg_objects(hand.k) // n.PAGE_SIZE)
    assert invariants.check_pages(hand.k) == (invariants.FINE, -1)
    assert cgroup_rmdir(hand.k, below) == n.NEXT
    assert int(hand.of(g).slab_bytes) == 0
    assert invariants.check_pages(hand.k) == (invariants.FINE, -1)
