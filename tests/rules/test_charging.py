"""A charge: the stock, the batch, the limits of all ancestors, five rounds of reclaim, and who gets past a limit."""

from __future__ import annotations

from typing import Any

from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.frames import R_NOSWAP
from cowpath.kernel.memcg_charge import step_charge
from cowpath.kernel.memcg_stock import consume_stock, drain_all_stock_async, drain_stock, refill_stock, stock_of
from cowpath.kernel.memcontrol import mem_cgroup_uncharge_end as uncharge_end
from cowpath.kernel.memcontrol import mem_cgroup_uncharge_page
from cowpath.kernel.res_counter import res_counter_charge
from cowpath.kernel.signals import send_sigkill

from .hand import Hand


def charging(hand: Hand, t: int, **fields: Any) -> Any:
    """The task has made a page in a fault, and comes to ``charge``."""
    p = hand.page()
    return hand.fault(t, s.P_ANON, s.CHARGE, newpage=p, held=n.H_NEW_PAGE, **fields)


def until_reclaim(hand: Hand, t: int) -> None:
    while (answer := step_charge(hand.k, t)) == n.AGAIN:
        pass
    assert answer == n.CALL


def test_a_charge_is_on_the_account_of_all_ancestors_or_of_nobody() -> None:
    hand = Hand()
    top = hand.group(limit=3)
    low = hand.group(parent=top)
    assert res_counter_charge(hand.k, low, 3)[0] == n.NONE
    assert hand.usage(top, low) == hand.memsw(top, low) == [3, 3]
    assert res_counter_charge(hand.k, low, 1) == (top, 0)
    assert hand.usage(top, low) == hand.memsw(top, low) == [3, 3]
    assert hand.k.books.groups[top].failcnt == 1 and hand.k.books.groups[low].failcnt == 0


def test_memory_and_swap_has_a_limit_of_its_own() -> None:
    hand = Hand()
    g = hand.group(limit=3, memsw=3)
    hand.of(g).memsw.usage = 3  # all of it in swap
    assert res_counter_charge(hand.k, g, 1) == (g, 1)
    assert hand.usage(g) == [0]


def test_a_group_is_not_charged_for_children_without_use_hierarchy() -> None:
    hand = Hand()
    top = hand.group(limit=3, hierarchy=False)
    low = hand.group(parent=top)
    assert res_counter_charge(hand.k, low, 9)[0] == n.NONE
    assert hand.usage(top, low) == [0, 9]


def test_a_charge_takes_a_batch_and_keeps_the_rest_in_stock() -> None:
    hand = Hand()
    g = hand.group(limit=100)
    charging(hand, t := hand.task(g))
    while step_charge(hand.k, t) != n.NEXT:
        pass
    assert hand.usage(g) == [32] and stock_of(hand.k, 0, g) == 31


def test_a_batch_that_meets_the_limit_falls_back_to_one_page_without_reclaim() -> None:
    hand = Hand()
    g = hand.group(limit=10)
    charging(hand, t := hand.task(g))
    answers = []
    while not answers or answers[-1] == n.AGAIN:
        answers.append(step_charge(hand.k, t))
    assert answers == [n.AGAIN, n.NEXT]
    assert hand.usage(g) == [1]


def test_the_stock_of_one_group_is_not_for_another() -> None:
    hand = Hand()
    mine, other = hand.group(), hand.group()
    refill_stock(hand.k, 0, mine, 5)
    assert not consume_stock(hand.k, 0, other, 1)
    assert consume_stock(hand.k, 0, mine, 1)


def test_draining_a_stock_gives_it_back_and_wakes_nobody() -> None:
    hand = Hand()
    g = hand.group(limit=10)
    res_counter_charge(hand.k, g, 10)
    refill_stock(hand.k, 0, g, 4)
    sleeper = hand.in_oom(g)
    hand.of(g).oom_lock = 1
    drain_stock(hand.k, 0)
    assert hand.usage(g) == [6]
    assert hand.asleep(sleeper) == [True]


