"""Read-ahead on demand, as 3.0's: random reads, streams, and faults."""

from __future__ import annotations

from typing import Any

import pytest

from cowpath.kernel import names as n

from .small import PRIVATE, SECOND, Small, limited, of_group, task
from .strategies import Action, File

pytestmark = pytest.mark.usefixtures("small_is_compiled")

LONG = ("sleep", 100 * SECOND)
NAP = ("sleep", SECOND)


def read(index: int, count: int = 1) -> Action:
    return ("read", 0, index, count, None, 0)


def cached(k: Any) -> list[int]:
    """The pages of file 0 that are in the page cache."""
    first, pages = int(k.state.files[0].first), int(k.state.files[0].pages)
    return [index for index in range(pages) if k.state.slots[first + index] > 0]


def after_each(small: Small, count: int) -> list[list[int]]:
    """What is cached in the middle of each second."""
    found = []
    for second in range(count):
        small.until_ns(second * SECOND + SECOND // 2)
        found.append(cached(small.k))
    return found


def test_a_random_read_reads_what_is_asked_for() -> None:
    small = Small([task(1, read(20), NAP, read(30, 3), NAP, read(10), LONG)], readahead=32)
    assert after_each(small, 3) == [[20], [20, 30, 31, 32], [10, 20, 30, 31, 32]]


def test_a_sequential_readers_window_grows_ahead_of_it() -> None:
    """4 pages, then from each marker on the next window, twice as large, before the reader is through with the last."""
    small = Small([task(1, read(0), NAP, read(1), NAP, read(2, 2), NAP, read(4), LONG)], readahead=32)
    assert [max(pages) for pages in after_each(small, 4)] == [3, 11, 11, 27]


def test_a_window_is_never_larger_than_the_files_readahead() -> None:
    """But for the first, which is read together with the one behind its marker."""
    small = Small([task(1, read(0, 2), NAP, read(2), NAP, read(4, 4), NAP, read(8), LONG)], readahead=4)
    assert [max(pages) for pages in after_each(small, 4)] == [3, 7, 11, 15]


@pytest.mark.parametrize("readahead", [0, 1])
def test_without_readahead_each_page_is_read_alone(readahead: int) -> None:
    small = Small([task(1, read(0), NAP, ("touch", PRIVATE, 5, 1, False), LONG)], readahead=readahead)
    assert after_each(small, 2) == [[0], [0, 5]]


def test_a_read_behind_a_cached_page_is_taken_for_a_streams() -> None:
    """Context read-ahead: any page before it in the cache counts, whoever has read that (until 2cad40180197, 3.12)."""
    small = Small([task(1, read(20), LONG), task(2, NAP, read(21), LONG)], readahead=32)
    assert after_each(small, 2) == [[20], list(range(20, 33))]


def test_a_fault_reads_around_and_goes_on_at_the_marker() -> None:
    touch = ("touch", PRIVATE, 20, 1, False)
    small = Small([task(1, touch, NAP, ("touch", PRIVATE, 21, 1, False), NAP, ("touch", PRIVATE, 22, 1, False), LONG)],
                  readahead=8)  # fmt: skip
    around = list(range(16, 24))
    assert after_each(small, 3) == [around, around, list(range(16, 32))]


def test_faults_that_miss_much_more_than_they_hit_read_one_page() -> None:
    small = Small([task(1, NAP, ("touch", PRIVATE, 20, 1, False), LONG)], readahead=8)
    k = small.until_ns(SECOND // 2)
    for vma in k.state.vmas[: int(k.state.n_vmas)]:
        vma.mmap_miss = 100 if vma.file == 0 else 0
    assert after_each(small, 2)[1] == [20]


def test_nobody_waits_for_who_reads_one_page_and_has_no_memory_for_it() -> None:
    """The charge comes before the page is in the cache: with one page to read nothing is locked meanwhile."""
    full = (("touch", 0, 0, 20, True), ("mlock", 0, 0, 20), ("munmap", 0, 0, 1), ("touch", 0, 30, 1, True))
    small = Small(
        [task(1, *full, read(20), LONG), task(0, ("sleep", SECOND // 100), read(20), LONG)],
        groups=(limited(20, killer=False), limited(9), limited(9)), readahead=32,
    )  # fmt: skip
    k = small.until_ns(SECOND // 40)
    assert k.state.tasks[of_group(k, 1)].wait_kind == n.W_OOM
    assert k.state.tasks[of_group(k, 0)].wait_kind == n.W_TIMER and cached(k) == [20]


def test_a_file_that_ends_within_the_window() -> None:
    small = Small([task(1, read(0, 3), NAP, read(3, 9), LONG)], readahead=32, files=(
        File(7, False, False, 0), File(40, False, False, 0), File(8, True, False, 0)))  # fmt: skip
    assert after_each(small, 2)[1] == list(range(7))
