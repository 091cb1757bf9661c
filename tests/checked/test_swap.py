"""Swap: who is charged for what is out, who for what comes back, and when nothing goes out."""

from __future__ import annotations

from typing import Any

import pytest

from cowpath.kernel import names as n
from cowpath.kernel import steps as s

from .small import ANON, SECOND, Small, limited, of_group, sleeps, task
from .strategies import Group

pytestmark = pytest.mark.usefixtures("small_is_compiled")

LONG = ("sleep", 100 * SECOND)
WRITE_ALL = ("touch", ANON, 0, 48, True)
READ_ALL = ("touch", ANON, 0, 48, False)


def out_of(k: Any, group: int) -> int:
    """Pages of the group in swap, as memory.stat has it."""
    return int(k.books.groups[group].swap)


def slots(k: Any) -> list[Any]:
    return [k.state.swaps[slot] for slot in range(int(k.state.n_swaps))]


def test_swap_in_charges_whom_the_slot_names_not_who_touches() -> None:
    """A child in another group, without limits, brings its parent's pages back: onto the parent's group's account."""
    reader = ("fork", (("attach", 2), ("sleep", SECOND), READ_ALL, LONG), False, None)
    small = Small([task(1, WRITE_ALL, reader, LONG)], groups=(limited(20), limited(1000), limited(1000)))
    k = small.until(lambda k: sleeps(k, 1) and out_of(k, 1) > 20)
    small.until_ns(10 * SECOND)
    back = small.some(n.EV_SWAP_IN)
    child = of_group(k, 2)
    assert (back["task"] == child).sum() > 10
    assert set(back[back["task"] == child]["b"]) == {1}
    assert int(k.state.groups[2].res.usage) == int(k.state.groups[2].memsw.usage) == 0


def test_swap_in_charges_under_the_lock_of_the_swap_caches_page() -> None:
    small = Small([task(1, WRITE_ALL, READ_ALL, LONG)], groups=(limited(20), limited(9), limited(9)))

    def charging(k: Any) -> bool:
        frames = [
            k.state.tasks[t].frames[d] for t in range(int(k.state.n_tasks)) for d in range(k.state.tasks[t].depth)
        ]
        inside = [f for f in frames if f.path == s.P_SWAP_IN and k.books.paths[f.path].steps[f.pc] == s.CHARGE]
        for frame in inside:
            page = k.state.pages[frame.page]
            assert frame.held & n.H_PAGE_LOCK and page.locked_by == of_group(k, 1) and page.bits & n.PG_SWAPCACHE
        return any(frame.phase for frame in inside)  # it has failed once: the lock is held on and on

    small.until(charging)


