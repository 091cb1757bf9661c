"""What the two ways of measuring a path that pays for memory.high share: how long, from when a wait counts, the log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cowpath.engine.clock import Clock
from cowpath.errors import MachineError
from cowpath.kernel import names as n

UNTIL_NS = 600_000_000_000  # each of some batches may cost 2 s
STALL_NS = 1_000  # an outsider's wait from here on counts

Events = np.ndarray[Any, Any]


class Books:
    """What the log says of those who pay; ``does``: what is done with an event, by its kind."""

    def __init__(self) -> None:
        self.own_ns = self.over = self.sleep_ns = 0
        self.does: dict[int, Callable[[Any], None]] = {n.EV_WAKE: self._wakes}

    def read(self, events: Events) -> None:
        """The next block of the log."""
        for event in events:
            does = self.does.get(int(event["kind"]))
            if does is not None:
                does(event)

    def counts(self) -> bool:
        """What happens now belongs to what is measured."""
        return True

    def _wakes(self, event: Any) -> None:
        if self.counts() and event["a"] == n.W_THROTTLE:
            self.sleep_ns += int(event["value"])


def run(clock: Clock, source: str, until_ns: int = UNTIL_NS) -> None:
    """Let it go on to its end. Raises MachineError if the machine has run out of something."""
    ending = clock.run(until_ns)
    if ending.exhausted is not None:
        raise MachineError(f"{source}: {ending.exhausted}")


def longest_wait(clock: Clock) -> int:
    """Of an outsider for the group's memory, in ns, when all that was waited is told."""
    clock.finish()
    return max((stall.ns for stall in clock.stalls), default=0)


def counters(k: Any) -> list[int]:
    """Of all groups together."""
    return [int(value) for value in k.books.groups["counters"][: int(k.state.n_groups)].sum(axis=0)]
