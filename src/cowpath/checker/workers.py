"""Whoever works for this process: processes of its own, or a cluster (``sweeps.cluster``)."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from multiprocessing import get_context, parent_process
from types import ModuleType
from typing import Any, Protocol, TypeVar

from cowpath.errors import InputError, WorkerError

T = TypeVar("T")


class Workers(Protocol):
    """What is sent to them, and what comes back, is pickled."""

    @property
    def count(self) -> int:
        """How many calls are worked on at the same time."""

    def first(self, function: Callable[..., T], /, *arguments: Any) -> T:
        """A call that compiles what the others will want at once: it is over before they begin."""

    def submit(self, function: Callable[..., T], /, *arguments: Any) -> Future[T]:
        """A call."""


Pool = Callable[[], AbstractContextManager[Workers]]  # opens them; raises WorkerError where they have gone


class OwnProcesses(ProcessPoolExecutor):
    """So many of this machine."""

    def __init__(self, count: int) -> None:
        super().__init__(count, get_context("spawn"), leave_interrupts)
        self.count = count

    def first(self, function: Callable[..., T], /, *arguments: Any) -> T:
        """Here."""
        return function(*arguments)

    def submit(self, function: Callable[..., T], /, *arguments: Any, **named: Any) -> Future[T]:
        """A call; a process is started for it where too few are."""
        with without_main():
            return super().submit(function, *arguments, **named)


@contextmanager
def without_main() -> Iterator[None]:
    """A process that is begun here does not run the caller's script: multiprocessing would, to find there what is sent
    to it, and a script without ``if __name__ == "__main__"`` would begin processes again. What we send is cowpath's.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def pool_of(processes: int) -> Iterator[OwnProcesses]:
    """Processes that work for this one. Raises WorkerError if one is ended by somebody else."""
    why = "a process that worked for this one was ended from outside (killed, or no memory left)"
    with gone_is_told(why), OwnProcesses(processes) as pool:
        yield pool


@contextmanager
def gone_is_told(why: str) -> Iterator[None]:
    """Raises WorkerError where those who worked are not there any more."""
    try:
        yield
    except BrokenExecutor:
        raise WorkerError(f"{why}: not finished; the same command tries again") from None


def cores() -> int:
    """How many CPUs this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def check_either(processes: int | None, cluster: str | None) -> None:
    """Raise InputError where both are asked for."""
    if processes is not None and cluster is not None:
        raise InputError("--processes with --cluster: a cluster has as many workers as it has", hint="one of the two")


def leave_interrupts() -> None:
    """In a process that works for this one: Ctrl-C is for the one that was started, and with that one it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: Any) -> None:
    """Whoever was killed cannot tell its workers to end: they would wait for work for ever."""
    parent.join()
    os._exit(1)
