"""The tracepoints that say something about a command's memory, read by the fields that their lines print.

What a line prints is the kernel's own format of that event (/sys/kernel/tracing/events/GROUP/EVENT/format, "print
fmt"); perf script, trace-cmd report and the trace file all print it behind the event's name. Fields are found by their
names, so that new ones, or another order, change nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from cowpath.programs.page_cache import BLOCK_DEVICE
from cowpath.programs.reading.columns import Columns, signed
from cowpath.programs.tables import LARGEST_ORDER, WAKEUPS

CALLS = {  # the arguments of a memory call, as its sys_enter event (the SYSCALL_DEFINE) names them
    "mmap": ("addr", "len", "prot", "flags", "fd", "off"),
    "munmap": ("addr", "len"),
    "mremap": ("addr", "old_len", "new_len", "flags", "new_addr"),
    "mprotect": ("start", "len", "prot"),
    "brk": ("brk",),
}
KEPT_ARGUMENTS = (0, 1, 2, 3, 5)
GROUPS = {  # every tracepoint that is read, and its group
    "page_fault_user": "exceptions",
    "page_fault_kernel": "exceptions",
    "mm_filemap_add_to_page_cache": "filemap",
    "mm_filemap_delete_from_page_cache": "filemap",
    "task_newtask": "task",
    "sched_process_fork": "sched",
    "sched_process_exec": "sched",
    "sched_process_exit": "sched",
    "sched_waking": "sched",
    **{f"sys_{side}_{call}": "syscalls" for call in CALLS for side in ("enter", "exit")},
}
USER_END = 1 << 47
COMM_LENGTH = 15  # TASK_COMM_LEN - 1
PAGE_SHIFT = 12
MINOR_BITS = 20  # of a dev_t, include/linux/kdev_t.h
ERROR_BITS = 0xFF
LARGEST_INDEX = 1 << 40  # of a page of a file: far more than any file system has
FAULT = re.compile(r"address=(?:0x)?([0-9a-f]{1,16}) .*?\berror_code=(?:0x)?([0-9a-f]{1,8})\b")
SYMBOL_FAULT = re.compile(r"\baddress=\S+ .*?\berror_code=")
CACHED = re.compile(
    r"\bdev (\d{1,4}):(\d{1,7}) ino (?:0x)?([0-9a-f]{1,16}) .*?\bofs=(\d{1,20})\b(?:.*?\border=(\d{1,2})\b)?"
)
ARGUMENT = re.compile(r"(\w+): (?:0x)?([0-9a-f]{1,16})\b")
ANSWER = re.compile(r"\s*(?:0x)?([0-9a-f]{1,16})\b")
FORKED = re.compile(r"\bcomm=(.*) pid=(\d{1,9}) child_comm=(.*) child_pid=(\d{1,9})\b")
CLONED = re.compile(r"\bpid=(\d{1,9}) comm=.* clone_flags=(?:0x)?([0-9a-f]{1,16})\b")
CLONE_THREAD = 0x10000
EXECED = re.compile(r"\bfilename=(.*) pid=(\d{1,9}) old_pid=(\d{1,9})\b")


WOKEN = re.compile(r"\bcomm=.* pid=(\d{1,9}) prio=")


class At(NamedTuple):
    """When and where an event was."""

    time_ns: int
    pid: int
    tid: int
    cpu: int  # -1: not known


class Events:
    """The events of one file, as they come, in tables."""

    def __init__(self) -> None:
        self.faults, self.procs, self.maps = Columns("faults"), Columns("procs"), Columns("maps")
        self.vmcalls, self.pagecache = Columns("vmcalls"), Columns("pagecache")
        self.wakeups = Columns(WAKEUPS)
        self.owners: dict[int, int] = {}  # task -> its process, where lines name the task only
        self.comms: dict[int, str] = {}  # task -> its first name
        self.maps_without_ino = 0
        self.kernel_faults = 0  # on addresses of the kernel's own
        self.sched_forks: list[tuple[At, int, str]] = []
        self.execs: list[tuple[At, str]] = []  # sched_process_exec: the file
        self.exits: list[At] = []  # sched_process_exit
        self.entered: dict[int, tuple[str, At, tuple[int, ...]]] = {}  # task -> the call that it is in
        self.unpaired = Counter[str]()  # calls of which one end is missing
        self.readers: dict[str, Callable[[At, str], bool]] = {
            "page_fault_user": self.fault,
            "page_fault_kernel": self.fault,
            "mm_filemap_add_to_page_cache": lambda at, text: self.cached(at, text, 1),
            "mm_filemap_delete_from_page_cache": lambda at, text: self.cached(at, text, -1),
            "task_newtask": self.cloned,
            "sched_process_fork": self.forked,
            "sched_process_exec": self.execed,
            "sched_process_exit": self.exited,
            "sched_waking": self.waking,
        }
        for call in CALLS:
            self.readers[f"sys_enter_{call}"] = self._enters(call)
            self.readers[f"sys_exit_{call}"] = self._leaves(call)

    def fault(self, at: At, text: str) -> bool:
        """exceptions:page_fault_*, arch/x86/include/asm/trace/exceptions.h. False: not its format (all readers)."""
        found = FAULT.search(text)
        if found is None:  # an address of the kernel's may be printed as a symbol
            self.kernel_faults += 1
            return SYMBOL_FAULT.search(text) is not None
        self.faulted(*at, int(found[1], 16), int(found[2], 16))
        return True

    def faulted(self, time_ns: int, pid: int, tid: int, cpu: int, address: int, err: int) -> None:
        """A fault, with x86's error code."""
        if address >= USER_END:
            self.kernel_faults += 1
        else:
            self.faults.numbers.extend((time_ns, pid, tid, cpu, address, err & ERROR_BITS))

    def mapped(
        self, at: At, address: int, length: int, offset: int, ino: int, prot: int, flags: int, filename: str
    ) -> bool:
        """A mapping that was made; ``filename`` is "//anon" or in brackets where there is no file."""
        if not length or offset >> 64:
            return False
        if address + length > USER_END:  # the vsyscall page
            return True
        self.maps.add((*at[:3], address, length, signed(offset), signed(ino), prot, flags), filename)
        return True

    def cached(self, at: At, text: str, delta: int) -> bool:
        """filemap:mm_filemap_*_page_cache, include/trace/events/filemap.h; ``order`` only since 5.16."""
        found = CACHED.search(text)
        if found is None:
            return False
        ino, index, order = int(found[3], 16), int(found[4]) >> PAGE_SHIFT, int(found[5] or 0)
        device = int(found[1]) << MINOR_BITS | int(found[2])
        if index >= LARGEST_INDEX or order > LARGEST_ORDER or device >> 32:
            return False
        # an inode of the file system of block devices has the device's own number (block/bdev.c)
        is_block_device = found[1] == "0" and ino >> MINOR_BITS > 0
        self.pagecache.add((*at[:3], delta, signed(ino), BLOCK_DEVICE if is_block_device else device, index, order))
        return True

    def _enters(self, call: str) -> Callable[[At, str], bool]:
        names = CALLS[call]

        def enters(at: At, text: str) -> bool:
            found = {name: signed(int(value, 16)) for name, value in ARGUMENT.findall(text)}
            if not all(name in found for name in names):
                return False
            if at.tid in self.entered:
                self.unpaired[self.entered[at.tid][0]] += 1
            self.entered[at.tid] = (call, at, tuple(found[name] for name in names))
            return True

        return enters

    def _leaves(self, call: str) -> Callable[[At, str], bool]:
        def leaves(at: At, text: str) -> bool:
            found = ANSWER.match(text)
            if found is None:
                return False
            entered, begin, given = self.entered.pop(at.tid, ("", at, ()))
            if entered != call:
                self.unpaired[call] += 1
                return True
            arguments = [given[place] if place < len(given) else 0 for place in KEPT_ARGUMENTS]
            answer = signed(int(found[1], 16))
            self.vmcalls.add((*begin[:3], max(at.time_ns - begin.time_ns, 0), *arguments, answer), call)
            return True

        return leaves

    def cloned(self, at: At, text: str) -> bool:
        """task:task_newtask, just before sched_process_fork: the only event that tells threads from processes."""
        found = CLONED.search(text)
        if found is None:
            return False
        if int(found[2], 16) & CLONE_THREAD:
            self.owners[int(found[1])] = at.pid
        return True

    def forked(self, at: At, text: str) -> bool:
        """sched:sched_process_fork: a process or a thread, which it does not tell."""
        found = FORKED.search(text)
        if found is None:
            return False
        self.sched_forks.append((at, int(found[4]), found[3]))
        return True

    def execed(self, at: At, text: str) -> bool:
        """sched:sched_process_exec: the end of an exec that succeeded."""
        found = EXECED.search(text)
        if found is None:
            return False
        self.execs.append((at, found[1]))
        return True

    def exited(self, at: At, text: str) -> bool:
        """sched:sched_process_exit."""
        self.exits.append(at)
        return True

    def waking(self, at: At, text: str) -> bool:
        """sched:sched_waking, include/trace/events/sched.h: the task wakes another one."""
        found = WOKEN.search(text)
        if found is None:
            return False
        self.wakeups.add((*at, int(found[1])))
        return True
