"""What the benchmarks of the first answer, and of two commits' answers, rest on."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def bench() -> Any:
    """The benchmarks' modules, which are not installed."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        import cold
        import same
        import sides
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))
    return SimpleNamespace(cold=cold, same=same, sides=sides)


def test_the_edit_changes_one_step_and_can_be_compiled(bench: Any) -> None:
    before = (ROOT / bench.cold.EDITED).read_text(encoding="utf-8")
    after = bench.cold.edited(before)
    names = [
        node.name
        for node, other in zip(ast.parse(after).body, ast.parse(before).body, strict=True)
        if isinstance(node, ast.FunctionDef) and ast.dump(node) != ast.dump(other)
    ]
    assert names == ["step_copy_page"]
    with pytest.raises(RuntimeError, match="copy_page"):
        bench.cold.edited(before.replace("copy_page", "copy"))


def test_a_copy_has_what_git_knows(bench: Any, tmp_path: Path) -> None:
    bench.sides.copy(ROOT, tmp_path)
    assert (tmp_path / bench.cold.EDITED).read_bytes() == (ROOT / bench.cold.EDITED).read_bytes()
    assert not (tmp_path / ".git").exists() and not (tmp_path / ".venv").exists()


def test_a_command_s_time_memory_and_status(bench: Any, tmp_path: Path) -> None:
    side = bench.sides.Side("here", ROOT, tmp_path, tmp_path)
    program = "import sys; room = bytearray(200 << 20); room[::4096] = bytes(51200); print(len(room)); sys.exit(7)"
    spent = side.command(sys.executable, "-c", program, status=7)
    assert spent.output == f"{200 << 20}\n"
    assert 200 < spent.peak_mib < 400 and spent.cpu_s > 0 and spent.wall_s > 0
    with pytest.raises(RuntimeError, match="ended with 7, not 0"):
        side.command(sys.executable, "-c", "import sys; sys.exit(7)")


def test_what_differs_in_two_answers(bench: Any) -> None:
    def answer(status: int = 0, log: pl.DataFrame | None = None, **printed: Any) -> Any:
        return bench.same.Answer(status, bench.same.plain(json.loads(json.dumps(printed))), log)

    lone: set[str] = set()
    differing = lambda before, after: bench.same.differing(before, after, lone)  # noqa: E731
    one, other = pl.DataFrame({"at_ns": [1, 2]}), pl.DataFrame({"at_ns": [1, 3]})
    assert differing(answer(states=3, wall_s=1.0), answer(states=3, wall_s=2.0)) == []
    assert differing(answer(runs=[{"faults": 1}]), answer(runs=[{"faults": 2}])) == [".runs[0].faults: 1 | 2"]
    assert lone == set()
    assert differing(answer(runs=[{"a": 1}]), answer(runs=[{"a": 1, "b": 2}])) == []
    assert differing(answer(c=None), answer()) == []
    assert lone == {".runs[].b (here)", ".c (there)"}
    assert differing(answer(chain=["x"]), answer(chain=[])) == [".chain: ['x'] | []"]
    assert differing(answer(status=0), answer(status=1)) == ["exit status: 0 | 1"]
    assert differing(answer(log=one), answer(log=one.clone())) == []
    assert differing(answer(log=one), answer(log=other)) == ["the log"]
    assert differing(answer(log=one), answer()) == ["the log"]


def test_what_two_trees_are_asked_is_what_both_have(bench: Any, tmp_path: Path) -> None:
    bench.sides.copy(ROOT, tmp_path)
    (tmp_path / "src/cowpath/cases/commit.toml").unlink()
    (tmp_path / "examples/swap.sh").unlink()
    asked = [" ".join(words) for words in bench.same.commands((ROOT, tmp_path), ["linux-3.0"])]
    cases = {path.stem for path in (ROOT / "src/cowpath/cases").glob("*.toml")}
    assert {words.split()[2] for words in asked if words.startswith("check --case")} == cases - {"commit"}
    sessions = {path.name for path in (ROOT / "examples").glob("*.sh")}
    assert {words.split()[1] for words in asked if words.startswith("run")} == {
        f"examples/{name}" for name in sessions - {"swap.sh"}
    }
