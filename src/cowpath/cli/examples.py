"""``cowpath examples``: the sessions that come with it."""

from __future__ import annotations

from typing import Annotated

import typer

from cowpath.cli.complete import examples as names
from cowpath.cli.complete import names_of
from cowpath.errors import InputError


def examples(
    name: Annotated[
        str | None,
        typer.Argument(help="Print this one. Default: list them.", metavar="[NAME]", autocompletion=names_of(names)),
    ] = None,
) -> None:
    """List the sessions that come with cowpath; each runs by its name where there is no file of that name.

    Example: cowpath examples commit
    """
    from cowpath import examples
    from cowpath.cli.catalog import show
    from cowpath.observe.text import visible
    from cowpath.words import nearest

    known = examples.files()
    if name is None:
        show([(each, examples.about(file)) for each, file in known.items()])
        typer.echo(f"\nThey lie in {visible(str(examples.folder()))}, most with a table: copy what you want to change.")
        return
    if name not in known:
        raise InputError(f"no such example: {name!r}", hint=nearest(name, list(known), "cowpath examples lists them"))
    typer.echo(known[name].read_text(encoding="utf-8"), nl=False)
