"""The Python API of the checker: prove or refute properties of designs on cases, and get results and data frames."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cowpath import __version__
from cowpath.errors import InputError
from cowpath.kernels import DEFAULT
from cowpath.units import UNLIMITED_BYTES
from cowpath.words import nearest

if TYPE_CHECKING:
    import polars as pl

    from cowpath.again import Command
    from cowpath.cases import Case
    from cowpath.checker.atlas import Atlas
    from cowpath.checker.bisect import Bisection
    from cowpath.checker.many import Job, Told
    from cowpath.checker.player import Row
    from cowpath.checker.properties import Property
    from cowpath.checker.result import Result
    from cowpath.checker.schedule import Schedule
    from cowpath.checker.walk import Walk
    from cowpath.checker.workers import Pool
    from cowpath.designs import Design
    from cowpath.observe.words import Chain
    from cowpath.searching.found import Found

Name = str | os.PathLike[str]
MEMORY = 8 << 30  # bytes of a search's arrays


@dataclass(frozen=True)
class Checks:
    """Results of ``check`` or ``audit``."""

    results: tuple[Result, ...]  #: One per design, case and property.
    jobs: tuple[Job, ...] = field(repr=False, default=())
    properties: tuple[Property, ...] = field(repr=False, default=())
    again: Command | None = field(repr=False, default=None)  # what makes them again in a terminal
    as_matrix: bool = field(repr=False, default=False)  # how they are shown: an audit

    @property
    def verdict(self) -> str:
        """``violated`` if any is, else ``vacuous``, else ``unfinished`` if any is, else ``proved``."""
        from cowpath.checker.result import worst

        return worst(list(self.results))

    @cached_property
    def frame(self) -> pl.DataFrame:
        """A row per result, a column per field of it; ``chain``, ``schedule`` and ``cycle`` are lists of texts."""
        from cowpath.observe.frames import frame_of

        return frame_of([result.as_json() for result in self.results])

    @property
    def summary(self) -> dict[str, Any]:
        """The object that ``cowpath check --json`` prints."""
        from cowpath.checker.result import missed
        from cowpath.designs import kernels_told

        states = max((result.states for result in self.results), default=0)
        designs = self.designs
        return {"version": __version__, "kernels": kernels_told(designs), "notes": self.notes,
                "most_states": states, "missed_state_bound": missed(states),
                "results": [result.as_json() for result in self.results], "coverage": self.coverage}  # fmt: skip

    @property
    def notes(self) -> list[str]:
        """What everybody who gets these results should know: what a kernel lacks; of memory.high, how it reclaims."""
        from cowpath.designs import notes_of

        reclaims = [note for job in self.jobs if job.case.has_high for note in job.design.kernel.reclaim_notes]
        return list(dict.fromkeys([*notes_of(self.designs), *reclaims]))

    @property
    def coverage(self) -> list[dict[str, Any]]:
        """For each design and case, whose states were all visited: what never happened in any of them."""
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for result in self.results:
            if result.coverage is not None:
                head = {"design": result.design, "case": result.case}
                found.setdefault((result.design, result.case), head | result.coverage.as_json())
        return list(found.values())

    @property
    def designs(self) -> list[Design]:
        """The designs that were checked, each once."""
        return list({job.design.name: job.design for job in self.jobs}.values())

    @property
    def checked(self) -> list[tuple[Result, Job]]:
        """Each result with the job that it is of: a job has one for each property."""
        jobs = [job for job in self.jobs for _ in self.properties]
        return list(zip(self.results, jobs, strict=True))

    def report(self, target: Name, told: Callable[[str], None] | None = None) -> None:
        """Write a page with all verdicts (of an audit as a matrix) and the counterexamples move by move.

        ``told`` hears what is done. Raises InputError where it cannot be written.
        """
        from cowpath.report import explored, steps

        command = None if self.again is None else self.again.line(os.fspath(target))
        steps.write_checks(
            Path(target), self.checked, self.properties, command, told or explored.nobody, as_matrix=self.as_matrix
        )

    def _repr_html_(self) -> str:
        """For notebooks: the table of verdicts."""
        from cowpath.report import steps

        return steps.results_html(self.results)


def check(
    designs: Name | Sequence[Name] | None = None,
    cases: Name | Sequence[Name] | None = None,
    *,
    path: str | None = None,
    properties: str | Sequence[str] | None = None,
    states: int | None = None,
    memory: int | None = MEMORY,
    reduction: bool = True,
    processes: int = 1,
    cluster: str | None = None,
    told: Told | None = None,
) -> Checks:
    """Check designs (None: all packaged) on cases (None: all packaged) for properties (None: all).

    Designs and cases are packaged names or TOML files; a property is a packaged name, or "FILE.py:function". ``path``
    leaves only the cases about one path. ``states`` and ``memory`` (bytes; None: no limit) are where a search gives up,
    with the verdict ``unfinished``; without ``reduction`` it visits every state. The cases are shared out to
    ``processes``, or on the Dask cluster at the address ``cluster``. ``told`` hears how far it is. Raises InputError
    for what is wrong in the input, MachineError for a case that the small machine is too small for, WorkerError where
    those who worked have gone.
    """
    from cowpath.again import check_command
    from cowpath.checker.check import Settings
    from cowpath.checker.many import check_all
    from cowpath.checker.space import Limits

    wanted = load_properties(properties)
    jobs = load_jobs(designs, cases, path)
    settings = Settings(Limits(states, memory), reduction)
    checked = check_all(jobs, wanted, settings, told, processes, pool_on(cluster))
    found = [result for _, results in checked for result in results]
    again = check_command(_words(designs), _words(cases), path, _words(properties), _limits(states, memory), reduction)
    return Checks(tuple(found), tuple(jobs), tuple(wanted), again)


def pool_on(cluster: str | None) -> Pool | None:
    """The workers of a Dask cluster, by its address."""
    if cluster is None:
        return None
    from cowpath.sweeps.cluster import workers_on

    return partial(workers_on, cluster)


def _limits(states: int | None, memory: int | None) -> dict[str, int]:
    """The limits that are not the default, as the command line takes them: it always has one of memory."""
    limits = {} if states is None else {"states": states}
    return limits if memory == MEMORY else limits | {"memory": UNLIMITED_BYTES if memory is None else memory}


def audit(designs: Name | Sequence[Name] | None = None, **options: Any) -> Checks:
    """``check`` of every packaged case, on all cores. It takes ``check``'s other options, and raises the same."""
    from cowpath.checker.workers import cores

    found = check(designs, **({"processes": cores()} | options))
    assert found.again is not None
    return replace(found, as_matrix=True, again=replace(found.again, verb="audit"))


