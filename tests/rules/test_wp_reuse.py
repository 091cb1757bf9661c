"""do_wp_page: a write-protected page is written to, or copied: by its lock, by its references, or known as ours."""

from __future__ import annotations

import pytest

from cowpath.designs import from_data
from cowpath.engine.invariants import FINE, check
from cowpath.kernel import names as n
from cowpath.kernel.mmap import copy_page_range, new_vma
from cowpath.kernel.pgtable import clear_swap_pte, lookup_pte, pte_of
from cowpath.kernel.rmap import try_to_unmap
from cowpath.kernel.swap_state import add_to_swap, free_swap_and_cache

from .hand import Hand
from .later import fault, mapped

VALUES = ("locked", "references", "exclusive")


def machine(value: str) -> Hand:
    return Hand(from_data({"extends": "linux-3.0", "policies": {"wp_reuse": value}}, "reuse.toml"), swap=8)


def entry(hand: Hand, t: int, vpn: int = 64):  # type: ignore[no-untyped-def]
    return pte_of(hand.k, lookup_pte(hand.k, int(hand.task_of(t).mm), vpn))


def written(hand: Hand, t: int) -> int:
    """A page that the task has made; the entry may no longer be written to."""
    fault(hand, t, mapped(hand, t))
    entry(hand, t).bits &= ~n.PTE_WRITE
    return int(entry(hand, t).page)


@pytest.mark.parametrize(("value", "waits"), [("locked", True), ("references", False), ("exclusive", False)])
def test_only_until_5_8_a_fault_waits_for_the_lock_of_its_page(value: str, waits: bool) -> None:
    hand = machine(value)
    t, holder = hand.task(), hand.task()
    page = hand.locked(written(hand, t), holder)
    fault(hand, t, 64)
    assert hand.asleep(t) == [waits]
    if not waits:  # whose page is known to be its own writes to it all the same; else it is copied
        assert (int(entry(hand, t).page) == page) == (value == "exclusive")
        assert entry(hand, t).bits & n.PTE_WRITE


@pytest.mark.parametrize("value", VALUES)
def test_a_page_that_nobody_else_has_is_not_copied(value: str) -> None:
    hand = machine(value)
    t = hand.task()
    page = written(hand, t)
    fault(hand, t, 64)
    assert int(entry(hand, t).page) == page and entry(hand, t).bits & n.PTE_WRITE
    assert int(check(hand.k)[0]) == FINE


@pytest.mark.parametrize(("value", "copies"), [("locked", False), ("references", True), ("exclusive", False)])
def test_a_page_in_the_swap_cache(value: str, copies: bool) -> None:
    """Its mappings say that it is ours; its references do not; and the cache lets it go (folio_free_swap)."""
    hand = machine(value)
    t = hand.task()
    page = written(hand, t)
    entry(hand, t).bits &= ~n.PTE_EXCLUSIVE
    assert add_to_swap(hand.k, page)
    fault(hand, t, 64)
    assert (int(entry(hand, t).page) != page) == copies
    if value == "exclusive":
        assert entry(hand, t).bits & n.PTE_EXCLUSIVE and int(hand.k.state.used_swaps) == 0


@pytest.mark.parametrize("value", VALUES)
def test_after_fork_the_page_is_nobodys_own_and_in_the_end_the_last_ones(value: str) -> None:
    hand = machine(value)
    t, child = hand.task(), hand.task()
    page = written(hand, t)
    new_vma(hand.k, int(hand.task_of(child).mm), 64, 72, n.NONE, 0, n.VM_WRITE)
    copy_page_range(hand.k, int(hand.task_of(t).mm), int(hand.task_of(child).mm), int(hand.mm(t).vmas), 64, 72)
    assert not (entry(hand, t).bits | entry(hand, child).bits) & (n.PTE_EXCLUSIVE | n.PTE_WRITE)
    fault(hand, child, 64)
    assert int(entry(hand, child).page) != page == int(entry(hand, t).page)
    fault(hand, t, 64)
    assert int(entry(hand, t).page) == page and int(check(hand.k)[0]) == FINE


@pytest.mark.parametrize("value", VALUES)
def test_what_is_an_entrys_own_is_that_in_swap_too(value: str) -> None:
    hand = machine(value)
    t = hand.task()
    page = written(hand, t)
    assert add_to_swap(hand.k, page)
    try_to_unmap(hand.k, page)
    own = value == "exclusive"
    assert bool(entry(hand, t).bits & n.PTE_EXCLUSIVE) == own and entry(hand, t).bits & n.PTE_SWAP
    fault(hand, t, 64, write=False)
    assert bool(entry(hand, t).bits & n.PTE_EXCLUSIVE) == own and not entry(hand, t).bits & n.PTE_WRITE
    hand.of_page(page).refs += 1  # somebody has it in hand
    fault(hand, t, 64)
    assert (int(entry(hand, t).page) == page) == own
    hand.of_page(page).refs -= 1


def test_an_entry_that_calls_its_own_what_another_has_is_found() -> None:
    hand = machine("exclusive")
    t, child = hand.task(), hand.task()
    page = written(hand, t)
    hand.maps(child, 64, page)
    assert int(check(hand.k)[0]) != FINE
    hand = machine("exclusive")
    t, child = hand.task(), hand.task()
    page = written(hand, t)
    new_vma(hand.k, int(hand.task_of(child).mm), 64, 72, n.NONE, 0, n.VM_WRITE)
    copy_page_range(hand.k, int(hand.task_of(t).mm), int(hand.task_of(child).mm), int(hand.mm(t).vmas), 64, 72)
    assert add_to_swap(hand.k, page)
    try_to_unmap(hand.k, page)
    assert int(check(hand.k)[0]) == FINE
    entry(hand, t).bits |= n.PTE_EXCLUSIVE
    assert int(check(hand.k)[0]) != FINE
    free_swap_and_cache(hand.k, int(clear_swap_pte(hand.k, lookup_pte(hand.k, int(hand.task_of(child).mm), 64))))
    assert int(check(hand.k)[0]) == FINE
