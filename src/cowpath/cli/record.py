"""``cowpath record``: a command of one's own becomes a program that sessions can run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from cowpath.atomic import check_target
from cowpath.cli.command import Command
from cowpath.cli.guard import INTERRUPTED

LONGEST_NAME = 40


class RecordCommand(Command):
    """From the command's first word on, all words are the command's."""

    allow_interspersed_args = False


def record(
    command: Annotated[list[str], typer.Argument(help="The command and its arguments.", metavar="-- COMMAND")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The recording to write (default: COMMAND.recording).",
                                  metavar="FILE"),
    ] = None,
    reuse: Annotated[
        bool, typer.Option("--reuse", help="Also watch which pages the processes come back to: slower.")
    ] = False,
    no_group: Annotated[
        bool, typer.Option("--no-group", help="Not in a memory cgroup of its own: no counters of one.")
    ] = False,
    anonymous: Annotated[
        bool, typer.Option("--anonymous", help="Keep no arguments, and no file names but those of installed software.")
    ] = False,
) -> None:  # fmt: skip
    """Run a command and record its page faults, mappings, files and processes, for sessions to play.

    perf records all that the command does and starts, in a memory cgroup that is made for it and removed. Ctrl-C goes
    to the command, and what was recorded until its end is kept; a second one kills it, and nothing is. Then come the
    faults, what was lost, the command's own count and why it differs, and the group's counters. It needs perf and, as
    a rule, root; what is missing it says.

    Example: cowpath record -o build.recording -- make -j2
    """
    from cowpath.observe.text import visible
    from cowpath.programs import recording
    from cowpath.programs.recorder.account import lines
    from cowpath.programs.recorder.anonymous import anonymous as without_names
    from cowpath.programs.recorder.record import record as recorded

    name = re.sub(r"[^\w.-]", "_", Path(command[0]).name)[:LONGEST_NAME] or "command"
    target = output or Path(f"{name}.recording")
    check_target(target)
    result = recorded(command, target.name.removesuffix(recording.SUFFIX), group=not no_group, reuse=reuse)
    made = without_names(result.recording) if anonymous else result.recording
    recording.write(made, target)
    for line in lines(result):
        typer.echo(visible(f"cowpath: {line}"), err=True)
    typer.echo(visible(f"cowpath: {target}: {target.stat().st_size:,} bytes"), err=True)
    if result.ended.interrupted:
        raise typer.Exit(INTERRUPTED)
