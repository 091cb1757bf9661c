"""What will happen at a time: a binary heap of (time, order) with what and to whom."""

from __future__ import annotations

from cowpath.kernel import state as st
from cowpath.kernel.compiled import compiled

WAKE_TASK = 0
DISK_DONE = 1


@compiled
def earlier(k, a, b):
    """Timer ``a`` comes before timer ``b``; at the same time, in the order in which they were set."""
    x = k.books.timers[a]
    y = k.books.timers[b]
    return x.at < y.at or (x.at == y.at and x.order < y.order)


@compiled
def swap(k, a, b):
    """Exchange two entries."""
    x = k.books.timers[a]
    y = k.books.timers[b]
    x.at, y.at = y.at, x.at
    x.order, y.order = y.order, x.order
    x.what, y.what = y.what, x.what
    x.which, y.which = y.which, x.which


@compiled
def add_timer(k, at, what, which):
    """Set a timer."""
    if k.books.n_timers >= len(k.books.timers):
        k.books.error = st.ERR_TIMERS
        return
    i = k.books.n_timers
    timer = k.books.timers[i]
    timer.at = at
    timer.order = k.books.order
    timer.what = what
    timer.which = which
    k.books.order += 1
    k.books.n_timers += 1
    while i > 0 and earlier(k, i, (i - 1) // 2):
        swap(k, i, (i - 1) // 2)
        i = (i - 1) // 2


@compiled
def drop_first(k):
    """Remove the earliest timer."""
    k.books.n_timers -= 1
    count = k.books.n_timers
    swap(k, 0, count)
    i = 0
    while True:
        child = 2 * i + 1
        if child >= count:
            return
        if child + 1 < count and earlier(k, child + 1, child):
            child += 1
        if not earlier(k, child, i):
            return
        swap(k, i, child)
        i = child
