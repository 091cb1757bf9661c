"""Which pages the recorded processes come back to: looked at from outside while they run (``cowpath record --reuse``).

Every so often the accessed bits of all pages of a process are counted, mapping by mapping (``Referenced`` in
/proc/PID/smaps), and cleared (1 written to clear_refs). That alone misses the hottest pages: while an entry is in the
TLB the processor does not set the bit again. Writing 4 flushes the TLB (``clear_refs_write``, fs/proc/task_mmu.c), also
where the kernel has no soft-dirty bits; where it has, the next write to each page is a minor fault more. What else was
tried, with its error and cost: docs/recordings.md.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from cowpath.programs.tables import REVISITS, Rows

BETWEEN_NS = 50_000_000
SHARE = 20  # of the time of a process, one part may be spent on looking at it
MAPPING = re.compile(rb"^([0-9a-f]+)-([0-9a-f]+) .*?^Referenced: +(\d+) kB", re.M | re.S)
CLEAR, FLUSH = "1", "4"  # CLEAR_REFS_ALL, CLEAR_REFS_SOFT_DIRTY


class Watcher:
    """Looks at processes again and again. Times are CLOCK_MONOTONIC's."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self.proc = proc
        self.due: dict[int, int] = {}  # process -> when it is looked at next
        self.rows: list[tuple[int, int, int, int, int, int]] = []
        self.looks = 0

    def look(self, pids: Iterable[int]) -> None:
        """Look at those of these processes whose time has come; at one that is new only from now on."""
        alive = set(pids)
        self.due = {pid: due for pid, due in self.due.items() if pid in alive}
        for pid in sorted(alive):
            begin = time.monotonic_ns()
            if begin < self.due.get(pid, 0):
                continue
            try:
                if pid in self.due:
                    self._count(pid, begin)
                self._clear(pid)
                if pid not in self.due:
                    self.rows.append((time.monotonic_ns(), pid, pid, 0, 0, 0))
            except OSError:  # it has ended, or is not ours to look at
                continue
            end = time.monotonic_ns()
            self.due[pid] = end + max(BETWEEN_NS, SHARE * (end - begin))

    def _count(self, pid: int, now_ns: int) -> None:
        self.looks += 1
        for start, end, kib in MAPPING.findall((self.proc / str(pid) / "smaps").read_bytes()):
            if pages := int(kib) // 4:
                self.rows.append((now_ns, pid, pid, int(start, 16), int(end, 16), pages))

    def _clear(self, pid: int) -> None:
        for what in (CLEAR, FLUSH):
            (self.proc / str(pid) / "clear_refs").write_text(what)

    def table(self, begin_ns: int) -> Rows:
        """All that was seen; times from ``begin_ns`` on."""
        rows = np.array(self.rows, dtype=REVISITS) if self.rows else np.empty(0, REVISITS)
        rows["time_ns"] -= begin_ns
        return rows[rows["time_ns"] > 0]
