"""examples/commit.ipynb is kept with its outputs, and running it gives the same (``make notebook``)."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

import nbformat
import pytest

from .pages import ROOT
from .reader import ENVIRONMENT

NOTEBOOK = ROOT / "examples" / "commit.ipynb"


def test_every_cell_shows_something_and_nobody_where_it_was_run() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert all(cell.outputs for cell in code)
    text = "\n".join(str(cell.outputs) for cell in code)
    for said in ("which waits for A's memory", "preallocate proved in all 154 states", "violated after 15 moves"):
        assert said in text, said
    assert str(ROOT) not in text and "stderr" not in text


@pytest.mark.usefixtures("compiled")
def test_to_run_it_gives_what_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = shutil.copytree(ROOT / "examples", tmp_path / "examples")
    for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    execute = runpy.run_path(str(ROOT / "docs" / "notebook.py"))["executed"]
    found = nbformat.writes(execute(folder / NOTEBOOK.name, ENVIRONMENT)) + "\n"
    assert found == NOTEBOOK.read_text(encoding="utf-8"), "make notebook writes it anew"
