"""The Python API: run a session on one design, or on several."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cowpath.atomic import check_outputs
from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.observe.keeper import Keeper
from cowpath.observe.metrics import Metrics
from cowpath.observe.samples import Sampler
from cowpath.observe.scene import Scene
from cowpath.observe.summary import Summary, machine_summary
from cowpath.observe.timeline import lanes_summary
from cowpath.observe.watch import Journal, Wanted, Watch
from cowpath.observe.words import chain_of_hops, free_to, unless
from cowpath.options import Options
from cowpath.outputs import Outputs
from cowpath.results import Comparison, Result, Seen
from cowpath.session.uses import VERSIONS

if TYPE_CHECKING:
    from cowpath.again import Command
    from cowpath.checkpoints import Checkpoint
    from cowpath.designs import Design
    from cowpath.engine.costs import Costs
    from cowpath.session.fixed import Fixed
    from cowpath.session.plan import Plan

__all__ = [
    "Comparison", "Options", "Outputs", "Result", "again", "build_machine", "check_names", "compare", "inputs_of",
    "load_design", "load_plan", "make_clock", "run", "run_plan",
]  # fmt: skip

Progress = Callable[[int], None]  # is told the virtual time reached, in ns
Compiling = Callable[[int, int], None]  # is told how many functions are compiled, and how many there are
KEPT = (n.EV_FAULT, n.EV_LOCK, n.EV_LOCK_SENT, n.EV_USAGE)  # kinds that the data frames of every run are made from
DEFAULT_UNTIL_NS = 600 * 10**9
NOTHING_MORE = Wanted()  # than the figures in the machine's books


def run(
    session: str | os.PathLike[str],
    design: str | os.PathLike[str] | None = None,
    *,
    cpus: int | None = None,
    memory: int | str | None = None,
    swap: int | str | None = None,
    tasks: int | None = None,
    seed: int = 0,
    until: int | str | None = None,
    costs: str | Path | None = None,
    reuse: float | None = None,
    copies: int | None = None,
    cold: bool | None = None,
    bystanders: Sequence[str] | None = None,
    table: str | os.PathLike[str] | None = None,
    arguments: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    programs: Mapping[str, str | os.PathLike[str]] | None = None,
    log: str | os.PathLike[str] | None = None,
    report: str | os.PathLike[str] | None = None,
    trace: str | os.PathLike[str] | None = None,
    ftrace: str | os.PathLike[str] | None = None,
    metrics: str | os.PathLike[str] | None = None,
    keep_events: bool = False,
    progress: Progress | None = None,
) -> Result:
    """Run a session on a design (a packaged name, or a TOML file; None: the kernel that fits the session).

    The session is a file: a script, or what stands for one (a pod, a compose file, a unit of systemd).

    The same session, design, seed and options give the same run. An option that is None is as the session's table has
    it. ``cpus``, ``memory`` and ``swap`` (in bytes, or text: "2G") make the machine, ``tasks`` is how many
    there may be on it (default: what Linux makes of the memory's size); ``until`` (in ns, or text: "30s")
    is where it stops at the latest; ``costs`` is another table of what each step costs (a packaged name, or a TOML
    file). ``reuse`` is how often a recorded process comes back to its pages, per recorded touch; ``copies`` how often
    each job of a recorded build is run; ``cold`` starts with nothing in the page cache; ``bystanders`` are programs
    that run outside every group; ``table`` is the session's table, if that is not beside it; ``arguments`` are
    its $1, $2, ..., and ``env`` are variables that it finds. ``programs`` say what names stand for: a recording, a
    written program (a file), or a program that is known.

    ``log`` names a Parquet file for all events, ``keep_events`` keeps them for ``Result.events``; ``report`` names an
    HTML file for a page that anyone can open, ``trace`` a file for a Perfetto trace, ``ftrace`` one for trace-cmd
    (FILE.dat) or ftrace's text, ``metrics`` one for the groups' figures over time, in OpenMetrics' text. ``progress``
    is told the machine's time, in ns, as it goes on. Raises InputError for what is wrong in the input. A machine that
    runs out of something ends the run early: ``Result.exhausted`` says what it was, and the verdicts are those so far.
    """
    options = Options.of(
        memory,
        until,
        bystanders,
        swap,
        cpus=cpus,
        tasks=tasks,
        seed=seed,
        costs=costs,
        reuse=reuse,
        copies=copies,
        cold=cold,
        table=table,
        arguments=arguments,
        env=_pairs(env),
        programs=_pairs(programs),
    )
    loaded, plan = load_both(design, session, options)
    named = [design or loaded.name]
    outputs = Outputs.of(log=log, trace=trace, ftrace=ftrace, report=report, metrics=metrics)
    check_outputs(outputs.files(), inputs_of(plan, session, named, options))
    with outputs.made_of(again("run", session, named, options)) as made:
        wanted = made.wanted(Keeper(None if keep_events else KEPT))
        made.results.append(run_plan(plan, loaded, options, wanted, progress))
    return made.results[0]


def compare(
    session: str | os.PathLike[str],
    designs: Sequence[str | os.PathLike[str]] | None = None,
    *,
    memory: int | str | None = None,
    until: int | str | None = None,
    bystanders: Sequence[str] | None = None,
    env: Mapping[str, str] | None = None,
    programs: Mapping[str, str | os.PathLike[str]] | None = None,
    report: str | os.PathLike[str] | None = None,
    trace: str | os.PathLike[str] | None = None,
    metrics: str | os.PathLike[str] | None = None,
    **options: Any,
) -> Comparison:
    """Run a session on several designs (None: all packaged ones whose kernel has the session's cgroups).

    The options are those of ``run``, without ``log``, ``ftrace``, ``keep_events`` and ``progress``; it raises what
    ``run`` does.
    ``report`` names an HTML file for a page about all of them; in the ``trace`` each is a process, in the ``metrics`` a
    value of the label ``design``.
    """
    chosen = Options.of(memory, until, bystanders, env=_pairs(env), programs=_pairs(programs), **options)
    loaded, plan = load_all(designs, session, chosen)
    named = [each.name for each in loaded] if designs is None else designs
    outputs = Outputs.of(trace=trace, report=report, metrics=metrics)
    check_outputs(outputs.files(), inputs_of(plan, session, named, chosen))
    with outputs.made_of(again("compare", session, named, chosen)) as made:
        for each in loaded:
            made.results.append(run_plan(plan, each, chosen, made.wanted(Keeper(KEPT), each.name)))
    return Comparison(tuple(made.results))


def _pairs(given: Mapping[str, str | os.PathLike[str]] | None) -> list[str]:
    """NAME=VALUE, as on the command line."""
    return [f"{name}={os.fspath(value)}" for name, value in (given or {}).items()]


def again(
    verb: str, session: str | os.PathLike[str], designs: Sequence[str | os.PathLike[str]], options: Options
) -> Command:
    """The command of the terminal that makes the same runs."""
    return options.command(verb, os.fspath(session), [os.fspath(design) for design in designs])


def inputs_of(
    plan: Plan,
    session: str | os.PathLike[str],
    designs: Sequence[str | os.PathLike[str]],
    options: Options,
) -> list[str | os.PathLike[str] | None]:
    """The files that a run reads: none of them is to be written."""
    return [session, *(path for path, _ in plan.sources), *designs, options.costs]


def check_names(designs: Sequence[Design]) -> None:
    """Raise InputError if two designs that are to be compared cannot be told apart, or if there are none."""
    if not designs:
        raise InputError("no design to compare", hint="a packaged one (cowpath designs), or a TOML file")
    names = [design.name for design in designs]
    for design in designs:
        if names.count(design.name) > 1:
            raise InputError(f"two designs are called {design.name!r}", hint='name = "..." in one of the files')


def load_design(design: str | os.PathLike[str]) -> Design:
    """A design by its packaged name or its file. Raises InputError."""
    from cowpath import designs

    return designs.load(os.fspath(design))


def load_both(
    design: str | os.PathLike[str] | None, session: str | os.PathLike[str], options: Options
) -> tuple[Design, Plan]:
    """A design, or else the kernel that fits the session, and the session, compiled. Raises InputError."""
    from cowpath import designs
    from cowpath.kernels.chosen import choose_kernel

    if design is not None:
        loaded = load_design(design)
        plan = load_plan(session, options, loaded.kernel.interface)
        check_cgroups(plan, loaded)
        return loaded, plan
    plan = load_plan(session, options)
    found = choose_kernel("v1" in plan.interfaces, "v2" in plan.interfaces)
    loaded = replace(designs.load(found.name), chosen=found.why)
    check_cgroups(plan, loaded)
    return loaded, plan


def load_all(
    named: Sequence[str | os.PathLike[str]] | None, session: str | os.PathLike[str], options: Options
) -> tuple[list[Design], Plan]:
    """Designs, or else all packaged ones that fit the session, and the session, compiled. Raises InputError."""
    from cowpath import designs
    from cowpath.kernels.chosen import choose_kernel

    if named is not None:
        loaded = [load_design(design) for design in named]
        check_names(loaded)
        plan = load_plan(session, options, in_all(loaded))
    else:
        plan = load_plan(session, options)
        loaded = [designs.load(name) for name in designs.names(plan.interfaces or ("v1",))]
        if not loaded:
            choose_kernel("v1" in plan.interfaces, "v2" in plan.interfaces)  # says why
        loaded = [each for each in loaded if has_its_files(plan, each)] or loaded[-1:]
        why = "default: all that have the files of the session's groups"
        loaded = [each if each.extends_it else replace(each, chosen=why) for each in loaded]
    for each in loaded:
        check_cgroups(plan, each)
    return loaded, plan


def in_all(designs: Sequence[Design]) -> tuple[str, ...]:
    """The versions of cgroups that the kernels of all designs have; if there is none, any."""
    return tuple(each for each in VERSIONS if all(each in design.kernel.interface for design in designs)) or VERSIONS


def has_its_files(plan: Plan, design: Design) -> bool:
    """A session can run on this design."""
    try:
        check_cgroups(plan, design)
    except InputError:
        return False
    return True


def check_cgroups(plan: Plan, design: Design) -> None:
    """Raise InputError for a session that cannot run on this design: its kernel has no such cgroups, or files."""
    from cowpath.session.fit import check

    check(plan, design.kernel)


def load_plan(
    session: str | os.PathLike[str],
    options: Options,
    interfaces: Sequence[str] = VERSIONS,
    fixed: Fixed | None = None,
) -> Plan:
    """A session, compiled; for kernels with ``interfaces`` of cgroups; ``fixed`` holds whatever its script says.

    Raises InputError.
    """
    from cowpath.session.fixed import NONE
    from cowpath.session.load import load_session
    from cowpath.session.plan import MachineSettings

    try:
        return load_session(
            Path(session), table=options.table, copies=options.copies, bystanders=options.bystanders, cold=options.cold,
            settings=MachineSettings(cpus=options.cpus, memory=options.memory, swap=options.swap),
            arguments=options.arguments, environment=options.environment,
            programs=options.programs, interfaces=interfaces, fixed=NONE if fixed is None else fixed,
        )  # fmt: skip
    except InputError as error:
        raise misplaced(os.fspath(session)) or error from None


def misplaced(session: str) -> InputError | None:
    """What to say if the name of something else stands where a session belongs, and is no file's."""
    from cowpath import cases, designs

    if session in designs.names() and not Path(session).exists():
        return InputError(f"{session!r} is a design, where a session belongs", hint=f"SESSION --design {session}")
    if session in cases.names() and not Path(session).exists():
        return InputError(f"{session!r} is a case, where a session belongs", hint=f"cowpath check --case {session}")
    return None


def run_plan(
    plan: Plan,
    design: Design,
    options: Options,
    wanted: Wanted = NOTHING_MORE,
    progress: Progress | None = None,
    compiling: Compiling | None = None,
    costs: Costs | None = None,
    checkpoint: Checkpoint | None = None,
) -> Result:
    """Run a compiled session on a loaded design, with what is wanted of its log. ``costs``: the table, if loaded.

    ``checkpoint`` keeps the state of the run from time to time, and the run begins with the one that is there; then the
    log is all that can be wanted of it.
    """
    from cowpath.designs import kernel_told
    from cowpath.engine.ready import ready
    from cowpath.engine.verdict import judge

    plan = plan.on(design)
    journal = None
    if checkpoint is not None:
        checkpoint.open(plan, design, options, wanted.log is not None)
        journal = Journal(checkpoint.events, checkpoint.kept_events)
    with Watch(wanted, plan, journal) as watch:
        k = build_machine(plan, design, options, costs)
        watch.begin(k)
        clock = make_clock(k, plan, design, watch.add, progress)
        ready(k, compiling)
        if checkpoint is not None:
            checkpoint.restore(k, clock, watch)
            clock.pause = partial(checkpoint.pause, clock, watch)
        sampler = Sampler(k, plan, design) if wanted.samples else None
        clock.look = None if sampler is None else sampler.look
        began = time.perf_counter()
        ending = clock.run(options.until or plan.settings.until or DEFAULT_UNTIL_NS)
        wall_s = time.perf_counter() - began
        timeline = watch.end(k)
        samples = None if sampler is None else sampler.end()
    if checkpoint is not None:
        checkpoint.done()
    scene = Scene(k, plan)
    judgement = judge(k, plan, clock, lambda free: unless(free, scene))
    metrics = Metrics(k)
    summary = {
        "design": design.name,
        "kernel": kernel_told(design),
        "seed": options.seed,
        "verdict": judgement.outside,
        "group_verdicts": dict(judgement.groups),
        "group_chains": dict(judgement.group_chains),
        "chain": list(judgement.chains),
        "unless": {name: [told_free(each, scene) for each in free] for name, free in judgement.free.items()},
        "victims": victims_summary(k, clock, scene),
        "stalls": len(clock.stalls),
        "longest_stall": longest_stall(judgement.longest, scene),
        **machine_summary(scene, metrics),
        "ended": ending.reason,
        "exhausted": what_ran_out(ending.exhausted),
        "wall_s": round(wall_s, 6),
        "output": clock.output,
        "notes": [*plan.notes, *design.kernel.notes, *(design.kernel.reclaim_notes if metrics.reclaims else [])],
    }
    if timeline is not None:
        summary["lanes"] = lanes_summary(timeline, scene)
    seen = Seen(judgement.waits, judgement.group_waits, metrics.outside.everything(), timeline, samples)
    return Result(summary, plan, design, seen, wanted.keeper)


def load_costs(plan: Plan, options: Options) -> Costs:
    """The table of what each step costs: the caller's, or else the session's. Raises InputError."""
    from cowpath.engine import costs

    return costs.load(str(options.costs) if options.costs is not None else plan.settings.costs)


def build_machine(plan: Plan, design: Design, options: Options, costs: Costs | None = None) -> Any:
    """The machine at boot, with the caller's options before the session's settings."""
    from cowpath.engine import machine

    check_cgroups(plan, design)
    return machine.build(
        plan,
        design,
        load_costs(plan, options) if costs is None else costs,
        cpus=options.cpus,
        memory=options.memory,
        swap=options.swap,
        tasks=options.tasks,
        seed=options.seed,
        reuse=options.reuse,
    )


def make_clock(k: Any, plan: Plan, design: Design, on_events: Any, progress: Progress | None = None) -> Any:
    """The clock for a machine, with words for chains and for what the session prints."""
    from cowpath.engine.clock import Clock
    from cowpath.kernels import memcg_files
    from cowpath.session.host import Host

    scene = Scene(k, plan)
    keys = memcg_files.load(design.kernel.name) if k.state.cgroup2 else None
    return Clock(
        k,
        plan,
        design,
        on_events=on_events,
        progress=progress,
        words=lambda links: chain_of_hops(links, scene),
        host=Host(plan, keys),
    )


def what_ran_out(pool: Any) -> Summary | None:
    """What the machine has run out of, if that ended the run: how many there were, and what gives it more."""
    if pool is None:
        return None
    return {"what": pool.what, "count": pool.count, "at_ns": pool.at, "hint": pool.hint}


def told_free(free: Any, scene: Scene) -> Summary:
    """A task of a group that stands still, which may yet do something: what it does, and how long it still sleeps."""
    return {"task": scene.task(free.task), "does": free_to(free), "for_ns": free.for_ns if free.for_ns >= 0 else None}


def victims_summary(k: Any, clock: Any, scene: Scene) -> list[Summary]:
    """Whom the OOM killer has chosen and who has not died: since when, what they wait for, and whether in a cycle."""
    from cowpath.engine.chain import chain, victims

    found = []
    for t in victims(k):
        words = clock.words(chain(k, t))
        chosen = int(k.books.tasks[t].chosen_at)
        found.append({
            "group": scene.group(scene.group_of(t)), "task": scene.task(t), "at_ns": chosen - 1 if chosen else None,
            "chain": str(words), "cycle": bool(words.deadlock),
        })  # fmt: skip
    return found


def longest_stall(stall: Any, scene: Scene) -> Summary | None:
    """The longest wait of a task outside for a group's memory: who, for whose, how long, and the chain in words."""
    if stall is None:
        return None
    return {"group": scene.group(stall.group), "ns": stall.ns, "ended": stall.ended, "chain": str(stall.words)}
