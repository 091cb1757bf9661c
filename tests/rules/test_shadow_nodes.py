"""Nodes of the page cache's trees that have nothing but shadows: which are, and how many reclaim takes."""

from __future__ import annotations

import dataclasses
from itertools import islice

import pytest

from cowpath.kernel import names as n
from cowpath.kernel.shadow_nodes import count_shadow_nodes, shrink_shadow_nodes
from cowpath.kernel.workingset import keep_shadow
from cowpath.kernel.xarray import enter, plant, xa_erase, xa_erase_shadow, xa_hold, xa_store_shadows

from . import hand as machine
from .hand import Hand

ROOM = 64 * 9


@pytest.fixture(autouse=True)
def _room_for_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "TINY", dataclasses.replace(machine.TINY, slots=2 * ROOM))


def tree(kernel: str = "linux-6.1") -> tuple[Hand, int]:
    """A file with a page in each of nine nodes, and a group that pays for these."""
    hand = Hand(kernel)
    hand.k.state.files[1].first = ROOM
    hand.k.state.files[0].room = ROOM
    g = hand.group()
    plant(hand.k, 0)
    for index in range(0, ROOM, 64):
        enter(hand.k, 0, index, 0, g, 1 << 20)
    return hand, g


def evict(hand: Hand, index: int) -> None:
    """The page goes, and leaves a shadow."""
    xa_hold(hand.k, 0, index, 1)
    xa_erase(hand.k, 0, index, 1)
    xa_store_shadows(hand.k, 0, index, 1)
    keep_shadow(hand.k, 0, index, 1)


def shadow_nodes(hand: Hand, g: int) -> int:
    return int(hand.k.books.groups[g].shadow_nodes)


def test_a_node_is_listed_while_it_has_nothing_but_shadows() -> None:
    hand, g = tree()
    evict(hand, 64)
    evict(hand, 128)
    assert shadow_nodes(hand, g) == 2
    enter(hand.k, 0, 65, 0, g, 1 << 20)  # beside the shadow
    assert shadow_nodes(hand, g) == 1
    xa_erase(hand.k, 0, 65, 1)
    assert shadow_nodes(hand, g) == 2
    xa_erase_shadow(hand.k, 0, 64)  # the last entry: the node goes
    assert shadow_nodes(hand, g) == 1


def test_those_that_are_more_than_an_eighth_of_the_groups_pages_are_too_many() -> None:
    hand, g = tree()
    for index in range(64, ROOM, 64):
        evict(hand, index)
    assert count_shadow_nodes(hand.k, g) == 8
    for index in range(16):
        hand.cached(index, g, file=1)
    assert count_shadow_nodes(hand.k, g) == 6


def test_few_are_taken_only_by_a_pass_that_is_desperate_and_the_oldest_first() -> None:
    hand, g = tree()
    for index in range(64, ROOM, 64):
        evict(hand, index)
    for index in range(16):
        hand.cached(index, g, file=1)
    shrink_shadow_nodes(hand.k, g, 12)  # three of six are wanted: not enough for a batch
    assert shadow_nodes(hand, g) == 8 and int(hand.k.books.groups[g].deferred) == 3
    shrink_shadow_nodes(hand.k, g, 0)
    assert shadow_nodes(hand, g) == 2
    assert int(hand.k.books.groups[g].vm_events[n.VM_NODERECLAIM]) == 6
    owners = [int(node.owner) for node in islice(hand.k.books.nodes, 9)]
    assert [owner > 0 for owner in owners] == [True] + 6 * [False] + [True, True]
    assert [index for index in range(ROOM) if hand.k.books.shadows[index]] == [7 * 64, 8 * 64]


@pytest.mark.parametrize(("kernel", "left"), [("linux-6.1", 0), ("linux-6.12", 8)])
def test_where_their_count_goes_by_old_statistics_they_stay(kernel: str, left: int) -> None:
    hand, g = tree(kernel)
    for index in range(64, ROOM, 64):
        evict(hand, index)
    for _ in range(2):
        shrink_shadow_nodes(hand.k, g, 0)
    assert shadow_nodes(hand, g) == left
