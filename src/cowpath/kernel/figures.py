"""What the figures of a run are made from, counted as it goes: they need no log.

How long the faults of each group's tasks took, the longest of them, the longest holds of page locks, who was killed.
"""

from __future__ import annotations

from . import names as n
from .compiled import compiled
from .places import place_of

SUB_BITS = 7  # 128 buckets per power of two: half a bucket is at most 1/256 of the value
BUCKETS = (64 - SUB_BITS) << SUB_BITS
KILLS_KEPT = 1000  # OOM kills that are remembered one by one; all are counted


@compiled
def bucket_of(ns):
    """The bucket of a duration (>= 0) in a log-linear histogram. Values below 256 have a bucket each."""
    shift = 0
    rest = ns >> (SUB_BITS + 1)
    while rest > 0:
        rest >>= 1
        shift += 1
    return (shift << SUB_BITS) + (ns >> shift)


@compiled
def note_latency(k, t, path, ns):
    """A fault of task ``t`` has ended, ``ns`` after it began."""
    found = k.books.latencies[k.state.tasks[t].group]
    if found.count == 0 or ns > found.longest:
        found.longest = ns
        found.task = t
        found.comm = k.state.tasks[t].program
        found.path = path
        found.at = k.books.now
    if found.count == 0 or ns < found.shortest:
        found.shortest = ns
    found.count += 1
    found.total += ns
    found.buckets[bucket_of(ns)] += 1


@compiled
def note_hold(k, p, kind, t, ns):
    """An owner of some kind (HOLD_*) has held the lock of page ``p`` for ``ns``: task ``t``, or the disk (NONE)."""
    if kind == n.HOLD_TASK:
        counters = k.books.groups[k.state.tasks[t].group].counters
        counters[n.C_LOCK_HOLDS] += 1
        counters[n.C_LOCK_NS] += ns
    hold = k.books.holds[kind]
    hold.ended += 1
    hold.total += ns
    if hold.ended > 1 and ns <= hold.ns:
        return
    hold.ns = ns
    hold.place = place_of(k, p)
    hold.step = k.books.pages[p].locked_in
    hold.task = t
    hold.comm = n.NONE
    hold.group = n.NONE
    if t != n.NONE:
        hold.comm = k.state.tasks[t].program
        hold.group = k.state.tasks[t].group if k.state.tasks[t].kthread == n.KT_NONE else n.NONE


@compiled
def note_wait(k, t, kind, ns):
    """Task ``t`` wakes up after a sleep of some kind (W_*). The kernel's threads are neither in a group nor outside."""
    if k.state.tasks[t].kthread != n.KT_NONE:
        return
    books = k.books.groups[k.state.tasks[t].group]
    books.waits[kind] += 1
    books.wait_ns[kind] += ns


@compiled
def note_kill(k, g, victim, badness):
    """The OOM killer has taken a task, for the sake of group ``g``."""
    if k.books.n_kills < KILLS_KEPT:
        kill = k.books.kills[k.books.n_kills]
        kill.at = k.books.now
        kill.group = g
        kill.task = victim
        kill.comm = k.state.tasks[victim].program
        kill.badness = badness
    k.books.n_kills += 1
