"""Reclaim: the hierarchy's groups in turn, which pages stay, what is written and what is swapped out."""

from __future__ import annotations

from typing import Any

import pytest

from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.frames import R_NOSWAP
from cowpath.kernel.memory_files import memory_files_write
from cowpath.kernel.rmap import page_referenced
from cowpath.kernel.shrink import shrink_active_list, shrink_inactive_list
from cowpath.kernel.swapfile import swap_free
from cowpath.kernel.vmscan import mem_cgroup_select_victim, shares

from .hand import Hand


def reclaiming(hand: Hand, g: int, which: int, **fields: Any) -> tuple[int, Any]:
    """A task that reclaims from a group, with one of its lists in hand."""
    t = hand.task()
    return t, hand.call(t, s.P_RECLAIM, s.SHRINK_ZONE, group=g, victim=g, lru=which, todo=1, **fields)


def inactive(hand: Hand, g: int, which: int = n.LRU_INACTIVE_FILE, **fields: Any) -> Any:
    """Reclaim looks at the last page of an inactive list; its frame."""
    t, f = reclaiming(hand, g, which, **fields)
    shrink_inactive_list(hand.k, t, f)
    return f


def is_cached(hand: Hand, index: int) -> bool:
    from cowpath.kernel.filemap import cached_page

    return bool(cached_page(hand.k, 0, index) != n.NONE)


def test_the_hierarchys_groups_are_reclaimed_from_in_turn() -> None:
    """Each goes on after the one that was last: the root of the hierarchy comes round, and reclaim has an end."""
    hand = Hand()
    top = hand.group()
    hand.group(parent=top)
    hand.group(parent=top)
    assert [int(mem_cgroup_select_victim(hand.k, top)) for _ in range(6)] == [1, 2, 3, 1, 2, 3]


def test_without_use_hierarchy_only_the_group_itself_is_reclaimed_from() -> None:
    hand = Hand()
    top = hand.group(hierarchy=False)
    hand.group(parent=top)
    assert [int(mem_cgroup_select_victim(hand.k, top)) for _ in range(3)] == [top] * 3


def test_a_clean_page_that_nobody_uses_is_freed_and_uncharged() -> None:
    hand = Hand()
    g = hand.group()
    hand.cached(3, g)
    assert inactive(hand, g).done == 1
    assert not is_cached(hand, 3) and hand.usage(g) == [0]


def test_reclaim_passes_a_locked_page_over() -> None:
    hand = Hand()
    g = hand.group()
    p = hand.locked(hand.cached(3, g), hand.task())
    assert inactive(hand, g).done == 0
    assert is_cached(hand, 3) and hand.of(g).lists[n.LRU_INACTIVE_FILE].head == p


def test_reclaim_passes_a_page_over_that_is_being_written() -> None:
    hand = Hand()
    g = hand.group()
    hand.cached(3, g, bits=n.PG_UPTODATE | n.PG_WRITEBACK)
    assert inactive(hand, g).done == 0 and is_cached(hand, 3)


def test_a_page_that_somebody_has_in_hand_stays() -> None:
    hand = Hand()
    g = hand.group()
    hand.of_page(hand.cached(3, g)).refs += 1
    assert inactive(hand, g).done == 0 and is_cached(hand, 3)


def test_a_dirty_page_is_written_and_not_dropped() -> None:
    from cowpath.kernel.page_writeback import set_page_dirty

    hand = Hand()
    g = hand.group()
    p = hand.cached(3, g)
    set_page_dirty(hand.k, p)
    assert inactive(hand, g).done == 0
    assert is_cached(hand, 3) and hand.of_page(p).bits & n.PG_WRITEBACK


def test_a_files_page_in_use_gets_one_more_round_and_after_a_second_it_is_active() -> None:
    hand = Hand()
    g = hand.group()
    t = hand.task(g)
    p = hand.cached(3, g)
    entry = hand.maps(t, 3, p)
    inactive(hand, g)
    assert hand.of_page(p).bits & (n.PG_ACTIVE | n.PG_REFERENCED) == n.PG_REFERENCED
    entry.bits |= n.PTE_ACCESSED
    inactive(hand, g)
    assert hand.of_page(p).bits & n.PG_ACTIVE


def test_an_anonymous_page_in_use_is_active_at_once() -> None:
    hand = Hand(swap=16)
    g = hand.group()
    t = hand.task(g)
    p = hand.page(g)
    hand.maps(t, 3, p)
    inactive(hand, g, n.LRU_INACTIVE_ANON)
    assert hand.of_page(p).bits & n.PG_ACTIVE


