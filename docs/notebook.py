"""Runs examples/commit.ipynb and writes it with its outputs: ``make notebook``.

Of an output that has a form for a page only that is kept: what stands beside it for a terminal says how long something
took, and what is written here is the same, to the byte, each time.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))
from cowpath.atomic import replacing

NOTEBOOK = Path(__file__).parents[1] / "examples" / "commit.ipynb"
LONGEST = 1200  # seconds for a cell: the first one may have to compile the kernel
PAGE, TERMINAL = "text/html", "text/plain"


class ThisPython(AsyncKernelManager):
    """A kernel of the interpreter that runs this, whatever kernels are installed."""

    def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
        """Its command line."""
        return [sys.executable, "-m", "ipykernel_launcher", "-f", self.connection_file, *(extra_arguments or [])]


def executed(notebook: Path, environment: dict[str, str]) -> Any:
    """The notebook with what its cells print and show, run in its own folder. Raises CellExecutionError."""
    node = nbformat.read(notebook, as_version=4)
    where = {"metadata": {"path": str(notebook.parent)}}
    client = NotebookClient(node, timeout=LONGEST, km=ThisPython(), record_timing=False, resources=where)
    metadata = dict(node.metadata)
    client.execute(env=environment)
    node.metadata.clear()
    node.metadata.update(metadata)  # not which Python it was
    for cell in node.cells:
        if cell.cell_type == "code":
            cell.outputs = [kept(each) for each in cell.outputs if each.get("name") != "stderr"]
    return node


def kept(output: Any) -> Any:
    """An output as it is shipped."""
    if PAGE in output.get("data", {}):
        output.data.pop(TERMINAL, None)
    return output


def main() -> None:
    """Write it, whole or not at all."""
    node = executed(NOTEBOOK, dict(os.environ))
    with replacing(NOTEBOOK) as part:
        part.write_text(nbformat.writes(node) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
