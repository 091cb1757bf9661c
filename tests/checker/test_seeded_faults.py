"""Faults put into designs and into steps: each is caught by the property that is meant for it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cowpath
from cowpath import cases, designs
from cowpath.cases.plan import compile_case
from cowpath.checker import properties
from cowpath.checker.check import check_case
from cowpath.checker.result import Result
from cowpath.designs import Design
from cowpath.engine import costs

PACKAGE = Path(cowpath.__file__).parent


def results(design: Design, case: str) -> dict[str, Result]:
    found = check_case(compile_case(cases.load(case)), design, properties.PACKAGED, costs.load())
    return {result.property: result for result in found}


def bad(design: Design, case: str) -> set[str]:
    return {name for name, result in results(design, case).items() if result.verdict == "violated"}


def with_path(name: str, path: str, *steps: str) -> Design:
    """A packaged design with another path, unchecked: the loader would not let most of these in."""
    design = designs.load(name)
    return replace(design, paths=design.paths | {path: steps})


def changed(tmp_path: Path, file: str, old: str, new: str, design: str, case: str, name: str) -> Result:
    """A result of a copy of the package in which one line of the kernel is another one. Runs as plain Python."""
    copy = tmp_path / "src" / "cowpath"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "recordings"))
    source = copy / "kernel" / file
    text = source.read_text(encoding="utf-8")
    assert text.count(old) == 1, "the line that this test changes is another one now"
    source.write_text(text.replace(old, new), encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(copy.parent), "NUMBA_DISABLE_JIT": "1", "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-m", "cowpath", "check", "-d", design, "-c", case, "-p", name, "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1, 4), done.stderr
    assert done.stdout, done.stderr
    (found,) = json.loads(done.stdout)["results"]
    return Result(**found)


def test_a_dropped_uncharge_on_the_error_exit() -> None:
    design = designs.load("preallocate")
    assert not bad(design, "io-error")
    on_error = {"file_cow": ("unlock_page", "put_page", "free_page")}
    assert "accounting" in bad(replace(design, on_error=on_error), "io-error") | bad(
        replace(design, on_error=on_error), "killed-waiter"
    )


def test_a_missing_recheck_after_locking_again() -> None:
    steps = [step for step in designs.load("unlock-charge-relock").paths["file_cow"] if step != "recheck_mapping"]
    broken = with_path("unlock-charge-relock", "file_cow", *steps)
    assert bad(broken, "truncate-while-waiting") == {"no-stale-page"}


def test_a_double_unlock() -> None:
    broken = with_path("linux-3.1", "file_read", "find_page", "lock_page", "map_page", "unlock_page", "unlock_page",
                       "put_page")  # fmt: skip
    assert "lock-order" in bad(broken, "commit")


def test_a_wait_that_is_not_killable() -> None:
    broken = replace(designs.load("linux-3.0"), policies=designs.load("linux-3.0").policies | {
        "page_lock_wait": "uninterruptible"})  # fmt: skip
    assert "killable" in bad(broken, "killed-waiter")


def test_a_copy_from_a_page_that_is_still_read() -> None:
    broken = with_path("preallocate", "file_cow", "anon_vma_prepare", "alloc_page", "charge", "find_page", "copy_page",
                       "lock_page", "map_page", "unlock_page", "put_page")  # fmt: skip
    assert bad(broken, "cold-page") == {"no-stale-page"}


def test_a_missing_pte_same(tmp_path: Path) -> None:
    old = "    if taken:  # lost the race\n"
    found = changed(tmp_path, "map_page.py", old, "    if taken and False:\n", "preallocate", "two-threads", "no-leak")
    assert found.verdict == "violated"


def test_a_forgotten_wake_up(tmp_path: Path) -> None:
    old = "    while queue.head != n.NONE:\n        exclusive"
    new = "    while queue.head != n.NONE and False:\n        exclusive"
    found = changed(tmp_path, "page_lock.py", old, new, "preallocate", "two-threads", "no-stuck")
    assert found.verdict == "violated"
    assert "waits for the page lock of lib page 0" in found.reason
