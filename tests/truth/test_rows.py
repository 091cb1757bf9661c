"""Each row of what was measured at the limit is played by a test, or is one of at most six that say why not."""

from __future__ import annotations

import ast
import tomllib
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TABLE = tomllib.loads((HERE.parent / "data" / "truth" / "rows.toml").read_text(encoding="utf-8"))
DOCS = HERE.parents[1] / "docs" / "kernels.md"
ROWS = [(part, row, test) for part in ("limit", "words") for row, tests in TABLE[part].items()
        for test in ([tests] if isinstance(tests, str) else tests)]  # fmt: skip
MOST = 6


@cache
def names_in(file: str) -> set[str]:
    """The tests of a file."""
    tree = ast.parse((HERE / f"{file}.py").read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


@pytest.mark.parametrize(("part", "row", "test"), ROWS)
def test_the_rows_test_is_there(part: str, row: str, test: str) -> None:
    file, _, name = test.partition("::")
    assert name in names_in(file), f"{part}: {row}"


def test_each_row_is_there_once() -> None:
    """A row is in one of the three parts; TOML itself refuses one that stands twice in a part."""
    rows = [row for part in TABLE.values() for row in part]
    assert len(rows) == len(set(rows))


def test_few_rows_are_not_modelled_and_each_says_why() -> None:
    assert len(TABLE["not_modelled"]) <= MOST
    assert all(len(why.split()) > 3 for why in TABLE["not_modelled"].values())


def test_users_find_what_is_not_modelled() -> None:
    text = " ".join(DOCS.read_text(encoding="utf-8").split())
    for row, why in TABLE["not_modelled"].items():
        assert f"| {row} | {why} |" in text
