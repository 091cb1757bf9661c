"""A fault: retried once, on a file that shrinks, with a copy that may be stale, in a race, and from swap."""

from __future__ import annotations

from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.filemap import filemap_fault, step_find_page
from cowpath.kernel.map_page import step_map_page
from cowpath.kernel.memcg_charge import mem_cgroup_try_charge_swapin
from cowpath.kernel.memory import step_copy_page, step_handle_pte_fault
from cowpath.kernel.mmap import new_vma
from cowpath.kernel.page_lock import unlock_page
from cowpath.kernel.pgtable import lookup_pte, pte_of, set_swap_pte
from cowpath.kernel.swapfile import get_swap_page, record_swap
from cowpath.kernel.truncate import step_truncate_page, step_truncate_setsize

from .hand import Hand


def test_a_retry_is_not_allowed_twice() -> None:
    """The second try waits for the page lock with mmap_sem."""
    hand = Hand("linux-3.1")
    t = hand.task()
    f = hand.call(t, s.P_PAGE_FAULT, s.HANDLE_PTE_FAULT, mm=int(hand.task_of(t).mm), phase=1,
                  fault=n.F_ALLOW_RETRY | n.F_KILLABLE, ret=-n.RETRY)  # fmt: skip
    assert step_handle_pte_fault(hand.k, t) == n.AGAIN
    assert f.pc == 0 and f.fault == n.F_KILLABLE


def test_a_killed_task_does_not_try_again() -> None:
    hand = Hand("linux-3.1")
    t = hand.task()
    hand.task_of(t).sigkill = 1
    hand.call(t, s.P_PAGE_FAULT, s.HANDLE_PTE_FAULT, mm=int(hand.task_of(t).mm), phase=1,
              fault=n.F_ALLOW_RETRY | n.F_KILLABLE, ret=-n.RETRY)  # fmt: skip
    assert step_handle_pte_fault(hand.k, t) == n.FAIL_KILLED


def test_a_copy_of_a_page_that_is_still_being_read_is_not_up_to_date() -> None:
    hand = Hand()
    for bits in (0, n.PG_UPTODATE):
        t = hand.task()
        new = hand.page(bits=n.PG_ANON)
        page = hand.cached(3 + bits, bits=bits)
        hand.fault(t, s.P_FILE_COW, s.COPY_PAGE, page=page, newpage=new, file=0, index=3 + bits)
        step_copy_page(hand.k, t)
        assert hand.of_page(new).bits & n.PG_UPTODATE == bits


def test_a_copy_of_a_page_that_was_truncated_is_not_up_to_date() -> None:
    hand = Hand()
    t = hand.task()
    new, page = hand.page(bits=n.PG_ANON), hand.cached(3)
    hand.of_page(page).file = n.NONE
    hand.fault(t, s.P_FILE_COW, s.COPY_PAGE, page=page, newpage=new, file=0, index=3)
    step_copy_page(hand.k, t)
    assert not hand.of_page(new).bits & n.PG_UPTODATE


def test_a_copy_made_before_the_lock_is_stale_if_the_page_is_the_files_no_more() -> None:
    """The fault looks the page up again; what it has copied is not the page that it will find."""
    hand = Hand("preallocate")
    t = hand.task()
    new, page = hand.page(), hand.cached(3)
    hand.of_page(page).file, hand.of_page(page).refs = n.NONE, 2
    hand.fault(t, s.P_FILE_COW, s.LOCK_PAGE, page=page, newpage=new, held=n.H_PAGE_REF | n.H_NEW_PAGE, file=0, index=3)
    assert filemap_fault(hand.k, t) == n.AGAIN
    assert not hand.of_page(new).bits & n.PG_UPTODATE


def test_sigbus_beyond_the_files_end() -> None:
    """At the look-up, and once more under the page's lock: the file may have shrunk meanwhile."""
    hand = Hand()
    t = hand.task()
    page = hand.cached(3)
    hand.k.state.files[0].pages = 3
    f = hand.fault(t, s.P_FILE_READ, s.FIND_PAGE, file=0, index=3)
    assert step_find_page(hand.k, t) == n.FAIL_SIGBUS
    f.page, f.held = page, n.H_PAGE_REF
    assert filemap_fault(hand.k, t) == n.FAIL_SIGBUS


