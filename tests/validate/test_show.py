"""What ``cowpath validate`` prints: tables, sums, JSON; which kernel plays what; and what is wrong in a file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from cowpath import designs
from cowpath.cli import app
from cowpath.errors import InputError
from cowpath.validate import many, throttle
from cowpath.validate.many import Found, Job
from cowpath.validate.play import NotModelled
from cowpath.validate.show import report, sleeps_report

from .rows import Row, compared, row, scenario, step

FIGURES: Row = {"current": 262144, "peak": [262144, 524288], "events": {"high": 17}}
OURS: Row = {"current": 262144, "peak": 266240, "events": {"high": 34}}


def found(reason: str = "", **more: Any) -> Found:
    """A scenario of 6.18 and what came of it."""
    real = row(step(group=FIGURES, value=1), **more)
    job = Job(scenario(real), designs.load("linux-6.18"))
    return Found(job, None if reason else compared(real, row(step(group=OURS, value=2))), reason)


def text(parts: Any) -> str:
    console = Console(width=120, record=True, highlight=False)
    for part in parts:
        console.print(part)
    return console.export_text()


# --- for people


def test_a_line_for_each_scenario_and_the_sums() -> None:
    shown = text(report([found(), found(id="high02")]))
    assert "events.high" in shown
    verdict = "linux-6.18: 4 of 6 counters agree (66.7 %); every outcome is right in 0 of 2 scenarios"
    lines = " ".join(shown.split())
    assert lines.startswith(verdict) and lines.endswith(verdict)
    assert "by counter, all agree: current (2), peak (2)" in shown
    assert "wrong: returned" in shown and "difference" not in shown


def test_all_counters_of_one_that_is_asked_for() -> None:
    lines = text(report([found(), found(id="high02")], ["high02"])).splitlines()
    events = next(line for line in lines if "A events.high" in line and "off" in line)
    assert events.split() == ["A", "events.high", "17", "34", "+17", "off"]
    peak = next(line for line in lines if "A peak" in line)
    assert peak.split()[2:] == ["262,144", "to", "524,288", "266,240", "within", "the", "spread"]
    assert sum("A peak" in line for line in lines) == 1


def test_what_is_not_modelled_is_told_and_in_no_sum() -> None:
    shown = text(report([found(), found("userfaultfd is not modelled", id="uffd01")]))
    assert "apart: uffd01 on 6.18.15: userfaultfd is not modelled" in shown and "2 of 3 counters agree" in shown


def test_the_multi_gen_lru_stands_apart() -> None:
    each = found(kernel="6.18.15+mglru")
    assert "multi-gen" in each.apart and "2 of 3 counters" in text(report([each]))
    assert many.scores_by_design([each]) == {"linux-6.18": []}
    (told,) = many.as_json([each])
    assert (told["total"], told["outcomes"], told["apart"][0]["total"]) == (0, 0, 3)


# --- for programs


def test_the_object_of_a_kernel() -> None:
    (told,) = many.as_json([found(), found("no", id="uffd01")])
    assert {key: told[key] for key in ("kernel", "agree", "total", "outcomes_ok", "outcomes")} == {
        "kernel": "linux-6.18", "agree": 2, "total": 3, "outcomes_ok": 0, "outcomes": 1,
    }  # fmt: skip
    (each,) = told["scenarios"]
    assert each["worst"] == {"counter": "A events.high", "step": "t touch a 0 1 1 w", "real": 17, "simulated": 34}
    assert [one["what"] for one in each["wrong"]] == ["returned"] and each["outcome_ok"] is False
    assert told["apart"] == [{"id": "uffd01", "kernel": "6.18.15", "reason": "no"}]


# --- which kernel plays what


def rows_of(*labels: str | None) -> list[Any]:
    made = []
    for number, label in enumerate(labels):
        each = row(step(), id=f"anon{number:02}")
        made.append(scenario({key: value for key, value in (each | {"kernel": label}).items() if value is not None}))
    return made


def played_on(scenarios: Sequence[Any], kernel: str | None = None) -> list[tuple[str, str]]:
    return [(job.scenario.id, job.design.name) for job in many.jobs_of(scenarios, kernel)]


def test_each_is_played_on_the_kernel_of_its_label() -> None:
    scenarios = rows_of("6.18.15", "6.1.192", "6.18.15+mglru", "linux-3.0", "preallocate", None)
    assert played_on(scenarios) == [
        ("anon00", "linux-6.18"), ("anon02", "linux-6.18"), ("anon05", "linux-6.18"), ("anon01", "linux-6.1"),
        ("anon03", "linux-3.0"), ("anon04", "preallocate"),
    ]  # fmt: skip
    assert played_on(scenarios, "linux-6.1") == [("anon01", "linux-6.1"), ("anon05", "linux-6.1")]


def test_a_label_that_is_no_kernels_is_told() -> None:
    with pytest.raises(InputError, match=r"rows\.jsonl:1: kernel '6\.5\.0' has no profile"):
        many.jobs_of(rows_of("6.5.0"), None)
    with pytest.raises(
        InputError, match=r"--kernel linux-6\.1: no scenario was measured on it \(there are: 6\.18\.15\)"
    ):
        many.jobs_of(rows_of("6.18.15"), "linux-6.1")
    with pytest.raises(InputError, match=r"linux-6\.1"):
        many.jobs_of(rows_of("6.18.15"), "linux-6.10")


# --- the command


def invoke(*words: object) -> Any:
    return CliRunner().invoke(app, ["validate", *map(str, words)])


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two scenarios: one that is played, one that is not modelled."""
    made = tmp_path / "rows.jsonl"
    real = row(step(group=FIGURES, value=1))
    made.write_text("".join(json.dumps(real | {"id": name}) + "\n" for name in ("anon01", "uffd01")), encoding="utf-8")

    def play(each: Any, design: Any) -> Row:
        if each.id == "uffd01":
            raise NotModelled("userfaultfd is not modelled")
        return row(step(group=OURS, value=1))

    monkeypatch.setattr(many, "play", play)
    return made


