"""Looks at processes: what is written to clear_refs, what is read of smaps, and what the real kernel says."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from cowpath.programs.recorder import revisits
from cowpath.programs.recorder.revisits import Watcher

SMAPS = """\
7f0000000000-7f0000004000 rw-p 00000000 00:00 0
Size:                 16 kB
Referenced:           12 kB
VmFlags: rd wr
7f0000010000-7f0000020000 r-xp 00000000 fe:00 17                 /usr/lib/libc.so.6
Size:                 64 kB
Referenced:            0 kB
"""
LOOPS = """
import mmap
area = mmap.mmap(-1, 400 << 12)  # shared: the kernel does not put it together with its neighbours
print(flush=True)
while True:
    for page in range(300):
        area[page << 12] = 1
"""


def process(folder: Path, pid: int) -> Path:
    place = folder / str(pid)
    place.mkdir()
    (place / "smaps").write_text(SMAPS)
    (place / "clear_refs").touch()
    return place


def test_a_new_process_counts_from_its_first_look_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revisits, "BETWEEN_NS", 0)
    monkeypatch.setattr(revisits, "SHARE", 0)
    place = process(tmp_path, 7)
    watcher = Watcher(tmp_path)
    begin = time.monotonic_ns()
    watcher.look([7, 8])  # 8 has ended meanwhile
    assert (place / "clear_refs").read_text() == "4"  # the last that was written: the TLB was flushed
    watcher.look([7])
    rows = watcher.table(begin)
    assert [row[1:] for row in rows.tolist()] == [(7, 7, 0, 0, 0), (7, 7, 0x7F0000000000, 0x7F0000004000, 3)]
    assert (rows["time_ns"] > 0).all() and (rows["time_ns"] < 10**10).all()


def test_a_process_is_not_looked_at_all_the_time(tmp_path: Path) -> None:
    process(tmp_path, 7)
    watcher = Watcher(tmp_path)
    for _ in range(5):
        watcher.look([7])
    assert watcher.looks == 0  # the second look is not due yet


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="a kernel without CONFIG_PROC_PAGE_MONITOR")
def test_pages_that_a_process_uses_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revisits, "BETWEEN_NS", 0)
    monkeypatch.setattr(revisits, "SHARE", 0)
    with subprocess.Popen([sys.executable, "-c", LOOPS], stdout=subprocess.PIPE) as busy:
        try:
            assert busy.stdout
            busy.stdout.readline()
            watcher = Watcher()
            watcher.look([busy.pid])
            for _ in range(12):  # until it has had the CPU
                time.sleep(0.1)
                watcher.look([busy.pid])
        finally:
            busy.kill()
    pages = [row[-1] for row in watcher.table(0).tolist() if row[4] - row[3] == 400 << 12]
    assert pages and max(pages) == 300
