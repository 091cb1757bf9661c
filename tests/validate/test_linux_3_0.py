"""The scenarios of the commit, in the schema of all others: every outcome is right on each of their kernels."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cowpath.validate.many import Found, jobs_of, run
from cowpath.validate.scenario import read_scenarios

from ..slow import some_nightly

TRUTH = Path(__file__).parents[1] / "data" / "truth"
FILE = TRUTH / "linux-3.0.jsonl"
TOLD = json.loads((TRUTH / "linux-3.0.json").read_text(encoding="utf-8"))
FEW = 3  # pages of lib locked at a time without the charge under the lock
NEARLY = 0.15  # how many children of a bomb go to sleep is luck, and failcnt is 7 for each
JOBS = {f"{job.scenario.id} on {job.design.name}": job for job in jobs_of(read_scenarios(FILE), None)}


@cache
def found(name: str) -> Found:
    return run(JOBS[name])


BOMBS = {name for name in JOBS if name.startswith("fork-bomb") and name != "fork-bomb_write on linux-3.0"}


@pytest.mark.parametrize("name", some_nightly(JOBS, BOMBS))
def test_every_outcome_is_right(name: str) -> None:
    score = found(name).score
    assert score is not None and score.outcomes
    assert [(each.step, each.what, each.real, each.simulated) for each in score.outcomes if not each.right] == []
    for counter in score.counters:
        if counter.name == "locked_most":  # how many, of many, is luck
            assert counter.simulated is not None and (counter.simulated <= FEW) == (counter.real.most <= FEW)
        else:
            assert counter.off_by <= NEARLY


# --- the rows say what was measured --------------------------------------------------------------


def rows(start: str) -> list[dict[str, Any]]:
    return [job.scenario.row for job in JOBS.values() if job.scenario.id.startswith(start)]


def told(name: str) -> Any:
    return next(each for each in TOLD["scenarios"] if each["id"] == name)


@pytest.mark.parametrize("row", [row for row in rows("oom-off") if "mmap_sem" not in row["id"]], ids=str)
def test_who_is_blocked(row: dict[str, Any]) -> None:
    measured = [str(victim.get(row["kernel"], "no victim blocked")) for victim in told("oom-off")["victims_us"]]
    first: dict[str, Any] = {}
    for entry in row["result"]:
        words = entry["step"].split()
        if words[1:2] == ["wait"]:
            first.setdefault(words[2], entry)
    first.pop("attacker")
    assert [entry.get("blocked", False) for entry in first.values()] == [
        text.startswith("blocked") for text in measured
    ]
    locked = [entry["locked"] for entry in row["result"] if "locked" in entry]
    assert locked[0] == told("oom-off")["lib_pages_locked_while_blocked"][row["kernel"]]


def test_every_run_of_the_bombs_has_its_row() -> None:
    """Several runs of one kernel with the killer off are the spread of one row."""
    for run_, row in zip(told("fork-bomb")["runs"], sorted(rows("fork-bomb_"), key=_place), strict=True):
        by_step = {entry["step"].split()[1]: entry for entry in row["result"] if entry["step"].startswith("ctl ")}
        assert (row["kernel"], "cpu" in row["tasks"]["bomb"]) == (run_["kernel"], run_["bomb_pinned_to_cpu1"])
        assert (row["groups"]["A"]["limit"] is not None) == run_["limit_64M"]
        assert f" 1 {run_['victim_touch'][0]};" in row["steps"][0][1]
        least, most = by_step["locked"]["locked_most"]
        assert least <= run_["lib_pages_locked_max"] <= most
        assert by_step["kills"]["kills"] == (run_["oom_kills"] > 1)
        assert by_step["gets_on"]["gets_on"]  # the last: A has been killed
        gets_on = next(entry["gets_on"] for entry in row["result"] if "gets_on" in entry)
        assert gets_on == ("never returned" not in run_["stall_at_end"])
    for run_ in told("fork-bomb-oom-off")["runs"]:
        touch = run_["victim_touch"]
        (row,) = (each for each in rows(f"fork-bomb-oom-off_{touch}") if each["kernel"] == run_["kernel"])
        (copies,) = (entry for entry in row["result"] if "copies" in entry)
        for value, key in ((copies["copies"], "cows_in_A"), (copies["groups"]["A"]["failcnt"], "failcnt")):
            assert run_[key] in range(min(_each(value)), max(_each(value)) + 1)


def _place(row: dict[str, Any]) -> int:
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return next(at for at, line in enumerate(lines) if json.loads(line) == row)


def _each(value: Any) -> list[int]:
    return value if isinstance(value, list) else [value]
