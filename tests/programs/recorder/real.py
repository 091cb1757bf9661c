"""Recording on this machine: whether it can be done here, and the command line that does it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cowpath.errors import InputError
from cowpath.programs.recorder import group, perf


def why_not() -> str:
    """Why nothing can be recorded here; empty if it can."""
    try:
        perf.find()
        group.make().remove()
    except (InputError, OSError) as error:
        return str(error)
    return ""


WHY_NOT = why_not()
needs_perf = pytest.mark.skipif(bool(WHY_NOT), reason=f"nothing can be recorded here: {WHY_NOT}")


def start(folder: Path, *words: str, **variables: str) -> subprocess.Popen[str]:
    """``cowpath record`` of these words in a folder, and in a session of its own."""
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    environment = {**os.environ, "TMPDIR": str(temporary), **variables}
    return subprocess.Popen(
        [sys.executable, "-m", "cowpath", "record", *words], cwd=folder, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def left_behind(folder: Path) -> list[str]:
    """Groups and files that should not be there any more."""
    groups = [str(path) for _, place, _ in group.places() for path in place.glob(f"{group.PREFIX}*")]
    return [*groups, *map(str, folder.glob("tmp/*")), *map(str, folder.glob("*.part"))]
