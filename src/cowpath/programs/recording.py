"""One recorded command as one file: what it holds, how it is written and how it is read.

A file has two lines of text (the format's version, and the SHA-256 of all that follows) and then a zstd Parquet table
with one row per instruction; its key-value metadata holds the tables of processes, files and names as JSON. Nothing is
parsed before the digest is right, so a damaged file is always told from a good one.

In the table an OP_COMPUTE is not a row of its own but the column ``ns`` of the row that follows it: half the rows, and
far better compression.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from arro3.core import Array, DataType, Field, RecordBatch, Schema, Table

from cowpath import parquet
from cowpath.atomic import replacing
from cowpath.errors import InputError
from cowpath.kernel import books
from cowpath.kernel import names as n
from cowpath.programs.code import Ops

VERSION = 1
SUFFIX = ".recording"
MAGIC = b"cowpath recording "
METADATA_KEY = "cowpath"
COLUMNS = ("code", "bits", "a", "b", "c", "d")
SCHEMA = Schema([
    *(Field(name, getattr(DataType, books.op[name].name)()) for name in COLUMNS), Field("ns", DataType.int64()),
])  # fmt: skip
LEVEL = 19  # of zstd
ROWS_AT_ONCE = 1 << 20
RECORDED_CODES = frozenset((
    n.OP_COMPUTE, n.OP_TOUCH, n.OP_MMAP, n.OP_MUNMAP, n.OP_READ, n.OP_WRITE, n.OP_TRUNCATE, n.OP_FORK, n.OP_EXEC,
    n.OP_WAIT, n.OP_COMPLETE, n.OP_AWAIT,
))  # fmt: skip
CACHE_SEEN = "page cache seen"  # in a recording's origin: True if all that came into the page cache was recorded
# How often an OP_TOUCH of a recording touches its page (``b``; its stride ``c`` is 0). After a touch of one page the
# machine's reuse rule goes back to earlier ones; where all uses of pages are recorded, it is to add none.
ONCE, ALL_KNOWN = 1, 2
WRONG_VERSION_HINT = "make it again with: cowpath import FILE"


class Readable(Protocol):
    """A path, or a resource of the package."""

    def read_bytes(self) -> bytes:
        """The whole content."""
        ...


@dataclass(frozen=True)
class RecordedFile:
    """A file that the command used. ``pages`` is its size at the start, ``room`` the most that it grew to."""

    name: str
    pages: int
    room: int
    shmem: bool = False
    warm: bool = False  # it was in the page cache already


@dataclass(frozen=True)
class Process:
    """A recorded task: a process, or a thread (``leader`` is then its process, else NONE).

    Its instructions are rows ``first`` to ``last - 1`` of the recording's. Times are ns since the recording's start.
    """

    parent: int  # number of the process that forked it, or NONE for the command itself
    leader: int
    comm: str  # when it ended
    start_ns: int
    end_ns: int
    first: int
    last: int


@dataclass(frozen=True)
class Recording:
    """A recorded process tree. Process 0 is the command itself.

    ``ops`` are instructions as in ``kernel.names``, with the numbers of files and comms of this recording, and with
    two differences: OP_FORK's and OP_AWAIT's ``a`` is the number of a *process*; OP_EXEC's ``a`` is unused (it goes on
    with the next instruction). An OP_WAIT with ``bits`` 1 waits for a thread. The end of a process (waiting for its
    children, OP_EXIT) is left to whoever compiles it. An OP_TOUCH is a first touch (``b`` is ONCE), or one of all the
    uses of its page (ALL_KNOWN).
    """

    name: str
    command: tuple[str, ...]
    ops: Ops
    processes: tuple[Process, ...]
    files: tuple[RecordedFile, ...]
    comms: tuple[str, ...]
    facts: Mapping[str, int] = field(default_factory=dict)  # how it was made: rows read, dropped, rules' constants
    origin: Mapping[str, Any] = field(
        default_factory=dict
    )  # what it was made from, JSON: "format", "gaps", "instead" ...

    @property
    def knows_cache(self) -> bool:
        """Whether sessions start with those files in the page cache that were there when it was recorded."""
        return bool(self.origin.get(CACHE_SEEN))

    def ops_of(self, process: int) -> Ops:
        """The instructions of one process."""
        entry = self.processes[process]
        return self.ops[entry.first : entry.last]

    def children_of(self, process: int) -> tuple[int, ...]:
        """The processes and threads that a process forked, in order of time."""
        return tuple(child for child, entry in enumerate(self.processes) if entry.parent == process)


def to_bytes(recording: Recording) -> bytes:
    """The content of a recording's file. The same recording always gives the same bytes."""
    tables = {
        "name": recording.name,
        "command": recording.command,
        "processes": [list(asdict(process).values()) for process in recording.processes],
        "files": [list(asdict(file).values()) for file in recording.files],
        "comms": recording.comms,
        "facts": dict(sorted(recording.facts.items())),
    }
    if recording.origin:
        tables["origin"] = dict(recording.origin)
    out = io.BytesIO()
    notes = {METADATA_KEY: json.dumps(tables)}
    parquet.write([_fold(recording.ops)], SCHEMA, out, level=LEVEL, rows=ROWS_AT_ONCE, notes=notes)
    body = out.getvalue()
    return MAGIC + f"{VERSION}\n{hashlib.sha256(body).hexdigest()}\n".encode() + body


