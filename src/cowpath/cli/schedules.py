"""``cowpath replay`` and ``cowpath bisect``: a counterexample again, and what in a design it comes from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cowpath.atomic import check_outputs, check_target
from cowpath.cli import options as o
from cowpath.cli.checks import Properties
from cowpath.cli.notes import say_kernels
from cowpath.cli.pages import Report, say
from cowpath.cli.progress import progress_bars
from cowpath.cli.ways import whichever_is_first
from cowpath.observe.text import visible


def replay(
    file: Annotated[Path, typer.Argument(help="A schedule that cowpath check --save has written.")],
    design: Annotated[
        str | None, typer.Option("--design", "-d", help="Play it on this design instead of its own.", metavar="DESIGN")
    ] = None,
    as_json: o.Json = False,
    report: Report = None,
    steps: o.Steps = None,
    interpreted: o.Interpreted = None,
) -> None:
    """Play a saved counterexample again, move by move: a column per task, a row per move, and the wait at the end.

    Times are the machine's: every task on a CPU of its own, each step at its cost (cowpath's cost table slow-vm).

    Example: cowpath replay found.json
    """
    from cowpath import checking
    from cowpath.kernel.compiled import announced

    check_outputs([report], [file, *checking.files_of(design)])
    check_target(report)
    with progress_bars(None) as progress, announced(progress.compiling), whichever_is_first():
        replayed = checking.replay(file, design)
    if report is not None:
        with progress_bars(None) as progress:
            replayed.report(report, progress.looking())
        say(report)
    if as_json:
        typer.echo(json.dumps(replayed.summary, indent=2))
        return
    say_kernels([replayed.played_on])
    from rich.text import Text

    from cowpath.checker.show import moves_table
    from cowpath.observe.chains import Drawn
    from cowpath.observe.terminal import Terminal

    console = Terminal()
    console.print(visible(replayed.saved.title(replayed.design)), style="bold")
    for sentence in filter(None, dict.fromkeys((replayed.reason, *replayed.waiting))):
        console.print(visible(sentence))
    cycle = replayed.cycle_from
    if cycle is not None:
        console.print(f"From move {cycle} on, it goes on in the same way for ever.")
    console.print(Text(), moves_table(replayed.rows, replayed.tasks, cycle))
    if replayed.waits:
        console.print(Text("\nWho waits for whom at the end", "bold"), Drawn(replayed.waits))


def bisect(
    first: Annotated[str, typer.Argument(help="A design.", metavar="D1")],
    second: Annotated[str, typer.Argument(help="The design that it becomes.", metavar="D2")],
    case: Annotated[str, typer.Option("--case", "-c", help="The case: packaged, or a TOML file.", metavar="CASE")],
    property_: Properties = None,
    as_json: o.Json = False,
    steps: o.Steps = None,
    interpreted: o.Interpreted = None,
) -> None:
    """Go from one design to another one moved step at a time, and name the step that turns a verdict.

    Example: cowpath bisect linux-3.0 preallocate --case commit --property isolation
    """
    from cowpath import checking
    from cowpath.kernel.compiled import announced

    with progress_bars(None) as progress, announced(progress.compiling), whichever_is_first():
        found = checking.bisect(first, second, case, property_)
    if as_json:
        typer.echo(json.dumps(found.summary, indent=2))
        return
    from cowpath.observe.terminal import Hanging, Terminal

    console = Terminal()
    say_kernels(found.ends)
    for stage in found.stages:
        verdicts = stage.verdicts.items()
        bad = [
            name if verdict == "violated" else f"{name} ({verdict})"
            for name, verdict in verdicts
            if verdict != "proved"
        ]
        console.print(Hanging(visible(stage.change)), Hanging(f"    violated: {', '.join(bad) or 'nothing'}"))
    for turn in found.turns:
        console.print(Hanging(visible(f"{turn.property}: {turn.before} -> {turn.after} with {turn.change}")))
    if not found.turns:
        console.print(f"No verdict turns between {visible(first)} and {visible(second)}.")
