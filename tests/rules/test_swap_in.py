"""Swap-in since 5.8: a page is charged when it is made for the swap cache, for the group that its slot names."""

from __future__ import annotations

import pytest

from cowpath.engine import invariants_swap as swap
from cowpath.engine.invariants import FINE, check_pages
from cowpath.engine.invariants_pages import OK
from cowpath.engine.waitfor import find_holder_of_memory
from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.block import next_request
from cowpath.kernel.filemap import complete_io
from cowpath.kernel.lru import lru_del
from cowpath.kernel.page_alloc import free_page
from cowpath.kernel.pgtable import lookup_pte, pte_of
from cowpath.kernel.rmap import try_to_unmap
from cowpath.kernel.swap_state import add_to_swap, delete_from_swap_cache, swapin_readahead

from .hand import Hand
from .later import failcnts, fault, play

LATER = ("linux-5.15", "linux-6.1", "linux-6.18", "linux-7.2")
WITH_RESERVATION = LATER[:-1]


def swapped(hand: Hand, g: int, *tasks: int, vpn: int = 64) -> int:
    """A page that these tasks have mapped and that is in swap, with nothing of it in memory: its slot."""
    p = hand.page(g)
    for t in tasks:
        hand.maps(t, vpn, p)
    assert add_to_swap(hand.k, p)
    slot = int(hand.of_page(p).index)
    try_to_unmap(hand.k, p)
    lru_del(hand.k, p)
    delete_from_swap_cache(hand.k, p)
    free_page(hand.k, p)
    return slot


def entry(hand: Hand, t: int, vpn: int = 64):  # type: ignore[no-untyped-def]
    return pte_of(hand.k, lookup_pte(hand.k, int(hand.task_of(t).mm), vpn))


def in_order(hand: Hand) -> bool:
    rules = (swap.slots_are_counted, swap.swap_cache_agrees, swap.memsw_adds_up)
    return int(check_pages(hand.k)[0]) == FINE and all(int(rule(hand.k)) == OK for rule in rules)


def read(hand: Hand) -> None:
    """The disk does what it has to do; that takes time."""
    hand.k.books.now += 1_000_000
    while (r := int(next_request(hand.k))) != n.NONE:
        hand.k.state.disk_busy = n.NONE
        complete_io(hand.k, r)


def machine(design: str) -> tuple[Hand, int]:
    hand = Hand(design, swap=16)
    g = hand.group(limit=10, memsw=100)
    hand.of(g).oom_kill_disable = 1
    return hand, g


@pytest.mark.parametrize(("design", "charged"), [("linux-4.19", False), *((design, True) for design in LATER)])
def test_it_is_charged_before_it_is_read(design: str, charged: bool) -> None:
    hand, g = machine(design)
    t = hand.task()  # outside: the slot says whom
    slot = swapped(hand, g, t)
    assert (hand.usage(g), hand.memsw(g)) == ([0], [1])
    fault(hand, t, 64)
    assert hand.asleep(t) == [True] and int(hand.task_of(t).wait_kind) == n.W_PAGE_LOCK
    page = hand.of_page(int(hand.k.state.swaps[slot].page) - 1)
    assert (int(page.group) == g) == charged and (hand.usage(g) == [1]) == charged and hand.memsw(g) == [1]
    assert int(hand.k.books.groups[g].rss) == 0 and in_order(hand), "it is cache until it is mapped"
    read(hand)
    play(hand, t)
    assert (hand.usage(g), hand.memsw(g)) == ([1], [1]) and int(hand.k.books.groups[g].rss) == 1
    assert entry(hand, t).bits & n.PTE_PRESENT and in_order(hand)


@pytest.mark.parametrize("design", LATER)
def test_the_neighbours_are_charged_too_each_to_its_own_group(design: str) -> None:
    hand, g = machine(design)
    other = hand.group(limit=10, memsw=100)
    t = hand.task(g)
    for vpn, whose in ((64, g), (65, other), (66, other)):
        swapped(hand, whose, t, vpn=vpn)
    fault(hand, t, 64)
    assert hand.usage(g, other) == [1, 2] and in_order(hand)


