"""Which groups there are shows the run: what fails says so in the tool's words, and the script goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from .test_shell_runs import Run

A, B = "/sys/fs/cgroup/memory/A", "/sys/fs/cgroup/memory/B"
MAKE_A = "cgcreate -g memory:A\n"
BUSY, GONE, THERE = "Device or resource busy", "No such file or directory", "File exists"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (MAKE_A + "cgexec -g memory:A sleep 5 &\nsleep 1ms; cgdelete memory:A\n"
         "cgset -r memory.limit_in_bytes=1M A; cgget -r memory.limit_in_bytes A",
         [f"cgdelete: A: {BUSY}", "A:", "memory.limit_in_bytes: 1048576", ""]),
        ("cgdelete memory:A; rmdir " + A + "; echo on", [f"cgdelete: A: {GONE}", f"rmdir: A: {GONE}", "on"]),
        (f"rmdir {A} || echo none; mkdir {A} && echo made; mkdir {A} || echo twice; rmdir {A} && echo gone",
         [f"rmdir: A: {GONE}", "none", "made", f"mkdir: A: {THERE}", "twice", "gone"]),
        (MAKE_A + MAKE_A + "cgset -r memory.swappiness=7 A; cgcreate -g memory:A; cat " + A + "/memory.swappiness",
         ["7"]),  # cgcreate of what is there leaves it as it is
        (f"mkdir {A}/C || echo no; mkdir -p {A}/C && mkdir -p {A}/C && echo yes",
         [f"mkdir: A/C: {GONE}", "no", "yes"]),
        (f"mkdir -p {A}/C; rmdir {A}; rmdir {A}/C {A} && echo both", [f"rmdir: A: {BUSY}", "both"]),
        (f"mkdir {A} {B}; rmdir {A}; rmdir {A} {B} || echo one; mkdir {B} && echo free",
         [f"rmdir: A: {GONE}", "one", "free"]),
        ("rmdir /sys/fs/cgroup/memory; cgdelete memory:/; mkdir /cgroup/memory",
         [f"rmdir: /: {BUSY}", f"cgdelete: /: {BUSY}", f"mkdir: /: {THERE}"]),
        (MAKE_A + "cgdelete memory:A\ncgset -r memory.limit_in_bytes=1M A || echo 1\n"
         f"cat {A}/memory.stat || echo 2\ncgget -r memory.stat A || echo 3\ncgexec -g memory:A sleep 9 || echo 4\n"
         "sleep 9 &\ncgclassify -g memory:A $! || echo 5\necho $$ > " + A + "/tasks || echo 6",
         [f"cgset: A: memory.limit_in_bytes: {GONE}", "1", f"cat: A: {GONE}", "2", f"cgget: A: {GONE}", "3",
          f"cgexec: A: {GONE}", "4", f"cgclassify: A: {GONE}", "5", f"echo: A: {GONE}", "6"]),
        ("for i in 1 2; do cgset -r memory.swappiness=9 A || cgcreate -g memory:A; done; cat " + A
         + "/memory.swappiness", [f"cgset: A: memory.swappiness: {GONE}", "9"]),
        (f"sleep 2ms && mkdir {A} &\ncat {A}/memory.swappiness; sleep 5ms; cat {A}/memory.swappiness",
         [f"cat: A: {GONE}", "60"]),  # made in the background
        (f"sleep 2ms && rmdir {A} &\n{MAKE_A}sleep 5ms; cgdelete memory:A", [f"cgdelete: A: {GONE}"]),
        (f"mkdir -p {A}/C/D {A}/E; cgdelete -r memory:A && mkdir {A} && rmdir {A} && echo all", ["all"]),
        (f"mkdir -p {A}/C; cgexec -g memory:A/C sleep 9 &\nsleep 1ms; cgdelete -r memory:A || rmdir {A}/C",
         [f"cgdelete: A: {BUSY}", f"rmdir: A/C: {BUSY}"]),
        (MAKE_A + "sleep 1ms &\nsleep 9 &\nsleep 5ms; cgclassify -g memory:A %1 %2 || echo one; cat " + A + "/tasks",
         ["cgclassify: A: No such process", "one", "4"]),
    ],
)  # fmt: skip
def test_what_fails_says_so_and_the_script_goes_on(text: str, lines: list[str]) -> None:
    run = Run(text, 40_000_000)
    assert run.lines == lines


def test_who_cannot_join_the_group_does_not_run() -> None:
    """As cgexec has it: a program whose group is not there is not run outside of it instead."""
    run = Run(MAKE_A + "cgdelete memory:A; cgexec -g memory:A sleep 9 & wait; echo waited", 40_000_000)
    assert run.lines == ["cgexec: A: No such file or directory", "waited"]
    assert run.ending.at < 1_000_000


def test_a_group_whose_job_was_started_just_before_is_busy() -> None:
    """cgdelete is a program too, and cgexec was started first: the group is busy, and still there for the next line."""
    session = Path(__file__).parents[1] / "data" / "tried" / "cgdelete-busy2.sh"
    run = Run(session.read_text(), 40_000_000)
    assert run.lines == [f"cgdelete: A: {BUSY}"]
    assert run.k.state.groups[1].res.limit == (1 << 20) // 4096 and run.k.state.groups[1].tasks == 1
