"""The event log as Parquet, written while the machine runs."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from cowpath.atomic import cannot_write, replacing
from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.kernel.books import event as event_dtype
from cowpath.observe.who import Events, Who

ROWS_AT_ONCE = 1 << 16  # of a row group: always the same, so that the file does not depend on the size of the blocks


class LogWriter:
    """Writes events to a Parquet file: ``time_ns, kind, cpu, task, comm, a, b, value, extra``.

    A context manager. The file gets its name at the end; after an error or Ctrl-C nothing is left behind. The same
    events give the same bytes. Raises InputError, with the file's name, where it cannot be written: if the folder
    does not let us, on entering, before any work is done.
    """

    def __init__(self, path: str | Path, comms: Sequence[str]) -> None:
        self.path = Path(path)
        self._comms = list(dict.fromkeys([*comms, ""]))
        place = {comm: i for i, comm in enumerate(self._comms)}
        self._comm_place = np.array([place[comm] for comm in [*comms, ""]], np.int64)  # NONE, the last, has no name
        self._events = np.zeros(ROWS_AT_ONCE, event_dtype)
        self._comm = np.zeros(ROWS_AT_ONCE, np.int32)
        self._rows = 0
        self._file = ExitStack()
        self._writer: Any = None

    def __enter__(self) -> LogWriter:
        import pyarrow as pa
        import pyarrow.parquet as pq

        text = pa.dictionary(pa.int32(), pa.string())
        columns = [("time_ns", pa.int64()), ("kind", text), ("cpu", pa.int16()), ("task", pa.int32()), ("comm", text)]
        columns += [("a", pa.int32()), ("b", pa.int32()), ("value", pa.int64()), ("extra", pa.int64())]
        self._schema = pa.schema(columns)
        try:
            temporary = self._file.enter_context(replacing(self.path))
            self._writer = pq.ParquetWriter(str(temporary), self._schema, compression="zstd")
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            raise self._problem(error) from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if error is not None:
            self._drop(error)
            return
        try:
            self._write_rows()
            self._writer.close()
            self._file.close()
        except (OSError, InputError) as failure:
            self._drop(failure)
            raise failure if isinstance(failure, InputError) else self._problem(failure) from failure

    def add(self, events: Events, who: Who) -> None:
        """Take a block of the log and whom its events are about."""
        start = 0
        while start < len(events):
            count = min(len(events) - start, ROWS_AT_ONCE - self._rows)
            rows, block = slice(self._rows, self._rows + count), slice(start, start + count)
            self._events[rows] = events[block]
            self._comm[rows] = self._comm_place[who.comm[block]]
            self._rows += count
            start += count
            if self._rows == ROWS_AT_ONCE:
                self._write_rows()

    def _write_rows(self) -> None:
        import pyarrow as pa

        if not self._rows:
            return
        events = self._events[: self._rows]
        arrays = {field: pa.array(np.ascontiguousarray(events[field])) for field in ("cpu", "task", "a", "b", "value")}
        arrays["time_ns"] = pa.array(np.ascontiguousarray(events["time"]))
        arrays["extra"] = pa.array(np.ascontiguousarray(events["extra"]))
        kinds = events["kind"].astype(np.int32)
        arrays["kind"] = pa.DictionaryArray.from_arrays(pa.array(kinds), pa.array(n.EVENT_NAMES))
        arrays["comm"] = pa.DictionaryArray.from_arrays(pa.array(self._comm[: self._rows]), pa.array(self._comms))
        try:
            self._writer.write_table(pa.table(arrays, schema=self._schema), row_group_size=ROWS_AT_ONCE)
        except OSError as error:
            raise self._problem(error) from error
        self._rows = 0

    def _problem(self, error: Exception) -> InputError:
        return cannot_write(self.path, error, "the log")

    def _drop(self, error: BaseException) -> None:
        """Leave nothing behind."""
        with contextlib.suppress(Exception):  # closing writes the footer: on a full disk it fails, and need not work
            self._writer.close()
        with contextlib.suppress(BaseException):
            self._file.__exit__(type(error), error, None)
