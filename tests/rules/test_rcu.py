"""Kernel memory that is freed after a grace period of RCU: it stays charged until then."""

from __future__ import annotations

import pytest

from cowpath.engine import invariants
from cowpath.kernel import names as n
from cowpath.kernel import objects as o
from cowpath.kernel.block import JIFFY_NS
from cowpath.kernel.kmem import charge_now, free_task_struct, rcu_do_batch, reparent_kmem, task_objects
from cowpath.kernel.memcontrol import memcg_kmem_charge, uncharge_table
from cowpath.kernel.page_alloc import free_page, take_page
from cowpath.kernel.page_counter import page_counter_charge
from cowpath.kernel.rcu import GRACE_JIFFIES

from .hand import Hand, loaded_design

LATER = GRACE_JIFFIES * JIFFY_NS


def at_work(kernel: str) -> tuple[Hand, int]:
    """A machine on which grace periods pass, and a group in another."""
    hand = Hand(loaded_design(kernel))
    hand.k.books.has_rcu = 1
    hand.k.books.cpu = 0
    return hand, hand.group(parent=hand.group())


def frees_a_table(hand: Hand, g: int) -> None:
    """A page table of the group's has been in use and is not needed any more."""
    k = hand.k
    p = take_page(k)
    page_counter_charge(k, g, 1)
    memcg_kmem_charge(k, p, g)
    k.state.pages[p].bits |= n.PG_TABLE
    k.state.pages[p].refs = 0
    uncharge_table(k, p)
    free_page(k, p)


def kmem(hand: Hand, g: int) -> int:
    return int(hand.k.books.groups[g].kmem_usage)


@pytest.mark.parametrize(("kernel", "until_then"), [("linux-6.12", 0), ("linux-6.18", 1), ("linux-7.2", 1)])
def test_a_page_table_stays_charged_until_a_grace_period_is_over(kernel: str, until_then: int) -> None:
    """Since 6.14; its page itself is as good as free."""
    hand, g = at_work(kernel)
    frees_a_table(hand, g)
    assert kmem(hand, g) == until_then
    assert invariants.check_pages(hand.k) == (invariants.FINE, -1)
    rcu_do_batch(hand.k, LATER - 1)
    assert kmem(hand, g) == until_then
    rcu_do_batch(hand.k, LATER)
    assert kmem(hand, g) == 0 and int(hand.k.books.n_rcu) == 0
    assert invariants.check_pages(hand.k) == (invariants.FINE, -1)


def test_what_is_freed_later_waits_longer() -> None:
    hand, g = at_work("linux-6.18")
    frees_a_table(hand, g)
    hand.k.books.now = JIFFY_NS
    frees_a_table(hand, g)
    rcu_do_batch(hand.k, LATER)
    assert kmem(hand, g) == 1 and int(hand.k.books.rcu_at) == LATER + JIFFY_NS
    rcu_do_batch(hand.k, LATER + JIFFY_NS)
    assert kmem(hand, g) == 0


def test_of_a_task_the_task_struct_waits_and_not_what_threads_share() -> None:
    """sighand_struct goes with release_task, files_struct with the task's exit."""
    hand, g = at_work("linux-6.18")
    k, t = hand.k, hand.task(g)
    files = int(k.books.objects[o.FILES_STRUCT])
    charge_now(k, g, task_objects(k) - files)
    k.state.tasks[t].kmem = 1 + g
    free_task_struct(k, t)
    left = int(k.books.objects[o.TASK_STRUCT] + k.books.objects[o.TASK_REST])
    assert int(hand.of(g).slab_bytes) == left
    rcu_do_batch(k, LATER)
    assert int(hand.of(g).slab_bytes) == 0


def test_a_group_that_is_removed_leaves_it_to_its_parent() -> None:
    hand, g = at_work("linux-6.18")
    up = int(hand.of(g).parent)
    before = kmem(hand, up)
    frees_a_table(hand, g)
    reparent_kmem(hand.k, g)
    assert int(hand.of(g).kernel_pages) == 0 and int(hand.of(up).kernel_pages) == 1
    rcu_do_batch(hand.k, LATER)
    assert int(hand.of(up).kernel_pages) == 0 and kmem(hand, up) == before


def test_a_full_queue_frees_at_once() -> None:
    hand, g = at_work("linux-6.18")
    room = len(hand.k.books.rcu)
    for i in range(room + 1):
        hand.k.books.now = i * JIFFY_NS
        frees_a_table(hand, g)
    assert kmem(hand, g) == room, "the last one did not wait"
