"""The examples by their names: listed, printed, run; the guide's pages; and what a wheel carries."""

from __future__ import annotations

import re
import runpy
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cowpath import examples, guide
from cowpath.cli import app, complete
from cowpath.errors import InputError

ROOT = Path(__file__).parents[1]


def call(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), env={"COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"})


def test_all_are_listed_with_what_they_are() -> None:
    known = examples.files()
    assert set(known) == {each.stem for each in (ROOT / "examples").glob("*.sh")} | {"pod"}
    said = " ".join(call("examples").stdout.split())
    for name, file in known.items():
        if file.suffix == ".sh":
            assert f"{name} {' '.join(examples.about(file).split())}" in said and examples.about(file)


def test_one_is_printed_and_another_is_no_example() -> None:
    assert call("examples", "commit").stdout == (ROOT / "examples/commit.sh").read_text(encoding="utf-8")
    wrong = call("examples", "comit")
    assert wrong.exit_code == 2 and "no such example: 'comit' (did you mean commit?" in wrong.stderr


def test_a_name_stands_for_an_example_where_there_is_no_such_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    example = ROOT / "examples/oom-off.sh"
    for name in ("oom-off", "oom-off.sh", "examples/oom-off.sh"):
        assert examples.found(Path(name)) == example
    for name in ("-", "nosuch.sh", "other/oom-off.sh", "oom-off.toml", "examples/nosuch"):
        assert examples.found(Path(name)) == Path(name)
    with pytest.raises(InputError, match=r"no such file, and no such example: 'oom-of' \(did you mean oom-off"):
        examples.found(Path("oom-of"))
    done = call("run", "oom-off", "--design", "linux-3.0", "--until", "2s")
    assert done.exit_code == 0 and "stalled" in done.stdout, done.output
    too_many = call("run", "oom-off", "linux-3.0")
    assert too_many.exit_code == 2 and "--design linux-3.0" in too_many.stderr
    (tmp_path / "oom-off").write_text("nosuchcommand\n", encoding="utf-8")
    assert "oom-off:1:1:" in call("run", "oom-off").stderr, "one's own file comes first"


def test_the_guide_lists_every_page_and_prints_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pages = {page.stem: page.read_text(encoding="utf-8") for page in (ROOT / "docs").glob("*.md")}
    listed = call("guide").stdout
    assert {line.split()[0] for line in listed.splitlines() if re.match(r"  \S", line)} == set(pages) - {"index"}
    for name, text in pages.items():
        assert guide.text_of(name) == text
    assert call("guide", "docs/check.md").stdout == call("guide", "check").stdout == pages["check"]  # piped: as it is
    assert call("guide", "check.md#properties").stdout == pages["check"]
    wrong = call("guide", "chek")
    assert wrong.exit_code == 2 and "no such page: 'chek' (did you mean check?" in wrong.stderr
    assert call("guide", "../README.md").exit_code == 2
    assert "check" in complete.guide()
    monkeypatch.setattr("cowpath.shipped.folder", lambda name, known: None)
    gone = call("guide", "check")
    assert gone.exit_code == 2 and "the guide is not here" in gone.stderr and complete.guide() == []


def test_a_wheel_has_them_and_says_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("hatchling", reason="what builds wheels is not installed")
    hook = runpy.run_path(str(ROOT / "hatch_build.py"))["CompiledKernel"]
    monkeypatch.delenv("COWPATH_OBJECTS", raising=False)
    build: dict[str, dict[str, str]] = {"force_include": {}}
    hook.initialize(None, "standard", build)
    pages = {f"docs/{page.name}": f"cowpath/data/docs/{page.name}" for page in (ROOT / "docs").glob("*.md")}
    assert len(pages) > 20 and build["force_include"] == {"examples": "cowpath/data/examples", **pages}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["readme"] == "README.md" and project["urls"] and project["classifiers"]
