"""Recorded mappings and memory calls of a process as instructions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Set

from cowpath.kernel import names as n
from cowpath.programs.address_space import PAGE_SHIFT, PROT_WRITE, AddressSpace, page_up, vm_bits
from cowpath.programs.recorded_files import Files
from cowpath.programs.recorded_task import Task
from cowpath.programs.recording import ALL_KNOWN, ONCE

MAP_ANONYMOUS, MAP_SHARED, MAP_POPULATE = 0x20, 1, 0x8000
PROT_DATA = 3  # read and write
ERR_WRITE, ERR_FETCH = 2, 16  # x86's page-fault error code
USER_PAGES = 1 << 35
LARGEST_ERRNO = 4095


class Memory:
    """The address spaces of all processes, by pid."""

    def __init__(self, files: Files, facts: Counter[str], uses: int = ONCE, watched: Set[int] = frozenset()) -> None:
        """``uses`` is how often a touch touches its page: what ``recording.ALL_KNOWN`` says; of ``watched`` processes
        all uses are known.
        """
        self.files, self.facts, self.uses, self.watched = files, facts, uses, watched
        self.spaces: dict[int, AddressSpace] = {}

    def fault(self, task: Task, address: int, err: int) -> None:
        """A first touch, if its page is in a mapping."""
        self.facts["faults"] += 1
        space, vpn = self.spaces[task.pid], address >> PAGE_SHIFT
        place = space.places.page(vpn) if vpn < USER_PAGES else None
        if place is None or space.find(place) is None:
            self.facts["faults_dropped"] += 1
            return
        bits = (n.F_WRITE if err & ERR_WRITE else 0) | (n.F_EXEC if err & ERR_FETCH else 0)
        row = task.append([n.OP_TOUCH, bits, place, ALL_KNOWN if task.pid in self.watched else self.uses, 0, 0])
        space.touched.setdefault(place, row)
        space.fresh.add(place)

    def exec_map(self, task: Task, address: int, length: int, pgoff: int, prot: int, flags: int, filename: str) -> None:
        """A mapping of execve's."""
        offset = pgoff >> PAGE_SHIFT
        file = self.files.mapped(filename, offset, page_up(length))
        self._mmap(task, address >> PAGE_SHIFT, page_up(length), file, offset, vm_bits(prot, flags, file != n.NONE),
                   is_stack=filename == "[stack]")  # fmt: skip

    def call(self, task: Task, call: str, a0: int, a1: int, a2: int, a3: int, a5: int, ret: int, dur_ns: int) -> None:
        """A memory call with its arguments and its answer."""
        if call == "brk":
            self._brk(task, ret)
        elif -LARGEST_ERRNO <= ret < 0:
            self.facts["calls_failed"] += 1
        elif call == "mmap":
            file, offset, pages = n.NONE, a5 >> PAGE_SHIFT, page_up(a1)
            if not a3 & MAP_ANONYMOUS:
                file = self.files.mapped_by_call(task.tid, task.now, task.now + dur_ns, offset, pages)
            shareable = file != n.NONE or a3 & MAP_ANONYMOUS != 0  # the latter is an object of its own, made anew
            self._mmap(task, ret >> PAGE_SHIFT, pages, file, offset, vm_bits(a2, a3, shareable))
            if (
                a3 & MAP_POPULATE and a2 & PROT_DATA and file == n.NONE
            ):  # of a file: as far as it goes, which is not known
                self._populate(task, ret >> PAGE_SHIFT, pages, n.F_WRITE if a2 & PROT_WRITE else 0)
        elif call == "munmap":
            self._munmap(task, a0 >> PAGE_SHIFT, page_up(a1))
        elif call == "mprotect":
            space = self.spaces[task.pid]
            for place, pages in space.places.of(a0 >> PAGE_SHIFT, page_up(a1)):
                space.protect(place, pages, a2)
        elif call == "mremap":
            self._mremap(task, a0 >> PAGE_SHIFT, page_up(a1), page_up(a2), ret >> PAGE_SHIFT)

    def _mmap(
        self, task: Task, vpn: int, pages: int, file: int, offset: int, bits: int, is_stack: bool = False
    ) -> None:
        if pages > 0:
            space = self.spaces[task.pid]
            before = space.places.of(vpn, pages)
            place = space.places.new(vpn, pages)
            elsewhere = [(at, count) for at, count in before if not place <= at < place + pages]
            self._unmap(task, elsewhere)  # what lies at its own place OP_MMAP replaces
            self._forget_touches(space, place, pages)
            row = task.emit(n.OP_MMAP, place, pages, file, offset if file != n.NONE else 0, bits=bits)
            space.map(row, is_stack)

    def _populate(self, task: Task, vpn: int, pages: int, bits: int) -> None:
        """MAP_POPULATE: the kernel touches all pages itself, which is counted as faults and raises none."""
        for place, count in self.spaces[task.pid].places.of(vpn, pages):
            times, stride = (count, 1) if count > 1 else (ALL_KNOWN, 0)
            task.append([n.OP_TOUCH, bits, place, times, stride, 0])
            self.facts["pages_populated"] += count

    def _forget_touches(self, space: AddressSpace, first: int, pages: int) -> None:
        """What was touched in an earlier mapping of a range: the rule for re-use must not go back to it in a new one,
        whose first touches are all recorded.
        """
        for vpn in [vpn for vpn in space.touched if first <= vpn < first + pages]:
            space.touched.pop(vpn)[3] = ALL_KNOWN

    def _munmap(self, task: Task, vpn: int, pages: int) -> None:
        if pages > 0:
            places = self.spaces[task.pid].places
            self._unmap(task, places.of(vpn, pages))
            places.forget(vpn, pages)

    def _unmap(self, task: Task, ranges: list[tuple[int, int]]) -> None:
        """Unmap ranges of the model."""
        for place, pages in ranges:
            task.emit(n.OP_MUNMAP, place, pages)
            self.spaces[task.pid].unmap(place, pages)

    def _brk(self, task: Task, ret: int) -> None:
        space = self.spaces[task.pid]
        if space.brk is not None:
            old, new = page_up(space.brk), page_up(ret)
            self._mmap(task, old, new - old, n.NONE, 0, vm_bits(PROT_DATA, 0, False))
            self._munmap(task, new, old - new)
        space.brk = ret

    def _mremap(self, task: Task, old: int, old_pages: int, new_pages: int, new: int) -> None:
        """What is moved keeps its place in the model (``moved``); what is added or cut off is mapped or unmapped."""
        space = self.spaces[task.pid]
        place = space.places.page(old)
        area = None if place is None else space.find(place)
        if place is None or area is None:
            return
        bits, file, offset = area.row[1], area.file, area.index(place)
        kept = min(old_pages, new_pages)
        self._munmap(task, old + kept, old_pages - kept)
        if new != old:
            self._munmap(task, new, new_pages)
            space.places.move(old, new, kept)
            self.facts["pages_moved"] += kept
        self._mmap(task, new + kept, new_pages - kept, file, offset + kept, bits)
