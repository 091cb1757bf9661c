"""The log file and the data frames."""

from __future__ import annotations

import errno
import io
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.kernel.books import event
from cowpath.observe import eventlog
from cowpath.observe.eventlog import LogWriter
from cowpath.observe.frames import events_frame, faults_frame, groups_frame, lock_holds_frame, usage_frame
from cowpath.observe.keeper import Keeper
from cowpath.observe.who import Tracker, Who

COMMS, GROUPS = ("ls", "cc1", "ls"), ("", "A")


def some_events(count: int) -> tuple[np.ndarray, Who]:
    block = np.zeros(count, event)
    block["time"] = np.arange(count) * 10
    block["kind"] = np.arange(count) % len(n.EVENT_NAMES)
    block["task"] = np.arange(count) % 3 - 1
    block["value"] = np.arange(count)
    block["a"], block["b"] = 1, 2
    return block, Tracker([0, 1]).attribute(block)


def write(path: Path, count: int, cuts: list[int]) -> bytes:
    block, who = some_events(count)
    with LogWriter(path, COMMS) as log:
        for at in np.split(np.arange(count), cuts):
            log.add(block[at], Who(who.group[at], who.comm[at]))
    return path.read_bytes()


def test_a_log_reads_back(tmp_path: Path) -> None:
    write(tmp_path / "log.parquet", 40, [])
    frame = pl.read_parquet(tmp_path / "log.parquet")
    assert frame.columns == ["time_ns", "kind", "cpu", "task", "comm", "a", "b", "value", "extra"]
    assert frame["time_ns"].to_list() == [10 * i for i in range(40)]
    assert frame["kind"].cast(pl.String).to_list()[:3] == ["fault", "page_lock", "wait"]
    assert frame["comm"].cast(pl.String).to_list()[0] == ""
    whole = (pl.Int64, pl.Categorical, pl.Int16, pl.Int32, pl.Categorical, pl.Int32, pl.Int32, pl.Int64, pl.Int64)
    assert tuple(frame.dtypes) == whole
    assert [p.name for p in tmp_path.iterdir()] == ["log.parquet"]


def test_the_bytes_do_not_depend_on_how_the_log_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eventlog, "ROWS_AT_ONCE", 64)
    files = [write(tmp_path / f"{i}.parquet", 200, cuts) for i, cuts in enumerate([[], [1, 64, 65], list(range(200))])]
    assert files[0] == files[1] == files[2]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_nothing_is_left_behind_and_an_old_log_stays(tmp_path: Path, error: type[BaseException]) -> None:
    (tmp_path / "log.parquet").write_text("old")
    with pytest.raises(error), LogWriter(tmp_path / "log.parquet", COMMS) as log:
        log.add(*some_events(70_000))
        raise error
    assert [p.read_text() for p in tmp_path.iterdir()] == ["old"]


@pytest.mark.parametrize("name", ["no/such/folder/log.parquet", "", "zero\0.parquet", "x" * 300 + "/log"])
def test_a_path_that_cannot_be_written_is_an_input_error_before_the_run(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="cannot write the log"), LogWriter(tmp_path / name, COMMS):
        pytest.fail("the run began")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("file", ["_waiting", "_file"])
def test_a_full_disk_names_the_file(tmp_path: Path, file: str, capfd: pytest.CaptureFixture[str]) -> None:
    class Full(io.BytesIO):
        def write(self, _: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "log.parquet"
    message = r"log\.parquet: cannot write the log: No space left"
    with pytest.raises(InputError, match=message), LogWriter(path, COMMS) as log:
        setattr(log, file, Full())
        log.add(*some_events(5))
    assert not list(tmp_path.iterdir())
    assert capfd.readouterr().err == ""  # where Rust would print a panic


def test_ctrl_c_while_the_file_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), LogWriter(tmp_path / "log.parquet", COMMS) as log:
        log.add(*some_events(5))
        monkeypatch.setattr(eventlog.np, "ascontiguousarray", interrupted)
    assert not list(tmp_path.iterdir())


def test_frames_have_names_for_numbers() -> None:
    block, who = some_events(40)
    events = events_frame(block, who, COMMS, GROUPS)
    assert events.height == 40
    assert events["comm"].cast(pl.String).to_list()[:3] == [None, "ls", "cc1"]
    faults = faults_frame(block, who, COMMS, GROUPS)
    assert faults.height == int((block["kind"] == n.EV_FAULT).sum())
    assert faults.columns == ["time_ns", "cpu", "task", "comm", "group", "path", "status", "ns", "asleep_ns"]
    holds = lock_holds_frame(block, who, COMMS, GROUPS, ["libc.so.6"])
    assert holds["file"].cast(pl.String).to_list() == ["libc.so.6"] * holds.height
    assert usage_frame(block, GROUPS)["usage_in_bytes"].to_list() == [
        at * 4096 for at in range(n.EV_USAGE, 40, len(n.EVENT_NAMES))
    ]
    rows = groups_frame({"A": {"verdict": "waits", "latency": {}, "memory.failcnt": 7}})
    assert rows.to_dicts() == [{"group": "A", "verdict": "waits", "memory.failcnt": 7}]


def test_no_events_no_rows() -> None:
    block, who = Keeper(None).all()
    assert events_frame(block, who, COMMS, GROUPS).is_empty()
    assert faults_frame(block, who, COMMS, GROUPS).is_empty()
    assert lock_holds_frame(block, who, COMMS, GROUPS, []).is_empty()


def test_a_keeper_copies_what_is_only_valid_during_the_call() -> None:
    block, who = some_events(36)
    keeper = Keeper([n.EV_FAULT])
    keeper.add(block, who)
    block[:] = np.zeros(1, event)
    kept, whose = keeper.all()
    assert kept["value"].tolist() == [0, len(n.EVENT_NAMES)] and len(whose.comm) == 2
