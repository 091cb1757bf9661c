"""``valgrind --tool=lackey --trace-mem=yes``: every access of one process to its memory, hence all uses of its pages.

A line is ``I  0401ab70,3`` (an instruction is fetched: address, bytes), `` L``, `` S`` or `` M`` (load, store, both).
What the kernel reads and writes is not in it, nor are mappings; threads are not told apart (lackey/lk_main.c, Valgrind
3.19).

An access to one of the ``KEPT`` pages that were recorded last is left out, unless it is the first write to it among
them; a processor does much the same, whose TLB does not mark a page as used again. In a list by the latest use no page
comes to stand more than ``KEPT`` places from where it would with all accesses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import PurePosixPath

from cowpath.errors import InputError
from cowpath.programs.reading.account import Account, Reading
from cowpath.programs.reading.assemble import CPU_TIME, REUSE, tables_of
from cowpath.programs.reading.clock import Clock
from cowpath.programs.reading.tracepoints import COMM_LENGTH, USER_END, At, Events

FORMAT = "lackey"
HOW = "valgrind --tool=lackey --trace-mem=yes --log-file=FILE COMMAND"
LINE = re.compile(r"(?:I | [LSM]) [0-9a-f]{8,16},\d{1,4}\s*$|==\d{1,9}== (?:Lackey|Command: |Counted|Executed)")
FETCH, LOAD, STORE = 0x14, 4, 6  # as the error code of a page fault in user mode says it (x86)
KINDS = {"I  ": FETCH, " L ": LOAD, " S ": STORE, " M ": STORE}
PID = 1  # any number will do
KEPT = 64  # pages: the entries of a first-level TLB
PAGE = 4096
INSTRUCTIONS_PER_NS = 2
LONGEST = 4096  # bytes of one access
SAID = re.compile(r"==\d{1,9}== ?(.*)")
TOTAL = re.compile(r"\s*guest instrs:\s+([\d,]+)")


def read_lackey(lines: Iterable[str], name: str, file: str | None = None) -> Reading:
    """The tables of one process; ``faults`` holds its accesses. Raises InputError where there is none."""
    reader = _Reader()
    cut_off = reader.account.read(lines, reader.understands)
    if not len(reader.events.faults):
        raise InputError("no access to memory is in it", file=file, hint=f"made by: {HOW}")
    if cut_off:
        reader.account.was_cut_off()
    return reader.reading(name, file)


class _Reader:
    def __init__(self) -> None:
        self.account = Account(FORMAT)
        self.events = Events()
        self.command = ""
        self.instructions = 0
        self.accesses = 0
        self.told: int | None = None  # how many instructions there were
        self.ended = False
        self.recent: dict[str, bool] = {}  # the pages recorded last (their digits), in order; whether written to

    def understands(self, line: str) -> bool:
        """Read a line. False: it is none of lackey's."""
        try:
            self.line(line)
        except ValueError:
            return False
        return True

    def line(self, line: str) -> None:
        """Read a line. Raises ValueError if it is none of lackey's."""
        kind = KINDS.get(line[:3])
        if kind is None:
            return self.said(line)
        comma = line.index(",", 3)
        if kind == FETCH:
            self.instructions += 1
        self.accesses += 1
        self.access(line[3 : comma - 3], kind)
        if line[comma - 3] == "f":  # near its page's end: it may reach into the next
            beyond = int(line[comma - 3 : comma], 16) + int(line[comma + 1 :]) - PAGE
            if beyond > LONGEST:
                raise ValueError("too long")
            if beyond > 0:
                self.access(f"{int(line[3 : comma - 3], 16) + 1:05x}", kind)
        return None

    def access(self, page: str, kind: int) -> None:
        """An access to a page."""
        recent = self.recent
        written = recent.get(page)
        if written is None or (kind == STORE and not written):
            number = int(page, 16)
            if not 0 <= number < USER_END // PAGE:
                raise ValueError("no address of a program")
            now = 1 + self.instructions // INSTRUCTIONS_PER_NS
            self.events.faulted(now, PID, PID, -1, number * PAGE, kind)
            if written is None and len(recent) == KEPT:
                del recent[next(iter(recent))]
            recent[page] = kind == STORE

    def said(self, line: str) -> None:
        """What Valgrind says of itself, its command and, at the end, of the whole."""
        found = SAID.match(line)
        if found is None:
            raise ValueError("not lackey's")
        text = found[1]
        if text.startswith("Command: "):
            self.command = text[9:].strip()
        elif total := TOTAL.match(text):
            self.told = int(total[1].replace(",", ""))
        elif text.startswith("Exit code:"):
            self.ended = True

    def reading(self, name: str, file: str | None) -> Reading:
        """All of it."""
        events, account = self.events, self.account
        program = self.command.split(" ")[0]
        events.procs.add((1, PID, PID, 0), "exec_comm", PurePosixPath(program or name).name[:COMM_LENGTH])
        events.execs.append((At(1, PID, PID, -1), program or name))
        if self.ended:
            last = 2 + self.instructions // INSTRUCTIONS_PER_NS  # behind all accesses
            events.procs.add((last, PID, PID, 0), "exit_task", "")
        clock = Clock()
        clock.first = 1
        tables = tables_of(events, account, clock, name, file)
        account.found = {
            "accesses": self.accesses,
            "instructions": self.instructions,
            f"uses of pages that are not among the {KEPT} recorded last": len(events.faults),
        }
        del account.instead[REUSE]
        account.instead[CPU_TIME] = f"{INSTRUCTIONS_PER_NS} instructions take a nanosecond"
        account.instead["what the kernel reads and writes"] = "nothing"
        account.instead["threads"] = "one does it all"
        if not self.ended:
            account.gaps.append("valgrind's summary at its end is missing: the file was cut off")
        elif self.told is not None and self.told != self.instructions:
            account.gaps.append(f"valgrind counted {self.told:,} instructions, and {self.instructions:,} are there")
        return Reading(replace(tables, command=tuple(self.command.split()), accesses=True), account)
