"""A task that waits for the driver: it sleeps a sleep that no time ends, until Python lets it go on."""

from __future__ import annotations

from cowpath.kernel.compiled import driver
from cowpath.kernel.signals import leave_queue
from cowpath.kernel.wait import try_to_wake_up

FOREVER_NS = 1 << 60  # of OP_SLEEP: more than any run lasts


@driver
def open_gate(k, t):
    """Its sleep ends now."""
    k.books.tasks[t].ends = 0
    leave_queue(k, t)
    try_to_wake_up(k, t)
