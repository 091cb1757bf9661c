"""Ways to see from outside how often a process comes back to its pages: what each finds, and what it costs.

reuse.c goes over known pages in each of eight phases, and waits between them, so that every way looks at exactly one
phase; lackey counts the same pages one by one. The cost is that of looking at a build every 50 ms. As root:
python benchmarks/reuse.py
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

HERE = Path(__file__).parent
PAGE = 4096
FILE_PAGES = 2048
PHASES = ((16, 0, 0), (256, 0, 0), (2048, 0, 0), (8192, 0, 0), (0, 64, 0), (0, 1024, 0), (0, 0, 512), (512, 512, 128))
ROUNDS = 1 << 40
LACKEY_ROUNDS = 2
PIDFD_OPEN, PROCESS_MADVISE = 434, 440
MADV_COLD, MADV_PAGEOUT = 20, 21
PAGEMAP_SCAN, PM_SCAN_WP_MATCHING, PAGE_IS_WRITTEN = 0xC0606610, 1, 2
LOOK_S = 0.05
BEFORE_S = 0.01  # the process is in the middle of the phase, and its TLB knows the pages
RUNS = 5
LIBC = ctypes.CDLL(None, use_errno=True)
ACCESS = re.compile(r"(I | [LSM]) ([0-9a-f]+),(\d+)")


class IoVec(ctypes.Structure):
    """iovec of readv(2)."""

    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


def referenced(pid: int) -> int:
    """Pages whose accessed bit is set, of all mappings."""
    return rollup(pid, "Referenced")


def rollup(pid: int, key: str) -> int:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = re.search(rf"^{key}: +(\d+) kB", text, re.M)
    return int(found[1]) // 4 if found else 0


def clear(pid: int, *what: int) -> None:
    for number in what:
        Path(f"/proc/{pid}/clear_refs").write_text(str(number))


def advise(pid: int, advice: int) -> None:
    """process_madvise(2) on all mappings but the kernel's own."""
    handle = LIBC.syscall(PIDFD_OPEN, pid, 0)
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        if line.endswith("[vsyscall]"):
            continue
        start, end = (int(part, 16) for part in line.split()[0].split("-"))
        vector = IoVec(start, end - start)
        LIBC.syscall(PROCESS_MADVISE, handle, ctypes.byref(vector), 1, advice, 0)
    os.close(handle)


@dataclass
class Way:
    """``begin`` is called before the process goes on, ``seen`` afterwards: how many pages it came back to."""

    name: str
    begin: Callable[[int], int]
    seen: Callable[[int, int], int]


def none_yet(does: Callable[[int], None]) -> Callable[[int], int]:
    def begin(pid: int) -> int:
        does(pid)
        return 0

    return begin


def then_rss(does: Callable[[int], None]) -> Callable[[int], int]:
    def begin(pid: int) -> int:
        does(pid)
        return rollup(pid, "Rss")

    return begin


def since_then(pid: int, begun: int) -> int:
    return max(rollup(pid, "Rss") - begun, 0)


def bits(pid: int, _: int) -> int:
    return referenced(pid)


WAYS = (
    Way("`clear_refs` 1, then `Referenced`", none_yet(lambda pid: clear(pid, 1)), bits),
    Way("`clear_refs` 1 and 4, then `Referenced`", none_yet(lambda pid: clear(pid, 1, 4)), bits),
    Way("`MADV_COLD`, then `Referenced`", none_yet(lambda pid: advise(pid, MADV_COLD)), bits),
    Way("`MADV_PAGEOUT`, then `Rss`", then_rss(lambda pid: advise(pid, MADV_PAGEOUT)), since_then),
)


def built(folder: Path) -> tuple[Path, Path]:
    program, file = folder / "reuse", folder / "file"
    subprocess.run(["cc", "-O1", "-o", str(program), str(HERE / "reuse.c")], check=True)
    with file.open("wb") as content:
        content.write(os.urandom(FILE_PAGES * PAGE))
        content.flush()
        os.fsync(content.fileno())  # what is dirty is not paged out
    return program, file


def phases(way: Way, program: Path, file: Path) -> list[int]:
    """How many pages the way sees in each phase."""
    with subprocess.Popen([program, file, str(ROUNDS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin and process.stdout
        process.stdout.readline()
        found = []
        for _ in PHASES:
            process.stdin.write(b"g")
            process.stdin.flush()
            process.stdout.read(1)
            time.sleep(BEFORE_S)
            begun = way.begin(process.pid)
            time.sleep(LOOK_S)
            found.append(way.seen(process.pid, begun))
            process.send_signal(signal.SIGUSR1)
            process.stdout.read(1)
        process.stdin.write(b"g")
    return found


def by_lackey(program: Path, file: Path) -> list[int]:
    """How many pages valgrind's lackey sees in each phase."""
    trace = file.with_name("trace")
    command: list[str | Path] = [
        "valgrind",
        "--tool=lackey",
        "--trace-mem=yes",
        f"--log-file={trace}",
        program,
        file,
        str(LACKEY_ROUNDS),
    ]
    ran = subprocess.run(command, input=b"g" * (len(PHASES) + 1), stdout=subprocess.PIPE, check=True)
    marker = int(ran.stdout.partition(b"\n")[0], 16)
    found: list[int] = []
    pages: set[int] | None = None
    with trace.open(encoding="ascii", errors="replace") as lines:
        for access in filter(None, map(ACCESS.match, lines)):
            address = int(access[2], 16)
            if address == marker and access[1] == " S":
                if pages is not None:
                    found.append(len(pages))
                pages = set() if pages is None else None
            elif pages is not None:
                pages.update((address // PAGE, (address + int(access[3]) - 1) // PAGE))
    return found


def seconds(way: Way | None, project: Path) -> float:
    """How long a build takes while every process of it is looked at in this way."""
    subprocess.run(["make", "-s", "-C", project, "clean"], check=True)
    with subprocess.Popen(["make", "-s", "-j2", "-C", project]) as make:
        while not os.waitid(os.P_PID, make.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            time.sleep(LOOK_S)
            for pid in tree(make.pid) if way else ():
                with contextlib.suppress(OSError):  # it has ended
                    assert way
                    way.seen(pid, 0)
                    way.begin(pid)
        _, status, used = os.wait4(make.pid, 0)
        make.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_utime + used.ru_stime


def tree(pid: int) -> list[int]:
    """A process and all that it has started."""
    found = [pid]
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            found += tree(int(child))
    return found


def project(folder: Path) -> Path:
    """The C project that the tests record."""
    return Path(shutil.copytree(HERE.parent / "tests" / "data" / "c_project", folder / "project"))


def main() -> None:
    """Print the table: what each way finds beyond or short of what lackey counts, phase by phase, and what it costs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program, file = built(folder)
        known = by_lackey(program, file)
        place = project(folder)
        times: dict[str, list[float]] = {"": [], **{way.name: [] for way in WAYS}}
        for _ in range(RUNS):
            for way in (None, *WAYS):
                times[way.name if way else ""].append(seconds(way, place))
        print(f"| way | {' | '.join(f'{pages:,}' for pages in known)} | the build's CPU time |")
        for way in WAYS:
            runs = [phases(way, program, file) for _ in range(RUNS)]
            found = [int(median(each)) - pages for each, pages in zip(zip(*runs, strict=True), known, strict=True)]
            slower = median(times[way.name]) / median(times[""]) - 1
            print(f"| {way.name} | {' | '.join(f'{pages:+,}' for pages in found)} | {slower:+.0%} |", flush=True)


if __name__ == "__main__":
    main()
