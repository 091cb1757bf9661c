"""``cowpath check`` and ``cowpath audit``: every interleaving of small cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from cowpath.atomic import cannot_write, check_outputs, check_target
from cowpath.cli import options as o
from cowpath.cli.complete import cases, names_of, properties
from cowpath.cli.pages import Report, say
from cowpath.cli.progress import progress_bars
from cowpath.cli.ways import whichever_is_first
from cowpath.observe.text import visible

if TYPE_CHECKING:
    from cowpath.checking import Checks

STATUS = {"proved": 0, "violated": 1, "unfinished": 3, "vacuous": 4}

Cases = Annotated[
    Optional[list[str]],  # noqa: UP045 - Typer reads it at run time
    typer.Option(
        "--case",
        "-c",
        help="A packaged case (docs/cases.md) or a TOML file. Default: all packaged.",
        autocompletion=names_of(cases),
    ),
]
Path_ = Annotated[
    str | None, typer.Option("--path", help="Only cases about this path: file_cow, swap_in, ...", metavar="PATH")
]
Properties = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        "--property",
        "-p",
        help="A property (docs/check.md), or FILE.py:function. Default: all.",
        autocompletion=names_of(properties),
    ),
]
States = Annotated[
    int | None, typer.Option(help="Give up, with exit status 3, after so many states.", metavar="N", min=1)
]
Memory = Annotated[str | None, typer.Option("--memory", help="... or when a search takes so much: 8G.", metavar="SIZE")]
Reduction = Annotated[
    bool, typer.Option("--reduction/--no-reduction", help="Without: visit every state; the verdicts are the same.")
]


def check(
    design: o.Designs = None,
    case: Cases = None,
    path: Path_ = None,
    property_: Properties = None,
    states: States = None,
    memory: Memory = None,
    reduction: Reduction = True,
    as_json: o.Json = False,
    save: Annotated[
        Path | None,
        typer.Option(help="Write the first violation's schedule to this file, for cowpath replay.", metavar="FILE"),
    ] = None,
    report: Report = None,
    steps: o.Steps = None,
    interpreted: o.Interpreted = None,
) -> None:
    """Prove or refute properties over every interleaving of small cases.

    Exit status: 0 all proved, 1 something violated, 2 wrong input, 3 not finished within the limits, 4 proved, but
    vacuous: a task never gets past some step.

    Example: cowpath check --design linux-3.0 --case commit --property isolation --save found.json
    """
    from cowpath import checking
    from cowpath.kernel.compiled import announced
    from cowpath.units import parse_size

    check_outputs([save, report], checking.files_of(design, case, property_))
    check_target(report)
    room = checking.MEMORY if memory is None else parse_size(memory)
    with progress_bars(None) as progress, announced(progress.compiling), whichever_is_first():
        checks = checking.check(
            design, case, path=path, properties=property_, states=states, memory=room, reduction=reduction,
            told=progress.checking(),
        )  # fmt: skip
    if save is not None:
        save_first(checks, save)
    write_page(checks, report)
    show(checks, as_json)
    raise typer.Exit(STATUS[checks.verdict])


def audit(
    design: o.Designs = None,
    property_: Properties = None,
    states: States = None,
    memory: Memory = None,
    cluster: o.ClusterAddress = None,
    as_json: o.Json = False,
    report: Report = None,
    steps: o.Steps = None,
) -> None:
    """Check every path of every design: a matrix of verdicts, and for each violation its wait-for chain.

    A cell names what is violated, and by how many moves; where there are more designs than the terminal is wide for, in
    signs, with a key below. Exit status as of check.

    Example: cowpath audit --design linux-3.0 --design linux-3.1
    """
    from cowpath import checking
    from cowpath.kernel.compiled import announced
    from cowpath.units import parse_size

    check_outputs([report], checking.files_of(design, (), property_))
    check_target(report)
    room = checking.MEMORY if memory is None else parse_size(memory)
    with progress_bars(None) as progress, announced(progress.compiling):
        checks = checking.audit(
            design, properties=property_, states=states, memory=room, told=progress.checking(), cluster=cluster
        )  # fmt: skip
    write_page(checks, report)
    show(checks, as_json)
    raise typer.Exit(STATUS[checks.verdict])


def write_page(checks: Checks, report: Path | None) -> None:
    """Write the page, if one is wanted, and say where it is."""
    if report is not None:
        with progress_bars(None) as progress:
            checks.report(report, progress.looking())
        say(report)


def show(checks: Checks, as_json: bool) -> None:
    """Print results as JSON or as tables."""
    if as_json:
        typer.echo(json.dumps(checks.summary, indent=2))
        return
    from cowpath.checker.matrix import Matrix
    from cowpath.checker.show import never_in_short, reasons, results_table
    from cowpath.designs import kernel_lines
    from cowpath.observe.terminal import Terminal

    console = Terminal()
    if checks.as_matrix:
        console.print(Matrix(checks.results), *reasons(checks.results), *never_in_short(checks.results))
    else:
        console.print(results_table(checks.results))
    for note in checks.notes:
        console.print(f"Note: {visible(note)}", style="yellow")
    for line in kernel_lines(checks.designs):
        console.print(visible(line), style="dim")
    bound = checks.summary["missed_state_bound"]
    console.print(f"States are known by 64-bit fingerprints: the chance that one was missed is below {bound:.1g}.",
                  style="dim")  # fmt: skip


def save_first(checks: Checks, target: Path) -> None:
    """Save the first violation's schedule."""
    from cowpath.checker import schedule

    found = next((each for each in checks.checked if each[0].verdict == "violated"), None)
    if found is None:
        typer.echo(f"cowpath: nothing is violated: {target} was not written", err=True)
        return
    result, job = found
    try:
        schedule.save(target, result, job.design, job.case)
    except OSError as error:
        raise cannot_write(target, error) from None
