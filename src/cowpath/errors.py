"""Every exception that cowpath raises on purpose."""

from __future__ import annotations

import os


class CowpathError(Exception):
    """Base of all of them. ``exit_status`` is what the command line ends with."""

    exit_status = 2


class InputError(CowpathError):
    """Something that the user gave is wrong.

    The message names the file, the line and column (from 1) and the word where they are known, says what is wrong,
    and what would be right.
    """

    def __init__(
        self,
        problem: str,
        *,
        file: str | os.PathLike[str] | None = None,
        line: int | None = None,
        column: int | None = None,
        hint: str | None = None,
    ) -> None:
        self.problem = problem
        self.file = None if file is None else os.fspath(file)
        self.line = line
        self.column = column
        self.hint = hint
        place = ":".join(str(part) for part in (self.file, line, column) if part is not None)
        super().__init__((f"{place}: " if place else "") + problem + (f" ({hint})" if hint else ""))


class MachineError(CowpathError):
    """The simulated machine ran out of something (memory, tasks, ...): the run cannot go on."""
