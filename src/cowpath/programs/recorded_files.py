"""The files of a recording: their numbers, names and sizes."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

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
        self.maps: dict[int, tuple[list[int], list[str]]] = {}  # of each task: when, and which file
        for tid, time_ns, name in tables.maps[["tid", "time_ns", "filename"]].tolist():
            times, filenames = self.maps.setdefault(tid, ([], []))
            times.append(time_ns)
            filenames.append(name)
        names = {ino: name for ino, name in tables.maps[["ino", "filename"]].tolist() if ino > 0}
        self.mapped_names = set(names.values())
        self.added: dict[str, set[int]] = {}  # pages of named files that were added to the page cache
        self.used: dict[str, set[int]] = {}  # and those that a mapping's touch has met
        for delta, ino, dev, index, order in tables.pagecache[["delta", "ino", "dev", "index", "order"]].tolist():
            if delta > 0 and ino in names and dev != BLOCK_DEVICE:
                self.added.setdefault(names[ino], set()).update(range(index, index + (1 << order)))

    def number(self, name: str, seen: int = 0, room: int = 0) -> int:
        """The number of a file of at least ``seen`` pages that grows to ``room`` at most."""
        size = self.sizes.setdefault(name, _Size(seen=max(self.added.get(name, ()), default=-1) + 1))
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
            name = self.names[number]
            size = self.sizes[name]
            size.seen = max(size.seen, index + 1)
            self.used.setdefault(name, set()).add(index)

    def table(self) -> tuple[RecordedFile, ...]:
        """All files, by number."""
        return tuple(
            RecordedFile(
                name,
                size.pages,
                max(size.pages, size.room),
                shmem=self._is_shared_memory(name),
                warm=self._was_warm(name),
            )
            for name, size in ((name, self.sizes[name]) for name in self.names)
        )

    def _is_shared_memory(self, name: str) -> bool:
        return name.startswith(f"{self.recording}:/")

    def _was_warm(self, name: str) -> bool:
        """It was mapped, and of the pages that were touched the command has added less than half to the page cache."""
        if name not in self.mapped_names or self._is_shared_memory(name):
            return False
        used, added = self.used.get(name, set()), self.added.get(name, set())
        return len(used & added) * 2 < len(used) if used else not added
