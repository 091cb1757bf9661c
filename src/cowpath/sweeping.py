"""The Python API of sweeps: ``cowpath.sweep``, and what a store holds."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from cowpath.errors import InputError
from cowpath.identity import version
from cowpath.kernels import fidelity
from cowpath.options import Options
from cowpath.sweeps import advice
from cowpath.sweeps.executors import Given, Here, Players, Processes
from cowpath.sweeps.grid import Grid, grid_of
from cowpath.sweeps.job import Job
from cowpath.sweeps.limit import Answer, Search
from cowpath.sweeps.packing import Packer
from cowpath.sweeps.run import Runner, Tally, Told
from cowpath.sweeps.store import Row, Store, Sweep

if TYPE_CHECKING:
    import polars as pl

    from cowpath.designs import Design

__all__ = [
    "Limits", "Options", "Points", "designs_for", "limit", "limits_of", "players_for", "points", "sweep", "sweep_grid",
]  # fmt: skip
FIRST_SEEDS = 5  # of a first answer

Vary = Mapping[str, str | Sequence[Any]] | Sequence[str]


class Points:
    """The points of a sweep in a store: a mapping's rows, as they are read, and a data frame."""

    def __init__(self, store: str | os.PathLike[str], chosen: Sweep, tally: Tally | None = None) -> None:
        self.store, self.sweep = Path(store), chosen
        self.tally = tally  #: What the call has played; None where nothing was.

    def __iter__(self) -> Iterator[Row]:
        with Store(self.store) as opened:
            yield from opened.rows(self.sweep)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @property
    def frame(self) -> pl.DataFrame:
        """A row per point, the columns of ``cowpath sweep export``. Needs polars (``cowpath[frames]``)."""
        from cowpath.observe.frames import frame_of
        from cowpath.sweeps.export import columns_of

        columns = columns_of(self.sweep, self)
        return frame_of([dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)])


def sweep(
    session: str | os.PathLike[str],
    vary: Vary,
    designs: Sequence[str | os.PathLike[str]] | None = None,
    *,
    store: str | os.PathLike[str],
    seeds: int | Sequence[int] = 1,
    executor: Executor | None = None,
    processes: int | None = None,
    cluster: str | None = None,
    retry: bool = False,
    yes: bool = False,
    told: Told | None = None,
    **options: Any,
) -> Points:
    """Play a session over a grid of values, on designs (None: the kernel that fits), with seeds, into a store.

    ``vary`` says what takes which values: ``{"A:memory.max": "32M..512M/16", "jobs": [1, 2, 4, "all"]}``;
    docs/sweeps.md has all names. What the store has is not played again, but with ``retry`` what has failed. The points
    are played by as many processes as there are CPUs (``processes``), by ``executor`` (any of PEP 3148: MPI's, Ray's,
    threads), or on the Dask cluster at the address ``cluster``. ``told`` is called with how many points are there, how
    many of them have failed, and how many there will be. ``options`` are those of ``run``. Raises InputError; points
    that fail are kept with their error.
    """
    grid = grid_of(vary, (), seeds)
    chosen = Options.of(**options)
    players = players_for(processes, cluster, executor)
    return sweep_grid(session, grid, designs, chosen, Path(store), players, retry=retry, yes=yes, told=told)


def sweep_grid(
    session: str | os.PathLike[str],
    grid: Grid,
    designs: Sequence[str | os.PathLike[str]] | None,
    options: Options,
    store: Path,
    players: Callable[[], Any],
    *,
    retry: bool = False,
    yes: bool = False,
    told: Told | None = None,
    ready: Callable[[Packer], None] | None = None,
) -> Points:
    """The same, of a grid without designs. ``players`` are opened when all is well; ``ready`` is called before that."""
    loaded = designs_for(designs, session, options, grid)
    grid = Grid(grid.dimensions, tuple(each.name for each in loaded), grid.seeds)
    grid.check(yes)
    packer = Packer(session, grid, loaded, options)
    packer.pack(next(grid.combinations()))  # what is wrong with the first is said before anything is made
    with Store(store, version()) as opened:
        if ready is not None:
            ready(packer)
        with players() as playing:
            runner = Runner(packer, opened, playing, told or (lambda there, failed, total: None), retry)
            tally = runner.run()
    return Points(store, runner.sweep, tally)


def points(store: str | os.PathLike[str], sweep: str | None = None) -> Points:
    """A sweep's points: of the one that was used last in a store, or whose id begins so. Raises InputError."""
    with Store(Path(store)) as opened:
        found = opened.sweeps()
    if not found:
        raise InputError("it holds no sweep", file=store)
    if sweep is None:
        return Points(store, found[0])
    for each in found:
        if each.id.startswith(sweep):
            return Points(store, each)
    known = ", ".join(f"{each.id} ({each.session})" for each in found)
    raise InputError(f"it holds no sweep {sweep!r}", file=store, hint=f"there are: {known}")


