"""When each counter moves: at the place where 3.0 counts, not when all is over."""

from __future__ import annotations

from typing import Any

import pytest

from cowpath.kernel import names as n
from cowpath.kernel import steps as s

from .small import ANON, PRIVATE, SECOND, Small, limited, of_group, sleeps, task

pytestmark = pytest.mark.usefixtures("small_is_compiled")

LONG = ("sleep", 100 * SECOND)
WRITE_ALL = ("touch", ANON, 0, 48, True)


def books(k: Any, group: int = 1) -> Any:
    return k.books.groups[group]


def waits_in(k: Any, path: int, step: int) -> bool:
    """A task is in this step of this path, and has been refused memory there (of a swap-in: one that had to read)."""
    for t in range(int(k.state.n_tasks)):
        for f in k.state.tasks[t].frames[: int(k.state.tasks[t].depth)]:
            if f.path == path and k.books.paths[path].steps[f.pc] == step and f.phase != 0:
                return path != s.P_SWAP_IN or f.fault & n.F_MAJOR != 0
    return False


def test_a_swap_in_is_a_major_fault_before_it_is_charged() -> None:
    """do_swap_page counts when it has had to read, whatever its charge waits for."""
    small = Small([task(1, WRITE_ALL, ("touch", ANON, 0, 48, False), LONG)], groups=(limited(16),) * 3)
    k = small.until(lambda k: waits_in(k, s.P_SWAP_IN, s.CHARGE))
    assert books(k).pgmajfault == small.counter(n.C_SWAP_IN, 1) == small.counter(n.C_MAJOR, 1) + 1


def test_a_file_fault_is_major_when_its_window_has_been_sent() -> None:
    """filemap_fault counts after do_sync_mmap_readahead, which charges: not while that waits."""
    groups = (limited(3, killer=False), limited(9), limited(9))
    small = Small([task(1, ("touch", PRIVATE, 20, 1, False), LONG)], groups=groups, readahead=8)
    k = small.until_ns(SECOND)
    assert waits_in(k, s.P_READAHEAD, s.CHARGE)
    assert books(k).pgmajfault == 0 and books(k).pgfault == 1


def test_a_file_fault_that_reads_one_page_is_major_before_that_is_charged() -> None:
    """Without read-ahead page_cache_read charges, after the count."""
    held = (("touch", ANON, 0, 3, True), ("mlock", ANON, 0, 3))
    groups = (limited(3, killer=False), limited(9), limited(9))
    small = Small([task(1, *held, ("touch", PRIVATE, 20, 1, False), LONG)], groups=groups, readahead=0)
    k = small.until_ns(SECOND)
    assert waits_in(k, s.P_READAHEAD, s.CHARGE) and books(k).pgmajfault == 1


def test_the_first_touch_of_shared_memory_is_minor() -> None:
    program = (("anon", ANON, 0, 8, True), ("touch", ANON, 0, 8, True), LONG)
    small = Small([task(1, *program)])
    k = small.until(lambda k: sleeps(k, 1))
    assert books(k).pgmajfault == 0 and books(k).pgfault == 8
    mine = k.books.tasks[of_group(k, 1)]
    assert (mine.majflt, mine.minflt) == (0, 8)


def test_a_task_has_had_its_fault_when_the_first_attempt_is_over() -> None:
    """do_page_fault counts before it tries again, so the retry is no fault more. The group's pgfault counts both."""
    small = Small([task(1, ("touch", PRIVATE, 20, 1, False), LONG)], disk_ns=100_000)
    asleep = lambda k: any(t.wait_kind == n.W_PAGE_LOCK for t in k.state.tasks[: int(k.state.n_tasks)])  # noqa: E731
    k = small.until(asleep)
    mine = k.books.tasks[of_group(k, 1)]
    assert (mine.majflt, mine.minflt, books(k).pgfault) == (0, 0, 1)
    k = small.until(lambda k: books(k).pgfault == 2)
    assert (mine.majflt, mine.minflt) == (1, 0)
    k = small.until(lambda k: sleeps(k, 1))
    assert (mine.majflt, mine.minflt) == (1, 0)


def test_a_fault_that_fails_is_neither_major_nor_minor() -> None:
    small = Small([task(1, ("sigbus", 1), ("touch", PRIVATE, 45, 1, False), LONG)])
    k = small.until(lambda k: sleeps(k, 1))
    mine = k.books.tasks[of_group(k, 1)]
    assert (mine.majflt, mine.minflt, books(k).pgfault) == (0, 0, 1)


def test_max_usage_sees_a_charge_that_the_parent_refuses() -> None:
    """res_counter_charge raises the child first; the parent's failcnt goes up, the child's does not."""
    groups = (limited(10, killer=False), limited(1000, parent=1), limited(9))
    small = Small([task(2, WRITE_ALL, LONG)], swap=0, groups=groups)
    k = small.until_ns(SECOND)
    assert books(k, 1).failcnt > 0 and books(k, 2).failcnt == 0
    assert books(k, 1).max_usage == 10 and books(k, 2).max_usage == 10 + 32  # with the batch that was refused


def test_pgpgin_and_pgpgout_are_charges_and_uncharges() -> None:
    program = (("touch", ANON, 0, 8, True), ("munmap", ANON, 0, 24), LONG)
    small = Small([task(1, *program)])
    k = small.until(lambda k: sleeps(k, 1))
    assert (books(k).pgpgin, books(k).pgpgout) == (8, 8)
