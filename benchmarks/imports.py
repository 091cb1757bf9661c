"""How long the import of large files takes, and how much memory."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tables import Target, show, show_targets

from cowpath.programs.reading.oracle_general import REQUEST

MILLION = 1_000_000
PROCESSES = 100
MOST_S, MOST_GB = 10.0, 1.0
ONE_IMPORT = Path(__file__).with_name("one_import.py")


def lines(faults: int) -> Iterator[str]:
    """perf script's text of a make that runs compilers, one after another; times rise by 3 us a line."""
    now = 100_000_000

    def line(comm: str, pid: int, text: str) -> str:
        nonlocal now
        now += 3
        time = f"{now // 1_000_000:>5}.{now % 1_000_000:06}"
        return f"{comm:>16} {pid:>5}/{pid:<5} [{pid % 2:03}] {time}: {text}\n"

    each, code = faults // PROCESSES, 0x500000000000
    yield line("make", 1000, "PERF_RECORD_COMM exec: make:1000/1000")
    yield line("make", 1000, f"PERF_RECORD_MMAP2 1000/1000: [{code:#x}(0x100000) @ 0 fe:00 77 0]: r-xp /usr/bin/make")
    yield line("make", 1000, "sched:sched_process_exec: filename=/usr/bin/make pid=1000 old_pid=1000")
    yield line("make", 1000, f"exceptions:page_fault_user: address={code:#x} ip={code:#x} error_code=0x14")
    for pid in range(1001, 1001 + PROCESSES):
        yield line("make", 1000, f"PERF_RECORD_FORK({pid}:{pid}):(1000:1000)")
        yield line("cc1", pid, f"PERF_RECORD_COMM exec: cc1:{pid}/{pid}")
        yield line(
            "cc1", pid, f"PERF_RECORD_MMAP2 {pid}/{pid}: [{code:#x}(0x100000) @ 0 fe:00 78 0]: r-xp /usr/bin/cc1"
        )
        yield line("cc1", pid, f"sched:sched_process_exec: filename=/usr/bin/cc1 pid={pid} old_pid={pid}")
        arguments = f"addr: 0x0, len: {each * 4096:#010x}, prot: 0x3, flags: 0x22, fd: 0xffffffff, off: 0x0"
        yield line("cc1", pid, f"syscalls:sys_enter_mmap: {arguments}")
        yield line("cc1", pid, "syscalls:sys_exit_mmap: 0x7f0000000000")
        for page in range(each):
            address, ip = 0x7F0000000008 + 4096 * page, code + page % 4096
            event = f"exceptions:page_fault_user: address={address:#x} ip={ip:#x} error_code=0x6"
            yield line("cc1", pid, f"{event:>90}")
        yield line("cc1", pid, f"PERF_RECORD_EXIT({pid}:{pid}):(1000:1000)")
    yield line("make", 1000, "PERF_RECORD_EXIT(1000:1000):(1:1)")


def requests(count: int) -> bytes:
    """An oracleGeneral file: each of 10,000 objects again and again."""
    trace = np.zeros(count, REQUEST)
    place = np.arange(count)
    trace["time"], trace["object"], trace["size"] = place // 1000, place % 10_000, 4096
    trace["next"] = np.where(place + 10_000 < count, place + 10_001, -1)
    return trace.tobytes()


def measure() -> list[Target]:
    """Both files, each in a process of its own."""
    rows, targets = [], []
    with tempfile.TemporaryDirectory() as place:
        text, trace = Path(place) / "perf.txt", Path(place) / "trace.bin"
        with text.open("w") as file:
            file.writelines(lines(MILLION))
        trace.write_bytes(requests(MILLION))
        for source, what in ((text, "a million faults"), (trace, "a million requests")):
            command = [sys.executable, str(ONE_IMPORT), str(source), str(Path(place) / "out.recording")]
            done = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            gigabytes = done["peak_kib"] * 1024 / 1e9
            size = f"{source.stat().st_size / 1e6:,.0f} MB"
            rows.append((done["told"][:60], size, f"{done['wall_s']:.1f} s", f"{gigabytes:.2f} GB"))
            targets += [
                Target(f"{what} imported", done["wall_s"], MOST_S, " s", most=True),
                Target(f"memory for {what}", gigabytes, MOST_GB, " GB", most=True),
            ]
    show("Imports", ("file", "size", "wall", "peak memory"), rows)
    show_targets(targets)
    return targets


if __name__ == "__main__":
    measure()
