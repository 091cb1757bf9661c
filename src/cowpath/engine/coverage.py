"""What the explorer's moves have come to: for each task and path the steps that it has tried, and how it left the path.

Kept in the books, which no two states differ in: what is noted here has happened in some move of the search. The
reductions lose none of it: of moves that commute each is made in some order, with the same outcome.
"""

from __future__ import annotations

from cowpath.kernel import names as n
from cowpath.kernel.compiled import compiled

from .waitfor import in_charge

# how a path was left (coverage.left, a bit each)
LEFT_DONE = 1
LEFT_FAILED = 2  # by an error
LEFT_KILLED = 4  # by a fatal signal
LEFT_RETRIED = 8  # the fault starts again


@compiled
def forget_coverage(k):
    """Nothing has been done yet: what led to the start of the exploration is no part of it."""
    k.books.moved = 0
    for i in range(len(k.books.coverage)):
        seen = k.books.coverage[i]
        seen.tried = 0
        seen.charging = 0
        seen.throttled = 0
        seen.calls = 0
        seen.called = 0
        seen.left = 0


@compiled
def note_move(k, t, depth, path, pc, unwinding):
    """Task ``t``, whose last frame was the one with these values, has made a step."""
    seen = k.books.coverage[t * len(k.books.paths) + path]
    task = k.state.tasks[t]
    if unwinding == 0:
        seen.tried |= 1 << pc
    if task.depth < depth or task.frames[depth - 1].path != path:
        if unwinding == 0:
            seen.left |= LEFT_DONE
        elif unwinding == n.RETRY:
            seen.left |= LEFT_RETRIED
        else:
            seen.left |= LEFT_KILLED if unwinding == n.FAIL_KILLED else LEFT_FAILED
        return
    if task.depth > depth:
        seen.calls |= 1 << task.frames[depth].path
        seen.called |= 1 << pc
    if in_charge(k, task.frames[depth - 1]):
        seen.charging |= 1 << pc
    if task.wait_kind == n.W_THROTTLE:
        seen.throttled |= 1 << pc
