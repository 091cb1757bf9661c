"""The page that goes through counterexamples: what it shows of each state, its keys and buttons, hostile names."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cowpath import Checks, cases, checking, designs
from cowpath.checker import stage
from cowpath.checker.picture import CHARGES, RUNS, WAITS
from cowpath.cli import app
from cowpath.report import steps

CHAIN = (
    "victim waits for the page lock of lib page 0, held by attacker in A, which waits for A's memory: limit 1 page, "
    "OOM killer off"
)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "120", "NO_COLOR": "1", "TERM": "dumb"})


def data_of(text: str) -> Any:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


# --- the states
def test_every_state_has_its_picture(commit_checks: Checks, commit_saved: Path) -> None:
    result, job = commit_checks.checked[0]
    played = stage.perform(job.case, job.design, result.schedule, result.cycle, "a test")
    assert len(played.pictures) == len(result.schedule) + 1 == 16
    assert played.rows == checking.replay(commit_saved).rows
    first, last = played.pictures[0], played.pictures[-1]
    assert [(task.name, task.state, task.does) for task in first.tasks] == [
        ("attacker", RUNS, "touch lib page 0, to write"), ("victim", RUNS, "touch lib page 0, to read"),
    ]  # fmt: skip
    assert not first.chains and not first.locks
    attacker, victim = last.tasks
    assert (victim.state, victim.waits_for, victim.by) == (
        WAITS, "waits for the page lock of lib page 0", "held by attacker in A",
    )  # fmt: skip
    assert (attacker.state, attacker.group) == (CHARGES, "A")
    assert attacker.waits_for == "waits for A's memory: limit 1 page, OOM killer off"
    assert "page lock (lib page 0)" in attacker.holds
    (locked,) = [page for page in last.pages if page.owner]
    assert (locked.name, locked.owner, locked.waiters) == ("lib page 0", "attacker", ("victim",))
    assert [str(chain) for chain in last.chains] == [result.reason] == [CHAIN]


def test_pictures_say_what_the_rows_say(commit_checks: Checks) -> None:
    """Two ways of reading the machine off: they must agree."""
    result, job = commit_checks.checked[0]
    played = stage.perform(job.case, job.design, result.schedule, result.cycle, "a test")
    for row, picture in zip(played.rows, played.pictures[1:], strict=True):
        assert row.locks == tuple(f"{page.name}: {page.owner}" for page in picture.pages if page.owner)
        assert row.usage == tuple(f"{group.name} {group.usage}/{group.limit}" for group in picture.groups)
    for row, before in zip(played.rows, played.pictures, strict=False):
        place = before.tasks[row.task].places[-1:]
        assert not row.path or (place[0].path, job.design.paths[row.path][place[0].at]) == (row.path, row.step)
    assert played.told[5] == ("attacker gets page lock (lib page 0)",)
    assert any("falls asleep" in words for words in played.told[-1])


def test_the_last_picture_is_the_reason() -> None:
    found = checking.check("linux-3.0", ["write", "mmap-sem-reader", "swap-in"], properties=["isolation"])
    for result, job in found.checked:
        played = stage.perform(job.case, job.design, result.schedule, result.cycle, "a test")
        assert result.reason in [str(chain) for chain in played.pictures[-1].chains]
        assert result.reason not in [str(chain) for chain in played.pictures[-2].chains]


# --- the page
def test_without_a_script_the_moves_and_the_end_are_there(commit_page: Path) -> None:
    text = re.sub(r"<(script|template).*?</\1>", "", commit_page.read_text(), flags=re.DOTALL)
    for words in ("isolation is violated: commit on linux-3.0", "certified: no shorter schedule does it",
                  "file_read: lock_page (sleeps: page lock)", "held by attacker in A",
                  "cowpath check --report found.html",
                  "find_page → lock_page → anon_vma_prepare", "does = &#34;touch lib 0 1 1 r&#34;"):  # fmt: skip
        assert words in text, words


def test_the_same_input_gives_the_same_bytes(isolation_checks: Checks, commit_page: Path, tmp_path: Path) -> None:
    isolation_checks.report(tmp_path / "again.html", "cowpath check --report found.html")
    assert (tmp_path / "again.html").read_bytes() == commit_page.read_bytes()


def test_parts_that_do_not_change_are_in_the_page_once(commit_page: Path) -> None:
    (found,) = data_of(commit_page.read_text())
    assert len(found["states"]) == 16 and len(found["moves"]) == 15
    parts = [json.dumps(part) for part in found["parts"]]
    assert len(set(parts)) == len(parts)
    assert set(found["paths"]) == {"page_fault", "file_cow", "file_read"}


def test_several_verdicts_are_one_page(commit_checks: Checks, tmp_path: Path) -> None:
    commit_checks.report(tmp_path / "all.html")
    text = (tmp_path / "all.html").read_text()
    assert "2 verdicts: 1 violated" in text
    assert '<a href="#found-1">violated</a>' in text and ">proved<" in text
    assert "cowpath.check([&#39;linux-3.0&#39;], [&#39;commit&#39;], properties=[" in text


def test_all_proved_is_a_page_too(tmp_path: Path) -> None:
    result = call("check", "-d", "preallocate", "-c", "commit", "-p", "isolation", "--report", str(tmp_path / "p.html"))
    assert result.exit_code == 0, result.output
    text = (tmp_path / "p.html").read_text()
    assert "A proof has nothing to step through" in text and 'id="data"' not in text
    assert "find_page" in text and "[tasks.victim]" in text


def test_what_is_not_finished_is_no_proof(tmp_path: Path) -> None:
    checking.check("preallocate", "commit", properties="isolation", states=3).report(tmp_path / "u.html")
    text = (tmp_path / "u.html").read_text()
    assert "that is no proof" in text and "A proof has" not in text


def test_too_much_for_a_page_is_said(commit_checks: Checks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "MOST_CHARACTERS", 1)
    twice = replace(commit_checks, results=commit_checks.results * 2, jobs=commit_checks.jobs * 2)
    twice.report(tmp_path / "much.html")
    text = (tmp_path / "much.html").read_text()
    assert "1 counterexample is left out" in text
    assert len(data_of(text)) == 1


def test_a_saved_schedule_has_its_page(commit_saved: Path, tmp_path: Path) -> None:
    result = call("replay", str(commit_saved), "--report", str(tmp_path / "r.html"))
    assert result.exit_code == 0, result.output
    text = (tmp_path / "r.html").read_text()
    assert "isolation is violated: commit on linux-3.0" in text and CHAIN.replace("'", "&#39;") in text
    assert "certified" not in text
    assert len(data_of(text)[0]["states"]) == 16


def test_a_schedule_on_another_design_is_not_called_violated(commit_saved: Path, tmp_path: Path) -> None:
    checking.replay(commit_saved, "linux-3.0-oom-flag").report(tmp_path / "o.html")
    text = (tmp_path / "o.html").read_text()
    assert "isolation, a schedule of linux-3.0: commit on linux-3.0-oom-flag" in text
    assert "where nobody has checked it" in text and "is violated" not in text


def test_what_goes_on_for_ever_is_marked(tmp_path: Path) -> None:
    moves = ["attacker"] * 9 + ["victim"] * 4
    case, design = cases.load("commit"), designs.load("linux-3.0")
    endless = steps.Counterexample("starvation", "", "a test", design, case, moves, ["victim"], True, "a test")
    steps.write_replay(tmp_path / "c.html", endless, "a test")
    text = (tmp_path / "c.html").read_text()
    assert "from move 14 on, the last move goes on in the same way for ever" in text
    assert '<tr id="found-1-move-14" class="cycle">' in text
    assert data_of(text)[0]["cycle"] == 14


@pytest.mark.parametrize("command", ["check", "replay"])
def test_a_page_that_cannot_be_written_is_an_error_at_once(command: str, commit_saved: Path, tmp_path: Path) -> None:
    target = tmp_path / "none" / "page.html"
    first = ("check", "-c", "no such case") if command == "check" else ("replay", str(commit_saved))
    result = call(*first, "--report", str(target))
    assert result.exit_code == 2
    assert "cannot write" in result.stderr and "no such case" not in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert call(*first, "--report", str(tmp_path)).exit_code == 2


def test_in_a_notebook(commit_checks: Checks, commit_saved: Path) -> None:
    html = commit_checks._repr_html_()
    assert html.count("<tr>") == 3 and CHAIN.replace("'", "&#39;") in html
    assert "<script" not in html and "<style" not in html and "href" not in html
    assert "file_cow: charge" in checking.replay(commit_saved)._repr_html_()
