"""perf.data, through the perf that is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from cowpath.errors import InputError
from cowpath.programs.importer import import_recording

EVENTS = "exceptions:page_fault_user,exceptions:page_fault_kernel,sched:sched_process_exec"


def test_without_perf_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "perf.data").write_bytes(b"PERFILE2" + b"\0" * 100)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"perf is needed to read it: No such file.*install it"):
        import_recording(tmp_path / "perf.data")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("perf") is None:
        pytest.skip("there is no perf")
    path = tmp_path_factory.mktemp("perf") / "perf.data"
    command = ["perf", "record", "-q", "-d", "-c", "1", "-e", EVENTS, "-o", str(path), "--", "sh", "-c", "ls / | wc"]
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode:
        pytest.skip(f"perf may not record here: {ended.stderr.strip()[:100]}")
    return path


def test_what_perf_recorded(recorded: Path) -> None:
    recording = import_recording(recorded)
    assert recording.origin["format"] == "perf.data"
    assert sorted(process.comm for process in recording.processes) == ["ls", "sh", "wc"]
    script = subprocess.run(["perf", "script", "-i", str(recorded)], capture_output=True, text=True).stdout
    assert recording.origin["found"]["page faults"] == script.count("exceptions:page_fault")
    assert recording.origin["gaps"] == []
    assert "os release" in recording.origin["header"]


def test_damaged_ones(recorded: Path, tmp_path: Path) -> None:
    content = recorded.read_bytes()
    copy = tmp_path / "perf.data"
    for at in range(100, len(content), len(content) // 4):
        copy.write_bytes(content[:at])
        try:
            recording = import_recording(copy)
        except InputError as error:
            assert "perf script can't read it" in str(error)
        else:
            assert recording.origin["whole"] is False
