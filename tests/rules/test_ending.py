"""A task ends, and a group does."""

from __future__ import annotations

from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.cgroup import cgroup_rmdir
from cowpath.kernel.exit import step_do_wait, step_exit_mm, step_exit_notify
from cowpath.kernel.oom_kill import oom_badness

from .hand import Hand


def test_the_last_user_of_an_address_space_takes_it_down_and_no_other() -> None:
    """Its pages are uncharged once."""
    hand = Hand()
    g = hand.group()
    one, two = hand.task(g), hand.task(g)
    hand.maps(one, 3, hand.page(g))
    hand.task_of(two).mm = hand.task_of(one).mm
    hand.mm(one).users = 2
    for t, usage in ((one, 1), (two, 0)):
        hand.call(t, s.P_EXIT, s.EXIT_MM)
        assert step_exit_mm(hand.k, t) == n.NEXT
        assert hand.usage(g) == [usage]


def test_a_task_whose_memory_is_being_taken_down_has_none_that_the_oom_killer_sees() -> None:
    hand = Hand()
    g = hand.group()
    t = hand.task(g)
    for vpn in (3, 6):
        hand.maps(t, vpn, hand.page(g))
    hand.call(t, s.P_EXIT, s.EXIT_MM)
    assert step_exit_mm(hand.k, t) == n.AGAIN and hand.usage(g) == [1]
    assert oom_badness(hand.k, t, g, 100) == 0


def test_a_dead_child_wakes_its_parent_that_waits_and_is_reaped_once() -> None:
    hand = Hand()
    parent = hand.task()
    child = hand.task(parent=parent)
    hand.call(parent, s.P_WAIT, s.DO_WAIT, arg=n.ANY_CHILD)
    assert step_do_wait(hand.k, parent) == n.SLEEP
    hand.call(child, s.P_EXIT, s.EXIT_NOTIFY, arg=3)
    assert step_exit_notify(hand.k, child) == n.EXITED
    assert hand.asleep(parent) == [False] and hand.task_of(child).run_state == n.T_ZOMBIE
    assert step_do_wait(hand.k, parent) == n.NEXT
    assert hand.task_of(parent).status == 3
    assert hand.task_of(child).run_state == n.T_FREE and hand.task_of(parent).first_child == n.NONE


def test_a_group_with_tasks_or_children_is_busy() -> None:
    hand = Hand()
    top = hand.group()
    low = hand.group(parent=top)
    assert cgroup_rmdir(hand.k, top) == n.FAIL_BUSY
    hand.task(low)
    assert cgroup_rmdir(hand.k, low) == n.FAIL_BUSY
    hand.of(low).tasks = 0
    assert cgroup_rmdir(hand.k, low) == cgroup_rmdir(hand.k, top) == n.NEXT


def test_what_a_removed_group_leaves_is_its_parents() -> None:
    """On the books of one that counts both, nothing changes; without use_hierarchy the parent is charged anew."""
    for hierarchy, before in ((True, 1), (False, 0)):
        hand = Hand()
        top = hand.group(hierarchy=hierarchy)
        low = hand.group(parent=top)
        p = hand.page(low)
        assert hand.usage(top) == [before]
        assert cgroup_rmdir(hand.k, low) == n.NEXT
        assert hand.of_page(p).group == top and hand.usage(top, low) == [1, 0]
