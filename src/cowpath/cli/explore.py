"""``cowpath explore``: a case in a browser, in which any move can be chosen."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

import typer

from cowpath.cli import options as o
from cowpath.cli.checks import Properties
from cowpath.cli.notes import say_kernels
from cowpath.cli.progress import progress_bars
from cowpath.cli.ways import whichever_is_first

States = Annotated[
    int, typer.Option(help="Of a design that is tried out: give up after so many states.", metavar="N", min=1)
]


def explore(
    case: Annotated[
        str, typer.Argument(help="A packaged case (docs/cases.md), a TOML file, or a saved schedule.", metavar="CASE")
    ],
    design: o.Design = None,
    property_: Properties = None,
    states: States = 100_000,
    idle: Annotated[
        int, typer.Option(help="Stop when nobody has asked for so many seconds.", metavar="SECONDS", min=1)
    ] = 1800,
    steps: o.Steps = None,
    interpreted: o.Interpreted = None,
) -> None:
    """Explore a case in a browser: choose who moves in each state, however many states there are, and ask "what if".

    It serves one page on 127.0.0.1, at an address that nobody can guess, until Ctrl-C or until nobody asks any more. On
    the page a step of the design can be dropped, or two swapped: the design is checked anew, and the walk goes on.

    Example: cowpath explore swap-in --design linux-3.0
    """
    from cowpath import again, checking
    from cowpath.kernel.compiled import announced

    with progress_bars(None) as progress, announced(progress.compiling), whichever_is_first():
        checking.load_properties(property_)
        walk = checking.explore(case, design)
        walk.atlas.moves(walk.at)
    say_kernels([walk.atlas.design])
    from cowpath.serving import Explorer, Idle

    command = again.explore_line(case, design, property_)
    with Explorer(walk, property_, states, idle, command) as server, suppress(Idle):
        typer.echo(f"Open {server.address} in a browser. Ctrl-C ends it.")
        server.serve_forever(poll_interval=0.2)
    typer.echo(f"Nobody has asked for {idle} s: it has ended.")
