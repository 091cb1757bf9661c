"""A fault on a file lets mmap_sem go before I/O (5.1 on), once: then it starts again, and keeps it."""

from __future__ import annotations

import pytest

from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.block import next_request
from cowpath.kernel.filemap import complete_io, filemap_fault
from cowpath.kernel.frames import do_page_fault
from cowpath.kernel.page_lock import unlock_page

from .hand import Hand
from .later import mapped, play

RETRIES = n.F_ALLOW_RETRY | n.F_KILLABLE | n.F_USER


def reading(design: str, flags: int = RETRIES) -> tuple[Hand, int]:
    """A task whose fault has missed its page and is about to read ahead."""
    hand = Hand(design)
    hand.k.state.files[0].readahead = 4
    t = hand.task()
    do_page_fault(hand.k, t, int(hand.task_of(t).mm), mapped(hand, t, file=0), flags)
    for _ in range(40):
        play(hand, t, moves=1)
        if hand.task_of(t).frames[int(hand.task_of(t).depth) - 1].path == s.P_READAHEAD:
            return hand, t
    raise AssertionError("it does not read")


@pytest.mark.parametrize(("design", "readers"), [("linux-3.0", 1), ("linux-4.19", 1), ("linux-5.15", 0)])
def test_who_reads_ahead_for_a_fault_has_mmap_sem_or_not(design: str, readers: int) -> None:
    hand, t = reading(design)
    assert int(hand.mm(t).mmap_sem.readers) == readers


def test_a_fault_that_may_not_be_tried_again_keeps_it() -> None:
    hand, t = reading("linux-5.15", RETRIES & ~n.F_ALLOW_RETRY)
    assert int(hand.mm(t).mmap_sem.readers) == 1


def test_it_waits_for_the_page_and_then_starts_again_with_mmap_sem() -> None:
    hand, t = reading("linux-5.15")
    play(hand, t)
    assert hand.asleep(t) == [True] and int(hand.mm(t).mmap_sem.readers) == 0
    while (r := int(next_request(hand.k))) != n.NONE:
        complete_io(hand.k, r)
    play(hand, t)
    assert int(hand.task_of(t).depth) == 0 and int(hand.mm(t).mmap_sem.readers) == 0
    assert int(hand.mm(t).file_rss) == 3, "of the four pages of the window all but its marker"
    assert int(hand.k.books.groups[0].counters[n.C_RETRIES]) == 1
    assert int(hand.k.books.tasks[t].majflt) == 1 and int(hand.k.books.tasks[t].minflt) == 0


def test_the_lock_is_only_waited_for() -> None:
    """The holder has let it go: the waiter takes it, and starts again all the same, for it has no mmap_sem."""
    hand = Hand("linux-5.15")
    holder, t = hand.task(), hand.task()
    page = hand.locked(hand.cached(3), holder)
    hand.of_page(page).refs += 1
    f = hand.fault(t, s.P_FILE_READ, s.LOCK_PAGE, page=page, held=n.H_PAGE_REF, file=0, index=3, fault=RETRIES)
    assert filemap_fault(hand.k, t) == n.SLEEP and int(hand.mm(t).mmap_sem.readers) == 0
    assert hand.task_of(t).exclusive
    unlock_page(hand.k, page)
    assert filemap_fault(hand.k, t) == n.RETRY and f.held & n.H_PAGE_LOCK, "the error exit gives it back"


def test_a_page_in_hand_that_nobody_has_locked_costs_no_retry() -> None:
    hand = Hand("linux-5.15")
    t = hand.task()
    page = hand.cached(3)
    hand.of_page(page).refs += 1
    hand.fault(t, s.P_FILE_READ, s.LOCK_PAGE, page=page, held=n.H_PAGE_REF, file=0, index=3, fault=RETRIES)
    assert filemap_fault(hand.k, t) == n.NEXT and int(hand.mm(t).mmap_sem.readers) == 1
