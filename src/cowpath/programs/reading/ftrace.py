"""What ftrace prints: a tracing instance's ``trace`` file, and ``trace-cmd report``.

A line is ``COMM-TID [CPU] FLAGS SECONDS: EVENT: ...`` (``trace_print_context``, kernel/trace/trace_output.c); with the
option record-tgid ``(TGID)`` stands before the CPU, trace-cmd leaves out the flags. Names have no group, system calls
are printed as ``sys_mmap(addr: ...)`` and ``sys_mmap -> 0x...`` in the trace file (kernel/trace/trace_syscalls.c), as
events in trace-cmd's report. There are no records of mappings, and tasks name their process only where asked to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from cowpath.errors import InputError
from cowpath.programs.reading.account import Account, Reading
from cowpath.programs.reading.assemble import tables_of
from cowpath.programs.reading.clock import Clock
from cowpath.programs.reading.tracepoints import COMM_LENGTH, At, Events

FORMAT = "ftrace"
HOW = "trace-cmd record -e exceptions -e sched:sched_process_exec ... COMMAND; trace-cmd report"
LINE = re.compile(
    r"\s*(?P<comm>.+?)-(?P<tid>\d{1,9})\s+(?:\(\s*(?P<tgid>\d{1,9}|-+)\)\s+)?\[(?P<cpu>\d{1,4})\]\s+(?:[^\s\[\]:]{3,8}\s+)?"
    r"(?P<s>\d{1,9})\.(?P<fraction>\d{3,9}):\s+"
    r"(?:(?P<event>\w+):|sys_(?P<enters>\w+)(?=\()|sys_(?P<leaves>\w+) ->)\s*(?P<text>.*)"
)
ENTRIES = re.compile(r"# entries-in-buffer/entries-written: (\d+)/(\d+)")
LOST = re.compile(r"CPU:\d+ \[(?:LOST (\d+) EVENTS|EVENTS DROPPED)\]")
IN_ANY_CONTEXT = "sched_waking"  # an interrupt may have done it, on top of any task: the flags are not always there
HEADER = re.compile(r"(#|cpus=|version = |CPU \d+ is empty|\s*$)")


def read_ftrace(lines: Iterable[str], name: str, file: str | None = None) -> Reading:
    """The tables of a recorded command from the lines of a trace (with their line ends).

    ``name`` is the recording's, ``file`` what errors name. Raises InputError where no line is one of ftrace's.
    """
    reader = _Reader()
    cut_off = reader.account.read(lines, reader.line)
    if not reader.read:
        raise InputError("no line is one of ftrace's", file=file, hint=f"made by: {HOW}")
    reader.tell(cut_off)
    return Reading(tables_of(reader.events, reader.account, reader.clock, name, file), reader.account)


class _Reader:
    def __init__(self) -> None:
        self.account = Account(FORMAT)
        self.events = Events()
        self.clock = Clock()
        self.read = 0  # events
        self.lost = 0
        self.in_buffer: int | None = None
        self.threads_known = False

    def line(self, line: str) -> bool:
        """Read a line. False: it is none of ftrace's, or not whole."""
        found = LINE.match(line)
        if found is None:
            return self.other(line)
        comm, task, group, cpu, seconds, fraction, event, enters, leaves, text = found.groups()
        tid, events = int(task), self.events
        self.read += 1
        if group and group.isdigit():
            events.owners[tid] = int(group)
            self.threads_known = True
        events.comms.setdefault(tid, "" if comm == "<...>" else comm[:COMM_LENGTH])
        at = At(self.clock.at(seconds, fraction), events.owners.get(tid, tid), tid, int(cpu))
        name = event or (f"sys_enter_{enters}" if enters else f"sys_exit_{leaves}")
        reader = None if name == IN_ANY_CONTEXT else events.readers.get(name)
        if reader is None:
            self.account.ignored[name] += 1
            return True
        return reader(at, text)

    def other(self, line: str) -> bool:
        """A line without an event."""
        if entries := ENTRIES.match(line):
            self.in_buffer = int(entries[1])
            self.lost += int(entries[2]) - int(entries[1])
        elif lost := LOST.match(line):
            self.lost += int(lost[1] or 1)
        else:
            return HEADER.match(line) is not None
        return True

    def tell(self, cut_off: bool) -> None:
        """What the account has to say of such a file in particular."""
        gaps, instead = self.account.gaps, self.account.instead
        if self.lost > 0:
            gaps.append(f"{self.lost:,} events were lost")
        if cut_off:
            self.account.was_cut_off()
        if self.in_buffer is not None and self.read < self.in_buffer:
            gaps.append(f"it begins with the word that it has {self.in_buffer:,} events, and has {self.read:,}")
        if not (self.threads_known or self.events.owners):
            instead["which tasks are threads of one process"] = "each task is a process"
