"""Who sleeps where, in which order, and who is woken: page locks, mmap_sem, signals."""

from __future__ import annotations

from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.invalidate_lock import (
    step_invalidate_lock,
    step_invalidate_lock_shared,
    step_invalidate_unlock,
    step_invalidate_unlock_shared,
)
from cowpath.kernel.page_lock import (
    KILLED,
    WAITING,
    __lock_page_or_retry,
    lock_page,
    lock_page_killable,
    unlock_page,
    wait_on_page_locked,
)
from cowpath.kernel.rwsem import down_read, down_write, up_read, up_write
from cowpath.kernel.signals import send_sigkill
from cowpath.kernel.wait import owner_of

from .hand import Hand

lock_page_or_retry = __lock_page_or_retry
LIB = 0  # a file of the hand-made machine


def queue_of(hand: Hand, queue: object) -> list[int]:
    found, t = [], int(queue.head)  # type: ignore[attr-defined]
    while t != n.NONE and len(found) < 10:
        found.append(t)
        t = int(hand.task_of(t).wait_next)
    return found


def test_unlock_page_wakes_up_to_the_first_exclusive_waiter() -> None:
    """All who only wait, and one of those who want the lock."""
    hand = Hand()
    holder, first, second, reader, late = (hand.task() for _ in range(5))
    p = hand.locked(hand.page(), holder)
    for t in (first, second):
        assert lock_page(hand.k, t, p) == WAITING
    for t in (reader, late):
        assert wait_on_page_locked(hand.k, t, p, 0) == WAITING
    unlock_page(hand.k, p)
    assert hand.asleep(reader, late, first, second) == [False, False, False, True]


def test_who_only_waits_stands_in_front_and_who_wants_the_lock_at_the_end() -> None:
    hand = Hand()
    holder, first, second, reader, late = (hand.task() for _ in range(5))
    p = hand.locked(hand.page(), holder)
    lock_page(hand.k, first, p)
    wait_on_page_locked(hand.k, reader, p, 0)
    lock_page(hand.k, second, p)
    wait_on_page_locked(hand.k, late, p, 0)
    assert queue_of(hand, hand.of_page(p).waiters) == [late, reader, first, second]


def to_read(hand: Hand, t: int, m: int) -> bool:
    return bool(down_read(hand.k, t, hand.k.state.mms[m].mmap_sem, n.W_MMAP_READ, m))


def to_write(hand: Hand, t: int, m: int) -> bool:
    return bool(down_write(hand.k, t, hand.k.state.mms[m].mmap_sem, n.W_MMAP_WRITE, m))


def test_a_task_that_waits_for_mmap_sem_waits_behind_those_before_it() -> None:
    hand = Hand()
    writer, first, second = (hand.task() for _ in range(3))
    m = int(hand.task_of(writer).mm)
    assert to_write(hand, writer, m)
    assert not to_read(hand, first, m) and not to_read(hand, second, m)
    assert queue_of(hand, hand.k.state.mms[m].mmap_sem.waiters) == [first, second]


def test_a_writer_that_waits_keeps_new_readers_out() -> None:
    hand = Hand()
    reader, writer, late = (hand.task() for _ in range(3))
    m = int(hand.task_of(reader).mm)
    assert to_read(hand, reader, m)
    assert not to_write(hand, writer, m)
    assert not to_read(hand, late, m)


def test_mmap_sem_is_handed_to_the_first_writer_alone_and_then_to_the_readers_behind_it() -> None:
    hand = Hand()
    reader, writer, one, two, last = (hand.task() for _ in range(5))
    m = int(hand.task_of(reader).mm)
    assert to_read(hand, reader, m)
    for t in (writer,):
        assert not to_write(hand, t, m)
    for t in (one, two):
        assert not to_read(hand, t, m)
    assert not to_write(hand, last, m)
    up_read(hand.k, hand.k.state.mms[m].mmap_sem)
    assert hand.asleep(writer, one, two, last) == [False, True, True, True]
    assert to_write(hand, writer, m)
    up_write(hand.k, hand.k.state.mms[m].mmap_sem)
    assert hand.asleep(one, two, last) == [False, False, True]
    assert hand.k.state.mms[m].mmap_sem.readers == 2 and hand.k.state.mms[m].mmap_sem.writer == n.NONE


