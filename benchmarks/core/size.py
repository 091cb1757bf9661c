"""How large a run of the lock-charge-OOM core is, and the figures by which its three programs are compared."""

from __future__ import annotations

import math
from dataclasses import dataclass

STRIDE = 7  # file pages between two that a task touches one after the other


@dataclass(frozen=True)
class Size:
    """``jobs`` jobs, at most ``tasks`` at a time; each maps the file ``rounds`` times and writes to ``pages`` pages."""

    tasks: int
    jobs: int
    rounds: int
    pages: int
    limit: int  # of the group, in pages
    seed: int = 0

    @property
    def file_pages(self) -> int:
        """The file is just long enough."""
        return self.jobs + self.pages * STRIDE

    @property
    def memory(self) -> int:
        """Pages of the machine: the file, the group, those who go past the limit as they die, some free."""
        needed = self.file_pages + self.limit + 4 * (self.tasks + 2)
        return needed + needed // 32 + 1024


@dataclass(frozen=True)
class Run:
    """One run of one program: its figures by name (README.md), all whole numbers, and the CPU seconds that it took."""

    figures: dict[str, int]
    seconds: float

    @property
    def faults_per_s(self) -> float:
        """Simulated page faults per second of the CPU."""
        return self.figures["faults"] / self.seconds

    @property
    def moves_per_s(self) -> float:
        """Moves per second of the CPU."""
        return self.figures["moves"] / self.seconds


def bucket_at(latencies: list[int], q: float) -> int:
    """The number of the bucket (README.md) of the nearest-rank quantile of sorted latencies in ns."""
    value = latencies[max(1, math.ceil(q * len(latencies))) - 1]
    shift = max(0, value.bit_length() - 8)
    return (shift << 7) + (value >> shift)
