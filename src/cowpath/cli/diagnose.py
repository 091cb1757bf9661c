"""``cowpath diagnose`` and ``cowpath watch``: what a log, or a live machine, tells of tasks that wait."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cowpath.atomic import cannot_write, check_outputs, check_target, replacing
from cowpath.cli import options as o
from cowpath.cli.pages import Report, say
from cowpath.cli.progress import progress_bars
from cowpath.errors import InputError

if TYPE_CHECKING:
    from cowpath.diagnose.verdict import Diagnosis

Session = Annotated[
    Path | None,
    typer.Option("--session", help="Write the session that does the last OOM again to this file.", metavar="FILE.sh"),
]


def diagnose(
    file: Annotated[
        Path,
        typer.Argument(
            help="The log: of dmesg, journalctl (also -o json), a serial line; stacks; - for standard input.",
            metavar="FILE",
        ),
    ],
    report: Report = None,
    session: Session = None,
    as_json: o.Json = False,
) -> None:
    """Tell from a kernel's log who waits for what and holds what, for whose memory, and whether a memory cgroup stalls.

    Reads hung-task reports, sysrq-w and -t, /proc/PID/stack, soft lockups, lockdep's reports and OOM reports of 2.6.32
    to 7.x. What is certain and what is only possible are kept apart; where it cannot be told it says what to capture
    next.

    Example: cowpath diagnose dmesg.txt
    """
    from cowpath.diagnose.lines import raw_lines
    from cowpath.diagnose.verdict import diagnose as diagnosed

    check_outputs([report, session], [file] if str(file) != "-" else [])
    check_target(report)
    check_target(session)
    if str(file) == "-":
        tell(diagnosed(raw_lines(sys.stdin.buffer)), as_json, report, session)
        return
    try:
        with file.open("rb") as raw, progress_bars(None) as progress:
            told = diagnosed(raw_lines(raw, progress.reading(file.stat().st_size)))
    except OSError as error:
        raise InputError(
            f"cannot read it: {error.strerror or error}", file=file, hint="a log, or - for standard input"
        ) from None
    tell(told, as_json, report, session)


def tell(told: Diagnosis, as_json: bool, report: Path | None, session: Path | None) -> None:
    """Print a diagnosis, and write what was asked for."""
    from cowpath.diagnose import answer, show
    from cowpath.diagnose.reproduce import session_of
    from cowpath.observe.terminal import Hanging, Terminal

    if session is not None:
        texts = [text for text in map(session_of, told.reports.ooms) if text is not None]
        if not texts:
            raise InputError(
                "no OOM report from which a session can be made",
                file=session,
                hint="it needs the limit and the table of tasks",
            )
        try:
            with replacing(session) as part:
                part.write_text(texts[-1], encoding="utf-8", errors="backslashreplace")
        except (OSError, ValueError) as error:
            raise cannot_write(session, error) from None
    if report is not None:
        from cowpath.diagnose.page import write

        write(report, told)
    if as_json:
        typer.echo(json.dumps(answer.as_json(told), indent=2))
    else:
        console = Terminal()
        for line in show.lines(told):
            console.print(Hanging(line))
    say(report)
