"""What was accepted, but is not quite what was typed, for the commands that show no verdicts it could stand beside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from cowpath.observe.text import visible

if TYPE_CHECKING:
    from cowpath.designs import Design


def say_notes(notes: Sequence[str]) -> None:
    """The notes of a session's plan."""
    for note in notes:
        typer.echo(f"cowpath: note: {visible(note)}", err=True)


def say_kernels(designs: Sequence[Design]) -> None:
    """Which kernel a result is of, and how it was chosen; what it lacks."""
    from cowpath.designs import kernel_lines, notes_of

    for line in kernel_lines(designs):
        typer.echo(f"cowpath: {visible(line)}", err=True)
    say_notes(notes_of(designs))
