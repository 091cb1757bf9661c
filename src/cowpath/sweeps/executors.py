"""Where points are played: in processes of this machine, or by any executor of PEP 3148.

Processes and not threads: the compiled model holds Python's lock, and half of a small run is Python anyway
(``benchmarks/sweeps.py`` has both).
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from multiprocessing import get_context
from types import TracebackType
from typing import Any, Protocol

from cowpath.checker.many import leave_interrupts

from .point import Parcel, Played, Task, play_all


class Players(Protocol):
    """Whoever plays points."""

    count: int  # how many at the same time

    def send(self, parcel: Parcel) -> Any:
        """A parcel to where it is played; what comes back stands for it."""

    def play(self, sent: Any, tasks: Sequence[Task]) -> Future[list[Played]]:
        """Play points of it."""

    def begin_again(self) -> bool:
        """Some process has ended: go on with new ones. False where that cannot be."""


class Given:
    """An executor that the caller has: threads, processes, MPI's, Ray's. A parcel goes along with each task."""

    def __init__(self, executor: Executor, count: int) -> None:
        self.executor, self.count = executor, count

    def send(self, parcel: Parcel) -> Parcel:
        """It goes along."""
        return parcel

    def play(self, sent: Parcel, tasks: Sequence[Task]) -> Future[list[Played]]:
        """Play points of it."""
        return self.executor.submit(play_all, sent, tasks)

    def begin_again(self) -> bool:
        """It is the caller's."""
        return False


class Processes(Given):
    """Processes of this machine, as a context manager."""

    executor: ProcessPoolExecutor

    def __init__(self, count: int) -> None:
        super().__init__(_pool(count), count)

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if error is not None:  # what is being played is not wanted any more
            for process in list((getattr(self.executor, "_processes", None) or {}).values()):
                process.terminate()
        self.executor.shutdown(wait=True, cancel_futures=True)

    def begin_again(self) -> bool:
        """Begin with new processes."""
        self.executor.shutdown(wait=True, cancel_futures=True)
        self.executor = _pool(self.count)
        return True


def _pool(count: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(count, get_context("spawn"), leave_interrupts)


class Here:
    """This process, one point after the other: nothing has to be started."""

    count = 1

    def send(self, parcel: Parcel) -> Parcel:
        """It stays."""
        return parcel

    def play(self, sent: Parcel, tasks: Sequence[Task]) -> Future[list[Played]]:
        """Play points of it, before this returns."""
        future: Future[list[Played]] = Future()
        future.set_result(play_all(sent, tasks))
        return future

    def begin_again(self) -> bool:
        """It has not ended."""
        return False
