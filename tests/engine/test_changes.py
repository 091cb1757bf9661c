"""What a move has changed in a state is found, wherever in the state it is."""

from __future__ import annotations

import numpy as np
import pytest

from cowpath.engine.changes import find_changes
from cowpath.engine.vector import WIDTH, _differ_in_python, _lowest_in_python

WORDS = 3 * WIDTH + 5  # the last ones are no whole vector


@pytest.mark.parametrize("seed", range(20))
def test_every_word_that_differs_is_found_in_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    before = rng.integers(0, 1 << 63, WORDS, np.uint64)
    words = before.copy()
    where = np.sort(rng.choice(WORDS, seed % 7 * 8, replace=False))
    words[where] ^= np.uint64(1) << rng.integers(0, 64, len(where), np.uint64)
    changed = np.zeros(WORDS, np.int32)
    count = find_changes(words, before, changed)
    assert changed[:count].tolist() == where.tolist()


def test_without_the_compiler_it_is_the_same() -> None:
    a = np.zeros(2 * WIDTH, np.uint64)
    b = a.copy()
    b[[3, 6, WIDTH]] = 1
    assert _differ_in_python(a, b, 1) == 0b100100 | 1 << WIDTH - 1
    assert _lowest_in_python(0b100100) == 2
