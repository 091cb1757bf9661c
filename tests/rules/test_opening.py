"""open(2) where an open file is charged: what is left of that, and what a group without memory says."""

from __future__ import annotations

import errno

from cowpath.engine import invariants
from cowpath.kernel import names as n
from cowpath.kernel import objects as o
from cowpath.kernel import steps as s
from cowpath.kernel.kmem import size_of
from cowpath.kernel.memcg_stock import stock_of
from cowpath.kernel.readahead import forget_opened, open_file

from .hand import Hand, loaded_design
from .later import call, full


def test_a_struct_file_fills_the_stock_and_no_more() -> None:
    """A batch is charged; what the first file leaves of its page is there for the next one."""
    hand = Hand("linux-6.18")
    g = hand.group(limit=200)
    t = hand.task(g)
    call(hand, t, s.P_OPEN, file=0)
    c = int(hand.task_of(t).cpu)
    assert (int(hand.of(g).res.usage), int(stock_of(hand.k, c, g)), int(hand.task_of(t).status)) == (64, 63, 0)
    call(hand, t, s.P_OPEN, file=0)
    assert (int(hand.of(g).res.usage), int(stock_of(hand.k, c, g))) == (64, 63)
    assert invariants.check_pages(hand.k) == (invariants.FINE, -1)


def test_who_is_over_the_mark_sleeps_at_the_end_of_the_open() -> None:
    hand, g = full(loaded_design("linux-6.18"), killer=True)
    hand.of(g).res.limit = 200
    hand.of(g).high, hand.k.books.has_high = 5, 1
    t = hand.task(g)
    entered = call(hand, t, s.P_OPEN, file=0)
    task = hand.task_of(t)
    assert entered["exit_to_user"] == 1 and int(task.wait_kind) == n.W_THROTTLE
    assert int(task.depth) == 1 and int(task.frames[0].held) == 0


def test_without_memory_it_fails() -> None:
    hand, g = full(loaded_design("linux-6.18"))
    t = hand.task(g)
    usage = hand.usage(g)
    call(hand, t, s.P_OPEN, file=0)
    assert int(hand.task_of(t).status) == errno.ENOMEM and hand.usage(g) == usage


def test_who_opens_a_file_first_that_is_not_in_memory_pays_for_its_inode_and_dentry() -> None:
    hand = Hand("linux-6.18")
    g = hand.group(limit=200)
    t, outside = hand.task(g), hand.task()
    one = size_of(hand.k, o.FILE)
    looked_up = size_of(hand.k, o.INODE) + size_of(hand.k, o.DENTRY)
    for file in range(3):
        hand.k.books.trees[file].inode = 0  # nobody has looked it up
    hand.k.state.files[1].cached = 1  # so its inode is in memory
    call(hand, outside, s.P_OPEN, file=2)
    paid = []
    for file in range(3):
        before = int(hand.of(g).slab_bytes)
        call(hand, t, s.P_OPEN, file=file)
        paid.append(int(hand.of(g).slab_bytes) - before)
    assert paid == [one + looked_up, one, one]


def test_outside_every_group_nobody_is_charged() -> None:
    hand = Hand("linux-6.18")
    t = hand.task()
    call(hand, t, s.P_OPEN, file=0)
    assert int(hand.k.state.groups[0].res.usage) == 0 and int(hand.task_of(t).status) == 0


def test_nothing_is_known_of_a_file_that_is_opened_anew() -> None:
    hand = Hand()
    t = hand.task()
    known = open_file(hand.k, t, 1)
    known.prev, known.ra.pages = 7, 4
    forget_opened(hand.k, t, 1)
    again = open_file(hand.k, t, 1)
    assert (int(again.prev), int(again.ra.pages), int(again.ra.async_pages)) == (0, 0, 0)
