"""A sweep of small points."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cowpath import sweeping
from cowpath.sweeps.store import Row

SMALL = """cgcreate -g memory:A
cgset -r memory.limit_in_bytes=${LIMIT:-64M} A
cgexec -g memory:A ls
"""
VARY = {"A:memory.limit_in_bytes": "1M..4M/4"}
DESIGNS = ("linux-3.0", "linux-3.1")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    session = tmp_path / "small.sh"
    session.write_text(SMALL)
    return session


def sweep(session: Path, store: Path, **changes: Any) -> sweeping.Points:
    wanted: dict[str, Any] = {"vary": VARY, "designs": DESIGNS, "seeds": 2, "processes": 1, "until": "1s"} | changes
    return sweeping.sweep(session, store=store, **wanted)


def told(points: sweeping.Points) -> list[tuple[Any, ...]]:
    """All that a row says, but when and how long."""
    return [what(row) for row in points]


def what(row: Row) -> tuple[Any, ...]:
    return (row.id, row.values, row.design, row.seed, row.status, row.result, row.error, row.version)


def command(session: Path, store: Path, *more: str) -> list[str]:
    words = [sys.executable, "-m", "cowpath", "sweep", str(session), "--store", str(store), "--until", "1s"]
    words += [word for name, values in VARY.items() for word in ("--vary", f"{name}={values}")]
    return [*words, *[word for design in DESIGNS for word in ("--design", design)], *more]


def start(words: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)


def count(store: Path) -> int:
    """So many points are in the store now."""
    if not store.exists():
        return 0
    try:
        db = sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True)
        with db:
            return int(db.execute("SELECT count(*) FROM point").fetchone()[0])
    except sqlite3.OperationalError:  # its tables are about to be made
        return 0
