"""Mappings of processes with threads: made before the threads, unmapped when the last has been joined."""

from __future__ import annotations

from cowpath.kernel import names as n
from cowpath.programs.recorded_task import JOINS_THREAD, Task
from cowpath.programs.threads import hoist_mappings


class Clock:
    def __init__(self) -> None:
        self.leader = Task(1, 1, 0, None, None, "leader", 0)
        self.threads: list[Task] = []
        self.now = 0

    def do(self, task: Task, code: int, a: int = 0, b: int = 0, bits: int = 0) -> None:
        self.now += 1
        task.now = self.now
        task.emit(code, a, b, bits=bits)

    def start(self) -> Task:
        thread = Task(1, 2 + len(self.threads), 1 + len(self.threads), self.leader, self.leader, "thread", self.now)
        self.threads.append(thread)
        self.do(self.leader, n.OP_FORK, thread.number, n.NONE, n.FORK_THREAD)
        return thread

    def join(self) -> None:
        self.do(self.leader, n.OP_WAIT, n.ANY_CHILD, bits=JOINS_THREAD)

    def rows(self) -> list[tuple[int, int, int]]:
        hoist_mappings(self.leader, self.threads)
        return [(row[0], row[2], row[3]) for row in self.leader.rows]


def test_what_is_unmapped_among_threads_goes_when_they_have_ended() -> None:
    clock = Clock()
    clock.do(clock.leader, n.OP_MMAP, 100, 10)
    thread = clock.start()
    clock.do(clock.leader, n.OP_MMAP, 200, 10)
    clock.do(thread, n.OP_MMAP, 300, 10)
    clock.do(thread, n.OP_TOUCH, 200, 1)
    clock.do(clock.leader, n.OP_MUNMAP, 100, 10)
    clock.do(clock.leader, n.OP_MUNMAP, 200, 10)
    clock.do(clock.leader, n.OP_MMAP, 205, 2)  # is there at the end
    clock.join()
    clock.do(clock.leader, n.OP_MUNMAP, 300, 10)
    assert clock.rows() == [
        (n.OP_MMAP, 100, 10), (n.OP_MMAP, 200, 10), (n.OP_MMAP, 300, 10), (n.OP_MMAP, 205, 2), (n.OP_FORK, 1, n.NONE),
        (n.OP_WAIT, n.ANY_CHILD, 0), (n.OP_MUNMAP, 100, 10), (n.OP_MUNMAP, 200, 5), (n.OP_MUNMAP, 207, 3),
        (n.OP_MUNMAP, 300, 10),
    ]  # fmt: skip
    assert [row[0] for row in thread.rows] == [n.OP_TOUCH]


def test_between_two_crowds_of_threads_all_stays_in_its_place() -> None:
    clock = Clock()
    for start in (100, 200):
        clock.start()
        clock.start()
        clock.join()
        clock.join()
        clock.do(clock.leader, n.OP_MMAP, start, 10)
        clock.do(clock.leader, n.OP_MUNMAP, start, 10)
    before = [(row[0], row[2], row[3]) for row in clock.leader.rows]
    assert clock.rows() == before


def test_where_a_thread_is_never_joined_all_stays_mapped() -> None:
    clock = Clock()
    clock.start()
    clock.start()
    clock.join()
    clock.do(clock.leader, n.OP_MMAP, 100, 10)
    clock.do(clock.leader, n.OP_MUNMAP, 100, 10)
    assert [row[0] for row in clock.rows()] == [n.OP_MMAP, n.OP_FORK, n.OP_FORK, n.OP_WAIT]
