"""``cowpath costs``: what the designs cost, in numbers and relative to one of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from cowpath import __version__
from cowpath.atomic import check_outputs, check_target
from cowpath.cli import options as o
from cowpath.cli.complete import designs as packaged
from cowpath.cli.complete import examples, names_of
from cowpath.cli.notes import say_kernels, say_notes
from cowpath.cli.pages import Report, say
from cowpath.cli.played import NONE, Played, plays
from cowpath.cli.progress import progress_bars
from cowpath.cli.runs import end, failing_verdicts
from cowpath.errors import InputError
from cowpath.kernels import DEFAULT

if TYPE_CHECKING:
    from cowpath.again import Command
    from cowpath.designs import Design
    from cowpath.observe.costs import Run, SessionCosts
    from cowpath.options import Options
    from cowpath.session.plan import Plan

# the default kernel, the three ways of the commit, and what 3.1 made of the first
DESIGNS = (
    DEFAULT, "preallocate", "charge-after-map", "charge-after-unlock", "unlock-charge-relock", "linux-3.1",
)  # fmt: skip
MOST_SEEDS = 1000


def examples_or_files(sessions: list[Path]) -> list[Path]:
    """Names of examples stand for their files."""
    return [found for session in sessions if (found := o.example_or_file(session)) is not None]


Sessions = Annotated[
    list[Path],
    typer.Argument(
        help="Sessions: files, or examples by their names (cowpath examples).", callback=examples_or_files,
        autocompletion=names_of(examples),
    ),
]  # fmt: skip
Designs = Annotated[
    Optional[list[str]],  # noqa: UP045 - Typer reads it at run time
    typer.Option(
        "--design",
        "-d",
        help="A packaged design or a TOML file; give it once for each. Default: the commit's orders.",
        autocompletion=names_of(packaged),
    ),
]
Seeds = Annotated[
    int, typer.Option(help="Run everything with the seeds 0 ... N-1.", min=1, max=MOST_SEEDS, metavar="N")
]
Page = Annotated[
    Path | None, typer.Option(help="Write the tables into this page, between its marks.", metavar="FILE.md")
]


@plays
def costs(
    sessions: Sessions,
    design: Designs = None,
    played: Played = NONE,
    seeds: Seeds = 5,
    markdown: Page = None,
    report: Report = None,
    as_json: o.Json = False,
    fail_on: o.FailOn = None,
    steps: o.Steps = None,
) -> None:
    """Run sessions on several designs with several seeds, and show what each design costs.

    Means over the seeds, with the least and the most where they differ, and relative to linux-3.0 (or the first
    design): "equal" is a difference below 0.5 %.

    Example: cowpath costs examples/sigbus-storm.sh --design linux-3.0 --design preallocate --seeds 3
    """
    failing = failing_verdicts(fail_on)
    from cowpath import api

    check_names(sessions)
    options = api.Options.of(**played)
    if options.table is not None and len(sessions) > 1:
        raise InputError("--table is the table of one session, and there are several", hint="each by itself")
    check_outputs([report], [*sessions, markdown, *(design or ()), options.table, options.costs])
    check_target(report)
    with ExitStack() as stack:
        page = None if markdown is None else stack.enter_context(rewriting(markdown, [s.name for s in sessions]))
        designs, plans = load_sessions(sessions, design or DESIGNS, options)
        check_outputs([report, markdown], [path for plan in plans for path, _ in plan.sources])
        runs = play(plans, designs, seeds, options)
        measured = measure(plans, runs)
        if page is not None:
            from cowpath.observe.costs_tables import markdown as tables

            for session, found in zip(sessions, measured, strict=True):
                page.put(session.name, tables(found, command_of([session], design, seeds, options).with_options()))
    if report is not None:
        from cowpath.report.costs import write

        again = command_of(sessions, design, seeds, options).line(str(report))
        write(report, measured, [plan.source for plan in plans], again)
        say(report)
    show(measured, designs, as_json)
    end([run for of in runs for each in of.values() for run in each], failing)


def check_names(sessions: Sequence[Path]) -> None:
    """Raise InputError if two sessions have the same name: a page could not tell them apart."""
    names = [session.name for session in sessions]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{name} is given twice", hint="each session once")


def load_sessions(sessions: Sequence[Path], named: Sequence[str], options: Options) -> tuple[list[Design], list[Plan]]:
    """The designs, and the sessions, compiled for all of them; what is to be known of either is said.

    Raises InputError, also where a session cannot run on one of the designs.
    """
    from cowpath import api

    designs: list[Design] = []
    plans = []
    for session in sessions:
        designs, plan = api.load_all(list(dict.fromkeys(named)), session, options)
        plans.append(plan)
    say_kernels(designs)
    say_notes(list(dict.fromkeys(note for plan in plans for note in plan.notes)))
    return designs, plans


def play(plans: Sequence[Plan], designs: Sequence[Design], seeds: int, options: Options) -> list[dict[str, list[Run]]]:
    """Run each session on each design with the seeds from 0 on: its runs by design. Raises InputError."""
    from cowpath import api

    with progress_bars(None) as progress:
        tell = progress.many(len(plans) * len(designs) * seeds)
        done = 0
        played = []
        for plan in plans:
            runs: dict[str, list[Run]] = {}
            for each in designs:
                for seed in range(seeds):
                    tell(done, f"{plan.name} on {each.name}, seed {seed}")
                    run = api.run_plan(plan, each, replace(options, seed=seed), compiling=progress.compiling)
                    runs.setdefault(each.name, []).append(run.summary)
                    done += 1
            played.append(runs)
    return played


def measure(plans: Sequence[Plan], runs: Sequence[dict[str, list[Run]]]) -> list[SessionCosts]:
    """What the designs cost in each session, by its runs."""
    from cowpath.observe.costs import session_costs

    return [session_costs(plan.name, of) for plan, of in zip(plans, runs, strict=True)]


def show(measured: Sequence[SessionCosts], designs: Sequence[Design], as_json: bool) -> None:
    """Print the figures as a JSON object or as tables."""
    if as_json:
        from cowpath.designs import kernels_told

        told = {"version": __version__, "kernels": kernels_told(designs)}
        typer.echo(json.dumps(told | {"sessions": [each.as_json() for each in measured]}, indent=2))
        return
    from cowpath.observe.costs_tables import report
    from cowpath.observe.terminal import Terminal

    console = Terminal()
    for each in measured:
        console.print(report(each))


def command_of(sessions: Sequence[Path], designs: Sequence[str] | None, seeds: int, options: Options) -> Command:
    """The command that makes the tables of these sessions."""
    first, *others = map(str, sessions)
    command = options.command("costs", first, designs or ())
    return replace(command, options=(*command.options, "--seeds", str(seeds)), arguments=tuple(others))


class PageWriter:
    """A Markdown page whose tables are replaced."""

    def __init__(self, text: str) -> None:
        self.text = text

    def put(self, session: str, tables: str) -> None:
        """Replace what stands between a session's marks."""
        from cowpath.observe.costs_tables import with_tables

        self.text = with_tables(self.text, session, tables)


@contextmanager
def rewriting(file: Path, sessions: Sequence[str]) -> Iterator[PageWriter]:
    """The page, written when the block ends well. Raises InputError before the block if it has no place for a table."""
    from cowpath.atomic import replacing
    from cowpath.observe.costs_tables import check_marks
    from cowpath.words import read_text

    page = PageWriter(read_text(file))
    check_marks(page.text, sessions, str(file))
    try:
        with replacing(file) as temporary:
            yield page
            temporary.write_text(page.text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", file=file) from error
