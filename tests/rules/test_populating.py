"""fork where page tables are charged, and MADV_POPULATE: what is held, what is left when there is no memory."""

from __future__ import annotations

import errno

from cowpath.engine import invariants
from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.memcg_stock import stock_of
from cowpath.kernel.mmap import new_vma

from .hand import TINY, Hand, loaded_design
from .later import call, full, mapped

ENTRIES = TINY.entries


def is_in_order(hand: Hand) -> bool:
    """Pages, counters, locks and address spaces add up."""
    for check in (invariants.check_pages, invariants.check_swap_and_disk):
        assert check(hand.k) == (invariants.FINE, -1), invariants.in_words(*map(int, check(hand.k)))
    return bool(
        invariants.tasks.mms_have_users(hand.k) == invariants.OK == invariants.locks.rwsems_add_up(hand.k)
    )  # fmt: skip


def parent_in(room: int, tables: int = 2) -> tuple[Hand, int, int]:
    """A task with pages in so many page tables, whose group has room for so many more pages."""
    hand, g = full(loaded_design("linux-6.18"))
    hand.k.books.charges_kmem = 0  # test_kernel_memory.py
    hand.of(g).res.limit = 10 + tables + room
    t = hand.task(g)
    for table in range(tables):
        hand.maps(t, table * ENTRIES, hand.page(g), prot=n.VM_WRITE | n.VM_ANON_VMA)
    hand.of(g).res.limit = int(hand.of(g).res.usage) + room
    return hand, g, t


# --- fork ----------------------------------------------------------------------------------------
def test_fork_charges_each_page_table_of_the_child() -> None:
    hand, g, t = parent_in(room=2)
    mms = int(hand.k.state.n_mms)
    call(hand, t, s.P_FORK, mm=hand.task_of(t).mm)
    assert int(hand.task_of(t).status) == 0 and int(hand.k.state.mms[mms].tables) == 2
    assert int(hand.k.books.groups[g].kmem) == 2
    assert invariants.check_pages(hand.k) == (invariants.FINE, -1)
    assert int(hand.mm(t).mmap_sem.writer) == n.NONE


def test_fork_without_memory_gives_all_back_that_it_had() -> None:
    for room in (0, 1):
        hand, g, t = parent_in(room)
        usage, tasks = int(hand.of(g).res.usage), int(hand.k.state.n_tasks)
        call(hand, t, s.P_FORK, mm=hand.task_of(t).mm)
        assert int(hand.task_of(t).status) == errno.ENOMEM, room
        kept = sum(stock_of(hand.k, c, g) for c in range(2))  # a page table that is freed goes to the stock
        assert int(hand.k.state.n_tasks) == tasks and int(hand.of(g).res.usage) - kept == usage
        assert int(hand.k.books.groups[g].kmem) == 0 and is_in_order(hand)


def test_a_mapping_of_a_file_without_own_pages_needs_no_page_table() -> None:
    hand, g, t = parent_in(room=0, tables=0)
    hand.maps(t, 0, hand.cached(0))
    call(hand, t, s.P_FORK, mm=hand.task_of(t).mm)
    assert int(hand.task_of(t).status) == 0 and int(hand.k.books.groups[g].kmem) == 0


# --- MADV_POPULATE -------------------------------------------------------------------------------
def populate(room: int, prot: int = n.VM_WRITE, bits: int = n.F_WRITE) -> tuple[int, int, Hand]:
    """The error of the call and the pages that are there after it, of 8."""
    hand, g = full(loaded_design("linux-6.18"))
    t = hand.task(g)
    hand.of(g).res.limit += room
    start = 4 * ENTRIES
    hand.maps(t, start + ENTRIES - 1, hand.page())  # there is a page table already
    new_vma(hand.k, int(hand.task_of(t).mm), start, start + 8, n.NONE, 0, prot)
    call(hand, t, s.P_MADVISE_POPULATE, mm=hand.task_of(t).mm, vpn=start, count=8, todo=bits)
    assert is_in_order(hand) and int(hand.mm(t).mmap_sem.readers) == 0
    return int(hand.task_of(t).status), int(hand.mm(t).anon_rss) - 1, hand


def test_populate_write_keeps_what_it_has_done_when_there_is_no_more() -> None:
    """One page is for the mapping's anon_vma."""
    assert [populate(room)[:2] for room in (0, 6, 9)] == [(errno.ENOMEM, 0), (errno.ENOMEM, 5), (0, 8)]


def test_populate_write_is_refused_where_nothing_may_be_written() -> None:
    assert populate(8, prot=0)[:2] == (errno.EINVAL, 0)


def test_populate_read_maps_the_zero_page_and_charges_nothing() -> None:
    status, pages, hand = populate(0, bits=0)
    assert (status, pages) == (0, 0) and hand.usage(1) == [10]


def test_the_mmap_sem_is_held_from_its_beginning_to_its_end() -> None:
    hand, g = full(loaded_design("linux-6.18"))
    t = hand.task(g)
    hand.of(g).res.limit += 8
    m = int(hand.task_of(t).mm)
    call(hand, t, s.P_MADVISE_POPULATE, moves=25, mm=m, vpn=mapped(hand, t), count=8, todo=n.F_WRITE)
    task = hand.task_of(t)
    frames = task.frames[0], task.frames[1]
    assert [int(f.path) for f in frames] == [s.P_MADVISE_POPULATE, s.P_HANDLE_MM_FAULT]
    assert [int(f.held) for f in frames] == [n.H_MMAP_READ, 0] and int(hand.mm(t).mmap_sem.readers) == 1
