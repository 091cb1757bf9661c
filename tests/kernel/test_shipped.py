"""Compiled functions that come with a wheel are taken where they fit, and nowhere else; nobody is told.

On functions as small as can be; ``make wheel`` does it with the kernel's, and tries what it has made.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cowpath.kernel.jit import shipped

PROGRAMS = Path(__file__).with_name("shipped_programs.py")
GIVES = [sum(n * 3 // 2 for n in range(3, 12)), 4]
GIVES_CHANGED = [sum(n * 5 // 2 for n in range(3, 12)), 4]
TAKEN, MADE = [2, 0], [0, 2]  # functions found compiled; files kept of those that were not

pytestmark = pytest.mark.skipif(not shipped.building(), reason="nothing is shipped for a machine of this kind")


def run(program: str, folder: Path, *words: str, **settings: str) -> Any:
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("NUMBA_", "COWPATH_"))}
    done = subprocess.run(
        [sys.executable, PROGRAMS, program, folder, *words],
        env=plain | settings, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and not done.stderr, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which ``objects`` is shipped."""
    folder = tmp_path_factory.mktemp("shipped")
    assert run("keep", folder, **shipped.building()) == [*GIVES, *MADE]
    return folder


def test_it_is_taken_where_it_fits_and_all_is_compiled_where_it_does_not(folder: Path) -> None:
    told = run("use", folder)
    assert told.pop("it fits") == told.pop("it fits again") == [*GIVES, *TAKEN]
    assert told.pop("another source") == [*GIVES_CHANGED, *MADE]
    assert len(told) > 10 and all(each == [*GIVES, *MADE] for each in told.values()), told


def test_it_is_not_taken_by_a_processor_that_lacks_something(folder: Path) -> None:
    wanted = shipped.processor()
    assert wanted is not None
    assert run("use_here", folder, "host") == [*GIVES, *TAKEN]
    if wanted.features:
        assert run("use_here", folder, "older", wanted.features[-1]) == [*GIVES, *MADE]


def test_it_is_taken_by_a_processor_of_another_name(folder: Path) -> None:
    name = "haswell" if "x86" in shipped.building()["NUMBA_CPU_NAME"] else "cortex-a72"
    assert run("use_here", folder, "named", NUMBA_CPU_NAME=name) == [*GIVES, *TAKEN]


def test_it_is_not_taken_by_a_numba_that_has_another_way_to_do_it(folder: Path) -> None:
    assert run("use_here", folder, "renamed", RENAMED="rebuild") == [*GIVES, *MADE]


def test_what_was_made_for_this_very_processor_is_not_shipped(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"ValueError: .*made for"):
        run("keep", tmp_path)
