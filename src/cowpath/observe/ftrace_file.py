"""What the two files of ``--ftrace`` have in common: records wait in nameless files until all is known."""

from __future__ import annotations

import tempfile
from abc import ABC, abstractmethod
from typing import Any

from cowpath.observe.ftrace_events import Tracepoint
from cowpath.observe.named_last import NamedLast


class FtraceFile(NamedLast, ABC):
    """Where records go."""

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
