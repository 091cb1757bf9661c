"""The Python API: run a session on one design or on several, and get figures, words and data frames."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cowpath import __version__
from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.observe.eventlog import LogWriter
from cowpath.observe.frames import (
    Keeper,
    events_frame,
    faults_frame,
    groups_frame,
    lock_holds_frame,
    usage_frame,
)
from cowpath.observe.metrics import Metrics
from cowpath.observe.scene import Scene
from cowpath.observe.summary import Summary, machine_summary
from cowpath.observe.who import Tracker
from cowpath.observe.words import chain_of_hops
from cowpath.units import parse_size, parse_time

if TYPE_CHECKING:
    import polars as pl

    from cowpath.designs import Design
    from cowpath.session.plan import Plan

Progress = Callable[[int], None]  # is told the virtual time reached, in ns
Compiling = Callable[[int, int], None]  # is told how many functions are compiled, and how many there are
KEPT = (n.EV_FAULT, n.EV_LOCK, n.EV_USAGE)  # kinds that the data frames of every run are made from
WHO = (n.EV_FORK, n.EV_EXEC, n.EV_GROUP)  # kinds that say whom an event is about
EVERYTHING = tuple(kind for kind in range(len(n.EVENT_NAMES)) if kind != n.EV_STEP)  # of --log and keep_events
DEFAULT_UNTIL_NS = 600 * 10**9
_LEAST = (("cpus", 1), ("memory", 1), ("swap", 0), ("until", 1), ("seed", 0), ("reuse", 0), ("copies", 1))


@dataclass(frozen=True)
class Options:
    """How a session is run. None is what the session's table says, or else the default."""

    cpus: int | None = None
    memory: int | None = None  # bytes
    swap: int | None = None  # bytes
    seed: int = 0
    until: int | None = None  # ns
    costs: str | Path | None = None  # a cost table
    reuse: float | None = None  # accesses to earlier pages per recorded one
    copies: int | None = None  # of a recorded build's jobs
    cold: bool | None = None  # nothing is in the page cache at the start
    bystanders: tuple[str, ...] | None = None  # programs that run outside every group

    @staticmethod
    def of(
        memory: int | str | None = None,
        until: int | str | None = None,
        bystanders: Sequence[str] | None = None,
        swap: int | str | None = None,
        **others: Any,
    ) -> Options:
        """Options from what a person writes ("64M", "5s"). Raises InputError for what makes no sense."""
        options = Options(
            memory=parse_size(memory) if isinstance(memory, str) else memory,
            until=parse_time(until) if isinstance(until, str) else until,
            bystanders=None if bystanders is None else tuple(bystanders),
            swap=parse_size(swap) if isinstance(swap, str) else swap,
            **others,
        )
        for name, least in _LEAST:
            value = getattr(options, name)
            if value is not None and value < least:
                raise InputError(f"{name} is {value}", hint=f"at least {least}")
        return options


