"""Where a sweep's points are kept: one SQLite file. A point is there whole or not at all, and once.

SQLite's write-ahead log keeps the file whole whatever ends the process, and lets several sweeps write to one file, and
others read it meanwhile. The file says of itself what it is (``application_id``), and which cowpath has made it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from cowpath.errors import InputError

from .point import FAILED, Played

APPLICATION = 0x636F7750  # "cowP"
FORMAT = 1  # PRAGMA user_version
WAIT_S = 120.0  # for another process that writes
AT_ONCE = 500  # names in one question
TABLES = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sweep (
    id TEXT PRIMARY KEY,        -- of session, tables, programs, options, and names of what is varied
    session TEXT NOT NULL,      -- its file's name
    source TEXT NOT NULL,       -- its text
    names TEXT NOT NULL,        -- what is varied: a JSON list
    options TEXT NOT NULL,      -- of all points: a JSON object
    wanted INTEGER NOT NULL,    -- points of the latest grid
    used_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS point (
    id TEXT PRIMARY KEY,
    sweep TEXT NOT NULL REFERENCES sweep,
    design TEXT NOT NULL,
    seed INTEGER NOT NULL,
    inputs TEXT NOT NULL,       -- a JSON object: the value of each name
    status TEXT NOT NULL,       -- played or failed
    result TEXT,                -- of a point that was played: a run as in cowpath run --json
    error TEXT,                 -- of one that failed
    version TEXT NOT NULL,
    wall_s REAL NOT NULL,
    ended_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS point_of_sweep ON point (sweep);
"""


@dataclass(frozen=True)
class Sweep:
    """A sweep in the store: all points of one session that vary the same names."""

    id: str
    session: str
    source: str
    names: tuple[str, ...]
    options: dict[str, Any]
    wanted: int


@dataclass(frozen=True)
class Row:
    """A point in the store."""

    id: str
    design: str
    seed: int
    values: tuple[str, ...]  # in the order of the sweep's names
    status: str
    result: dict[str, Any] | None
    error: str | None
    version: str
    wall_s: float
    ended_at: str


