"""The files of a recording: their numbers, names and sizes."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import polars as pl

from cowpath.kernel import names as n
from cowpath.programs.page_cache import BLOCK_DEVICE
from cowpath.programs.recording import RecordedFile
from cowpath.programs.tables import Tables

SHARED_MEMORY = ("/dev/zero", "/memfd:", "/SYSV", "/dev/shm/")


@dataclass
class _Size:
    """What is known of a file's size, in pages."""

    seen: int = 0  # a page of it was touched, or in the page cache
    head: int = 0  # the furthest end of a mapping of it from its first page on: may lie beyond the file
    tail: int = 0  # the furthest end of any other mapping: an ELF segment ends with the file
    room: int = 0

    @property
    def pages(self) -> int:
        """The best guess at its size."""
        return max(self.seen, self.tail or self.head)


class Files:
    """Numbers files in the order of their first use. A file is known by its name."""

    def __init__(self, tables: Tables, recording: str) -> None:
        self.recording = recording
        self.sizes: dict[str, _Size] = {}
        self.order: dict[str, int] = {}
        self.names: list[str] = []
        self.maps: dict[int, tuple[list[int], list[str]]] = {}
        for (tid,), group in tables.maps.group_by("tid", maintain_order=True):
            self.maps[int(tid)] = (group["time_ns"].to_list(), group["filename"].to_list())
        names = dict(tables.maps.filter(pl.col.ino > 0).select("ino", "filename").iter_rows())
        is_named = pl.col.ino.is_in(list(names)) & (pl.col.dev != BLOCK_DEVICE)
        added = tables.pagecache.filter((pl.col.delta > 0) & is_named)
        ends = added.group_by("ino").agg((pl.col.index + pl.lit(2, dtype=pl.Int64).pow(pl.col.order)).max())
        self.cached = {names[ino]: int(end) for ino, end in ends.iter_rows()}

    def number(self, name: str, seen: int = 0, room: int = 0) -> int:
        """The number of a file of at least ``seen`` pages that grows to ``room`` at most."""
        size = self.sizes.setdefault(name, _Size(seen=self.cached.get(name, 0)))
        size.seen, size.room = max(size.seen, seen), max(size.room, room)
        if name not in self.order:
            self.order[name] = len(self.names)
            self.names.append(name)
        return self.order[name]

    def mapped(self, filename: str, offset: int, pages: int) -> int:
        """The number of the file of a mapping, or NONE for anonymous memory."""
        if not filename or filename.startswith(("[", "//")):
            return n.NONE
        if filename.startswith(SHARED_MEMORY):
            filename = f"{self.recording}:{filename}"
        number = self.number(filename)
        size = self.sizes[filename]
        if offset:
            size.tail = max(size.tail, offset + pages)
        else:
            size.head = max(size.head, pages)
        return number

    def mapped_by_call(self, tid: int, begin_ns: int, end_ns: int, offset: int, pages: int) -> int:
        """The same for an mmap call: its file is that of the map record that was sent during the call."""
        times, names = self.maps.get(tid, ([], []))
        at = bisect_left(times, begin_ns)
        if at == len(times) or times[at] > end_ns:
            return n.NONE
        return self.mapped(names[at], offset, pages)

    def touched(self, number: int, index: int) -> None:
        """A page of a mapping was touched: its file is at least as large. Beyond its end that would be a SIGBUS."""
        if number != n.NONE:
            size = self.sizes[self.names[number]]
            size.seen = max(size.seen, index + 1)

    def table(self) -> tuple[RecordedFile, ...]:
        """All files, by number."""
        return tuple(
            RecordedFile(name, size.pages, max(size.pages, size.room), name.startswith(f"{self.recording}:/"))
            for name, size in ((name, self.sizes[name]) for name in self.names)
        )
