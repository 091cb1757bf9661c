"""What the two files of ``--ftrace`` have in common: records wait in nameless files until all is known."""

from __future__ import annotations

import tempfile
from abc import ABC, abstractmethod
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from cowpath.atomic import cannot_write, replacing
from cowpath.errors import InputError
from cowpath.observe.ftrace_events import Tracepoint

Self = TypeVar("Self", bound="FtraceFile")


class FtraceFile(ABC):
    """Where records go. A context manager: the file gets its name at the end, or nothing is left behind.

    Raises InputError, with the file's name, where it cannot be written: if the folder does not let us, on entering.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._files = ExitStack()
        self._temporary = path

    def __enter__(self: Self) -> Self:
        try:
            with ExitStack() as files:
                self._temporary = files.enter_context(replacing(self.path))
                self._files = files.pop_all()
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            raise self.problem(error) from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        try:
            self._files.__exit__(kind, error, tb)
        except OSError as failure:
            raise self.problem(failure) from failure

    def problem(self, error: Exception) -> InputError:
        """What to say of a file that cannot be written."""
        return cannot_write(self.path, error, "the trace")

    def waiting(self) -> Any:
        """A file without a name, where records wait."""
        return self._files.enter_context(tempfile.TemporaryFile(dir=self.path.parent))

    @abstractmethod
    def begin(self, cpus: int) -> None:
        """Before the first record: how many CPUs there are."""

    @abstractmethod
    def record(self, time: int, cpu: int, pid: int, comm: str, what: Tracepoint, values: tuple[Any, ...]) -> None:
        """A record, of the task that runs on the CPU; ``time`` in ns, which do not decrease."""

    @abstractmethod
    def finish(self, comms: dict[int, str]) -> None:
        """All is written: put it behind its head. ``comms``: the last name of each pid."""
