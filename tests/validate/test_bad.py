"""What is wrong in a file of scenarios: always one message with the file, the line and what would be right."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from cowpath.cli import app
from cowpath.errors import InputError
from cowpath.validate import compile as compiling
from cowpath.validate.commands import NotModelled
from cowpath.validate.scenario import read_scenarios, rows_of, scenario_of
from cowpath.validate.score import score
from cowpath.words import Place

V1: dict[str, Any] = {
    "id": "anon01", "groups": {"A": {"limit": 33554432, "swappiness": 60}, "B": {"parent": "A"}},
    "tasks": {"t": {"group": "A", "cpu": 0, "oom_score_adj": 5}, "th": {"thread_of": "t"}, "c": {"child_of": "t"}},
    "files": {"f": {"pages": 16, "state": "cold"}, "/dev/shm/s": {"absent": True}}, "swap_mb": 16,
    "steps": [
        ["t", "anon a 100"], ["t", "touch a 0 100 1 w"], ["t", "readf @f 0 16 4"], ["t", "mapf m @f 16 rw private"],
        ["ctl", "fork t c"], ["c", "touch a 0 1 1 w", "async"], ["ctl", "wait c 1"],
        ["ctl", "set A limit_in_bytes 4096"],
        ["ctl", "sample t 2 10"], ["th", "loop 3; touch a 0 1 1 r; end"], ["ctl", "locked @f 2 5"], ["ctl", "kill t 9"],
    ],
    "runs": 3, "oom_killed": [],
    "result": [
        {"step": "start", "groups": {"A": {"usage_in_bytes": 0, "stat": {"cache": 0}}}},
        {"step": "t anon a 100", "value": 0}, {"step": "t touch a 0 100 1 w", "minflt": 100},
    ],
    "settled": [{"step": "ctl kill t 9", "groups": {"A": {"usage_in_bytes": [0, 4096]}}}],
    "events": {"A": {"PGFAULT": 9}},
}  # fmt: skip
V2: dict[str, Any] = {
    "id": "high01", "kernel": "6.18.15", "groups": {"A": {"high": 8388608, "max": "max"}, "B": {"parent": "A"}},
    "tasks": {"t": {"group": "B", "cpu": 1}, "o": {}},
    "steps": [["t", "anon a 600"], ["t", "touch a 0 600 1 w"], ["o", "readproc /proc/@t/maps"], ["ctl", "stack t"]],
    "oom_killed": [["t"], []],
    "result": [
        {"step": "start", "groups": {"A": {"current": 0, "events": {"high": 0}}}}, {"step": "t anon a 600"},
        {"step": "t touch a 0 600 1 w", "slow": {"n": 1, "sum_us": 9000, "first": [[5, 9000]]}, "value": [600, 600]},
        {"step": "o readproc /proc/@t/maps", "value": 100},
        {"step": "ctl stack t", "state": "D", "wchan": "do_wait", "stack": ["do_wait"]},
    ],
}  # fmt: skip


PLACE = Place("rows.jsonl", 7)


def changed(row: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The row with another value at ``a.b.0``; of other steps nothing was measured."""
    row = copy.deepcopy(row)
    if path.startswith("steps"):
        row["result"] = row["result"][:1]
    *above, last = path.split(".")
    place: Any = row
    for each in above:
        place = place[int(each)] if isinstance(place, list) else place[each]
    place[int(last) if isinstance(place, list) else last] = value
    return row


def written(tmp_path: Path, *lines: str) -> str:
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(file)


def refused(row: dict[str, Any], tmp_path: Path) -> str:
    """The message of a file whose second line is this row."""
    with pytest.raises(InputError) as caught:
        for scenario in read_scenarios(written(tmp_path, "# a comment", json.dumps(row))):
            compiling.compile_scenario(scenario)
    assert "rows.jsonl:2" in str(caught.value)
    return str(caught.value)


def test_the_rows_are_right_as_they_are(tmp_path: Path) -> None:
    for row in read_scenarios(written(tmp_path, json.dumps(V1), "", json.dumps(V2))):
        compiling.compile_scenario(row)


