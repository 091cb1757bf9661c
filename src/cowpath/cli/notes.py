"""What was accepted, but is not quite what was typed, for the commands that show no verdicts it could stand beside."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from cowpath.observe.text import visible


def say_notes(notes: Sequence[str]) -> None:
    """The notes of a session's plan."""
    for note in notes:
        typer.echo(f"cowpath: note: {visible(note)}", err=True)
