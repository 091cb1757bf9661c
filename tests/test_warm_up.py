"""``cowpath warm-up``: without Numba compiling, since what it compiles is a minute's work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cowpath import api, warming
from cowpath.cli import app
from cowpath.errors import InputError, WorkerError
from cowpath.kernel.compiled import Told
from cowpath.kernel.jit import loaded, shipped
from cowpath.observe import lanes

PACED = """
import time, sys
from cowpath import warming

def slowly(told):
    for done in range(1, 400):
        told(done, 400)
        time.sleep(0.1)

if __name__ == "__main__":
    warming.for_runs = warming.for_checks = slowly
    print("begins", flush=True)
    warming.warm_up(lambda done, total: print(done, total, flush=True))
"""


def some(told: Told) -> None:
    for done in range(1, 4):
        told(done, 3)


def none(told: Told) -> None:
    pass


def wrong(told: Told) -> None:
    raise InputError("a step of one's own is wrong", file="steps.py", line=3)


def ended(told: Told) -> None:
    os._exit(1)


def of(monkeypatch: pytest.MonkeyPatch, runs: object, checks: object) -> list[tuple[int, int]]:
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(warming, "for_runs", runs)
    monkeypatch.setattr(warming, "for_checks", checks)
    assert warming.warm_up(lambda done, total: told.append((done, total))) == (told[-1][0] if told else 0)
    return told


def test_what_both_compile_is_told_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    told = of(monkeypatch, some, some)
    assert len(told) == 6 and told[-1] == (6, 6)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_nothing_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    assert of(monkeypatch, none, none) == []


def test_what_is_wrong_in_one_of_them_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="a step of one's own is wrong"):
        of(monkeypatch, some, wrong)


def test_one_that_is_ended_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WorkerError, match="ended from outside"):
        of(monkeypatch, ended, some)


def test_a_source_that_is_edited_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """The functions after that are not kept, and nobody is told that they are."""
    monkeypatch.setattr(loaded, "unchanged", lambda: False)
    with pytest.raises(InputError, match="a source was edited meanwhile"):
        of(monkeypatch, some, some)


def test_where_nothing_can_be_kept_it_compiles_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("COWPATH_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(InputError, match="COWPATH_CACHE"):
        of(monkeypatch, some, some)


def test_where_all_has_come_compiled_it_needs_no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("COWPATH_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr(shipped, "fits", lambda kept, features: True)
    assert of(monkeypatch, none, none) == []
    said = CliRunner().invoke(app, ["warm-up"])
    assert (said.exit_code, said.stdout) == (0, "all is compiled: it came with the wheel\n"), said.output


def test_the_runs_folder_is_gone_before_anything_is_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends the processes as they stand."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    there: list[list[Path]] = []
    monkeypatch.setattr(api, "run_plan", lambda *_: there.append(list(tmp_path.iterdir())))
    monkeypatch.setattr(lanes, "join", lambda *_: None)
    warming.for_runs(lambda *_: None)
    assert there == [[]]


MEANWHILE = """
import os, sys, time
from cowpath import warming
warming.can_be_kept = lambda: True
warming.for_checks = lambda told: (print("at work", flush=True), time.sleep(600))
warming.meanwhile()
"""


def test_what_compiles_meanwhile_ends_with_the_other_however_that_ends() -> None:
    process = subprocess.Popen([sys.executable, "-c", MEANWHILE], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdin is not None
    assert process.stdout.readline() == b"at work\n"
    assert process.poll() is None
    process.stdin.close()  # as the system does for one that is killed
    assert process.wait() == 1


def test_ctrl_c_ends_both(tmp_path: Path) -> None:
    program = tmp_path / "paced.py"
    program.write_text(PACED)
    process = subprocess.Popen(
        [sys.executable, program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env=os.environ | {"COWPATH_CACHE": str(tmp_path / "cache")},
    )  # fmt: skip
    assert process.stdout is not None
    while " 800" not in process.stdout.readline():  # both are at work
        pass
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode != 0 and said.count("Traceback") == 1 and "KeyboardInterrupt" in said
    with pytest.raises(ProcessLookupError):
        while True:
            os.killpg(process.pid, 0)
            time.sleep(0.01)
