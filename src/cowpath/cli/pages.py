"""``--report FILE.html``: a page to open in a browser, and the command that makes it again."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

Report = Annotated[
    Path | None, typer.Option(help="Write a page to this file: the moves, forward and back.", metavar="FILE.html")
]


def check_report(target: Path | None) -> None:
    """Raise InputError, before any work is done, if no page can be written there."""
    if target is not None:
        from cowpath.report.html import check_target

        check_target(target)


def again() -> str:
    """The command line that was typed."""
    return shlex.join(["cowpath", *sys.argv[1:]])