@dataclass(frozen=True)
class Result:
    """What a run has shown.

    Times are ns of the machine's virtual time, sizes are bytes. The data frames are polars'; each is made when it is
    first asked for. In them ``task`` is a task's number, ``comm`` its program's name, and ``group`` is empty for a task
    outside every group.
    """

    summary: Summary  #: The JSON object of the run, as ``cowpath run --json`` prints it in ``runs``.
    plan: Plan = field(repr=False)
    _kept: Keeper | None = field(repr=False, default=None)

    @property
    def design(self) -> str:
        """The name of the design that it ran on."""
        return str(self.summary["design"])

    @property
    def verdict(self) -> str:
        """For the tasks outside every group: ``isolated``, ``stalled`` or ``stuck``."""
        return str(self.summary["verdict"])

    @property
    def group_verdicts(self) -> dict[str, str]:
        """For each group: ``progresses``, ``waits``, ``live-locked``, ``finished`` or ``killed``."""
        return dict(self.summary["group_verdicts"])

    @property
    def chain(self) -> list[str]:
        """Who waits for whom: a sentence for each task outside that is stuck; or, if none is, for the longest stall."""
        return list(self.summary["chain"])

    @property
    def output(self) -> str:
        """What the session printed."""
        return str(self.summary["output"])

    @cached_property
    def faults(self) -> pl.DataFrame:
        """A row per page fault that ended.

        ``time_ns`` (when it ended), ``cpu``, ``task``, ``comm``, ``group``, ``path`` (a number:
        ``cowpath.kernel.steps.PATH_NAMES[path]``; -1 if a retry found the page mapped), ``status`` (``next``: the page
        is mapped; else ``SIGBUS``, ``killed``, ...), ``ns`` (from entry to end, with all retries), ``asleep_ns`` (of
        these, asleep).
        """
        return faults_frame(*self._events(), self.plan.comms, self.plan.groups)

    @cached_property
    def lock_holds(self) -> pl.DataFrame:
        """A row per hold of a page lock that ended.

        ``time_ns`` (when it was let go), ``task``, ``comm`` and ``group`` of its holder (``task`` is null where that
        was a read from disk), ``page`` (its frame), ``file`` and ``index`` (which page of which file), ``step`` (a
        number: ``cowpath.kernel.steps.STEP_NAMES[step]`` took it), ``ns`` (how long it was held).
        """
        files = [file.name for file in self.plan.files]
        return lock_holds_frame(*self._events(), self.plan.comms, self.plan.groups, files)

    @cached_property
    def usage(self) -> pl.DataFrame:
        """The memory that each group used, over time: a row per change.

        ``time_ns``, ``group``, ``usage_in_bytes`` (what ``memory.usage_in_bytes`` reads from then on).
        """
        return usage_frame(self._events()[0], self.plan.groups)

    @cached_property
    def groups(self) -> pl.DataFrame:
        """A row per group: ``group``, ``verdict``, then its memory files and counters at the end.

        The columns are the keys of ``groups`` in the JSON object; limits are null where there is none.
        """
        verdicts = self.group_verdicts
        rows = {name: {"verdict": verdicts.get(name), **group} for name, group in self.summary["groups"].items()}
        return groups_frame(rows)

    @cached_property
    def events(self) -> pl.DataFrame:
        """Every event, a row each; only after ``run(..., keep_events=True)``. Raises InputError otherwise.

        ``time_ns``, ``kind``, ``cpu``, ``task``, ``comm``, ``group``, ``a``, ``b``, ``value``, ``extra``; what the last
        four mean depends on the kind and stands in ``cowpath/kernel/names.py`` at ``EV_FAULT`` and those after it.
        """
        if self._kept is None or self._kept.kinds is not None:
            raise InputError("the events of this run were not kept", hint="run(..., keep_events=True)")
        return events_frame(*self._events(), self.plan.comms, self.plan.groups)

    def _events(self) -> tuple[Any, Any]:
        if self._kept is None:
            raise InputError("the events of this run were not kept")
        return self._kept.all()


@dataclass(frozen=True)
class Comparison:
    """The same session on several designs. ``comparison["preallocate"]`` is the result of one of them."""

    results: tuple[Result, ...]  #: One per design, in the order in which they were asked for.

    @property
    def summary(self) -> Summary:
        """The object that ``cowpath compare --json`` prints."""
        return json_object(self.results)

    @property
    def verdicts(self) -> dict[str, str]:
        """Each design's verdict for the tasks outside every group."""
        return {result.design: result.verdict for result in self.results}

    def __getitem__(self, design: str) -> Result:
        return next(result for result in self.results if result.design == design)


def json_object(results: Sequence[Result]) -> Summary:
    """What ``--json`` prints for these runs of one session."""
    session = results[0].plan.name if results else None
    return {"version": __version__, "session": session, "runs": [result.summary for result in results]}


def run(
    session: str | os.PathLike[str],
    design: str | os.PathLike[str] = "linux-3.0",
    *,
    cpus: int | None = None,
    memory: int | str | None = None,
    swap: int | str | None = None,
    seed: int = 0,
    until: int | str | None = None,
    costs: str | Path | None = None,
    reuse: float | None = None,
    copies: int | None = None,
    cold: bool | None = None,
    bystanders: Sequence[str] | None = None,
    log: str | os.PathLike[str] | None = None,
    keep_events: bool = False,
    progress: Progress | None = None,
) -> Result:
    """Run a session (a file) on a design (a packaged name, or a TOML file).

    The same session, design, seed and options give the same run. An option that is None is as the session's table has
    it. ``cpus``, ``memory`` and ``swap`` (in bytes, or text: "2G") make the machine; ``until`` (in ns, or text: "30s")
    is where it stops at the latest; ``costs`` is another table of what each step costs (a packaged name, or a TOML
    file). ``reuse`` is how often a recorded process comes back to its pages, per recorded touch; ``copies`` how often
    each job of a recorded build is run; ``cold`` starts with nothing in the page cache; ``bystanders`` are programs
    that run outside every group.

    ``log`` names a Parquet file for all events, ``keep_events`` keeps them for ``Result.events``. ``progress`` is told
    the machine's time, in ns, as it goes on. Raises InputError for what is wrong in the input, MachineError if the
    machine has no room for the session.
    """
    options = Options.of(
        memory,
        until,
        bystanders,
        swap,
        cpus=cpus,
        seed=seed,
        costs=costs,
        reuse=reuse,
        copies=copies,
        cold=cold,
    )
    plan = load_plan(session, options)
    return run_plan(plan, load_design(design), options, log, Keeper(None if keep_events else KEPT), progress)


