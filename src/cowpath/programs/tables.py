"""The tables of one recorded command, read and checked; what they mean stands in docs/recordings.md."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from arro3.core import DataType, Table

from cowpath import parquet
from cowpath.errors import InputError
from cowpath.words import slip_of

Rows = npt.NDArray[Any]  # a record each
TEXT = np.dtype(object)
TIMES = [("time_ns", "i8"), ("pid", "i4"), ("tid", "i4")]
COLUMNS: dict[str, list[tuple[str, Any]]] = {
    "faults": [("cpu", "i2"), ("addr", "u8"), ("err", "u1")],
    "procs": [("kind", TEXT), ("ppid", "i4"), ("comm", TEXT)],
    "maps": [("addr", "u8"), ("len", "u8"), ("pgoff", "u8"), ("ino", "u8"), ("prot", "i4"), ("flags", "i4"),
             ("filename", TEXT)],
    "vmcalls": [("dur_ns", "i8"), ("call", TEXT), ("a0", "u8"), ("a1", "u8"), ("a2", "u8"), ("a3", "u8"), ("a5", "u8"),
                ("ret", "i8")],
    "pagecache": [("delta", "i1"), ("ino", "u8"), ("dev", "u4"), ("index", "u8"), ("order", "i1")],
}  # fmt: skip
SCHEMAS = {table: np.dtype([*TIMES, *columns]) for table, columns in COLUMNS.items()}
REVISITS = np.dtype([*TIMES, ("start", "u8"), ("end", "u8"), ("pages", "i8")])
WAKEUPS = np.dtype([*TIMES, ("cpu", "i2"), ("woken", "i4")])
MAY_BE_NULL = ("comm", "filename")
LARGEST_ORDER = 18  # 1 GiB
CONTENT = ", ".join(f"{name}.parquet" for name in SCHEMAS)


@dataclass(frozen=True)
class Tables:
    """A recorded command's tables, each in order of time, and what truth.json says about the whole."""

    faults: Rows
    procs: Rows
    maps: Rows
    vmcalls: Rows
    pagecache: Rows
    command: tuple[str, ...]
    utime_ns: int | None  # CPU time in user mode: the mean of the runs without perf, or None if not known
    # looks at processes: how many pages of a mapping (addresses start to end - 1) had been used since the look before;
    # the first look has end 0
    revisits: Rows = field(default_factory=lambda: np.empty(0, REVISITS))
    # pid and tid have woken the task woken (sched:sched_waking), by themselves: not the interrupt that came upon them
    wakeups: Rows = field(default_factory=lambda: np.empty(0, WAKEUPS))
    accesses: bool = False  # faults has every use of a page, not the first alone: the machine's rule adds none


def read_tables(folder: Path) -> Tables:
    """Read a folder. Raises InputError that names the file (and the column) that is missing or can't be read."""
    if not folder.is_dir():
        problem = "not a folder" if folder.exists() else "no such file or folder"
        raise InputError(problem, file=folder, hint=f"a folder with {CONTENT}")
    frames: dict[str, Any] = {name: _table(folder / f"{name}.parquet", schema) for name, schema in SCHEMAS.items()}
    command, utime_ns = _truth(folder / "truth.json")
    return Tables(**frames, command=command, utime_ns=utime_ns)


def _table(path: Path, schema: np.dtype[Any]) -> Rows:
    if not path.exists():
        near = slip_of(path.name, (p.name for p in path.parent.iterdir()))
        hint = f"is it {near}?" if near else f"a recorded command's folder has {CONTENT}"
        raise InputError("the table is missing", file=path, hint=hint)
    try:
        table = parquet.read_file(path)
    except Exception as error:
        hint = "a whole Parquet file; copy it again"
        raise InputError(f"not a readable Parquet table: {str(error).splitlines()[0]}", file=path, hint=hint) from error
    columns = schema.names or ()
    for column in columns:
        if column not in table.column_names:
            near = slip_of(column, table.column_names)
            hint = f"is it {near}?" if near else "columns: " + ", ".join(columns)
            raise InputError(f"the column {column} is missing", file=path, hint=hint)
    rows = np.empty(table.num_rows, schema)
    for column in columns if len(rows) else ():
        rows[column] = _column(path, table, column, schema[column])
    if "order" in columns and not ((rows["order"] >= 0) & (rows["order"] <= LARGEST_ORDER)).all():
        raise InputError("an order out of range", file=path, hint=f"a folio has 2^0 to 2^{LARGEST_ORDER} pages")
    return rows[np.argsort(rows["time_ns"], kind="stable")]


def _column(path: Path, table: Table, name: str, kind: np.dtype[Any]) -> Any:
    """The values of a column, as what they are to be."""
    given = table.column(name)
    wanted = DataType.string() if kind == TEXT else getattr(DataType, kind.name)()
    try:
        values = given.cast(wanted)
        strangers = values.null_count - given.null_count  # what does not fit becomes null
    except Exception as error:
        raise InputError(f"a column of the wrong type: {name}: {str(error).splitlines()[0]}", file=path) from error
    if strangers:
        raise InputError(f"a column of the wrong type: {name} has {strangers} values that are no {kind}", file=path)
    if given.null_count and name not in MAY_BE_NULL:
        raise InputError(f"a value is missing (null) in the column {name}", file=path)
    return [text or "" for text in values.to_pylist()] if kind == TEXT else values.to_numpy()


def _truth(path: Path) -> tuple[tuple[str, ...], int | None]:
    """Command and CPU time; the file may be absent."""
    if not path.exists():
        return (), None
    try:
        truth = json.loads(path.read_text(encoding="utf-8"))
        command = tuple(str(word) for word in truth.get("cmd", ()))
        times = [run["rusage"]["utime_s"] for run in truth.get("runs", ()) if not run.get("perf")]
        return command, round(sum(times) / len(times) * 1e9) if times else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        hint = 'an object with "cmd" (a list) and "runs" (each with "perf" and "rusage": {"utime_s"})'
        raise InputError(f"can't be understood: {error!r}", file=path, hint=hint) from error
