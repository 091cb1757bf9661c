"""What is accepted, but is not quite what was typed, is said: in the table, in the JSON and on the page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cowpath.cli import app
from cowpath.session.load import plan_session
from cowpath.session.table import load_tables

MAKE_A = "cgcreate -g memory:A\n"
EXAMPLES = Path(__file__).parents[2] / "examples"


def notes(text: str) -> tuple[str, ...]:
    return plan_session(text, "s.sh", load_tables(None)).notes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (MAKE_A + "cgset -r memory.limit_in_bytes=64 A",
         ["line 2: memory.limit_in_bytes: 64 bytes: less than a page; 64M?"]),
        (MAKE_A + "echo 4095 > /cgroup/memory/A/memory.memsw.limit_in_bytes",
         ["line 2: memory.memsw.limit_in_bytes: 4095 bytes: less than a page; 4095M?"]),
        (MAKE_A + "cgset -r memory.limit_in_bytes=0 A; cgset -r memory.limit_in_bytes=4096 A", []),
        (MAKE_A + "cgset -r memory.limit_in_bytes=64K A; cgset -r memory.swappiness=64 A", []),
        ("ls -la /tmp", ["ls -la /tmp: what ran is the recording of /usr/bin/ls -l /usr/lib"]),
        ("ls -l /usr/lib; ls", []),
        ("ls -a; ls -a", ["ls -a: what ran is the recording of /usr/bin/ls -l /usr/lib"]),
        ("make -j4", []),
        ("make -j4 -C src all", ["make: -C src all has no effect on the recorded build"]),
    ],
)  # fmt: skip
def test_what_is_noted(text: str, expected: list[str]) -> None:
    assert list(notes(text)) == expected


def test_the_commits_own_session_is_quiet() -> None:
    from cowpath.session.load import load_session

    assert load_session(EXAMPLES / "commit.sh").notes == ()


def test_a_note_stands_wherever_the_verdict_does(tmp_path: Path) -> None:
    session, page = tmp_path / "s.sh", tmp_path / "s.html"
    session.write_text("ls -la /tmp\n")
    note = "ls -la /tmp: what ran is the recording of /usr/bin/ls -l /usr/lib"
    arguments = ["run", str(session), "--until", "150ms"]
    run = lambda *more: CliRunner().invoke(app, [*arguments, *more], env={"COLUMNS": "120", "NO_COLOR": "1"})  # noqa: E731
    table = run("--report", str(page)).stdout
    assert f"Note: {note}" in table and table.index("Note: ") < table.index("Page faults outside")
    assert f'<li class="note">{note}' in page.read_text()
    assert json.loads(run("--json").stdout)["runs"][0]["notes"] == [note]
