"""How much is read ahead for a read(2) of more than the file's window."""

from __future__ import annotations

import pytest

from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.filemap import MISSED_PHASE
from cowpath.kernel.readahead import step_ra_window

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
    t = hand.task()
    f = hand.call(t, s.P_READAHEAD, s.RA_WINDOW, file=0, count=wanted, arg=MISSED_PHASE)
    assert step_ra_window(hand.k, t) == n.NEXT and (int(f.index), int(f.count)) == (0, window)
