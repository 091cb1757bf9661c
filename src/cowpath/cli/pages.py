"""``--report FILE.html``: a page to open in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cowpath.observe.text import visible

Report = Annotated[
    Path | None, typer.Option(help="Write a page that anyone can open: one HTML file.", metavar="FILE.html")
]


def say(target: Path | None) -> None:
    """Where the page is, if one was wanted."""
    if target is not None:
        typer.echo(f"cowpath: open {visible(str(target))} in a browser", err=True)
