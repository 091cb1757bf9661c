"""``cowpath watch``: what a live machine's stacks and groups say, and that nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cowpath.cli import app
from cowpath.diagnose import diagnose, live

V1 = Path("/sys/fs/cgroup/memory")
STACKS = os.geteuid() == 0 and Path("/proc/self/stack").exists()
needs_root = pytest.mark.skipif(not STACKS, reason="/proc/PID/stack needs root and CONFIG_STACKTRACE")
needs_v1 = pytest.mark.skipif(
    not (STACKS and (V1 / "memory.oom_control").exists() and os.access(V1, os.W_OK)),
    reason="needs root and the memory controller of cgroup v1, whose OOM killer can be off",
)
EATS = "import time; time.sleep(0.2); eaten = bytearray(64 << 20); time.sleep(60)"
SECONDS = 20


@pytest.fixture
def group() -> Iterator[Path]:
    """A group of 16 MiB whose killer is off; its tasks are ended, and it is removed, whatever happens."""
    folder = V1 / f"cowpath-test-{os.getpid()}"
    folder.mkdir()
    try:
        (folder / "memory.oom_control").write_text("1")
        (folder / "memory.limit_in_bytes").write_text(str(16 << 20))
        yield folder
    finally:
        for pid in (folder / "cgroup.procs").read_text().split():
            os.kill(int(pid), signal.SIGKILL)
        until(lambda: not (folder / "cgroup.procs").read_text().split())
        folder.rmdir()


def until(true: object) -> None:
    """Wait for it, not for ever."""
    assert callable(true)
    ends = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.05)


def eat(group: Path) -> subprocess.Popen[bytes]:
    """A task of the group that wants more than there is."""
    script = f'echo $$ > {group}/cgroup.procs; exec "$0" -c "$1"'
    return subprocess.Popen(["sh", "-c", script, sys.executable, EATS], stdin=subprocess.DEVNULL)


@needs_v1
def test_a_group_whose_killer_is_off(group: Path, tmp_path: Path) -> None:
    """Who sleeps, that nothing is held, and what frees it; and the advice does free it."""
    saved = tmp_path / "stacks.txt"
    with eat(group) as eater:
        until(lambda: "under_oom 1" in (group / "memory.oom_control").read_text())
        ended = CliRunner().invoke(app, ["watch", "--json", "--group", f"/{group.name}", "--save", str(saved)])
        assert ended.exit_code == 0, ended.output
        told = json.loads(ended.stdout)
        assert told["memcg_stall"] == "yes"
        (task,) = told["tasks"]
        assert (task["pid"], task["state"], task["waits_for"]) == (eater.pid, "D", "memory: OOM")
        assert task["for_memory_of"] == f"/{group.name}"
        assert (task["holds"], task["may_hold"]) == ([], [])
        assert any(each.startswith("raise: ") for each in told["helps"])
        assert f"oom_control: its killer is off; echo 0 > {group}/memory.oom_control lets it end this" in told["helps"]
        with saved.open("rb") as raw:
            again = diagnose(raw)
        assert [each.task.label for each in again.tasks] == [f"{task['name']}[{eater.pid}]"]
        assert eater.poll() is None
        (group / "memory.oom_control").write_text("0")
        until(lambda: eater.poll() is not None)
        assert eater.returncode == -signal.SIGKILL


@needs_root
def test_a_look_at_this_machine() -> None:
    """Its text is what diagnose reads: the same tasks as the files that it names."""
    text = "".join(live.look(live.Whom(every=True)))
    told = diagnose(f"{line}\n".encode() for line in text.splitlines())
    assert len(told.tasks) == text.count("/stack <==")
    assert all(each.task.name != "?" for each in told.tasks)
    assert str(told.release).startswith(os.uname().release.split("-")[0])


def test_the_group_of_a_task() -> None:
    assert live.group_of("12:pids:/x\n5:memory:/A/b\n0::/y\n") == "/A/b"
    assert live.group_of("0::/user.slice/a.scope\n") == "/user.slice/a.scope"
    assert live.group_of("5:cpu,memory:/A\n0::/\n") == "/A"
    assert live.group_of("") == "/"


def test_count_without_every() -> None:
    ended = CliRunner().invoke(app, ["watch", "--count", "3"])
    assert ended.exit_code == 2
    assert "--every" in ended.output
