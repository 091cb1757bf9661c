"""A group or a machine out of memory: who may kill, who is killed, and who gets the last page."""

from __future__ import annotations

from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.memcg_files import mem_cgroup_resize_limit, write_small
from cowpath.kernel.memcg_oom import mem_cgroup_oom_lock, mem_cgroup_oom_unlock, mem_cgroup_out_of_memory
from cowpath.kernel.oom_kill import DYING, oom_badness, oom_kill_process, select_bad_process
from cowpath.kernel.page_alloc import may_take
from cowpath.kernel.res_counter import res_counter_charge

from .hand import Hand


def victim_of(hand: Hand, g: int, me: int = n.NONE, limit: int = 1000) -> int:
    return int(select_bad_process(hand.k, me, g, limit)[0])


# --- the lock ------------------------------------------------------------------------------------
def test_only_the_task_that_raises_the_counter_from_0_to_1_may_kill() -> None:
    hand = Hand("linux-3.0")
    g = hand.group()
    assert mem_cgroup_oom_lock(hand.k, g)
    assert not mem_cgroup_oom_lock(hand.k, g)
    mem_cgroup_oom_unlock(hand.k, g, True)
    assert not mem_cgroup_oom_lock(hand.k, g), "one is still inside: the counter is not back at 0"


def test_with_the_flag_the_next_may_kill_when_the_one_with_the_lock_leaves() -> None:
    hand = Hand("linux-3.1")
    g = hand.group()
    assert mem_cgroup_oom_lock(hand.k, g)
    assert not mem_cgroup_oom_lock(hand.k, g)
    mem_cgroup_oom_unlock(hand.k, g, True)
    assert mem_cgroup_oom_lock(hand.k, g)


def test_with_the_flag_who_has_not_the_lock_does_not_unlock_it() -> None:
    hand = Hand("linux-3.1")
    g = hand.group()
    assert mem_cgroup_oom_lock(hand.k, g)
    assert not mem_cgroup_oom_lock(hand.k, g)
    mem_cgroup_oom_unlock(hand.k, g, False)
    assert not mem_cgroup_oom_lock(hand.k, g)


def test_a_group_below_that_is_locked_keeps_the_one_above_from_killing() -> None:
    for design in ("linux-3.0", "linux-3.1"):
        hand = Hand(design)
        top = hand.group()
        low = hand.group(parent=top)
        assert mem_cgroup_oom_lock(hand.k, low)
        assert not mem_cgroup_oom_lock(hand.k, top)


# --- the victim ----------------------------------------------------------------------------------
def test_the_largest_task_of_the_group_is_chosen() -> None:
    hand = Hand()
    g = hand.group()
    hand.weighs(hand.task(), 900)
    small, large = hand.weighs(hand.task(g), 100), hand.weighs(hand.task(g), 200)
    assert victim_of(hand, g) == large != small


def test_root_has_30_points_less() -> None:
    hand = Hand()
    g = hand.group()
    root, user = hand.weighs(hand.task(g), 229), hand.weighs(hand.task(g), 200)
    hand.task_of(root).is_root = 1
    assert victim_of(hand, g) == user
    assert int(oom_badness(hand.k, root, g, 1000)) == 199


def test_of_two_as_bad_the_older_is_chosen() -> None:
    hand = Hand()
    g = hand.group()
    two = hand.weighs(hand.task(g), 200), hand.weighs(hand.task(g), 200)
    for older, younger in (two, two[::-1]):
        hand.task_of(older).born, hand.task_of(younger).born = 1, 2
        assert victim_of(hand, g) == older


def test_oom_score_adj_counts_and_with_minus_1000_a_task_is_never_chosen() -> None:
    hand = Hand()
    g = hand.group()
    never = hand.weighs(hand.task(g), 900)
    hand.task_of(never).oom_score_adj = -1000
    assert victim_of(hand, g) == n.NONE
    small, large = (hand.weighs(hand.task(g), pages) for pages in (100, 200))
    assert victim_of(hand, g) == large
    hand.task_of(small).oom_score_adj = 101
    assert victim_of(hand, g) == small


def test_nobody_is_killed_while_one_who_was_chosen_is_dying() -> None:
    hand = Hand()
    g = hand.group()
    hand.weighs(hand.task(g), 500)
    hand.task_of(hand.weighs(hand.task(g), 10)).memdie = 1
    assert victim_of(hand, g) == DYING


