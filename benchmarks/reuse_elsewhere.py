"""Ways to see re-use that this kernel may not offer: each is tried on a process that has done nothing for it, and what
the kernel answers is printed, with the option that would change it. As root: python benchmarks/reuse_elsewhere.py
"""

from __future__ import annotations

import ctypes
import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PAGEMAP_SCAN = 0xC0606610  # _IOWR('f', 16, struct pm_scan_arg), include/uapi/linux/fs.h since 6.7
WP_MATCHING, CHECK_WPASYNC, PAGE_IS_WRITTEN = 1, 2, 2
DAMON = Path("/sys/kernel/mm/damon/admin/kdamonds")
NUMA = Path("/proc/sys/kernel/numa_balancing")
PAGES = 1_000
WATCHED_S = 3.0
LOOP = f"b = bytearray({PAGES} << 12)\nwhile True:\n    for at in range(0, len(b), 4096): b[at] = 1"
LIBC = ctypes.CDLL(None, use_errno=True)


class ScanArgument(ctypes.Structure):
    """struct pm_scan_arg."""

    _fields_ = tuple(
        (name, ctypes.c_uint64)
        for name in ("size", "flags", "start", "end", "walk_end", "vec", "vec_len", "max_pages",
                     "category_inverted", "category_mask", "category_anyof_mask", "return_mask")
    )  # fmt: skip


def scan(pid: int) -> str:
    """Write-protect the heap's pages and report those that are written: what an unmodified process answers."""
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        if line.endswith("[heap]"):
            start, end = (int(part, 16) for part in line.split()[0].split("-"))
    found = (ctypes.c_uint64 * 300)()
    argument = ScanArgument(
        size=ctypes.sizeof(ScanArgument), flags=WP_MATCHING | CHECK_WPASYNC, start=start, end=end,
        vec=ctypes.addressof(found), vec_len=100, category_mask=PAGE_IS_WRITTEN, return_mask=PAGE_IS_WRITTEN,
    )  # fmt: skip
    with Path(f"/proc/{pid}/pagemap").open("rb") as pagemap:
        if LIBC.ioctl(pagemap.fileno(), ctypes.c_ulong(PAGEMAP_SCAN), ctypes.byref(argument)) < 0:
            return errno.errorcode[ctypes.get_errno()]
    return "offered"


@contextmanager
def kdamond() -> Iterator[Path]:
    """A context of DAMON's; one that is there already is only read."""
    number = DAMON / "nr_kdamonds"
    before = number.read_text().strip()
    if before == "0":
        number.write_text("1")
        (DAMON / "0" / "contexts" / "nr_contexts").write_text("1")
    try:
        yield DAMON / "0" / "contexts" / "0"
    finally:
        if before == "0":
            number.write_text("0")


def damon(_: int) -> str:
    """Which of its operations are there: vaddr is that on a process' addresses."""
    with kdamond() as context:
        operations = (context / "avail_operations").read_text().split()
    return "offered" if "vaddr" in operations else f"operations: {', '.join(operations)}; no vaddr"


def idle_pages(_: int) -> str:
    Path("/sys/kernel/mm/page_idle/bitmap").read_bytes()[:8]
    return "offered"


def hinting_faults(pid: int) -> str:
    """NUMA balancing takes a process' pages out of its tables, so that the next use of each is a minor fault."""
    was = NUMA.read_text()
    NUMA.write_text("1")
    try:
        faults, begun = times(pid)
        while (now := times(pid))[1] < begun + WATCHED_S:
            time.sleep(0.05)
    finally:
        NUMA.write_text(was)
    nodes = Path("/sys/devices/system/node/online").read_text().strip()
    return f"{now[0] - faults} faults of {PAGES:,} pages in {WATCHED_S:.0f} s of CPU time; nodes: {nodes}"


def times(pid: int) -> tuple[int, float]:
    """Its minor faults, and seconds of CPU time (proc_pid_stat(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[7]), (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def counted_loads(_: int) -> str:
    """Perf mem samples loads by an event of the processor's counters."""
    if Path("/sys/bus/event_source/devices/cpu/events/mem-loads").exists():
        return "offered"
    devices = sorted(each.name for each in Path("/sys/bus/event_source/devices").iterdir())
    return f"no mem-loads; event sources: {', '.join(devices)}"


WAYS: tuple[tuple[str, Callable[[int], str], str], ...] = (
    ("`PAGEMAP_SCAN`, asynchronous write protection", scan,
     "the process itself registers its memory: UFFD_FEATURE_WP_ASYNC; writes only"),
    ("DAMON on virtual addresses", damon, "CONFIG_DAMON_VADDR"),
    ("idle page tracking", idle_pages, "CONFIG_IDLE_PAGE_TRACKING"),
    ("faults forced by NUMA balancing", hinting_faults,
     "more nodes: a page on the process' own node is left, unless it has threads"),
    ("`perf mem`", counted_loads, "a processor's counters"),
)  # fmt: skip


def main() -> None:
    """Print the table."""
    print("| way | this kernel's answer | what it would take |\n|---|---|---|")
    with subprocess.Popen([sys.executable, "-c", LOOP]) as process:
        try:
            time.sleep(0.5)
            for name, way, takes in WAYS:
                try:
                    answer = way(process.pid)
                except OSError as error:
                    answer = f"{errno.errorcode.get(error.errno or 0, '?')}: {error.filename}"
                print(f"| {name} | {answer} | {takes} |", flush=True)
        finally:
            process.kill()


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit("as root")
    main()
