"""What the tests of the guide share."""

from __future__ import annotations

import fcntl
import sys
from pathlib import Path

import pytest

from .pages import ROOT
from .reader import run

COMPILES = (
    ("check", "--design", "preallocate", "--case", "commit"),
    ("run", str(ROOT / "examples" / "oom-off.sh")),
)


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The kernel without bounds checks: one of xdist's workers compiles, the others load what it has cached."""
    base = tmp_path_factory.getbasetemp()
    with (base.parent / "guide.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for words in COMPILES:
            ended = run([sys.executable, "-m", "cowpath", *words], Path(base))
            assert ended.returncode == 0, ended.stderr
