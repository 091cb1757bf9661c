"""Where points are played: in processes of this machine, or by any executor of PEP 3148.

Processes and not threads: the compiled model holds Python's lock, and half of a small run is Python anyway
(``benchmarks/sweeps.py`` has both). And not those of ``ProcessPoolExecutor``: it shares queues between threads and
processes, and an interrupt or a process that is killed at the wrong moment left it waiting for ever. Here each process
has a pipe of its own and is sent one task at a time, so that one that ends takes nothing with it but that task.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass
from multiprocessing import connection, get_context
from types import TracebackType
from typing import Any, Protocol

from cowpath.checker.workers import leave_interrupts, without_main

from .point import Parcel, Played, Task, play_all

Ended = Future[list[Played]]
GOES_S = 5.0  # that a process has to end by itself


class Players(Protocol):
    """Whoever plays points."""

    count: int  # how many at the same time
    replaces: bool  # a player that has ended: its future's error is BrokenExecutor, and the others go on

    def send(self, parcel: Parcel) -> Any:
        """A parcel to where it is played; what comes back stands for it."""

    def play(self, sent: Any, tasks: Sequence[Task]) -> Ended:
        """Play points of it."""

    def wait(self, playing: Collection[Ended]) -> Collection[Ended]:
        """Those of the futures that have ended, at least one."""


class Given:
    """An executor that the caller has: threads, processes, MPI's, Ray's. A parcel goes along with each task."""

    replaces = False

    def __init__(self, executor: Executor, count: int) -> None:
        self.executor, self.count = executor, count

    def send(self, parcel: Parcel) -> Any:
        """It goes along."""
        return parcel

    def play(self, sent: Any, tasks: Sequence[Task]) -> Ended:
        """Play points of it."""
        return self.executor.submit(play_all, sent, tasks)

    def wait(self, playing: Collection[Ended]) -> Collection[Ended]:
        """As executors do."""
        return wait(playing, return_when=FIRST_COMPLETED).done


class Here:
    """This process, one point after the other: nothing has to be started."""

    count, replaces = 1, True

    def send(self, parcel: Parcel) -> Parcel:
        """It stays."""
        return parcel

    def play(self, sent: Parcel, tasks: Sequence[Task]) -> Ended:
        """Play points of it, before this returns."""
        future = Ended()
        future.set_result(play_all(sent, tasks))
        return future

    def wait(self, playing: Collection[Ended]) -> Collection[Ended]:
        """All have."""
        return list(playing)


@dataclass
class _Player:
    process: Any
    pipe: connection.Connection
    doing: Ended | None = None


class Processes:
    """Processes of this machine, as a context manager. One that has ended is replaced."""

    replaces = True

    def __init__(self, count: int) -> None:
        self.count = count
        self.players: list[_Player] = []
        self._waiting: deque[tuple[Ended, Parcel, Sequence[Task]]] = deque()

    def __enter__(self) -> Processes:
        self.players += [_begin() for _ in range(self.count)]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        """Whatever is still being played is not wanted any more."""
        for player in self.players:
            player.process.kill()
        for player in self.players:
            player.process.join(GOES_S)
            player.pipe.close()
        self.players.clear()

    def send(self, parcel: Parcel) -> Parcel:
        """It goes along with each task: far less work than to play one."""
        return parcel

    def play(self, sent: Parcel, tasks: Sequence[Task]) -> Ended:
        """Play points of it, as soon as a process is free."""
        self._waiting.append((Ended(), sent, tasks))
        future = self._waiting[-1][0]
        self._give_out()
        return future

    def wait(self, playing: Collection[Ended]) -> Collection[Ended]:
        """Take what has come."""
        while not (ended := [future for future in playing if future.done()]):
            self._give_out()
            for pipe in connection.wait([player.pipe for player in self.players if player.doing is not None]):
                self._take(next(player for player in self.players if player.pipe is pipe))
        return ended

    def _give_out(self) -> None:
        for at, player in enumerate(self.players):
            if player.doing is None and self._waiting:
                future, parcel, tasks = self._waiting.popleft()
                player.doing = future
                try:
                    player.pipe.send((parcel, tasks))
                except OSError:
                    self._replace(at)

    def _take(self, player: _Player) -> None:
        try:
            ended = player.pipe.recv()
        except (EOFError, OSError):
            self._replace(self.players.index(player))
            return
        future, player.doing = player.doing, None
        assert future is not None
        future.set_result(ended)

    def _replace(self, at: int) -> None:
        """A new process for one that has ended."""
        player = self.players[at]
        player.pipe.close()
        player.process.join(GOES_S)
        self.players[at] = _begin()
        assert player.doing is not None
        player.doing.set_exception(BrokenExecutor("the process has ended"))


def _begin() -> _Player:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs,), daemon=True)
    with without_main():
        process.start()
    theirs.close()
    return _Player(process, ours)


def _work(pipe: connection.Connection) -> None:
    """What a process does: play what comes, until nobody is there to send anything."""
    leave_interrupts()
    try:
        while True:
            parcel, tasks = pipe.recv()
            pipe.send(play_all(parcel, tasks))
    except (EOFError, OSError):
        return
