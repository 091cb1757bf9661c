"""What a recorded command read and wrote: seen in the pages that it added to the page cache.

read(2) and write(2) are not recorded. A page that a task adds to the cache belongs to a mapped file (then it came by a
fault, or a fault will come: left out), to a file that was read (readahead added it), or to one that was written. A file
is taken to be **written** if pages of it are deleted by the command later, or if its pages came one by one: a median
of ``WRITE_GAP_NS`` and more between them, ``FEW_GAP_NS`` where there are less than three gaps, or a single page after
which the task went on within ``SINGLE_GAP_NS`` (a reader would have waited for the disk). All others were **read**.
A file whose pages have all been deleted is a new file when it comes back (temporary files reuse inode numbers): each
such generation has its own name. Blocks of the block device (directories, inodes) are reads of one small file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

import numpy as np

from cowpath.kernel import names as n
from cowpath.programs.address_space import Row
from cowpath.programs.order import following
from cowpath.programs.tables import Tables

BLOCK_DEVICE = 3  # the "dev" of inodes that are block devices
WRITE_GAP_NS = 3_000
FEW_GAP_NS = 8_000
SINGLE_GAP_NS = 60_000
RUN_GAP_NS = 50_000  # pages of one read or write: not further apart

Key = tuple[int, int]  # ino, dev


@dataclass
class Generation:
    """One life of a file without a name: from its first page to the deletion of its last."""

    name: str
    pages: int = 0
    deleted: bool = False
    gaps: list[int] = field(default_factory=list)  # ns from one page to the next
    is_device: bool = False

    @property
    def written(self) -> bool:
        """Whether it was written, by the rule above."""
        if self.is_device:
            return False
        if self.deleted or not self.gaps:
            return True
        if self.pages == 1:
            return self.gaps[0] < SINGLE_GAP_NS
        between = self.gaps[:-1] or self.gaps  # the last leads away from the file
        return median(between) >= (WRITE_GAP_NS if len(between) >= 3 else FEW_GAP_NS)


@dataclass
class Transfer:
    """Pages ``first`` to ``first + pages - 1`` of a file, read, written or (``cut``) all that follows deleted."""

    of: Generation
    first: int
    pages: int
    cut: bool = False


def transfers(tables: Tables, root: int, recording: str) -> dict[int, Transfer]:
    """The reads, writes and truncations, by the row of ``pagecache`` at which each begins."""
    reader = _Reader(recording)
    pages, faults = tables.pagecache, tables.faults
    times = np.concatenate([pages["time_ns"], faults["time_ns"]])
    order = np.argsort(times, kind="stable")
    after = following(np.concatenate([pages["tid"], faults["tid"]])[order])
    gaps = np.empty(len(order), np.int64)  # to the task's next record; -1: it has none
    gaps[order] = np.where(after < 0, -1, times[order][after] - times[order])
    mapped = np.isin(pages["ino"], tables.maps["ino"][tables.maps["ino"] > 0]) & (pages["dev"] != BLOCK_DEVICE)
    taken = np.flatnonzero((pages["pid"] != root) & ~mapped)
    records = pages[["time_ns", "tid", "delta", "ino", "dev", "index", "order"]][taken].tolist()
    for row, record, gap in zip(taken.tolist(), records, gaps[taken].tolist(), strict=True):
        reader.take(*(row, *record, None if gap < 0 else gap))
    return reader.found


class _Reader:
    def __init__(self, recording: str) -> None:
        self.recording = recording
        self.found: dict[int, Transfer] = {}
        self.current: dict[Key, Generation] = {}
        self.lives: dict[Key, int] = {}
        self.cached: dict[Key, set[int]] = {}
        self.cut_at: dict[Key, int] = {}  # deletions that have not reached the end of the file yet
        self.last: dict[int, tuple[Key, int, Transfer]] = {}  # task -> its latest addition, when
        self.blocks: dict[Key, dict[int, int]] = {}

    def take(self, row: int, time_ns: int, tid: int, delta: int, ino: int, dev: int, index: int, order: int,
             gap: int | None) -> None:  # fmt: skip
        key = (ino, dev)
        if delta > 0:
            self._add(row, time_ns, tid, key, index, 1 << order, gap)
        else:
            self._delete(row, tid, key, range(index, index + (1 << order)))

    def _add(self, row: int, time_ns: int, tid: int, key: Key, index: int, pages: int, gap: int | None) -> None:
        file = self.current.get(key) or self._begin(key)
        if file.is_device:  # its indices are anywhere on the disk: number the blocks as they come
            index = self.blocks.setdefault(key, {}).setdefault(index, len(self.blocks[key]))
        file.pages = max(file.pages, index + pages)
        if gap is not None:
            file.gaps.append(gap)
        self.cached[key].update(range(index, index + pages))
        last_key, last_ns, transfer = self.last.get(tid, (None, 0, None))
        if transfer and last_key == key and transfer.of is file and time_ns - last_ns < RUN_GAP_NS \
                and index == transfer.first + transfer.pages:  # fmt: skip
            transfer.pages += pages
        else:
            transfer = self.found[row] = Transfer(file, index, pages)
        self.last[tid] = (key, time_ns, transfer)

    def _begin(self, key: Key) -> Generation:
        life = self.lives[key] = self.lives.get(key, 0) + 1
        name = f"{self.recording}:ino:{key[0]}" + (f"#{life}" if life > 1 else "")
        is_device = key[1] == BLOCK_DEVICE
        file = Generation(f"{self.recording}:bdev:{key[0]}" if is_device else name, is_device=is_device)
        self.current[key], self.cached[key] = file, set()
        return file

    def _delete(self, row: int, tid: int, key: Key, indices: range) -> None:
        file = self.current.get(key)
        if file is None or file.is_device:
            return  # was cached before the recording began
        cached = self.cached[key]
        cached.difference_update(indices)
        file.deleted = True
        self.last.pop(tid, None)
        cut = self.cut_at[key] = min(indices.start, self.cut_at.get(key, indices.start))
        if cached and max(cached) >= cut:
            return  # truncation goes from low pages to high ones: the rest is still to come
        self.found[row] = Transfer(file, cut, 0, cut=True)
        del self.cut_at[key]
        if not cached:
            del self.current[key]


def instruction(transfer: Transfer, file: int) -> Row:
    """The instruction of a transfer of file number ``file``."""
    if transfer.cut:
        return [n.OP_TRUNCATE, 0, file, transfer.first, 0, 0]
    return [n.OP_WRITE if transfer.of.written else n.OP_READ, 0, file, transfer.first, transfer.pages, n.NONE]
