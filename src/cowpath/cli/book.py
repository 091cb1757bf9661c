"""``cowpath cases``: the case book."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from cowpath.atomic import check_outputs, check_target
from cowpath.cli import options as o
from cowpath.cli.command import Command
from cowpath.cli.guard import GuardedGroup
from cowpath.cli.pages import Report, say
from cowpath.cli.progress import progress_bars

if TYPE_CHECKING:
    from cowpath.casebook import Back, Entry, Outcome
    from cowpath.checker.many import Job

cases_app = typer.Typer(cls=GuardedGroup, invoke_without_command=True)
Number = Annotated[int, typer.Argument(help="The entry's number.", min=1)]
Numbers = Annotated[
    Optional[list[int]],  # noqa: UP045 - Typer reads it at run time
    typer.Argument(help="Entries by their numbers. Default: all.", min=1),
]


@cases_app.callback()
def cases(context: typer.Context) -> None:
    """The case book: Linux's bugs of this family, each before and after it was mended.

    Example: cowpath cases run 4
    """
    if context.invoked_subcommand is None:
        list_cases()


@cases_app.command("list", cls=Command)
def list_cases(as_json: o.Json = False) -> None:
    """List the entries: commit, the first release without the bug, lock, what was waited for, how many trials.

    A release with a ? is not confirmed by a source. An entry without trials says why: cowpath cases show N.

    Example: cowpath cases list
    """
    from cowpath import casebook
    from cowpath.casebook import show

    entries = casebook.load()
    if as_json:
        typer.echo(json.dumps([show.entry_json(entry) for entry in entries], indent=2))
        return
    _print(show.entries_table(entries))


@cases_app.command("show", cls=Command)
def show_case(number: Number) -> None:
    """Show an entry: what waited for what, since when, what mended it, where that is said, and its trials.

    Example: cowpath cases show 4
    """
    from cowpath import casebook
    from cowpath.casebook import show

    _print(*show.entry_report(casebook.find(number)))


@cases_app.command("run", cls=Command)
def run_cases(
    numbers: Numbers = None,
    design: Annotated[
        str | None,
        typer.Option("--design", "-d", help="Look which of the bugs this design brings back.", metavar="DESIGN"),
    ] = None,
    as_json: o.Json = False,
    report: Report = None,
    steps: o.Steps = None,
) -> None:
    """Explore the trials: does the bug show before, and is it gone after?

    Exit status: 0 each came out as the book says, 1 one did not. With --design: 1 if the design violates on a case
    where the kernel that it extends does not; 3 if a search was not finished.

    Example: cowpath cases run 4 19 20
    """
    from cowpath import casebook, designs
    from cowpath.checker.check import Settings
    from cowpath.checker.space import Limits
    from cowpath.checker.workers import cores
    from cowpath.checking import MEMORY
    from cowpath.kernel.compiled import announced

    check_outputs([report], [design] if design else [])
    check_target(report)
    entries = casebook.load() if not numbers else tuple(map(casebook.find, dict.fromkeys(numbers)))
    chosen = None if design is None else designs.load(design)
    settings = Settings(Limits(None, MEMORY))
    with progress_bars(None) as progress, announced(progress.compiling):
        if chosen is not None:
            backs = casebook.brought_back(entries, chosen, settings, progress.checking(), cores())
        else:
            explored = casebook.run(entries, settings, progress.checking(), cores())
    if chosen is not None:
        raise typer.Exit(_tell_backs(backs, chosen.name, as_json))
    if report is not None:
        _page(report, explored)
    raise typer.Exit(_tell_outcomes(entries, [outcome for outcome, _ in explored], as_json))


@cases_app.command("search", cls=Command)
def search_cases(numbers: Numbers = None, as_json: o.Json = False) -> None:
    """Search for the fix: is the order of steps that mended a bug among those that are safe?

    Of the trials whose sides differ in the order of one path's steps: tries every order that moves at most two steps of
    "before" (of a path that pays for memory.high, every place of the steps that pay), in the trial's case. Exit status:
    0 each fix was found, 1 one was not.

    Example: cowpath cases search 1 15
    """
    from cowpath import __version__, casebook
    from cowpath.casebook import show
    from cowpath.kernel.compiled import announced

    entries = casebook.load() if not numbers else tuple(map(casebook.find, dict.fromkeys(numbers)))
    with progress_bars(None) as progress, announced(progress.compiling):
        searched = list(casebook.search_all(entries))
    if as_json:
        found = [show.searched_json(each) for each in searched]
        typer.echo(json.dumps({"version": __version__, "searched": found}, indent=2))
    else:
        fixed = len({each.entry.number for each in searched if each.fix})
        _print(show.searched_table(searched), f"The search found the fix of {fixed} entries by itself.")
    raise typer.Exit(0 if all(each.fix for each in searched) else 1)


def _tell_outcomes(entries: Sequence[Entry], outcomes: Sequence[Outcome], as_json: bool) -> int:
    from cowpath import __version__
    from cowpath.casebook import show

    right = sum(each.as_expected for each in outcomes)
    if as_json:
        found = [show.outcome_json(each) for each in outcomes]
        whole = {"version": __version__, "entries": [show.entry_json(each) for each in entries], "trials": found,
                 "as_expected": right, "total": len(found)}  # fmt: skip
        typer.echo(json.dumps(whole, indent=2))
    else:
        without = sum(not each.trials for each in entries)
        said = f"{right} of {len(outcomes)} trials came out as the book says."
        more = f" {without} entries have none: cowpath cases show N says why." if without else ""
        _print(show.outcomes_table(outcomes), *show.chains(outcomes), said + more)
    return 0 if right == len(outcomes) else 1


def _tell_backs(backs: Sequence[Back], name: str, as_json: bool) -> int:
    from cowpath import __version__
    from cowpath.casebook import show
    from cowpath.casebook.trials import APART, BACK, UNKNOWN

    verdicts = [each.verdict for each in backs]
    if as_json:
        found = [show.back_json(each) for each in backs]
        typer.echo(json.dumps({"version": __version__, "design": name, "trials": found}, indent=2))
    else:
        bugs = len({each.entry.number for each in backs if each.verdict == BACK})
        said = f"{name} brings back {bugs} of the book's bugs" if bugs else f"{name} brings none of them back"
        apart = verdicts.count(APART)
        _print(show.backs_table(backs), f"{said}; {apart} trials are not about it." if apart else f"{said}.")
    return 1 if BACK in verdicts else 3 if UNKNOWN in verdicts else 0


def _page(target: Path, explored: Sequence[tuple[Outcome, tuple[Job, Job]]]) -> None:
    from cowpath.checker import properties
    from cowpath.report import steps

    checked = [pair for outcome, jobs in explored
               for pair in zip((outcome.before, outcome.after), jobs, strict=True)]  # fmt: skip
    names = dict.fromkeys(result.property for result, _ in checked)
    steps.write_checks(target, checked, [properties.find(name) for name in names], None)
    say(target)


def _print(*parts: Any) -> None:
    from cowpath.observe.terminal import Terminal

    Terminal().print(*parts)
