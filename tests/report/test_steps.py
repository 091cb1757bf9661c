"""The page that goes through counterexamples: what it shows of each state, its keys and buttons, hostile names."""

from __future__ import annotations

import html
import json
import re
import shlex
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


def test_a_group_that_is_full_with_what_it_has_in_swap() -> None:
    """Its limit of memory is not what it has met; without swap both limits are one."""
    ((result, job),) = checking.check("linux-3.0", "swap-in", properties="isolation").checked
    last = stage.perform(job.case, job.design, result.schedule, result.cycle, "a test").pictures[-1]
    group, other = last.groups
    assert (group.usage, group.limit, group.memsw, group.memsw_limit) == (0, 1, 1, 1)
    assert other.memsw_limit is None
    first = stage.perform(cases.load("commit"), job.design, [], [], "a test").pictures[0]
    assert first.groups[0].limit == 1 and first.groups[0].memsw_limit is None


def test_a_limit_of_memory_and_swap_is_named_where_it_is_another_one() -> None:
    text = cases.load("commit").text.replace("limit = 1", "limit = 1\nmemsw = 2", 1)
    (result,) = checking.check("linux-3.0", "commit", properties="isolation").results
    case = cases.read(text, "own.toml")
    last = stage.perform(case, designs.load("linux-3.0"), result.schedule, result.cycle, "a test").pictures[-1]
    assert last.groups[0].memsw_limit == 2
    assert "limit 1 page, memory+swap limit 2 pages, OOM killer off" in str(last.chains[0])


def test_who_is_woken_to_charge_again() -> None:
    ((result, job),) = checking.check("linux-3.0", "oom-lock", properties="progress").checked
    played = stage.perform(job.case, job.design, result.schedule, result.cycle, "a test")
    assert "bomb.3 is woken, and tries its charge again" in played.told[-1]


def test_pages_in_pictures_are_named_by_what_they_are_or_were() -> None:
    """Also those that no file and no swap slot says anything of: the books have come all the way with the moves."""
    named = set()
    for design, case, name in (("charge-after-unlock", "truncate-while-waiting", "no-stale-page"),
                               ("linux-3.0", "swap-in", "isolation"),
                               ("pte-alloc-under-lock", "page-table", "isolation")):  # fmt: skip
        ((result, job),) = checking.check(design, case, properties=name).checked
        played = stage.perform(job.case, job.design, result.schedule, result.cycle, "a test")
        named |= {page.name for picture in played.pictures for page in picture.pages}
    assert named == {
        "lib page 0", "heap page 0", "attacker's new page", "page 0 of lib, truncated", "copy of lib page 0",
        "victim's new page", "swap-cache page (heap page 0)", "attacker's new page table",
    }  # fmt: skip


# --- the page
def test_without_a_script_the_moves_and_the_end_are_there(commit_page: Path) -> None:
    text = re.sub(r"<(script|template).*?</\1>", "", commit_page.read_text(), flags=re.DOTALL)
    for words in ("isolation is violated: commit on linux-3.0", "certified: no shorter schedule does it",
                  "file_read: lock_page (sleeps: page lock)", "held by attacker in A",
                  "cowpath check --design linux-3.0 --case commit --property isolation --property lock-order --report ",
                  "find_page → lock_page → anon_vma_prepare", "does = &#34;touch lib 0 1 1 r&#34;"):  # fmt: skip
        assert words in text, words


def test_the_same_input_gives_the_same_bytes(isolation_checks: Checks, commit_page: Path, tmp_path: Path) -> None:
    isolation_checks.report(tmp_path / "again.html")
    there, again = commit_page.read_text(), (tmp_path / "again.html").read_text()
    assert again == there.replace(str(commit_page), str(tmp_path / "again.html"))


def same_again(file: Path) -> str:
    """The command that a page shows: it has made the same page once more."""
    before = file.read_bytes()
    shown = re.search(r"To make this page again</h2>\s*<pre[^>]*>(.*?)</pre>", before.decode(), re.DOTALL)
    assert shown is not None
    line = html.unescape(shown[1])
    file.unlink()
    words = shlex.split(line)
    result = call(*words[1:])
    assert words[0] == "cowpath" and result.exit_code in (0, 1, 3), result.output
    assert file.read_bytes() == before
    return line


@pytest.mark.usefixtures("walk_only")
def test_the_shown_command_makes_the_page_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    own = tmp_path / "a case's.toml"
    own.write_text(cases.load("commit").text)
    found = checking.check(
        ["preallocate", "linux-3.0"], [own, "commit"], path="file_cow", properties="isolation", states=500,
        memory=None, reduction=False,
    )  # fmt: skip
    found.report("-page.html")
    line = same_again(tmp_path / "-page.html")
    assert "--design preallocate --design linux-3.0" in line and "--no-reduction" in line and "--states 500" in line
    Path("-own.toml").write_text(own.read_text())
    called = ["check", "-d", "linux-3.0", "-c", "-own.toml", "-p", "lock-order", "--memory", "2G", "--report", "b.html"]
    assert call(*called).exit_code == 0
    assert "--case -own.toml" in same_again(tmp_path / "b.html")


