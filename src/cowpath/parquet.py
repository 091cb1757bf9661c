"""Parquet files: the event log, recordings, and the tables that recordings are made from.

Arrow's own writer and reader in Rust do the work (arro3), 34 MB of it; pyarrow has 170 MB and polars 180 MB. Where they
cannot go on they may panic, which Rust prints on stderr: so nothing that goes wrong in a file of ours reaches them, and
a file of somebody else's is read by the one function that raises.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import numpy.typing as npt
from arro3.core import RecordBatchReader, Schema, Table
from arro3.io import read_parquet, read_parquet_async, write_parquet
from arro3.io.store import LocalStore


def read_file(path: Path) -> Table:
    """Read a file of anybody's. Raises Exception, and no other, for whatever is not a Parquet file."""

    import asyncio  # with what it brings, a twentieth of a small run's time

    async def read() -> Table:
        return await read_parquet_async(path.name, store=LocalStore(str(path.parent.resolve())))

    return asyncio.run(read())


def read_bytes(content: bytes) -> Table:
    """Read a file that is known to be whole. ``schema.metadata_str`` of the table is what was written with it."""
    return read_parquet(content).read_all()


def integers(table: Table, column: str) -> npt.NDArray[Any]:
    """A column of integers."""
    values = table.column(column)
    return values.to_numpy() if len(values) else np.empty(0, np.int64)  # which has no chunk to take the type from


def write(
    batches: Iterable[Any], schema: Schema, file: BinaryIO, *, level: int, rows: int,
    notes: Mapping[str, str] | None = None,
) -> None:  # fmt: skip
    """Write record batches as they come, in row groups of ``rows`` rows, compressed by zstd at this ``level``.

    The same batches give the same bytes. Whatever the batches or the file raise is raised here.
    """
    guarded = _Guarded(file)
    reader = RecordBatchReader.from_batches(schema, guarded.all(batches))
    write_parquet(
        reader, cast(BinaryIO, guarded), compression=f"zstd({level})", max_row_group_size=rows,
        key_value_metadata=None if notes is None else dict(notes),
    )  # fmt: skip
    if guarded.error is not None:
        raise guarded.error


class _Guarded(io.RawIOBase):
    """Batches and a file; after an error of either there are no more batches, and nothing more is written."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file
        self.error: BaseException | None = None

    def all(self, batches: Iterable[Any]) -> Iterator[Any]:
        """The batches, up to an error."""
        try:
            for batch in batches:
                if self.error is not None:
                    return
                yield batch
        except BaseException as error:
            self.error = error

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, content: Any) -> int:
        """Write, or pretend to."""
        if self.error is None:
            try:
                self._file.write(content)
            except BaseException as error:
                self.error = error
        return len(content)
