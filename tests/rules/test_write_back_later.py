"""Writing since each group has lists of its own: what reclaim has had written, and a group's own dirty pages."""

from __future__ import annotations

from itertools import islice

import pytest

from cowpath.kernel import names as n
from cowpath.kernel.block import add_write, end_page_writeback, new_request
from cowpath.kernel.dirty_throttling import dirty_poll_interval, pause_of_group, wb_position_ratio
from cowpath.kernel.memcg_dirty import has_dirty_limits, memcg_dirty, memcg_dirty_limits, wb_over_bg_thresh
from cowpath.kernel.page_writeback import clear_page_dirty, set_page_dirty

from .hand import Hand

MIB = 256  # pages


def lists(hand: Hand, g: int) -> list[int]:
    return [int(chain.count) for chain in islice(hand.of(g).lists, 4)]


# --- what comes back -------------------------------------------------------------------------------
@pytest.mark.parametrize(("kernel", "where"), [("linux-3.12", [0, 1, 0, 0]), ("linux-4.19", [1, 0, 0, 0])])
def test_what_reclaim_has_activated_is_taken_next_once_it_is_written_since_4_11(kernel: str, where: list[int]) -> None:
    hand = Hand(kernel, swap=16)
    g = hand.group()
    p = hand.page(g, n.PG_ANON | n.PG_UPTODATE | n.PG_ACTIVE)
    add_write(hand.k, new_request(hand.k, hand.task(g)), p)
    hand.of_page(p).bits |= n.PG_RECLAIM
    end_page_writeback(hand.k, p)
    assert lists(hand, g) == where
    assert int(hand.of(g).lists[where.index(1)].tail) == p


# --- a group's dirty pages -------------------------------------------------------------------------
def writer(kernel: str = "linux-6.18", high: int = 2048) -> tuple[Hand, int, int]:
    hand = Hand(kernel)
    hand.k.state.cgroup2 = 1
    hand.k.state.memory = 64 * MIB
    g = hand.group()
    hand.of(g).high = high
    return hand, g, hand.task(g)


def test_of_what_a_group_could_have_of_files_a_fifth_may_be_dirty() -> None:
    hand, g, _ = writer()
    assert has_dirty_limits(hand.k, g) and not has_dirty_limits(hand.k, 0)
    assert memcg_dirty_limits(hand.k, g) == (204, 409)
    below = hand.group(limit=1000, parent=g)
    assert memcg_dirty_limits(hand.k, below) == (100, 200)
    for index in range(8):
        hand.cached(index, below)
    assert memcg_dirty_limits(hand.k, below) == (100, 200)  # it may have 992 more


@pytest.mark.parametrize("changed", ["memcg_dirty", "cgroup2", "remembers"])
def test_v1_kernels_before_4_2_and_the_explorer_know_of_the_machine_alone(changed: str) -> None:
    hand, g, _ = writer(high=40)
    for index in range(5):
        set_page_dirty(hand.k, hand.cached(index, g))
    assert wb_over_bg_thresh(hand.k)
    setattr(hand.k.books if changed == "remembers" else hand.k.state, changed, 0)
    assert not has_dirty_limits(hand.k, g) and not wb_over_bg_thresh(hand.k)


def test_dirty_and_written_pages_count_for_who_was_charged_and_for_those_above() -> None:
    hand, g, t = writer()
    below = hand.group(parent=g)
    pages = [hand.cached(index, below) for index in range(3)]
    for p in pages:
        set_page_dirty(hand.k, p)
    assert memcg_dirty(hand.k, g) == memcg_dirty(hand.k, below) == (3, 0)
    clear_page_dirty(hand.k, pages[0])
    add_write(hand.k, new_request(hand.k, t), pages[0])
    assert memcg_dirty(hand.k, g) == (2, 1)
    end_page_writeback(hand.k, pages[0])
    clear_page_dirty(hand.k, pages[1])
    assert memcg_dirty(hand.k, g) == (1, 0)


def test_the_flusher_has_to_write_what_is_over_the_groups_limit_in_the_background() -> None:
    hand, g, _ = writer(high=40)  # 4 in the background
    for index in range(5):
        assert not wb_over_bg_thresh(hand.k)
        set_page_dirty(hand.k, hand.cached(index, g))
    assert wb_over_bg_thresh(hand.k)


def test_near_the_limit_who_is_faster_than_the_disk_sleeps_a_tick_and_then_not_for_as_many_pages() -> None:
    hand, g, t = writer()
    books = hand.k.books.tasks[t]
    hand.k.books.now = 1_000_000_000
    hand.k.books.groups[g].dirty = 300  # below the mean of both limits
    assert pause_of_group(hand.k, t, True) == 0 and int(books.dirtied_pause) == dirty_poll_interval(109) == 8
    hand.k.books.groups[g].dirty = 400
    books.paced_at, books.dirtied_pause = hand.k.books.now, 1000
    assert pause_of_group(hand.k, t, True) == 4_000_000 and int(books.dirtied_pause) == 100
    books.paced_at = hand.k.books.now - 400_000_000  # it has been slow
    assert pause_of_group(hand.k, t, True) == 0
    hand.k.books.groups[g].dirty = 410  # over the limit nobody goes on
    assert pause_of_group(hand.k, t, False) == 4_000_000


def test_the_pace_is_the_disks_own_in_the_middle_and_nothing_at_the_limit() -> None:
    ratios = [wb_position_ratio(dirty, (200, 400)) for dirty in (300, 350, 399, 400, 500)]
    assert ratios[0] > ratios[1] == 1 << 10 and ratios[1] > ratios[2] >= 0 and ratios[3:] == [0, 0]
