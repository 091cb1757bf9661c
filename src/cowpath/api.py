"""The Python API: run a session on one design or on several, and get figures, words and data frames."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cowpath import __version__
from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.observe.frames import (
    Keeper,
    events_frame,
    faults_frame,
    groups_frame,
    lock_holds_frame,
    usage_frame,
)
from cowpath.observe.histogram import Histogram
from cowpath.observe.metrics import Metrics
from cowpath.observe.scene import Scene
from cowpath.observe.summary import Summary, machine_summary
from cowpath.observe.timeline import Timeline, lanes_summary
from cowpath.observe.watch import Wanted, Watch
from cowpath.observe.words import Chain, chain_of_hops
from cowpath.units import parse_size, parse_time

if TYPE_CHECKING:
    import polars as pl

    from cowpath.designs import Design
    from cowpath.session.plan import Plan

Progress = Callable[[int], None]  # is told the virtual time reached, in ns
Compiling = Callable[[int, int], None]  # is told how many functions are compiled, and how many there are
KEPT = (n.EV_FAULT, n.EV_LOCK, n.EV_USAGE)  # kinds that the data frames of every run are made from
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

    def command(self, verb: str, session: str, designs: Sequence[str], report: str) -> str:
        """The command line that makes a page with these options, as a shell takes it."""
        words = ["cowpath", verb, session]
        for design in designs:
            words += ["--design", design]
        for option in fields(self):
            value = getattr(self, option.name)
            if option.name == "bystanders":
                words += [word for program in value or () for word in ("--bystander", program)]
            elif option.name == "cold":
                words += [] if value is None else ["--cold" if value else "--warm"]
            elif value is not None and value != option.default:
                words += [f"--{option.name}", f"{value}ns" if option.name == "until" else str(value)]
        return shlex.join([*words, "--report", report])


NOTHING_MORE = Wanted()  # than the figures in the machine's books


@dataclass(frozen=True)
class Seen:
    """What a picture needs beside the summary."""

    waits: tuple[Chain, ...]  # who waits for whom: what the sentences of ``chain`` say
    group_waits: tuple[Chain, ...]  # and those of ``group_chains``
    latencies: Histogram  # of the page faults outside every group, in ns
    timeline: Timeline | None  # if it was wanted


@dataclass(frozen=True)
class Result:
    """What a run has shown.

    Times are ns of the machine's virtual time, sizes are bytes. The data frames are polars'; each is made when it is
    first asked for. In them ``task`` is a task's number, ``comm`` its program's name, and ``group`` is empty for a task
    outside every group.
    """

    summary: Summary  #: The JSON object of the run, as ``cowpath run --json`` prints it in ``runs``.
    plan: Plan = field(repr=False)
    loaded: Design = field(repr=False)
    seen: Seen = field(repr=False)
    _kept: Keeper | None = field(repr=False, default=None)

    def _repr_html_(self) -> str:
        return in_a_notebook([self])

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

    def _repr_html_(self) -> str:
        return in_a_notebook(self.results)

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


def in_a_notebook(results: Sequence[Result]) -> str:
    """What a notebook shows of these runs."""
    from cowpath.report.fragment import fragment

    return fragment(results)


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
    report: str | os.PathLike[str] | None = None,
    trace: str | os.PathLike[str] | None = None,
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

    ``log`` names a Parquet file for all events, ``keep_events`` keeps them for ``Result.events``; ``report`` names an
    HTML file for a page that anyone can open, ``trace`` a file for a Perfetto trace. ``progress`` is told the machine's
    time, in ns, as it goes on. Raises InputError for what is wrong in the input, MachineError if the
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
    keeper = Keeper(None if keep_events else KEPT)
    log, trace = (None if file is None else Path(file) for file in (log, trace))
    wanted = Wanted(log=log, keeper=keeper, trace=trace, timeline=report is not None)
    with reported(report, options, "run", session, [design]) as results:
        results.append(run_plan(plan, load_design(design), options, wanted, progress))
    return results[0]


def compare(
    session: str | os.PathLike[str],
    designs: Sequence[str | os.PathLike[str]] | None = None,
    *,
    memory: int | str | None = None,
    until: int | str | None = None,
    bystanders: Sequence[str] | None = None,
    report: str | os.PathLike[str] | None = None,
    **options: Any,
) -> Comparison:
    """Run a session on several designs (None: all packaged ones).

    The options are those of ``run``, without ``log``, ``keep_events`` and ``progress``; it raises what ``run`` does.
    ``report`` names an HTML file for a page about all of them.
    """
    from cowpath import designs as packaged

    chosen = Options.of(memory, until, bystanders, **options)
    loaded = [load_design(design) for design in (packaged.names() if designs is None else designs)]
    plan = load_plan(session, chosen)
    with reported(report, chosen, "compare", session, designs or packaged.names()) as results:
        for each in loaded:
            wanted = Wanted(keeper=Keeper(KEPT), timeline=report is not None)
            results.append(run_plan(plan, each, chosen, wanted))
    return Comparison(tuple(results))


@contextmanager
def reported(
    report: str | os.PathLike[str] | None,
    options: Options,
    verb: str,
    session: str | os.PathLike[str],
    designs: Sequence[str | os.PathLike[str]],
) -> Iterator[list[Result]]:
    """Takes the runs that are made in the block, and writes the page about them, if one is wanted.

    Raises InputError, before any work is done, if it could not be written.
    """
    results: list[Result] = []
    if report is None:
        yield results
        return
    from cowpath.report.html import check_target
    from cowpath.report.runs import write

    target = Path(report)
    check_target(target)
    yield results
    again = options.command(verb, os.fspath(session), [os.fspath(design) for design in designs], str(target))
    write(target, results, again)


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
    wanted: Wanted = NOTHING_MORE,
    progress: Progress | None = None,
    compiling: Compiling | None = None,
) -> Result:
    """Run a compiled session on a loaded design, with what is wanted of its log."""
    from cowpath.engine.ready import ready
    from cowpath.engine.verdict import judge

    with Watch(wanted, plan) as watch:
        k = build_machine(plan, design, options)
        watch.begin(k)
        clock = make_clock(k, plan, design, watch.add, progress)
        ready(k, compiling)
        began = time.perf_counter()
        ending = clock.run(options.until or plan.settings.until or DEFAULT_UNTIL_NS)
        wall_s = time.perf_counter() - began
        timeline = watch.end(k)
    scene = Scene(k, plan)
    judgement = judge(k, plan, clock)
    metrics = Metrics(k)
    summary = {
        "design": design.name,
        "seed": options.seed,
        "verdict": judgement.outside,
        "group_verdicts": dict(judgement.groups),
        "group_chains": dict(judgement.group_chains),
        "chain": list(judgement.chains),
        "stalls": len(clock.stalls),
        "longest_stall": longest_stall(judgement.longest, scene),
        **machine_summary(scene, metrics),
        "ended": ending.reason,
        "wall_s": round(wall_s, 6),
        "output": clock.output,
    }
    if timeline is not None:
        summary["lanes"] = lanes_summary(timeline, scene)
    seen = Seen(judgement.waits, judgement.group_waits, metrics.outside.everything(), timeline)
    return Result(summary, plan, design, seen, wanted.keeper)


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
