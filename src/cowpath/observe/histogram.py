"""A log-linear histogram: any number of durations in bounded memory, with a relative error below 0.4 %."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from cowpath.kernel.figures import BUCKETS, SUB_BITS

Ints = npt.NDArray[np.int64]


def bucket_of(values: Ints) -> Ints:
    """The bucket of each value (>= 0). Values below 256 have a bucket each."""
    _, exponent = np.frexp(values.astype(np.float64))
    shift = np.maximum(exponent.astype(np.int64) - (SUB_BITS + 1), 0)
    buckets: Ints = (shift << SUB_BITS) + (values >> shift)
    return buckets


def middle_of(bucket: int) -> int:
    """The value that stands for a bucket: its middle, rounded down."""
    if bucket < 2 << SUB_BITS:
        return bucket
    shift = (bucket >> SUB_BITS) - 1
    low = (bucket - (shift << SUB_BITS)) << shift
    return low + (1 << shift >> 1)


class Histogram:
    """Counts of values >= 0, with their number and exact largest and smallest."""

    def __init__(self) -> None:
        self.buckets: Ints = np.zeros(BUCKETS, np.int64)
        self.count = 0
        self.largest = 0
        self.smallest = 0

    def add(self, values: npt.NDArray[Any]) -> None:
        """Count values; negative ones count as 0."""
        if not len(values):
            return
        whole = np.maximum(values.astype(np.int64), 0)
        self.smallest = int(whole.min()) if not self.count else min(self.smallest, int(whole.min()))
        self.largest = max(self.largest, int(whole.max()))
        self.count += len(whole)
        found = np.bincount(bucket_of(whole))
        self.buckets[: len(found)] += found

    def join(self, other: Histogram) -> None:
        """Count what another one has counted."""
        if other.count:
            self.smallest = min(self.smallest, other.smallest) if self.count else other.smallest
            self.largest = max(self.largest, other.largest)
            self.count += other.count
            self.buckets = self.buckets + other.buckets

    def bucket_at(self, q: float) -> int:
        """The bucket of the nearest-rank quantile; there must be values."""
        rank = max(1, math.ceil(q * self.count))
        return int(np.searchsorted(np.cumsum(self.buckets), rank))

    def quantile(self, q: float) -> int | None:
        """The value that a share ``q`` of all do not exceed (nearest rank); None if there are no values."""
        if not self.count:
            return None
        return min(max(middle_of(self.bucket_at(q)), self.smallest), self.largest)
