"""Relocatable programs: what a recording, a written program or the session's shell is compiled to.

A ``Code`` counts its instructions, files, task names and slots from 0; ``session.link`` puts many together into one
image. The instructions are the ``OP_*`` of ``kernel.names``; their operands are documented there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from cowpath.kernel import names as n
from cowpath.kernel.books import op as OP_DTYPE

Ops = npt.NDArray[Any]

# which operand of an instruction is what: these are what linking has to shift
TARGETS = {n.OP_NEXT: "c", n.OP_JUMP: "a", n.OP_FORK: "a", n.OP_EXEC: "a", n.OP_AWAIT: "a"}
FILES = {
    n.OP_MMAP: "c", n.OP_READ: "a", n.OP_WRITE: "a", n.OP_FADVISE: "a", n.OP_TRUNCATE: "a", n.OP_FAIL_READS: "a",
    n.OP_FSYNC: "a", n.OP_LSEEK: "a", n.OP_STAT: "a", n.OP_CREAT: "a", n.OP_READDIR: "a",
    n.OP_OPEN: "a",
}  # fmt: skip
COMMS = {n.OP_FORK: "c", n.OP_EXEC: "c"}
SLOTS = {n.OP_FORK: "b", n.OP_WAIT: "a", n.OP_KILL: "a", n.OP_READ_PROC: "a", n.OP_REMOTE: "a", n.OP_CLASSIFY: "b"}

DENTRIES = {n.OP_STAT: "b", n.OP_CREAT: "b"}


@dataclass(frozen=True)
class FileUse:
    """A file that a program uses. ``pages`` is its size at the start, ``room`` the most that it ever grows to.

    One whose name ends in "/" is a directory.
    """

    name: str
    pages: int
    room: int
    shmem: bool = False
    warm: bool = False  # it was in the page cache when the program was recorded


@dataclass(frozen=True)
class Region:
    """What the instructions ``begin`` to ``end - 1`` of a program call the pages from ``first`` on."""

    begin: int
    end: int
    name: str
    first: int
    pages: int


@dataclass(frozen=True)
class Code:
    """A relocatable program. Its first instruction is where it starts; it ends with OP_EXIT."""

    name: str
    ops: Ops  # dtype kernel.books.op
    files: tuple[FileUse, ...] = ()
    comms: tuple[str, ...] = ()  # names of tasks ("cc1"), for OP_FORK and OP_EXEC
    slots: tuple[str, ...] = ()  # names of other tasks that it speaks of
    dentries: tuple[str, ...] = ()  # names of files that it looks up ("dir/name")
    jobs: int = 0  # how many OP_MARK a whole run passes
    regions: tuple[Region, ...] = ()  # names of memory; a recording has none


@dataclass
class Assembler:
    """Builds a Code an instruction at a time."""

    name: str
    rows: list[tuple[int, int, int, int, int, int]] = field(default_factory=list)
    files: dict[str, FileUse] = field(default_factory=dict)
    comms: dict[str, int] = field(default_factory=dict)
    slots: dict[str, int] = field(default_factory=dict)
    dentries: dict[str, int] = field(default_factory=dict)
    jobs: int = 0
    regions: list[Region] = field(default_factory=list)

    @property
    def here(self) -> int:
        """The number of the next instruction."""
        return len(self.rows)

    def emit(self, code: int, a: int = 0, b: int = 0, c: int = 0, d: int = 0, bits: int = 0) -> int:
        """Append an instruction and return its number."""
        self.rows.append((code, bits, a, b, c, d))
        return len(self.rows) - 1

    def patch(self, at: int, operand: str, value: int) -> None:
        """Set an operand of an earlier instruction (a forward jump)."""
        row = list(self.rows[at])
        row[2 + "abcd".index(operand)] = value
        self.rows[at] = (row[0], row[1], row[2], row[3], row[4], row[5])

    def file(self, name: str, pages: int, room: int | None = None, shmem: bool = False) -> int:
        """The number of a file; its size and room grow to the largest that any use asked for."""
        old = self.files.get(name)
        new = FileUse(name, pages, max(pages, room or 0), shmem)
        if old is not None:
            new = FileUse(name, max(old.pages, pages), max(old.room, new.room), old.shmem or shmem)
        self.files[name] = new
        return list(self.files).index(name)

    def comm(self, name: str) -> int:
        """The number of a task's name."""
        return self.comms.setdefault(name, len(self.comms))

    def slot(self, name: str) -> int:
        """The number of a slot."""
        return self.slots.setdefault(name, len(self.slots))

    def name_regions(self, begin: int, places: Mapping[str, tuple[int, int]]) -> None:
        """What the instructions from ``begin`` up to here call their memory: first page and number of pages."""
        self.regions += [Region(begin, self.here, name, first, pages) for name, (first, pages) in places.items()]

    def dentry(self, path: str) -> int:
        """The number of a name that is looked up."""
        return self.dentries.setdefault(path, len(self.dentries))

    def code(self) -> Code:
        """What was assembled."""
        ops = np.array(self.rows, dtype=np.dtype([(f, OP_DTYPE[f].str) for f in ("code", "bits", "a", "b", "c", "d")]))
        packed = np.zeros(len(ops), dtype=OP_DTYPE)
        for name in ("code", "bits", "a", "b", "c", "d"):
            packed[name] = ops[name]
        named = (tuple(self.comms), tuple(self.slots), tuple(self.dentries))
        return Code(self.name, packed, tuple(self.files.values()), *named, self.jobs,
                    tuple(self.regions))  # fmt: skip
