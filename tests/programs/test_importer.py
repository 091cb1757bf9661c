"""Importing a recorded command: totals against the tables and the real counters; bad folders."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.programs.importer import import_recording
from cowpath.programs.library import packaged
from cowpath.programs.recording import Recording, from_bytes, load, to_bytes
from cowpath.programs.replay import compile_tree
from cowpath.programs.walk import touches

DATA = Path(__file__).parent.parent / "data" / "recordings"
COMMANDS = ["ls", "bash_ls"]


def count(recording: Recording, code: int) -> int:
    return int((recording.ops["code"] == code).sum())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DATA / "ls", tmp_path / "ls"))


@pytest.mark.parametrize("name", COMMANDS)
def test_touches_are_the_faults(name: str) -> None:
    recording = import_recording(DATA / name)
    procs = pl.read_parquet(DATA / name / "procs.parquet")
    root = procs["pid"][0]
    command = procs.filter((pl.col.kind == "fork") & (pl.col.ppid == root))["pid"][0]
    joined = procs.filter((pl.col.kind == "exec_comm") & (pl.col.pid == command))["time_ns"][0]
    faults = pl.read_parquet(DATA / name / "faults.parquet").filter(pl.col.pid != root)
    faults = faults.filter((pl.col.pid != command) | (pl.col.time_ns > joined))
    assert count(recording, n.OP_TOUCH) == len(faults)
    assert recording.facts["faults_dropped"] == 0
    touches = recording.ops[recording.ops["code"] == n.OP_TOUCH]
    assert sorted(touches["a"].tolist()) == sorted((faults["addr"] // 4096).to_list())
    assert int((touches["bits"] & n.F_WRITE).sum()) == int((faults["err"] & 2).sum()) // 2
    # perf's own fault count of the command, launcher included
    runs = json.loads((DATA / name / "truth.json").read_text())["runs"]
    real = runs[-1]["rusage"]["minflt"] + runs[-1]["rusage"]["majflt"]
    assert len(faults) == pytest.approx(real, rel=0.12)


@pytest.mark.parametrize("name", COMMANDS)
def test_cpu_time_is_that_of_the_runs_without_perf(name: str) -> None:
    recording = import_recording(DATA / name)
    runs = json.loads((DATA / name / "truth.json").read_text())["runs"]
    utimes = [run["rusage"]["utime_s"] for run in runs if not run["perf"]]
    compute_ns = int(recording.ops["a"][recording.ops["code"] == n.OP_COMPUTE].sum())
    assert compute_ns == recording.facts["compute_ns"]
    assert compute_ns == pytest.approx(sum(utimes) / len(utimes) * 1e9, rel=0.16)  # short stretches are dropped


def test_without_truth_long_gaps_count_for_3_ms(folder: Path) -> None:
    (folder / "truth.json").unlink()
    recording = import_recording(folder)
    assert recording.facts["longest_ns"] == 3_000_000
    assert recording.command == ()


def test_totals_of_the_build() -> None:
    build = load(packaged()["lua_j2"])
    assert len(build.processes) == 113  # 114 with the launcher
    assert build.facts["faults"] == 141_465 - 50  # those of the launcher, and of the command before its exec
    assert build.facts["faults_dropped"] == 0
    assert build.facts["compute_ns"] == pytest.approx(7.1e9, rel=0.05)
    comms = [process.comm for process in build.processes]
    assert (comms.count("cc1"), comms.count("as"), comms.count("ld")) == (34, 34, 2)
    written = {process.comm for number, process in enumerate(build.processes)
               if (build.ops_of(number)["code"] == n.OP_WRITE).any()}  # fmt: skip
    assert {"cc1", "as", "ar", "ld"} <= written


def test_libraries_are_the_same_file_in_all_recordings() -> None:
    for entry in packaged().values():
        files = {file.name: file for file in load(entry).files}
        assert files["/usr/lib/x86_64-linux-gnu/libc.so.6"].pages == 469
        assert files["/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"].pages == 53


def test_the_command_is_first_and_execs() -> None:
    recording = import_recording(DATA / "bash_ls")
    assert recording.ops[0]["code"] == n.OP_EXEC
    assert [process.comm for process in recording.processes] == ["bash", *["ls", "wc"] * 3]
    assert recording.children_of(0) == (1, 2, 3, 4, 5, 6)
    assert recording.ops_of(0)["code"].tolist().count(n.OP_WAIT) == 6


def test_threads_find_their_mappings_made() -> None:
    recording = load(packaged()["sort_gzip"])
    threads = [number for number, process in enumerate(recording.processes) if process.leader != n.NONE]
    assert len(threads) == 15
    for number in threads:
        assert not set(recording.ops_of(number)["code"].tolist()) & {n.OP_MMAP, n.OP_MUNMAP}


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.floats(0, 1), st.sampled_from(["faults", "procs", "maps", "vmcalls", "pagecache"]))
def test_with_rows_missing_it_is_a_recording_or_an_error(seed: int, kept: float, table: str) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(shutil.copytree(DATA / "bash_ls", Path(place) / "bash_ls"))
        path = folder / f"{table}.parquet"
        frame = pl.read_parquet(path)
        frame.sample(fraction=kept, seed=seed).write_parquet(path)
        try:
            recording = import_recording(folder)
        except InputError:
            assert table == "procs"
            return
    assert len(compile_tree(recording).ops) > 0
    assert from_bytes(to_bytes(recording), "x").facts == recording.facts
    rows = [[list(row) for row in recording.ops_of(p).tolist()] for p in range(len(recording.processes))]
    assert all(area is not None for _, area in touches(rows))


def test_bad_folders(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or folder"):
        import_recording(tmp_path / "nothing")
    with pytest.raises(InputError, match=r"one Parquet table.*the folder that holds all five"):
        import_recording(folder / "faults.parquet")
    (folder / "faults.parquet").rename(folder / "fault.parquet")
    with pytest.raises(InputError, match=r"faults\.parquet: the table is missing \(is it fault\.parquet\?\)"):
        import_recording(folder)


@pytest.mark.parametrize("table", ["faults", "procs", "maps", "vmcalls", "pagecache"])
def test_bad_tables(folder: Path, table: str) -> None:
    path = folder / f"{table}.parquet"
    content, frame = path.read_bytes(), pl.read_parquet(path)
    for damaged in (b"", content[: len(content) // 2], b"PAR1" + content[4:-9] + b"\x00" * 9, b"hello"):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=f"{table}.parquet: not a readable Parquet table"):
            import_recording(folder)
    frame.rename({"time_ns": "time_n"}).write_parquet(path)
    with pytest.raises(InputError, match=r"column time_ns is missing \(is it time_n\?\)"):
        import_recording(folder)
    frame.with_columns(time_ns=pl.lit("noon")).write_parquet(path)
    with pytest.raises(InputError, match="a column of the wrong type"):
        import_recording(folder)
    frame.with_columns(time_ns=pl.lit(None, dtype=pl.Int64)).write_parquet(path)
    with pytest.raises(InputError, match="a value is missing"):
        import_recording(folder)


@pytest.mark.parametrize("truth", ["{", "[]", '{"runs": [{"perf": false}]}', '{"runs": 3}'])
def test_bad_truth(folder: Path, truth: str) -> None:
    (folder / "truth.json").write_text(truth)
    with pytest.raises(InputError, match=r"truth\.json: can't be understood"):
        import_recording(folder)


def test_no_command(folder: Path) -> None:
    procs = pl.read_parquet(folder / "procs.parquet")
    procs.filter(pl.col.kind != "fork").write_parquet(folder / "procs.parquet")
    with pytest.raises(InputError, match="the launcher started no command"):
        import_recording(folder)
    procs.clear().write_parquet(folder / "procs.parquet")
    with pytest.raises(InputError, match="no process was recorded"):
        import_recording(folder)
