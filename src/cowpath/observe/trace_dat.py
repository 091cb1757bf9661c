"""trace.dat, version 6: the file that trace-cmd and KernelShark read (trace-cmd.dat.v6(5)).

Its records are those of the kernel's ring buffer, in pages, by CPU (include/linux/ring_buffer.h): a time as what has
passed since the record before, in 27 bits, or as much more as a time extension of two words has room for.
"""

from __future__ import annotations

import shutil
import struct
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import IO, Any

from cowpath.observe.ftrace_events import MARKER, MARKER_AT, PRINT, TRACEPOINTS, Tracepoint
from cowpath.observe.ftrace_file import FtraceFile

PAGE = 4096
PAGE_HEAD = 16  # time, and how many bytes are in use
ROOM = PAGE - PAGE_HEAD
HEADER_PAGE = f"""\
\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;
\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;
\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;
\tfield: char data;\toffset:16;\tsize:{ROOM};\tsigned:0;
"""
HEADER_EVENT = """\
# compressed entry header
\ttype_len    :    5 bits
\ttime_delta  :   27 bits
\tarray       :   32 bits

\tpadding     : type == 29
\ttime_extend : type == 30
\ttime_stamp : type == 31
\tdata max type_len  == 28
"""
DELTA_BITS = 27
TIME_EXTEND = 30
LONGEST = 28 * 4  # bytes of a record whose length is in its head
DONE, UNAME, TRACECLOCK = 0, 5, 4  # options


class DatFile(FtraceFile):
    """A ring buffer per CPU. ``machine`` is told of as uname's words."""

    def __init__(self, path: Path, machine: str) -> None:
        super().__init__(path)
        self._machine = machine

    def begin(self, cpus: int) -> None:
        """Each CPU has pages of its own."""
        self._buffers = [_Pages(self.waiting()) for _ in range(cpus)]

    def record(self, time: int, cpu: int, pid: int, comm: str, what: Tracepoint, values: tuple[Any, ...]) -> None:
        """Into the buffer of its CPU."""
        self._buffers[cpu].add(time, what.record(pid, values))

    def finish(self, comms: dict[int, str]) -> None:
        """Put the buffers behind the head, each at the beginning of a page."""
        for buffer in self._buffers:
            buffer.flush()
        with self._temporary.open("wb") as whole:
            whole.write(_head(comms, self._machine, len(self._buffers)))
            begin = _aligned(whole.tell() + 16 * len(self._buffers))
            for buffer in self._buffers:
                whole.write(struct.pack("<QQ", begin, buffer.size))
                begin += buffer.size
            whole.write(bytes(_aligned(whole.tell()) - whole.tell()))
            for buffer in self._buffers:
                buffer.file.seek(0)
                shutil.copyfileobj(buffer.file, whole)


def _aligned(place: int) -> int:
    """The beginning of the next page."""
    return -(-place // PAGE) * PAGE


class _Pages:
    """The ring buffer of a CPU, page by page."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.size = 0  # bytes of whole pages
        self._begun = self._last = 0  # times: of the page, and of the last record
        self._data = bytearray()

    def add(self, time: int, record: bytes) -> None:
        """A record, of whole words."""
        length = len(record) + (4 if len(record) <= LONGEST else 8)
        if len(self._data) + 8 + length > ROOM:
            self.flush()
        if not self._data:
            self._begun = self._last = time
        delta = time - self._last
        if delta >> DELTA_BITS:
            self._data += struct.pack("<II", _word(TIME_EXTEND, delta & (1 << DELTA_BITS) - 1), delta >> DELTA_BITS)
            delta = 0
        if len(record) <= LONGEST:
            self._data += struct.pack("<I", _word(len(record) // 4, delta))
        else:
            self._data += struct.pack("<II", _word(0, delta), 4 + len(record))
        self._data += record
        self._last = time

    def flush(self) -> None:
        """The page is full, or the last one."""
        if self._data:
            self.file.write(struct.pack("<Qq", self._begun, len(self._data)) + self._data)
            self.file.write(bytes(ROOM - len(self._data)))
            self.size += PAGE
            self._data.clear()


def _word(type_len: int, delta: int) -> int:
    return delta << 5 | type_len


def _head(comms: dict[int, str], machine: str, cpus: int) -> bytes:
    """All that stands before the places of the CPUs' pages."""
    systems = groupby(TRACEPOINTS, key=lambda each: each.system)
    formats = [(name, [each.format.encode() for each in some]) for name, some in systems]
    names = "".join(f"{pid} {comm}\n" for pid, comm in sorted(comms.items())).encode()
    return b"".join([
        b"\x17\x08\x44tracing6\0", struct.pack("<BBI", 0, 8, PAGE),
        b"header_page\0", _sized(HEADER_PAGE.encode()), b"header_event\0", _sized(HEADER_EVENT.encode()),
        _counted([PRINT.format.encode()]),
        struct.pack("<I", len(formats)), *(name.encode() + b"\0" + _counted(each) for name, each in formats),
        _short(f"{MARKER_AT:x} t {MARKER}\n".encode()),  # kallsyms
        _short(b""),  # formats of trace_printk
        _sized(names),
        struct.pack("<I", cpus),
        b"options  \0", _option(TRACECLOCK, b"[local]\0"), _option(UNAME, machine.encode() + b"\0"),
        struct.pack("<H", DONE), b"flyrecord\0",
    ])  # fmt: skip


def _sized(content: bytes) -> bytes:
    return struct.pack("<Q", len(content)) + content


def _short(content: bytes) -> bytes:
    return struct.pack("<I", len(content)) + content


def _counted(contents: Iterable[bytes]) -> bytes:
    contents = list(contents)
    return struct.pack("<I", len(contents)) + b"".join(map(_sized, contents))


def _option(which: int, content: bytes) -> bytes:
    return struct.pack("<HI", which, len(content)) + content
