"""What a file seems to be, by its content: one that can be imported, or one that another command reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cowpath.errors import InputError
from cowpath.programs.reading.account import Reading
from cowpath.programs.reading.perf_script import LINE as PERF_LINE
from cowpath.programs.reading.perf_script import read_perf_script

HEAD = 1 << 16  # bytes that are looked at
Reader = Callable[[Path, str], Reading]


@dataclass(frozen=True)
class Kind:
    """A kind of file. Without a reader, ``instead`` says what to do with it."""

    what: str
    begins: tuple[bytes, ...] = ()  # what the file begins with
    lines: re.Pattern[str] | None = None  # or what a line of it looks like
    read: Reader | None = None
    instead: str = ""
    sure: bool = False  # one such line is enough


def text_reader(read: Callable[..., Reading]) -> Reader:
    """A reader of a text's lines as a reader of a file. Bytes that are no UTF-8 become question marks."""

    def reader(path: Path, name: str) -> Reading:
        with path.open(encoding="utf-8", errors="replace") as lines:
            return read(lines, name, str(path))

    return reader


RUN = "cowpath run FILE"
DIAGNOSE = "cowpath diagnose FILE"
DECOMPRESS = "decompress it, then import what comes out"
OOM = re.compile(r".*\b(invoked oom-killer:|oom-kill:constraint=|[Oo]ut of memory: Kill)")
STACK = re.compile(r".*(\bsysrq: |\btask:\S+ +state:|\bINFO: task |\bCall Trace:|\b[\w.]+\+0x[0-9a-f]+/0x[0-9a-f]+)")
SESSION = re.compile(r"(sudo )?(cgcreate|cgset|cgexec|systemd-run|mkdir /sys/fs/cgroup)\b")
KINDS = (
    Kind("a recording", (b"cowpath recording ",), instead='a program table takes it as it is: recording = "FILE"'),
    Kind("one Parquet table", (b"PAR1",), instead="name the folder that holds all five tables"),
    Kind("trace-cmd's trace.dat", (b"\x17\x08Dtracing",), instead="trace-cmd report -i FILE > TEXT, then import TEXT"),
    Kind("compressed", (b"\x1f\x8b", b"\xfd7zXZ", b"BZh"), instead=DECOMPRESS),
    Kind("a program", (b"\x7fELF",), instead="cowpath record -- FILE runs and records it"),
    Kind("a shell script", (b"#!",), instead=RUN),
    Kind("perf script's text", lines=PERF_LINE, read=text_reader(read_perf_script)),
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


def read(path: Path, name: str) -> Reading:
    """Read a file of whatever kind it is. Raises InputError that says what it seems to be, if it cannot be imported."""
    kind = kind_of(path)
    if kind is None:
        raise InputError(
            "no file that can be imported", file=path, hint=f"these can: a folder of tables, {importable()}"
        )
    if kind.read is None:
        instead = kind.instead.replace("FILE", str(path))
        raise InputError(f"it seems to be {kind.what}, which can't be imported", file=path, hint=instead)
    return kind.read(path, name)


def kind_of(path: Path, kinds: Sequence[Kind] = KINDS) -> Kind | None:
    """What a file is: by what it begins with, else by the kind of which it has most lines. Raises InputError."""
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
    lines = head.decode("utf-8", errors="replace").splitlines()
    counts = [_count(kind, lines) for kind in kinds]
    return kinds[counts.index(max(counts))] if max(counts) else None


def _count(kind: Kind, lines: list[str]) -> int:
    """How many lines say that it is this kind."""
    if kind.lines is None:
        return 0
    found = sum(kind.lines.match(line) is not None for line in lines)
    return len(lines) + 1 if kind.sure and found else found
