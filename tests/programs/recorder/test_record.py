"""``cowpath record`` of real commands, where perf may record; nothing is left behind, however they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.programs.recorder.real import left_behind, needs_perf, start
from tests.slow import in_nightly_only

from cowpath.kernel import names as n
from cowpath.programs.recording import Recording, load

pytestmark = needs_perf
SAYS_AND_SLEEPS = "echo begun; exec sleep 60"


def touches(recording: Recording) -> int:
    return int((recording.ops["code"] == n.OP_TOUCH).sum())


def test_a_pipeline_in_the_environment_that_it_would_have(tmp_path: Path) -> None:
    with start(tmp_path, "-o", "job.recording", "--", "sh", "-c", "echo $HOME $PREFIX/ $PATH | cat; seq 1 9 | sort",
               HOME="mine") as process:  # fmt: skip
        out, err = process.communicate()
    assert process.returncode == 0, err
    first, *numbers = out.splitlines()
    assert first == f"mine {os.environ.get('PREFIX', '')}/ {os.environ['PATH']}"  # perf record changes both
    assert numbers == [str(number) for number in range(1, 10)]
    recording = load(tmp_path / "job.recording")
    assert recording.processes[0].comm == "sh"
    assert {process.comm for process in recording.processes} == {"sh", "cat", "seq", "sort"}
    origin = recording.origin
    assert origin["whole"] is True and origin["gaps"] == []
    assert origin["header"]["page size"] == "4096" and origin["header"]["ended"] == "exited with 0"
    # all faults but those of the launcher's fork before its exec; the kernel counts a page or so more for each exec
    assert touches(recording) == origin["seen"]["faults"] - origin["seen"]["before_exec"]
    used, execs = origin["used"], origin["seen"]["execs"]
    assert execs == 4
    assert 0 <= used["minflt"] + used["majflt"] - origin["seen"]["faults"] <= 2 * execs
    assert origin["counters"]["pgfault"] == pytest.approx(origin["seen"]["faults"], abs=3 * execs)
    assert "no event was lost" in err
    assert left_behind(tmp_path) == []


def test_a_command_that_is_killed(tmp_path: Path) -> None:
    with start(tmp_path, "-o", "job.recording", "--anonymous", "sh", "-c", "kill -9 $$") as process:
        _, err = process.communicate()
    assert process.returncode == 0
    assert "the command was killed by Killed (9)" in err
    recording = load(tmp_path / "job.recording")
    assert recording.command == ("sh",) and "$$" not in str(recording.origin)
    assert left_behind(tmp_path) == []


def test_no_such_command(tmp_path: Path) -> None:
    with start(tmp_path, "--", "no-such-command") as process:
        _, err = process.communicate()
    assert process.returncode == 2
    assert "can't run 'no-such-command': No such file or directory" in err and "Traceback" not in err
    assert list(tmp_path.glob("*.recording")) == [] and left_behind(tmp_path) == []


@in_nightly_only
@pytest.mark.parametrize("kill", [os.killpg, os.kill], ids=["all of the group, as a terminal does", "cowpath alone"])
def test_ctrl_c_ends_the_command_and_keeps_what_was_recorded(tmp_path: Path, kill: Callable[[int, int], None]) -> None:
    with start(tmp_path, "-o", "job.recording", "--", "sh", "-c", SAYS_AND_SLEEPS) as process:
        assert process.stdout and process.stdout.readline() == "begun\n"
        kill(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "interrupted: the recording ends with it" in err
    assert touches(load(tmp_path / "job.recording")) > 50
    assert left_behind(tmp_path) == []


@in_nightly_only
def test_a_second_ctrl_c_kills_it_and_there_is_no_recording(tmp_path: Path) -> None:
    stubborn = "trap '' INT; echo begun; while :; do sleep 0.1; done"
    with start(tmp_path, "-o", "job.recording", "--", "sh", "-c", stubborn) as process:
        assert process.stdout and process.stdout.readline() == "begun\n"
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.5)
        assert process.poll() is None
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "interrupted" in err
    assert list(tmp_path.glob("*.recording")) == [] and left_behind(tmp_path) == []


@in_nightly_only
def test_what_the_command_leaves_running_goes_back_to_its_own_group(tmp_path: Path) -> None:
    with start(tmp_path, "-o", "job.recording", "sh", "-c", "sleep 20 > left 2>&1 & echo $!") as process:
        out, err = process.communicate()
    try:
        assert process.returncode == 0 and "1 processes that the command has left behind were still running" in err
        assert load(tmp_path / "job.recording").origin["whole"] is False
        assert left_behind(tmp_path) == []
    finally:
        os.kill(int(out), signal.SIGKILL)


@in_nightly_only
def test_a_full_disk(tmp_path: Path) -> None:
    """perf's own file may not become large enough."""
    (tmp_path / "tmp").mkdir()
    command = [
        sys.executable,
        "-m",
        "cowpath",
        "record",
        "-o",
        "job.recording",
        "--",
        sys.executable,
        "-c",
        "import json",
    ]
    ran = subprocess.run(["sh", "-c", 'ulimit -f 64; exec "$@"', "sh", *command], cwd=tmp_path, capture_output=True,
                         text=True, check=False, env={**os.environ, "TMPDIR": str(tmp_path / "tmp")})  # fmt: skip
    assert ran.returncode == 2, ran.stderr
    assert "nothing is recorded" in ran.stderr and "Traceback" not in ran.stderr
    assert list(tmp_path.glob("*.recording")) == [] and left_behind(tmp_path) == []