def test_a_writer_waits_for_the_last_of_the_readers() -> None:
    hand = Hand()
    one, two, writer = (hand.task() for _ in range(3))
    m = int(hand.task_of(one).mm)
    assert to_read(hand, one, m) and to_read(hand, two, m)
    assert not to_write(hand, writer, m)
    up_read(hand.k, hand.k.state.mms[m].mmap_sem)
    assert hand.asleep(writer) == [True]
    up_read(hand.k, hand.k.state.mms[m].mmap_sem)
    assert hand.asleep(writer) == [False]


def test_sigkill_ends_a_killable_sleep_and_no_other() -> None:
    """And who is woken so is on the queue no more."""
    hand = Hand()
    holder, killable, other = (hand.task() for _ in range(3))
    p = hand.locked(hand.page(), holder)
    assert lock_page_killable(hand.k, killable, p) == lock_page(hand.k, other, p) == WAITING
    for t in (killable, other):
        send_sigkill(hand.k, t)
    assert hand.asleep(killable, other) == [False, True]
    assert queue_of(hand, hand.of_page(p).waiters) == [other]


def test_a_killed_task_does_not_begin_to_wait_for_a_page_lock() -> None:
    hand = Hand()
    holder, killed = hand.task(), hand.task()
    p = hand.locked(hand.page(), holder)
    send_sigkill(hand.k, killed)
    assert lock_page_killable(hand.k, killed, p) == KILLED
    assert lock_page(hand.k, killed, p) == WAITING


def test_a_first_try_lets_mmap_sem_go_while_it_waits_for_the_page_lock() -> None:
    hand = Hand("linux-3.1")
    holder, t = hand.task(), hand.task()
    p = hand.locked(hand.cached(3), holder)
    f = hand.fault(t, s.P_FILE_READ, s.LOCK_PAGE, fault=n.F_ALLOW_RETRY, page=p)
    assert lock_page_or_retry(hand.k, t, f, 1) == WAITING
    assert hand.mm(t).mmap_sem.readers == 0


def test_a_second_try_waits_with_mmap_sem() -> None:
    hand = Hand("linux-3.1")
    holder, t = hand.task(), hand.task()
    p = hand.locked(hand.cached(3), holder)
    f = hand.fault(t, s.P_FILE_READ, s.LOCK_PAGE, fault=0, page=p)
    assert lock_page_or_retry(hand.k, t, f, 1) == WAITING
    assert hand.mm(t).mmap_sem.readers == 1


# --- the invalidate_lock -------------------------------------------------------------------------
def test_who_reads_waits_behind_a_truncate_that_waits_for_other_readers() -> None:
    hand = Hand("linux-6.18")
    reader, truncater, late = (hand.task() for _ in range(3))
    sem = hand.k.state.files[LIB].invalidate_lock
    frames = {t: hand.call(t, s.P_READAHEAD, s.RA_WINDOW, file=LIB, count=1) for t in (reader, late)}
    frames[truncater] = hand.call(truncater, s.P_TRUNCATE, s.TRUNCATE_SETSIZE, file=LIB)
    assert step_invalidate_lock_shared(hand.k, reader) == n.NEXT and sem.readers == 1
    assert step_invalidate_lock(hand.k, truncater) == n.SLEEP
    assert step_invalidate_lock_shared(hand.k, late) == n.SLEEP
    assert owner_of(hand.k, truncater, n.W_INVALIDATE_WRITE, LIB) == reader
    assert owner_of(hand.k, late, n.W_INVALIDATE_READ, LIB) == truncater
    assert step_invalidate_unlock_shared(hand.k, reader) == n.NEXT
    assert hand.asleep(truncater, late) == [False, True]
    assert step_invalidate_lock(hand.k, truncater) == n.NEXT and frames[truncater].held == n.H_INVALIDATE_WRITE
    assert step_invalidate_unlock(hand.k, truncater) == n.NEXT
    assert hand.asleep(late) == [False] and sem.writer == n.NONE


def test_shmem_and_a_window_of_nothing_do_without_it() -> None:
    hand = Hand("linux-6.18")
    t = hand.task()
    f = hand.call(t, s.P_READAHEAD, s.RA_WINDOW, file=LIB, count=0)
    assert step_invalidate_lock_shared(hand.k, t) == n.NEXT and f.held == 0
    f.count = 1
    hand.k.state.files[LIB].shmem = 1
    assert step_invalidate_lock_shared(hand.k, t) == n.NEXT and f.held == 0
    assert step_invalidate_lock(hand.k, t) == n.NEXT and f.held == 0
