"""``perf script``'s text: whatever fields ``-F`` chose, with or without ``--ns``, callchains, and headers.

A line is ``COMM PID/TID [CPU] SECONDS: EVENT: ...``. perf always prints the fields in this order, and leaves out those
that were not asked for. COMM may hold blanks and colons, so a line is taken apart at the first place where all that
stands between COMM and EVENT fits. What ``--show-mmap-events --show-task-events --show-lost-events`` add are lines
whose EVENT is ``PERF_RECORD_...`` (tools/perf/util/event.c, ``perf_event__fprintf_*``, of Linux 6.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from cowpath.errors import InputError
from cowpath.programs.reading.account import Account, Reading
from cowpath.programs.reading.assemble import tables_of
from cowpath.programs.reading.clock import Clock
from cowpath.programs.reading.tracepoints import COMM_LENGTH, GROUPS, At, Events

FORMAT = "perf script"
HOW = (
    "perf record -d -c 1 -e EVENTS -- COMMAND; perf script --ns --show-mmap-events --show-task-events"
    " --show-lost-events -F comm,pid,tid,cpu,time,event,trace; docs/recordings.md has the EVENTS"
)
LINE = re.compile(
    r"\s*(?:(?P<comm>\S.*?)\s+)??(?P<id>-?\d{1,9})(?:/\s*(?P<tid>-?\d{1,9}))?\s+(?:\[(?P<cpu>\d{1,4})\]\s+)?(?:[A-Z]{1,3}\s+)?"
    r"(?P<s>\d{1,9})\.(?P<fraction>\d{3,9}):\s+(?:\d+\s+)?"
    r"(?:(?P<group>[\w-]+):(?P<event>[\w-]+):|(?P<record>[\w-]+)(?=[: (]))(?P<text>.*)"
)
FAULT_AFTER_CPU = re.compile(  # what most lines are, behind "COMM PID/TID [CPU"
    r"\] +(\d{1,9})\.(\d{3,9}): +exceptions:page_fault_(?:user|kernel): "
    r"address=0x([0-9a-f]{1,16}) ip=\S+ error_code=0x([0-9a-f]{1,8})\s*$"
)
STACK = re.compile(r"\s+[0-9a-f]{1,16}\s")  # a line of a callchain
SAID = ("[ perf record:", "[ perf script:", "Warning:", "Check IO/CPU overload")  # by perf on stderr
CHUNKS = re.compile(r"\blost (\d+) chunks")
HEADER = re.compile(r"# (hostname|os release|perf version|arch|captured on|cmdline)\s*: ?(.*)")
FEW = 10  # one event in so many may be older than the one before: perf sorts them
HEX = r"(0x[0-9a-f]{1,16}|0)"
MMAP2 = re.compile(
    rf" (-?\d{{1,9}})/(-?\d{{1,9}}): \[{HEX}\({HEX}\) @ {HEX} (?:<[0-9a-f]+>|[0-9a-f]+:[0-9a-f]+ (\d{{1,19}}) \d+)\]: "
    r"([r-])([w-])([x-])([ps]) (.*)"
)
MMAP = re.compile(rf" (-?\d{{1,9}})/(-?\d{{1,9}}): \[{HEX}\({HEX}\) @ {HEX}\]: ([rx]) (.*)")
COMM = re.compile(r"( exec)?: (.*):(-?\d{1,9})/(-?\d{1,9})\s*$")
TASK = re.compile(r"\((-?\d{1,9}):(-?\d{1,9})\):\((-?\d{1,9}):(-?\d{1,9})\)")
LOST = re.compile(r"\blost\D*(\d+)")
SHARED, PRIVATE = 1, 2


def read_perf_script(lines: Iterable[str], name: str, file: str | None = None) -> Reading:
    """The tables of a recorded command from the lines of ``perf script`` (with their line ends).

    ``name`` is the recording's, ``file`` what errors name. Raises InputError where no line is one of perf script's.
    """
    reader = _Reader()
    cut_off = reader.account.read(lines, reader.line)
    if reader.lost:
        reader.account.gaps.append(f"perf lost {reader.lost:,} events")
    if cut_off:
        reader.account.was_cut_off()
    if not reader.understood:
        raise InputError("no line is one of perf script's", file=file, hint=f"made by: {HOW}")
    if reader.clock.backwards * FEW > reader.understood:
        problem = f"time goes back {reader.clock.backwards:,} times in {reader.understood:,} events"
        raise InputError(problem, file=file, hint="--deltatime prints no times; else sort it by time")
    tables = tables_of(reader.events, reader.account, reader.clock, name, file)
    return Reading(tables, reader.account, reader.clock.first, reader.lost)


class _Reader:
    def __init__(self) -> None:
        self.account = Account(FORMAT)
        self.events = Events()
        self.clock = Clock()
        self.understood = 0  # events
        self.tasks: dict[str, tuple[int, int, int]] = {}  # "COMM PID/TID [CPU" of a line: pid, tid, cpu
        self.lost = 0
        self.records = {
            "PERF_RECORD_MMAP2": self.mmap2,
            "PERF_RECORD_MMAP": self.mmap,
            "PERF_RECORD_COMM": self.comm,
            "PERF_RECORD_FORK": self.fork,
            "PERF_RECORD_EXIT": self.exit,
            "PERF_RECORD_LOST": self.lose,
            "PERF_RECORD_LOST_SAMPLES": self.lose,
        }

    def line(self, line: str) -> bool:
        """Read a line. False: it is none of perf script's, or not whole."""
        end = line.find("] ")
        task = self.tasks.get(line[:end])
        if task is not None and (fault := FAULT_AFTER_CPU.match(line, end)):
            seconds, fraction, address, err = fault.groups()
            self.understood += 1
            self.events.faulted(self.clock.at(seconds, fraction), *task, int(address, 16), int(err, 16))
            return True
        return self.any_line(line, end)

    def any_line(self, line: str, end: int) -> bool:
        """The same for whatever line; ``end`` is where its "[CPU" ends, if it has one."""
        found = LINE.match(line)
        if found is None:
            return self.other(line)
        comm, pid, tid, cpu, seconds, fraction, group, event, record, text = found.groups()
        number = int(tid or pid)
        now = self.clock.at(seconds, fraction)
        events = self.events
        owner = int(pid) if tid else events.owners.get(number, number)
        if number not in events.comms:
            events.comms[number] = (comm or "")[:COMM_LENGTH]
        at = At(now, owner, number, int(cpu) if cpu else -1)
        if tid and cpu and found.end("cpu") == end:
            self.tasks[line[:end]] = (at.pid, at.tid, at.cpu)
        if event is not None:
            reader = events.readers.get(event) if GROUPS.get(event) == group else None
            name = f"{group}:{event}"
        else:
            reader, name = self.records.get(record), record
        if reader is None:
            self.account.ignored[name] += 1
            return True
        good = reader(at, text)
        self.understood += good
        return good

    def other(self, line: str) -> bool:
        """A line without an event: a header's, a callchain's, or what perf says on stderr."""
        if line.startswith("#"):
            if header := HEADER.match(line):
                self.account.header[header[1]] = header[2].strip()
            return True
        if chunks := CHUNKS.search(line):
            self.account.gaps.append(f"perf lost {chunks[1]} chunks of events")
            return True
        return not line.strip() or STACK.match(line) is not None or line.startswith(SAID)

    def mmap2(self, at: At, text: str) -> bool:
        """A mapping that was made. A build id may stand in the place of the inode, which is then not known."""
        found = MMAP2.match(text)
        if found is None:
            return False
        pid, tid, address, length, offset, ino, r, w, x, shared, filename = found.groups()
        if ino is None:
            self.events.maps_without_ino += 1
        prot = (r == "r") | (w == "w") << 1 | (x == "x") << 2
        flags = SHARED if shared == "s" else PRIVATE
        return self.mapped(at, int(pid), int(tid), (address, length, offset), int(ino or 0), prot, flags, filename)

    def mmap(self, at: At, text: str) -> bool:
        """The same before Linux 3.12: neither inode nor protection."""
        found = MMAP.match(text)
        if found is None:
            return False
        pid, tid, address, length, offset, kind, filename = found.groups()
        prot = 5 if kind == "x" else 3
        return self.mapped(at, int(pid), int(tid), (address, length, offset), 0, prot, PRIVATE, filename)

    def mapped(
        self, at: At, pid: int, tid: int, place: tuple[str, ...], ino: int, prot: int, flags: int, filename: str
    ) -> bool:
        address, length, offset = (int(number, 16) for number in place)
        if pid < 0:  # the kernel's own text
            return True
        at = At(at.time_ns, pid, tid, at.cpu)
        return self.events.mapped(at, address, length, offset, ino, prot, flags, filename.rstrip("\n"))

    def comm(self, at: At, text: str) -> bool:
        """A name, by exec or by prctl."""
        found = COMM.match(text)
        if found is None:
            return False
        pid, tid = int(found[3]), int(found[4])
        self.events.owners[tid] = pid
        self.events.procs.add((at.time_ns, pid, tid, 0), "exec_comm" if found[1] else "comm", found[2][:COMM_LENGTH])
        return True

    def fork(self, at: At, text: str) -> bool:
        """A new process or thread."""
        found = TASK.match(text)
        if found is None:
            return False
        pid, tid, ppid = int(found[1]), int(found[2]), int(found[3])
        self.events.owners[tid] = pid
        self.events.procs.add((at.time_ns, pid, tid, ppid), "fork", "")
        return True

    def exit(self, at: At, text: str) -> bool:
        """The end of one."""
        found = TASK.match(text)
        if found is None:
            return False
        pid, tid = int(found[1]), int(found[2])
        self.events.entered.pop(tid, None)
        self.events.procs.add((at.time_ns, pid, tid, 0), "exit_task", "")
        return True

    def lose(self, at: At, text: str) -> bool:
        """Events that perf's buffers had no room for."""
        found = LOST.search(text)
        self.lost += int(found[1]) if found else 1
        return True
