"""Write-back: when the flusher writes, who has to write himself, who waits for the disk."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from cowpath.kernel import names as n
from cowpath.kernel import steps as s

from .checked import count_events
from .small import SECOND, SHARED, Small, limited, of_group, sleeps, task

pytestmark = pytest.mark.usefixtures("small_is_compiled")

LONG = ("sleep", 100 * SECOND)


def write(file: int, pages: int = 40) -> tuple[Any, ...]:
    return ("write", file, 0, pages, None, 0)


def seen_in(small: Small) -> Counter[str]:
    seen: Counter[str] = Counter()
    count_events(small.k, small.events, seen)
    return seen


def test_the_flusher_writes_what_has_been_dirty_for_30_s() -> None:
    """It looks every 5 s, so between 30 and 35 s after it became dirty."""
    small = Small([task(0, write(0), LONG)])
    k = small.until_ns(29 * SECOND)
    assert int(k.state.zone.dirty) == 40 and not seen_in(small)["pages written by the flusher"]
    small.until_ns(36 * SECOND)
    assert int(k.state.zone.dirty) == int(k.state.zone.writeback) == 0
    assert seen_in(small)["pages written by the flusher"] == 40
    assert int(k.state.files[0].cached) == 40  # clean, and still there


def test_above_the_background_limit_it_writes_at_once() -> None:
    """A tenth of what files could have: of 260 pages. It is looked at when 32 are dirty."""
    small = Small([task(0, write(0), LONG)], memory=260, swap=0)
    k = small.until(lambda k: sleeps(k, 0))
    small.until_ns(int(k.books.now) + SECOND)
    assert seen_in(small)["pages written by the flusher"] >= 32 and int(k.state.zone.dirty) <= 8


def test_who_dirties_too_much_writes_and_pauses() -> None:
    """Without a flusher the writer is all there is; with plenty of memory nobody stops him."""
    writes = [task(0, write(0), write(1), write(0), LONG)]
    small = Small(writes, memory=190, threads=False, disk_ns=5_000_000)
    k = small.until(lambda k: sleeps(k, 0))
    seen = seen_in(small)
    assert seen["pages written by who dirties"] > 40 and seen["waits for pause"] > 0
    assert int(k.state.zone.dirty) + int(k.state.zone.writeback) < 40 + 19
    waits = small.some(n.EV_WAIT)
    assert set(waits[waits["a"] == n.W_PAUSE]["value"]) == {s.BALANCE_DIRTY_PAGES}
    rich = Small(writes, threads=False, disk_ns=5_000_000)
    rich.until(lambda k: sleeps(k, 0))
    assert not seen_in(rich)["pages written by who dirties"] and not seen_in(rich)["waits for pause"]


def test_fsync_writes_and_waits_until_all_is_written() -> None:
    small = Small([task(0, write(0), write(1), ("fsync", 0), LONG)], disk_ns=5_000_000)
    k = small.until(lambda k: sleeps(k, 0))
    assert int(k.state.files[0].dirty) == int(k.state.zone.writeback) == 0
    assert int(k.state.files[1].dirty) == 40  # only the file in question
    seen = seen_in(small)
    assert seen["pages written by fsync"] == 40 and seen["waits for write-back"] >= 1
    assert int(k.books.now) > 5_000_000 + 40 * 5_000_000 // 20  # a request's latency, and each page's time


def test_fsync_of_memory_without_a_disk_behind_it_writes_nothing() -> None:
    small = Small([task(0, ("write", 2, 0, 8, None, 0), ("fsync", 2), LONG)])
    small.until(lambda k: sleeps(k, 0))
    assert not seen_in(small)["pages written by fsync"] and int(small.k.books.disk.busy_ns) == 0


def test_reclaim_begins_the_write_of_a_dirty_page_and_takes_it_afterwards() -> None:
    small = Small([task(1, write(0), write(1), ("sleep", SECOND), write(1), LONG)], threads=False,
                  groups=(limited(50, killer=False), limited(9), limited(9)))  # fmt: skip
    small.until_ns(10 * SECOND)
    began, taken = small.some(n.EV_PAGEOUT), small.some(n.EV_EVICT)
    both = set(began["value"]) & set(taken["value"])
    assert len(both) > 10
    for where in both:
        first = np.flatnonzero((small.events["kind"] == n.EV_PAGEOUT) & (small.events["value"] == where))[0]
        later = np.flatnonzero((small.events["kind"] == n.EV_EVICT) & (small.events["value"] == where))[0]
        assert first < later and small.events["time"][later] - small.events["time"][first] >= 20_000


def test_a_page_that_is_written_can_be_read_but_not_written_to() -> None:
    """write(2) waits for the page's write-back with the page's lock and i_mutex in hand; a reader does not wait."""
    writer = task(1, write(0), ("fsync", 0), LONG, after_ns=5_000_000)
    again = task(2, write(0, 1), LONG, after_ns=100_000)
    reader = task(3, ("read", 0, 0, 4, None, 0), LONG)
    small = Small([writer, again, reader], cpus=3, disk_ns=500_000_000)
    k = small.until(lambda k: sleeps(k, 3))
    assert not sleeps(k, 2) and int(k.state.zone.writeback) == 40
    waiting = k.state.tasks[of_group(k, 2)]
    assert waiting.wait_kind == n.W_WRITEBACK
    assert k.state.pages[int(waiting.wait_id)].locked_by == of_group(k, 2) == k.state.files[0].i_mutex.owner
    small.until(lambda k: sleeps(k, 2))
    assert int(k.state.zone.writeback) == 0 and int(k.state.files[0].dirty) == 1


def test_a_write_to_a_page_that_was_written_faults_again() -> None:
    """page_mkclean: without it the second write would be lost."""
    touch = ("touch", SHARED, 0, 8, True)
    small = Small([task(0, touch, ("fsync", 1), ("sleep", SECOND), touch, LONG)])
    k = small.until_ns(SECOND // 2)
    assert int(k.state.files[1].dirty) == 0
    small.until_ns(2 * SECOND)
    assert int(k.state.files[1].dirty) == 8


def test_truncate_waits_for_the_write_with_the_page_locked() -> None:
    small = Small([task(0, write(0), ("fsync", 0), LONG), task(1, ("truncate", 0, 0), LONG, after_ns=200_000)],
                  cpus=2, disk_ns=500_000_000)  # fmt: skip
    k = small.until(lambda k: any(k.state.tasks[t].wait_kind == n.W_WRITEBACK and k.state.tasks[t].group == 1
                                  for t in range(int(k.state.n_tasks))))  # fmt: skip
    small.until(lambda k: sleeps(k, 1))
    assert int(k.state.files[0].cached) == 0 and int(k.state.zone.dirty) == 0
