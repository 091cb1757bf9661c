"""Where the tasks' time went: in faults, and asleep for each kind of lock. Gathered from the log, block by block."""

from __future__ import annotations

from typing import Any

import numpy as np

from cowpath.kernel import names as n
from cowpath.observe.who import Events, Ints

KINDS = {
    "page_lock": (n.W_PAGE_LOCK,),
    "mmap_read": (n.W_MMAP_READ,),
    "mmap_write": (n.W_MMAP_WRITE,),
    "i_mutex": (n.W_I_MUTEX,),
    "memory": (n.W_OOM,),
}  # of sleeps, under the names that they have in ``Spent.summary``


class Spent:
    """A consumer of the log that keeps sums only. ``kinds`` are the events that it needs."""

    kinds = (n.EV_FAULT, n.EV_WAIT, n.EV_WAKE)

    def __init__(self) -> None:
        self.fault_ns = 0
        self.asleep_ns: Ints = np.zeros(len(n.WAIT_NAMES), np.int64)  # by W_*
        self._kind: Ints = np.zeros(0, np.int64)  # by task: what it sleeps for (W_NONE: it does not)
        self._since: Ints = np.zeros(0, np.int64)

    def add(self, events: Events) -> None:
        """Take a block of the log."""
        kind = events["kind"]
        self.fault_ns += int(events["value"][kind == n.EV_FAULT].sum())
        woken = events[kind == n.EV_WAKE]
        np.add.at(self.asleep_ns, woken["a"], woken["value"])
        sleeps = events[(kind == n.EV_WAIT) | (kind == n.EV_WAKE)]
        missing = int(sleeps["task"].max(initial=-1)) + 1 - len(self._kind)
        if missing > 0:
            self._kind = np.append(self._kind, np.zeros(missing, np.int64))
            self._since = np.append(self._since, np.zeros(missing, np.int64))
        # a task's last event of the block is the one that stays
        self._kind[sleeps["task"]] = np.where(sleeps["kind"] == n.EV_WAIT, sleeps["a"], n.W_NONE)
        self._since[sleeps["task"]] = sleeps["time"]

    def summary(self, end_ns: int) -> dict[str, Any]:
        """``{fault_ns, blocked_ns: {page_lock, mmap_read, ...}}``; sleeps that the end cut off count so far."""
        asleep = self.asleep_ns.copy()
        still = np.flatnonzero(self._kind != n.W_NONE)
        np.add.at(asleep, self._kind[still], end_ns - self._since[still])
        blocked = {name: int(asleep[list(kinds)].sum()) for name, kinds in KINDS.items()}
        return {"fault_ns": self.fault_ns, "blocked_ns": blocked}