def test_nobody_is_killed_while_another_is_exiting() -> None:
    hand = Hand()
    g = hand.group()
    hand.weighs(hand.task(g), 500)
    leaving = hand.weighs(hand.task(g), 10)
    hand.task_of(leaving).exiting = 1
    assert victim_of(hand, g) == DYING
    assert victim_of(hand, g, me=leaving) == leaving


def test_a_child_with_memory_of_its_own_dies_in_its_parents_place() -> None:
    hand = Hand()
    g = hand.group()
    parent = hand.weighs(hand.task(g), 300)
    small, large = (hand.weighs(hand.task(g, parent=parent), pages) for pages in (10, 20))
    oom_kill_process(hand.k, n.NONE, parent, g, 1000, 300)
    assert [int(hand.task_of(t).sigkill) for t in (parent, small, large)] == [0, 0, 1]
    assert hand.task_of(large).memdie and hand.task_of(large).oom_victim


def test_a_thread_does_not_die_in_its_parents_place() -> None:
    hand = Hand()
    g = hand.group()
    parent = hand.weighs(hand.task(g), 300)
    thread = hand.task(g, parent=parent)
    hand.task_of(thread).mm = hand.task_of(parent).mm
    oom_kill_process(hand.k, n.NONE, parent, g, 1000, 300)
    assert hand.task_of(parent).sigkill and not hand.task_of(thread).sigkill


def test_who_is_killed_already_kills_nobody() -> None:
    hand = Hand()
    g = hand.group(limit=9)
    hand.weighs(hand.task(g), 5)
    killed = hand.task(g)
    hand.task_of(killed).sigkill = 1
    mem_cgroup_out_of_memory(hand.k, killed, g)
    assert hand.task_of(killed).memdie
    assert int(hand.built.state.tasks["sigkill"].sum()) == 1


# --- who may go on -------------------------------------------------------------------------------
def test_a_dying_task_takes_the_last_page() -> None:
    hand = Hand()
    t, dying = hand.task(), hand.task()
    hand.task_of(dying).memdie = 1
    hand.k.state.used_pages = hand.k.state.memory - 1
    hand.k.state.zone.min_pages = hand.k.state.zone.low_pages = 3
    assert not may_take(hand.k, t)
    assert may_take(hand.k, dying)


def test_a_raised_limit_wakes_who_waits_for_memory_and_a_lowered_one_does_not() -> None:
    hand = Hand()
    g = hand.group(limit=9)
    hand.of(g).oom_lock = 1
    sleeper, shell = hand.in_oom(g), hand.task()
    for limit, asleep in ((8, True), (10, False)):
        op = hand.k.books.ops[1]
        op.a, op.b, op.c = g, n.CG_LIMIT, limit
        f = hand.call(shell, s.P_CG_SET, s.RESIZE_LIMIT, arg=1)
        mem_cgroup_resize_limit(hand.k, shell, f, op)
        assert hand.asleep(sleeper) == [asleep]
        hand.task_of(shell).depth = 0


def test_the_killer_switched_on_wakes_who_waits_for_memory() -> None:
    hand = Hand()
    g = hand.group(limit=9)
    hand.of(g).oom_lock = hand.of(g).oom_kill_disable = 1
    sleeper = hand.in_oom(g)
    write_small(hand.k, g, n.CG_OOM_CONTROL, 1)
    assert hand.asleep(sleeper) == [True]
    write_small(hand.k, g, n.CG_OOM_CONTROL, 0)
    assert hand.asleep(sleeper) == [False]


def resized(hand: Hand, g: int, which: int, limit: int) -> tuple[int, int]:
    """Reclaim passes without fruit, and the writer's status in the end."""
    shell = hand.task()
    op = hand.k.books.ops[1]
    op.a, op.b, op.c = g, which, limit
    f = hand.call(shell, s.P_CG_SET, s.RESIZE_LIMIT, arg=1)
    passes = 0
    while mem_cgroup_resize_limit(hand.k, shell, f, op) == n.CALL:
        passes += 1
    return passes, int(hand.task_of(shell).status)


def test_a_limit_below_the_usage_is_busy_after_five_fruitless_rounds() -> None:
    hand = Hand()
    g = hand.group(limit=9)
    res_counter_charge(hand.k, g, 9)
    assert resized(hand, g, n.CG_LIMIT, 4) == (5, 16)
    assert int(hand.of(g).res.limit) == 9


def test_the_limit_of_memory_may_not_be_above_that_of_memory_and_swap() -> None:
    hand = Hand()
    g = hand.group(limit=5, memsw=9)
    assert resized(hand, g, n.CG_LIMIT, 10) == (0, 22)
    assert resized(hand, g, n.CG_MEMSW_LIMIT, 4) == (0, 22)
