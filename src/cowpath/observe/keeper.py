"""The events that data frames are made from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cowpath.kernel.books import event
from cowpath.observe.who import Events, Tracker, Who


class Keeper:
    """Keeps copies of the events of some kinds, with whom they are about (None: of all kinds)."""

    def __init__(self, kinds: Sequence[int] | None) -> None:
        self.kinds = None if kinds is None else np.array(kinds)
        self._events: list[Events] = []
        self._groups: list[Any] = []
        self._comms: list[Any] = []

    def add(self, events: Events, who: Who) -> None:
        """Take a block of the log."""
        at = slice(None) if self.kinds is None else np.flatnonzero(np.isin(events["kind"], self.kinds))
        self._events.append(events[at].copy())
        self._groups.append(who.group[at].copy())
        self._comms.append(who.comm[at].copy())

    def all(self) -> tuple[Events, Who]:
        """What was kept, as one block."""
        if not self._events:
            empty = np.zeros(0, event)
            return empty, Tracker().attribute(empty)
        return np.concatenate(self._events), Who(np.concatenate(self._groups), np.concatenate(self._comms))
