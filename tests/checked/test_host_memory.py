"""The whole machine short of memory: kswapd, reclaim by who allocates, the host's OOM killer."""

from __future__ import annotations

from typing import Any

import pytest

from cowpath.kernel import names as n
from cowpath.kernel import steps as s

from .small import ANON, PRIVATE, SECOND, SHARED, Small, limited, of_group, sleeps, task, tasks_of

pytestmark = pytest.mark.usefixtures("small_is_compiled")

LONG = ("sleep", 100 * SECOND)


def free(k: Any) -> int:
    return int(k.state.memory) - int(k.state.used_pages)


def touch_all(write: bool) -> tuple[tuple[Any, ...], ...]:
    return tuple(("touch", region, 0, 48 if region == ANON else 40, write) for region in (ANON, PRIVATE, SHARED))


def test_kswapd_goes_to_sleep_above_the_high_watermark() -> None:
    """It is woken at the low one; each time it goes back to sleep more than the high one is free."""
    files = (("read", 0, 0, 40, None, 0), ("read", 1, 0, 40, None, 0))
    eater = task(0, *touch_all(True), LONG)
    small = Small([task(0, *files * 3, *touch_all(False), LONG), eater, eater], memory=190, reserve=20)
    idle, scans = True, 0
    for _ in range(40_000):
        small.run(1)
        was, idle = idle, small.k.state.tasks[int(small.k.state.kswapd)].wait_kind == n.W_IDLE
        if was and not idle:
            assert free(small.k) <= 21  # the page that woke it may be back already
        if idle and not was:
            assert free(small.k) > 40
            scans += 1
        if idle and [small.k.state.tasks[t].wait_kind for t in tasks_of(small.k, 0)] == [n.W_TIMER] * 3:
            break
    assert scans >= 2 and free(small.k) > 20  # asleep: what was taken since has not brought it down to the low one
    took = small.some(n.EV_STEP)
    assert (took[took["a"] == s.SHRINK_ZONE]["task"] == small.k.state.kswapd).sum() > 20


def test_below_the_minimum_who_allocates_reclaims_himself() -> None:
    """Without kswapd there is nobody else; files' clean pages go first when nothing can be swapped out."""
    reader = task(0, ("read", 0, 0, 40, None, 0), ("read", 1, 0, 40, None, 0), LONG)
    everywhere = (("anon", PRIVATE, 0, 48, False), ("anon", SHARED, 0, 48, False))
    eater = task(0, *everywhere, *(("touch", region, 0, 45, True) for region in (ANON, PRIVATE, SHARED)), LONG,
                 after_ns=SECOND)  # fmt: skip
    small = Small([reader, eater], memory=190, reserve=20, swap=0, threads=False)
    k = small.until_ns(3 * SECOND)
    taken = small.some(n.EV_EVICT)
    assert len(taken) > 10 and small.counter(n.C_OOM_KILLS) == 0 and free(k) >= 10
    assert small.counter(n.C_SWAP_OUT) == 0


def test_the_hosts_killer_takes_the_largest() -> None:
    """No swap, no files to drop: more anonymous memory than there is. It does not matter who is in which group."""
    everywhere = (("anon", PRIVATE, 0, 48, False), ("anon", SHARED, 0, 48, False))
    large = task(1, *everywhere, *(("touch", region, 0, 40, True) for region in (ANON, PRIVATE, SHARED)), LONG)
    small_one = task(2, ("anon", PRIVATE, 0, 48, False), ("touch", ANON, 0, 48, True), ("sleep", SECOND),
                     ("touch", PRIVATE, 0, 48, True), LONG)  # fmt: skip
    small = Small([large, small_one], memory=190, swap=0)
    k = small.until(lambda k: sleeps(k, 1) and sleeps(k, 2))
    victim = of_group(k, 1)
    small.until_ns(3 * SECOND)
    kills = small.some(n.EV_OOM_KILL)
    assert [(int(kill["a"]), int(kill["b"])) for kill in kills] == [(0, victim)]
    assert kills[0]["task"] == of_group(k, 2)  # who could not get a page
    assert small.counter(n.C_OOM_KILLS, 0) == 1 and int(k.books.groups[2].rss) == 96
    waits = small.some(n.EV_WAIT)
    assert (waits["a"] == n.W_PAUSE).sum() >= 1


def test_host_wide_reclaim_takes_a_groups_pages_too() -> None:
    """A group within its limit pays for others' hunger: it has no guarantee (3.0)."""
    small = Small([task(1, ("touch", ANON, 0, 48, True), LONG),
                   task(0, *touch_all(True), ("anon", SHARED, 0, 48, False), ("touch", SHARED, 0, 48, True), LONG,
                        after_ns=SECOND)],
                  memory=190, reserve=20, groups=(limited(100), limited(9), limited(9)))  # fmt: skip
    small.until_ns(5 * SECOND)
    k = small.k
    assert int(k.books.groups[1].swap) > 0 and int(k.books.groups[1].failcnt) == 0
    assert int(k.state.groups[1].memsw.usage) == int(k.state.groups[1].res.usage) + int(k.books.groups[1].swap)
