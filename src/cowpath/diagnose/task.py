"""A task as a report shows it: its stack, its state, and what the report says besides."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

FRAME = re.compile(
    r"(?:#\d+\s+)?(?:\[<[0-9a-f?]{1,16}>\]:?\s+|\[?(?:0x)?[0-9a-f]{8,16}\]?\s+)?(\?\s+)?"
    r"([A-Za-z_][A-Za-z0-9_]*)((?:\.(?:isra|part|constprop|cold|llvm|lto_priv)(?:\.\d+)*)*)"
    r"(\+(?:0x)?[0-9a-f]+(?:/(?:0x)?[0-9a-f]+)?)?"
    r"(?:\s+\[[\w-]+(?: [^\]]*)?\]|\s+\(\[?[\w.]+\]?\)|\s+at [0-9a-f]+)*\s*"
)


@dataclass(frozen=True, slots=True)
class Frame:
    """A function in a stack. ``sure`` is false where the unwinder has marked it with ``?``."""

    function: str
    sure: bool = True


@dataclass
class HeldLock:
    """A lock that lockdep says a task holds, or asks for: its class (``&mm->mmap_lock``), its address and where."""

    name: str
    address: str = ""
    at: str = ""


@dataclass
class Owner:
    """Who the kernel says holds the lock that a task waits for (6.16 and later): a mutex, a semaphore, an rwsem."""

    kind: str
    name: str
    pid: int


@dataclass
class Task:
    """A task of a log.

    ``frames`` are from the innermost outwards. ``kind`` is the report that shows it: hung, sysrq, stack, lockup,
    lockdep, oom, warning. ``state`` is D, R, S, ...; "" where it is not said. ``group`` is its memory cgroup.
    """

    name: str
    kind: str
    line: int
    pid: int | None = None
    tgid: int | None = None
    state: str = ""
    frames: list[Frame] = field(default_factory=list)
    seconds: int | None = None
    group: str | None = None
    owner: Owner | None = None
    ownerless: bool = False  # the kernel has looked for the lock's owner, and found none
    held: list[HeldLock] = field(default_factory=list)
    asks: HeldLock | None = None
    chain: list[str] = field(default_factory=list)  # functions of lockdep's earlier stacks, which made the order
    cut: bool = False  # the stack has no end that a kernel's stack has
    dying: bool = False  # it was killed, and is still there

    @property
    def label(self) -> str:
        """``java[20262]``."""
        return self.name if self.pid is None else f"{self.name}[{self.pid}]"

    @property
    def names(self) -> list[str]:
        """The functions that are surely in its stack, from the innermost outwards."""
        return [frame.function for frame in self.frames if frame.sure]


def frame_in(text: str, plain: bool) -> Frame | None:
    """The frame that a line shows; ``plain``: also one without an offset, which else is any word of a log."""
    match = FRAME.fullmatch(text.strip())
    if match is None or not (plain or match[4] or " at " in text):
        return None
    name = match[2]
    if name in NO_FUNCTIONS:
        return None
    return Frame(name, match[1] is None)


NO_FUNCTIONS = {"Code", "RSP", "RIP", "done", "TASK", "IRQ", "NMI", "none", "true", "false"}