def test_memsw_stays_at_swap_out_and_falls_when_the_slot_is_let_go() -> None:
    program = (WRITE_ALL, ("sleep", SECOND), ("munmap", ANON, 0, 24), LONG)
    small = Small([task(1, *program)], groups=(limited(20), limited(9), limited(9)))
    k = small.until(lambda k: sleeps(k, 1))
    small.until_ns(SECOND // 2)
    group = k.state.groups[1]
    gone, before = out_of(k, 1), int(group.memsw.usage)
    assert gone >= 28 and before == int(group.res.usage) + gone
    small.until_ns(10 * SECOND)
    assert out_of(k, 1) < gone  # the first half of the region was out, for the most part
    assert int(group.memsw.usage) == int(group.res.usage) + out_of(k, 1) <= before - 20


@pytest.mark.parametrize("memsw", [0, 5])
def test_nothing_goes_out_when_memsw_is_the_limit(memsw: int) -> None:
    """Both limits the same: swap is of no use. A little more: pages go out until memsw's limit is hit."""
    small = Small([task(1, WRITE_ALL, LONG)], groups=(limited(20, memsw=memsw, killer=False), limited(9), limited(9)))
    k = small.until(lambda k: any(task.wait_kind == n.W_OOM for task in k.state.tasks[: int(k.state.n_tasks)]))
    small.until_ns(int(k.books.now) + SECOND)
    assert int(k.state.groups[1].memsw.usage) == int(k.books.groups[1].rss) + out_of(k, 1) == 20 + memsw
    assert (small.counter(n.C_SWAP_OUT) > 0) == (memsw > 0)
    failed_memsw = small.some(n.EV_CHARGE_FAIL)["b"]
    assert (failed_memsw[-1] == 1) == (memsw > 0)  # with equal limits res is tried first


def test_swappiness_0_does_not_keep_anonymous_pages_in() -> None:
    """3.0: where a group has nothing else, its anonymous pages go out all the same."""
    small = Small([task(1, ("sleep", 1), WRITE_ALL, LONG)], swappiness=0, groups=(limited(20), limited(9), limited(9)))
    k = small.until(lambda k: sleeps(k, 1) and out_of(k, 1) > 0)
    assert int(k.state.groups[1].swappiness) == 0 and small.counter(n.C_SWAP_OUT, 1) > 20


@pytest.mark.parametrize("swap", [0, 5])
def test_when_swap_is_full_anonymous_pages_stay(swap: int) -> None:
    small = Small([task(1, WRITE_ALL, LONG)], swap=swap, groups=(limited(20, killer=False), limited(9), limited(9)))
    k = small.until(lambda k: any(task.wait_kind == n.W_OOM for task in k.state.tasks[: int(k.state.n_tasks)]))
    small.until_ns(int(k.books.now) + SECOND)
    assert int(k.state.used_swaps) == swap >= out_of(k, 1)  # what has a slot may be in memory still
    assert int(k.state.groups[1].res.usage) == int(k.books.groups[1].rss) == 20


def test_fork_shares_the_slots() -> None:
    child = ("fork", (LONG,), False, None)
    small = Small([task(1, WRITE_ALL, ("sleep", SECOND), child, LONG)], groups=(limited(20), limited(9), limited(9)))
    k = small.until(lambda k: sleeps(k, 1) and out_of(k, 1) > 20)
    small.until_ns(SECOND // 2)
    assert {int(swap.count) for swap in slots(k) if swap.group == 1} == {1}
    charged = int(k.state.groups[1].memsw.usage)
    small.until_ns(2 * SECOND)
    assert {int(swap.count) for swap in slots(k) if swap.group == 1} == {2}
    assert int(k.state.groups[1].memsw.usage) == charged  # a slot is charged once
    mms = [int(k.state.tasks[t].mm) for t in range(int(k.state.n_tasks)) if k.state.tasks[t].group == 1]
    assert [int(k.state.mms[m].swapents) for m in mms if m != n.NONE] == [out_of(k, 1)] * 2


def test_a_page_comes_back_as_it_was_and_needs_no_other_write() -> None:
    """Read back from swap and not written to, it keeps its slot, and goes out again without a write."""
    program = (WRITE_ALL, ("sleep", SECOND), READ_ALL, ("sleep", SECOND), READ_ALL, LONG)
    small = Small([task(1, *program)], groups=(limited(20), limited(9), limited(9)))
    small.until_ns(3 * SECOND)
    written, came = small.counter(n.C_SWAP_OUT), len(small.some(n.EV_SWAP_IN))
    evicted = len(small.some(n.EV_EVICT))
    assert came > 48 and evicted > written


def test_a_removed_groups_swap_is_its_parents() -> None:
    """rmdir of a group whose pages are in swap, held by a task that has left: the parent is charged on."""
    program = (WRITE_ALL, ("sleep", SECOND), ("attach", 3), LONG)
    groups = (limited(500), limited(20, parent=1), Group(0, False, None, None, True))
    shell = (("sleep", 2 * SECOND), ("delete", 2))
    small = Small([task(2, *program)], groups=groups, shell=shell)
    k = small.until_ns(SECOND // 2)
    gone, both = out_of(k, 2), int(k.state.groups[1].memsw.usage)
    assert gone > 20 and both == int(k.state.groups[2].memsw.usage)
    small.until_ns(5 * SECOND)
    assert not k.state.groups[2].alive and out_of(k, 2) == 0 and out_of(k, 1) == gone
    assert int(k.state.groups[1].memsw.usage) == int(k.state.groups[1].res.usage) + gone
