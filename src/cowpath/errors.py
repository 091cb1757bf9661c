"""Every exception that cowpath raises on purpose."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

MOST_SHOWN = 20  # errors of one session


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


class InputErrors(InputError):  # noqa: N818 - several
    """Several things that are wrong at once, a line each. Its place, problem and hint are those of the first."""

    def __init__(self, errors: Sequence[InputError]) -> None:
        first = errors[0]
        super().__init__(first.problem, file=first.file, line=first.line, column=first.column, hint=first.hint)
        self.errors = tuple(errors)
        more = [f"... and {len(errors) - MOST_SHOWN} more"] if len(errors) > MOST_SHOWN else []
        self.lines = (*(str(error) for error in errors[:MOST_SHOWN]), *more)
        self.args = ("\n".join(self.lines),)


class ToldError(InputError):
    """What follows from something wrong that is told already: it is not told again."""

    def __init__(self) -> None:
        super().__init__("it follows from another error")


class Gathered:
    """Errors that are put by until all of them can be told."""

    def __init__(self, shown: Callable[[InputError], InputError] = lambda error: error) -> None:
        """``shown`` makes of an error what people are told."""
        self.found: list[InputError] = []
        self.shown = shown

    def __bool__(self) -> bool:
        return bool(self.found)

    def add(self, error: InputError) -> None:
        """Put an error by, once."""
        error = self.shown(error)
        if not isinstance(error, ToldError) and str(error) not in map(str, self.found):
            self.found.extend(error.errors if isinstance(error, InputErrors) else [error])

    @contextmanager
    def kept(self) -> Iterator[None]:
        """An InputError of the block is put by, and ends the block."""
        try:
            yield
        except InputError as error:
            self.add(error)

    def tell(self) -> None:
        """Raise what there is: file by file, each from its first line to its last."""
        if not self.found:
            return
        files = list(dict.fromkeys(error.file for error in self.found))
        self.found.sort(key=lambda error: (files.index(error.file), error.line or 0, error.column or 0))
        raise self.found[0] if len(self.found) == 1 else InputErrors(self.found)


class WorkerError(CowpathError):
    """A process that worked for this one was ended by somebody else: what it was asked for is not finished."""

    exit_status = 3


class MachineError(CowpathError):
    """The simulated machine ran out of something (memory, tasks, ...): the run cannot go on."""
