"""One sweep in a process of its own: FOLDER processes|threads COUNT POINTS. Prints its figures as JSON."""

from __future__ import annotations

import json
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from cowpath import sweeping

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
VALUES = 50


def main() -> None:
    """Play it."""
    folder, players, count, points = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    vary = {"A:memory.high": f"4M..12M/{VALUES}"}
    seeds = max(1, points // VALUES)
    options: dict[str, Any] = {"processes": count}
    if players == "threads":
        options = {"executor": ThreadPoolExecutor(count)}
    session = EXAMPLES / "high-readahead.sh"
    began = time.perf_counter()
    found = sweeping.sweep(session, vary, ["linux-6.18"], store=folder / "s.sqlite", seeds=seeds, **options)
    wall_s = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s, peak = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    told = {
        "wall_s": wall_s, "points_s": sum(row.wall_s for row in found), "cpu_s": cpu_s, "peak_mib": peak,
        "points": len(found),
    }  # fmt: skip
    print(json.dumps(told))


if __name__ == "__main__":
    main()