@pytest.mark.usefixtures("walk_only")
def test_the_shown_command_plays_it_again(commit_saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("-found.json").write_bytes(commit_saved.read_bytes())
    checking.replay("-found.json", "linux-3.0-oom-flag").report("o.html")
    line = same_again(tmp_path / "o.html")
    assert line == "cowpath replay --design linux-3.0-oom-flag --report o.html -- -found.json"
    assert call("replay", str(commit_saved), "--report", "r.html").exit_code == 0
    assert same_again(tmp_path / "r.html") == f"cowpath replay {shlex.quote(str(commit_saved))} --report r.html"


def test_parts_that_do_not_change_are_in_the_page_once(commit_page: Path) -> None:
    data = data_of(commit_page.read_text())
    ((machine,), (found,)) = data["machines"], data["found"]
    assert len(found["walk"]) == 15 and found["machine"] == 0
    parts = [json.dumps(part) for part in machine["parts"]]
    assert len(set(parts)) == len(parts)


@pytest.mark.usefixtures("walk_only")
def test_several_verdicts_are_one_page(commit_checks: Checks, tmp_path: Path) -> None:
    commit_checks.report(tmp_path / "all.html")
    text = (tmp_path / "all.html").read_text()
    assert "2 verdicts: 1 violated" in text
    assert '<a href="#found-1">violated</a>' in text and ">proved<" in text


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


@pytest.mark.usefixtures("walk_only")
def test_too_much_for_a_page_is_said(commit_checks: Checks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "MOST_CHARACTERS", 1)
    twice = replace(commit_checks, results=commit_checks.results * 2, jobs=commit_checks.jobs * 2)
    twice.report(tmp_path / "much.html")
    text = (tmp_path / "much.html").read_text()
    assert "1 counterexample is left out" in text
    assert len(data_of(text)["found"]) == 1


def test_a_saved_schedule_has_its_page(commit_saved: Path, tmp_path: Path) -> None:
    result = call("replay", str(commit_saved), "--report", str(tmp_path / "r.html"))
    assert result.exit_code == 0, result.output
    text = (tmp_path / "r.html").read_text()
    assert "isolation is violated: commit on linux-3.0" in text and CHAIN.replace("'", "&#39;") in text
    assert "certified" not in text
    assert len(data_of(text)["found"][0]["walk"]) == 15


@pytest.mark.usefixtures("walk_only")
def test_a_schedule_on_another_design_is_not_called_violated(commit_saved: Path, tmp_path: Path) -> None:
    checking.replay(commit_saved, "linux-3.0-oom-flag").report(tmp_path / "o.html")
    text = (tmp_path / "o.html").read_text()
    assert "isolation, a schedule of linux-3.0: commit on linux-3.0-oom-flag" in text
    assert "where nobody has checked it" in text and "is violated" not in text


@pytest.mark.usefixtures("walk_only")
def test_what_goes_on_for_ever_is_marked(tmp_path: Path) -> None:
    moves = ["attacker"] * 9 + ["victim"] * 4
    case, design = cases.load("commit"), designs.load("linux-3.0")
    endless = steps.Counterexample("starvation", "", "a test", design, case, moves, ["victim"], True, "a test")
    steps.write_replay(tmp_path / "c.html", endless, "a test")
    text = (tmp_path / "c.html").read_text()
    assert "from move 14 on, the last move goes on in the same way for ever" in text
    assert '<tr id="found-1-move-14" class="cycle">' in text
    assert data_of(text)["found"][0]["cycle"] == 14


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


# --- an audit
def test_an_audit_is_a_matrix_whose_violations_lead_to_their_counterexamples(tmp_path: Path) -> None:
    checks = checking.check(["linux-3.0", "preallocate"], "commit", properties="isolation")
    assert checks.again is not None
    audit = replace(checks, as_matrix=True, again=replace(checks.again, verb="audit"))
    audit.report(tmp_path / "audit.html")
    text = (tmp_path / "audit.html").read_text()
    matrix = text.split('<table class="matrix">')[1].split("</table>")[0]
    rows = [re.findall(r"<t[dh].*?</t[dh]>", row, re.DOTALL) for row in matrix.split("<tr>")[1:]]
    assert [re.sub(r"\s*<.*?>\s*", "", cell) for cell in rows[0]] == ["path", "case", "linux-3.0", "preallocate"]
    shown = {(result.case, result.design): result for result in checks.results}
    for row in rows[1:]:
        _, case, *cells = (re.sub(r"\s*<.*?>\s*", "", cell) for cell in row)
        for design, cell in zip(("linux-3.0", "preallocate"), cells, strict=True):
            result = shown[case, design]
            assert cell == ("ok" if result.verdict == "proved" else f"I{result.depth}")
    violated = [result for result in checks.results if result.verdict == "violated"]
    assert violated and matrix.count('href="#found-') == len(violated)
    assert all(f'id="found-{number + 1}"' in text for number in range(len(violated)))
    assert "I isolation" in text and violated[0].reason in html.unescape(text)
    assert "cowpath audit --design linux-3.0 --design preallocate" in text


def test_the_command_audit_writes_its_page(tmp_path: Path) -> None:
    page = tmp_path / "audit.html"
    done = call("audit", "--design", "linux-3.0", "--property", "isolation", "--states", "1", "--report", str(page))
    assert done.exit_code == 3 and "in a browser" in done.stderr
    text = page.read_text()
    assert text.count("<tr>") - 1 == len({job.case.name for job in checking.load_jobs("linux-3.0", None, None)})
    assert "I?" in text and "cowpath audit" in text and "--states 1" in text
