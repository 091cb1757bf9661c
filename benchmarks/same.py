"""Whether this tree answers as another commit does: every packaged case on every design, every example with its log.

    python benchmarks/same.py BASE [--design linux-3.0 --design preallocate]

Compared are the JSON objects that ``cowpath check`` and ``cowpath run`` print (verdicts, chains, schedules, states,
figures), without how long it took, their exit status, and each event of each log, of all cases, designs and examples
that both have. A key that only one has is named at the end. Ends with 1 where anything differs.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from sides import Side, both
from tables import console

DESIGNS = ("linux-3.0", "preallocate", "unlock-charge-relock", "linux-3.1")  # for the examples; the cases have them all
NONE = object()
TAKEN = {"wall_s", "version"}  # what a run took, and of which cowpath
OWN_STEPS = (
    ("pte_alloc.py", "under-lock.toml", "page-table"),
    ("pte_alloc.py", "before-lock.toml", "page-table"),
    ("fault_mutex.py", "fault-mutex.toml", "commit"),
)


@dataclass(frozen=True)
class Answer:
    """What a command printed and ended with, and the log that it wrote."""

    status: int
    printed: Any
    log: pl.DataFrame | None


def commands(trees: Sequence[Path], designs: list[str]) -> Iterator[list[str]]:
    """All that is asked: whatever all trees have."""
    every = [
        word for name in common(trees, "src/cowpath/designs", "src/cowpath/kernels") for word in ("--design", name)
    ]
    for case in common(trees, "src/cowpath/cases"):
        yield ["check", "--case", case, *every]
    for steps, design, case in OWN_STEPS:
        folder = "examples/steps"
        yield ["check", "--steps", f"{folder}/{steps}", "--design", f"{folder}/{design}", "--case", case]
    for session in common(trees, "examples", suffix=".sh"):
        for design in designs:
            yield ["run", f"examples/{session}.sh", "--design", design]


def common(trees: Sequence[Path], *folders: str, suffix: str = ".toml") -> list[str]:
    """What lies in one of these folders in all trees, by name."""
    names = [{path.stem for folder in folders for path in (tree / folder).glob(f"*{suffix}")} for tree in trees]
    return sorted(set.intersection(*names))


def answer(side: Side, words: list[str]) -> Answer:
    """Ask one side."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.parquet"
        logged = ["--log", str(log)] if words[0] == "run" else []
        line = [str(side.python), "-m", "cowpath", *words, "--json", *logged]
        done = subprocess.run(line, cwd=side.tree, env=side.settings, capture_output=True, text=True)
        try:
            printed = plain(json.loads(done.stdout))
        except json.JSONDecodeError:
            printed = done.stderr
        return Answer(done.returncode, printed, pl.read_parquet(log) if log.exists() else None)


def plain(value: Any) -> Any:
    """A JSON value without what may differ."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items() if key not in TAKEN}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value


def differences(before: Any, after: Any, where: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two JSON values differ; NONE where one has no such key."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from differences(before.get(key, NONE), after.get(key, NONE), f"{where}.{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, pair in enumerate(zip(before, after, strict=True)):
            yield from differences(*pair, f"{where}[{place}]")
    elif before != after:
        yield where, before, after


def differing(before: Answer, after: Answer, lone: set[str]) -> list[str]:
    """All in which two answers differ. ``lone``: the keys that only one has are added to it."""
    found = []
    for where, old, new in differences(before.printed, after.printed):
        if old is NONE or new is NONE:
            lone.add(re.sub(r"\[\d+\]", "[]", where) + (" (here)" if old is NONE else " (there)"))
        else:
            found.append(f"{where}: {str(old)[:60]} | {str(new)[:60]}")
    if before.status != after.status:
        found.append(f"exit status: {before.status} | {after.status}")
    logs = [answer.log for answer in (before, after) if answer.log is not None]
    if len(logs) == 1 or (logs and not logs[0].equals(logs[1])):
        found.append("the log")
    return found


def main() -> None:
    """Ask both sides all, side by side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", help="the commit to compare with")
    parser.add_argument("--design", action="append", help=f"for the examples (default: {', '.join(DESIGNS)})")
    wanted = parser.parse_args()
    asked, bad, events, lone = 0, 0, 0, set[str]()
    with both(wanted.base) as (base, here), ThreadPoolExecutor(2) as side_by_side:
        for words in commands((base.tree, here.tree), wanted.design or list(DESIGNS)):
            before, after = side_by_side.map(answer, (base, here), (words, words))
            found = differing(before, after, lone)
            asked, bad = asked + 1, bad + bool(found)
            events += 0 if after.log is None else len(after.log)
            for line in found[:10]:
                console.print(f"{' '.join(words)}: {line}", markup=False)
    if lone:
        console.print(f"Keys that only one has: {', '.join(sorted(lone))}", markup=False)
    console.print(f"{asked} commands, {events:,} events: {asked - bad} have the same answers as {wanted.base}.")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
