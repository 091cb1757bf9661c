"""Writes to a group's files, and tasks that change groups: what moves, what is reclaimed, what is refused."""

from __future__ import annotations

import errno

import pytest

from cowpath.kernel import names as n
from cowpath.kernel import steps

from .small import ANON, SECOND, Small, limited, sleeps, task

pytestmark = pytest.mark.usefixtures("small_is_compiled")

LONG = ("sleep", 100 * SECOND)
AFTER = ("sleep", SECOND)


def answers(small: Small, what: int) -> list[int]:
    """What writes to this file of a group have come to: 0 or an errno."""
    written = small.some(n.EV_GROUP)
    return [int(event["extra"]) for event in written[written["b"] == what]]


def test_force_empty_is_refused_while_there_are_tasks() -> None:
    small = Small([task(1, ("touch", ANON, 0, 20, True), LONG)], shell=(AFTER, ("empty", 1)))
    k = small.until_ns(3 * SECOND)
    assert answers(small, n.CG_FORCE_EMPTY) == [errno.EBUSY] and int(k.books.groups[1].rss) == 20


def test_force_empty_reclaims_what_it_can_and_moves_the_rest_to_the_parent() -> None:
    """Clean pages of a file go; those of shmem, where there is no swap, are charged to the parent."""
    program = (("read", 0, 0, 40, None, 0), ("write", 2, 0, 8, None, 0))
    small = Small([task(2, *program)], swap=0, shell=(AFTER, ("empty", 2), AFTER),
                  groups=(limited(500), limited(100, parent=1), limited(9)))  # fmt: skip
    k = small.until_ns(SECOND // 2)
    assert (int(k.books.groups[2].cache), int(k.books.groups[1].cache)) == (48, 0)
    small.until_ns(20 * SECOND)
    assert answers(small, n.CG_FORCE_EMPTY) == [0]
    assert (int(k.books.groups[2].cache), int(k.books.groups[1].cache)) == (0, 8)
    assert int(k.state.groups[2].res.usage) == 0 and int(k.state.groups[1].res.usage) == 8
    assert int(k.state.files[0].cached) == 0 and int(k.state.files[2].cached) == 8


def test_force_empty_leaves_what_is_in_swap() -> None:
    """Its pages' slots stay on the group's memsw (only rmdir gives them away)."""
    program = (("touch", ANON, 0, 48, True), AFTER, ("attach", 3), LONG)
    small = Small([task(1, *program)], shell=(("sleep", 2 * SECOND), ("empty", 1)),
                  groups=(limited(20), limited(9), limited(500)))  # fmt: skip
    k = small.until_ns(SECOND // 2)
    gone = int(k.books.groups[1].swap)
    small.until_ns(20 * SECOND)
    assert answers(small, n.CG_FORCE_EMPTY) == [0] and gone > 20
    assert int(k.state.groups[1].res.usage) == 0
    assert int(k.state.groups[1].memsw.usage) == int(k.books.groups[1].swap) >= gone


def test_a_limit_below_usage_reclaims() -> None:
    """But for what the writer's own CPU keeps in stock, which drain_all_stock leaves alone (3.0)."""
    small = Small([task(1, ("read", 0, 0, 40, None, 0), LONG)], shell=(AFTER, ("limit", 1, 30)),
                  groups=(limited(500), limited(9), limited(9)))  # fmt: skip
    k = small.until_ns(5 * SECOND)
    assert answers(small, n.CG_LIMIT)[-1] == 0 and int(k.state.groups[1].res.limit) == 30
    assert int(k.state.groups[1].res.usage) <= 30 and int(k.books.groups[1].cache) < 10


def test_a_limit_that_cannot_be_reached_is_busy() -> None:
    """Nothing can go: the limit stays what it was, and so does usage."""
    small = Small([task(1, ("touch", ANON, 0, 30, True), LONG)], swap=0, shell=(AFTER, ("limit", 1, 10)),
                  groups=(limited(500), limited(9), limited(9)))  # fmt: skip
    k = small.until_ns(5 * SECOND)
    assert answers(small, n.CG_LIMIT)[-1] == errno.EBUSY
    assert int(k.state.groups[1].res.limit) == 500 and int(k.books.groups[1].rss) == 30
    took = small.some(n.EV_STEP)["a"]
    assert (took == steps.DRAIN_ALL_STOCK).sum() == 5  # five fruitless rounds


def test_a_memsw_limit_below_usage_does_not_swap() -> None:
    """To swap out would not help."""
    small = Small([task(1, ("touch", ANON, 0, 30, True), LONG)],
                  shell=(AFTER, ("limit", 1, 40), ("memsw", 1, 40), ("memsw", 1, 10), ("limit", 1, 10)),
                  groups=(limited(500), limited(9), limited(9)))  # fmt: skip
    k = small.until_ns(5 * SECOND)
    assert answers(small, n.CG_MEMSW_LIMIT)[-2:] == [0, errno.EINVAL]
    assert answers(small, n.CG_LIMIT)[-1] == errno.EBUSY and small.counter(n.C_SWAP_OUT) == 0
    assert int(k.state.groups[1].memsw.limit) == int(k.state.groups[1].res.limit) == 40


def test_a_moved_task_leaves_its_pages_where_they_are() -> None:
    program = (("touch", ANON, 0, 20, True), ("sleep", 2 * SECOND), ("touch", ANON, 20, 10, True), LONG)
    small = Small([task(1, *program)], shell=(AFTER, ("classify", 2, 0)))
    k = small.until(lambda k: sleeps(k, 1))
    assert (int(k.books.groups[1].rss), int(k.books.groups[2].rss)) == (20, 0)
    small.until_ns(3 * SECOND)
    assert (int(k.books.groups[1].rss), int(k.books.groups[2].rss)) == (20, 10)
    assert (int(k.state.groups[1].tasks), int(k.state.groups[2].tasks)) == (0, 1)


def test_a_group_that_somebody_charges_is_not_removed() -> None:
    """Its last task has left; another, which brings its pages in from swap, sleeps in its OOM section."""
    reader = ("fork", (("attach", 2), ("sleep", SECOND), ("touch", ANON, 0, 48, True), LONG), False, None)
    program = (("touch", ANON, 0, 48, True), reader, AFTER, LONG)
    groups = (limited(30, memsw=18, killer=False), limited(500), limited(500))
    shell = (AFTER, AFTER, ("classify", 3, 0), AFTER, ("delete", 1))
    small = Small([task(1, *program)], groups=groups, shell=shell, cpus=2)
    k = small.until_ns(10 * SECOND)
    waiting = [task for task in k.state.tasks[: int(k.state.n_tasks)] if task.wait_kind == n.W_OOM]
    assert [int(task.wait_id) for task in waiting] == [1] and int(k.state.groups[1].tasks) == 0
    assert k.state.groups[1].alive
