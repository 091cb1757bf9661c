"""A stack that is being read, line by line, with lockdep's locks beside it."""

from __future__ import annotations

import re

from cowpath.diagnose.tables import tables
from cowpath.diagnose.task import HeldLock, Task, frame_in

COPIES = re.compile(r"user|fault_in|robust|iov_iter|copy|clear")  # faults in the kernel: more follows a fault's end
MOST_BETWEEN = 40  # lines of others within one stack
MOST_HEAD = 2000  # lines between the head of a report, with lockdep's chain, and its stack
MOST_FRAMES = 200
A_LOCK = re.compile(
    r"\s*(?:#\d+:\s*)?(?:\(?([0-9a-f]{8,16})\)?\s+)?\((.{1,80}?)\)\{[^}]{0,12}\}(?:-\{[^}]{0,12}\})?,"
    r"\s*at: (?:\[<[0-9a-f?]+>\] )?(\w+)?"
)
CHAIN = re.compile(r"-> #\d+ \(")
RIP = re.compile(
    r"(?:RIP|EIP|pc)\s*: (?:[0-9a-f]{4}:)?(?:\[<[0-9a-f]+>\]\s+(?:\[<[0-9a-f]+>\]\s+)?)?"
    r"([A-Za-z_]\w*\+0x[0-9a-f]+/0x[0-9a-f]+)"
)
INTERRUPTS = {"<IRQ>": True, "<NMI>": True, "</IRQ>": False, "</NMI>": False, "<EOI>": False, "<<EOE>>": False}


class Stack:
    """A stack that is being read."""

    def __init__(self, task: Task, plain: bool = False, waits: bool = False) -> None:
        self.task = task
        self.plain = plain
        self.waits = waits  # for the line that says whose it is
        self.between = 0
        self.interrupt = False
        self.locks = ""  # what the next locks are: "asks", "held"
        self.chain = False  # within lockdep's chain of dependencies: the frames are of other times
        self.unnamed = task.name.startswith("task at line ")

    def ready(self) -> None:
        """The frames that come are the task's."""
        self.waits = self.chain = False
        self.locks = ""

    def takes_lock(self, text: str) -> bool:
        """Whether a line is one of lockdep's: a lock, or a heading."""
        if "already holding lock" in text:
            self.locks = "held"
            return True
        if CHAIN.search(text):
            self.chain, self.locks = True, ""
            return True
        match = A_LOCK.match(text) if self.locks else None
        if match is None:
            return False
        lock = HeldLock(match[2], match[1] or "", match[3] or "")
        if self.locks == "asks":
            self.task.asks, self.locks = lock, ""
        elif all(lock.name != other.name or lock.address != other.address for other in self.task.held):
            self.task.held.append(lock)
        self.between = 0
        return True

    def feed(self, text: str) -> bool:
        """Take a line; false where it shows that the stack is at its end."""
        frames = self.task.frames
        blank = not text.strip()
        for mark, opens in INTERRUPTS.items():
            if mark in text:
                self.interrupt = opens
                text = text.replace(mark, " ")
        if self.waits or self.chain:
            earlier = frame_in(text, False) if self.chain else None
            if earlier is not None and len(self.task.chain) < MOST_FRAMES:
                self.task.chain.append(earlier.function)
            self.between += 1
            return self.between < MOST_HEAD
        rip = RIP.search(text)
        if rip is not None:
            if self.task.kind == "lockup" and not frames:
                text = rip[1]
            else:
                self.between += 1
                return True
        frame = None if self.interrupt else frame_in(text, self.plain)
        if frame is None or len(frames) >= MOST_FRAMES:
            self.between += 1
            ended = bool(frames) and (blank or "</TASK>" in text or "0xffffffffffffffff" in text)
            return not ended and self.between < MOST_BETWEEN
        if self.unnamed and frames and frames[-1].function in tables().bottoms and not COPIES.search(frame.function):
            return False
        self.between = 0
        frames.append(frame)
        return True

    def close(self) -> None:
        """The end of the stack."""
        if self.task.frames:
            self.task.cut = self.task.frames[-1].function not in tables().bottoms
