"""Builds under limits: rows, verdicts, what is close; a small recorded build is played; what is wrong in the input."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from cowpath import designs
from cowpath.cli import app
from cowpath.errors import InputError
from cowpath.kernel import books
from cowpath.kernel import names as n
from cowpath.programs.recording import SUFFIX, Process, RecordedFile, Recording, write
from cowpath.validate.builds import How, is_of_builds, many
from cowpath.validate.builds.play import Build, find_recording, permutation, play, session
from cowpath.validate.builds.rows import COUNTERS, FINISHED, KILLED, THRASHING, Measured, Outcome, Setup, measured_of
from cowpath.validate.builds.score import Held, compare
from cowpath.validate.builds.show import builds_report
from cowpath.words import Place

M = 1 << 20
TABLES = Path(__file__).parent.parent / "data" / "recordings"
Row = dict[str, Any]


def row(limit: str = "64M", jobs: str = "j2", **more: Any) -> Row:
    """A run that has finished."""
    return {
        "recording": "job", "limit": limit, "jobs": jobs, "read_ahead_kb": 128, "wall_s": 4.0, "exit": 0,
        "timed_out": 0, "oom_kill": 0, "max_usage_in_bytes": 48 * M, "failcnt": 0, "pgfault": 1000, "pgmajfault": 100,
        "victims": {"cc1": {"majflt": 3}, "libc": {"majflt": 4}}, **more,
    }  # fmt: skip


def measured(*rows: Row) -> list[Measured]:
    return measured_of((each, Place("builds.jsonl", number)) for number, each in enumerate(rows, 1))


def outcome(verdict: str = FINISHED, seconds: float = 4.0, **counters: int) -> Outcome:
    values = {"oom_kill": 0, "max_usage_in_bytes": 48 * M, "failcnt": 0, "pgfault": 1000, "pgmajfault": 100} | counters
    return Outcome(verdict, seconds, values, 5)


def held(real: Sequence[Row], *simulated: Outcome) -> Held:
    found = measured(*real)
    return Held("linux-6.18", 16, tuple(compare(found, dict(zip((m.setup for m in found), simulated, strict=True)))))


# --- rows


def test_what_became_of_a_run() -> None:
    (found,) = measured(row(), row(timed_out=1, exit=-1), row(exit=2, oom_kill=3))
    assert [run.verdict for run in found.runs] == [FINISHED, THRASHING, KILLED]
    assert found.runs[2].counters["oom_kill"] == 3
    assert found.runs[0].outside == 7
    assert found.setup == Setup("job", 64 * M, 2, 128, ("cc1", "libc"))


def test_the_largest_limit_comes_first_and_no_limit_before_it() -> None:
    found = measured(row("32M"), row("64M", "j"), row("64M", "j8"), row("unl"), row("64M", "j8", read_ahead_kb=64))
    assert [(m.setup.limit_text, m.setup.jobs_text, m.setup.read_ahead_kb) for m in found] == [
        ("-", "-j2", 128), ("64M", "-j8", 64), ("64M", "-j8", 128), ("64M", "-j", 128), ("32M", "-j2", 128),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"limit": "much"}, "limit: 'much'"),
        ({"limit": None}, "limit: None"),
        ({"limit": "1K"}, "limit: '1K'"),
        ({"jobs": "8"}, "jobs: '8'"),
        ({"jobs": "j0"}, "jobs: 'j0'"),
        ({"read_ahead_kb": 2}, "read_ahead_kb: 2"),
        ({"read_ahead_kb": -4}, "read_ahead_kb: -4"),
        ({"pgfault": 1.5}, "pgfault: 1.5"),
        ({"pgfault": None}, "no 'pgfault'"),
        ({"wall_s": 0}, "wall_s: 0"),
        ({"exit": None}, "exit: None"),
        ({"recording": "../job"}, "recording: '../job'"),
        ({"victims": [1]}, "victims"),
        ({"victims": {"cc1": {}}}, "no 'majflt'"),
    ],
)
def test_a_wrong_row_is_told_with_its_line(wrong: Row, word: str) -> None:
    with pytest.raises(InputError, match=word) as told:
        measured(row(), row(**wrong))
    assert told.value.line == 2
    assert told.value.hint


# --- scoring


def test_verdicts_count_where_the_real_runs_agree() -> None:
    real = [
        row("unl", max_usage_in_bytes=100 * M),
        row("128M"), row("64M"), row("48M", timed_out=1), row("32M", timed_out=1), row("32M", exit=2),
    ]  # fmt: skip
    simulated = [outcome(), outcome(), outcome(KILLED), outcome(THRASHING), outcome(KILLED)]
    found = held(real, *simulated)
    scored = [each for each in found.configurations if each.scored]
    assert [each.setup.limit_text for each in scored] == ["128M", "64M", "48M"]
    assert [each.right for each in scored] == [True, False, True]
    assert [each.by_peak_right for each in scored] == [True, False, True]
    assert (found.totals.right, found.totals.by_peak, found.totals.of) == (2, 2, 3)
    assert found.percent == pytest.approx(200 / 3)


def test_a_verdict_is_right_at_each_read_ahead_or_not_at_all() -> None:
    real = [row(read_ahead_kb=128), row(read_ahead_kb=8192)]
    (both,) = held(real, outcome(), outcome()).configurations
    (one,) = held(real, outcome(), outcome(KILLED)).configurations
    assert both.right
    assert not one.right


@pytest.mark.parametrize(
    ("counter", "value", "close"),
    [
        ("pgfault", 1000, True), ("pgfault", 1160, True), ("pgfault", 1200, False), ("pgfault", 949, False),
        ("pgmajfault", 31, False), ("pgmajfault", 33, True), ("pgmajfault", 600, True), ("pgmajfault", 640, False),
        ("pgmajfault", 0, False), ("max_usage_in_bytes", 46 * M, True), ("max_usage_in_bytes", 45 * M, False),
    ],
)  # fmt: skip
def test_close_is_by_the_nearest_real_run(counter: str, value: int, close: bool) -> None:
    real = [row(), row(pgfault=1110, pgmajfault=200)]
    (found,) = held(real, outcome(**{counter: value})).configurations
    assert found.compared[0].is_close(counter) == close


def test_counters_are_compared_where_both_finish_under_a_limit() -> None:
    real = [row("unl"), row("64M"), row("48M"), row("32M", exit=2)]
    found = held(real, outcome(), outcome(pgfault=2000), outcome(KILLED), outcome(KILLED))
    assert found.totals.finished == 1
    assert found.totals.close == {"max_usage_in_bytes": 1, "pgfault": 0, "pgmajfault": 1}


def test_time_is_told_beside_that_without_a_limit() -> None:
    found = held([row("unl"), row("64M", wall_s=10.0)], outcome(), outcome(seconds=6.0))
    assert found.configurations[1].compared[0].slower == (2.5, 1.5)


def test_what_is_printed() -> None:
    real = [row("unl", max_usage_in_bytes=100 * M), row("64M"), row("48M", timed_out=1, wall_s=30.0)]
    found = held(real, outcome(), outcome(pgfault=3000), outcome(KILLED))
    console = Console(width=170, record=True, highlight=False)
    for part in builds_report(found):
        console.print(part)
    text = console.export_text()
    assert "3 builds, 3 configurations" in text
    assert "the verdict is right for 1 of 2 configurations" in text
    assert "(by the peak without a limit: 1)" in text
    told = found.as_json()
    assert (told["right"], told["right_by_peak"], told["of"]) == (1, 1, 2)
    assert told["builds"][2]["simulated"] == [KILLED]
    assert json.loads(json.dumps(told)) == told


# --- playing


def tiny(folder: Path, anon: int = 1200, code: int = 64) -> Path:
    """A recorded make with two compilers, each of which runs some code and touches so many pages."""
    rows: list[list[tuple[int, ...]]] = [[(n.OP_EXEC, 0, 0, 0, 0, 0), (n.OP_FORK, 0, 1, n.NONE, 1, 0),
                                          (n.OP_FORK, 0, 2, n.NONE, 1, 0)]]  # fmt: skip
    for _ in range(2):
        text, heap = 0x1000, 0x8000
        job: list[tuple[int, ...]] = [(n.OP_EXEC, 0, 0, 0, 1, 0), (n.OP_MMAP, n.VM_EXEC, text, 16 * code, 0, 0),
                                      (n.OP_MMAP, n.VM_WRITE, heap, anon, n.NONE, 0)]  # fmt: skip
        job += [(n.OP_TOUCH, n.F_EXEC, text + 16 * at, 1, 0, 0) for at in range(code)]
        for at in range(anon):
            job += [(n.OP_COMPUTE, 0, 20_000, 0, 0, 0), (n.OP_TOUCH, n.F_WRITE, heap + at, 1, 0, 0)]
        rows.append(job)
    ops = np.zeros(sum(map(len, rows)), books.op)
    every = np.array([op for job in rows for op in job])
    for at, field in enumerate(("code", "bits", "a", "b", "c", "d")):
        ops[field] = every[:, at]
    ends = np.cumsum([0, *map(len, rows)]).tolist()
    processes = tuple(
        Process(n.NONE if number == 0 else 0, n.NONE, "cc1" if number else "make", 0, 1, ends[number], ends[number + 1])
        for number in range(3)
    )
    files = (RecordedFile("/usr/lib/cc1", 16 * code, 16 * code),)
    write(Recording("job", ("make",), ops, processes, files, ("make", "cc1")), folder / f"job{SUFFIX}")
    return folder


def played(folder: Path, limit: int | None, jobs: int | None = 2, **more: Any) -> Outcome:
    setup = Setup("job", limit, jobs, 128, ("cc1",))
    build = Build(setup, designs.load("linux-6.18"), find_recording("job", folder), fetches=16)
    return play(replace(build, **more))


def test_a_small_build_with_room_and_without(tmp_path: Path) -> None:
    tiny(tmp_path)
    alone = played(tmp_path, None)
    assert alone.verdict == FINISHED
    assert alone.counters["pgfault"] >= 2 * 1200
    assert alone.counters["max_usage_in_bytes"] >= 2 * 1200 * n.PAGE_SIZE
    one_by_one = played(tmp_path, None, jobs=1)
    assert one_by_one.counters["max_usage_in_bytes"] < alone.counters["max_usage_in_bytes"]
    tight = played(tmp_path, 3 * M)
    assert tight.verdict in (KILLED, THRASHING)
    assert tight.counters["max_usage_in_bytes"] == 3 * M
    assert played(tmp_path, 3 * M) == tight  # the same seed


def test_reuse_brings_back_code_that_was_taken(tmp_path: Path) -> None:
    tiny(tmp_path, anon=500)
    limit = 6 * M  # two heaps of 2 MiB, and half of the code
    never, often = (played(tmp_path, limit, fetches=fetches).counters["pgmajfault"] for fetches in (0, 1024))
    assert often > never


def test_a_session_as_it_is_played() -> None:
    assert session(Setup("job", 64 * M, None, 128, ("cc1",))).splitlines() == [
        "cgcreate -g memory:A",
        "cgset -r memory.limit_in_bytes=67108864 A",
        "cgset -r memory.memsw.limit_in_bytes=67108864 A",
        "cgexec -g memory:A make -j &",
        "sleep 300ms",
        "cc1 &",
        "wait %1 && echo finished",
    ]


@pytest.mark.parametrize("pages", [1, 2, 3, 469, 4096, 8141])
def test_tasks_outside_use_each_page_once_a_round(pages: int) -> None:
    used = permutation(pages)
    assert sorted(used) == list(range(min(pages, 4096)))


# --- what is wrong


def test_a_recording_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no packaged recording 'job'") as told:
        find_recording("job", None)
    assert told.value.hint is not None
    assert "--recordings" in told.value.hint
    with pytest.raises(InputError, match="no recording 'job' lies there"):
        find_recording("job", tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        find_recording("job", tmp_path / "no")


def test_a_recording_of_something_else() -> None:
    build = Build(Setup("ls", 64 * M, 2, 128), designs.load("linux-6.18"), find_recording("ls", TABLES))
    with pytest.raises(InputError, match="not of a build"):
        play(build)


def file_of(folder: Path, *rows: Row) -> Path:
    file = folder / "builds.jsonl"
    file.write_text("".join(json.dumps(each) + "\n" for each in rows), encoding="utf-8")
    return file


def test_which_builds_are_played(tmp_path: Path) -> None:
    tiny(tmp_path)
    file = file_of(tmp_path, row(), row("32M", "j"), row("unl"))
    assert is_of_builds(file)
    builds, found = many.builds_of([file], None, ["job-64M-j2"], How(tmp_path))
    assert {build.setup.limit_text for build in builds} == {"-", "64M"}  # beside which it is told
    assert {build.design.name for build in builds} == {"linux-6.18"}
    assert len(found) == 2
    with pytest.raises(InputError, match="no build 'job-1M-j2'"):
        many.builds_of([file], None, ["job-1M-j2"], How(tmp_path))


def test_the_command(tmp_path: Path) -> None:
    tiny(tmp_path, anon=60, code=4)
    file = file_of(tmp_path, row("unl"), row("64M"))
    words = ["validate", str(file), "--recordings", str(tmp_path), "--processes", "1", "--json"]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    assert told["of"] == told["right"] == 1
    assert set(told["builds"][1]["read_aheads"][0]["simulated"]) >= set(COUNTERS)