def designs_for(
    designs: Sequence[str | os.PathLike[str]] | None, session: str | os.PathLike[str], options: Options, grid: Grid
) -> list[Design]:
    """The designs by name or file, or else the kernel that fits the session. Raises InputError."""
    from dataclasses import replace

    from cowpath import api
    from cowpath import designs as packaged
    from cowpath.kernels.chosen import choose_kernel
    from cowpath.words import read_text

    if designs is not None:
        loaded = [api.load_design(design) for design in dict.fromkeys(designs)]
        api.check_names(loaded)
        return loaded
    setting = grid.setting(next(grid.combinations()), options, read_text(Path(session)))
    plan = api.load_plan(session, setting.options, fixed=setting.fixed)
    found = choose_kernel("v1" in plan.interfaces, "v2" in plan.interfaces)
    return [replace(packaged.load(found.name), chosen=found.why)]


def players_for(
    processes: int | None, cluster: str | None = None, executor: Executor | None = None
) -> Callable[[], Any]:
    """Who plays, as what opens them."""
    from cowpath.checker.workers import check_either, cores

    check_either(processes, cluster)

    if executor is not None:
        given = Given(executor, int(getattr(executor, "_max_workers", None) or cores()))
        return lambda: _open(given)
    if cluster is not None:
        from cowpath.sweeps.cluster import Cluster

        address = cluster
        return lambda: Cluster(address)
    count = processes or cores()
    return (lambda: _open(Here())) if count == 1 else (lambda: Processes(count))


@contextmanager
def _open(players: Players) -> Iterator[Players]:
    yield players


@dataclass(frozen=True)
class Limits:
    """What a job needs, and on which machine that was found."""

    answer: Answer
    session: str
    source: str
    design: Design
    version: str  # of cgroups: v1 or v2
    memsw: bool  # memory and swap are limited alike

    @property
    def limit(self) -> int | None:
        """Bytes: the smallest limit at which all seeds complete; None: there is none up to the job's peak."""
        return self.answer.limit

    @property
    def sentences(self) -> list[str]:
        """In words, with how sure it is."""
        return list(advice.sentences(self.answer, self.design.name, fidelity.words(self.design.name)))

    @property
    def lines(self) -> str:
        """What to paste for cgset, systemd, docker and Kubernetes."""
        return advice.lines(self.answer, self.version, self.answer.group, self.memsw)


def limit(
    session: str | os.PathLike[str],
    group: str,
    design: str | os.PathLike[str] | None = None,
    *,
    seeds: int = 20,
    slower: float = 0.05,
    store: str | os.PathLike[str] | None = None,
    executor: Executor | None = None,
    processes: int | None = None,
    cluster: str | None = None,
    told: Callable[[str], None] | None = None,
    **options: Any,
) -> Limits:
    """How much memory the job of a group needs: by bisection over its limit, then with all seeds around the place.

    ``slower`` is how much more time is hardly more (0.05: 5 %). ``store`` keeps what is played, as for ``sweep``.
    ``told`` is called with what is being played. ``options`` are those of ``run``. Raises InputError, also for a job
    that does not complete without a limit.
    """
    players = players_for(processes, cluster, executor)
    chosen = Options.of(**options)
    return limits_of(session, group, design, chosen, players, seeds=seeds, slower=slower, store=store, told=told)


def limits_of(
    session: str | os.PathLike[str],
    group: str,
    design: str | os.PathLike[str] | None,
    options: Options,
    players: Callable[[], Any],
    *,
    seeds: int,
    slower: float,
    store: str | os.PathLike[str] | None = None,
    told: Callable[[str], None] | None = None,
    first: Callable[[Limits], None] | None = None,
    ready: Callable[[Packer], None] | None = None,
) -> Limits:
    """The same; ``first`` is called with the answer of a few seeds, ``ready`` before anything is played."""
    loaded = designs_for(None if design is None else [design], session, options, Grid((), (), (0,)))
    job = Job.of(session, group, loaded[0], options)
    if ready is not None:
        ready(job.packer)
    with ExitStack() as stack:
        if store is None:
            store = Path(stack.enter_context(TemporaryDirectory(prefix="cowpath-limit-"))) / "points.sqlite"
        opened = stack.enter_context(Store(Path(store), version()))
        playing = stack.enter_context(players())
        place = None
        for count in [FIRST_SEEDS, seeds] if first is not None and seeds > FIRST_SEEDS else [seeds]:
            search = Search(job.play_on(opened, playing), group, count, slower, told or (lambda doing: None))
            answer = search.run(place)
            found = Limits(answer, job.packer.name, job.packer.source, loaded[0], job.version, job.memsw)
            if count < seeds and first is not None:
                first(found)
            place = search.place
    return found
