"""Whether perf can record here: what is missing is named, with what to type."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cowpath.errors import InputError
from cowpath.programs.recorder import perf


def tracefs(folder: Path, without: tuple[str, ...] = ()) -> Path:
    for event in (*perf.NEEDED, *perf.USEFUL):
        if event not in without:
            place = folder / "events" / event.replace(":", "/")
            place.mkdir(parents=True)
            (place / "id").write_text("1\n")
    return folder


def installed(folder: Path, script: str, patch: pytest.MonkeyPatch) -> None:
    file = folder / "perf"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    patch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_no_perf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"not installed .*apt install linux-perf"):
        perf.find()


def test_a_perf_that_only_says_that_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, "echo 'WARNING: perf not found for kernel 6.18' >&2; exit 2", monkeypatch)
    with pytest.raises(InputError, match=r"perf not found for kernel 6\.18 .*linux-tools"):
        perf.find()


def test_it_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, "echo perf version 6.1.187", monkeypatch)
    monkeypatch.setattr(perf, "TRACING", (tracefs(tmp_path / "tracing"),))
    monkeypatch.setattr(perf.os, "geteuid", lambda: 0)
    found = perf.find()
    assert found.version == "6.1.187" and not found.missing
    words = found.record(Path("out"), ["ls", "-l"])
    assert words[-3:] == ["--", "ls", "-l"] and words.count("-e") == len(found.events)
    assert words[words.index("signal:signal_deliver") + 1 :][:2] == ["--filter", "sig == 7 || sig == 11"]
    assert words[words.index("sched:sched_waking") + 1 :][:2] == ["--filter", "!(common_flags & 0x18)"]


def test_a_kernel_without_some_tracepoints(tmp_path: Path) -> None:
    useful = "filemap:mm_filemap_add_to_page_cache"
    events, missing = perf.available(tracefs(tmp_path / "some", without=(useful,)))
    assert missing == (useful,) and useful not in events
    with pytest.raises(InputError, match=r"sys_enter_brk.*CONFIG_FTRACE_SYSCALLS"):
        perf.available(tracefs(tmp_path / "few", without=("syscalls:sys_enter_brk",)))


def test_who_is_not_root_is_told_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perf.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(perf, "TRACING", (tracefs(tmp_path),))
    monkeypatch.setattr(perf, "PARANOID", tmp_path / "paranoid")
    (tmp_path / "paranoid").write_text("4\n")
    with pytest.raises(InputError, match=r"sudo cowpath record .*perf_event_paranoid=-1 \(it is 4\)"):
        perf.tracing()
    (tmp_path / "paranoid").write_text("-1\n")
    assert perf.tracing() == tmp_path
    assert "-m" not in perf.Perf("perf", "6.1", (), ()).record(Path("out"), ["ls"])  # beyond what a user may lock


def test_no_tracefs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perf.os, "geteuid", lambda: 0)
    monkeypatch.setattr(perf, "TRACING", (tmp_path / "none",))
    with pytest.raises(InputError, match=r"mount -t tracefs none"):
        perf.tracing()
