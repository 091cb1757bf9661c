"""The OOM reaper: a victim's private memory, without waiting for a lock; then the victim counts no longer."""

from __future__ import annotations

from typing import Any

import pytest

from cowpath.designs import from_data
from cowpath.engine import machine
from cowpath.engine.invariants import FINE, check
from cowpath.engine.invariants_pages import OK, references_add_up
from cowpath.kernel import names as n
from cowpath.kernel import oom_mm
from cowpath.kernel import steps as s
from cowpath.kernel.mmap import mm_free
from cowpath.kernel.oom_queue import DELAY_NS
from cowpath.kernel.signals import kill_one
from cowpath.kernel.step import look_ahead
from cowpath.kernel.wait import try_to_wake_up
from cowpath.session.plan import Start

from .hand import Hand
from .later import fault, mapped, play


def with_reaper(when: str = "at once", design: str = "linux-6.18", **policies: Any) -> tuple[Hand, int, int]:
    """A machine with the thread, a group, and a victim in it that has three pages."""
    hand = Hand(from_data({"extends": design, "policies": {"oom_reaper": when} | policies}, "reaper.toml"), swap=8)
    hand.k.books.lru_batch = 0  # what is in a CPU's batch stays charged when it is unmapped, from 6.14 on
    machine.boot_task(hand.built, Start(0, 0, n.NONE, n.NONE, False, n.KT_OOM_REAPER))
    reaper = int(hand.k.state.oom_reaper)
    hand.call(reaper, s.P_OOM_REAPER, s.OOM_REAPER_WAIT)
    look_ahead(hand.k, reaper)
    g = hand.group(limit=100)
    t = hand.task(g)
    mapped(hand, t)
    for vpn in (64, 65, 66):
        fault(hand, t, vpn)
    return hand, reaper, t


def kill(hand: Hand, t: int) -> None:
    oom_mm.oom_kill_process(hand.k, n.NONE, t, int(hand.task_of(t).group), 1000, 3)


def times_out(hand: Hand, t: int) -> None:
    try_to_wake_up(hand.k, t)
    play(hand, t)


def test_it_sleeps_until_there_is_a_victim_and_takes_its_private_memory() -> None:
    hand, reaper, t = with_reaper()
    g, m = int(hand.task_of(t).group), int(hand.task_of(t).mm)
    hand.maps(t, 80, hand.cached(0), prot=n.VM_WRITE | n.VM_SHARED)
    before = hand.usage(g)[0]
    assert hand.asleep(reaper) == [True]
    kill(hand, t)
    assert hand.asleep(reaper) == [False]
    play(hand, reaper)
    mm = hand.k.state.mms[m]
    assert (int(mm.anon_rss), int(mm.file_rss), int(mm.oom_skip), int(mm.reap)) == (0, 1, 1, 0)
    assert hand.usage(g)[0] == before - 3 and hand.asleep(reaper) == [True]
    assert int(hand.task_of(reaper).wait_kind) == n.W_IDLE and int(check(hand.k)[0]) == FINE


def test_then_the_next_one_may_be_chosen() -> None:
    hand, reaper, t = with_reaper()
    g = int(hand.task_of(t).group)
    other = hand.weighs(hand.task(g), 2)
    kill(hand, t)
    assert int(oom_mm.select_bad_process(hand.k, g, 1000)[0]) == oom_mm.DYING
    play(hand, reaper)
    assert int(oom_mm.select_bad_process(hand.k, g, 1000)[0]) == other


