"""Recordings as programs: every touch has its mapping; make's pool has the right shape."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
import pytest

from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.programs.build import ARCHIVE, LINK, OBJECT, compile_build, find_make, job_kind
from cowpath.programs.code import Code
from cowpath.programs.library import packaged
from cowpath.programs.recording import Recording, load
from cowpath.programs.replay import compile_tree

NAMES = sorted(packaged())
OBJECTS, ALONE, LINKS = 34, 2, 2

Page = tuple[int, int, int]  # vm bits, file, page of the file


@dataclass
class Seen:
    """What one instance of every task of a program did."""

    tasks: int = 0
    touches: int = 0
    marks: list[int] = field(default_factory=list)
    most_running: int = 0  # children of one task at a time
    exits: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def simulate(code: Code, fail_at: int | None = None) -> Seen:
    """The address spaces in plain Python, an oracle that shares no code with the importer.

    Run all tasks one after another (no jump is taken), a child where it is forked. ``fail_at``: that wait fails."""
    seen = Seen()
    sizes = [file.pages for file in code.files]
    rows = code.ops.tolist()
    waits = 0

    def run(pc: int, pages: dict[int, Page]) -> None:
        nonlocal waits
        seen.tasks += 1
        children, status = 0, 0
        while True:
            op, bits, a, b, c, d = rows[pc]
            pc += 1
            if op == n.OP_EXIT:
                seen.exits.append(a)
                if children:
                    seen.wrong.append(f"{pc}: left {children} children behind")
                return
            if op == n.OP_EXEC:
                pages, pc = {}, a
            elif op == n.OP_MMAP:
                pages.update({a + i: (bits, c, d + i) for i in range(b)})
            elif op == n.OP_MUNMAP:
                for vpn in range(a, a + b):
                    pages.pop(vpn, None)
            elif op == n.OP_TOUCH:
                touch(pc, pages.get(a), bits)
            elif op == n.OP_FORK:
                run(a, pages if bits & n.FORK_THREAD else dict(pages))
                children += 1
                seen.most_running = max(seen.most_running, children)
            elif op == n.OP_WAIT:
                if not children:
                    seen.wrong.append(f"{pc}: waits for nobody")
                children = 0 if a == n.ALL_CHILDREN else children - 1
                status = int(waits == fail_at)
                waits += 1
            elif op == n.OP_JUMP and status:
                pc, children = a, max(children, 1)  # ALL_CHILDREN finds somebody
            elif op == n.OP_MARK:
                seen.marks.append(a)
            elif op in (n.OP_READ, n.OP_WRITE):
                room = code.files[a].room if op == n.OP_WRITE else sizes[a]
                if b + c > room:
                    seen.wrong.append(f"{pc}: pages {b}+{c} of a file of {room}")

    def touch(pc: int, page: Page | None, bits: int) -> None:
        seen.touches += 1
        if page is None:
            seen.wrong.append(f"{pc}: no mapping")
        elif bits & n.F_WRITE and not page[0] & n.VM_WRITE:
            seen.wrong.append(f"{pc}: read-only")
        elif page[1] != n.NONE and page[2] >= sizes[page[1]]:
            seen.wrong.append(f"{pc}: beyond the end of {code.files[page[1]].name}")

    run(0, {})
    return seen


@pytest.fixture(scope="module")
def build() -> Recording:
    return load(packaged()["lua_j2"])


@pytest.mark.parametrize("name", NAMES)
def test_every_touch_has_its_mapping(name: str) -> None:
    recording = load(packaged()[name])
    code = compile_tree(recording)
    seen = simulate(code)
    assert seen.wrong == []
    assert seen.tasks == len(recording.processes)
    assert seen.touches == int((recording.ops["code"] == n.OP_TOUCH).sum())
    assert (seen.marks, code.jobs) == ([0], 1)
    assert set(seen.exits) == {0}
    assert code.ops[0]["code"] == n.OP_EXEC
    assert code.slots == ()


@pytest.mark.parametrize("name", NAMES)
def test_a_process_is_contiguous(name: str) -> None:
    ops = compile_tree(load(packaged()[name])).ops
    execs = np.flatnonzero(ops["code"] == n.OP_EXEC)
    assert (ops["a"][execs] == execs + 1).all()
    entries = ops["a"][ops["code"] == n.OP_FORK]
    assert (ops["code"][entries - 1] == n.OP_EXIT).all()


def test_the_nested_make_and_its_jobs(build: Recording) -> None:
    make = find_make(build)
    assert [build.processes[number].comm for number in (0, 1, make)] == ["make", "sh", "make"]
    kinds = [job_kind(build, child) for child in build.children_of(make)]
    assert kinds == [OBJECT] * OBJECTS + [ARCHIVE] * ALONE + [LINK] * LINKS


@pytest.mark.parametrize(("jobs", "copies"), [(1, 1), (2, 1), (8, 3), (None, 1), (None, 3), (500, 1)])
def test_the_pool(build: Recording, jobs: int | None, copies: int) -> None:
    code = compile_build(build, jobs, copies)
    seen = simulate(code)
    assert seen.wrong == []
    assert code.jobs == len(seen.marks) == OBJECTS * copies + ALONE + LINKS
    assert seen.most_running == min(jobs or OBJECTS * copies, OBJECTS * copies)
    assert seen.tasks == 2 + 1 + OBJECTS * copies * 3 + ALONE + LINKS * 3
    assert seen.marks == sorted(seen.marks)


def test_archive_and_links_come_after_all_objects(build: Recording) -> None:
    """The number of children that are still running where a job starts."""
    code = compile_build(build, None)
    rows = code.ops.tolist()
    at = 0
    for _ in range(2):  # make forks sh, sh forks the make that has the pool
        at = next(row[2] for row in rows[at:] if row[0] == n.OP_FORK)
    running, at_start = 0, []
    for op, _, a, *_ in rows[at:]:
        if op == n.OP_EXIT:
            break
        if op == n.OP_FORK:
            at_start.append(running)
            running += 1
        elif op == n.OP_WAIT and a == n.ANY_CHILD:
            running -= 1
    assert at_start == [*range(OBJECTS), 0, 0, 0, 1]


def test_copies_share_their_instructions(build: Recording) -> None:
    once, often = compile_build(build, 2), compile_build(build, 2, copies=6)
    assert len(often.ops) - len(once.ops) == 3 * OBJECTS * 5  # a fork, a wait and a jump each
    assert often.files == once.files


def test_a_failed_job_ends_the_build_with_2(build: Recording) -> None:
    """gcc's wait for cc1 fails: gcc exits with 1, and so on; the first wait of the whole tree is such a one."""
    seen = simulate(compile_build(build, 2), fail_at=0)
    assert 1 in seen.exits
    assert len(seen.marks) == OBJECTS + ALONE + LINKS - 1
    waits_of_a_job = 2  # cc1 and as
    in_make = simulate(compile_build(build, 1), fail_at=waits_of_a_job)  # make's wait for its first job
    assert in_make.exits[-3:] == [2, 0, 0]
    assert len(in_make.marks) == 1


def test_not_a_build() -> None:
    with pytest.raises(InputError, match=r"the recording ls is not of a build .*recorded make"):
        compile_build(load(packaged()["ls"]), 2)


@pytest.mark.parametrize(("jobs", "copies"), [(0, 1), (-3, 1), (2, 0)])
def test_impossible_numbers(build: Recording, jobs: int, copies: int) -> None:
    with pytest.raises(InputError, match="a whole number from 1"):
        compile_build(build, jobs, copies)


def test_it_is_fast() -> None:
    began = time.process_time()
    compile_build(load(packaged()["lua_j2"]), None, 6)
    assert time.process_time() - began < 1.5
