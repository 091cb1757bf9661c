"""``cowpath run SESSION --until TIME --report PAGE`` in a process of its own: prints its time and its peak memory."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time

from one_run import peak_kib
from typer import Exit

from cowpath.cli import app


def main() -> None:
    """SESSION UNTIL PAGE."""
    session, until, page = sys.argv[1:]
    began = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.suppress(Exit):
        app(["run", session, "--until", until, "--report", page, "--json"], standalone_mode=False)
    wall_s = time.perf_counter() - began
    run = json.loads(printed.getvalue())["runs"][0]
    print(json.dumps({"wall_s": wall_s, "run_s": run["wall_s"], "tasks": len(run["lanes"]), "peak_kib": peak_kib()}))


if __name__ == "__main__":
    main()
