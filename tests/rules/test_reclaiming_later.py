"""Reclaim since each group has lists of its own: which groups, how much of which list, what becomes of a page."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest

from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.cgroup import cgroup_rmdir
from cowpath.kernel.filemap import add_to_page_cache_lru, cached_page, find_get_page, invalidate_mapping_pages
from cowpath.kernel.lru import lru_add, lru_add_drain_all, lru_del, mark_page_accessed
from cowpath.kernel.page_alloc import take_page
from cowpath.kernel.scan_count import get_scan_count, inactive_is_low, prepare_scan_control
from cowpath.kernel.shrink_folio import shrink_active_folio, shrink_inactive_folio
from cowpath.kernel.shrink_node import begin_batch, mem_cgroup_iter, next_batch, next_descendant, step_shrink_node
from cowpath.kernel.workingset import lru_note_cost, take_shadow, workingset_refault

from .hand import Hand

NEW, OLD = "linux-6.18", "linux-6.1"


def reclaiming(hand: Hand, g: int, which: int = n.NONE, **fields: Any) -> tuple[int, Any]:
    """A task that reclaims from a group, with one of its lists in hand."""
    t = hand.task()
    return t, hand.call(t, s.P_RECLAIM, s.SHRINK_NODE, group=g, victim=g, lru=which, **{"todo": 1} | fields)


def inactive(hand: Hand, g: int, which: int = n.LRU_INACTIVE_FILE, **fields: Any) -> Any:
    """Reclaim looks at the last page of an inactive list; its frame."""
    t, f = reclaiming(hand, g, which, **fields)
    assert shrink_inactive_folio(hand.k, t, f) == n.AGAIN
    return f


def a_pass(hand: Hand, g: int) -> int:
    """A pass of reclaim; the pages that it has freed."""
    t, f = reclaiming(hand, g, todo=0)
    for _ in range(20_000):
        if step_shrink_node(hand.k, t) != n.AGAIN:
            break
    return int(f.done)


def events(hand: Hand, g: int) -> dict[str, int]:
    counts = hand.k.books.groups[g].vm_events
    return {name: int(count) for name, count in zip(n.VM_EVENTS, counts, strict=True) if count}


def counts(hand: Hand, g: int) -> list[int]:
    return [int(chain.count) for chain in islice(hand.of(g).lists, 4)]


# --- groups
def test_each_group_comes_before_those_below_it_and_after_its_elder_siblings() -> None:
    hand = Hand(OLD)
    top = hand.group()
    first = hand.group(parent=top)
    second = hand.group(parent=top)
    order, g = [], n.NONE
    while (g := int(next_descendant(hand.k, g, top))) != n.NONE:
        order.append(g)
    assert order == [top, first, second]
    assert int(next_descendant(hand.k, first, first)) == n.NONE


def test_a_walk_in_part_goes_on_after_the_group_that_was_last() -> None:
    hand = Hand(NEW)
    top = hand.group()
    first, second = hand.group(parent=top), hand.group(parent=top)
    seen = []
    for _ in range(2):  # two passes, each of which has had enough after two groups
        _, f = reclaiming(hand, top)
        f.victim = n.NONE
        for _ in range(2):
            f.victim = mem_cgroup_iter(hand.k, f)
            seen.append(int(f.victim))
    assert seen == [top, first, second, n.NONE]


def test_a_removed_groups_pages_are_found() -> None:
    hand = Hand(NEW)
    top = hand.group()
    gone = hand.group(parent=top)
    hand.cached(3, gone)
    hand.of(gone).alive = 0
    assert int(next_descendant(hand.k, top, top)) == gone
    assert a_pass(hand, top) == 1


# --- lists
def test_a_page_is_on_its_groups_list_alone_and_the_zone_counts() -> None:
    hand = Hand(NEW)
    g = hand.group()
    p = hand.cached(3, g)
    page, chain = hand.k.state.pages[p], hand.k.state.zone.lists[n.LRU_INACTIVE_FILE]
    assert counts(hand, g)[n.LRU_INACTIVE_FILE] == chain.count == 1
    assert chain.head == n.NONE and page.zone_next == page.zone_prev == n.NONE
    lru_del(hand.k, p)
    assert chain.count == 0 and counts(hand, g) == [0, 0, 0, 0]


def test_a_page_that_nobody_is_charged_for_is_on_the_roots() -> None:
    hand = Hand(NEW)
    hand.page()
    assert counts(hand, 0)[n.LRU_INACTIVE_ANON] == 1


def test_the_machines_reclaim_finds_a_groups_pages() -> None:
    hand = Hand(NEW)
    hand.cached(3, hand.group())
    assert a_pass(hand, 0) == 1


# --- how much
def scan(hand: Hand, g: int, priority: int, **fields: Any) -> list[int]:
    _, f = reclaiming(hand, g, priority=priority, **fields)
    prepare_scan_control(hand.k, f)
    get_scan_count(hand.k, f)
    return [int(pages) for pages in f.scan]


def test_without_swap_only_files_are_scanned_each_list_by_its_size() -> None:
    hand = Hand(NEW)
    g = hand.group()
    for index in range(16):
        hand.cached(index, g)
    for _ in range(8):
        hand.page(g)
    assert scan(hand, g, 2) == [0, 0, 4, 0]
    assert scan(hand, g, 5) == [0, 0, 0, 0]


def test_enough_inactive_files_spare_the_anonymous_pages() -> None:
    """cache_trim_mode; at priority 0 both are scanned alike."""
    hand = Hand(NEW, swap=64)
    g = hand.group()
    for index in range(16):
        hand.cached(index, g)
    for _ in range(8):
        hand.page(g)
    assert scan(hand, g, 2) == [0, 0, 4, 0]
    assert scan(hand, g, 0) == [8, 0, 16, 0]
    hand.of(g).swappiness = 0
    assert scan(hand, g, 0) == [0, 0, 16, 0]


def test_the_dearer_kind_is_scanned_less() -> None:
    hand = Hand(NEW, swap=64)
    g = hand.group()
    for index in range(16):
        hand.cached(index, g, bits=n.PG_UPTODATE | n.PG_ACTIVE)
        hand.page(g)
    even = scan(hand, g, 1)
    hand.k.books.groups[g].cost[1] = 1000
    assert scan(hand, g, 1)[n.LRU_ACTIVE_FILE] < even[n.LRU_ACTIVE_FILE]
    assert scan(hand, g, 1)[n.LRU_INACTIVE_ANON] > even[n.LRU_INACTIVE_ANON]


def test_costs_go_to_all_groups_above_and_fade() -> None:
    hand = Hand(NEW)
    top = hand.group()
    g = hand.group(parent=top)
    for index in range(16):
        hand.cached(index, g)
    lru_note_cost(hand.k, g, 1, 4)
    assert [int(hand.k.books.groups[each].cost[1]) for each in (g, top, 0)] == [4, 4, 4]
    lru_note_cost(hand.k, g, 1, 4)
    assert int(hand.k.books.groups[g].cost[1]) == 4, "more than a quarter of the pages: half of it"


def test_when_enough_is_freed_the_smaller_kind_is_let_be() -> None:
    hand = Hand(NEW, swap=64)
    g = hand.group()
    t, f = reclaiming(hand, g, n.LRU_ACTIVE_FILE, priority=0)
    for _ in range(2):
        hand.page(g)
    for which, pages in enumerate((100, 0, 400, 0)):
        hand.k.books.tasks[t].scan_target[which] = pages
    f.scan[0], f.scan[2], f.done, f.index = 50, 350, 40, 0
    assert next_batch(hand.k, t, f) is False or f.lru == n.LRU_INACTIVE_FILE
    assert f.scan[0] == 0, "49 % of the anonymous pages are left: as much of the files', of which 50 are done"
    assert f.scan[2] + f.todo <= 400 * 51 // 100 - 50


def test_the_lists_of_all_groups_below_say_whether_an_active_one_is_too_long() -> None:
    hand = Hand(NEW)
    top = hand.group()
    hand.cached(1, hand.group(parent=top))
    p = hand.cached(2, hand.group(parent=top))
    assert not inactive_is_low(hand.k, top, n.LRU_INACTIVE_FILE)
    lru_del(hand.k, p)
    hand.k.state.pages[p].bits |= n.PG_ACTIVE
    lru_add(hand.k, p)
    assert not inactive_is_low(hand.k, top, n.LRU_INACTIVE_FILE), "as many of both"
    q = hand.cached(1, top) if cached_page(hand.k, 0, 1) == n.NONE else hand.cached(4, top)
    mark_page_accessed(hand.k, q)
    mark_page_accessed(hand.k, q)
    assert inactive_is_low(hand.k, top, n.LRU_INACTIVE_FILE)


# --- pages
def test_a_clean_page_goes_and_is_counted_where_it_was() -> None:
    hand = Hand(NEW)
    g = hand.group()
    hand.cached(3, g)
    assert inactive(hand, g).done == 1
    assert cached_page(hand.k, 0, 3) == n.NONE and hand.usage(g) == [0]
    assert events(hand, g) == {"pgscan_direct": 1, "pgsteal_direct": 1}


def test_a_mapped_page_in_use_goes_round_once_and_is_activated_the_second_time() -> None:
    hand = Hand(NEW)
    g = hand.group()
    p = hand.cached(3, g)
    page = hand.k.state.pages[p]
    entry = hand.maps(hand.task(g), 5, p)
    assert inactive(hand, g).done == 0 and not page.bits & n.PG_ACTIVE
    entry.bits |= n.PTE_ACCESSED
    assert inactive(hand, g).done == 0 and page.bits & n.PG_ACTIVE
    assert events(hand, g)["pgactivate"] == 1


def test_a_dirty_page_of_a_file_is_left_to_the_flusher() -> None:
    hand = Hand(NEW)
    g = hand.group()
    p = hand.cached(3, g, bits=n.PG_UPTODATE | n.PG_DIRTY)
    assert inactive(hand, g).done == 0
    bits = hand.k.state.pages[p].bits
    assert bits & n.PG_ACTIVE and bits & n.PG_RECLAIM and not bits & n.PG_WRITEBACK


@pytest.mark.parametrize(("cgroup2", "waits"), [(0, True), (1, False)])
def test_only_v1_waits_for_a_page_that_is_being_written(cgroup2: int, waits: bool) -> None:
    hand = Hand(NEW)
    hand.k.state.cgroup2 = cgroup2
    g = hand.group()
    p = hand.cached(3, g, bits=n.PG_UPTODATE | n.PG_WRITEBACK | n.PG_RECLAIM)
    t, f = reclaiming(hand, g, n.LRU_INACTIVE_FILE)
    answer = shrink_inactive_folio(hand.k, t, f)
    assert answer == (n.SLEEP if waits else n.AGAIN)
    assert bool(hand.k.state.pages[p].bits & n.PG_ACTIVE) is not waits


def test_an_anonymous_page_becomes_active_at_once_until_5_8() -> None:
    for kernel, active in (("linux-4.19", True), (OLD, False)):
        hand = Hand(kernel, swap=16)
        g = hand.group()
        p = hand.page(g)
        hand.maps(hand.task(g), 5, p)
        inactive(hand, g, n.LRU_INACTIVE_ANON)
        assert bool(hand.k.state.pages[p].bits & n.PG_ACTIVE) is active


def test_what_leaves_the_active_list_is_remembered_as_part_of_the_workingset() -> None:
    hand = Hand(NEW)
    g = hand.group()
    p = hand.cached(3, g, bits=n.PG_UPTODATE | n.PG_ACTIVE)
    t, f = reclaiming(hand, g, n.LRU_ACTIVE_FILE)
    begin_batch(hand.k, t, f, n.LRU_ACTIVE_FILE, 32)
    shrink_active_folio(hand.k, t, f)
    assert counts(hand, g) == [0, 0, 1, 0] and hand.k.books.pages[p].workingset
    assert events(hand, g) == {"pgdeactivate": 1, "pgrefill": 1}


# --- refaults
def evicted(hand: Hand, g: int, index: int) -> None:
    hand.cached(index, g)
    assert inactive(hand, g).done == 1


def test_a_page_that_comes_back_soon_is_active_one_that_comes_late_is_not() -> None:
    hand = Hand(NEW)
    g = hand.group()
    for index in range(8, 12):  # four active pages
        hand.cached(index, g, bits=n.PG_UPTODATE | n.PG_ACTIVE)
    for index in range(6):
        evicted(hand, g, index)
    for index, active in ((5, True), (0, False)):
        p = hand.cached(index, g)
        lru_del(hand.k, p)
        workingset_refault(hand.k, p, take_shadow(hand.k, 0, index), 1)
        lru_add(hand.k, p)
        assert bool(hand.k.state.pages[p].bits & n.PG_ACTIVE) is active, index
    assert events(hand, g)["workingset_refault_file"] == 2
    assert events(hand, g)["workingset_activate_file"] == 1
    assert take_shadow(hand.k, 0, 5) == 0, "a shadow is taken once"


def test_fadvise_drops_the_shadow_and_3_12_has_none() -> None:
    hand = Hand(NEW)
    g = hand.group()
    evicted(hand, g, 3)
    invalidate_mapping_pages(hand.k, 0, 3)
    assert take_shadow(hand.k, 0, 3) == 0
    hand = Hand("linux-3.12")
    g = hand.group()
    evicted(hand, g, 3)
    assert take_shadow(hand.k, 0, 3) == 0 and find_get_page(hand.k, 0, 3) == n.NONE


# --- batches of new pages
def new_page(hand: Hand, index: int, g: int) -> int:
    """A page of a file that a task on CPU 0 has just read ahead."""
    p = int(take_page(hand.k))
    hand.charge(p, g)
    add_to_page_cache_lru(hand.k, p, 0, index, True)
    return p


def test_new_pages_join_their_lists_together() -> None:
    hand = Hand(OLD)
    g = hand.group()
    for index in range(14):
        new_page(hand, index, g)
    assert counts(hand, g) == [0, 0, 0, 0]
    new_page(hand, 14, g)
    assert counts(hand, g) == [0, 0, 15, 0] and hand.k.books.cpus[0].lru_adds == 0


def test_who_reclaims_drains_the_batch_of_its_cpu() -> None:
    hand = Hand(OLD)
    g = hand.group()
    for index in range(20):
        new_page(hand, index, g)
    t, f = reclaiming(hand, g)
    begin_batch(hand.k, t, f, n.LRU_INACTIVE_FILE, 32)
    assert f.todo == 20 and counts(hand, g) == [0, 0, 20, 0]


def test_a_page_that_goes_leaves_its_batch_and_one_that_is_read_again_will_be_active() -> None:
    hand = Hand(OLD)
    g = hand.group()
    first, second = new_page(hand, 0, g), new_page(hand, 1, g)
    lru_del(hand.k, first)
    assert list(islice(hand.k.books.cpus[0].lru_add, hand.k.books.cpus[0].lru_adds)) == [second]
    mark_page_accessed(hand.k, second)
    mark_page_accessed(hand.k, second)
    lru_add_drain_all(hand.k)
    assert counts(hand, g) == [0, 0, 0, 1] and "pgactivate" not in events(hand, g)


@pytest.mark.parametrize(("kernel", "left"), [("linux-3.12", 0), (OLD, 1), ("linux-7.2", 0)])
def test_what_a_removed_group_has_in_a_batch_goes_with_the_rest_or_stays(kernel: str, left: int) -> None:
    hand = Hand(kernel)
    g = hand.group()
    new_page(hand, 0, g)
    hand.k.state.groups[g].res.usage = 1
    assert cgroup_rmdir(hand.k, g) == n.NEXT and hand.usage(g) == [left]
