"""What the case book's kernels do by policies and steps that no packaged kernel has: before a fix, and after it."""

from __future__ import annotations

from typing import Any

import pytest

from cowpath.designs import Design, from_data
from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.charge_oom import kill_in_charge
from cowpath.kernel.frames import R_HIGH, push
from cowpath.kernel.kmem_charge import step_brelse, step_getblk
from cowpath.kernel.move_charge import mem_cgroup_wait_acct_move, step_mc_begin, step_mc_end
from cowpath.kernel.shrink_folio import shrink_inactive_folio
from cowpath.kernel.tree_lock import step_evict_inode, step_tree_lock
from cowpath.kernel.writeback import write_cache_pages

from .hand import Hand
from .later import full

WRITE = [
    "i_mutex_lock", "each_page", "copy_from_user", "grab_page", "alloc_page", "charge", "add_to_page_cache", "getblk",
    "brelse", "set_page_dirty", "unlock_page", "put_page", "balance_dirty_pages", "next_page", "i_mutex_unlock",
]  # fmt: skip


def design(kernel: str, paths: dict[str, list[str]] | None = None, **policies: Any) -> Design:
    return from_data({"extends": kernel, "policies": policies, "paths": paths or {}}, "book.toml")


@pytest.mark.parametrize(
    ("getblk", "answer", "usage"),
    [("fails", n.FAIL_CHARGE, 10), ("loops", n.AGAIN, 10), ("past the limit", n.NEXT, 11)],
)
def test_a_block_that_cannot_be_charged(getblk: str, answer: int, usage: int) -> None:
    hand, g = full(design("linux-3.12", {"write": WRITE}, getblk=getblk))
    hand.k.books.reclaim_retries = 0
    t = hand.task(g)
    f = hand.call(t, s.P_WRITE, s.GETBLK)
    found = step_getblk(hand.k, t)
    while found == n.CALL or (found == n.AGAIN and f.batch):  # reclaim frees nothing; without a batch it begins anew
        f.ret = 0
        found = step_getblk(hand.k, t)
    assert (found, hand.usage(g)) == (answer, [usage])
    if answer == n.NEXT:
        assert f.held & n.H_KMEM and step_brelse(hand.k, t) == n.NEXT
        assert hand.usage(g) == [10] and not f.held & n.H_KMEM


@pytest.mark.parametrize(("wait", "sleeps"), [("fs", False), ("io", True)])
def test_reclaim_for_what_a_file_system_does_waits_for_write_back(wait: str, sleeps: bool) -> None:
    hand = Hand(design("linux-3.12", writeback_wait=wait))
    g = hand.group()
    hand.cached(3, g, bits=n.PG_UPTODATE | n.PG_WRITEBACK | n.PG_RECLAIM)
    t = hand.task(g)
    push(hand.k, t, s.P_WRITE)  # GFP_NOFS
    f = hand.call(t, s.P_RECLAIM, s.SHRINK_NODE, group=g, victim=g, lru=n.LRU_INACTIVE_FILE, todo=1)
    assert shrink_inactive_folio(hand.k, t, f) == (n.SLEEP if sleeps else n.AGAIN)


@pytest.mark.parametrize(("writepages", "sent"), [("sends", 1), ("keeps", 0)])
def test_who_writes_back_and_comes_to_a_locked_page(writepages: str, sent: int) -> None:
    hand = Hand(design("linux-3.12", writepages=writepages))
    one, two = (hand.cached(at, bits=n.PG_UPTODATE | n.PG_DIRTY) for at in (0, 1))
    hand.k.state.files[0].dirty = hand.k.state.zone.dirty = 2
    hand.locked(two, hand.task())
    t = hand.task()
    f = hand.call(t, s.P_FSYNC, s.WRITE_CACHE_PAGES, file=0, count=9, todo=20)
    assert write_cache_pages(hand.k, t, f) == n.AGAIN and hand.of_page(one).bits & n.PG_WRITEBACK
    assert write_cache_pages(hand.k, t, f) == n.SLEEP
    assert int(hand.k.state.writes_waiting) == sent


@pytest.mark.parametrize(("nofs", "path", "kills"), [("kills", s.P_WRITE, True), ("spins", s.P_WRITE, False),
                                                     ("spins", s.P_ANON, True)])  # fmt: skip
def test_whether_somebody_is_killed_for_what_a_file_system_does(nofs: str, path: int, kills: bool) -> None:
    hand, g = full(design("linux-4.19", nofs_oom=nofs), killer=True)
    victim = hand.weighs(hand.task(g), 9)
    t = hand.task(g)
    f = hand.call(t, path, s.CHARGE, group=g, batch=1)
    hand.k.state.oom_lock.owner = t
    assert kill_in_charge(hand.k, t, f) == n.AGAIN  # "success"
    assert bool(hand.task_of(victim).sigkill) is kills


@pytest.mark.parametrize(("gfp", "r_high", "waits"), [("caller's", R_HIGH, False), ("GFP_KERNEL", R_HIGH, True),
                                                      ("GFP_KERNEL", 0, False)])  # fmt: skip
def test_reclaim_that_wants_the_tree_of_the_file_system(gfp: str, r_high: int, waits: bool) -> None:
    """Whose caller has the tree's lock: what reclaims for memory.high without the caller's mask waits for itself."""
    paths = {"reclaim": ["shrink_node", "evict_inode"]}
    hand = Hand(design("linux-6.1", paths, high_gfp=gfp))
    t = hand.task(hand.group())
    push(hand.k, t, s.P_CREAT)
    assert step_tree_lock(hand.k, t) == n.NEXT
    hand.call(t, s.P_RECLAIM, s.EVICT_INODE, arg=r_high, group=1)
    assert step_evict_inode(hand.k, t) == (n.SLEEP if waits else n.NEXT)


def test_reclaim_that_may_enter_the_file_system_takes_the_tree_and_lets_it_go() -> None:
    hand = Hand(design("linux-6.1", {"reclaim": ["shrink_node", "evict_inode"]}))
    t = hand.task(hand.group())
    hand.call(t, s.P_RECLAIM, s.EVICT_INODE, group=1)
    assert step_evict_inode(hand.k, t) == n.AGAIN and int(hand.k.state.tree_lock.owner) == t
    assert step_evict_inode(hand.k, t) == n.NEXT and int(hand.k.state.tree_lock.owner) == n.FREE


def test_a_charge_waits_until_a_move_is_over() -> None:
    hand = Hand("linux-3.0")
    mover, one, two = hand.task(), hand.task(), hand.task()
    assert mem_cgroup_wait_acct_move(hand.k, one) == n.NEXT
    push(hand.k, mover, s.P_ATTACH)
    assert step_mc_begin(hand.k, mover) == n.NEXT
    assert mem_cgroup_wait_acct_move(hand.k, mover) == n.NEXT  # who moves does not wait for himself
    for t in (one, two):
        push(hand.k, t, s.P_ANON)
        assert mem_cgroup_wait_acct_move(hand.k, t) == n.SLEEP
    assert hand.asleep(one, two) == [True, True]
    assert step_mc_end(hand.k, mover) == n.NEXT
    assert hand.asleep(one, two) == [False, False]
