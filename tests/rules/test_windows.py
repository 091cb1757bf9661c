"""How much is read ahead for a read(2) of more than the file's window."""

from __future__ import annotations

import pytest

from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.filemap import MISSED_PHASE
from cowpath.kernel.readahead import most_willneed, step_ra_window
from cowpath.kernel.system_call import next_batch

from .hand import Hand

WINDOW = 4


@pytest.mark.parametrize(("design", "wanted", "window"), [
    ("linux-3.0", 2, 4), ("linux-3.0", 16, 2 * WINDOW), ("linux-6.18", 2, 4), ("linux-6.18", 16, 16),
    ("linux-6.18", 2 * n.IO_PAGES_OF_4M, n.IO_PAGES_OF_4M), ("linux-6.12", 2 * n.IO_PAGES, n.IO_PAGES),
])  # fmt: skip
def test_a_read_of_more_than_the_window(design: str, wanted: int, window: int) -> None:
    """As much as it asks for, and as one request of the disk can be (9491ae4aade6, 4.10); 3.0 reads two windows."""
    hand = Hand(design)
    hand.k.state.files[0].readahead, hand.k.books.memory_suffices = WINDOW, 1
    hand.k.state.files[0].pages = max(wanted, window)
    t = hand.task()
    f = hand.call(t, s.P_READAHEAD, s.RA_WINDOW, file=0, count=wanted, arg=MISSED_PHASE)
    assert step_ra_window(hand.k, t) == n.NEXT and (int(f.index), int(f.count)) == (0, window)


@pytest.mark.parametrize(("design", "pages"), [("linux-3.0", 32), ("linux-6.12", 32), ("linux-6.18", 2048)])
def test_the_window_of_a_disk_that_rotates(design: str, pages: int) -> None:
    """128 KiB as of any other, or two of its largest requests (459779d04ae8, 6.17)."""
    assert int(Hand(design).k.state.files[0].readahead) == pages


@pytest.mark.parametrize(("design", "pages"), [("linux-3.0", 512), ("linux-6.1", 320), ("linux-6.18", 2048)])
def test_how_much_willneed_reads(design: str, pages: int) -> None:
    """As much as a window or a request of the disk has, whichever is more; a batch is 2 MiB."""
    hand = Hand(design)
    hand.k.state.files[0].pages = 10_000
    op = hand.k.books.ops[0]
    op.code, op.a, op.b, op.c = n.OP_FADVISE, 0, 0, n.NONE
    assert most_willneed(hand.k, op) == pages
    op.c = 100
    assert most_willneed(hand.k, op) == 100


def test_willneed_goes_on_with_the_next_batch_in_the_kernel() -> None:
    hand = Hand("linux-6.18")
    hand.k.state.files[0].pages = 1200
    t = hand.task()
    op = hand.k.books.ops[int(hand.task_of(t).pc)]
    op.code, op.a, op.b, op.c = n.OP_FADVISE, 0, 0, n.NONE
    assert next_batch(hand.k, t) and next_batch(hand.k, t) and not next_batch(hand.k, t)
    assert int(hand.task_of(t).progress) == 1024
