"""A task while its recording is being read: the instructions that it has so far, and what it still owes."""

from __future__ import annotations

from dataclasses import dataclass, field

from cowpath.kernel import names as n
from cowpath.programs.address_space import Row

LOWEST_COMPUTE_NS = 2_000  # shorter stretches of CPU time are put together
COMPUTE_UNIT_NS = 100  # and what is less than this goes to the next
JOINS_THREAD = 1  # bits of a recorded OP_WAIT


@dataclass
class Task:
    """A process or thread. ``parent`` is the task that forked it, or None for the command; a thread has a leader."""

    pid: int
    tid: int
    number: int
    parent: Task | None
    leader: Task | None
    comm: str
    start_ns: int
    end_ns: int | None = None  # None while it lives
    now: int = 0  # time of its present record
    rows: list[Row] = field(default_factory=list)
    times: list[int] = field(default_factory=list)  # of the rows
    owed_ns: int = 0  # CPU time that is not in rows yet
    exited: int = 0  # children that it has not waited for yet
    joined: int = 0  # threads, the same
    started: bool = True  # False: the command, before its exec
    execing: bool = False  # in execve, whose mappings have no calls

    def emit(self, code: int, a: int = 0, b: int = 0, c: int = 0, d: int = 0, bits: int = 0) -> Row:
        """Append an instruction."""
        return self.append([code, bits, a, b, c, d])

    def append(self, row: Row) -> Row:
        """Append an instruction that is already there."""
        self.rows.append(row)
        self.times.append(self.now)
        return row

    def catch_up(self, now: int, ran_ns: int, acts: bool = True) -> int:
        """What it did before its present record: waited for children, or computed. Returns the ns computed.

        A record in which it does not act itself (it was looked at) does not show that it has waited.
        """
        self.now = now
        if (self.exited or self.joined) and not acts:
            return 0
        if self.exited or self.joined:
            for _ in range(self.exited):
                self.emit(n.OP_WAIT, n.ANY_CHILD)
            for _ in range(self.joined):
                self.emit(n.OP_WAIT, n.ANY_CHILD, bits=JOINS_THREAD)
            self.exited = self.joined = 0
            return 0
        self.owed_ns += ran_ns if self.started else 0
        if self.owed_ns < LOWEST_COMPUTE_NS:
            return 0
        compute_ns = self.owed_ns - self.owed_ns % COMPUTE_UNIT_NS
        self.owed_ns -= compute_ns
        self.emit(n.OP_COMPUTE, compute_ns)
        return compute_ns
