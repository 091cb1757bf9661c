"""Fingerprints: 64-bit numbers by which the explorer knows a state again.

A fingerprint is a sum over a state's 64-bit words, each mixed with its place: what changes in a few words changes in a
few terms. Of N states the chance that any two share one is at most N * N / 2 ** 65.
"""

from __future__ import annotations

import numpy as np

from cowpath.kernel.compiled import compiled, inlined, plainly

from . import arrays

ONE = np.uint64(0x9E3779B97F4A7C15)
TWO = np.uint64(0xBF58476D1CE4E5B9)
BY_32 = np.uint64(32)
BY_29 = np.uint64(29)


@inlined
def mixed(word, place):
    """A word and its place as a number that looks drawn at random (after splitmix64)."""
    x = (word + (place + np.uint64(1)) * ONE) * TWO
    x ^= x >> BY_32
    x *= ONE
    return x ^ (x >> BY_29)


@plainly(arrays.fingerprint)
@compiled
def fingerprint(words):
    """Of a whole state."""
    total = np.uint64(0)
    for i in range(len(words)):
        total += mixed(words[i], np.uint64(i))
    return total