CASES: list[tuple[dict[str, Any], str, Any, str]] = [
    # steps
    (V1, "steps.0", ["t", "anno a 100"], "unknown command 'anno'"),
    (V1, "steps.0", ["t", "anon a"], "needs more words"),
    (V1, "steps.0", ["t", ""], "no step"),
    (V1, "steps.0", ["t"], "no step"),
    (V1, "steps.0", ["t", "anon a 1", "sync"], "async"),
    (V1, "steps.0", ["ghost", "anon a 1"], "'ghost', which is no task"),
    (V1, "steps.0", ["t", "anon a 1000000000000"], "whole number"),
    (V1, "steps.0", ["t", "anon a -5"], "'-5'"),
    (V1, "steps.1", ["t", "touch b 0 1 1 w"], "no region 'b'"),
    (V1, "steps.1", ["t", "touch a 0 101 1 w"], "page 100 is outside of region 'a'"),
    (V1, "steps.1", ["t", "touchperm a 3 1 0 r"], "power of two"),
    (V1, "steps.1", ["t", "touchperm a 64 99999999999 0 r"], "whole number"),
    (V1, "steps.2", ["t", "readf @f 0 9999999999 1"], "a larger chunk"),
    (V1, "steps.2", ["t", "mmaploop 999999999 0"], "whole number"),
    (V1, "steps.2", ["t", "sleepms 999999999999"], "whole number"),
    (V1, "steps.9", ["th", "loop 3; touch a 0 1 1 r"], "'loop' without 'end'"),
    (V1, "steps.9", ["th", "loop 3; vmw t a 0 1; end"], "a step of its own"),
    (V1, "steps.9", ["th", "fork c; end; pid"], "which another task is called"),
    (V1, "steps", [], "a scenario of 0 steps"),
    (V1, "steps", [["t", "pid"]] * 10_001, "a scenario of 10001 steps"),
    # ctl
    (V1, "steps.4", ["ctl", "frok t c"], "did you mean fork"),
    (V1, "steps.4", ["ctl", "fork t"], "lacks a word"),
    (V1, "steps.4", ["ctl", "fork o c"], "no task 'o'"),
    (V1, "steps.5", ["ctl", "fork t c"], "there is a 'c'"),
    (V1, "steps.4", ["ctl", "fork t th"], "'th' is not 't''s child"),
    (V1, "steps.6", ["ctl", "wait d 1"], "no task 'd'"),
    (V1, "steps.6", ["ctl", "wait c forever"], "'forever'"),
    (V1, "steps.6", ["ctl", "sleep nan"], "so many seconds"),
    (V1, "steps.6", ["ctl", "sleep 1e308"], "so many seconds"),
    (V1, "steps.7", ["ctl", "set C limit_in_bytes 4096"], "no group 'C'"),
    (V1, "steps.7", ["ctl", "set A limit 4096"], "no file 'memory.limit'"),
    (V1, "steps.7", ["ctl", "set A limit_in_bytes much"], "memory.limit_in_bytes"),
    (V1, "steps.7", ["ctl", "cat A"], "cat GROUP NAME"),
    (V1, "steps.7", ["ctl", "cat A memory.stats"], "did you mean memory.stat?"),
    (V1, "steps.7", ["ctl", "cat A memory.force_empty"], "to read"),
    (V1, "steps.8", ["ctl", "sample t 99999999 10"], "'99999999'"),
    (V1, "steps.10", ["ctl", "locked g"], "no file 'g'"),
    # groups, tasks, files
    (V1, "groups.A.parent", "B", "each other's parents"),
    (V1, "groups.B.parent", "C", "which is not there"),
    (V1, "groups.B.parent", ["A"], "a text"),
    (V1, "groups.A.limit", -1, "bytes"),
    (V1, "groups.A.limit", "64M", "bytes"),
    (V1, "groups.A.limit", 1 << 70, "a number of 22 digits"),
    (V1, "groups.A.memory", 1, "'memory', which is not known"),
    (V1, "groups.A.high", 1, "'high', which is not known"),
    (V1, "groups.A", 5, "no object"),
    (V2, "groups.A/B", {}, "letters, digits"),
    (V1, "tasks.t.cpu", 2, "from 0 to 1"),
    (V1, "tasks.t.group", "C", "no group"),
    (V1, "tasks.t.group", {}, "a text"),
    (V1, "tasks.t.thread_of", "t", "a thread of 't'"),
    (V1, "tasks.th.thread_of", "c", "a thread of 'c'"),
    (V1, "tasks.c.child_of", "th", "'c' is not 't''s child"),
    (V1, "tasks.ctl", {}, "a task called 'ctl'"),
    (V1, "tasks", {f"t{i}": {} for i in range(5000)}, "no task"),
    (V1, "files.f.pages", -4, "whole number"),
    (V1, "files.f.pages", True, "whole number"),
    (V1, "files.f.state", "warm", "warm_outside"),
    (V1, "files.a b", {}, "without blanks"),
    (V1, "swap_mb", 1 << 30, "from 0 to"),
    (V1, "memory_mb", 0, "from 1 to"),
    (V1, "memory_mb", 1.5, "from 1 to"),
    # what was measured
    (V1, "id", None, "without 'id'"),
    (V1, "kernel", ["6.18"], "a text"),
    (V1, "result", {}, "without 'result'"),
    (V1, "result.0", "start", "no object with a step"),
    (V1, "result.1.step", "t anon a 200", "is of \"t anon a 200\""),
    (V1, "result.1.value", {}, "a number"),
    (V1, "result.0.groups.A", "gone", "an object of counters"),
    (V1, "result.0.groups.A.stat", 5, "an object of counters"),
    (V1, "result.0.groups.A.usage_in_bytes", "0", "a number"),
    (V1, "settled", 5, "no list"),
    (V1, "events", [], "an object"),
    (V1, "oom_killed", "t", "a list of tasks"),
    (V1, "oom_killed", ["t", ["t"]], "a list of tasks"),
    (V2, "result.2.slow", {"n": 1}, "sum_us"),
    (V2, "result.4", {"step": "ctl stack t", "wchan": "do_wait"}, "no state"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "path", "value", "says"), CASES, ids=[f"{i}-{case[3]}" for i, case in enumerate(CASES)]
)
def test_it_is_refused(row: dict[str, Any], path: str, value: Any, says: str, tmp_path: Path) -> None:
    message = refused(changed(row, path, value), tmp_path)
    assert says in message
    assert message.count("\n") == 0 and len(message) < 600


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (json.dumps(V1)[:-40], "breaks off"),
        (json.dumps(V1)[:300], "breaks off"),
        ("{]", "no JSON"),
        ("[1, 2]", "not an object"),
        ("5", "not an object"),
        ('{"a": ' + "[" * 100_000, "lists within lists"),
        ('{"id": 1e999}', "no number"),
        ('{"id": NaN}', "no number"),
        ('{"id": ' + "9" * 5000 + "}", "digits"),
        ("id,groups,steps", "no JSON"),
    ],
)  # fmt: skip
def test_lines_that_are_no_row(line: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_scenarios(written(tmp_path, json.dumps(V1), line))
    assert says in str(caught.value) and "rows.jsonl:2" in str(caught.value)


def invoke(*words: str) -> Result:
    return CliRunner().invoke(app, ["validate", *words], env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "there is no scenario in it"), (b"# nothing\n", "there is no scenario in it"),
        (b"\xff\xfe\x00\x01", "not a text file"), (b"\x00" * 100, "not a text file"), (None, "cannot be read"),
    ],
)  # fmt: skip
def test_files_that_are_none(text: bytes | None, says: str, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    if text is None:
        file.mkdir()
    else:
        file.write_bytes(text)
    ended = invoke(str(file))
    assert (ended.exit_code, ended.stdout) == (2, "") and says in ended.stderr and "rows.jsonl" in ended.stderr
    ended = invoke(str(tmp_path / "missing.jsonl"))
    assert ended.exit_code == 2 and "missing.jsonl" in ended.stderr


def test_nothing_is_played_where_a_later_row_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cowpath.validate.many.play", lambda *_: pytest.fail("played"))
    file = written(tmp_path, json.dumps(V2), json.dumps(changed(V2, "steps.1", ["t", "tuoch a 0 1 1 w"])))
    ended = invoke(file)
    assert ended.exit_code == 2 and "rows.jsonl:2" in ended.stderr and "did you mean touch" in ended.stderr
    ended = invoke(written(tmp_path, json.dumps(changed(V2, "kernel", "2.4.20"))))
    assert ended.exit_code == 2 and "no profile" in ended.stderr


def test_what_is_not_modelled_is_told_and_never_scored(tmp_path: Path) -> None:
    row = changed(V2, "steps.3", ["t", "madv a mergeable"])
    ended = invoke(written(tmp_path, json.dumps(row)), "--json", "--kernel", "linux-6.18")
    told = json.loads(ended.stdout)
    assert ended.exit_code == 0 and told["total"] == told["outcomes"] == 0 and told["scenarios"] == []
    assert told["apart"][0]["id"] == "high01" and "madv" in told["apart"][0]["reason"]


# --- anything anywhere ---------------------------------------------------------------------------
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(1 << 70), 1 << 70), st.floats(), st.text(max_size=8),
    st.sampled_from(["A", "t", "ctl", "max", "t touch a 0 9 1 w", "ctl wait t 1", "x; y", {}, [], [[]], [1], ["t"]]),
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """All places in a row."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, each in inner for place in [(*path, key), *places(each, (*path, key))]]


@settings(max_examples=400)
@given(st.sampled_from([V1, V2]), st.data())
def test_any_row_is_read_or_refused(row: dict[str, Any], data: st.DataObject) -> None:
    row = copy.deepcopy(row)
    for _ in range(data.draw(st.integers(1, 3))):
        *above, last = data.draw(st.sampled_from(places(row)))
        place: Any = row
        for each in above:
            place = place[each]
        if data.draw(st.booleans()):
            del place[last]
        elif isinstance(place[last], str) and data.draw(st.booleans()):
            words = place[last].split() or [""]
            words[data.draw(st.integers(0, len(words) - 1))] = data.draw(
                st.sampled_from(["-1", "0", "999999999999", "@t", "@t:a+5p", ";", "end", "x", "w", "9", "nan", "c"])
            )
            place[last] = " ".join(words)
        else:
            place[last] = data.draw(VALUES)
    try:
        scenario = scenario_of(row, PLACE)
        compiling.compile_scenario(scenario)
    except InputError as error:
        assert str(error).startswith("rows.jsonl:7")
    except NotModelled as why:
        assert str(why)
    else:
        assert score(scenario, V1, "linux-6.18").agree >= 0


@given(st.text() | st.binary().map(lambda text: text.decode("latin-1")) | VALUES.map(json.dumps))
def test_any_line_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, line: str) -> None:
    file = tmp_path_factory.getbasetemp() / "any.jsonl"
    file.write_text(line, encoding="utf-8", errors="surrogatepass")
    try:
        for row, place in rows_of(file):
            scenario_of(row, place)
    except InputError as error:
        assert "any.jsonl" in str(error)