def test_from_5_18_on_it_waits_for_two_seconds_and_leaves_alone_who_has_exited() -> None:
    hand, reaper, t = with_reaper("after 2 s")
    m = int(hand.task_of(t).mm)
    kill(hand, t)
    play(hand, reaper)
    assert int(hand.task_of(reaper).wait_kind) == n.W_PAUSE and int(hand.k.books.tasks[reaper].pause) == DELAY_NS
    assert int(hand.mm(t).anon_rss) == 3
    times_out(hand, reaper)
    assert int(hand.mm(t).anon_rss) == 0 and hand.k.state.mms[m].oom_skip

    hand, reaper, t = with_reaper("after 2 s")
    second = hand.task(int(hand.task_of(t).group))
    kill(hand, t)
    play(hand, reaper)
    hand.k.books.now += DELAY_NS // 2
    kill(hand, second)
    m = int(hand.task_of(t).mm)
    hand.task_of(t).mm = n.NONE
    mm_free(hand.k, m)
    assert int(hand.k.state.oom_reaper_list) == int(hand.task_of(second).mm)
    hand.k.books.now += DELAY_NS // 2
    times_out(hand, reaper)
    assert int(hand.k.books.tasks[reaper].pause) == DELAY_NS // 2, "the other one's time is not over"
    times_out(hand, reaper)
    assert hand.mm(second).oom_skip and int(hand.k.state.oom_reaper_list) == n.NONE


def test_it_waits_for_no_lock_and_gives_up_after_ten_tries() -> None:
    hand, reaper, t = with_reaper()
    kill(hand, t)
    hand.mm(t).mmap_sem.writer = t
    play(hand, reaper)
    for _ in range(9):
        assert hand.asleep(reaper) == [True] and int(hand.k.books.tasks[reaper].pause) == 100_000_000
        assert not hand.mm(t).oom_skip
        times_out(hand, reaper)
    times_out(hand, reaper)
    assert hand.mm(t).oom_skip and int(hand.mm(t).anon_rss) == 3
    hand.mm(t).mmap_sem.writer = n.NONE


@pytest.mark.parametrize(("takes", "left"), [(True, 0), (False, 3)])
def test_what_is_mlocked_it_takes_since_5_18(takes: bool, left: int) -> None:
    hand, reaper, t = with_reaper(reap_mlocked=takes)
    v = int(hand.mm(t).vmas)
    hand.k.state.vmas[v].prot |= n.VM_LOCKED
    kill(hand, t)
    play(hand, reaper)
    assert int(hand.mm(t).anon_rss) == left and hand.mm(t).oom_skip


@pytest.mark.parametrize("write", [True, False])
def test_nothing_is_mapped_in_the_place_of_what_it_has_taken(write: bool) -> None:
    hand, reaper, t = with_reaper()
    g = int(hand.task_of(t).group)
    kill(hand, t)
    play(hand, reaper)
    fault(hand, t, 64, write=write)  # and then it dies
    assert int(hand.k.books.groups[g].counters[n.C_SIGBUS]) == 1 and int(hand.k.books.groups[g].rss) == 0
    assert int(hand.task_of(t).run_state) == n.T_FREE and int(references_add_up(hand.k)) == OK


def test_an_address_space_is_reaped_once_and_a_killed_charger_counts_as_a_victim() -> None:
    hand, reaper, t = with_reaper()
    kill_one(hand.k, t)
    oom_mm.mark_oom_victim(hand.k, t)
    oom_mm.mark_oom_victim(hand.k, t)
    assert int(hand.k.state.oom_reaper_list) == int(hand.task_of(t).mm) and int(hand.mm(t).reap_next) == n.NONE
    play(hand, reaper)
    oom_mm.mark_oom_victim(hand.k, t)
    assert int(hand.k.state.oom_reaper_list) == n.NONE


def test_a_reaper_that_sleeps_while_there_is_a_victim_is_found() -> None:
    hand, _, t = with_reaper()
    assert int(check(hand.k)[0]) == FINE
    hand.k.state.oom_reaper_list = int(hand.task_of(t).mm)
    hand.mm(t).reap = 2
    assert int(check(hand.k)[0]) != FINE


def test_where_there_is_no_such_thread_nobody_is_queued() -> None:
    hand = Hand("linux-3.1")
    t = hand.task(hand.group())
    oom_mm.mark_oom_victim(hand.k, t)
    assert int(hand.k.state.oom_reaper_list) == n.NONE and hand.task_of(t).memdie
