"""Looks at a process become touches of pages that it has touched before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cowpath.kernel import names as n
from cowpath.programs.address_space import AddressSpace
from cowpath.programs.comes_back import looked_at
from cowpath.programs.importer import recorded
from cowpath.programs.recorded_task import Task
from cowpath.programs.recording import ALL_KNOWN
from cowpath.programs.tables import REVISITS, SCHEMAS, Tables

PAGE = 4096
FIRST = 1 << 20
PRIVATE, POPULATE = 0x22, 0x8000


def space_of(pages: int, *, file: int = n.NONE) -> tuple[Task, AddressSpace]:
    task, space = Task(1, 1, 0, None, None, "job", 0), AddressSpace()
    space.map(task.emit(n.OP_MMAP, FIRST, pages, file))
    for vpn in range(FIRST, FIRST + pages):
        space.touched[vpn] = task.emit(n.OP_TOUCH, vpn, 1)
        space.fresh.add(vpn)
    return task, space


def again(task: Task) -> list[int]:
    """Pages touched after the first touches, each once."""
    rows = [row for row in task.rows if row[0] == n.OP_TOUCH and row[3] != 1]
    return sorted(row[2] + at * row[4] for row in rows for at in range(row[3] if row[4] else 1))


def look(task: Task, space: AddressSpace, used: int, first: int = FIRST, pages: int = 1 << 10) -> int:
    return looked_at(task, space, first * PAGE, (first + pages) * PAGE, used)


def test_what_was_touched_for_the_first_time_is_not_come_back_to() -> None:
    task, space = space_of(100)
    assert look(task, space, 100) == 0
    assert look(task, space, 40) == 40
    assert len(again(task)) == 40 and set(again(task)) <= set(range(FIRST, FIRST + 100))


def test_always_the_same_ones_first() -> None:
    task, space = space_of(256)
    look(task, space, 256)
    few, many = [], []
    for used, into in ((16, few), (64, many)):
        before = len(task.rows)
        look(task, space, used)
        task.rows, kept = task.rows[before:], task.rows[:before]
        into += again(task)
        task.rows = kept
    assert set(few) < set(many) and len(many) == 64


def test_never_more_than_there_are_and_none_that_is_unmapped() -> None:
    task, space = space_of(50)
    look(task, space, 50)
    space.unmap(FIRST, 10)
    look(task, space, 10_000)
    assert again(task) == list(range(FIRST + 10, FIRST + 50))


def test_the_neighbours_that_fault_around_has_mapped_do_not_count() -> None:
    task, space = space_of(2, file=3)
    assert look(task, space, 32) == 0
    task, space = space_of(2)
    assert look(task, space, 32) == 0  # it has touched no other


def test_what_was_touched_before_the_first_look_is_old() -> None:
    task, space = space_of(20)
    looked_at(task, space, 0, 0, 0)
    assert look(task, space, 20) == 20


def tables_of(flags: int) -> Tables:
    """A launcher, and a command that maps 8 pages and touches them."""

    def rows(table: str, *values: tuple[object, ...]) -> np.ndarray:
        return np.array(list(values), SCHEMAS[table])

    address = FIRST * PAGE
    life = ((0, 1, 1, "comm", 0, "launcher"), (1, 2, 2, "fork", 1, ""), (2, 2, 2, "exec_comm", 0, "job"),
            (3, 2, 2, "exec", 0, ""), (10**9, 2, 2, "exit_task", 0, ""))  # fmt: skip
    calls = ((10, 2, 2, 5, "mmap", 0, 8 * PAGE, 3, flags, 0, address),)
    faults = [(100 + at, 2, 2, 0, address + at * PAGE, 6) for at in range(8)]
    return Tables(rows("faults", *faults), rows("procs", *life), rows("maps"), rows("vmcalls", *calls),
                    rows("pagecache"), ("job",), None)  # fmt: skip


@pytest.mark.parametrize("looks", [True, False])
def test_a_process_that_was_looked_at_owes_nothing_to_the_rule(looks: bool) -> None:
    address, tables = FIRST * PAGE, tables_of(PRIVATE)
    seen = [(50, 2, 2, 0, 0, 0), (500, 2, 2, address, address + 8 * PAGE, 8),
            (900, 2, 2, address, address + 8 * PAGE, 5)]  # fmt: skip
    if looks:
        tables = replace(tables, revisits=np.array(seen, REVISITS))
    recording = recorded(tables, "job", "job")
    touched = recording.ops[recording.ops["code"] == n.OP_TOUCH]
    assert recording.facts.get("pages_again", 0) == (5 if looks else 0)
    assert touched["b"][:8].tolist() == [ALL_KNOWN if looks else 1] * 8
    assert (touched["b"] != 1).all() == looks


def test_what_the_kernel_populates_is_touched_at_once() -> None:
    ops = recorded(tables_of(PRIVATE | POPULATE), "job", "job").ops
    at = int(np.flatnonzero(ops["code"] == n.OP_MMAP)[0])
    assert ops[["code", "bits", "a", "b", "c"]][at + 1].tolist() == (n.OP_TOUCH, n.F_WRITE, FIRST, 8, 1)
