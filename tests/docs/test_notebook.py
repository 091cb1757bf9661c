"""examples/commit.ipynb runs from its first cell to its last, and is kept without outputs."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import nbformat
import pytest
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

from .pages import ROOT
from .reader import ENVIRONMENT

NOTEBOOK = ROOT / "examples" / "commit.ipynb"


class ThisPython(AsyncKernelManager):
    """A kernel of the interpreter that runs the tests, whatever kernels are installed."""

    def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
        return [sys.executable, "-m", "ipykernel_launcher", "-f", self.connection_file, *(extra_arguments or [])]


def test_it_is_kept_without_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code and not any(cell.outputs or cell.execution_count for cell in code)


@pytest.mark.usefixtures("compiled")
def test_every_cell_runs_and_shows_something(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = shutil.copytree(ROOT / "examples", tmp_path / "examples")
    for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    notebook = nbformat.read(folder / NOTEBOOK.name, as_version=4)
    client = NotebookClient(notebook, timeout=1200, km=ThisPython(), resources={"metadata": {"path": str(folder)}})
    client.execute(env=ENVIRONMENT)
    silent = [cell.source for cell in notebook.cells if cell.cell_type == "code" and not cell.outputs]
    assert not silent
    text = "\n".join(str(cell.outputs) for cell in notebook.cells if cell.cell_type == "code")
    for said in ("which waits for A's memory", "preallocate proved in all 154 states", "violated after 15 moves"):
        assert said in text, said
