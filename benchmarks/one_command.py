"""Run a command, and say what it took: ``one_command.py RESULT.json COMMAND...``. Its status is the command's.

A process of its own, and a small one: a child's peak of memory is at least what its parent had when it was forked.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path


def main() -> None:
    """Wall and processor seconds, with those of its children; the largest peak of any of them."""
    target, *command = sys.argv[1:]
    began = time.perf_counter()
    child = subprocess.Popen(command)
    _, status, used = os.wait4(child.pid, 0)
    wall = time.perf_counter() - began
    spent = {"wall_s": wall, "cpu_s": used.ru_utime + used.ru_stime, "peak_mib": used.ru_maxrss / 1024}
    Path(target).write_text(json.dumps(spent), encoding="utf-8")
    sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
