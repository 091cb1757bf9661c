"""Nothing wrong is taken silently: each is one clear message with status 2, and says what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cowpath.cli import app

FILES = {
    "ok.sh": "cgcreate -g memory:A\ncgexec -g memory:A ls\n",
    "table.toml": '[programs.own]\nrecording = "ls"\n[bystanders]\nprograms = []\n',
    "machine.toml": '[machine]\nuntil = "5s"\n',
    "case.toml": '[tasks.one]\ndoes = ""\n',
    "design.toml": 'extends = "linux-3.0"\n',
    "costs.toml": "[steps]\n",
    "number.toml": 'extends = "linux-3.0"\nname = 5\n',
    "deep.toml": "x = " + "[" * 5000,
    "empty.toml": "",
    "x.prog": "anon a 1\n",
    "leaves.py": "raise SystemExit(0)\n",
    "blank.py": 'def f(machine):\n    """ """\n    return True\n',
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "binary.sh").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "dir").mkdir()
    (tmp_path / "loop.sh").symlink_to(tmp_path / "loop.sh")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(line: str, given: str = "") -> Result:
    return CliRunner().invoke(app, line.split(), input=given, env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"})


@pytest.mark.parametrize(
    ("line", "words"),
    [
        # an option that takes one value is given one
        ("run ok.sh -d linux-3.0 -d linux-3.1", ["--design is given 2 times", "cowpath compare SESSION -d D1 -d D2"]),
        ("step ok.sh -d linux-3.0 -d linux-3.1", ["--design is given 2 times"]),
        ("run ok.sh --seed 1 --seed 2", ["--seed is given 2 times"]),
        ("compare ok.sh --report a.html --report b.html", ["--report is given 2 times"]),
        ("run ok.sh --cold --warm", ["--cold is given 2 times"]),
        # designs in one word, or as plain words
        ("run ok.sh -d linux-3.0,linux-3.1", ["-d linux-3.0 -d linux-3.1"]),
        ("compare ok.sh linux-3.0", ["a word too many: 'linux-3.0'", "--design linux-3.0"]),
        ("compare ok.sh design.toml", ["'design.toml' is a design", "--design design.toml"]),
        ("run linux-3.0", ["'linux-3.0' is a design, where a session belongs"]),
        ("costs ok.sh linux-3.0", ["'linux-3.0' is a design"]),
        ("check linux-3.0", ["--design linux-3.0"]),
        ("check commit", ["--case commit"]),
        ("check isolation", ["--property isolation"]),
        ("run cold-readahead", ["'cold-readahead' is a case", "cowpath check --case cold-readahead"]),
        # files of another kind
        ("check -c table.toml", ["a session's table, where a case belongs", "--table table.toml"]),
        ("check -c machine.toml", ["a session's table, where a case belongs"]),
        ("check -c ok.sh", ["a session, where a case belongs", "cowpath run ok.sh"]),
        ("check ok.sh", ["'ok.sh' is a session", "cowpath run ok.sh"]),
        ("check -c design.toml", ["a design, where a case belongs"]),
        ("bisect linux-3.0 linux-3.1 -c ok.sh", ["a session, where a case belongs"]),
        ("run case.toml", ["a case, where a session belongs", "cowpath check --case case.toml"]),
        ("run table.toml", ["a session's table, where a session belongs"]),
        ("run design.toml", ["a design, where a session belongs", "--design design.toml"]),
        ("run empty.toml", ["a TOML file, where a session belongs"]),
        ("run x.prog", ["a written program, where a session belongs"]),
        ("programs case.toml", ["a case, where a session belongs"]),
        ("run ok.sh -d case.toml", ["a case, where a design belongs"]),
        ("run ok.sh -d table.toml", ["a session's table, where a design belongs"]),
        ("run ok.sh --table case.toml", ["a case, where a session's table belongs"]),
        ("run ok.sh --costs table.toml", ["a session's table, where a table of costs belongs"]),
        ("search --from case.toml", ["a case, where a design belongs"]),
        # what is no file
        ("run ok.sh --report -", ["-: cannot write: '-' is no file"]),
        ("compare ok.sh --report -", ["'-' is no file"]),
        ("run ok.sh --log -", ["'-' is no file"]),
        ("run ok.sh --trace -", ["'-' is no file"]),
        ("check -c commit --save -", ["'-' is no file"]),
        ("check -c commit --report -", ["'-' is no file"]),
        ("run - --table -", ["a table is read from a file"]),
        # tasks that are not there
        ("step ok.sh --task typo", ["no task of the session is called 'typo'", "there are: bash,"]),
        ("step ok.sh --task lss", ["did you mean ls?"]),
        ("step ok.sh --task lss[5]", ["did you mean ls?"]),
        # numbers
        ("run ok.sh --reuse inf", ["reuse is inf", "from 0 to 1000"]),
        ("run ok.sh --seed 99999999999999999999", ["seed is 99999999999999999999"]),
        ("run ok.sh --copies 100000000", ["from 1 to 1000"]),
        ("run ok.sh --memory nan", ["'nan' is not a size"]),
        ("run ok.sh --until -1", ["'-1' is not a time"]),
        ("run ok.sh --memory 0", ["memory is 0"]),
        # files that cannot be what they are given for
        ("run dir", ["Is a directory"]),
        ("run binary.sh", ["not a text file"]),
        ("run loop.sh", ["cannot be read"]),
        ("check -c empty.toml", ["a case without tasks"]),
        ("check -c dir", ["no case 'dir'"]),
        ("check -c deep.toml", ["not valid TOML"]),
        ("run ok.sh -d deep.toml", ["not valid TOML"]),
        ("run ok.sh -d number.toml", ["name must be a text"]),
        ("run ok.sh --costs dir", ["Is a directory"]),
        ("run ok.sh --costs deep.toml", ["deep.toml"]),
        ("check -c commit -d linux-3.1 -p leaves.py:f", ["cannot be loaded: SystemExit"]),
        ("replay ok.sh", ["not a schedule"]),
        ("import ok.sh out", ["ok.sh: it seems to be a session", "cowpath run ok.sh"]),
    ],
)
def test_what_is_wrong_is_said(line: str, words: list[str]) -> None:
    result = call(line)
    assert result.exit_code == 2, result.output
    assert result.stdout == "" and result.stderr.startswith("cowpath: ") and "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr


def test_not_a_number_is_no_number() -> None:
    assert call("run ok.sh --reuse nan").exit_code == 2


def test_a_property_with_a_blank_docstring_has_a_name(folder: Path) -> None:
    from cowpath.checker import properties

    assert properties.find(f"{folder}/blank.py:f").meaning == "f"


def test_a_session_on_standard_input() -> None:
    """With --table it has its own programs; without, it says how to name them."""
    result = call("run - --until 50ms", "sleep 1ms\n")
    assert result.exit_code == 0 and "Verdicts" in result.stdout
    assert call("run - --table table.toml --until 50ms", "own\n").exit_code == 0
    unknown = call("run -", "own\n")
    assert unknown.exit_code == 2
    assert "stdin:1:1: unknown command or program: 'own'" in unknown.stderr and "--table FILE" in unknown.stderr


def test_a_table_need_not_stand_beside_its_session() -> None:
    assert "own" in call("programs ok.sh --table table.toml").stdout
    assert "own" not in call("programs ok.sh").stdout


def test_an_empty_session_is_noted() -> None:
    Path("empty.sh").write_text("# nothing\n")
    assert "Note: the session has no command" in call("run empty.sh --until 50ms").stdout


def test_all_errors_are_lines_of_their_own() -> None:
    Path("many.sh").write_text("nosuch\nsleep 5q\n")
    lines = call("run many.sh").stderr.splitlines()
    assert [line.split(" ")[1] for line in lines] == ["many.sh:1:1:", "many.sh:2:7:"]
    assert all(line.startswith("cowpath: ") for line in lines)
