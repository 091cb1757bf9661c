"""check, audit, replay, bisect and search from the command line: what they print, exit statuses, bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cowpath.atomic import check_outputs
from cowpath.cli import app
from cowpath.errors import InputError

OWN_CASE = """
summary = "a task alone"
path = "anon"

[tasks.one]
before = "anon heap 1"
does = "touch heap 0 1 1 w"
"""


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "120", "NO_COLOR": "1", "TERM": "dumb"})


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    file = tmp_path / "found.json"
    result = call("check", "-d", "linux-3.0", "-c", "commit", "-p", "isolation", "--save", str(file))
    assert result.exit_code == 1, result.output
    return file


def test_exit_statuses() -> None:
    assert call("check", "-d", "preallocate", "-c", "commit").exit_code == 0
    assert call("check", "-d", "linux-3.0", "-c", "commit").exit_code == 1
    assert call("check", "-d", "linux-3.0", "-c", "commit", "--states", "3").exit_code == 3


def test_json_has_what_is_promised() -> None:
    result = call("check", "-d", "linux-3.0", "-c", "commit", "-p", "isolation", "--json")
    (found,) = json.loads(result.stdout)["results"]
    assert {"design", "path", "case", "property", "verdict", "depth", "states", "transitions", "wall_s", "chain",
            "schedule"} <= set(found)  # fmt: skip
    assert found["verdict"] == "violated" and found["schedule"][-1] == "victim"


def test_audit_is_a_matrix() -> None:
    result = call("audit", "-d", "linux-3.0", "-d", "linux-3.1", "-p", "isolation")
    assert result.exit_code == 1
    assert "page_fault" in result.stdout and "mmap-sem-reader" in result.stdout
    assert "behind the waiting writer" in result.stdout


def test_a_case_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(OWN_CASE)
    assert call("check", "-d", "linux-3.0", "-c", str(file)).exit_code == 0


def test_a_property_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "def nobody_sleeps(k):\n"
        '    """No task ever sleeps."""\n'
        "    return all(int(task.run_state) != 2 for task in k.state.tasks)\n"
        "def wrong(k):\n    return k.nothing\n"
    )
    result = call("check", "-d", "linux-3.0", "-c", "commit", "-p", f"{file}:nobody_sleeps", "--json")
    (found,) = json.loads(result.stdout)["results"]
    assert (found["property"], found["verdict"]) == ("mine.nobody_sleeps", "violated")
    result = call("check", "-d", "linux-3.0", "-c", "commit", "-p", f"{file}:wrong")
    assert result.exit_code == 2 and "raised AttributeError" in result.stderr


def test_replay_shows_every_move(saved: Path) -> None:
    result = call("replay", str(saved))
    assert result.exit_code == 0
    for words in ("isolation of commit on linux-3.0", "file_cow: charge", "lib page 0: attacker", "A 1/1",
                  "victim waits for the page lock of lib page 0"):  # fmt: skip
        assert words in result.stdout
    moves = json.loads(call("replay", str(saved), "--json").stdout)["moves"]
    assert len(moves) == 15
    assert [move["begins_ns"] for move in moves] == sorted(move["begins_ns"] for move in moves)


def test_bisect_names_the_moved_step() -> None:
    result = call("bisect", "linux-3.0", "preallocate", "-c", "commit", "-p", "isolation")
    assert result.exit_code == 0
    assert "isolation: violated -> proved with file_cow: lock_page moved before copy_page" in result.stdout


def bad(file: Path, text: str) -> str:
    file.write_text(text)
    return str(file)


def test_bad_schedules(saved: Path, tmp_path: Path) -> None:
    good = json.loads(saved.read_text())
    other = tmp_path / "other.json"
    for text, words in (
        ("{", "not a schedule"),
        ("[1]", "not a schedule"),
        (json.dumps(good | {"schedule_format": 99}), "a schedule of another version: format 99"),
        (json.dumps({key: value for key, value in good.items() if key != "case"}), "damaged: 'case' is missing"),
        (json.dumps(good | {"schedule": [1]}), "damaged: 'schedule' must be a list of texts"),
        (json.dumps(good | {"schedule": ["atacker"]}), "move 1: there is no 'atacker' (did you mean attacker?"),
        (json.dumps(good | {"schedule": ["disk"]}), "move 1: 'disk' cannot move there"),
        (json.dumps(good | {"case": {"name": "x", "text": "nonsense"}}), "not valid TOML"),
    ):
        result = call("replay", bad(other, text))
        assert result.exit_code == 2, text
        assert words in result.stderr, result.stderr
    assert call("replay", str(tmp_path / "none.json")).exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("check", "-p", "isolatoin"), "no property 'isolatoin' (did you mean isolation?"),
        (("check", "-c", "comit"), "no case 'comit' (did you mean commit?"),
        (("check", "-d", "linux-9"), "no design 'linux-9'"),
        (("check", "--path", "file_kow"), "no case is about path 'file_kow' (did you mean file_cow?"),
        (("check", "-p", "none.py:f"), "none.py: there is no such file"),
        (("check", "--memory", "much"), "much"),
        (("search", "--path", "file_kow"), "no path 'file_kow' to search (did you mean file_cow?"),
    ],
)
def test_bad_words(arguments: tuple[str, ...], words: str) -> None:
    result = call(*arguments)
    assert result.exit_code == 2
    assert words in result.stderr, result.stderr


@pytest.mark.parametrize("option", ["--save", "--report"])
@pytest.mark.parametrize("kind", ["--case", "--design", "--property"])
def test_no_output_goes_to_what_is_read(tmp_path: Path, option: str, kind: str) -> None:
    """Said before any work: neither file would do."""
    file = tmp_path / "own.py"
    file.write_text("nonsense")
    (tmp_path / "link").symlink_to(file)
    result = call("check", kind, f"{file}:f" if kind == "--property" else str(file), option, str(tmp_path / "link"))
    assert result.exit_code == 2
    assert result.stderr.strip() == f"cowpath: {file}: an output cannot go to a file that is read " + (
        "(give it a name of its own)"
    )
    assert file.read_text() == "nonsense"


def test_no_page_goes_to_the_schedule(saved: Path) -> None:
    before = saved.read_bytes()
    result = call("replay", str(saved), "--report", str(saved))
    assert result.exit_code == 2 and "an output cannot go to a file that is read" in result.stderr
    assert saved.read_bytes() == before


def test_outputs_with_strange_names(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    check_outputs([loop, "a\0b", None, tmp_path / "other"], [tmp_path / "read", None])
    for twice in (loop, "a\0b"):
        with pytest.raises(InputError, match="two outputs"):
            check_outputs([twice, twice])
        with pytest.raises(InputError, match="that is read"):
            check_outputs([twice], [twice])


def test_a_limit_of_no_states() -> None:
    result = call("check", "--states", "0")
    assert result.exit_code == 2
    assert "states" in result.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tasks = 3", "tasks"),
        ('[tasks.one]\ndoes = "tuch heap 0 1 1 w"', "tuch"),
        ('[tasks.one]\ngroup = "B"\ndoes = ""', "no group 'B'"),
        ('[tasks.one]\ndos = ""', "unknown key 'dos' (did you mean does?"),
        ('outside = ["raze A 1"]\n[tasks.one]\ndoes = ""', "no move of the outside 'raze A 1' (did you mean raise?"),
        ('path = "file_kow"\n[tasks.one]\ndoes = ""', "did you mean file_cow?"),
        ('[tasks.one]\ncount = 99\ndoes = ""', "count = 99"),
        ('[tasks.one]\nbefore = "anon heap 99"\ndoes = ""', "maps 99 pages"),
        ("", "a case without tasks"),
        (
            '[groups.A]\nlimit = 0\nkiller = false\n'
            '[tasks.one]\ngroup = "A"\nbefore = """anon heap 1\ntouch heap 0 1 1 w"""',
            "does not get through what it does before the start",
        ),
    ],
)  # fmt: skip
def test_cases_that_cannot_be_built(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "own.toml"
    result = call("check", "-d", "linux-3.0", "-c", bad(file, text))
    assert result.exit_code == 2
    assert words in result.stderr, result.stderr


def test_a_step_that_does_not_exist(tmp_path: Path) -> None:
    design = tmp_path / "own.toml"
    text = 'extends = "linux-3.0"\n[paths]\nfile_cow = ["find_page", "lock_pag"]'
    result = call("check", "-d", bad(design, text), "-c", "commit")
    assert result.exit_code == 2
    assert "there is no step 'lock_pag' (did you mean 'lock_page'?)" in result.stderr
