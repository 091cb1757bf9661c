"""Pages that a worker has of its own: of its stack and its data, which fork shares with a child, and of its program.

They are touched before it joins its group, so nobody is charged for them. A forked child copies some of them and maps
others again, and so does its parent when it goes on: the group is charged for those. How many they are is a fact of the
program that did the scenarios, as sizes are of a kernel; it was not the same for v1 and v2.
"""

from __future__ import annotations

from dataclasses import dataclass

from cowpath.kernel import names as n
from cowpath.programs.code import Assembler

FIRST_PAGE = 1 << 13  # below all regions of a scenario; a page table of its own
PAGES = 64
READ = PAGES // 2  # pages from here on are only read: the zero page is mapped, as one of a program would be


@dataclass(frozen=True)
class OwnPages:
    """How many are touched when. What is read charges nobody."""

    parent_writes: int  # when it has forked
    parent_reads: int
    child_writes: int  # before it does anything
    child_reads: int
    later: int  # that the child reads in its first step


OF = {
    "v1": OwnPages(2, 0, 5, 14, 1),  # of ctl fork
    "v2": OwnPages(2, 0, 6, 22, 10),
    "fork": OwnPages(3, 2, 6, 16, 0),  # of the command
}
PROGRAM_WRITES, PROGRAM_READS = 10, 14  # of a small program that a child runs


def begin(asm: Assembler) -> None:
    """The worker, before it joins its group."""
    asm.emit(n.OP_MMAP, a=FIRST_PAGE, b=PAGES, c=n.NONE, bits=n.VM_WRITE)
    _touch(asm, 0, max(own.parent_writes + own.child_writes for own in OF.values()), n.F_WRITE)


def after_fork(asm: Assembler, own: OwnPages) -> None:
    """The parent goes on: with pages that the child does not write to, for one of the two keeps the old page."""
    _touch(asm, 0, own.parent_writes, n.F_WRITE)
    _touch(asm, READ, own.parent_reads, 0)


def born(asm: Assembler, own: OwnPages) -> None:
    """The child begins."""
    _touch(asm, own.parent_writes, own.child_writes, n.F_WRITE)
    _touch(asm, READ, own.child_reads, 0)


def first_step(asm: Assembler, own: OwnPages) -> None:
    """The child is told what to do for the first time."""
    _touch(asm, READ + own.child_reads, own.later, 0)


def program(asm: Assembler) -> None:
    """A small program, from its beginning to its end."""
    asm.emit(n.OP_MMAP, a=FIRST_PAGE, b=PAGES, c=n.NONE, bits=n.VM_WRITE)
    _touch(asm, 0, PROGRAM_WRITES, n.F_WRITE)
    _touch(asm, READ, PROGRAM_READS, 0)


def _touch(asm: Assembler, page: int, count: int, bits: int) -> None:
    if count:
        asm.emit(n.OP_TOUCH, a=FIRST_PAGE + page, b=count, c=1, bits=bits)
