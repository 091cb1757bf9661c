"""The queue for a page's lock, by release: who stands where, and when an unlock hands the lock over (5.9)."""

from __future__ import annotations

import pytest

from cowpath.engine.invariants_locks import page_locks_have_owners
from cowpath.engine.invariants_pages import OK
from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.page_lock import (
    KILLED,
    TAKEN,
    UNFAIRNESS,
    WAITING,
    lock_page,
    lock_page_killable,
    trylock_page,
    unlock_page,
    wait_on_page_locked,
)

from .hand import Hand


def page_and_tasks(design: str, tasks: int = 3) -> tuple[Hand, int, list[int]]:
    """A page that the first task has locked; the others are about to lock it in a fault."""
    hand = Hand(design)
    page = hand.cached(3)
    found = [hand.task() for _ in range(tasks)]
    for t in found:
        hand.fault(t, s.P_FILE_READ, s.LOCK_PAGE, page=page, held=n.H_PAGE_REF, file=0, index=3)
    hand.locked(page, found[0])
    return hand, page, found


def lose(hand: Hand, page: int, holder: int, t: int, times: int) -> None:
    """The task is woken so many times, and each time the holder is faster."""
    for _ in range(times):
        unlock_page(hand.k, page)
        assert hand.asleep(t) == [False] and trylock_page(hand.k, holder, page)
        assert lock_page(hand.k, t, page) == WAITING


@pytest.mark.parametrize("design", ["linux-3.0", "linux-4.19"])
def test_an_unlock_hands_nothing_over(design: str) -> None:
    hand, page, (holder, t, _) = page_and_tasks(design)
    assert lock_page(hand.k, t, page) == WAITING
    lose(hand, page, holder, t, UNFAIRNESS + 5)


def test_who_has_lost_five_times_is_handed_the_lock() -> None:
    hand, page, (holder, t, other) = page_and_tasks("linux-5.15")
    assert lock_page(hand.k, t, page) == WAITING
    lose(hand, page, holder, t, UNFAIRNESS)
    hand.task_of(holder).frames[1].held |= n.H_PAGE_LOCK
    unlock_page(hand.k, page)
    hand.task_of(holder).frames[1].held &= ~n.H_PAGE_LOCK
    assert not trylock_page(hand.k, other, page), "nobody can be faster"
    assert int(hand.of_page(page).locked_by) == t and page_locks_have_owners(hand.k) == OK
    assert lock_page(hand.k, t, page) == TAKEN
    hand.task_of(t).frames[1].held |= n.H_PAGE_LOCK
    unlock_page(hand.k, page)
    assert trylock_page(hand.k, holder, page) and lock_page(hand.k, t, page) == WAITING
    lose(hand, page, holder, t, 1)  # it begins anew


def test_who_is_killed_keeps_what_it_was_handed_and_else_leaves() -> None:
    hand, page, (holder, t, other) = page_and_tasks("linux-5.15")
    assert lock_page(hand.k, t, page) == WAITING
    lose(hand, page, holder, t, UNFAIRNESS)
    unlock_page(hand.k, page)
    hand.task_of(t).sigkill = hand.task_of(other).sigkill = 1
    assert lock_page_killable(hand.k, other, page) == KILLED
    assert lock_page_killable(hand.k, t, page) == TAKEN


@pytest.mark.parametrize(("design", "again"), [("linux-3.0", WAITING), ("linux-4.19", WAITING), ("linux-5.15", TAKEN)])
def test_who_only_waits_is_done_when_he_is_woken_since_5_9(design: str, again: int) -> None:
    """Before, he looks again, and sleeps on if somebody has locked the page meanwhile."""
    hand, page, (holder, t, _) = page_and_tasks(design)
    assert wait_on_page_locked(hand.k, t, page, 0) == WAITING
    unlock_page(hand.k, page)
    assert trylock_page(hand.k, holder, page)
    assert wait_on_page_locked(hand.k, t, page, 0) == again


@pytest.mark.parametrize(("design", "first"), [("linux-3.0", 2), ("linux-4.19", 1)])
def test_who_only_waits_stood_in_front_until_4_14(design: str, first: int) -> None:
    hand, page, tasks = page_and_tasks(design)
    assert lock_page(hand.k, tasks[1], page) == WAITING
    assert wait_on_page_locked(hand.k, tasks[2], page, 0) == WAITING
    assert int(hand.of_page(page).waiters.head) == tasks[first]
