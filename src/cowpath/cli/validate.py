"""``cowpath validate``: how the model agrees with what was measured on real kernels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from cowpath.cli import options as o
from cowpath.cli.progress import Progress, progress_bars
from cowpath.errors import InputError

if TYPE_CHECKING:
    from cowpath.validate.builds import How
    from cowpath.validate.builds.score import Held
    from cowpath.validate.many import Found
    from cowpath.validate.throttle import Slept

Files = Annotated[
    list[Path],
    typer.Argument(
        help="Scenarios or builds with what was measured (FILE.jsonl), or sleeps over memory.high (FILE.tsv)."
    ),
]
Kernel = Annotated[
    str | None,
    typer.Option(
        "--kernel", "-k",
        help="Play only what was measured on this kernel (or design), and all that does not say where it was measured. "
        "Default: each on the kernel of its label.",
    ),
]  # fmt: skip
Ids = Annotated[
    Optional[list[str]],  # noqa: UP045 - Typer reads it at run time
    typer.Option("--id", help="Play only this scenario, and show all its counters; many times for many.", metavar="ID"),
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show all counters of every scenario.")]
FailUnder = Annotated[
    float | None,
    typer.Option(help="Exit with 1 if fewer counters of some kernel agree.", metavar="PERCENT", min=0.0, max=100.0),
]
Recordings = Annotated[
    Path | None,
    typer.Option(
        help="Where the recordings lie that builds name: files NAME.recording, or folders of recorded tables. Default: "
        "the packaged ones.",
        metavar="DIR",
    ),
]
Fetches = Annotated[
    int | None,
    typer.Option(help="Of builds: how much code is fetched again per recorded touch (docs/recordings.md).", min=0,
                 max=1 << 20),
]  # fmt: skip
Processes = Annotated[int | None, typer.Option(help="Processes that play (default: one for each CPU).", min=1, max=64)]


def validate(
    files: Files,
    kernel: Kernel = None,
    ids: Ids = None,
    verbose: Verbose = False,
    as_json: o.Json = False,
    fail_under: FailUnder = None,
    processes: Processes = None,
    recordings: Recordings = None,
    fetches: Fetches = None,
    seed: o.Seed = 0,
) -> None:
    """Play scenarios that ran on real kernels, and compare the model with what was measured, counter by counter.

    Compared are the counters that change at a step, in reality or in the model: one agrees if it is equal, or within
    the spread of the real runs. memory.stat lags on later kernels, and is compared where it has settled. Outcomes: who
    died, who blocked, what a call returned, what a task waited for, how long it slept (within a factor of 1.5).
    Scenarios that ask for what is not modelled, and those of the multi-gen LRU, stand apart and are in no sum.

    Of builds under limits: whether they finish, thrash (are not done after 30 s) or are killed, and their counters.
    --recordings, --fetches and --seed are for these.

    Exit status 0 whatever agrees. --json prints {kernel, scenarios: [{id, agree, total, outcome_ok, worst}], agree,
    total, outcomes_ok, outcomes, apart}; a list of such objects for several kernels.

    Example: cowpath validate micro.jsonl --kernel linux-6.18
    """
    from cowpath.checker.workers import cores
    from cowpath.kernel.compiled import announced
    from cowpath.validate import builds, throttle

    tables = [file for file in files if throttle.is_table(file)]
    jobs = [file for file in files if file not in tables and builds.is_of_builds(file)]
    with progress_bars(None) as progress, announced(progress.compiling):
        wanted = Wanted(kernel, ids or [], processes or cores())
        found = play_scenarios([file for file in files if file not in (*tables, *jobs)], wanted, progress)
        slept = play_sleeps(tables, wanted)
        held = play_builds(jobs, wanted, builds.How(recordings, fetches, seed), progress)
    if as_json:
        show_json(found, slept, held)
    else:
        show(found, slept, held, wanted.ids, verbose)
    if fail_under is not None and least_percent(found, held) < fail_under:
        raise typer.Exit(1)


class Wanted:
    """What of the files is to be played."""

    def __init__(self, kernel: str | None, ids: Sequence[str], processes: int) -> None:
        self.kernel = kernel
        self.ids = list(dict.fromkeys(ids))
        self.processes = processes


def play_scenarios(files: Sequence[Path], wanted: Wanted, progress: Progress) -> list[Found]:
    """All scenarios of all files. Raises InputError for a name that none has."""
    if not files:
        return []
    from cowpath.validate.many import jobs_of, run_all
    from cowpath.validate.scenario import read_scenarios
    from cowpath.words import nearest

    scenarios = [scenario for file in files for scenario in read_scenarios(file)]
    names = {scenario.id for scenario in scenarios}
    for name in wanted.ids:
        if name not in names:
            raise InputError(f"--id: no scenario {name!r}", hint=nearest(name, names, "the first column has the names"))
    if wanted.ids:
        scenarios = [scenario for scenario in scenarios if scenario.id in wanted.ids]
    jobs = jobs_of(scenarios, wanted.kernel)
    return list(run_all(jobs, progress.many(len(jobs)), wanted.processes))


def play_sleeps(files: Sequence[Path], wanted: Wanted) -> list[Slept]:
    """All tables of sleeps."""
    from cowpath.validate import throttle

    groups = [group for file in files for group in throttle.groups_of(throttle.read_table(file), wanted.kernel)]
    return [slept for group in groups for slept in throttle.played(group)]


def play_builds(files: Sequence[Path], wanted: Wanted, how: How, progress: Progress) -> Held | None:
    """All builds of all files. Raises InputError for a name that none has."""
    if not files:
        return None
    from cowpath.validate.builds import many

    builds, measured = many.builds_of(files, wanted.kernel, wanted.ids, how)
    return many.run_all(builds, measured, progress.many(len(builds)), wanted.processes)


def least_percent(found: Sequence[Found], held: Held | None) -> float:
    """Of the kernel with the fewest agreeing counters, or right verdicts on builds: how many of a hundred."""
    from cowpath.validate.many import scores_by_design
    from cowpath.validate.score import percent

    builds = [] if held is None else [held.percent]
    return min((*(percent(scores) for scores in scores_by_design(found).values()), *builds), default=100.0)


def show_json(found: Sequence[Found], slept: Sequence[Slept], held: Held | None) -> None:
    """One object for each kernel, one for sleeps, and one for builds; a list where there are several."""
    from cowpath.validate import many, throttle

    told: list[dict[str, Any]] = many.as_json(found)
    if slept:
        told.append(throttle.as_json(slept))
    if held is not None:
        told.append(held.as_json())
    typer.echo(json.dumps(told[0] if len(told) == 1 else told, indent=2))


def show(found: Sequence[Found], slept: Sequence[Slept], held: Held | None, ids: Sequence[str], verbose: bool) -> None:
    """Tables for people."""
    from cowpath.observe.terminal import Terminal
    from cowpath.validate.builds.show import builds_report
    from cowpath.validate.show import report, sleeps_report

    console = Terminal()
    for part in report(found, ids, verbose):
        console.print(part)
    for part in sleeps_report(slept, verbose):
        console.print(part)
    for part in builds_report(held):
        console.print(part)
