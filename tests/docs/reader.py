"""A reader of the guide: a shell, a folder with what the pages speak of."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from .pages import ROOT, blocks

# A reader's shell: without the bounds checks of make nightly, which make the longest commands several times as long.
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "NUMBA_BOUNDSCHECK"} | {
    "COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb", "PYTHONPATH": str(ROOT / "src"),
}  # fmt: skip


def folder_of(page: str, folder: Path) -> Path:
    """Copies of what commands need, and the files that the page shows."""
    for needed in ("examples", "tests/data/recordings", "tests/data/samples"):
        shutil.copytree(ROOT / needed, folder / needed)
    for block in blocks(page):
        if block.file is not None:
            (folder / block.file).write_text(block.text, encoding="utf-8")
    return folder


def run(words: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command there."""
    return subprocess.run(
        words, cwd=folder, env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=1800
    )
