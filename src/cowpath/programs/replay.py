"""A recording as a program: every process does again what it was recorded doing, in its own recorded order.

Processes keep the recorded order only where they wait for one another. A recorded wait is for any child; a process
that still has children at its end waits for them. If a child fails (the OOM killer got it), its parent waits for the
others and exits with a failure too, as gcc and make do; a shell goes on unless it was the last child.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cowpath.kernel import books
from cowpath.kernel import names as n
from cowpath.programs.code import Code, FileUse, Ops
from cowpath.programs.recording import Recording

SHELLS = frozenset(("sh", "dash", "bash"))
FAILURE = {"make": 2}  # exit status of a program whose child has failed; 1 for all others


def compile_tree(recording: Recording) -> Code:
    """The whole recorded process tree; it starts at the command and marks one job when the command has ended."""
    bodies = [body(recording, number) for number in range(len(recording.processes))]
    bodies[0] = body(recording, 0, mark=0)
    return link(recording, bodies, jobs=1)


def instruction(code: int, a: int = 0, b: int = 0, c: int = 0, d: int = 0, bits: int = 0) -> Ops:
    """An array of one instruction."""
    row = np.zeros(1, dtype=books.op)
    row["code"], row["bits"], row["a"], row["b"], row["c"], row["d"] = code, bits, a, b, c, d
    return row


def body(recording: Recording, number: int, *, mark: int | None = None, ops: Ops | None = None) -> Ops:
    """A process from its first instruction to OP_EXIT, with job ``mark`` done at its end, which is a family of its own.

    ``ops`` stands in for what was recorded. Jumps and OP_EXEC count from the body's start, OP_FORK and OP_AWAIT name a
    process.
    """
    ops = (recording.ops_of(number) if ops is None else ops).copy()
    comm = recording.processes[number].comm
    head = [] if mark is None or n.OP_AWAIT not in recording.ops["code"] else [instruction(n.OP_FAMILY)]
    ops = np.concatenate((*head, ops, *_remaining_waits(ops)))
    waits = ops["code"] == n.OP_WAIT
    checked = np.flatnonzero(waits & (ops["bits"] == 0))  # a thread has no exit status
    ops["bits"][waits] = 0
    if comm in SHELLS:
        checked = checked[-1:]
    ops = np.insert(ops, checked + 1, instruction(n.OP_JUMP, bits=n.JUMP_IF_FAILED))
    execs = np.flatnonzero(ops["code"] == n.OP_EXEC)
    ops["a"][execs] = execs + 1
    tail = [] if mark is None else [instruction(n.OP_MARK, mark)]
    tail.append(instruction(n.OP_EXIT, 0))
    if len(checked):
        ops["a"][ops["code"] == n.OP_JUMP] = len(ops) + len(tail)
        tail += [instruction(n.OP_WAIT, n.ALL_CHILDREN), instruction(n.OP_EXIT, FAILURE.get(comm, 1))]
    return np.concatenate((ops, *tail))


def _remaining_waits(ops: Ops) -> list[Ops]:
    """Waits for the children, then for the threads, that were never waited for."""
    missing = []
    for kind in (0, n.FORK_THREAD):
        forks = np.count_nonzero((ops["code"] == n.OP_FORK) & (ops["bits"] == kind))
        waits = np.count_nonzero((ops["code"] == n.OP_WAIT) & (ops["bits"] == kind))
        missing += [instruction(n.OP_WAIT, n.ANY_CHILD, bits=kind)] * (forks - waits)
    return missing


def link(recording: Recording, bodies: Sequence[Ops], jobs: int) -> Code:
    """Put the bodies of all processes behind one another and turn what they say of each other into addresses."""
    starts = np.cumsum([0, *map(len, bodies)])
    ops = np.concatenate(bodies)
    base = np.repeat(starts[:-1], np.diff(starts))
    local = np.isin(ops["code"], (n.OP_EXEC, n.OP_JUMP))
    ops["a"][local] += base[local]
    others = np.isin(ops["code"], (n.OP_FORK, n.OP_AWAIT))
    ops["a"][others] = starts[ops["a"][others]]
    files = tuple(
        FileUse(file.name, file.pages, file.room, file.shmem, file.warm and recording.knows_cache)
        for file in recording.files
    )
    return Code(recording.name, ops, files, recording.comms, jobs=jobs)
