"""A run is a function of session, design and seed: in this process, in another, and without the compiler."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cowpath import api

# A few tasks, a small limit, faults that copy, the killer off; somebody outside on the same file.
SESSION = """\
cgcreate -g memory:A
cgset -r memory.limit_in_bytes=256K A
cgset -r memory.memsw.limit_in_bytes=256K A
cgset -r memory.oom_control=1 A
cgexec -g memory:A eater &
cgexec -g memory:A eater &
sleep 2ms
reader
cgset -r memory.memsw.limit_in_bytes=1M A
cgset -r memory.limit_in_bytes=1M A
wait
cat /sys/fs/cgroup/memory/A/memory.stat
"""
TABLE = """\
[machine]
cpus = 2
memory = "16M"
reuse = 0
settle = "200us"

[bystanders]
programs = ["victim"]

[programs.eater]
written = "eater.prog"
[programs.victim]
written = "victim.prog"
[programs.reader]
written = "reader.prog"

[files.lib]
pages = 64
warm = true
"""
PROGRAMS = {
    "eater": "mapf lib @lib 64 rw private\nanon mine 64\nfork child\n touch lib 0 24 2 w\nend\n"
    "loop i 24\n touch mine i 1 1 w\n touch lib i 1 1 w\nend\nwait all\n",
    "victim": "loop 12\n mapf lib @lib 64 rw private\n touch lib 0 21 3 w\n munmap lib\n sleep 300us\nend\n",
    "reader": "mapf lib @lib 64 r private\ntouch lib 63 1 1 r\n",
}
DESIGNS = ("linux-3.0", "preallocate")


@pytest.fixture
def session(tmp_path: Path) -> Path:
    path = tmp_path / "small.sh"
    path.write_text(SESSION, encoding="utf-8")
    path.with_suffix(".toml").write_text(TABLE, encoding="utf-8")
    for name, text in PROGRAMS.items():
        (tmp_path / f"{name}.prog").write_text(text, encoding="utf-8")
    return path


def log_of(session: Path, name: str, design: str = "linux-3.0", seed: int = 3) -> bytes:
    """The log file of a run in this process."""
    file = session.parent / f"{name}.parquet"
    api.run(session, design, seed=seed, log=file)
    return file.read_bytes()


def cowpath(*arguments: str | Path, jit: bool = True) -> str:
    """What the command prints in a process of its own."""
    environment = os.environ | ({} if jit else {"NUMBA_DISABLE_JIT": "1"})
    command = [sys.executable, "-m", "cowpath", *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stderr
    return done.stdout


def without_clock(text: str) -> object:
    """A JSON object of runs without the seconds that they took here."""
    found = json.loads(text)
    for run in found["runs"]:
        assert run.pop("wall_s") > 0
    return found


def test_the_session_is_worth_it(session: Path) -> None:
    """There is waiting, copying and a release in it; else equal logs would not say much."""
    result = api.run(session, "linux-3.0", seed=3, keep_events=True)
    kinds = set(result.events["kind"].unique().to_list())
    assert {"fault", "page_lock", "wait", "wake", "charge_fail", "exit", "usage", "sched"} <= kinds
    assert result.summary["groups"]["A"]["pages_copied"] > 20
    assert result.summary["groups"]["A"]["memory.failcnt"] >= 7
    assert result.group_verdicts == {"A": "finished"}


@pytest.mark.parametrize("design", DESIGNS)
def test_the_same_log_twice(session: Path, design: str) -> None:
    assert log_of(session, "one", design) == log_of(session, "two", design)


@pytest.mark.parametrize("design", DESIGNS)
def test_the_same_log_in_another_process(session: Path, design: str) -> None:
    there = session.parent / "there.parquet"
    cowpath("run", session, "--design", design, "--seed", "3", "--log", there, "--json")
    assert there.read_bytes() == log_of(session, "here", design)


def test_another_seed_is_another_run(session: Path) -> None:
    assert log_of(session, "three", seed=3) != log_of(session, "four", seed=4)


@pytest.mark.parametrize("design", DESIGNS)
def test_the_same_log_without_the_compiler(session: Path, design: str) -> None:
    there = session.parent / "plain.parquet"
    cowpath("run", session, "--design", design, "--seed", "3", "--log", there, "--json", jit=False)
    assert there.read_bytes() == log_of(session, "compiled", design)


def test_compare_prints_the_same(session: Path) -> None:
    arguments = [
        "compare",
        session,
        *(word for design in DESIGNS for word in ("--design", design)),
        "--seed",
        "3",
        "--json",
    ]
    here = api.compare(session, DESIGNS, seed=3).summary
    there, again = cowpath(*arguments), cowpath(*arguments)
    assert without_clock(there) == without_clock(again)
    assert without_clock(there) == without_clock(json.dumps(here))
