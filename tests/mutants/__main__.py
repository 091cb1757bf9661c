"""``make mutants``: plant each mistake of the table in a copy of the sources, and see that its small test notices it.

Runs the tests as plain Python, two at a time. ``python tests/mutants WORD`` plants those that have it in them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

from table import Mutant, mutants

TESTS = Path(__file__).resolve().parent.parent
PACKAGE = TESTS.parent / "src" / "cowpath"
WORKERS = 2
LONG = 600  # seconds: a test takes one or two, a whole file on a busy machine minutes
NOTICED, NOT_NOTICED = "noticed", "NOT NOTICED"


def ran(sources: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    """Run small tests on these sources."""
    environment = os.environ | {"PYTHONPATH": str(sources), "PYTHONDONTWRITEBYTECODE": "1", "NUMBA_DISABLE_JIT": "1"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        *(f"rules/{test}" for test in tests),
    ]
    return subprocess.run(
        command, cwd=TESTS, env=environment, capture_output=True, text=True, timeout=LONG, check=False
    )


@contextmanager
def planted(sources: Path, mutant: Mutant) -> Iterator[None]:
    """The sources with the mistake in them."""
    file = sources / "cowpath" / "kernel" / mutant.file
    text = file.read_text(encoding="utf-8")
    file.write_text(mutant.planted_in(text), encoding="utf-8")
    try:
        yield
    finally:
        file.write_text(text, encoding="utf-8")


def outcome(sources: Path, mutant: Mutant) -> str:
    """Whether its test fails with it, as it should."""
    with planted(sources, mutant):
        try:
            done = ran(sources, f"{mutant.module}.py::{mutant.test}")
        except subprocess.TimeoutExpired:
            return f"{NOTICED} (no end)"
    if done.returncode not in (0, 1):  # not failed: not run
        raise SystemExit(f"{mutant.says}: {mutant.test}\n{done.stdout}{done.stderr}")
    return NOTICED if done.returncode == 1 else NOT_NOTICED


def main(word: str) -> int:
    """Plant them all; 0 if all are noticed."""
    chosen = [mutant for mutant in mutants() if word in str(mutant)]
    with tempfile.TemporaryDirectory() as folder:
        free: SimpleQueue[Path] = SimpleQueue()
        for worker in range(WORKERS):
            copy = Path(folder) / str(worker)
            shutil.copytree(PACKAGE, copy / "cowpath", ignore=shutil.ignore_patterns("__pycache__", "recordings"))
            free.put(copy)
        without = ran(copy, *sorted({f"{mutant.module}.py" for mutant in chosen}))
        if without.returncode:
            print(without.stdout, "The small tests fail without any mistake.", sep="\n")
            return 1

        def plant(mutant: Mutant) -> str:
            sources = free.get()
            try:
                return outcome(sources, mutant)
            finally:
                free.put(sources)

        noticed = 0
        with ThreadPoolExecutor(WORKERS) as pool:
            for mutant, how in zip(chosen, pool.map(plant, chosen), strict=True):
                noticed += how != NOT_NOTICED
                print(f"{how:11}  {mutant.says} ({mutant.file})\n{'':13}{mutant.module}::{mutant.test}", flush=True)
    print(f"{noticed} of {len(chosen)} noticed")
    return 0 if noticed == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
