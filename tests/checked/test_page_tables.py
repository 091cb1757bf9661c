"""Page tables that a group is charged for: when they come, when they go, and what goes back unused."""

from __future__ import annotations

from typing import Any

import pytest

from cowpath.kernel import names as n
from cowpath.kernel.memcg_stock import stock_of

from .small import PRIVATE, SECOND, Small, limited, sleeps, task
from .strategies import Action, File

pytestmark = pytest.mark.usefixtures("small_is_compiled")

DESIGNS = ("pte-alloc-under-lock", "pte-prealloc")
LONG = ("sleep", 100 * SECOND)
READ_ALL = ("touch", PRIVATE, 0, 40, False)  # 40 pages from 100 on, in the tables that begin at 96, 112 and 128
WARM = (File(40, False, True, 0), File(40, False, False, 0), File(8, True, False, 0))
GROUPS = (limited(90), limited(90), limited(90))


def small(*program: Action, design: str = "pte-prealloc", **settings: Any) -> Small:
    return Small([task(1, *program)], **({"design": design, "files": WARM, "groups": GROUPS} | settings))


def tables(k: Any, group: int = 1) -> int:
    """Page tables that the group is charged for; for a reader of warm pages these are all that it is charged for."""
    usage = int(k.state.groups[group].res.usage)
    stock = sum(int(stock_of(k, c, group)) for c in range(int(k.state.n_cpus)))
    assert int(k.books.groups[group].kmem) == usage - stock
    return usage - stock


@pytest.mark.parametrize("design", DESIGNS)
def test_a_page_table_is_charged_until_nothing_is_mapped_there(design: str) -> None:
    gone = [("munmap", PRIVATE, 0, 20), ("munmap", PRIVATE, 20, 28)]  # of the middle table, first a half, then the rest
    machine = small(READ_ALL, LONG, gone[0], LONG, gone[1], LONG, design=design)
    assert tables(machine.until(lambda k: sleeps(k, 1))) == 3
    assert tables(machine.until_ns(150 * SECOND)) == 2
    assert tables(machine.until_ns(250 * SECOND)) == 0
    assert machine.counter(n.C_ALLOCS_WASTED) == 0


def test_an_exit_gives_them_back() -> None:
    machine = small(READ_ALL)
    machine.until(lambda k: tables(k) == 3)
    assert tables(machine.finish()) == 0


def test_a_table_that_has_become_empty_stays_until_then() -> None:
    """Truncation takes the pages away; the table goes with the mapping, as free_pgtables has it."""
    machine = small(READ_ALL, ("truncate", 0, 0), LONG)
    k = machine.until(lambda k: sleeps(k, 1))
    assert tables(k) == 3 and not k.state["mms"]["file_rss"].any()
    assert tables(machine.finish()) == 0


def test_without_the_step_nobody_is_charged() -> None:
    machine = small(READ_ALL, LONG, design="linux-3.1")
    assert tables(machine.until(lambda k: sleeps(k, 1))) == 0


@pytest.mark.parametrize(("design", "wasted"), [(DESIGNS[0], 0), (DESIGNS[1], 1)])
def test_a_preallocated_table_goes_back_on_sigbus(design: str, wasted: int) -> None:
    """Page 44 of a file of 40: under the lock the fault has failed before it needs a table."""
    machine = small(("sigbus", 1), ("touch", PRIVATE, 44, 1, False), LONG, design=design)
    assert tables(machine.until(lambda k: sleeps(k, 1))) == 0
    assert machine.counter(n.C_SIGBUS) == 1
    assert machine.counter(n.C_ALLOCS_WASTED) == machine.counter(n.C_CHARGES_WASTED) == wasted


def test_of_two_threads_one_gives_its_table_back() -> None:
    """Both wait for the page to be read, and come back with a table for the same place."""
    cold = (File(40, False, False, 0), *WARM[1:])
    touch = ("touch", PRIVATE, 0, 1, False)
    machine = small(("fork", (touch, LONG), True, None), touch, LONG, files=cold, cpus=2)
    k = machine.until(lambda k: int((k.state["tasks"]["wait_kind"] == n.W_TIMER).sum()) >= 2)
    assert int(k.books.groups[1].kmem) == 1
    assert machine.counter(n.C_ALLOCS_WASTED) >= 1
    assert machine.counter(n.C_ALLOCS_WASTED) == machine.counter(n.C_CHARGES_WASTED)
    machine.finish()
    assert int(k.books.groups[1].kmem) == 0


def test_a_fault_waits_for_its_page_table_as_for_a_page() -> None:
    """A full group with its killer off: the reader sleeps in the OOM section until it is killed."""
    machine = small(
        READ_ALL, shell=(("sleep", SECOND), ("kill", 0, False)), groups=(limited(2, killer=False), *GROUPS[1:])
    )
    k = machine.until(lambda k: (k.state["tasks"]["wait_kind"] == n.W_OOM).any())
    assert int(k.books.groups[1].kmem) == 2
    assert int(machine.finish().books.groups[1].kmem) == 0
    assert machine.counter(n.C_BYPASSED) >= 1
