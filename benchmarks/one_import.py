"""``cowpath import FILE OUT`` in a process of its own: prints its time and its peak memory."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time

from one_run import peak_kib

from cowpath.cli import main as cowpath


def main() -> None:
    """FILE OUT."""
    began = time.perf_counter()
    sys.argv[:1] = ["cowpath", "import"]
    with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.suppress(SystemExit):
        cowpath()
    wall_s = time.perf_counter() - began
    print(json.dumps({"wall_s": wall_s, "peak_kib": peak_kib(), "told": printed.getvalue().splitlines()[0]}))


if __name__ == "__main__":
    main()