def test_a_page_that_could_not_be_read_is_read_once_more_and_then_sigbus() -> None:
    hand = Hand()
    t = hand.task()
    page = hand.cached(3, bits=0)
    hand.of_page(page).refs += 1
    hand.fault(t, s.P_FILE_READ, s.LOCK_PAGE, page=page, held=n.H_PAGE_REF, file=0, index=3)
    assert filemap_fault(hand.k, t) == n.AGAIN
    unlock_page(hand.k, page)  # the request is done, in vain
    assert filemap_fault(hand.k, t) == n.FAIL_SIGBUS


def test_who_loses_the_race_for_the_entry_gives_its_page_back() -> None:
    hand = Hand()
    g = hand.group()
    t = hand.task(g)
    hand.maps(t, 3, hand.page(g))
    mine = hand.page(g)
    f = hand.fault(t, s.P_ANON, s.MAP_PAGE, vpn=3, newpage=mine, held=n.H_NEW_PAGE | n.H_CHARGE)
    assert step_map_page(hand.k, t) == n.NEXT
    assert f.newpage == n.NONE and hand.usage(g) == [1]


def test_truncation_changes_the_size_first_and_unmaps_private_copies_too() -> None:
    hand = Hand()
    g = hand.group()
    owner, t = hand.task(g), hand.task()
    copy = hand.page(g)
    new_vma(hand.k, int(hand.task_of(owner).mm), 0, 9, 0, 0, n.VM_WRITE)
    from cowpath.kernel.pgtable import set_pte

    set_pte(hand.k, int(hand.task_of(owner).mm), 5, copy, n.PTE_WRITE)
    hand.call(t, s.P_TRUNCATE, s.TRUNCATE_SETSIZE, file=0, arg=4)
    step_truncate_setsize(hand.k, t)
    assert hand.k.state.files[0].pages == 4
    assert hand.usage(g) == [0]


def test_truncation_waits_for_a_pages_lock_and_for_its_write() -> None:
    hand = Hand()
    g = hand.group()
    holder, t = hand.task(), hand.task()
    page = hand.locked(hand.cached(5, g), holder)
    hand.call(t, s.P_TRUNCATE, s.TRUNCATE_PAGE, file=0, index=5, page=n.NONE)
    assert step_truncate_page(hand.k, t) == n.SLEEP
    unlock_page(hand.k, page)
    hand.of_page(page).bits |= n.PG_WRITEBACK
    assert step_truncate_page(hand.k, t) == n.SLEEP
    hand.of_page(page).bits &= ~n.PG_WRITEBACK
    assert step_truncate_page(hand.k, t) == n.NEXT
    assert hand.usage(g) == [0]


def in_swap(hand: Hand, g: int) -> int:
    """A slot for which the group is charged, as after a swap-out."""
    slot = int(get_swap_page(hand.k, 0))
    hand.k.state.swaps[slot].count = 1
    record_swap(hand.k, slot, g)
    hand.of(g).memsw.usage += 1
    return slot


def test_a_page_from_swap_is_charged_to_the_group_that_its_slot_names() -> None:
    hand = Hand(swap=16)
    owner, mine = hand.group(), hand.group()
    t = hand.task(mine)
    f = hand.fault(t, s.P_SWAP_IN, s.CHARGE, page=hand.page(), swap=in_swap(hand, owner))
    assert mem_cgroup_try_charge_swapin(hand.k, t, f) == owner
    hand.of(owner).alive = 0
    assert mem_cgroup_try_charge_swapin(hand.k, t, f) == mine, "that group is gone"


def test_a_charge_for_a_page_from_swap_that_is_charged_already_goes_back() -> None:
    """Another fault was faster to charge it: the page, and its slot, are paid for once."""
    hand = Hand(swap=16)
    g = hand.group()
    t = hand.task(g)
    m = int(hand.task_of(t).mm)
    slot = in_swap(hand, g)
    page = hand.page(g, bits=n.PG_UPTODATE | n.PG_ANON | n.PG_SWAPCACHE)
    hand.of_page(page).index, hand.of_page(page).refs = slot, 2
    hand.k.state.swaps[slot].page = page + 1
    vma = int(new_vma(hand.k, m, 3, 4, n.NONE, 0, n.VM_WRITE))
    set_swap_pte(hand.k, m, 3, slot)
    hand.of(g).res.usage += 1  # the charge of this fault
    hand.of(g).memsw.usage += 1
    held = n.H_CHARGE | n.H_PAGE_REF
    hand.fault(t, s.P_SWAP_IN, s.MAP_PAGE, vpn=3, vma=vma, page=page, swap=slot, charged_group=g, held=held)
    step_map_page(hand.k, t)
    assert hand.usage(g) == hand.memsw(g) == [1]
    assert pte_of(hand.k, lookup_pte(hand.k, m, 3)).page == page
