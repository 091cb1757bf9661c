"""Fault-around: which pages of a file a read maps besides its own, and that it never waits."""

from __future__ import annotations

import pytest

from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.fault_around import step_fault_around
from cowpath.kernel.mmap import new_vma
from cowpath.kernel.pgtable import lookup_pte, pte_of

from .hand import FILE_PAGES, Hand


def around(hand: Hand, vpn: int, start: int = 0, pages: int = FILE_PAGES) -> tuple[int, object]:
    """A read of a mapping of the file, whose step is made."""
    t = hand.task()
    v = int(new_vma(hand.k, int(hand.task_of(t).mm), start, start + pages, 0, 0, 0))
    f = hand.fault(t, s.P_FILE_READ, s.FAULT_AROUND, vpn=vpn, vma=v, file=0, index=vpn - start)
    assert step_fault_around(hand.k, t) == n.NEXT
    return t, f


def mapped(hand: Hand, t: int, pages: int = 64) -> list[int]:
    """The addresses that are mapped."""
    found = []
    for vpn in range(pages):
        number = int(lookup_pte(hand.k, int(hand.task_of(t).mm), vpn))
        if number != n.NONE and pte_of(hand.k, number).bits & n.PTE_PRESENT:
            found.append(vpn)
    return found


def is_done(hand: Hand, f: object) -> bool:
    return bool(f.pc == hand.k.books.paths[s.P_FILE_READ].length - 1)  # type: ignore[attr-defined]


def test_it_maps_what_is_there_and_the_fault_is_done() -> None:
    hand = Hand("linux-5.15")
    pages = {i: hand.cached(i) for i in (0, 2, 3, 15, 16)}
    t, f = around(hand, 2)
    assert mapped(hand, t) == [0, 2, 3, 15] and is_done(hand, f)
    assert [int(hand.of_page(p).mapcount) for p in pages.values()] == [1, 1, 1, 1, 0]
    assert [int(hand.of_page(p).refs) for p in pages.values()] == [2, 2, 2, 2, 1]
    assert int(hand.mm(t).file_rss) == 4


@pytest.mark.parametrize("why", ["locked", "not up to date", "marker"])
def test_a_page_that_cannot_be_had_at_once_is_left_out(why: str) -> None:
    """If it is the one that is wanted, the fault goes on; nobody waits here."""
    hand = Hand("linux-5.15")
    holder = hand.task()
    page = hand.cached(2, bits={"not up to date": 0, "marker": n.PG_UPTODATE | n.PG_READAHEAD}.get(why, n.PG_UPTODATE))
    if why == "locked":
        hand.locked(page, holder)
    hand.cached(3)
    t, f = around(hand, 2)
    assert mapped(hand, t) == [3] and not is_done(hand, f) and hand.asleep(t) == [False]


def test_the_page_table_in_hand_goes_back_where_another_thread_has_mapped_the_page() -> None:
    """do_fault frees vmf->prealloc_pte that nobody has used. The page is still locked: nothing is mapped around it."""
    hand = Hand("linux-6.12")
    t, other = hand.task(), hand.task()
    v = int(new_vma(hand.k, int(hand.task_of(t).mm), 0, FILE_PAGES, 0, 0, 0))
    page, table = hand.cached(2), hand.page(bits=n.PG_TABLE)
    hand.locked(page, other)
    f = hand.fault(
        t, s.P_FILE_READ, s.FAULT_AROUND, vpn=2, vma=v, file=0, index=2, prealloc_pte=table, held=n.H_PAGE_TABLE
    )
    hand.maps(t, 2, page)
    assert step_fault_around(hand.k, t) == n.NEXT and is_done(hand, f)
    assert f.prealloc_pte == n.NONE and not f.held & n.H_PAGE_TABLE and hand.of_page(table).refs == 0


def test_it_stays_within_the_mapping_the_page_table_and_the_file() -> None:
    hand = Hand("linux-5.15")
    for i in range(FILE_PAGES):
        hand.cached(i)
    t, _ = around(hand, 7, start=5, pages=4)
    assert mapped(hand, t) == [5, 6, 7, 8]
    t, _ = around(hand, 14, start=12)
    assert mapped(hand, t) == [12, 13, 14, 15], "a page table has 16 entries here"
    hand.k.state.files[0].pages = 3
    t, _ = around(hand, 1)
    assert mapped(hand, t) == [0, 1, 2]
