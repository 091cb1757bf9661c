"""Moves that are given, not explored: a schedule that is played, a task that is brought to where a case begins."""

from __future__ import annotations

from cowpath.kernel import names as n
from cowpath.kernel.compiled import compiled

from .moves import DISK, MOVERS, OUTSIDE, can_move, move


@compiled
def play(k, script):
    """Make the moves of a script. Returns how many could be made."""
    for i in range(len(script)):
        if not can_move(k, script[i]):
            return i
        move(k, script[i])
    return len(script)


@compiled
def bring_to(k, t, go, most):
    """Let a task run until it has come to instruction ``go``; what it sleeps for happens. -1: it never comes there."""
    for count in range(most):
        task = k.state.tasks[t]
        if task.depth == 0 and task.pc == go and task.run_state == n.T_RUNNABLE:
            return count
        if can_move(k, t):
            move(k, t)
        elif not time_goes_on(k):
            return -1
    return -1


@compiled
def time_goes_on(k):
    """A move of the disk, a worker or a timer. False: none of them can move."""
    for mover in range(DISK, OUTSIDE):
        if can_move(k, mover):
            move(k, mover)
            return True
    return False


@compiled
def who_can_move(k):
    """The movers that can move, a bit each."""
    mask = 0
    for mover in range(MOVERS):
        if can_move(k, mover):
            mask |= 1 << mover
    return mask