@pytest.mark.parametrize("design", LATER)
def test_a_neighbour_that_cannot_be_charged_is_left_out_and_the_wanted_one_fails(design: str) -> None:
    hand, g = machine(design)
    free = hand.group(limit=10, memsw=100)
    t = hand.task(free)
    for vpn, whose in ((64, free), (65, g)):
        swapped(hand, whose, t, vpn=vpn)
    hand.of(g).res.limit = 0
    fault(hand, t, 64)
    assert hand.usage(free, g) == [1, 0] and failcnts(hand, g)[0] > 0 and in_order(hand)
    read(hand)
    play(hand, t)
    assert int(hand.task_of(t).memcg_oom) == 0 == int(hand.task_of(t).depth)
    fault(hand, t, 65)
    assert hand.asleep(t) == [True] and int(hand.task_of(t).wait_kind) == n.W_OOM, "at the fault's end"
    assert all(not each.reserved for each in hand.k.state.swaps) and in_order(hand)


def charging(design: str) -> tuple[Hand, int, int, int]:
    """A task that has a page for the slot in hand and charges it; and one of another group that wants the same."""
    hand, g = machine(design)
    hand.of(g).oom_kill_disable = 0
    t, victim = hand.task(g), hand.task(hand.group())
    large = hand.weighs(hand.task(g), 9)
    slot = swapped(hand, g, t, victim)
    hand.of(g).res.limit = 0
    fault(hand, t, 64, moves=1)
    while not hand.task_of(t).frames[2].tried & 2:  # TRIED_OOM: it goes round
        play(hand, t, moves=1)
    hand.weighs(large, 0)
    return hand, t, victim, slot


@pytest.mark.parametrize("design", WITH_RESERVATION)
def test_whoever_finds_the_slot_reserved_waits(design: str) -> None:
    hand, t, victim, slot = charging(design)
    assert int(hand.k.state.swaps[slot].reserved) == 1
    fault(hand, victim, 64)
    assert hand.asleep(victim) == [True] and int(hand.task_of(victim).wait_kind) == n.W_SWAP_ENTRY
    assert not hand.task_of(victim).killable
    assert int(find_holder_of_memory(hand.k, victim)) == t and in_order(hand)
    hand.of(1).res.limit = 10
    play(hand, t)
    assert hand.asleep(victim) == [False]
    play(hand, victim)
    assert int(hand.task_of(victim).wait_kind) == n.W_PAGE_LOCK
    read(hand)
    play(hand, t)
    play(hand, victim)
    assert int(entry(hand, t).page) == int(entry(hand, victim).page) and in_order(hand)


def test_from_7_0_on_nobody_waits_and_the_loser_gives_its_charge_back() -> None:
    hand, t, victim, _ = charging("linux-7.2")
    fault(hand, victim, 64, moves=60)
    assert int(find_holder_of_memory(hand.k, victim)) in (n.NONE, victim)
    hand.of(1).res.limit = 10
    play(hand, t)
    assert hand.usage(1) == [1]
    play(hand, victim)
    assert hand.usage(1) == [1] and in_order(hand)
    read(hand)
    play(hand, t)
    play(hand, victim)
    assert int(entry(hand, t).page) == int(entry(hand, victim).page) and hand.usage(1) == [1] and in_order(hand)


def test_a_reservation_that_nobody_has_made_is_found() -> None:
    hand, g = machine("linux-6.18")
    slot = swapped(hand, g, hand.task(g))
    assert in_order(hand)
    hand.k.state.swaps[slot].reserved = 1
    assert not in_order(hand)


@pytest.mark.parametrize(("slot", "first", "count"), [(0, 0, 7), (6, 0, 7), (7, 7, 8), (14, 7, 8), (15, 15, 5)])
def test_a_cluster_begins_where_the_swap_space_says_whose_first_page_is_its_header(
    slot: int, first: int, count: int
) -> None:
    """swap_cluster_readahead: the first has a slot less; the last ends where the slots end that have been in use."""
    hand = Hand("linux-6.18", swap=24)
    hand.k.state.n_swaps = 20
    t = hand.task(hand.group())
    f = hand.fault(t, s.P_SWAP_READAHEAD, s.SWAP_WINDOW, index=slot)
    assert swapin_readahead(hand.k, t, f) == n.NEXT and (int(f.index), int(f.count)) == (first, count)
