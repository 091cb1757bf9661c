"""memory.high: who owes, what is reclaimed for it, how long the sleep is, and where it is slept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cowpath.engine.standstill import may_act, survey
from cowpath.engine.waitfor import find_stalled
from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.block import JIFFY_NS
from cowpath.kernel.memcg_charge import step_charge
from cowpath.kernel.memcg_high import (
    calculate_high_delay,
    calculate_overage,
    mem_find_max_overage,
    memory_high_write,
    note_over_high,
    step_high_delay,
    step_reclaim_high,
)
from cowpath.kernel.memcg_stock import refill_stock
from cowpath.kernel.signals import send_sigkill
from cowpath.kernel.user import after_kernel
from cowpath.kernel.wait import sleep_on

from .hand import Hand

DESIGN = str(Path(__file__).parents[1] / "data" / "designs" / "high-in-charge.toml")
BATCH = 64


@pytest.fixture
def hand() -> Hand:
    hand = Hand(DESIGN)
    hand.k.books.charge_batch, hand.k.books.reclaim_retries, hand.k.books.has_high = BATCH, 16, 1
    return hand


def over(hand: Hand, high: int, usage: int, parent: int = 0) -> int:
    """A group with this mark, over which it is by pages that nothing can reclaim."""
    g = hand.group(parent=parent)
    hand.of(g).high, hand.of(g).res.usage, hand.of(g).memsw.usage = high, usage, usage
    return g


def leaving(hand: Hand, t: int, owed: int) -> Any:
    """The task owes so many pages and is on its way to user mode."""
    hand.task_of(t).over_high = owed
    return hand.call(t, s.P_EXIT_TO_USER, s.RECLAIM_HIGH)


def pays(hand: Hand, t: int) -> int:
    """The task settles: nothing can be reclaimed. How many passes of reclaim there were."""
    f = hand.task_of(t).frames[hand.task_of(t).depth - 1]
    passes = 0
    while True:
        reclaims = hand.k.books.paths[f.path].steps[f.pc] == s.RECLAIM_HIGH
        answer = (step_reclaim_high if reclaims else step_high_delay)(hand.k, t)
        if answer == n.CALL:
            passes, f.ret = passes + 1, 0
        elif answer == n.NEXT and reclaims:
            f.pc += 1
        elif answer != n.AGAIN:
            return passes


def slept_ns(hand: Hand, t: int) -> int:
    """How long the sleep is that the task has begun; 0: it has begun none."""
    return int(hand.k.books.tasks[t].pause) if hand.task_of(t).wait_kind == n.W_THROTTLE else 0


def test_only_a_charge_by_the_counters_is_owed_and_all_of_it(hand: Hand) -> None:
    g = over(hand, high=10, usage=0)
    t = hand.task(g)
    for _ in range(BATCH + 1):  # one batch by the counters; then its stock, which is used up; then one more batch
        p = hand.page()
        hand.task_of(t).depth = 0
        hand.fault(t, s.P_ANON, s.CHARGE, newpage=p, held=n.H_NEW_PAGE)
        assert step_charge(hand.k, t) == n.NEXT
        hand.mm(t).mmap_sem.readers = 0
    assert hand.task_of(t).over_high == 2 * BATCH


def test_the_first_group_upwards_that_is_over_its_mark_makes_the_debt(hand: Hand) -> None:
    top = over(hand, high=10, usage=11)
    low = over(hand, high=20, usage=11, parent=top)
    t = hand.task(low)
    note_over_high(hand.k, t, low, BATCH)
    assert hand.task_of(t).over_high == BATCH
    hand.of(low).high = 5
    note_over_high(hand.k, t, low, BATCH)
    assert hand.task_of(t).over_high == 2 * BATCH, "once for both"
    hand.of(low).high, hand.of(top).high = 11, 11
    note_over_high(hand.k, t, low, BATCH)
    assert hand.task_of(t).over_high == 2 * BATCH, "at its mark it is not over it"


@pytest.mark.parametrize(
    ("high", "usage", "pages", "seconds"),
    [
        (1000, 1100, 64, 0.64), (1000, 1100, 128, 1.28), (1000, 1100, 256, 2.0), (1000, 1100, 32, 0.32),
        (1000, 1177, 64, 2.0), (8000, 8400, 64, 0.16), (1, 1 << 20, 64, 2.0), (0, 1 << 20, 1, 2.0),
        (1000, 1000, 64, 0.0), (1000, 900, 64, 0.0),
    ],
)  # fmt: skip
def test_the_penalty_is_64_seconds_times_the_square_of_the_excess(
    hand: Hand, high: int, usage: int, pages: int, seconds: float
) -> None:
    g = over(hand, high, usage)
    group = hand.k.state.groups[g]
    jiffies = calculate_high_delay(hand.k, pages, calculate_overage(group.res.usage, group.high))
    assert jiffies * JIFFY_NS == pytest.approx(seconds * 1e9, abs=JIFFY_NS * max(1, pages / BATCH))  # cut twice


def test_the_group_that_is_furthest_over_decides(hand: Hand) -> None:
    top = over(hand, high=100, usage=150)
    low = over(hand, high=100, usage=120, parent=top)
    assert mem_find_max_overage(hand.k, low) == (top, (1 << 20) // 2)
    hand.of(low).high = 40
    assert mem_find_max_overage(hand.k, low) == (low, 2 << 20)


def test_seventeen_rounds_of_reclaim_come_before_a_sleep(hand: Hand) -> None:
    g = over(hand, high=1000, usage=1100)
    t = hand.task(g)
    f = leaving(hand, t, BATCH)
    assert pays(hand, t) == 17 == hand.k.books.groups[g].events_local[n.ME_HIGH]
    assert slept_ns(hand, t) == pytest.approx(640_000_000, abs=JIFFY_NS)
    assert hand.task_of(t).wait_id == g and hand.task_of(t).killable and hand.task_of(t).over_high == 0
    hand.task_of(t).wait_kind, hand.task_of(t).run_state = n.W_NONE, n.T_RUNNABLE
    assert step_high_delay(hand.k, t) == n.NEXT and f.phase == 0


def test_as_long_as_reclaim_frees_something_there_is_another_round(hand: Hand) -> None:
    g = over(hand, high=1000, usage=1100)
    t = hand.task(g)
    f = leaving(hand, t, BATCH)
    for _ in range(40):
        assert step_reclaim_high(hand.k, t) == n.CALL
        f.ret = 1
        assert step_reclaim_high(hand.k, t) == n.NEXT
        f.pc += 1
        assert step_high_delay(hand.k, t) == n.AGAIN
    assert step_reclaim_high(hand.k, t) == n.CALL
    hand.of(g).res.usage, f.ret = 1000, 1
    assert step_reclaim_high(hand.k, t) == n.NEXT
    f.pc += 1
    assert step_high_delay(hand.k, t) == n.NEXT and not hand.asleep(t)[0] and hand.task_of(t).over_high == 0


def test_every_group_over_its_mark_is_reclaimed_from(hand: Hand) -> None:
    top = over(hand, high=100, usage=101)
    mid = over(hand, high=1000, usage=101, parent=top)
    low = over(hand, high=100, usage=101, parent=mid)
    t = hand.task(low)
    leaving(hand, t, BATCH)
    asked = []
    f = hand.task_of(t).frames[0]
    while step_reclaim_high(hand.k, t) == n.CALL:
        asked.append(int(f.group))
        f.ret = 0
    assert asked == [low, top]


def test_ten_milliseconds_are_no_penalty(hand: Hand) -> None:
    g = over(hand, high=10000, usage=10110)
    t = hand.task(g)
    leaving(hand, t, BATCH)
    assert pays(hand, t) == 1 and slept_ns(hand, t) == 0 and hand.task_of(t).over_high == 0


@pytest.mark.parametrize(("owed", "pages"), [(BATCH, 0), (BATCH + 1, 1)])
def test_in_the_kernel_only_more_than_a_batch_is_paid_for(hand: Hand, owed: int, pages: int) -> None:
    hand.k.books.reclaim_retries = 0
    g = over(hand, high=100, usage=200)
    t = hand.task(g)
    hand.fault(t, s.P_ANON, s.RECLAIM_HIGH)
    hand.task_of(t).over_high = owed
    assert pays(hand, t) == pages and (slept_ns(hand, t) > 0) == (pages > 0)
    assert hand.task_of(t).over_high == (0 if pages else owed)


def test_apart_from_reclaim_the_sleep_comes_at_once(hand: Hand) -> None:
    """A design may part the two: then there is nothing to go back to."""
    g = over(hand, high=100, usage=200)
    t = hand.task(g)
    f = hand.fault(t, s.P_ANON, s.HIGH_DELAY)
    hand.k.books.paths[s.P_ANON].steps[f.pc - 1] = s.CHARGE
    hand.task_of(t).over_high = 2 * BATCH
    assert step_high_delay(hand.k, t) == n.SLEEP


def test_a_dying_task_is_let_off_or_not(hand: Hand) -> None:
    g = over(hand, high=100, usage=200)
    for dying, passes in (("exempt", 0), ("pays", 17)):
        hand.k.state.high_dying = ("exempt", "pays").index(dying)
        t = hand.task(g)
        leaving(hand, t, BATCH)
        hand.task_of(t).sigkill = 1
        assert pays(hand, t) == passes and slept_ns(hand, t) == 0 and hand.task_of(t).over_high == 0


def test_a_fatal_signal_ends_the_sleep(hand: Hand) -> None:
    hand.k.books.reclaim_retries = 0
    t = hand.task(over(hand, high=100, usage=200))
    leaving(hand, t, BATCH)
    pays(hand, t)
    assert hand.asleep(t) == [True]
    send_sigkill(hand.k, t)
    assert hand.asleep(t) == [False]


def test_the_debt_is_settled_on_the_way_to_user_mode(hand: Hand) -> None:
    t = hand.task(over(hand, high=100, usage=200))
    hand.task_of(t).over_high = 1
    after_kernel(hand.k, t, s.P_PAGE_FAULT, n.NEXT)
    assert hand.task_of(t).depth == 1 and hand.task_of(t).frames[0].path == s.P_EXIT_TO_USER
    hand.task_of(t).depth = 0
    after_kernel(hand.k, t, s.P_EXIT_TO_USER, n.NEXT)
    assert hand.task_of(t).depth == 0 == hand.task_of(t).over_high and hand.task_of(t).pc == 0


def test_who_is_killed_dies_and_does_not_settle_first(hand: Hand) -> None:
    t = hand.task(over(hand, high=100, usage=200))
    hand.task_of(t).over_high = hand.task_of(t).sigkill = 1
    after_kernel(hand.k, t, s.P_PAGE_FAULT, n.FAIL_KILLED)
    assert hand.task_of(t).depth == 0


def test_who_waits_behind_a_throttled_task_is_stalled_and_not_stuck(hand: Hand) -> None:
    hand.k.books.reclaim_retries = 0
    g = over(hand, high=100, usage=200)
    t, other = hand.task(g), hand.task()
    p = hand.locked(hand.cached(0), t)
    leaving(hand, t, BATCH)
    pays(hand, t)
    sleep_on(hand.k, other, hand.of_page(p).waiters, n.W_PAGE_LOCK, p, 0, 1)
    hand.k.books.tasks[t].stalled = n.NONE
    hand.k.books.now = 200_000_000
    hand.k.books.stall_ns, hand.k.books.bound_ns = 100_000_000, 1
    assert find_stalled(hand.k) and hand.k.books.tasks[other].stalled == g and hand.k.books.tasks[t].stalled == n.NONE
    survey(hand.k)
    assert hand.k.books.tasks[other].stuck_on == n.NONE and hand.k.books.groups[g].blocked == 0
    assert may_act(hand.k, t) and may_act(hand.k, other)


def test_the_writer_of_the_mark_reclaims_down_to_it_and_never_fails(hand: Hand) -> None:
    g = over(hand, high=n.UNLIMITED, usage=200)
    t = hand.task()
    f = hand.call(t, s.P_CG_SET, s.RESIZE_LIMIT)
    for _ in range(17):
        assert memory_high_write(hand.k, t, f, g, 100) == n.CALL
        assert hand.of(g).high == 100 and f.count == 100
        f.ret = 0
    assert memory_high_write(hand.k, t, f, g, 100) == n.NEXT


@pytest.mark.parametrize(
    ("policy", "meanwhile", "passes"),
    [("once", 100, 1), ("watches", 150, 1), ("watches", 100, 17), ("goes on", 150, 17)],
)
def test_other_kernels_give_up_sooner(hand: Hand, policy: str, meanwhile: int, passes: int) -> None:
    g = over(hand, high=n.UNLIMITED, usage=200)
    hand.k.state.high_write = ("goes on", "watches", "once").index(policy)
    t = hand.task()
    f = hand.call(t, s.P_CG_SET, s.RESIZE_LIMIT)
    done = 0
    while memory_high_write(hand.k, t, f, g, 100) == n.CALL:
        hand.of(g).high, f.ret, done = meanwhile, 0, done + 1
    assert done == passes


def test_the_writer_of_the_mark_stops_when_there_is_room(hand: Hand) -> None:
    g = over(hand, high=n.UNLIMITED, usage=200)
    refill_stock(hand.k, 0, g, 50)
    t = hand.task()
    f = hand.call(t, s.P_CG_SET, s.RESIZE_LIMIT)
    assert memory_high_write(hand.k, t, f, g, 150) == n.NEXT, "its CPU's stock was all there was to give back"