@pytest.mark.parametrize("prot, stays", [(n.VM_EXEC, True), (0, False)])
def test_executed_text_in_use_gets_one_more_round_on_the_active_list(prot: int, stays: bool) -> None:
    """And no other page does, nor text that is not in use."""
    hand = Hand()
    g = hand.group()
    t = hand.task(g)
    p = hand.cached(3, g, bits=n.PG_UPTODATE | n.PG_ACTIVE)
    hand.maps(t, 3, p, prot=prot)
    for still in (stays, False):
        _, f = reclaiming(hand, g, n.LRU_ACTIVE_FILE)
        shrink_active_list(hand.k, f)
        assert bool(hand.of_page(p).bits & n.PG_ACTIVE) == still
        if not still:
            break


def test_to_a_group_references_from_outside_do_not_count() -> None:
    hand = Hand()
    g = hand.group()
    insider, outsider = hand.task(g), hand.task()
    p = hand.cached(3, g)
    hand.maps(outsider, 3, p)
    assert page_referenced(hand.k, p, g)[0] == 0
    assert page_referenced(hand.k, p, 0)[0] == 1
    hand.maps(insider, 3, p)
    assert page_referenced(hand.k, p, g)[0] == 1


def test_a_page_that_is_mlocked_goes_to_the_unevictable_list() -> None:
    hand = Hand()
    g = hand.group()
    p = hand.cached(3, g)
    hand.maps(hand.task(g), 3, p, prot=n.VM_LOCKED, bits=0)
    assert inactive(hand, g).done == 0
    assert hand.of_page(p).bits & n.PG_UNEVICTABLE and hand.of(g).lists[n.LRU_UNEVICTABLE].count == 1


def test_anonymous_pages_stay_when_nothing_may_be_swapped_out() -> None:
    for arg, slots in ((R_NOSWAP, 0), (0, 1)):
        hand = Hand(swap=16)
        g = hand.group()
        p = hand.page(g)
        hand.maps(hand.task(g), 3, p, bits=0)
        inactive(hand, g, n.LRU_INACTIVE_ANON, arg=arg)
        assert hand.k.state.used_swaps == slots


def test_a_page_that_goes_out_is_charged_to_memory_and_swap_alone_and_its_slot_names_the_group() -> None:
    """And the last entry that names the slot ends that charge."""
    hand = Hand(swap=16)
    g = hand.group()
    t = hand.task(g)
    p = hand.page(g)
    hand.maps(t, 3, p, bits=0)
    inactive(hand, g, n.LRU_INACTIVE_ANON)  # it gets a slot and is written
    hand.of_page(p).bits &= ~(n.PG_WRITEBACK | n.PG_DIRTY)  # written
    hand.of_page(p).refs = 1
    assert inactive(hand, g, n.LRU_INACTIVE_ANON).done == 1
    assert hand.usage(g) == [0] and hand.memsw(g) == [1]
    assert hand.k.state.swaps[0].group == g and hand.k.books.groups[g].swap == 1
    swap_free(hand.k, 0)
    assert hand.memsw(g) == [0] and hand.k.state.used_swaps == 0


def test_with_swappiness_0_hardly_any_anonymous_page_is_scanned_and_with_100_as_many_as_of_files() -> None:
    hand = Hand(swap=16)
    g = hand.group()
    _, f = reclaiming(hand, g, n.LRU_INACTIVE_FILE)
    hand.of(g).swappiness = 0
    ap, fp, _ = shares(hand.k, f, 100, 100)
    assert (int(ap), int(fp)) == (1, 201)
    hand.of(g).swappiness = 100
    ap, fp, _ = shares(hand.k, f, 100, 100)
    assert (int(ap), int(fp)) == (101, 101)


@pytest.mark.parametrize(("kernel", "pages"), [("linux-6.1", 400), ("linux-6.12", 100), ("linux-7.2", 100)])
def test_a_pass_of_memory_reclaim_asks_for_all_or_since_6_9_for_a_quarter(kernel: str, pages: int) -> None:
    hand = Hand(kernel)
    hand.k.state.cgroup2 = hand.k.state.groups[0].controls = 1
    g, t = hand.group(), hand.task()
    op = hand.k.books.ops[0]
    op.a, op.b, op.c, op.d = g, n.CG_RECLAIM, 400, 0
    f = hand.call(t, s.P_CG_SET, s.RESIZE_LIMIT, op=0)
    assert memory_files_write(hand.k, t, f, op) == n.CALL
    assert int(f.count) == pages and int(f.group) == g
