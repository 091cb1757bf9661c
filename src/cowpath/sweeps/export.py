"""A sweep's points as Parquet, CSV or JSON Lines: a row per point."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from cowpath.atomic import cannot_write, check_target, replacing
from cowpath.errors import InputError

from .measures import flat
from .store import Row, Sweep
from .values import as_number

BEFORE, BEHIND = ("design", "seed", "status"), ("error", "version", "wall_s", "ended_at", "id")


def row_of(sweep: Sweep, row: Row) -> dict[str, Any]:
    """A point: the values, then design, seed and status, its figures, and how it came here."""
    return {
        **dict(zip(sweep.names, row.values, strict=True)),
        **{name: getattr(row, name) for name in BEFORE},
        **flat(row.result),
        **{name: getattr(row, name) for name in BEHIND},
    }


def columns_of(sweep: Sweep, rows: Iterable[Row]) -> dict[str, list[Any]]:
    """The rows by column; None where a row has no such figure."""
    made = [row_of(sweep, row) for row in rows]
    names = dict.fromkeys([*sweep.names, *BEFORE])
    for each in made:
        names.update(dict.fromkeys(name for name in each if name not in BEHIND))
    names.update(dict.fromkeys(BEHIND))
    return {name: _alike([each.get(name) for each in made], name in sweep.names) for name in names}


def _alike(values: list[Any], is_input: bool) -> list[Any]:
    """Values of an input as numbers if all are: sizes in bytes, times in seconds."""
    if not is_input:
        return values
    numbers = [None if value is None else as_number(value) for value in values]
    return values if any(number is None for number in numbers) else numbers


def write(target: Path, sweep: Sweep, rows: Iterable[Row]) -> None:
    """By the file's ending: .parquet, .csv or .jsonl, whole or not at all. Raises InputError."""
    if target.suffix not in WRITERS:
        raise InputError("not a format of rows", file=target, hint=f"FILE{', FILE'.join(WRITERS)}")
    check_target(target)
    try:
        with replacing(target) as temporary:
            WRITERS[target.suffix](temporary, sweep, rows)
    except (OSError, ValueError) as error:
        raise cannot_write(target, error) from None


def _jsonl(file: Path, sweep: Sweep, rows: Iterable[Row]) -> None:
    """Each point with its whole run: the object that ``cowpath run --json`` prints."""
    with file.open("w", encoding="utf-8") as lines:
        for row in rows:
            told = {
                "values": dict(zip(sweep.names, row.values, strict=True)),
                **{name: getattr(row, name) for name in (*BEFORE, *BEHIND)},
                "result": row.result,
            }
            lines.write(json.dumps(told) + "\n")


def _csv(file: Path, sweep: Sweep, rows: Iterable[Row]) -> None:
    columns = columns_of(sweep, rows)
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def _parquet(file: Path, sweep: Sweep, rows: Iterable[Row]) -> None:
    from arro3.core import Array, DataType, Field, RecordBatch, Schema

    from cowpath import parquet

    columns = columns_of(sweep, rows)
    kinds = {name: _kind(values) for name, values in columns.items()}
    types = {str: DataType.string(), int: DataType.int64(), float: DataType.float64(), bool: DataType.bool()}
    schema = Schema([Field(name, types[kind]) for name, kind in kinds.items()])

    def batches() -> Iterator[Any]:
        arrays = [
            Array([None if value is None else kinds[name](value) for value in values], types[kinds[name]])
            for name, values in columns.items()
        ]
        yield RecordBatch.from_arrays(arrays, schema=schema)

    with file.open("wb") as binary:
        parquet.write(batches(), schema, binary, level=3, rows=1 << 16, notes={"cowpath sweep": sweep.id})


def _kind(values: list[Any]) -> type:
    """What all values of a column are."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int} and kinds:
        return int
    if kinds <= {int, float} and kinds:
        return float
    return kinds.pop() if len(kinds) == 1 and kinds <= {str, bool} else str


Writer = Callable[[Path, Sweep, Iterable[Row]], None]
WRITERS: dict[str, Writer] = {
    ".parquet": _parquet,
    ".csv": _csv,
    ".jsonl": _jsonl,
}
