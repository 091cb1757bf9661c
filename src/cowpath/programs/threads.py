"""Processes with threads: their mappings are all made before the first thread starts.

The recording does not say how threads wait for one another, so in the model a thread may run ahead of the one that
mapped, in the recording, what it touches. Therefore all that the threads of a process map after the first of them was
started is mapped by the leader just before it starts it, in the recorded order, and what they unmap stays mapped.
"""

from __future__ import annotations

from cowpath.kernel import names as n
from cowpath.programs.recorded_task import Task

MAPPING = (n.OP_MMAP, n.OP_MUNMAP)


def hoist_mappings(leader: Task, threads: list[Task]) -> None:
    """Change the instructions of a process's tasks in place."""
    first = next(at for at, row in enumerate(leader.rows) if row[0] == n.OP_FORK and row[1] & n.FORK_THREAD)
    later = list(zip(leader.times[first:], leader.rows[first:], strict=True))
    for thread in threads:
        later += zip(thread.times, thread.rows, strict=True)
        thread.rows = [row for row in thread.rows if row[0] not in MAPPING]
    mappings = [row for _, row in sorted(later, key=lambda timed: timed[0]) if row[0] == n.OP_MMAP]
    rest = [row for row in leader.rows[first:] if row[0] not in MAPPING]
    leader.rows = [*leader.rows[:first], *mappings, *rest]
