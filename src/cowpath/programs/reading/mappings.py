"""Mappings that a file does not tell of: from what it says instead, or from the faults alone.

``calls_of`` turns the records of mappings into the mmap calls that they stand for, where no call was recorded.
``invented`` gives mappings to the faults that lie in none. The rule for those: pages that were written to are anonymous
memory, the others are a file's that is the process's own, and that was in the page cache already.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cowpath.programs.address_space import PAGE_SHIFT, STACK_PAGES, page_up
from cowpath.programs.moved import without
from cowpath.programs.reading.process_tree import Life
from cowpath.programs.tables import SCHEMAS, Rows

ERR_WRITE = 2
PROT_READ, PROT_DATA, PROT_CODE = 1, 3, 5
MAP_PRIVATE, MAP_ANONYMOUS = 2, 0x20
NEAR = 16  # pages: runs that are no further apart are one mapping
INO = 1 << 63  # of the first invented file: no file system has such

Range = tuple[int, int]  # first page, end
Pages = npt.NDArray[np.uint64]


@dataclass
class Family:
    """A process from its exec on, with all that it forks: their address spaces are copies of one."""

    tid: int
    begin_ns: int
    faults: list[npt.NDArray[np.int64]] = field(default_factory=list)  # places among the faults
    known: list[Range] = field(default_factory=list)


def calls_of(maps: Rows, lives: list[Life]) -> Rows:
    """A record is sent for each mmap, but also where a mapping grows (brk) or changes (mprotect), with the whole of it.

    So only what is new of a range is mapped: what lies in an earlier mapping of the same file, and of the same offset,
    or in anonymous memory, stays as it was.
    """
    seen: dict[int, list[tuple[int, int, str, int]]] = defaultdict(list)  # process -> start, end, file, start - offset
    found: list[tuple[int, ...]] = []
    life = iter(sorted((one for one in lives if one[1] in ("fork", "exec_comm")), key=lambda one: one[0]))
    following = next(life, None)
    for row in maps:
        time_ns, pid, tid = int(row["time_ns"]), int(row["pid"]), int(row["tid"])
        while following is not None and following[0] <= time_ns:
            _, kind, child, task, parent, _ = following
            if kind == "exec_comm":
                seen[child] = []
            elif child == task:
                seen[child] = list(seen[parent])
            following = next(life, None)
        start, end = int(row["addr"]), int(row["addr"]) + int(row["len"])
        offset, name = int(row["pgoff"]), str(row["filename"])
        base = 0 if not row["ino"] else start - offset
        old = [range_ for range_ in seen[pid] if range_[2:] == (name, base) and range_[0] < end and start < range_[1]]
        for first, length in without(start, end, [(one[0], one[1]) for one in old]):
            moved = (offset + first - start) % (1 << 64)
            found.append((time_ns, 0, pid, tid, first, length, int(row["prot"]), int(row["flags"]), moved, first))
        seen[pid] = [*_cut(seen[pid], start, end), (start, end, name, base)]
    calls = np.zeros(len(found), SCHEMAS["vmcalls"])
    calls["call"] = "mmap"
    columns = ("time_ns", "dur_ns", "pid", "tid", "a0", "a1", "a2", "a3", "a5", "ret")
    for column, values in zip(columns, zip(*found, strict=True), strict=bool(found)):
        calls[column] = values
    return calls


def _cut(ranges: list[tuple[int, int, str, int]], start: int, end: int) -> list[tuple[int, int, str, int]]:
    """The ranges without ``start`` to ``end - 1``."""
    kept = []
    for first, last, name, base in ranges:
        if last <= start or end <= first:
            kept.append((first, last, name, base))
            continue
        if first < start:
            kept.append((first, start, name, base))
        if end < last:
            kept.append((end, last, name, base))
    return kept


def invented(faults: Rows, maps: Rows, vmcalls: Rows, lives: list[Life], name: str) -> tuple[Rows, Rows, int]:
    """Calls and records of mappings for the faults that lie in none, made when their family begins; how many faults."""
    calls: list[tuple[int, ...]] = []
    records: list[tuple[object, ...]] = []
    lonely = 0
    for number, family in enumerate(_families(faults, maps, vmcalls, lives)):
        places = np.concatenate([*family.faults, np.empty(0, np.int64)])
        pages = faults["addr"][places] >> PAGE_SHIFT
        lost = ~_inside(pages, family.known)
        lonely += int(lost.sum())
        written = np.unique(pages[lost & (faults["err"][places] & ERR_WRITE != 0)])
        read = np.setdiff1d(pages[lost], written)
        at = (family.begin_ns, 0, family.tid, family.tid)
        for first, end in _runs(written, read):
            calls.append((*at, *_mmap(first, end, PROT_DATA, MAP_PRIVATE | MAP_ANONYMOUS, 0)))
        offset = 0  # in the file: its mappings lie behind each other, however far apart they are in memory
        for first, end in _runs(read, written):
            calls.append((*at, *_mmap(first, end, PROT_CODE, MAP_PRIVATE, offset)))
            if not offset:
                file = f"{name}:{family.tid}" + (f"#{number}" if number else "")
                address, length = first << PAGE_SHIFT, (end - first) << PAGE_SHIFT
                place = (family.begin_ns, family.tid, family.tid, address, length, 0)
                records.append((*place, INO + number, PROT_CODE, MAP_PRIVATE, file))
            offset += end - first
    return _table("vmcalls", [(*call[:4], "mmap", *call[4:]) for call in calls]), _table("maps", records), lonely


def _table(name: str, rows: list[tuple[object, ...]]) -> Rows:
    """Rows as a table."""
    order = {"vmcalls": ("time_ns", "dur_ns", "pid", "tid", "call", "a0", "a1", "a2", "a3", "a5", "ret")}
    table = np.zeros(len(rows), SCHEMAS[name])
    columns = order.get(name, SCHEMAS[name].names or ())
    for column, values in zip(columns, zip(*rows, strict=True), strict=bool(rows)):
        table[column] = values
    return table


def _mmap(first: int, end: int, prot: int, flags: int, offset: int) -> tuple[int, ...]:
    """a0 to a3, a5 and the answer."""
    address = first << PAGE_SHIFT
    return address, (end - first) << PAGE_SHIFT, prot, flags, offset << PAGE_SHIFT, address


def _runs(pages: Pages, others: Pages) -> list[Range]:
    """Ranges that hold all these pages: those that are near each other together, if no other lies between them."""
    if not len(pages):
        return []
    between = np.searchsorted(others, pages)
    cuts = np.flatnonzero((np.diff(pages) > NEAR) | (np.diff(between) > 0)) + 1
    parts = np.split(pages, cuts)
    return [(int(part[0]), int(part[-1]) + 1) for part in parts]


def _inside(pages: Pages, ranges: list[Range]) -> npt.NDArray[np.bool_]:
    """Which pages lie in one of the ranges."""
    if not ranges:
        return np.zeros(len(pages), np.bool_)
    starts, ends = (np.array(column, np.uint64) for column in zip(*sorted(ranges), strict=True))
    furthest = np.maximum.accumulate(ends)
    at = np.searchsorted(starts, pages, side="right")
    inside: npt.NDArray[np.bool_] = (at > 0) & (pages < furthest[np.maximum(at, 1) - 1])
    return inside


def _families(faults: Rows, maps: Rows, vmcalls: Rows, lives: list[Life]) -> list[Family]:
    """All families, each with its faults and with the ranges that it is known to have mapped at any time."""
    begun: dict[int, list[tuple[int, Family]]] = defaultdict(list)  # process -> since when it belongs to which
    families = []
    for time_ns, kind, pid, tid, parent, _ in sorted(lives, key=lambda one: one[0]):
        if kind == "exec_comm":
            families.append(Family(tid, time_ns))
            begun[pid].append((time_ns, families[-1]))
        elif kind == "fork" and pid == tid and begun[parent]:
            begun[pid].append((time_ns, begun[parent][-1][1]))
    order = np.argsort(faults["pid"], kind="stable")
    pids, firsts = np.unique(faults["pid"][order], return_index=True)
    for pid, places in zip(pids.tolist(), np.split(order, firsts[1:]), strict=True):
        changes = begun[pid]
        if not changes:
            continue
        cuts = np.searchsorted(faults["time_ns"][places], [change[0] for change in changes])
        for at, (_, family) in enumerate(changes):
            family.faults.append(places[cuts[at] : cuts[at + 1] if at + 1 < len(cuts) else None])
    for time_ns, pid, first, end in _known(maps, vmcalls):
        before = [family for since, family in begun[pid] if since <= time_ns]
        if before:
            before[-1].known.append((first, end))
    return families


def _known(maps: Rows, vmcalls: Rows) -> list[tuple[int, int, int, int]]:
    """Time, process, first page and end of all that is known to be mapped; a stack grows downwards."""
    found = []
    for time_ns, pid, address, length, filename in maps[["time_ns", "pid", "addr", "len", "filename"]].tolist():
        first, end = address >> PAGE_SHIFT, page_up(address + length)
        found.append((time_ns, pid, max(end - STACK_PAGES, 0) if filename == "[stack]" else first, end))
    heaps: dict[int, int] = {}  # where they ended, by process
    for time_ns, pid, call, a0, a1, a2, ret in vmcalls[["time_ns", "pid", "call", "a0", "a1", "a2", "ret"]].tolist():
        start, end = ret, ret + {"mmap": a1, "mremap": a2}.get(call, 0)
        if call == "brk":
            start, end = (
                heaps.get(pid, ret) if a0 else ret,
                ret,
            )  # brk(0) asks where it ends, first of all after an exec
            heaps[pid] = ret
        if 0 < start < end:
            found.append((time_ns, pid, start >> PAGE_SHIFT, page_up(end)))
    return found
