"""``make -jN`` of a recorded build: its jobs, in the recorded order, as a pool of at most N at a time.

The make that runs the compilers does all that it was recorded doing between its children; only its waits are new:
before a job it waits for any child while N are running. A job is a child of that make with all its descendants. Jobs
in which a compiler runs are objects; ``ar`` and ``ranlib`` wait for everything before them and run alone; links wait
for the objects and the archive, and then share the pool. If a job fails, make starts no other, waits for those that
run, and exits with 2, as make without -k does.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.programs.code import Code, Ops
from cowpath.programs.recording import Recording
from cowpath.programs.replay import body, instruction, link

MAKE = "make"
COMPILERS = frozenset(("cc1", "cc1plus", "clang", "rustc"))
LINKERS = frozenset(("collect2", "ld", "lld", "gold"))
OBJECT, ARCHIVE, LINK = range(3)


def compile_build(recording: Recording, jobs: int | None = None, copies: int = 1) -> Code:
    """The recorded build with at most ``jobs`` running (None: all at once) and each object made ``copies`` times.

    Copies share their instructions, and so the files that they write. Raises InputError where there is no build in
    the recording or a number is below 1.
    """
    for value, option in ((jobs, "-j"), (copies, "--copies")):
        if value is not None and value < 1:
            raise InputError(f"{option} {value}: there is no such number of jobs", hint="a whole number from 1")
    make = find_make(recording)
    kinds = {child: job_kind(recording, child) for child in recording.children_of(make)}
    marks = {child: number for number, child in enumerate(kinds)}
    bodies = [body(recording, number, mark=marks.get(number)) for number in range(len(recording.processes))]
    pool = np.concatenate(list(_pool(recording.ops_of(make), kinds, jobs or n.UNLIMITED, copies)))
    bodies[make] = body(recording, make, ops=pool)
    return link(recording, bodies, jobs=sum(copies if kind == OBJECT else 1 for kind in kinds.values()))


def find_make(recording: Recording) -> int:
    """The process that runs the compilers: the ``make`` with the most objects. Raises InputError if there is none."""
    makes = [number for number, process in enumerate(recording.processes) if process.comm == MAKE]
    objects = {m: sum(job_kind(recording, child) == OBJECT for child in _direct(recording, m)) for m in makes}
    best = max(objects, key=lambda make: objects[make], default=n.NONE)
    if best == n.NONE or not objects[best]:
        hint = "-j and --copies need a recorded make whose children run a compiler"
        raise InputError(f"the recording {recording.name} is not of a build", hint=hint)
    return best


def _direct(recording: Recording, make: int) -> Iterator[int]:
    """Children that are not a way to another make: of nested makes the innermost is the one."""
    for child in recording.children_of(make):
        if MAKE not in _comms(recording, child):
            yield child


def _comms(recording: Recording, number: int) -> set[str]:
    """The names of a process and of all its descendants."""
    family = {number}
    for child in range(number + 1, len(recording.processes)):  # children come after their parents
        if recording.processes[child].parent in family:
            family.add(child)
    return {recording.processes[member].comm for member in family}


def job_kind(recording: Recording, number: int) -> int:
    """OBJECT, ARCHIVE (or anything else that must run alone) or LINK."""
    comms = _comms(recording, number)
    if comms & COMPILERS:
        return OBJECT
    return LINK if comms & LINKERS else ARCHIVE


def _pool(ops: Ops, kinds: dict[int, int], most: int, copies: int) -> Iterator[Ops]:
    """Make's own instructions with its recorded waits replaced."""
    running, phase, begin = 0, OBJECT, 0
    ops = ops[(ops["code"] != n.OP_WAIT)]
    for at in np.flatnonzero(ops["code"] == n.OP_FORK).tolist():
        yield ops[begin:at]
        begin = at + 1
        kind = kinds[int(ops["a"][at])]
        alone = kind == ARCHIVE or (kind != phase and kind == LINK) or phase == ARCHIVE
        phase = kind
        for _ in range(copies if kind == OBJECT else 1):
            allowed = 0 if alone else most - 1
            if running > allowed:
                yield np.repeat(instruction(n.OP_WAIT, n.ANY_CHILD), running - allowed)
                running = allowed
            yield ops[at : at + 1]
            running += 1
            alone = False
    yield ops[begin:]
