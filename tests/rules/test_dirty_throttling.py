"""Who has dirtied too much: writes and pauses, or only sleeps; in a fault with mmap_sem, or (5.5) without."""

from __future__ import annotations

import pytest

from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.signals import send_sigkill
from cowpath.kernel.wait import try_to_wake_up

from .hand import Hand
from .later import fault, play


def dirtier(design: str, dirty: int = 200) -> tuple[Hand, int]:
    """A task that has a page of a file mapped shared; so many other pages are dirty, and every one is counted."""
    hand = Hand(design)
    hand.k.books.dirty_ratelimit = 1
    hand.k.state.zone.dirty = dirty
    t = hand.task()
    hand.maps(t, 64, hand.cached(0), prot=n.VM_WRITE | n.VM_SHARED)
    return hand, t


def times_out(hand: Hand, t: int) -> None:
    try_to_wake_up(hand.k, t)
    play(hand, t)


@pytest.mark.parametrize(
    ("design", "readers"), [("linux-4.19", 1), ("linux-5.15", 0), ("linux-6.1", 0), ("linux-6.18", 0), ("linux-7.2", 0)]
)
def test_a_fault_sleeps_with_mmap_sem_until_5_5(design: str, readers: int) -> None:
    hand, t = dirtier(design)
    fault(hand, t, 64)
    assert hand.asleep(t) == [True] and int(hand.task_of(t).wait_kind) == n.W_PAUSE
    assert int(hand.mm(t).mmap_sem.readers) == readers
    assert all(int(vma.readers) == 0 for vma in hand.k.state.vmas)


@pytest.mark.parametrize(
    ("design", "retries"), [("linux-4.19", 0), ("linux-5.15", 1), ("linux-6.1", 0), ("linux-6.18", 0)]
)
def test_then_it_is_tried_again_or_complete(design: str, retries: int) -> None:
    hand, t = dirtier(design, dirty=0)
    fault(hand, t, 64)
    assert int(hand.task_of(t).depth) == 0 and int(hand.mm(t).mmap_sem.readers) == 0
    assert int(hand.k.books.groups[0].counters[n.C_RETRIES]) == retries
    books = hand.k.books.tasks[t]
    assert (int(books.minflt), int(books.majflt)) == (1 - retries, retries)  # one that is tried again is major (5.9)


def test_who_sleeps_goes_on_when_the_limit_is_no_longer_passed_and_longer_each_time_while_it_is() -> None:
    hand, t = dirtier("linux-6.18")
    fault(hand, t, 64)
    pauses = [int(hand.k.books.tasks[t].pause)]
    for _ in range(30):
        times_out(hand, t)
        assert hand.asleep(t) == [True]
        pauses.append(int(hand.k.books.tasks[t].pause))
    assert pauses == [min(10 * i, 200) * 1_000_000 for i in range(1, 32)]
    hand.k.state.zone.dirty = 1
    times_out(hand, t)
    assert int(hand.task_of(t).depth) == 0


def test_in_the_sleep_it_can_be_killed() -> None:
    hand, t = dirtier("linux-6.18")
    fault(hand, t, 64)
    send_sigkill(hand.k, t)
    play(hand, t)
    assert int(hand.task_of(t).depth) == 0


@pytest.mark.parametrize(("design", "writes"), [("linux-3.1", True), ("linux-3.12", False), ("linux-6.18", False)])
def test_only_until_3_1_who_dirties_writes(design: str, writes: bool) -> None:
    hand, t = dirtier(design)
    paths = fault(hand, t, 64)
    assert (paths[s.PATH_NAMES[s.P_WRITEBACK]] > 0) == writes and hand.asleep(t) == [True]
