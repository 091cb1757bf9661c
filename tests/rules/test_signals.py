"""Signals but SIGKILL: who stops, when, and whom SIGTERM ends."""

from __future__ import annotations

from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.signals import kill_one, send_sigcont, send_sigstop, send_sigterm
from cowpath.kernel.user import user
from cowpath.kernel.wait import sleep_alone

from .hand import Hand


def stopped(hand: Hand, t: int) -> bool:
    return bool(hand.asleep(t) == [True] and hand.task_of(t).wait_kind == n.W_STOPPED)


def test_a_task_stops_in_user_mode_and_goes_on_at_sigcont() -> None:
    hand = Hand()
    t = hand.task()
    send_sigstop(hand.k, t)
    assert hand.asleep(t) == [False]
    assert user(hand.k, t) == n.SLEEP and stopped(hand, t)
    send_sigcont(hand.k, t)
    assert hand.asleep(t) == [False] and user(hand.k, t) == n.NEXT
    assert hand.task_of(t).frames[0].path == s.P_EXIT, "the first instruction of its program"


def test_who_sleeps_for_memory_is_neither_stopped_nor_woken_by_sigstop() -> None:
    hand = Hand()
    t = hand.in_oom(hand.group())
    send_sigstop(hand.k, t)
    assert hand.asleep(t) == [True] and not stopped(hand, t)


def test_sigterm_ends_a_killable_sleep() -> None:
    hand = Hand()
    t = hand.in_oom(hand.group())
    send_sigterm(hand.k, t)
    assert hand.asleep(t) == [False] and hand.task_of(t).sigkill == 1


def test_sigterm_waits_for_who_is_to_stop_first_and_it_dies_when_it_goes_on() -> None:
    hand = Hand()
    t = hand.task()
    send_sigstop(hand.k, t)
    assert user(hand.k, t) == n.SLEEP
    send_sigterm(hand.k, t)
    assert stopped(hand, t) and hand.task_of(t).sigkill == 0
    send_sigcont(hand.k, t)
    assert user(hand.k, t) == n.NEXT and hand.task_of(t).exiting == 1


def test_sigterm_of_a_thread_group_is_taken_by_a_thread_that_may() -> None:
    hand = Hand()
    one, two = hand.task(), hand.task()
    hand.task_of(two).leader = one
    send_sigstop(hand.k, one)
    assert user(hand.k, one) == n.SLEEP
    hand.task_of(two).sigstop = 0
    send_sigterm(hand.k, one)
    assert [int(hand.task_of(t).sigkill) for t in (one, two)] == [1, 1] and hand.asleep(one) == [False]


def test_sigkill_ends_a_stop() -> None:
    hand = Hand()
    t = hand.task()
    send_sigstop(hand.k, t)
    assert user(hand.k, t) == n.SLEEP
    kill_one(hand.k, t)
    assert hand.asleep(t) == [False]


def test_signals_are_for_the_living() -> None:
    hand = Hand()
    t = hand.task()
    sleep_alone(hand.k, t, n.W_TIMER, 0, 1)
    hand.task_of(t).run_state = n.T_ZOMBIE
    for send in (send_sigstop, send_sigterm):
        send(hand.k, t)
    assert hand.task_of(t).sigstop == hand.task_of(t).sigterm == hand.task_of(t).sigkill == 0
