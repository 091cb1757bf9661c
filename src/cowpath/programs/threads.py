"""Processes with threads: while they have some, their mappings are all made before, and unmapped after.

A recording says of threads only who has woken whom (``wakeups``), if that, so in the model a thread may run ahead of
the one that mapped, in the recording, what it touches. Therefore all that a process and its threads map, from the
start of one until the last has been joined, is mapped by the leader just before it starts the first, in the recorded
order; what they unmap, and do not map again, is unmapped when the last has been joined. Where one is never joined, it
stays mapped.
"""

from __future__ import annotations

from cowpath.kernel import names as n
from cowpath.programs.address_space import Row
from cowpath.programs.moved import without
from cowpath.programs.recorded_task import JOINS_THREAD, Task

MAPPING = (n.OP_MMAP, n.OP_MUNMAP)


def hoist_mappings(leader: Task, threads: list[Task]) -> None:
    """Change the instructions of a process's tasks in place."""
    timed = list(zip(leader.times, leader.rows, strict=True))
    rows: list[Row] = []
    done = 0
    for begin, end, joined in _stretches(leader.rows):
        stretch = leader.rows[begin:end]
        started = {row[2] for row in stretch if _starts_thread(row)}
        during = timed[begin:end]
        for thread in threads:
            if thread.number in started:
                during += zip(thread.times, thread.rows, strict=True)
                thread.rows = [row for row in thread.rows if row[0] not in MAPPING]
        mappings = [row for _, row in sorted(during, key=lambda timed: timed[0]) if row[0] in MAPPING]
        rows += leader.rows[done:begin]
        rows += [row for row in mappings if row[0] == n.OP_MMAP]
        rows += [row for row in stretch if row[0] not in MAPPING]
        rows += _unmapped(mappings) if joined else []
        done = end
    leader.rows = rows + leader.rows[done:]


def _stretches(rows: list[Row]) -> list[tuple[int, int, bool]]:
    """Where the leader has threads: the first instruction, one past the last, and whether all have been joined then."""
    found = []
    begin = alive = 0
    for at, row in enumerate(rows):
        if _starts_thread(row):
            begin = at if alive == 0 else begin
            alive += 1
        elif row[0] == n.OP_WAIT and row[1] == JOINS_THREAD:
            alive -= 1
            if alive == 0:
                found.append((begin, at + 1, True))
    return [*found, (begin, len(rows), False)] if alive else found


def _starts_thread(row: Row) -> bool:
    return row[0] == n.OP_FORK and row[1] & n.FORK_THREAD != 0


def _unmapped(mappings: list[Row]) -> list[Row]:
    """What is not mapped any more after these: OP_MUNMAPs of ranges that nothing was mapped in afterwards."""
    again: list[tuple[int, int]] = []
    found: list[Row] = []
    for code, bits, first, pages, *rest in reversed(mappings):
        if code == n.OP_MUNMAP:
            left = without(first, first + pages, again)
            found += [[code, bits, begin, count, *rest] for begin, count in reversed(left)]
        again.append((first, first + pages))
    return found[::-1]
