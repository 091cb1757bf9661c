"""What a move has changed in a state is found, wherever in the state it is."""

from __future__ import annotations

import numpy as np
import pytest

from cowpath.engine import arrays
from cowpath.engine.changes import find_changes
from cowpath.engine.fingerprint import fingerprint
from cowpath.engine.vector import WIDTH

WORDS = 3 * WIDTH + 5  # the last ones are no whole vector


@pytest.mark.parametrize("seed", range(20))
def test_every_word_that_differs_is_found_in_order(seed: int) -> None:
    """Compiled and not; and the fingerprint that follows from them is that of the whole state."""
    rng = np.random.default_rng(seed)
    before = rng.integers(0, 1 << 63, WORDS, np.uint64) * np.uint64(2)
    words = before.copy()
    where = np.sort(rng.choice(WORDS, seed % 7 * 8, replace=False))
    words[where] ^= np.uint64(1) << rng.integers(0, 64, len(where), np.uint64)
    for find in (find_changes, arrays.find_changes):
        changed = np.zeros(WORDS, np.int32)
        count = find(words, before, changed)
        assert changed[:count].tolist() == where.tolist()
    assert fingerprint(words) == arrays.fingerprint(words)
    assert arrays.key_after(words, before, changed, count, fingerprint(before)) == fingerprint(words)
