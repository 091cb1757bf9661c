"""What a move has changed in a state: found by comparing words, undone, and worked into the state's fingerprint.

The states of a frontier are written down one after the other, each as the words in which it differs from the one before
it (the first of them: from the first state of all). So a state is loaded by the words that differ, and a new one is
written by those that may: ``astray`` are the words in which the state that is expanded may differ from the one that was
written last.
"""

from __future__ import annotations

import numpy as np

from cowpath.kernel.compiled import inlined, plainly

from . import arrays
from .fingerprint import mixed
from .vector import WIDTH, differ, lowest


@plainly(arrays.restart)
@inlined
def restart(words, before, last, first, is_astray):
    """At the beginning of a frontier, both the one that is read and the one that is written."""
    for i in range(len(words)):
        words[i] = before[i] = last[i] = first[i]
        is_astray[i] = 0


@inlined
def load(words, before, places, contents, start, length, astray, is_astray, count):
    """Make the next state of the frontier the one that is expanded. Returns how many words are astray then."""
    for j in range(start, start + length):
        i = places[j]
        words[i] = before[i] = contents[j]
        if not is_astray[i]:
            is_astray[i] = 1
            astray[count] = i
            count += 1
    return count


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


@plainly(arrays.find_changes_in)
@inlined
def find_changes_in(words, before, changed, begin, end):
    """Which of a few words, from ``begin`` on, are others. Returns how many."""
    count = 0
    for i in range(begin, end):
        changed[count] = i
        count += words[i] != before[i]
    return count


@inlined
def keep_changes(words, changed, count, which, values, begin):
    """Note what a move has changed, from ``begin`` on. Returns where that ends."""
    for j in range(count):
        which[begin + j] = changed[j]
        values[begin + j] = words[changed[j]]
    return begin + count


@inlined
def write_down(words, last, places, contents, at, astray, is_astray, count):
    """Write a state down from ``at`` on, by what differs from the last one: nothing is astray then. Returns the end."""
    for j in range(count):
        i = astray[j]
        is_astray[i] = 0
        if words[i] != last[i]:
            places[at] = i
            contents[at] = last[i] = words[i]
            at += 1
    return at


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
