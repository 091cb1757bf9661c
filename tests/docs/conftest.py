"""What the tests of the guide share."""

from __future__ import annotations

import fcntl
import os
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
    tests = os.environ.get("PYTEST_XDIST_TESTRUNUID", f"alone {os.getpid()}")
    with (base.parent / "guide.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        if lock.read().endswith(tests):  # another worker has
            return
        for words in COMPILES:
            ended = run([sys.executable, "-m", "cowpath", *words], Path(base))
            assert ended.returncode == 0, ended.stderr
        lock.write(tests)
