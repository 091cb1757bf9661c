"""A run of a session in a process of its own, for its peak memory: prints a JSON object."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from cowpath import api


def peak_kib() -> int:
    """The most memory that this process has had; getrusage would show its parent's, if that was larger."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def main() -> None:
    """SESSION COPIES UNTIL: "-" is what the session says."""
    session, copies, until = sys.argv[1:]
    options = api.Options.of(copies=None if copies == "-" else int(copies), until=None if until == "-" else until)
    summary = api.run_plan(api.load_plan(Path(session), options), api.load_design("linux-3.0"), options).summary
    wanted = {name: summary[name] for name in ("virtual_ns", "wall_s", "faults", "steps", "ended")}
    print(json.dumps(wanted | {"peak_kib": peak_kib()}))


if __name__ == "__main__":
    main()
