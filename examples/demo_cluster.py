"""A Dask cluster of three workers on this machine, all on loopback; a sweep on it; one worker killed in the middle.

``make demo-cluster``, or: python examples/demo_cluster.py
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).resolve().parent
LOOPBACK = ("--host", "127.0.0.1")
SOON_S = 120.0
ALONE = "600s"  # that a scheduler without work, or a worker without a scheduler, stays


@dataclass(frozen=True)
class Cluster:
    """Its scheduler's address, and the processes."""

    address: str
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]]


@contextmanager
def cluster(count: int) -> Iterator[Cluster]:
    """A scheduler, and workers of one thread each, without anybody who would start them again."""
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "scheduler.json"
        common = ("--scheduler-file", str(file), "--no-dashboard", *LOOPBACK)
        dask = [sys.executable, "-m", "dask"]
        started = [subprocess.Popen([*dask, "scheduler", *common, "--port", "0", "--idle-timeout", ALONE], **quiet)]
        try:
            until = time.monotonic() + SOON_S
            while not file.exists() or not file.read_text().endswith("}"):
                if started[0].poll() is not None or time.monotonic() > until:
                    raise RuntimeError("the scheduler does not start")
                time.sleep(0.1)
            worker = [*dask, "worker", *common, "--nthreads", "1", "--no-nanny", "--death-timeout", ALONE]
            worker += ["--local-directory", folder]
            started += [subprocess.Popen(worker, **quiet) for _ in range(count)]
            address = json.loads(file.read_text())["address"]
            wait_for(address, count)
            yield Cluster(address, started[0], started[1:])
        finally:
            for process in reversed(started):
                process.kill()
                process.wait()


def wait_for(address: str, count: int) -> None:
    """Until so many workers have joined."""
    from distributed import Client

    with Client(address, timeout=SOON_S, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=SOON_S)


def main() -> None:
    """The demonstration."""
    import cowpath

    with cluster(3) as ours, tempfile.TemporaryDirectory() as folder:
        print(f"a scheduler at {ours.address}, and three workers")
        killed = False

        def told(there: int, failed: int, total: int) -> None:
            nonlocal killed
            if there >= total // 3 and not killed:
                killed = True
                ours.workers[0].kill()
                print(f"{there} of {total} points are there; one worker is killed")

        session, vary = EXAMPLES / "high-readahead.sh", {"A:memory.high": "4M..12M/8"}
        points = cowpath.sweep(session, vary, ["linux-6.18"], seeds=8, store=Path(folder) / "cluster.sqlite",
                               cluster=ours.address, told=told)  # fmt: skip
        alone = cowpath.sweep(session, vary, ["linux-6.18"], seeds=8, store=Path(folder) / "alone.sqlite")
        rows, others = ([(row.id, row.result, row.error) for row in each] for each in (points, alone))
        print(f"{len(rows)} points; {'the same as' if rows == others else 'OTHERS than'} without a cluster")
        sys.exit(rows != others)


if __name__ == "__main__":
    main()
