"""Recorded mappings and memory calls of a process as instructions."""

from __future__ import annotations

from collections import Counter

from cowpath.kernel import names as n
from cowpath.programs.address_space import PAGE_SHIFT, AddressSpace, Area, Row, page_up, vm_bits
from cowpath.programs.recorded_files import Files
from cowpath.programs.recorded_task import Task
from cowpath.programs.recording import ONCE

MAP_ANONYMOUS, MAP_SHARED = 0x20, 1
PROT_DATA = 3  # read and write
ERR_WRITE, ERR_FETCH = 2, 16  # x86's page-fault error code
USER_PAGES = 1 << 35
LARGEST_ERRNO = 4095


class Memory:
    """The address spaces of all processes, by pid."""

    def __init__(self, files: Files, facts: Counter[str], uses: int = ONCE) -> None:
        """``uses`` is how often a touch touches its page: what ``recording.USES`` says."""
        self.files, self.facts, self.uses = files, facts, uses
        self.spaces: dict[int, AddressSpace] = {}
        self.written: dict[int, Row] = {}  # mappings that were written to when nothing allowed it yet, by identity

    def fault(self, task: Task, address: int, err: int) -> None:
        """A first touch, if its page is in a mapping."""
        self.facts["faults"] += 1
        vpn = address >> PAGE_SHIFT
        area = self.spaces[task.pid].find(vpn) if vpn < USER_PAGES else None
        if area is None:
            self.facts["faults_dropped"] += 1
            return
        bits = (n.F_WRITE if err & ERR_WRITE else 0) | (n.F_EXEC if err & ERR_FETCH else 0)
        self._touch(task, area, vpn, bits)

    def _touch(self, task: Task, area: Area, vpn: int, bits: int) -> None:
        task.append([n.OP_TOUCH, bits, vpn, self.uses, 0, 0])
        row = area.row
        if bits & n.F_WRITE and not row[1] & n.VM_WRITE:
            self.written[id(row)] = row
        if row[4] != n.NONE:
            self.files.touched(row[4], vpn - row[2] + row[5])

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
        elif call == "munmap":
            self._munmap(task, a0 >> PAGE_SHIFT, page_up(a1))
        elif call == "mprotect":
            self.spaces[task.pid].protect(a0 >> PAGE_SHIFT, page_up(a1), a2)
        elif call == "mremap":
            self._mremap(task, a0 >> PAGE_SHIFT, page_up(a1), page_up(a2), ret >> PAGE_SHIFT)

    def _mmap(
        self, task: Task, vpn: int, pages: int, file: int, offset: int, bits: int, is_stack: bool = False
    ) -> None:
        if pages > 0:
            row = task.emit(n.OP_MMAP, vpn, pages, file, offset if file != n.NONE else 0, bits=bits)
            self.spaces[task.pid].map(row, is_stack)

    def _munmap(self, task: Task, vpn: int, pages: int) -> None:
        if pages > 0:
            task.emit(n.OP_MUNMAP, vpn, pages)
            self.spaces[task.pid].unmap(vpn, pages)

    def _brk(self, task: Task, ret: int) -> None:
        space = self.spaces[task.pid]
        if space.brk is not None:
            old, new = page_up(space.brk), page_up(ret)
            self._mmap(task, old, new - old, n.NONE, 0, vm_bits(PROT_DATA, 0, False))
            self._munmap(task, new, old - new)
        space.brk = ret

    def _mremap(self, task: Task, old: int, old_pages: int, new_pages: int, new: int) -> None:
        """The model can't move page tables: what was touched at the old place is touched again at the new one."""
        area = self.spaces[task.pid].find(old)
        if area is None:
            return
        bits, file, offset = area.row[1], area.file, area.index(old)
        if new == old:
            self._mmap(task, old + old_pages, new_pages - old_pages, file, offset + old_pages, bits)
            self._munmap(task, old + new_pages, old_pages - new_pages)
            return
        kept = range(old, old + min(old_pages, new_pages))
        touched = {row[2]: row[1] for row in task.rows if row[0] == n.OP_TOUCH and row[2] in kept}
        self._munmap(task, old, old_pages)
        self._mmap(task, new, new_pages, file, offset, bits)
        for vpn, fault in sorted(touched.items()):
            if (moved := self.spaces[task.pid].find(vpn - old + new)) is not None:
                self._touch(task, moved, vpn - old + new, fault)
        self.facts["touches_after_mremap"] += len(touched)
