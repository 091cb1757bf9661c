"""What the tests of the small machine share. They run with Numba's bounds checks: an index out of range is an error.

Numba reads that once, when it is imported: ``NUMBA_BOUNDSCHECK=1 pytest tests/checked``, as ``make test`` does.
"""

from __future__ import annotations

import fcntl

import numba
import pytest

from .checked import boot, run
from .small import QUIET

collect_ignore_glob = [] if numba.config.BOUNDSCHECK else ["test_*.py"]  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def small_is_compiled(tmp_path_factory: pytest.TempPathFactory) -> None:
    """One of xdist's workers compiles; the others wait, and load what it has cached."""
    shared = tmp_path_factory.getbasetemp().parent
    with (shared / "compile.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run(boot(QUIET), 0)
