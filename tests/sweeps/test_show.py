"""What is shown of a store: the table, the object, the page and the rows are of the same figures."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from statistics import fmean

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from cowpath import sweeping
from cowpath.cli import app
from cowpath.cli.sweeps import joined
from cowpath.errors import InputError
from cowpath.report.curves import is_by_multiples
from cowpath.report.sweep import text_of
from cowpath.sweeps.measures import MEASURES, cells
from cowpath.sweeps.plot import page_of

from .small import SMALL, sweep


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "120", "NO_COLOR": "1", "TERM": "dumb"})


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> sweeping.Points:
    folder = tmp_path_factory.mktemp("shown")
    (folder / "small.sh").write_text(SMALL)
    vary = {"A:memory.limit_in_bytes": ["512K", "4M", "no"], "memory": ["1G", "2G"]}
    return sweep(folder / "small.sh", folder / "s.sqlite", vary=vary | {"A:memory.limit_in_bytes": ["512K", "4M"]})


def test_a_cell_has_the_mean_and_the_ends_of_its_seeds(points: sweeping.Points) -> None:
    rows = list(points)
    for cell in cells(rows):
        mine = [row.result for row in rows if (row.values, row.design) == (cell.values, cell.design) and row.result]
        times = [run["virtual_ns"] for run in mine]
        spread = cell.spread(MEASURES["time"])
        assert spread is not None and (spread.mean, spread.least, spread.most) == (fmean(times), min(times), max(times))
        assert cell.verdicts() == {"isolated": 2}
    assert [cell.values for cell in cells(rows)][::2] == [("512K", "1G"), ("512K", "2G"), ("4M", "1G"), ("4M", "2G")]


def test_the_object_and_the_table(points: sweeping.Points) -> None:
    told = json.loads(call("sweep", "show", str(points.store), "--json").stdout)
    assert (told["session"], told["names"], len(told["cells"])) == ("small.sh", list(points.sweep.names), 8)
    assert set(told["cells"][0]["measures"]) == set(MEASURES)
    shown = call("sweep", "show", str(points.store), "--measure", "majors").stdout
    assert "small.sh: 16 points, of 16" in shown and "major faults" in shown
    first = next(line for line in shown.splitlines() if "linux-3.1" in line)
    assert first.split()[:3] == ["512K", "1G", "linux-3.1"]


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_exported_rows_are_those_of_the_store(ending: str, points: sweeping.Points, tmp_path: Path) -> None:
    file = tmp_path / f"rows.{ending}"
    assert call("sweep", "export", str(points.store), str(file)).exit_code == 0
    wanted = {row.id: row for row in points}
    if ending == "jsonl":
        found = [json.loads(line) for line in file.read_text().splitlines()]
        assert {each["id"]: each["result"] for each in found} == {row.id: row.result for row in wanted.values()}
        return
    rows = pl.read_parquet(file).to_dicts() if ending == "parquet" else list(csv.DictReader(file.open()))
    assert {row["id"] for row in rows} == set(wanted)
    for row in rows:
        result = wanted[row["id"]].result
        assert result is not None and int(row["A.oom_kills"]) == result["groups"]["A"]["oom_kills"]
        assert float(row["memory"]) in (1 << 30, 2 << 30)
        assert int(row["virtual_ns"]) == result["virtual_ns"]
    if ending == "parquet":
        assert points.frame.sort("id").equals(pl.read_parquet(file).sort("id"))


def test_the_page_has_a_figure_for_each_measure_and_is_the_same_twice(points: sweeping.Points, tmp_path: Path) -> None:
    page = tmp_path / "p.html"
    assert call("sweep", "plot", str(points.store), str(page), "--measure", "majors").exit_code == 0
    text = page.read_text()
    assert "major faults, over" in text and "major faults on linux-3.1" in text and "http-equiv" in text
    made = [text_of(page_of(points.sweep, points, [MEASURES["time"]], "memory", "again")) for _ in range(2)]
    assert made[0] == made[1] and "over memory" in made[0]


def test_an_axis_of_multiples() -> None:
    assert is_by_multiples([32, 64, 128, 256]) and not is_by_multiples([32, 64, 96, 128])
    assert not is_by_multiples([1, 2]) and not is_by_multiples([0, 1, 10, 100])


def test_lists_as_in_hyperfine() -> None:
    assert joined(["run", "-L", "a", "1,2", "-L", "b=3", "x.sh", "--", "-L", "c", "4"]) == [
        "run", "-L", "a=1,2", "-L", "b=3", "x.sh", "--", "-L", "c", "4",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("sweep small.sh --vary B:memory.limit_in_bytes=1M", "the session has no group 'B'"),
        ("sweep small.sh --vary A:memory.limit_in_bytes=", "no value"),
        ("sweep small.sh --vary A:memory.limit_in_bytes=1..2000/2000 --seeds 1000", "2,000,000 points (--yes"),
        ("sweep nosuch.sh --vary cpus=1", "nosuch.sh"),
        ("sweep - --vary cpus=1", "many times"),
        ("sweep small.sh --vary cpus=1 --design linux-3.00", "linux-3.00"),
        ("sweep show nosuch.sqlite", "no such store"),
        ("sweep show small.sh", "no store"),
        ("sweep plot small.sh small.sh", "an output cannot go to a file that is read"),
        ("sweep export small.sh rows.xls", "no store"),
    ],
)
def test_what_is_wrong_is_said_and_no_store_is_made(
    line: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "small.sh").write_text(SMALL)
    monkeypatch.chdir(tmp_path)
    result = call(*line.split())
    assert result.exit_code == 2, result.output
    assert words in result.stderr and result.stderr.startswith("cowpath: ") and "Traceback" not in result.output
    assert [file.name for file in tmp_path.iterdir()] == ["small.sh"]


def test_what_cannot_be_shown(points: sweeping.Points) -> None:
    for words, message in (
        (["--measure", "majros"], "did you mean majors"), (["--x", "memroy"], "did you mean memory"),
        (["--sweep", "zz"], "holds no sweep 'zz'"),
    ):  # fmt: skip
        result = call("sweep", "plot", str(points.store), str(points.store.parent / "p.html"), *words)
        assert result.exit_code == 2 and message in result.stderr
    with pytest.raises(InputError, match="nothing to draw"):
        page_of(points.sweep, [], [MEASURES["time"]], None, "")
