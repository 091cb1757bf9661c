"""What a file seems to be, by its content: one that can be imported, or one that another command reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from cowpath.errors import InputError
from cowpath.programs.reading.account import Reading
from cowpath.programs.reading.ftrace import LINE as FTRACE_LINE
from cowpath.programs.reading.ftrace import read_ftrace
from cowpath.programs.reading.lackey import LINE as LACKEY_LINE
from cowpath.programs.reading.lackey import read_lackey
from cowpath.programs.reading.oracle_general import ZSTD, read_oracle_general, seems_oracle_general
from cowpath.programs.reading.perf_data import read_perf_data
from cowpath.programs.reading.perf_script import LINE as PERF_LINE
from cowpath.programs.reading.perf_script import read_perf_script
from cowpath.programs.recording import Recording

HEAD = 1 << 16  # bytes that are looked at
LINES = 100  # of them
Opener = Callable[[Path], AbstractContextManager[Iterable[str]]]
Reader = Callable[[Path, str, Opener], Reading | Recording]


@dataclass(frozen=True)
class Kind:
    """A kind of file. Without a reader, ``instead`` says what to do with it."""

    what: str
    begins: tuple[bytes, ...] = ()  # what the file begins with
    lines: re.Pattern[str] | None = None  # or what a line of it looks like
    test: Callable[[bytes], bool] | None = None  # or what tells its beginning
    read: Reader | None = None
    instead: str = ""
    sure: bool = False  # one such line is enough
    otherwise: bool = False  # or any number of them, if it is nothing else


def open_text(path: Path) -> AbstractContextManager[Iterable[str]]:
    """A file's lines. Bytes that are no UTF-8 become question marks."""
    return path.open(encoding="utf-8", errors="replace")


def text_reader(read: Callable[[Iterable[str], str, str], Reading]) -> Reader:
    """A reader of a text's lines as a reader of a file."""

    def reader(path: Path, name: str, opened: Opener) -> Reading:
        with opened(path) as lines:
            return read(lines, name, str(path))

    return reader


def file_reader(read: Callable[[Path, str], Reading | Recording]) -> Reader:
    """A reader that opens the file itself."""
    return lambda path, name, _: read(path, name)


RUN = "cowpath run FILE"
DIAGNOSE = "cowpath diagnose FILE"
DECOMPRESS = "decompress it, then import what comes out"
OOM = re.compile(r".*\b(invoked oom-killer:|oom-kill:constraint=|[Oo]ut of memory: Kill)")
STACK = re.compile(r".*(\bsysrq: |\btask:\S+ +state:|\bINFO: task |\bCall Trace:|\b[\w.]+\+0x[0-9a-f]+/0x[0-9a-f]+)")
FAULT = re.compile(r".*\berror_code=0x[0-9a-f]")
SESSION = re.compile(r"(sudo )?(cgcreate|cgset|cgexec|systemd-run|mkdir /sys/fs/cgroup)\b")
KINDS = (
    Kind("a recording", (b"cowpath recording ",), instead='a program table takes it as it is: recording = "FILE"'),
    Kind("one Parquet table", (b"PAR1",), instead="name the folder that holds all five tables"),
    Kind("trace-cmd's trace.dat", (b"\x17\x08Dtracing",), instead="trace-cmd report -i FILE > TEXT, then import TEXT"),
    Kind("compressed", (b"\x1f\x8b", b"\xfd7zXZ", b"BZh"), instead=DECOMPRESS),
    Kind("a program", (b"\x7fELF",), instead="cowpath record -- FILE runs and records it"),
    Kind("a shell script", (b"#!",), instead=RUN),
    Kind("perf.data", (b"PERFILE2",), read=file_reader(read_perf_data)),
    Kind("oracleGeneral", (ZSTD,), test=seems_oracle_general, read=file_reader(read_oracle_general)),
    Kind("ftrace's text", lines=FTRACE_LINE, read=text_reader(read_ftrace)),
    Kind("perf script's text", lines=PERF_LINE, read=text_reader(read_perf_script)),
    Kind("lackey's text", lines=LACKEY_LINE, read=text_reader(read_lackey)),
    Kind(
        "page faults without time or event",
        lines=FAULT,
        instead="perf script -F comm,tid,time,event,trace",
        otherwise=True,
    ),
    Kind("a report of the OOM killer", lines=OOM, instead=DIAGNOSE, sure=True),
    Kind("a kernel's log with stacks of tasks", lines=STACK, instead=DIAGNOSE),
    Kind("a pod", lines=re.compile(r"(apiVersion|kind): "), instead=RUN),
    Kind("a compose file", lines=re.compile(r"services:\s*$"), instead=RUN),
    Kind("a systemd unit", lines=re.compile(r"\[(Service|Unit|Slice|Scope)\]\s*$"), instead=RUN),
    Kind("a session", lines=SESSION, instead=RUN),
)


def importable() -> str:
    """The kinds that can be imported, for messages."""
    return ", ".join(kind.what for kind in KINDS if kind.read)


def read(path: Path, name: str, opened: Opener = open_text) -> Reading | Recording:
    """Read a file of whatever kind it is; ``opened`` opens a text.

    Raises InputError that says what it seems to be, if it cannot be imported.
    """
    kind = kind_of(path)
    if kind is None:
        raise InputError(
            "no file that can be imported", file=path, hint=f"these can: a folder of tables, {importable()}"
        )
    if kind.read is None:
        instead = kind.instead.replace("FILE", str(path))
        raise InputError(f"it seems to be {kind.what}, which can't be imported", file=path, hint=instead)
    return kind.read(path, name, opened)


def check_folder(folder: Path) -> None:
    """Raise InputError if a folder is a (copy of a) control group's, not one of tables."""
    if any(True for kept in ("memory.current", "memory.usage_in_bytes") for _ in folder.rglob(kept)):
        problem = "it seems to be a control group's folder, which can't be imported"
        raise InputError(problem, file=folder, hint=f"cowpath from-cgroup {folder}")


def kind_of(path: Path, kinds: Sequence[Kind] = KINDS) -> Kind | None:
    """What a file is: by what it begins with, else by the kind of which it has most lines. Raises InputError."""
    if not path.is_file():
        raise InputError("not a regular file", file=path, hint="what comes from a pipe is to be in a file first")
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise InputError(f"can't be read: {reason}", file=path) from error
    if not head:
        raise InputError(
            "the file is empty", file=path, hint=f"these can be imported: a folder of tables, {importable()}"
        )
    for kind in kinds:
        if head.startswith(kind.begins or b"\0never"):
            return kind
    for kind in kinds:
        if kind.test is not None and b"\0" in head and kind.test(head):
            return kind
    lines = head.decode("utf-8", errors="replace").splitlines()[:LINES]
    counts = [_count(kind, lines) for kind in kinds]
    return kinds[counts.index(max(counts))] if max(counts) else None


def _count(kind: Kind, lines: list[str]) -> float:
    """How many lines say that it is this kind."""
    if kind.lines is None:
        return 0
    found = sum(kind.lines.match(line) is not None for line in lines)
    if kind.sure and found:
        return len(lines) + 1
    return min(found, 0.5) if kind.otherwise else found
