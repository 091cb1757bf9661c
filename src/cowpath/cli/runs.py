"""``cowpath run`` and ``cowpath compare``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cowpath.cli import options as o
from cowpath.errors import InputError

if TYPE_CHECKING:
    from cowpath.api import Result

SEVERITY = {"isolated": 0, "stalled": 1, "stuck": 2}


def run(
    session: o.Session,
    design: o.Design = o.DEFAULT_DESIGN,
    cpus: o.Cpus = None,
    memory: o.Memory = None,
    seed: o.Seed = 0,
    until: o.Until = None,
    costs: o.Costs = None,
    reuse: o.Reuse = None,
    copies: o.Copies = None,
    bystander: o.Bystanders = None,
    log: Annotated[Path | None, typer.Option(help="Write every event to this Parquet file.", metavar="PARQUET")] = None,
    as_json: o.Json = False,
    fail_on: o.FailOn = None,
) -> None:
    """Run a session on one design of the fault path.

    Example: cowpath run examples/oom-off.sh --design preallocate --cpus 2 --until 30s
    """
    check_fail_on(fail_on)
    from cowpath import api

    chosen = api.Options.of(memory, until, bystander, cpus=cpus, seed=seed, costs=costs, reuse=reuse, copies=copies)
    loaded = api.load_design(design)
    plan = api.load_plan(session, chosen)
    show_notes(plan.notes)
    with progress_bar([loaded.name], chosen.until or plan.settings.until) as progress:
        result = api.run_plan(plan, loaded, chosen, log=log, progress=progress(loaded.name))
    show([result], as_json)
    end([result], fail_on)


def compare(
    session: o.Session,
    design: o.Designs = None,
    cpus: o.Cpus = None,
    memory: o.Memory = None,
    seed: o.Seed = 0,
    until: o.Until = None,
    costs: o.Costs = None,
    reuse: o.Reuse = None,
    copies: o.Copies = None,
    bystander: o.Bystanders = None,
    as_json: o.Json = False,
    fail_on: o.FailOn = None,
) -> None:
    """Run a session on several designs, and show them side by side.

    Example: cowpath compare examples/commit.sh --design linux-3.0 --design preallocate
    """
    check_fail_on(fail_on)
    from cowpath import api, designs

    chosen = api.Options.of(memory, until, bystander, cpus=cpus, seed=seed, costs=costs, reuse=reuse, copies=copies)
    loaded = [api.load_design(name) for name in dict.fromkeys(design or designs.names())]
    plan = api.load_plan(session, chosen)
    show_notes(plan.notes)
    with progress_bar([each.name for each in loaded], chosen.until or plan.settings.until) as progress:
        results = [api.run_plan(plan, each, chosen, progress=progress(each.name)) for each in loaded]
    show(results, as_json)
    end(results, fail_on)


def check_fail_on(verdict: str | None) -> None:
    """Raise InputError for a verdict that cannot be failed on."""
    if verdict is not None and verdict not in ("stuck", "stalled"):
        raise InputError(f"--fail-on {verdict}: no such verdict", hint="stuck or stalled")


def end(results: Sequence[Result], fail_on: str | None) -> None:
    """Exit with 1 if a run's verdict is the one of ``--fail-on``, or worse."""
    if fail_on is not None and any(SEVERITY[result.verdict] >= SEVERITY[fail_on] for result in results):
        raise typer.Exit(1)


def show(results: Sequence[Result], as_json: bool) -> None:
    """Print runs as a JSON object, or as what the session printed and the tables."""
    from cowpath.api import json_object

    if as_json:
        typer.echo(json.dumps(json_object(results), indent=2))
        return
    from rich.rule import Rule
    from rich.text import Text

    from cowpath.cli.guard import visible
    from cowpath.observe.tables import Terminal, report, speed

    console = Terminal(highlight=False)
    for output in dict.fromkeys(result.output for result in results):
        if output:
            who = ", ".join(result.design for result in results if result.output == output)
            console.print(Rule(Text(f"the session's output on {who}"), align="left"))
            console.print(Text(visible(output).rstrip("\n")))
            console.print()
    console.print(report([result.summary for result in results]))
    for result in results:
        console.print(Text(f"{result.design}: {speed(result.summary)}", style="dim"))


def show_notes(notes: Sequence[str]) -> None:
    """What the session says and the machine does not do."""
    from cowpath.cli.guard import visible

    for note in notes:
        typer.echo(f"cowpath: note: {visible(note)}", err=True)


@contextmanager
def progress_bar(names: Sequence[str], until_ns: int | None) -> Iterator[Callable[[str], Callable[[int], None] | None]]:
    """A bar per run on stderr, if that is a terminal; ``progress(name)`` gives what the run is to call."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda name: None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from cowpath.observe.text import duration

    columns: tuple[Any, ...] = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[reached]}"))
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bars:

        def progress(name: str) -> Callable[[int], None]:
            bar = bars.add_task(name, total=until_ns, reached="compiling")  # until the machine first reports

            def reached(now_ns: int) -> None:
                bars.update(bar, completed=now_ns, reached=f"{duration(now_ns)} of the machine's time")

            return reached

        yield progress