class Store:
    """A store, as a context manager. Whatever goes wrong with its file is an InputError that names it."""

    def __init__(self, file: Path, version: str | None = None) -> None:
        """``version``: which cowpath is to write to it; it is made if it is not there. None: it is only read."""
        self.file = file
        self.version = version
        self._db: sqlite3.Connection

    def __enter__(self) -> Store:
        self._check_file()
        with self._told():
            self._db = self._open()
        try:
            with self._told():
                self._check_kind()
                if self.version is not None:
                    self._make(self.version)
        except BaseException:
            self._db.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        with suppress(sqlite3.Error):
            self._db.close()

    # --- the file
    def _check_file(self) -> None:
        if str(self.file) == "-":
            raise InputError("'-' is no file, and a store is one", file="-", hint="--store FILE.sqlite")
        if self.file.is_dir():
            raise InputError("it is a folder, and a store is a file", file=self.file)
        if self.version is None and not self.file.exists():
            raise InputError("there is no such store", file=self.file, hint="cowpath sweep SESSION ... --store FILE")

    def _open(self) -> sqlite3.Connection:
        if self.version is None:
            return sqlite3.connect(f"{self.file.resolve().as_uri()}?mode=ro", uri=True, timeout=WAIT_S)
        return sqlite3.connect(self.file, timeout=WAIT_S, isolation_level=None)

    def _check_kind(self) -> None:
        application, form = (self._pragma(name) for name in ("application_id", "user_version"))
        empty = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
        if application != APPLICATION and not (empty and self.version is not None):
            raise InputError("it is no store of cowpath's", file=self.file, hint="name another file: --store FILE")
        if application == APPLICATION and form != FORMAT:
            problem = f"a store of format {form}, and this cowpath reads {FORMAT}"
            raise InputError(problem, file=self.file, hint="name another file: --store FILE")

    def _pragma(self, name: str) -> int:
        return int(self._db.execute(f"PRAGMA {name}").fetchone()[0])

    def _make(self, version: str) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        with self._transaction():
            for statement in filter(str.strip, TABLES.split(";")):
                self._db.execute(statement)
            self._db.execute(f"PRAGMA application_id = {APPLICATION}")
            self._db.execute(f"PRAGMA user_version = {FORMAT}")
            self._db.execute("INSERT OR IGNORE INTO about VALUES ('version', ?)", (version,))
        made_by = self.made_by()
        if made_by != version:
            problem = f"a store of cowpath {made_by}, and this is {version}: their points are not the same"
            raise InputError(problem, file=self.file, hint="name another file: --store FILE")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if "full" in str(error) or "disk I/O" in str(error):
                hint = "what it holds is whole: make room, and the same command goes on"
                what = "read" if self.version is None else "written"  # a reader needs some room beside it, too
                raise InputError(f"cannot be {what}: {error}", file=self.file, hint=hint) from None
            raise InputError(f"cannot be used: {error}", file=self.file) from None
        except sqlite3.DatabaseError as error:
            raise InputError(f"it is no store, or a broken one: {error}", file=self.file,
                             hint="name another file: --store FILE") from None  # fmt: skip

    # --- what is in it
    def made_by(self) -> str:
        """The version of cowpath that has made it."""
        found = self._db.execute("SELECT value FROM about WHERE name = 'version'").fetchone()
        return str(found[0]) if found else "unknown"

    def note(self, sweep: Sweep) -> None:
        """A sweep begins, or goes on."""
        options = json.dumps(sweep.options, sort_keys=True)
        row = (sweep.id, sweep.session, sweep.source, json.dumps(sweep.names), options, sweep.wanted, _now())
        with self._told(), self._transaction():
            self._db.execute("INSERT OR REPLACE INTO sweep VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def missing(self, ids: Sequence[str], retry: bool = False) -> set[str]:
        """Which of these points are not there; with ``retry`` those that failed count as not there."""
        there: set[str] = set()
        wanted = " AND status = 'played'" if retry else ""
        with self._told():
            for at in range(0, len(ids), AT_ONCE):
                some = ids[at : at + AT_ONCE]
                question = f"SELECT id FROM point WHERE id IN ({','.join('?' * len(some))}){wanted}"
                there.update(row[0] for row in self._db.execute(question, some))
        return set(ids) - there

    def put(self, sweep: Sweep, points: Iterable[tuple[str, int, Sequence[str], Played]]) -> None:
        """Points that have ended: design, seed, values, and what became of each. One that is there stays as it is,
        unless it had failed.
        """
        rows = [
            (each.id, sweep.id, design, seed, json.dumps(dict(zip(sweep.names, values, strict=True))), each.status,
             each.result, each.error, self.version, each.wall_s, _now())
            for design, seed, values, each in points
        ]  # fmt: skip
        again = "ON CONFLICT (id) DO UPDATE SET status = excluded.status, result = excluded.result, " \
                "error = excluded.error, wall_s = excluded.wall_s, ended_at = excluded.ended_at " \
                f"WHERE status = '{FAILED}'"  # fmt: skip
        with self._told(), self._transaction():
            self._db.executemany(f"INSERT INTO point VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) {again}", rows)

    def sweeps(self) -> list[Sweep]:
        """All sweeps, the one that was used last first."""
        with self._told():
            found = self._db.execute(
                "SELECT id, session, source, names, options, wanted FROM sweep ORDER BY used_at DESC, id"
            ).fetchall()
        return [
            Sweep(id, session, source, tuple(json.loads(names)), json.loads(options), wanted)
            for id, session, source, names, options, wanted in found
        ]

    def rows(self, sweep: Sweep, ids: Sequence[str] | None = None) -> Iterator[Row]:
        """The points of a sweep, or some of them, in the order of their ids."""
        some = "" if ids is None else f" AND id IN ({','.join('?' * len(ids))})"
        with self._told():
            for row in self._db.execute(
                "SELECT id, design, seed, inputs, status, result, error, version, wall_s, ended_at FROM point "
                f"WHERE sweep = ?{some} ORDER BY id", (sweep.id, *(ids or ())),
            ):  # fmt: skip
                inputs = json.loads(row[3])
                values = tuple(str(inputs.get(name, "")) for name in sweep.names)
                result = None if row[5] is None else json.loads(row[5])
                yield Row(row[0], row[1], row[2], values, row[4], result, *row[6:])


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
