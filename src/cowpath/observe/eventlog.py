"""The event log as Parquet."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from arro3.core import Array, DataType, Field, RecordBatch, Schema

from cowpath import parquet
from cowpath.kernel import names as n
from cowpath.kernel.books import event
from cowpath.observe.named_last import NamedLast
from cowpath.observe.who import Events, Who

if TYPE_CHECKING:
    from cowpath.observe.watch import Journal

ROWS_AT_ONCE = 1 << 16  # of a row group: always the same, so that the file does not depend on the size of the blocks
LEVEL = 1  # of zstd
ROW = np.dtype([(name, event[name]) for name in event.names or ()] + [("comm", np.int32)])  # packed
NAMES = DataType.dictionary(DataType.int32(), DataType.string())
SCHEMA = Schema([
    Field("time_ns", DataType.int64()), Field("kind", NAMES), Field("cpu", DataType.int16()),
    Field("task", DataType.int32()), Field("comm", NAMES), Field("a", DataType.int32()), Field("b", DataType.int32()),
    Field("value", DataType.int64()), Field("extra", DataType.int64()),
])  # fmt: skip


class LogWriter(NamedLast):
    """Writes events to a Parquet file: ``time_ns, kind, cpu, task, comm, a, b, value, extra``.

    Events wait in a file without a name, as they are, until the end: a Parquet file is written in one go. The same
    events give the same bytes.
    """

    WHAT = "the log"

    def __init__(self, path: str | Path, comms: Sequence[str], journal: Journal | None = None) -> None:
        super().__init__(Path(path))
        self._journal = journal  # stays after an error: a run goes on from it
        self._comms = list(dict.fromkeys([*comms, ""]))
        place = {comm: i for i, comm in enumerate(self._comms)}
        self._comm_place = np.array([place[comm] for comm in [*comms, ""]], np.int32)  # NONE, the last, has no name
        self._file: BinaryIO
        self._waiting: Any = None

    def _open(self, files: ExitStack) -> None:
        self._file = files.enter_context(self._temporary.open("wb"))
        self._waiting = files.enter_context(self._place())

    def _finish(self) -> None:
        self._waiting.seek(0)
        parquet.write(self._batches(), SCHEMA, self._file, level=LEVEL, rows=ROWS_AT_ONCE)

    def _place(self) -> Any:
        """Where events wait."""
        if self._journal is None:
            return tempfile.TemporaryFile(dir=self.path.parent)
        file = self._journal.file.open("r+b" if self._journal.kept else "w+b")
        file.truncate(self._journal.kept)
        file.seek(self._journal.kept)
        return file

    def sync(self) -> int:
        """All of them so far are on the disk: how many bytes they are."""
        try:
            self._waiting.flush()
            os.fsync(self._waiting.fileno())
        except OSError as error:
            raise self.problem(error) from error
        return int(self._waiting.tell())

    def add(self, events: Events, who: Who) -> None:
        """Take a block of the log and whom its events are about."""
        rows = np.empty(len(events), ROW)
        for name in event.names or ():
            rows[name] = events[name]
        rows["comm"] = self._comm_place[who.comm]
        try:
            self._waiting.write(rows.tobytes())
        except OSError as error:
            raise self.problem(error) from error

    def _batches(self) -> Iterator[RecordBatch]:
        """What has been added, cut anew."""
        kinds, comms = (Array(list(names), DataType.string()).cast(NAMES) for names in (n.EVENT_NAMES, self._comms))
        while content := self._waiting.read(ROWS_AT_ONCE * ROW.itemsize):
            rows = np.frombuffer(content, ROW)
            column = {name: Array.from_numpy(np.ascontiguousarray(rows[name])) for name in rows.dtype.names or ()}
            arrays = [
                column["time"], kinds.take(Array.from_numpy(rows["kind"].astype(np.int32))), column["cpu"],
                column["task"], comms.take(column["comm"]), column["a"], column["b"], column["value"], column["extra"],
            ]  # fmt: skip
            yield RecordBatch.from_arrays(arrays, schema=SCHEMA)