def test_the_status_is_0_whatever_agrees_but_with_fail_under(file: Path) -> None:
    assert invoke(file).exit_code == 0
    assert "2 of 3 counters agree (66.7 %); every outcome is right in 1 of 1 scenario" in " ".join(
        invoke(file).output.split()
    )
    assert invoke(file, "--fail-under", "66").exit_code == 0
    assert invoke(file, "--fail-under", "67").exit_code == 1


def test_one_object_for_one_kernel(file: Path) -> None:
    told = json.loads(invoke(file, "--json").stdout)
    assert (told["kernel"], told["agree"], told["outcomes_ok"], len(told["apart"])) == ("linux-6.18", 2, 1, 1)


def test_only_one_scenario(file: Path) -> None:
    output = invoke(file, "--id", "anon01").output
    assert "A events.high" in output and "+17" in output and "uffd01" not in output
    assert invoke(file, "--id", "aonn01").exit_code == 2
    assert "did you mean anon01?" in invoke(file, "--id", "aonn01").output


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"id": "a"', "rows.jsonl:1"), ("", "rows.jsonl"), ("[1]\n", "rows.jsonl:1"), ('{"id": "a"}\n', "groups"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_file_is_told_with_its_line(content: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(content, encoding="utf-8")
    result = invoke(file)
    assert result.exit_code == 2 and said in result.output and "Traceback" not in result.output


# --- sleeps over memory.high

HEAD = "kernel\thigh_pages\texcess_pages\tmeasured_s_per_run\n"


def sleeps(tmp_path: Path, *lines: str, head: str = HEAD) -> list[throttle.Line]:
    table = tmp_path / "throttle.tsv"
    table.write_text(head + "\n".join(lines), encoding="utf-8")
    return throttle.read_table(table)


def test_errors_are_of_the_sleeps_below_the_cap(tmp_path: Path) -> None:
    lines = sleeps(
        tmp_path, "6.1.192\t2048\t128\t0.2 0.25 0.3", "6.1.192\t2048\t256\t1 1 1.1", "6.1.192\t2048\t512\t2.01"
    )
    slept = [
        throttle.Slept(line, "linux-6.1", simulated) for line, simulated in zip(lines, (0.26, 1.0, 9.0), strict=True)
    ]
    (errors,) = throttle.errors(slept)
    assert (errors.design, errors.lines, round(errors.median, 3), round(errors.p90, 3)) == ("linux-6.1", 2, 0.02, 0.036)
    assert "linux-6.1: 2 sleeps over memory.high below 2 s: off by 2.0 % in the middle" in text(
        sleeps_report(slept, False)
    )
    assert throttle.as_json(slept)["lines"][2]["simulated_s"] == 9.0
    assert throttle.Slept(lines[0], "linux-6.1", None).error == 1.0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("6.1.192\t2048\t128", "3 columns"), ("6.1.192\tx\t128\t0.2", "high_pages: 'x' is no number of pages"),
        ("6.1.192\t2048\t128\tnan", "no list of sleeps"), ("6.1.192\t2048\t128\t", "no list of sleeps"),
        ("", "no line in it"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_table_is_told(line: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said):
        sleeps(tmp_path, line)


def test_a_table_without_a_column_and_one_of_an_unknown_kernel(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"throttle\.tsv:1: no column 'high_pages'"):
        sleeps(tmp_path, "x", head="kernel\n")
    with pytest.raises(InputError, match=r"throttle\.tsv:2: kernel '6\.5\.1' has no profile"):
        throttle.groups_of(sleeps(tmp_path, "6.5.1\t2048\t128\t0.2"), None)


def test_the_model_sleeps_at_each_excess(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each batch of pages over the mark is a step: its sleep is that at the usage that it leads to."""
    steps: list[Any] = []

    def play(each: Any, design: Any) -> Row:
        steps.extend(each.steps)
        usage = (2048 + 128) * 4096
        return {
            "result": [{"step": "t touch", "groups": {"A": {"current": usage}}, "slow": {"n": 1, "sum_us": 251_000}}]
        }

    monkeypatch.setattr(throttle, "play", play)
    (group,) = throttle.groups_of(sleeps(tmp_path, "6.1.192\t2048\t128\t0.25", "6.1.192\t2048\t192\t0.5"), "linux-6.1")
    assert [each.simulated for each in throttle.played(group)] == [0.251, None]
    assert [each.text for each in steps][1:4] == ["touch a 0 2048 1 w", "touch a 2048 64 1 w", "touch a 2112 64 1 w"]
