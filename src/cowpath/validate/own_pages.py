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


@dataclass(frozen=True)
class OwnPages:
    """How many are touched when."""

    parent: int  # that the parent writes to when it has forked
    copied: int  # that the child writes to before it does anything
    mapped: int  # that it reads before: faults that charge nobody
    later: int  # that it reads in its first step
    written: int  # that a small program writes to which a child runs
    read: int  # that such a program reads


OF = {"v1": OwnPages(2, 5, 14, 1, 10, 14), "v2": OwnPages(2, 6, 22, 10, 10, 14)}


def begin(asm: Assembler, own: OwnPages) -> None:
    """The worker, before it joins its group."""
    asm.emit(n.OP_MMAP, a=FIRST_PAGE, b=PAGES, c=n.NONE, bits=n.VM_WRITE)
    _touch(asm, 0, own.parent + own.copied, n.F_WRITE)


def after_fork(asm: Assembler, own: OwnPages) -> None:
    """The parent goes on: with pages that the child does not write to, for one of the two keeps the old page."""
    _touch(asm, 0, own.parent, n.F_WRITE)


def born(asm: Assembler, own: OwnPages) -> None:
    """The child begins. What it reads was never written to: the zero page is mapped, as one of its program would be."""
    _touch(asm, own.parent, own.copied, n.F_WRITE)
    _touch(asm, PAGES // 2, own.mapped, 0)


def first_step(asm: Assembler, own: OwnPages) -> None:
    """The child is told what to do for the first time."""
    _touch(asm, PAGES // 2 + own.mapped, own.later, 0)


def program(asm: Assembler, own: OwnPages) -> None:
    """A small program, from its beginning to its end."""
    asm.emit(n.OP_MMAP, a=FIRST_PAGE, b=PAGES, c=n.NONE, bits=n.VM_WRITE)
    _touch(asm, 0, own.written, n.F_WRITE)
    _touch(asm, PAGES // 2, own.read, 0)


def _touch(asm: Assembler, page: int, count: int, bits: int) -> None:
    asm.emit(n.OP_TOUCH, a=FIRST_PAGE + page, b=count, c=1, bits=bits)