def test_who_reclaims_asks_the_other_cpus_to_drain_and_keeps_its_own_stock() -> None:
    hand = Hand()
    g = hand.group()
    for c in (0, 1):
        refill_stock(hand.k, c, g, 5)
    drain_all_stock_async(hand.k, 0, g)
    assert [int(hand.k.state.cpus[c].drain) for c in (0, 1)] == [0, 1]


def test_five_fruitless_rounds_of_reclaim_and_the_sixth_goes_oom() -> None:
    hand = Hand()
    g = hand.group(limit=1)
    res_counter_charge(hand.k, g, 1)
    f = charging(hand, t := hand.task(g))
    rounds = 0
    while not f.oomed:
        until_reclaim(hand, t)
        rounds += 1
        f.ret = 0
        step_charge(hand.k, t)
    assert rounds == 6


def test_reclaim_that_freed_pages_is_a_reason_to_try_again_though_others_have_taken_them() -> None:
    hand = Hand()
    g = hand.group(limit=1)
    res_counter_charge(hand.k, g, 1)
    f = charging(hand, t := hand.task(g))
    for _ in range(20):
        until_reclaim(hand, t)
        f.ret = 1
        assert step_charge(hand.k, t) == n.AGAIN
        assert not f.oomed


def test_room_is_a_reason_to_try_again_though_reclaim_freed_nothing() -> None:
    hand = Hand()
    g = hand.group(limit=1)
    res_counter_charge(hand.k, g, 1)
    f = charging(hand, t := hand.task(g))
    for _ in range(5):
        until_reclaim(hand, t)
        f.ret = 0
        step_charge(hand.k, t)
    until_reclaim(hand, t)
    hand.of(g).res.limit = 2
    assert step_charge(hand.k, t) == n.AGAIN and not f.oomed


def test_a_killed_task_gets_past_a_limit_that_it_has_met() -> None:
    """It must die to free memory: its charge is on nobody's account."""
    hand = Hand()
    g = hand.group(limit=1)
    res_counter_charge(hand.k, g, 1)
    f = charging(hand, t := hand.task(g))
    until_reclaim(hand, t)
    send_sigkill(hand.k, t)
    f.ret = 0
    assert step_charge(hand.k, t) == n.AGAIN
    assert step_charge(hand.k, t) == n.NEXT
    assert f.held & n.H_CHARGE and hand.usage(g) == [1]
    assert hand.of_page(int(f.newpage)).group == n.NONE


def test_nothing_is_swapped_out_for_the_sake_of_a_limit_on_memory_and_swap() -> None:
    """Nor where both limits are the same."""
    for limit, memsw, nothing in ((1, 5, 0), (1, 1, R_NOSWAP), (5, 1, R_NOSWAP)):
        hand = Hand(swap=16)
        g = hand.group(limit=limit, memsw=memsw)
        hand.of(g).res.usage = hand.of(g).memsw.usage = 1
        f = charging(hand, t := hand.task(g))
        until_reclaim(hand, t)
        assert f.todo == nothing


def test_an_uncharge_that_ends_a_series_wakes_the_groups_ancestors_too() -> None:
    hand = Hand()
    top = hand.group(limit=9)
    low = hand.group(parent=top)
    hand.of(top).oom_lock = 1  # the group below has come since
    sleeper = hand.in_oom(top)
    uncharge_end(hand.k, low)
    assert hand.asleep(sleeper) == [False]


def test_a_lone_uncharge_wakes_nobody() -> None:
    hand = Hand()
    g = hand.group(limit=9)
    p = hand.page(g)
    hand.of(g).oom_lock = 1
    sleeper = hand.in_oom(g)
    mem_cgroup_uncharge_page(hand.k, p)
    assert hand.usage(g) == hand.memsw(g) == [0]
    assert hand.asleep(sleeper) == [True]


def test_nobody_is_woken_for_a_group_that_is_not_out_of_memory() -> None:
    """3.0 looks at oom_lock before it wakes."""
    hand = Hand()
    g = hand.group(limit=9)
    sleeper = hand.in_oom(g)
    uncharge_end(hand.k, g)
    assert hand.asleep(sleeper) == [True]
    hand.of(g).oom_lock = 1
    uncharge_end(hand.k, g)
    assert hand.asleep(sleeper) == [False]