def load_properties(names: str | Sequence[str] | None) -> list[Property]:
    """Properties by name; None: all packaged ones."""
    from cowpath.checker import properties

    if names is None:
        return list(properties.PACKAGED)
    return [properties.find(name) for name in _listed(names)]


def load_jobs(
    designs: Name | Sequence[Name] | None, cases: Name | Sequence[Name] | None, path: str | None
) -> list[Job]:
    """Every design on every case, of one path if it is given. Raises InputError if nothing is left.

    Of the packaged cases, where none is named, a design has those that apply to it.
    """
    from cowpath.checker.many import pairs

    loaded = load_cases(cases)
    known = sorted({case.path for case in loaded})
    if path is not None and path not in known:
        raise InputError(f"no case is about path {path!r}", hint=nearest(path, known, "there are: " + ", ".join(known)))
    return [job for job in pairs(load_designs(designs), loaded, path) if cases is not None or job.applies]


def load_designs(names: Name | Sequence[Name] | None) -> list[Design]:
    """Designs by name or file; None: all packaged ones."""
    from cowpath import designs

    return [designs.load(os.fspath(name)) for name in (designs.names() if names is None else _listed(names))]


def load_cases(names: Name | Sequence[Name] | None) -> list[Case]:
    """Cases by name or file; None: all packaged ones."""
    from cowpath import cases

    return [cases.load(Path(name)) for name in (cases.names() if names is None else _listed(names))]


def files_of(
    designs: Name | Sequence[Name] | None,
    cases: Name | Sequence[Name] | None = (),
    properties: str | Sequence[str] | None = (),
) -> list[str]:
    """The files that are read: what is no name of a packaged one."""
    from cowpath import cases as its_cases
    from cowpath import designs as its_designs

    files = [name for name in _words(designs) if name not in its_designs.names()]
    files += [name for name in _words(cases) if name not in (*its_cases.names(), *its_cases.of_the_book())]
    return files + [name.rpartition(":")[0] for name in _words(properties) if ":" in name]


def _words(names: Any) -> list[str]:
    """Names and files as they are typed; none for all packaged ones."""
    return [] if names is None else [os.fspath(name) for name in _listed(names)]


def _listed(names: Any) -> list[Any]:
    """Each once."""
    return [names] if isinstance(names, (str, os.PathLike)) else list(dict.fromkeys(names))


# --- exploring by hand ----------------------------------------------------------------------------
CHECKED_AGAIN = 100_000  # states of a search, for a design that is tried out


