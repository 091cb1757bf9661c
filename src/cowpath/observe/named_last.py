"""A file that is written while a run goes on."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from cowpath.atomic import cannot_write, replacing
from cowpath.errors import InputError

Self = TypeVar("Self", bound="NamedLast")


class NamedLast:
    """A context manager: the file gets its name at the end; after an error or Ctrl-C nothing is left behind.

    Raises InputError, with the file's name, where it cannot be written: if the folder does not let us, on entering,
    before any work is done.
    """

    WHAT = "the trace"  # it holds, for what is said then

    def __init__(self, path: Path) -> None:
        self.path = path
        self._temporary = path
        self._files = ExitStack()

    def __enter__(self: Self) -> Self:
        try:
            with ExitStack() as files:
                self._temporary = files.enter_context(replacing(self.path))
                self._open(files)
                self._files = files.pop_all()
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            raise self.problem(error) from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if error is not None:
            with suppress(OSError):  # of a full disk, which has been told
                self._files.__exit__(kind, error, tb)
            return
        try:
            with self._files:
                self._finish()
        except OSError as failure:
            raise self.problem(failure) from failure

    def _open(self, files: ExitStack) -> None:
        """Open what is needed from the beginning on."""

    def _finish(self) -> None:
        """Write what is left to be written when all has gone well."""

    def problem(self, error: Exception) -> InputError:
        """What to say of a file that cannot be written."""
        return cannot_write(self.path, error, self.WHAT)
