"""Plays what is missing of a sweep, and keeps each point as it ends."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass, field

from cowpath.errors import InputError, WorkerError

from .executors import Ended, Players
from .packing import Packer, options_told
from .point import FAILED, Parcel, Played, Task
from .store import Store, Sweep

BATCH_S = 0.5  # of points that are sent at once: what a kill loses, and far more than sending takes
MOST_AT_ONCE = 64
AHEAD = 2  # batches for each player
GONE = "a process that played for this one has ended: not finished; the same command goes on"
ENDED = "its process was ended from outside, twice (killed, or no memory left)"

Told = Callable[[int, int, int], None]  # points that are there, that have failed, in all


@dataclass
class Batch:
    """Points of one combination of values that are sent together. ``lost``: a process has ended while it played it."""

    values: tuple[str, ...]
    parcel: Parcel
    tasks: list[Task]
    lost: bool = False


@dataclass
class Tally:
    """How many points were there before, were played now, and failed now."""

    total: int
    before: int = 0
    played: int = 0
    failed: int = 0

    @property
    def there(self) -> int:
        """All that are in the store."""
        return self.before + self.played + self.failed


@dataclass
class Runner:
    """Plays the missing points of a grid. ``retry``: those that had failed, too."""

    packer: Packer
    store: Store
    players: Players
    told: Told
    retry: bool = False
    tally: Tally = field(init=False)
    mean_s: float = field(init=False, default=0.0)
    again: deque[Batch] = field(init=False, default_factory=deque)

    def __post_init__(self) -> None:
        self.tally = Tally(len(self.packer.grid))
        names = tuple(each.name for each in self.packer.grid.dimensions)
        options = options_told(self.packer.options)
        self.sweep = Sweep(self.packer.sweep_id, self.packer.name, self.packer.source, names, options, self.tally.total)

    def run(self) -> Tally:
        """All of it. Raises InputError where the store cannot be written, WorkerError where nobody is left to play."""
        self.store.note(self.sweep)
        batches = self.batches()
        playing: dict[Ended, Batch] = {}
        try:
            while True:
                while len(playing) < AHEAD * self.players.count and (batch := self.next(batches)) is not None:
                    playing[self.send(batch)] = batch
                if not playing:
                    return self.tally
                for future in self.players.wait(playing):
                    self.take(future, playing.pop(future))
        finally:
            for future in playing:
                future.cancel()

    def next(self, batches: Iterator[Batch]) -> Batch | None:
        """What was lost comes first."""
        return self.again.popleft() if self.again else next(batches, None)

    def send(self, batch: Batch) -> Ended:
        """Points on their way."""
        try:
            return self.players.play(self.players.send(batch.parcel), batch.tasks)
        except BrokenExecutor:
            raise WorkerError(GONE) from None

    def take(self, future: Ended, batch: Batch) -> None:
        """Keep what has ended. What was lost is played again, point by point: with which of them does it end?"""
        try:
            self.keep(batch.values, batch.tasks, future.result())
        except BrokenExecutor:
            if not self.players.replaces:
                raise WorkerError(GONE) from None
            if batch.lost:
                self.keep(
                    batch.values, batch.tasks, [Played(task.id, FAILED, None, ENDED, 0.0) for task in batch.tasks]
                )
            else:
                self.again += [Batch(batch.values, batch.parcel, [task], lost=True) for task in batch.tasks]

    def keep(self, values: Sequence[str], tasks: Sequence[Task], ended: Sequence[Played]) -> None:
        """Points that have ended go into the store, all at once."""
        points = [(task.design, task.seed, values, one) for task, one in zip(tasks, ended, strict=True)]
        self.store.put(self.sweep, points)
        for one in ended:
            if one.status == FAILED:
                self.tally.failed += 1
            else:
                self.tally.played += 1
                self.mean_s += (one.wall_s - self.mean_s) / min(self.tally.played, 100)
        self.told(self.tally.there, self.tally.failed, self.tally.total)

    # --- what is missing
    def batches(self) -> Iterator[Batch]:
        """What is missing, in the order of the grid. Raises InputError for the first combination's errors only."""
        first = True
        for values in self.packer.grid.combinations():
            tasks = self.packer.tasks(values)
            missing = self.store.missing([task.id for task in tasks], self.retry)
            self.tally.before += len(tasks) - len(missing)
            wanted = deque(task for task in tasks if task.id in missing)
            if not wanted:
                continue
            try:
                parcel = self.packer.pack(values)
            except InputError as error:
                if first:
                    raise
                self.keep(values, list(wanted), [Played(task.id, FAILED, None, str(error), 0.0) for task in wanted])
                continue
            first = False
            while wanted:
                yield Batch(values, parcel, [wanted.popleft() for _ in range(min(self.at_once(), len(wanted)))])

    def at_once(self) -> int:
        """So many points for one batch, by how long they have taken so far; few where there are few left for all."""
        if not self.tally.played:
            return 1
        return max(1, min(MOST_AT_ONCE, int(BATCH_S / max(self.mean_s, 1e-6))))
