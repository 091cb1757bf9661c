"""Shared anonymous memory: each mapping is an object of its own, which fork hands on; its pages go to swap."""

from __future__ import annotations

from typing import Any

import pytest

from cowpath.kernel import names as n
from cowpath.kernel.memcg_stock import stock_of

from .small import ANON, FREE_GROUP, SECOND, Small, limited, of_group, sleeps, task, tasks_of
from .strategies import Action

pytestmark = pytest.mark.usefixtures("small_is_compiled")

LONG = ("sleep", 100 * SECOND)
NAP = ("sleep", SECOND)
SHARE: Action = ("anon", ANON, 0, 48, True)
WRITE = ("touch", ANON, 0, 48, True)
READ = ("touch", ANON, 0, 48, False)


def fork(*body: Action) -> Action:
    return ("fork", body, False, None)


def cache(k: Any, group: int) -> int:
    return int(k.books.groups[group].cache)


def out(k: Any) -> int:
    """Pages of shared memory that are in swap."""
    return int((k.state["shmem_swp"] != 0).sum())


def test_each_mapping_is_an_object_of_its_own() -> None:
    child = fork(SHARE, WRITE, LONG)
    small = Small([task(1, child, child, LONG)])
    k = small.until_ns(SECOND)
    assert len(tasks_of(k, 1)) == 3 and cache(k, 1) == 2 * 48


def test_fork_hands_it_on() -> None:
    small = Small([task(1, SHARE, fork(WRITE, LONG), fork(WRITE, LONG), LONG)])
    k = small.until_ns(SECOND)
    assert len(tasks_of(k, 1)) == 3 and cache(k, 1) == 48


def test_it_goes_with_its_last_mapping() -> None:
    """Not with its maker's: the child still has it. A place that is free again is used again."""
    small = Small([task(1, SHARE, WRITE, fork(("sleep", 2 * SECOND)), ("munmap", ANON, 0, 48), LONG)])
    k = small.until_ns(SECOND)
    assert cache(k, 1) == 48
    k = small.until_ns(3 * SECOND)
    assert cache(k, 1) == 0 and k.state.groups[1].res.usage == stock_of(k, 0, 1)
    assert k.state.free_file == 3 and k.state.n_files == 4


def test_many_one_after_the_other_need_one_place() -> None:
    small = Small([task(1, ("loop", 3, (SHARE, WRITE)), LONG)])
    k = small.until(lambda k: sleeps(k, 1))
    assert cache(k, 1) == 48 and k.state.n_files <= 5


def test_it_goes_to_swap_and_back() -> None:
    """shmem_writepage: a page that reclaim takes is memsw's until it comes back, and its fault then is a major one."""
    small = Small([task(1, SHARE, WRITE, NAP, READ, LONG)], groups=(limited(20), FREE_GROUP, FREE_GROUP))
    k = small.until_ns(SECOND // 2)
    group = k.state.groups[1]
    assert out(k) >= 28 and int(group.memsw.usage) == int(group.res.usage) + int(k.books.groups[1].swap)
    assert k.books.groups[1].pgmajfault == 0
    small.until_ns(10 * SECOND)
    back = small.some(n.EV_SWAP_IN)
    assert len(back) > 20 and set(back["extra"]) == {1} and k.books.groups[1].pgmajfault > 0
    assert int(group.memsw.usage) == int(group.res.usage) + int(k.books.groups[1].swap)


def test_without_swap_it_stays() -> None:
    small = Small([task(1, SHARE, WRITE, LONG)], swap=0, groups=(limited(20, killer=False), FREE_GROUP, FREE_GROUP))
    k = small.until_ns(SECOND)
    assert out(k) == 0 and cache(k, 1) == 20 and k.state.tasks[of_group(k, 1)].wait_kind == n.W_OOM


def test_a_page_that_nobody_wrote_to_needs_no_slot() -> None:
    """It is zeroes still: reclaim drops it, and the next fault makes it again."""
    small = Small([task(1, SHARE, READ, LONG)], groups=(limited(20), FREE_GROUP, FREE_GROUP))
    k = small.until(lambda k: sleeps(k, 1))
    assert out(k) == 0 and cache(k, 1) <= 20


def test_who_brings_a_page_back_is_charged_for_a_moment_only() -> None:
    """shmem_getpage charges a page in advance to who faults, but the page from swap to whom the slot names."""
    reader = fork(("attach", 2), NAP, READ, LONG)
    small = Small([task(1, SHARE, WRITE, reader, LONG)], groups=(limited(20), limited(1000), FREE_GROUP))
    k = small.until_ns(SECOND // 2)
    assert out(k) > 20
    small.until_ns(20 * SECOND)
    back = small.some(n.EV_SWAP_IN)
    child = of_group(k, 2)
    assert (back["task"] == child).sum() > 10 and set(back[back["task"] == child]["b"]) == {1}
    assert cache(k, 2) == 0 and k.books.groups[2].pgpgin == k.books.groups[2].pgpgout > 10


def test_who_waits_with_the_lock_of_a_page_from_swap_holds_others_up() -> None:
    """shmem_getpage charges under the lock of the swap cache's page; its waiters keep mmap_sem and cannot be killed."""
    others = fork(("attach", 2), ("sleep", 3 * SECOND), ("touch", ANON, 0, 1, False), LONG)
    hog = (("anon", ANON, 0, 1, True), ("touch", ANON, 0, 1, True), others, ("touch", 1, 0, 40, True))
    back = (("mlock", 1, 0, 40), ("sleep", SECOND), ("touch", ANON, 0, 1, False), LONG)
    groups = (limited(41, killer=False), FREE_GROUP, FREE_GROUP)
    small = Small([task(1, *hog, *back)], groups=groups, shell=(("sleep", SECOND), ("limit", 1, 40)))
    k = small.until_ns(5 * SECOND)
    assert out(k) == 1
    assert k.state.tasks[of_group(k, 1)].wait_kind == n.W_OOM


def test_its_slots_are_free_when_it_is_gone() -> None:
    small = Small([task(1, SHARE, WRITE)], groups=(limited(20), FREE_GROUP, FREE_GROUP))
    k = small.finish()
    assert out(k) == 0 and not k.state["swaps"]["count"].any()
    assert k.state.groups[1].memsw.usage == k.state.groups[1].res.usage


def test_a_truncated_files_pages_in_swap_go_too() -> None:
    """A file below /dev/shm is written, goes to swap and is truncated."""
    program = (("write", 2, 0, 40, None, 0), NAP, ("truncate", 2, 0), LONG)
    small = Small([task(1, *program)], groups=(limited(12), FREE_GROUP, FREE_GROUP))
    k = small.until_ns(SECOND // 2)
    assert out(k) > 20
    k = small.until_ns(2 * SECOND)
    assert out(k) == 0 and not k.state["swaps"]["count"].any() and k.books.groups[1].swap == 0


def test_a_file_in_swap_is_read_and_written_again() -> None:
    program = (("write", 2, 0, 40, None, 0), ("read", 2, 0, 40, None, 0), ("write", 2, 0, 40, None, 0), LONG)
    small = Small([task(1, *program)], groups=(limited(12), FREE_GROUP, FREE_GROUP))
    k = small.until(lambda k: sleeps(k, 1))
    assert len(small.some(n.EV_SWAP_IN)) > 40 and k.books.groups[1].pgmajfault == 0  # of faults only