def explore(case: Name, design: Name | None = None) -> Walk:
    """A walk through the states of a case (packaged, or a TOML file), any move of which can be chosen.

    A saved schedule (``*.json``) may stand for the case: its own design is then the default, and its moves are made.
    Raises InputError for what is wrong in the input, and where a move of the schedule cannot be made on the design.
    """
    from cowpath import cases, designs
    from cowpath.checker import schedule
    from cowpath.checker.atlas import Atlas
    from cowpath.checker.walk import Walk

    if os.fspath(case).endswith(".json"):
        saved = schedule.load(Path(case))
        chosen = saved.design if design is None else designs.load(os.fspath(design))
        return Walk(Atlas(saved.case, chosen), [*saved.moves, *saved.cycle], saved.source)
    loaded = cases.load(Path(case))
    return Walk(Atlas(loaded, designs.load(DEFAULT if design is None else os.fspath(design))))


def what_if(
    case: Case, design: Design, properties: str | Sequence[str] | None = None, states: int = CHECKED_AGAIN
) -> tuple[Atlas, list[Result]]:
    """A design that is tried out: its states, to be looked at, and a result for each property (None: all packaged).

    ``states`` is where each search gives up, with the verdict ``unfinished``. Raises InputError and MachineError.
    """
    from cowpath.checker.atlas import Atlas
    from cowpath.checker.check import Settings, check_case
    from cowpath.checker.space import Limits
    from cowpath.engine import costs

    atlas = Atlas(case, design)
    settings = Settings(Limits(states, MEMORY))
    return atlas, check_case(atlas.player.plan, design, load_properties(properties), costs.load(), settings)


