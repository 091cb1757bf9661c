"""Who waits for another task of its command: until that has come so far, or is no more."""

from __future__ import annotations

import pytest

from cowpath.engine.invariants_pages import OK
from cowpath.engine.invariants_queues import no_wakeup_is_lost
from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.completion import begin_family, complete, complete_all, wait_for_completion
from cowpath.kernel.exit import step_exit_notify
from cowpath.kernel.signals import send_sigkill
from cowpath.kernel.system_call import system_call

from .hand import Hand

CODE = 1  # the instruction at which the awaited task began
AT = 2  # where OP_AWAIT stands


def two(count: int = 2) -> tuple[Hand, int, int]:
    """A reader that is at an OP_AWAIT, and the writer that it is for: a family."""
    hand = Hand()
    reader, writer = hand.task(), hand.task()
    hand.task_of(reader).pc = hand.task_of(writer).pc = CODE
    begin_family(hand.k, writer)
    begin_family(hand.k, reader)
    hand.k.books.tasks[reader].family = hand.k.books.tasks[writer].family
    op = hand.k.books.ops[AT]
    op.code, op.a, op.b = n.OP_AWAIT, CODE, count
    hand.task_of(reader).pc = AT
    return hand, reader, writer


def awaits(hand: Hand, t: int) -> bool:
    """It comes to the instruction, and sleeps there."""
    system_call(hand.k, t, hand.k.books.ops[AT])
    if int(hand.task_of(t).depth) == 0:
        assert int(hand.task_of(t).pc) == AT + 1
        return False
    return bool(wait_for_completion(hand.k, t) == n.SLEEP)


def test_until_the_other_has_come_so_far() -> None:
    hand, reader, writer = two()
    hand.task_of(reader).status = 7
    assert awaits(hand, reader) and int(hand.task_of(reader).wait_id) == writer
    complete(hand.k, writer)
    assert hand.asleep(reader) == [True] and no_wakeup_is_lost(hand.k) == OK, "one of two"
    hand.k.books.tasks[writer].completed = 2
    assert no_wakeup_is_lost(hand.k) == reader
    hand.k.books.tasks[writer].completed = 1
    complete(hand.k, writer)
    assert hand.asleep(reader) == [False] and wait_for_completion(hand.k, reader) == n.NEXT
    assert int(hand.task_of(reader).status) == 7


def test_who_comes_later_does_not_wait() -> None:
    hand, reader, writer = two()
    complete(hand.k, writer)
    complete(hand.k, writer)
    assert not awaits(hand, reader)


@pytest.mark.parametrize("killed", [False, True], ids=["exits", "is killed"])
def test_the_other_ends(killed: bool) -> None:
    hand, reader, writer = two()
    assert awaits(hand, reader)
    if killed:
        send_sigkill(hand.k, writer)
    hand.call(writer, s.P_EXIT, s.EXIT_NOTIFY)
    assert step_exit_notify(hand.k, writer) == n.EXITED
    assert hand.asleep(reader) == [False] and wait_for_completion(hand.k, reader) == n.NEXT


def test_nobody_else_is_waited_for_or_woken() -> None:
    """Not one of another family, nor one that has no family, nor by who sleeps for something else."""
    hand, reader, writer = two()
    hand.k.books.tasks[writer].family += 1
    assert not awaits(hand, reader)
    hand, reader, writer = two()
    hand.k.books.tasks[reader].family = hand.k.books.tasks[writer].family = 0
    assert not awaits(hand, reader)
    hand, reader, writer = two()
    sleeper = hand.in_oom(hand.group())
    hand.task_of(sleeper).wait_id = writer
    complete_all(hand.k, writer)
    assert hand.asleep(sleeper) == [True]


def test_a_fatal_signal_ends_the_wait() -> None:
    hand, reader, _ = two()
    assert awaits(hand, reader)
    send_sigkill(hand.k, reader)
    assert hand.asleep(reader) == [False] and wait_for_completion(hand.k, reader) == n.FAIL_KILLED
