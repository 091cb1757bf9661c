"""What a move has changed in a state: found by comparing words, undone, and worked into the state's fingerprint.

Most of a machine never changes: of a state only the words are kept that ever have (``live``).
"""

from __future__ import annotations

import numpy as np

from cowpath.kernel.compiled import inlined, plainly

from . import arrays
from .fingerprint import mixed
from .vector import WIDTH, differ, lowest


@inlined
def load(words, before, first, live, count, row, length):
    """Make a state of the frontier the one that is expanded."""
    for j in range(count):
        i = live[j]
        value = row[j] if j < length else first[i]
        words[i] = value
        before[i] = value


@plainly(arrays.find_changes)
@inlined
def find_changes(words, before, changed):
    """Which words a move has changed. Returns how many."""
    count = 0
    whole = len(words) - len(words) % WIDTH
    for block in range(0, whole, WIDTH):
        bits = differ(words, before, block)
        while bits != 0:
            changed[count] = block + lowest(bits)
            count += 1
            bits &= bits - 1
    for i in range(whole, len(words)):
        if words[i] != before[i]:
            changed[count] = i
            count += 1
    return count


@inlined
def note_live(changed, count, live, is_live, known):
    """Enter the words that had never changed before. Returns how many there are now."""
    for j in range(count):
        i = changed[j]
        if not is_live[i]:
            is_live[i] = 1
            live[known] = i
            known += 1
    return known


@inlined
def put_back(words, before, changed, count):
    """Undo what a move has changed."""
    for j in range(count):
        i = changed[j]
        words[i] = before[i]


@plainly(arrays.key_after)
@inlined
def key_after(words, before, changed, count, key):
    """The fingerprint of the state as it stands, from that of the state before the move."""
    for j in range(count):
        i = changed[j]
        place = np.uint64(i)
        key += mixed(words[i], place) - mixed(before[i], place)
    return key