# --- a counterexample again -----------------------------------------------------------------------
@dataclass(frozen=True)
class Replayed:
    """A schedule that has been played: its moves, and who waits for whom at their end."""

    design: str  #: On which it was played.
    case: str  #: Whose machine it is.
    property: str  #: What the schedule violates on the design that it was saved for.
    reason: str  #: Why, in one line.
    rows: tuple[Row, ...]  #: The moves, in their order.
    tasks: tuple[str, ...]  #: The names of the case's tasks.
    cycle_from: int | None  #: The number of the first move of what goes on for ever; None if nothing does.
    waits: tuple[Chain, ...] = field(repr=False)  # who waits for whom at the end
    saved: Schedule = field(repr=False)  #: What was played.
    played_on: Design = field(repr=False)
    again: Command | None = field(repr=False, default=None)  # what plays it again in a terminal

    @cached_property
    def waiting(self) -> tuple[str, ...]:
        """Who waits for whom at the end, a sentence each."""
        return tuple(map(str, self.waits))

    @cached_property
    def frame(self) -> pl.DataFrame:
        """A row per move, a column per field of ``rows``."""
        from cowpath.observe.frames import frame_of

        return frame_of([asdict(row) for row in self.rows])

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The object that ``cowpath replay --json`` prints."""
        from cowpath.designs import kernel_told

        return {"version": __version__, "design": self.design, "kernel": kernel_told(self.played_on),
                "case": self.case, "property": self.property, "reason": self.reason, "cycle_from": self.cycle_from,
                "moves": [asdict(row) for row in self.rows],
                "chain": list(self.waiting)}  # fmt: skip

    def report(self, target: Name, told: Callable[[str], None] | None = None) -> None:
        """Write a page that goes through the moves; ``told`` hears what is done. Raises InputError where it cannot."""
        from cowpath.report import explored, steps

        command = None if self.again is None else self.again.line(os.fspath(target))
        steps.write_replay(
            Path(target), steps.of_schedule(self.saved, self.played_on), command, told or explored.nobody
        )

    def _repr_html_(self) -> str:
        """For notebooks: the table of moves, and why the property is violated."""
        from cowpath.report import steps

        return steps.moves_html(self.rows, self.tasks, self.cycle_from, (self.reason, *self.waiting))


def replay(file: Name, design: Name | None = None) -> Replayed:
    """Play a saved schedule (a file of ``cowpath check --save``), on its own design or on another one.

    Raises InputError if it is no such file, or where a move cannot be made on that design.
    """
    from cowpath import designs
    from cowpath.again import replay_command
    from cowpath.cases.plan import compile_case
    from cowpath.checker import schedule
    from cowpath.checker.player import Player
    from cowpath.engine import costs

    saved = schedule.load(Path(file))
    chosen = saved.design if design is None else designs.load(os.fspath(design))
    player = Player(compile_case(saved.case), chosen, costs.load())
    rows = tuple(player.play([*saved.moves, *saved.cycle], saved.source))
    cycle_from = len(saved.moves) + 1 if saved.cycle else None
    tasks = tuple(player.names()[: len(player.plan.players)])
    again = replay_command(os.fspath(file), None if design is None else os.fspath(design))
    return Replayed(chosen.name, saved.case.name, saved.property, saved.reason, rows, tasks, cycle_from,
                    tuple(player.waits()), saved, chosen, again)  # fmt: skip


def bisect(
    first: Name,
    second: Name,
    case: Name,
    properties: str | Sequence[str] | None = None,
    *,
    states: int | None = None,
    memory: int | None = MEMORY,
) -> Bisection:
    """Go from one design to another a moved step at a time, and check each design on the way on a case.

    ``properties``, ``states`` and ``memory`` (bytes) are those of ``check``. Raises InputError for what is wrong in the
    input.
    """
    from cowpath.checker.bisect import bisect as by_steps
    from cowpath.checker.check import Settings
    from cowpath.checker.space import Limits
    from cowpath.engine import costs

    one, other = load_designs([first, second])
    wanted = load_properties(properties)
    return by_steps(one, other, load_cases(case)[0], wanted, costs.load(), Settings(Limits(states, memory)))


# --- every order of a path's steps ----------------------------------------------------------------
def search(
    path: str = "file_cow",
    start: Name = DEFAULT,
    *,
    cases: Name | Sequence[Name] | None = None,
    processes: int | None = None,
    cluster: str | None = None,
    fresh: bool = False,
    told: Callable[[int, int, int], None] | None = None,
) -> Searched:
    """Check every order of a path's steps that their dependencies allow, and rank the safe ones.

    Of a path that is no fault's, every place at which memory.high is paid for; its other steps keep their order.
    ``start`` is the design whose steps they are, ``cases`` (None: the packaged ones about the path) the suite, which is
    shared out to ``processes`` (None: one per CPU), or on the Dask cluster at the address ``cluster``. An interrupted
    search goes on where it was left, unless ``fresh``. ``told`` hears how many orders are done, of how many, and how
    many are safe. Raises InputError if there is no such path, or no case about it, WorkerError where those who worked
    have gone.
    """
    from cowpath.checker.many import Job
    from cowpath.checker.workers import check_either, cores, pool_of
    from cowpath.designs import has_memory_high
    from cowpath.kernel.steps import FAULT_PATHS
    from cowpath.searching.places import PATHS
    from cowpath.searching.run import search as run

    check_either(processes, cluster)
    if path not in (*FAULT_PATHS, *PATHS):
        known = (*FAULT_PATHS, *PATHS)
        raise InputError(f"no path {path!r} to search", hint=nearest(path, known, ", ".join(known)))
    design = load_designs(start)[0]
    if path in PATHS and not (has_memory_high(design) and design.paths[path]):
        raise InputError(
            f"{design.name} has no {'memory.high' if design.paths[path] else f'path {path!r}'}",
            hint="of a path that is no fault's, what is searched are the places at which memory.high is paid for",
        )
    suite = [case for case in load_cases(cases) if case.path == path]
    suite = [case for case in suite if cases is not None or Job(design, case).applies]
    if not suite:
        raise InputError(f"no case is about path {path!r}", hint="--case with a TOML file of your own")
    count = cores() if processes is None else processes
    pool = pool_on(cluster) or (None if count == 1 else partial(pool_of, count - 1))  # this process works, too
    return Searched(design, run(design, path, suite, pool, told, fresh))


@dataclass(frozen=True)
class Searched:
    """What a search has found."""

    design: Design = field(repr=False)  # that was begun with
    found: Found  #: The same as objects.

    @cached_property
    def safe(self) -> pl.DataFrame:
        """A row per safe order, those on the Pareto front first.

        ``steps`` and ``moved`` (lists of texts), what it costs, ``pareto``, ``known_as`` (packaged designs that have
        this order). Of a fault's path: ``lock_hold_ns`` (time under page locks), ``wasted`` (pages and charges given
        back unused), ``retries``, ``steps_run``. Of another: ``outside_ns`` (the longest wait of an outsider),
        ``own_ns`` (until the group's tasks are done), ``reread`` (pages read twice), ``over`` (the most pages by which
        usage passed the mark), ``sleep_ns`` (asleep for it).
        """
        from cowpath.observe.frames import frame_of

        return frame_of([each.as_json() for each in self.found.safe])

    @cached_property
    def failed_by(self) -> pl.DataFrame:
        """How many orders violate what first: ``property``, ``case``, ``orders``."""
        from cowpath.observe.frames import frame_of

        rows = [(name, case, count) for name, cases in self.found.failed_by.items() for case, count in cases.items()]
        return frame_of(rows, {"property": str, "case": str, "orders": int})

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The object that ``cowpath search --json`` prints."""
        from cowpath.designs import kernel_told

        return {"version": __version__, "kernel": kernel_told(self.design), **self.found.as_json()}
