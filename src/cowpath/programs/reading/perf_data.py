"""``perf.data``: read by the perf that is installed, which alone knows the format of the version that wrote it."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from cowpath.errors import InputError
from cowpath.programs.reading.account import Reading
from cowpath.programs.reading.perf_script import read_perf_script

FORMAT = "perf.data"
FIELDS = "comm,pid,tid,cpu,time,event,trace"
SCRIPT = ("perf", "script", "--force", "--ns", "--header", "--show-mmap-events", "--show-task-events",
          "--show-lost-events", "-F", FIELDS)  # fmt: skip
SAID = 300  # characters of perf's own complaints


def read_perf_data(path: Path, name: str) -> Reading:
    """The tables of a perf.data file. Raises InputError where there is no perf, or it can't read the file."""
    with tempfile.TemporaryFile() as said:
        try:
            perf = subprocess.Popen([*SCRIPT, "-i", str(path)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                    stderr=said, encoding="utf-8", errors="replace")  # fmt: skip
        except OSError as error:
            hint = "install it (Debian: linux-perf, Fedora: perf), or import the text that perf script made elsewhere"
            raise InputError(f"perf is needed to read it: {error.strerror}", file=path, hint=hint) from error
        problem = None
        try:
            assert perf.stdout is not None
            reading = read_perf_script(perf.stdout, name, str(path))
        except InputError as error:
            problem = error
        finally:
            if perf.poll() is None and perf.stdout is not None:
                perf.stdout.close()  # which ends it, if it has not come to its end
            status = perf.wait()
        said.seek(0)
        lines = said.read().decode("utf-8", errors="replace").splitlines()
    complaints = " ".join(line for line in lines if line and not line.endswith("Ignoring."))
    if problem is not None:
        if status and complaints:
            raise InputError(f"perf script can't read it: {complaints[:SAID]}", file=path) from problem
        raise problem
    reading.account.format = FORMAT
    if status:
        reading.account.gaps.append(f"perf script ended with status {status}: {complaints[:SAID]}")
    elif "lost" in complaints:
        reading.account.gaps.append(f"perf script says: {complaints[:SAID]}")
    return reading
