"""``cowpath from-cgroup``: the limits of real groups as a session."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cowpath.atomic import check_target, replacing


def from_cgroup(
    directory: Annotated[
        Path, typer.Argument(help="A group's directory, live or copied: /sys/fs/cgroup/system.slice.", metavar="DIR")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the session to this file.", metavar="FILE.sh")
    ] = None,
) -> None:
    """Write the session that makes the same groups with the same limits; what they had counted stands as comments.

    Example: cowpath from-cgroup /sys/fs/cgroup/system.slice -o limits.sh
    """
    from cowpath.session.snapshot import session_of

    text = session_of(directory)
    if output is None:
        typer.echo(text, nl=False)
        return
    check_target(output)
    with replacing(output) as part:
        part.write_text(text, encoding="utf-8")
