"""What orders with a common beginning share: a search in which no task leaves that beginning says the same of them all.

Kernel code looks a step up at the place where a task stands, or at an earlier one: to go back to it, to undo what it
took. So of two orders of the same steps all states and moves are the same until a task has come past the place at which
they part, and a search that has ended by then is the same search. (A jump to the end of a path leaves it.)
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from cowpath.kernel.steps import OF_THE_KERNEL, number_of

from .orders import Steps

T = TypeVar("T")


class Beginnings(Generic[T]):
    """What is known of the orders of a fault's path, by how they begin."""

    def __init__(self) -> None:
        self._trees: dict[Steps, dict[str, Any]] = {}  # by the steps, sorted: for each place what comes there, or a T

    def find(self, steps: Steps) -> T | None:
        """What holds for an order, since it does for its beginning; None if nothing is known."""
        known: Any = self._trees.get(tuple(sorted(steps)))
        for step in steps:
            if not isinstance(known, dict):
                break
            known = known.get(step)
        return None if isinstance(known, dict) else known

    def add(self, steps: Steps, tried: int, value: T) -> None:
        """It holds for this order, of which the places ``tried`` (a bit each) have been tried."""
        node = self._trees.setdefault(tuple(sorted(steps)), {})
        beginning = steps[: looked_at(steps, tried)]
        for step in beginning[:-1]:
            node = node.setdefault(step, {})
        node[beginning[-1]] = value


def looked_at(steps: Steps, tried: int) -> int:
    """How many places have mattered: those up to the one behind the last that was tried, where a task may stand.

    A step of one's own may look anywhere.
    """
    if any(number_of(step) >= OF_THE_KERNEL for step in steps):
        return len(steps)
    return min(tried.bit_length() + 1, len(steps))