def compare(
    session: str | os.PathLike[str],
    designs: Sequence[str | os.PathLike[str]] | None = None,
    *,
    memory: int | str | None = None,
    until: int | str | None = None,
    bystanders: Sequence[str] | None = None,
    **options: Any,
) -> Comparison:
    """Run a session on several designs (None: all packaged ones).

    The options are those of ``run``, without ``log``, ``keep_events`` and ``progress``; it raises what ``run`` does.
    """
    from cowpath import designs as packaged

    chosen = Options.of(memory, until, bystanders, **options)
    loaded = [load_design(design) for design in (packaged.names() if designs is None else designs)]
    plan = load_plan(session, chosen)
    return Comparison(tuple(run_plan(plan, design, chosen, keeper=Keeper(KEPT)) for design in loaded))


def load_design(design: str | os.PathLike[str]) -> Design:
    """A design by its packaged name or its file. Raises InputError."""
    from cowpath import designs

    return designs.load(os.fspath(design))


def load_plan(session: str | os.PathLike[str], options: Options) -> Plan:
    """A session, compiled. Raises InputError."""
    from cowpath.session.load import load_session

    return load_session(Path(session), copies=options.copies, bystanders=options.bystanders, cold=options.cold)


def run_plan(
    plan: Plan,
    design: Design,
    options: Options,
    log: str | os.PathLike[str] | None = None,
    keeper: Keeper | None = None,
    progress: Progress | None = None,
    compiling: Compiling | None = None,
) -> Result:
    """Run a compiled session on a loaded design; events go to ``log`` and ``keeper`` on the way."""
    from cowpath.engine.ready import ready
    from cowpath.engine.verdict import judge

    tracker = Tracker([start.comm for start in plan.starts], plan.kthreads)
    with ExitStack() as stack:
        writer = None if log is None else stack.enter_context(LogWriter(Path(log), plan.comms))
        k = build_machine(plan, design, options)
        all_kinds = writer is not None or (keeper is not None and keeper.kinds is None)
        k.books.log_mask = mask_of(EVERYTHING if all_kinds else () if keeper is None else (*KEPT, *WHO))

        def on_events(events: Any) -> None:
            if writer is None and keeper is None:
                return
            who = tracker.attribute(events)
            if writer is not None:
                writer.add(events, who)
            if keeper is not None:
                keeper.add(events, who)

        clock = make_clock(k, plan, design, on_events, progress)
        ready(k, compiling)
        began = time.perf_counter()
        ending = clock.run(options.until or plan.settings.until or DEFAULT_UNTIL_NS)
        wall_s = time.perf_counter() - began
    scene = Scene(k, plan)
    judgement = judge(k, plan, clock)
    summary = {
        "design": design.name,
        "seed": options.seed,
        "verdict": judgement.outside,
        "group_verdicts": dict(judgement.groups),
        "group_chains": dict(judgement.group_chains),
        "chain": list(judgement.chains),
        "stalls": len(clock.stalls),
        "longest_stall": longest_stall(judgement.longest, scene),
        **machine_summary(scene, Metrics(k)),
        "ended": ending.reason,
        "wall_s": round(wall_s, 6),
        "output": clock.output,
    }
    return Result(summary, plan, keeper)


def build_machine(plan: Plan, design: Design, options: Options) -> Any:
    """The machine at boot, with the caller's options before the session's settings."""
    from cowpath.engine import costs, machine

    table = costs.load(str(options.costs) if options.costs is not None else plan.settings.costs)
    return machine.build(
        plan,
        design,
        table,
        cpus=options.cpus,
        memory=options.memory,
        swap=options.swap,
        seed=options.seed,
        reuse=options.reuse,
    )


def make_clock(k: Any, plan: Plan, design: Design, on_events: Any, progress: Progress | None = None) -> Any:
    """The clock for a machine, with words for chains and for what the session prints."""
    from cowpath.engine.clock import Clock
    from cowpath.session.cgroupfs import render

    scene = Scene(k, plan)
    return Clock(
        k,
        plan,
        design,
        on_events=on_events,
        progress=progress,
        words=lambda links: chain_of_hops(links, scene),
        host=lambda machine, text: render(machine, text, int(machine.state.tasks[int(machine.books.host_task)].status)),
    )


def longest_stall(stall: Any, scene: Scene) -> Summary | None:
    """The longest wait of a task outside for a group's memory: who, for whose, how long, and the chain in words."""
    if stall is None:
        return None
    return {"group": scene.group(stall.group), "ns": stall.ns, "ended": stall.ended, "chain": str(stall.words)}


def mask_of(kinds: Iterable[int]) -> int:
    """``books.log_mask``: a bit for every kind of event that is wanted."""
    return sum(1 << kind for kind in set(kinds))
