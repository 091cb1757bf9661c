"""A program together with what it needs from other programs: what the linker puts into the image."""

from __future__ import annotations

from dataclasses import dataclass

from cowpath.programs.code import Code
from cowpath.words import Word


@dataclass(frozen=True)
class Call:
    """An instruction whose operand ``a`` is the start of another program: that program runs as ``slot``."""

    at: int
    program: Word
    arguments: tuple[Word, ...]
    slot: str  # the name that the caller has for the task; "": the caller's own task goes on as that program
    outside: bool | None = None  # True: outside every group; None: where the caller is


@dataclass(frozen=True)
class FarRegion:
    """An instruction whose operand ``b`` is a page of a region of another program's task: so far of that region."""

    at: int
    task: Word
    region: Word
    pages: int  # that must be there from it on; 0: to the region's end


@dataclass(frozen=True)
class Unit:
    """A Code, the programs that it starts, and the slots in it that are other programs' tasks."""

    code: Code
    calls: tuple[Call, ...] = ()
    outer: tuple[Word, ...] = ()
    far: tuple[FarRegion, ...] = ()
    groups: tuple[Word, ...] = ()  # of the session, that OP_ATTACH speaks of, counted from 0

    @property
    def shareable(self) -> bool:
        """Whether tasks that run it side by side cannot mix up each other's children."""
        return not self.calls and not self.code.slots and not self.groups
