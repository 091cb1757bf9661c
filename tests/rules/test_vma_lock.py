"""The lock of one mapping (6.4 on): which faults have it, when they fall back to mmap_sem, and who waits for whom."""

from __future__ import annotations

import pytest

from cowpath.engine.invariants_locks import vma_locks_add_up
from cowpath.engine.invariants_pages import OK
from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.frames import do_page_fault
from cowpath.kernel.memory import step_handle_pte_fault
from cowpath.kernel.mmap import new_vma
from cowpath.kernel.mmap_lock import vma_end_read, vma_end_write_all
from cowpath.kernel.rwsem import down_write
from cowpath.kernel.vma_lock import step_lock_vma, step_vma_start_write, step_vmf_anon_prepare

from .hand import Hand
from .later import fault, mapped

USER = n.F_WRITE | n.F_ALLOW_RETRY | n.F_KILLABLE | n.F_USER


def faulting(hand: Hand, vpn: int = 64, bits: int = USER) -> tuple[int, int]:
    """A task that faults on a mapping and has taken the first step; the mapping."""
    t = hand.task()
    mapped(hand, t, vpn)
    do_page_fault(hand.k, t, int(hand.task_of(t).mm), vpn, bits)
    assert step_lock_vma(hand.k, t) == n.NEXT
    return t, int(hand.mm(t).vmas)


def frame(hand: Hand, t: int, at: int = 0) -> object:
    return hand.task_of(t).frames[at]


@pytest.mark.parametrize(("bits", "locked"), [(USER, True), (USER & ~n.F_USER, False)])
def test_faults_from_user_mode_have_it_and_others_mmap_sem(bits: int, locked: bool) -> None:
    hand = Hand("linux-6.12")
    t, v = faulting(hand, bits=bits)
    assert bool(hand.k.state.vmas[v].readers) == locked and int(hand.mm(t).mmap_sem.readers) == 0
    assert bool(frame(hand, t).held & n.H_VMA_READ) == locked  # type: ignore[attr-defined]
    assert vma_locks_add_up(hand.k) == OK


def test_a_fault_gets_through_with_nothing_left_over_though_a_writer_waits_for_mmap_sem() -> None:
    hand = Hand("linux-6.12")
    t, reader, writer = hand.task(), hand.task(), hand.task()
    vpn = mapped(hand, t)
    hand.k.state.vmas[int(hand.mm(t).vmas)].prot |= n.VM_ANON_VMA
    hand.mm(t).mmap_sem.readers = 1  # somebody reads it, for long
    assert not down_write(hand.k, writer, hand.mm(t).mmap_sem, n.W_MMAP_WRITE, int(hand.task_of(t).mm))
    fault(hand, t, vpn)
    assert hand.asleep(t, reader, writer) == [False, False, True]
    assert int(hand.mm(t).anon_rss) == 1 and int(hand.k.state.vmas[int(hand.mm(t).vmas)].readers) == 0


def test_a_mapping_that_is_being_changed_is_left_to_mmap_sem() -> None:
    hand = Hand("linux-6.12")
    t = hand.task()
    vpn = mapped(hand, t)
    hand.k.state.vmas[int(hand.mm(t).vmas)].marked = 1
    do_page_fault(hand.k, t, int(hand.task_of(t).mm), vpn, USER)
    step_lock_vma(hand.k, t)
    assert not frame(hand, t).held and frame(hand, t).vma == n.NONE  # type: ignore[attr-defined]


