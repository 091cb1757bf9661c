"""``cowpath search``: every order of a path's steps."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from cowpath.cli import options as o
from cowpath.cli.checks import Cases
from cowpath.cli.notes import say_kernels
from cowpath.cli.progress import progress_bars
from cowpath.kernels import DEFAULT

if TYPE_CHECKING:
    from cowpath.searching.found import Found

SHOWN = 12  # safe orders; --json has them all


def search(
    path: Annotated[
        str, typer.Option("--path", help="The path: of a fault (file_cow, swap_in, ...), or another (readahead).")
    ] = "file_cow",
    start: Annotated[
        str, typer.Option("--from", help="The design whose steps they are: packaged, or a TOML file.", metavar="DESIGN")
    ] = DEFAULT,
    case: Cases = None,
    processes: Annotated[int | None, typer.Option(help="How many processes (default: one per CPU).", min=1)] = None,
    cluster: o.ClusterAddress = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Do not go on where an interrupted search was left.")] = False,
    as_json: o.Json = False,
    steps: o.Steps = None,
) -> None:
    """List every order of a path's steps that is safe, and what each costs.

    Takes every order that the steps' dependencies allow, also with one more unlock and lock; drops what violates a
    property in some interleaving of some case; runs the rest in the clock. After Ctrl-C the same command goes on.
    Of a path that is no fault's (readahead, write, ...), the steps that pay for memory.high are moved.

    Example: cowpath search --path file_cow --from linux-3.0
    """
    from cowpath import checking
    from cowpath.kernel.compiled import announced

    with progress_bars(None) as progress, announced(progress.compiling):
        try:
            searched = checking.search(
                path, start, cases=case, processes=processes, cluster=cluster, fresh=fresh, told=progress.searching()
            )  # fmt: skip
        except KeyboardInterrupt:
            typer.echo("cowpath: what is decided so far is kept: the same command goes on from there", err=True)
            raise
    if as_json:
        typer.echo(json.dumps(searched.summary, indent=2))
        return
    show(searched.found)
    say_kernels([searched.design])


def show(found: Found) -> None:
    """Print what a search has found."""
    from cowpath.observe.terminal import Terminal
    from cowpath.searching.show import report

    Terminal().print(report(found, SHOWN))
