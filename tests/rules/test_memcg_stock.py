"""What a CPU keeps of the charges that it has made: of one group, or of several; and what drains it."""

from __future__ import annotations

from cowpath.kernel import names as n
from cowpath.kernel import objects as o
from cowpath.kernel import steps as s
from cowpath.kernel.kmem import bytes_for, charge_now, drain_obj_stock, size_of
from cowpath.kernel.memcg_stock import drain_all_stock, refill_stock, stock_of
from cowpath.kernel.res_counter import res_counter_charge

from .hand import Hand
from .later import call


def kept(kernel: str) -> tuple[Hand, list[int]]:
    """A machine whose first CPU has had something to keep for three groups, one after the other."""
    hand = Hand(kernel)
    groups = [hand.group() for _ in range(3)]
    for g in groups:
        assert res_counter_charge(hand.k, g, 10)[0] == n.NONE
        refill_stock(hand.k, 0, g, 10)
    return hand, groups


def test_until_6_16_another_groups_charge_drains_it() -> None:
    hand, groups = kept("linux-6.1")
    assert [stock_of(hand.k, 0, g) for g in groups] == [0, 0, 10] and hand.usage(*groups) == [0, 0, 10]


def test_from_then_on_seven_groups_have_their_own() -> None:
    hand, groups = kept("linux-6.18")
    assert [stock_of(hand.k, 0, g) for g in groups] == [10, 10, 10] and hand.usage(*groups) == [10, 10, 10]


def test_and_who_drains_one_of_them_drains_all() -> None:
    hand, groups = kept("linux-6.18")
    drain_all_stock(hand.k, 0, groups[1])
    assert hand.usage(*groups) == [0, 0, 0]


def test_one_groups_objects_share_what_is_left_of_a_page() -> None:
    """Another's leave that to it, on no CPU; when objects of it come again, what is more than a page goes back."""
    hand = Hand("linux-6.18")
    one, other = hand.group(), hand.group()
    size = size_of(hand.k, o.VM_AREA_STRUCT)
    charge_now(hand.k, one, size)
    assert bytes_for(hand.k, 0, one) == n.PAGE_SIZE - size
    charge_now(hand.k, other, size)
    assert bytes_for(hand.k, 0, one) == 0 and int(hand.of(one).parked) == n.PAGE_SIZE - size
    charge_now(hand.k, one, size)
    books = hand.k.books.groups[one]
    assert int(books.kmem_usage) == 1 and int(books.kmem_max_usage) == 2
    assert bytes_for(hand.k, 0, one) == n.PAGE_SIZE - 2 * size
    drain_obj_stock(hand.k, 0)
    assert bytes_for(hand.k, 0, one) == 0 and int(hand.of(one).parked) == n.PAGE_SIZE - 2 * size


def test_memory_stat_hears_of_objects_by_the_page() -> None:
    hand = Hand("linux-6.18")
    g = hand.group(limit=1000)
    t = hand.task(g)

    hand.k.books.trees[0].inode = 1  # somebody has looked it up
    call(hand, t, s.P_OPEN, file=0)
    assert int(hand.of(g).slab_bytes) == size_of(hand.k, o.FILE) and int(hand.k.books.groups[g].slab[0]) == 0
    drain_obj_stock(hand.k, int(hand.task_of(t).cpu))
    assert int(hand.k.books.groups[g].slab[0]) == size_of(hand.k, o.FILE)