def test_who_writes_waits_for_the_faults_on_what_he_changes_and_no_others() -> None:
    hand = Hand("linux-6.12")
    t, v = faulting(hand)
    m = int(hand.task_of(t).mm)
    far = int(new_vma(hand.k, m, 200, 204, 0, 0, 0))
    hand.k.state.vmas[far].readers = 1  # a fault elsewhere
    writer = hand.task()
    assert down_write(hand.k, writer, hand.mm(t).mmap_sem, n.W_MMAP_WRITE, m)
    f = hand.call(writer, s.P_MUNMAP, s.VMA_START_WRITE, mm=m, vpn=64, count=8)
    f.held = n.H_MMAP_WRITE
    assert step_vma_start_write(hand.k, writer) == n.SLEEP
    assert int(hand.k.state.vmas[v].marked) == 1 and int(hand.k.state.vmas[far].marked) == 0
    vma_end_read(hand.k, frame(hand, t))
    assert hand.asleep(writer) == [False] and step_vma_start_write(hand.k, writer) == n.NEXT
    vma_end_write_all(hand.k, m)
    assert int(hand.k.state.vmas[v].marked) == 0


def test_fork_changes_the_mapping_that_it_copies_and_a_longer_one_is_changed_by_mmap() -> None:
    from cowpath.kernel.vma_lock import is_changed

    hand = Hand("linux-6.12")
    t = hand.task()
    mapped(hand, t, 64, pages=8)
    v = int(hand.mm(t).vmas)
    for path, vpn, at_hand, changed in (
        (s.P_FORK, 0, v, True),
        (s.P_FORK, 0, n.NONE, False),
        (s.P_MUNMAP, 72, n.NONE, False),
        (s.P_MUNMAP, 71, n.NONE, True),
        (s.P_MLOCK, 60, n.NONE, False),
    ):
        f = hand.call(t, path, s.VMA_START_WRITE, mm=int(hand.task_of(t).mm), vpn=vpn, count=4, vma=at_hand)
        assert bool(is_changed(hand.k, f, v)) == changed, (s.PATH_NAMES[path], vpn)


def test_a_mappings_first_anonymous_page_needs_mmap_sem_too() -> None:
    hand = Hand("linux-6.12")
    t, v = faulting(hand)
    f = hand.call(t, s.P_ANON, s.VMF_ANON_PREPARE, mm=int(hand.task_of(t).mm), vma=v, fault=USER | n.F_VMA_LOCK)
    writer = hand.task()
    hand.mm(t).mmap_sem.writer = writer
    assert step_vmf_anon_prepare(hand.k, t) == n.RETRY
    hand.mm(t).mmap_sem.writer = n.NONE
    assert step_vmf_anon_prepare(hand.k, t) == n.NEXT and hand.k.state.vmas[v].prot & n.VM_ANON_VMA
    hand.mm(t).mmap_sem.writer = writer
    assert step_vmf_anon_prepare(hand.k, t) == n.NEXT, "it has been done before"
    assert f.path == s.P_ANON


@pytest.mark.parametrize(("major", "may_retry"), [(0, True), (n.F_MAJOR, False)])
def test_the_next_try_is_with_mmap_sem_and_may_be_the_last(major: int, may_retry: bool) -> None:
    """It goes to mmap_sem, not to the mapping's lock again; who has been to the disk keeps mmap_sem then."""
    hand = Hand("linux-6.12")
    t, v = faulting(hand)
    f = hand.task_of(t).frames[0]
    f.pc = list(hand.k.books.paths[s.P_PAGE_FAULT].steps).index(s.HANDLE_PTE_FAULT)
    f.phase, f.ret, f.fault = 1, -n.RETRY, int(f.fault) | major
    assert step_handle_pte_fault(hand.k, t) == n.AGAIN
    assert int(hand.k.state.vmas[v].readers) == 0 and not f.held
    assert int(hand.k.books.paths[s.P_PAGE_FAULT].steps[int(f.pc)]) == s.MMAP_READ_LOCK
    assert bool(f.fault & n.F_ALLOW_RETRY) == may_retry and not f.fault & n.F_VMA_LOCK
    counted = int(hand.k.books.tasks[t].majflt) + int(hand.k.books.tasks[t].minflt)
    assert counted == (1 if major else 0), "it is counted once, with the try that may be the last"
