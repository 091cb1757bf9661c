"""``cowpath watch``: a live machine, diagnosed."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cowpath.atomic import cannot_write, check_outputs, check_target, replacing
from cowpath.cli import options as o
from cowpath.cli.diagnose import tell
from cowpath.cli.pages import Report
from cowpath.errors import InputError

if TYPE_CHECKING:
    from cowpath.diagnose import live
    from cowpath.diagnose.verdict import Diagnosis


def watch(
    every: Annotated[
        str | None, typer.Option("--every", help="Look again after this time, until Ctrl-C: 10s.", metavar="TIME")
    ] = None,
    count: Annotated[int | None, typer.Option(help="With --every: look so many times.", min=1)] = None,
    group: Annotated[
        str | None, typer.Option(help="Only tasks of this group, by its path: /A.", metavar="PATH")
    ] = None,
    everybody: Annotated[
        bool, typer.Option("--all", help="Also tasks that sleep until something comes (default: in D or R).")
    ] = False,
    save: Annotated[
        Path | None, typer.Option(help="Write what was read to this file, for cowpath diagnose.", metavar="FILE")
    ] = None,
    report: Report = None,
    as_json: o.Json = False,
) -> None:
    """Tell who waits for what on this machine now: it reads /proc/*/stack and the groups' files, and stops nothing.

    Needs root. A stack that is read while its task runs is of no moment; look twice before you believe it.

    Example: sudo cowpath watch --every 10s --save stacks.txt
    """
    from cowpath.diagnose import live
    from cowpath.units import parse_time

    check_outputs([save, report])
    check_target(save)
    check_target(report)
    if count is not None and every is None:
        raise InputError("--count needs --every", hint="cowpath watch --every 10s --count 6")
    pause = parse_time(every) / 1e9 if every is not None else 0.0
    live.check()
    looked = 0
    while True:
        looked += 1
        told = look(live.Whom(everybody, group), save)
        tell(told, as_json, report, None)
        if every is None or looked == count:
            return
        typer.echo("")
        time.sleep(pause)


def look(whom: live.Whom, save: Path | None) -> Diagnosis:
    """Look once; what was read is kept in the file, if there is one."""
    from cowpath.diagnose import live
    from cowpath.diagnose.verdict import diagnose

    lines = list(live.look(whom))
    if save is not None:
        try:
            with replacing(save) as part:
                part.write_text("".join(lines), encoding="utf-8", errors="backslashreplace")
        except (OSError, ValueError) as error:
            raise cannot_write(save, error) from None
    return diagnose(line.encode("utf-8", "replace") for text in lines for line in text.splitlines())
