"""``cowpath run`` and ``cowpath compare``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cowpath.atomic import check_outputs
from cowpath.cli import options as o
from cowpath.cli.pages import Report, say
from cowpath.cli.played import NONE, Played, plays
from cowpath.cli.progress import progress_bars
from cowpath.errors import InputError
from cowpath.observe.text import visible

if TYPE_CHECKING:
    from cowpath.checkpoints import Checkpoint
    from cowpath.observe.summary import Summary
    from cowpath.outputs import Outputs
    from cowpath.results import Result

FAILING = ("stuck", "stalled", "killed", "live-locked", "waits")  # verdicts that --fail-on takes


@plays
def run(
    session: o.Session,
    arguments: o.Arguments = None,
    design: o.Design = None,
    played: Played = NONE,
    seed: o.Seed = 0,
    log: Annotated[Path | None, typer.Option(help="Write every event to this Parquet file.", metavar="PARQUET")] = None,
    report: Report = None,
    trace: o.Trace = None,
    ftrace: o.Ftrace = None,
    metrics: o.Metrics = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="Keep the state of the run in this file, and go on from it if it is there.", metavar="FILE"),
    ] = None,
    every: Annotated[
        str | None, typer.Option("--every", help="How often, of this computer's time (default: 60s).", metavar="TIME")
    ] = None,
    as_json: o.Json = False,
    fail_on: o.FailOn = None,
    steps: o.Steps = None,
) -> None:
    """Run a session on one design of the fault path.

    Example: cowpath run examples/oom-off.sh --design preallocate --cpus 2 --until 30s
    """
    failing = failing_verdicts(fail_on)
    from cowpath import api

    chosen = api.Options.of(**played, seed=seed, arguments=arguments)
    outputs = api.Outputs(log=log, report=report, trace=trace, ftrace=ftrace, metrics=metrics)
    loaded, plan = api.load_both(design, session, chosen)
    named = [design or loaded.name]
    kept = checkpoint_of(checkpoint, every, outputs)
    files = [*outputs.files(), *([kept.file, kept.events] if kept else [])]
    check_outputs(files, api.inputs_of(plan, session, named, chosen))
    bars = progress_bars(chosen.until or plan.settings.until)
    with outputs.made_of(api.again("run", session, named, chosen)) as made, bars as progress:
        result = api.run_plan(plan, loaded, chosen, made.wanted(), progress(loaded.name), progress.compiling,
                              checkpoint=kept)  # fmt: skip
        made.results.append(result)
    say(report)
    show(made.results, as_json)
    end([result.summary for result in made.results], failing)


def checkpoint_of(file: Path | None, every: str | None, outputs: Outputs) -> Checkpoint | None:
    """Where the state of a run is kept. Raises InputError, also where it cannot be: what draws keeps a state, too."""
    from cowpath.atomic import check_target
    from cowpath.checkpoints import DEFAULT_EVERY_S, Checkpoint
    from cowpath.units import parse_time

    if file is None:
        if every is not None:
            raise InputError("--every without --checkpoint", hint="--checkpoint FILE")
        return None
    if any((outputs.report, outputs.trace, outputs.ftrace, outputs.metrics)):
        hint = "--log, and the others by a run without it"
        raise InputError("--checkpoint does not go with --report, --trace, --ftrace or --metrics", hint=hint)
    check_target(file)
    return Checkpoint(file, DEFAULT_EVERY_S if every is None else parse_time(every) / 1e9)


@plays
def compare(
    session: o.Session,
    arguments: o.Arguments = None,
    design: o.Designs = None,
    played: Played = NONE,
    seed: o.Seed = 0,
    report: Report = None,
    trace: o.Trace = None,
    metrics: o.Metrics = None,
    as_json: o.Json = False,
    fail_on: o.FailOn = None,
    steps: o.Steps = None,
) -> None:
    """Run a session on several designs, and show them side by side.

    Example: cowpath compare examples/commit.sh --design linux-3.0 --design preallocate
    """
    failing = failing_verdicts(fail_on)
    from cowpath import api

    chosen = api.Options.of(**played, seed=seed, arguments=arguments)
    outputs = api.Outputs(report=report, trace=trace, metrics=metrics)
    loaded, plan = api.load_all(list(dict.fromkeys(design)) if design else None, session, chosen)
    named = list(dict.fromkeys(design)) if design else [each.name for each in loaded]
    check_outputs(outputs.files(), api.inputs_of(plan, session, named, chosen))
    bars = progress_bars(chosen.until or plan.settings.until)
    with outputs.made_of(api.again("compare", session, named, chosen)) as made, bars as progress:
        for each in loaded:
            wanted = made.wanted(process=each.name)
            made.results.append(api.run_plan(plan, each, chosen, wanted, progress(each.name), progress.compiling))
    say(report)
    show(made.results, as_json)
    end([result.summary for result in made.results], failing)


def failing_verdicts(fail_on: Sequence[str] | None) -> frozenset[str]:
    """The verdicts that ``--fail-on`` names; stalled means stuck too. Raises InputError for what is none."""
    from cowpath.words import nearest

    named = {word.strip() for each in fail_on or () for word in each.split(",")}
    for verdict in sorted(named - set(FAILING)):
        known = f"one or several of {', '.join(FAILING)}"
        raise InputError(f"--fail-on: no such verdict: {verdict!r}", hint=nearest(verdict, FAILING, known))
    return frozenset(named | ({"stuck"} if "stalled" in named else set()))


def end(runs: Sequence[Summary], failing: frozenset[str]) -> None:
    """Exit with 1 if a verdict (outside, or of a group) is one of ``failing``; with 3 if a run had to end too early."""
    if any(failing & {run["verdict"], *run["group_verdicts"].values()} for run in runs):
        raise typer.Exit(1)
    if any(run["exhausted"] for run in runs):
        raise typer.Exit(3)


def show(results: Sequence[Result], as_json: bool) -> None:
    """Print runs as a JSON object, or as what the session printed and the tables."""
    from cowpath.designs import kernel_lines
    from cowpath.results import json_object

    if as_json:
        typer.echo(json.dumps(json_object(results), indent=2))
        return
    from rich.text import Text

    from cowpath.observe.run_report import report
    from cowpath.observe.tables import speed
    from cowpath.observe.terminal import Terminal

    console = Terminal()
    console.print(report([result.summary for result in results], [result.seen.waits for result in results]))
    for line in kernel_lines(result.loaded for result in results):
        console.print(Text(visible(line), style="dim"))
    for result in results:
        console.print(Text(f"{result.design}: {speed(result.summary)}", style="dim"))
