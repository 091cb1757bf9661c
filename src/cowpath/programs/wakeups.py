"""Who waited for whom: whoever was woken by another task of the command goes on after it, in the model as in reality.

A reader of a pipe is no further than its writer, a full pipe holds up its writer, a futex who sleeps on it. How long
they waited is not taken over, nor what was handed on: what woke the sleeper becomes an OP_COMPLETE of the waker, and
where it slept an OP_AWAIT for that one. All of them lie in the order of the recorded time, so they never wait for
each other in a circle.

Most say nothing. An OP_AWAIT is left out where its task does nothing but compute until it waits for the same one
again, and an OP_COMPLETE where nobody waits for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cowpath.kernel import names as n
from cowpath.programs.address_space import Row
from cowpath.programs.recorded_task import Task

LAST_WORD_NS = 1_000_000  # who wakes another and is gone so soon has done it by closing its files (exit_files)


class Wakeups:
    """Those of a recording, while it is read. Tasks are numbered by their place in the recording."""

    def __init__(self) -> None:
        self.completes: dict[int, Row] = {}  # the record of a wake-up -> what the waker has done then
        self.wanted: dict[int, Row] = {}  # id of an OP_AWAIT -> the OP_COMPLETE that it waits for
        self.births: dict[int, Row] = {}  # task -> what its parent has done when it has forked it
        self.times: dict[int, int] = {}  # id of an OP_COMPLETE -> when that was
        self.known: set[tuple[int, int]] = set()  # a task, and another whose birth it has waited for

    def wakes(self, waker: Task, record: int) -> None:
        """The task wakes another one."""
        complete = waker.emit(n.OP_COMPLETE)
        self.completes[record] = complete
        self.times[id(complete)] = waker.now

    def woken(self, task: Task, waker: Task | None, record: int, now: int) -> None:
        """The other one: it waits for the waker, and first for its birth, where it might be there before."""
        complete = self.completes.pop(record, None)
        if complete is None or waker is None or waker is task or not task.started or task.end_ns is not None:
            return
        task.now = now
        for unborn in reversed(list(_unborn(waker, task))):
            if (task.number, unborn.number) not in self.known:
                self.known.add((task.number, unborn.number))
                assert unborn.parent is not None
                self._await(task, unborn.parent, self.births.setdefault(unborn.number, [n.OP_COMPLETE, 0, 0, 0, 0, 0]))
        self._await(task, waker, complete)

    def _await(self, task: Task, other: Task, complete: Row) -> None:
        self.wanted[id(task.emit(n.OP_AWAIT, other.number))] = complete

    def settle(self, tasks: Sequence[Task]) -> None:
        """When all has been read: of all this only what is needed stays in the tasks' rows, and gets its numbers."""
        if not self.times:
            return
        for number, birth in self.births.items():
            parent = tasks[number].parent
            assert parent is not None
            forks = [row[0] == n.OP_FORK and row[2] == number for row in parent.rows]
            parent.rows.insert(forks.index(True) + 1, birth)
        kept = self._kept(tasks)
        counts: dict[int, int] = {}
        for task in tasks:
            needed = [row for row in task.rows if row[0] == n.OP_COMPLETE and id(row) in kept]
            if needed and self._is_last_word(task, needed[-1]):
                kept.discard(id(needed[-1]))  # who waits for it waits for the end: the memory is free by then
            counts |= {id(row): count for count, row in enumerate(needed, 1)}
        for task in tasks:
            rows: list[Row] = []
            for row in task.rows:
                if row[0] == n.OP_COMPUTE and rows and rows[-1][0] == n.OP_COMPUTE:
                    rows[-1][2] += row[2]
                elif row[0] not in (n.OP_AWAIT, n.OP_COMPLETE) or id(row) in kept:
                    rows.append(row)
                if row[0] == n.OP_AWAIT and id(row) in kept:
                    row[3] = counts[id(self.wanted[id(row)])]
            task.rows = rows

    def _is_last_word(self, task: Task, complete: Row) -> bool:
        """Nothing comes after it but the task's end, for which it waits for nobody."""
        if task.end_ns is None or any(row[0] == n.OP_FORK for row in task.rows):
            return False
        after = next(place for place, row in enumerate(task.rows) if row is complete) + 1
        soon = task.end_ns - self.times[id(complete)] <= LAST_WORD_NS
        return soon and all(row[0] == n.OP_COMPUTE for row in task.rows[after:])

    def _kept(self, tasks: Sequence[Task]) -> set[int]:
        """The ids of all rows that are needed. Those that are make others needed, until there are no more."""
        kept: set[int] = set()
        while True:
            awaits = {id(row) for task in tasks for row in self._telling(task.rows, kept)}
            more = awaits | {id(self.wanted[row]) for row in awaits}
            if more <= kept:
                return kept
            kept |= more

    def _telling(self, rows: Sequence[Row], needed: set[int]) -> Iterator[Row]:
        """The OP_AWAITs behind which a task does something before it waits for the same one again, and all for births:
        they may stand behind one for what the parent has done later, and do not say the same.
        """
        births = {id(birth) for birth in self.births.values()}
        later: set[int] = set()  # whom it waits for before it does anything
        for row in reversed(rows):
            if row[0] == n.OP_AWAIT and id(self.wanted[id(row)]) in births:
                yield row
            elif row[0] == n.OP_AWAIT:
                if row[2] not in later:
                    yield row
                later.add(row[2])
            elif row[0] != n.OP_COMPUTE and (row[0] != n.OP_COMPLETE or id(row) in needed):
                later.clear()


def _unborn(waker: Task, task: Task) -> Iterator[Task]:
    """The waker and those above it, the nearest first, that may not be there yet when the task comes so far."""
    line = []
    above: Task | None = task
    while above is not None:
        line.append(above)
        above = above.parent
    other: Task | None = waker
    while other is not None and other not in line:
        if any(each.parent is other.parent and each.number > other.number for each in line) or other.parent is task:
            return  # forked before: all above it are there as well
        yield other
        other = other.parent