def write(recording: Recording, path: str | Path) -> None:
    """Write the file at once or not at all. Raises InputError where the place can't be written to."""
    target = Path(path)
    content = to_bytes(recording)
    try:
        with replacing(target) as temporary:
            temporary.write_bytes(content)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise InputError(f"can't write the recording: {reason}", file=target) from error


def load(path: Readable) -> Recording:
    """Read a recording. Raises InputError for whatever is not a whole, unharmed file of this version."""
    try:
        content = path.read_bytes()
    except OSError as error:
        hint = "cowpath import FILE makes one"
        raise InputError(f"can't read the recording: {error.strerror or error}", file=str(path), hint=hint) from error
    return from_bytes(content, str(path))


def from_bytes(content: bytes, source: str) -> Recording:
    """What ``load`` does; ``source`` is named in errors."""
    body = _checked_body(content, source)
    try:
        # Parquet's own checks come after the digest's: what fails here was never written by to_bytes()
        table = parquet.read_bytes(body)
        tables = json.loads(table.schema.metadata_str[METADATA_KEY])
        recording = Recording(
            name=str(tables["name"]),
            command=tuple(tables["command"]),
            ops=_ops(table),
            processes=tuple(Process(*row) for row in tables["processes"]),
            files=tuple(RecordedFile(*row) for row in tables["files"]),
            comms=tuple(tables["comms"]),
            facts=tables["facts"],
            origin=tables.get("origin", {}),
        )
        _check(recording)
    except Exception as error:
        raise InputError(f"not a recording's tables: {error}", file=source, hint=WRONG_VERSION_HINT) from error
    return recording


def _checked_body(content: bytes, source: str) -> bytes:
    first, _, rest = content.partition(b"\n")
    digest, _, body = rest.partition(b"\n")
    if not first.startswith(MAGIC):
        if MAGIC.startswith(content[: len(MAGIC)]):
            raise InputError("the recording is cut off at its start", file=source, hint=WRONG_VERSION_HINT)
        hint = f"a recording begins with the line '{(MAGIC + str(VERSION).encode()).decode()}'; {WRONG_VERSION_HINT}"
        raise InputError("not a recording", file=source, line=1, hint=hint)
    version = first[len(MAGIC) :].decode("ascii", "replace")
    if version != str(VERSION):
        problem = f"a recording of format {version!r}; this cowpath reads format {VERSION}"
        raise InputError(problem, file=source, line=1, hint=WRONG_VERSION_HINT)
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise InputError("the recording is damaged or cut off: its checksum is wrong", file=source, line=2,
                         hint=WRONG_VERSION_HINT)  # fmt: skip
    return body


def _fold(ops: Ops) -> RecordBatch:
    """The table's rows: each OP_COMPUTE becomes ``ns`` of the next row, if that is not one itself."""
    compute = ops["code"] == n.OP_COMPUTE
    folded = compute & ~np.append(compute[1:], True)
    ns = np.where(np.append(False, folded[:-1]), np.roll(ops["a"], 1), 0)[~folded]
    kept = ops[~folded]
    columns = [*(np.ascontiguousarray(kept[name]) for name in COLUMNS), ns]
    return RecordBatch.from_arrays([Array.from_numpy(column) for column in columns], schema=SCHEMA)


def _ops(table: Table) -> Ops:
    """The instructions of the table's rows; the inverse of ``_fold``."""
    ns = parquet.integers(table, "ns")
    at = np.arange(len(ns)) + np.cumsum(ns > 0)
    ops = np.zeros(len(ns) + int((ns > 0).sum()), dtype=books.op)
    for name in COLUMNS:
        ops[name][at] = parquet.integers(table, name)
    before = at[ns > 0] - 1
    ops["code"][before] = n.OP_COMPUTE
    ops["a"][before] = ns[ns > 0]
    return ops


def _check(recording: Recording) -> None:
    """Every reference leads somewhere. Raises ValueError."""
    ops, end = recording.ops, 0
    for number, process in enumerate(recording.processes):
        if process.first != end or process.last < end or not n.NONE <= process.parent < max(number, 1):
            raise ValueError(f"process {number} has impossible rows or a parent that comes later")
        end = process.last
    if not recording.processes or end != len(ops):
        raise ValueError("the processes don't account for every instruction")
    if not set(np.unique(ops["code"]).tolist()) <= RECORDED_CODES:
        raise ValueError("an instruction that no recording has")
    _check_range("process", ops["a"][ops["code"] == n.OP_FORK], 1, len(recording.processes))
    _check_range("process", ops["a"][ops["code"] == n.OP_AWAIT], 0, len(recording.processes))
    _check_range("file", ops["c"][ops["code"] == n.OP_MMAP], n.NONE, len(recording.files))
    reads = np.isin(ops["code"], (n.OP_READ, n.OP_WRITE, n.OP_TRUNCATE))
    _check_range("file", ops["a"][reads], 0, len(recording.files))
    _check_range("name", ops["c"][np.isin(ops["code"], (n.OP_FORK, n.OP_EXEC))], 0, len(recording.comms))


def _check_range(what: str, values: Any, low: int, high: int) -> None:
    if len(values) and not (low <= int(values.min()) and int(values.max()) < high):
        raise ValueError(f"an instruction speaks of a {what} that is not there")
