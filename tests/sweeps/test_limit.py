"""``cowpath limit``: the limit counts, luck is said, and the lines say the same limit everywhere."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

import cowpath
from cowpath.cli import app
from cowpath.errors import InputError
from cowpath.sweeps.advice import lines, rows, sentences
from cowpath.sweeps.limit import CUT, STEP, Answer, Search

from ..slow import in_nightly_only

EXAMPLES = Path(__file__).parents[2] / "examples"
BUILDS = Path(__file__).parents[1] / "data" / "truth" / "builds.jsonl"
MIB = 1 << 20
TIME = 1_000_000_000


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "120", "NO_COLOR": "1", "TERM": "dumb"})


def run_of(done: bool, ns: int = TIME, kills: int = 0, peak: int = 64 * MIB, majors: int = 10) -> dict[str, Any]:
    group = {"tasks": int(not done), "faults": 9, "oom_kills": kills, "major_faults": majors, "memory.peak": peak}
    verdict = "killed" if kills else "finished" if done else "progresses"
    return {"groups": {"A": group}, "group_verdicts": {"A": verdict}, "group_chains": {}, "exhausted": None,
            "virtual_ns": ns, "stalls": 0}  # fmt: skip


class Machine:
    """Jobs that need so much, by seed; ``islands``: limits (MiB) at which nothing completes all the same."""

    def __init__(self, needs: Sequence[float], islands: Sequence[tuple[float, float]] = ()) -> None:
        self.needs, self.islands = needs, islands
        self.asked: list[tuple[float | None, int, int | None]] = []

    def play(self, limit: int | None, seeds: int, until: int | None) -> list[dict[str, Any]]:
        self.asked.append((limit, seeds, until))
        if limit is None:
            return [run_of(True) for _ in range(seeds)]
        mib = limit / MIB
        swallowed = any(low <= mib <= high for low, high in self.islands)
        return [
            run_of(mib >= need and not swallowed, ns=round(TIME * (1 + max(0.0, (1.2 * need - mib) / need))))
            for need in self.needs[:seeds]
        ]


def answer(machine: Machine, seeds: int) -> Answer:
    return Search(machine.play, "A", seeds).run()


@given(st.lists(st.floats(8, 64), min_size=20, max_size=20), st.floats(20, 50), st.floats(0, 4))
def test_a_limit_counts(needs: list[float], island: float, width: float) -> None:
    """All seeds complete there and at every rung above; at 10 % less one does not; luck is where some do."""
    machine = Machine(needs, [(island, island + width)] if width > 1 else [])
    found = answer(machine, 20)
    if found.limit is None:  # more than the ladder: its need is the peak itself
        assert not found.tried[0].counts
        return
    by_limit = {tried.limit: tried for tried in found.tried}
    assert all(tried.counts for limit, tried in by_limit.items() if limit is not None and limit >= found.limit)
    less = found.below
    assert less is not None and less.limit is not None and not less.counts
    assert less.limit == pytest.approx(0.9 * found.limit, abs=8192)
    mixed = [tried.limit for tried in found.tried if 0 < tried.completed < len(tried.runs) and tried.limit]
    assert found.luck is not None or not mixed
    for limit in mixed:
        assert found.luck is not None and found.luck[0] <= limit <= found.luck[1] < found.limit


def test_runs_are_cut_and_few_seeds_do_the_bisection() -> None:
    machine = Machine([30.0] * 20)
    answer(machine, 20)
    assert machine.asked[0] == (None, 20, None)
    assert {until for _, _, until in machine.asked[1:]} == {CUT * TIME}
    assert [seeds for _, seeds, _ in machine.asked].count(20) < 20


def test_bisection_that_was_lucky_is_mended() -> None:
    """The first two seeds need less than the others: the limit is that of the one which needs most."""
    found = answer(Machine([20.0, 20.0, *[40.0] * 17, 45.0]), 20)
    assert found.limit is not None and 45 <= found.limit / MIB < 45 / STEP + 1
    assert found.luck is not None and found.luck[0] / MIB < 21 < 43 < found.luck[1] / MIB


def test_what_is_hardly_slower() -> None:
    found = answer(Machine([40.0] * 5), 5)
    assert found.limit is not None and found.comfortable is not None
    assert found.limit < found.comfortable and found.comfortable / MIB >= 1.15 * 40


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (run_of(False), "1 of its tasks are left, and it progresses .seed 0"),
        (run_of(True, kills=2), "the OOM killer takes 2 of its tasks"),
        (run_of(True) | {"exhausted": {"what": "tasks"}}, "runs out of tasks"),
    ],
)
def test_a_job_that_does_not_complete_without_a_limit(run: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Search(lambda limit, seeds, until: [run] * seeds, "A", 3).run()


def test_the_lines_say_one_limit() -> None:
    found = answer(Machine([40.0] * 5), 5)
    for version, memsw, file in (("v1", True, "memory.memsw.limit_in_bytes"), ("v2", False, "memory.max")):
        text = lines(found, version, "A", memsw)
        assert len(set(re.findall(r"(\d+)(?:M|m|Mi)\b", text))) == 1 and f"-r {file}=" in text
    assert [row[1] for row in rows(found)][:2] == ["5 of 5", "5 of 5"]
    assert any("At 10 % less" in line for line in sentences(found, "linux-6.18", "held against 3 scenarios"))


SESSION = """cgcreate -g memory:A
cgcreate -g memory:B
cgset -r memory.limit_in_bytes=1M A
cgexec -g memory:A ls
"""


@pytest.fixture
def session(tmp_path: Path) -> Path:
    file = tmp_path / "small.sh"
    file.write_text(SESSION)
    (tmp_path / "small.toml").write_text("bystanders = { programs = [] }\n[machine]\ncold = true\n")
    return file


def test_a_small_job(session: Path, tmp_path: Path) -> None:
    page, store = tmp_path / "page.html", tmp_path / "points.sqlite"
    words = ["limit", str(session), "--seeds", "2", "--processes", "1", "--store", str(store), "--design", "linux-3.0"]
    result = call(*words, "--report", str(page), "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert 0 < told["limit_bytes"] <= told["peak_bytes"]
    for limit, completes in (told["limit_bytes"], True), (told["limit_bytes"] * 9 // 10, False):
        session.write_text(SESSION.replace("1M", str(limit)))
        runs = [cowpath.run(session, "linux-3.0", seed=seed).summary for seed in range(2)]
        ends = [run["group_verdicts"]["A"] == "finished" and not run["groups"]["A"]["oom_kills"] for run in runs]
        assert all(ends) is completes
    session.write_text(SESSION)
    text = page.read_text()
    assert "It completes at" in text and "memory.limit_in_bytes=" in text and "Kubernetes" in text
    again = call(*words)
    assert again.exit_code == 0 and "completed" in again.stdout and "At 10 % less" in again.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--group", "C"], "the session has no group 'C' (there are: A, B)"),
        (["--group", "B"], "without a limit the job of B does not complete: nothing runs in it"),
        (["--group", "A", "--until", "1ms"], "does not complete"),
        (["--report", "nosuch/page.html"], "cannot write"),
    ],
)
def test_what_is_wrong(words: list[str], message: str, session: Path) -> None:
    result = call("limit", str(session), "--seeds", "1", "--processes", "1", *words)
    assert result.exit_code == 2 and message in result.stderr and "Traceback" not in result.output


def test_a_page_cannot_go_where_the_sessions_table_is(session: Path) -> None:
    table = session.with_suffix(".toml")
    before = table.read_text()
    result = call("limit", str(session), "--seeds", "1", "--processes", "1", "--report", str(table))
    assert result.exit_code == 2 and "cannot go to a file that is read" in result.stderr and table.read_text() == before


@in_nightly_only
@pytest.mark.parametrize("jobs", ["-j2", "-j8", "-j"])
def test_the_bracket_holds_what_real_builds_did(jobs: str, tmp_path: Path) -> None:
    """A limit at which real builds finished is not below all luck, and one at which some did not is not above it."""
    for name in ("build.sh", "build.toml"):
        (tmp_path / name).write_text((EXAMPLES / name).read_text().replace("make -j2", f"make {jobs}"))
    found = cowpath.limit(tmp_path / "build.sh", "A", "linux-6.18", seeds=20).answer
    assert found.limit is not None and found.below is not None and not found.below.counts
    nothing = max(tried.limit or 0 for tried in found.tried if not tried.completed)
    for row in map(json.loads, BUILDS.read_text().splitlines()):
        if f"-{row['jobs']}" != jobs or row["limit"] == "unl":
            continue
        limit = int(row["limit"][:-1]) * MIB
        if row["exit"] == 0:
            assert limit > nothing, row
        else:
            assert limit < found.limit, row
