"""The tables of one recorded command, read and checked; what they mean stands in docs/recordings.md."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from cowpath.errors import InputError
from cowpath.words import slip_of

TIMES = {"time_ns": pl.Int64, "pid": pl.Int32, "tid": pl.Int32}
SCHEMAS: dict[str, dict[str, Any]] = {
    "faults": TIMES | {"cpu": pl.Int8, "addr": pl.UInt64, "err": pl.UInt8},
    "procs": TIMES | {"kind": pl.String, "ppid": pl.Int32, "comm": pl.String},
    "maps": TIMES
    | {"addr": pl.UInt64, "len": pl.UInt64, "pgoff": pl.UInt64, "ino": pl.UInt64, "prot": pl.Int32, "flags": pl.Int32,
       "filename": pl.String},
    "vmcalls": TIMES
    | {"dur_ns": pl.Int64, "call": pl.String, "a0": pl.UInt64, "a1": pl.UInt64, "a2": pl.UInt64, "a3": pl.UInt64,
       "a5": pl.UInt64, "ret": pl.Int64},
    "pagecache": TIMES | {"delta": pl.Int8, "ino": pl.UInt64, "dev": pl.UInt32, "index": pl.UInt64, "order": pl.Int8},
}  # fmt: skip
LARGEST_ORDER = 18  # 1 GiB
CONTENT = ", ".join(f"{name}.parquet" for name in SCHEMAS)


@dataclass(frozen=True)
class Tables:
    """A recorded command's tables, each in order of time, and what truth.json says about the whole."""

    faults: pl.DataFrame
    procs: pl.DataFrame
    maps: pl.DataFrame
    vmcalls: pl.DataFrame
    pagecache: pl.DataFrame
    command: tuple[str, ...]
    utime_ns: int | None  # CPU time in user mode: the mean of the runs without perf, or None if not known


def read_tables(folder: Path) -> Tables:
    """Read a folder. Raises InputError that names the file (and the column) that is missing or can't be read."""
    if not folder.is_dir():
        problem = "not a folder" if folder.exists() else "no such folder"
        raise InputError(problem, file=folder, hint=f"cowpath import takes a folder with {CONTENT}")
    frames = {name: _table(folder / f"{name}.parquet", schema) for name, schema in SCHEMAS.items()}
    command, utime_ns = _truth(folder / "truth.json")
    return Tables(**frames, command=command, utime_ns=utime_ns)


def _table(path: Path, schema: dict[str, Any]) -> pl.DataFrame:
    if not path.exists():
        near = slip_of(path.name, (p.name for p in path.parent.iterdir()))
        hint = f"is it {near}?" if near else f"a recorded command's folder has {CONTENT}"
        raise InputError("the table is missing", file=path, hint=hint)
    try:
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        hint = "a whole Parquet file; copy it again"
        raise InputError(f"not a readable Parquet table: {str(error).splitlines()[0]}", file=path, hint=hint) from error
    for column in schema:
        if column not in frame.columns:
            near = slip_of(column, frame.columns)
            hint = f"is it {near}?" if near else "columns: " + ", ".join(schema)
            raise InputError(f"the column {column} is missing", file=path, hint=hint)
    try:
        frame = frame.select(pl.col(column).cast(kind) for column, kind in schema.items())
    except pl.exceptions.PolarsError as error:
        raise InputError(f"a column of the wrong type: {str(error).splitlines()[0]}", file=path) from error
    if any(frame[column].null_count() for column in schema if column not in ("comm", "filename")):
        raise InputError("a value is missing (null)", file=path)
    if "order" in schema and not frame["order"].is_between(0, LARGEST_ORDER).all():
        raise InputError("an order out of range", file=path, hint=f"a folio has 2^0 to 2^{LARGEST_ORDER} pages")
    return frame.with_columns(pl.col(pl.String).fill_null("")).sort("time_ns", maintain_order=True)


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
