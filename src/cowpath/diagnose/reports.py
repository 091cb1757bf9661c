"""Reports of tasks in a log: hung tasks, sysrq-w and -t, /proc/PID/stack, soft lockups, lockdep, warnings.

Formats: kernel/hung_task.c (check_hung_task, debug_show_blocker), kernel/sched (sched_show_task), kernel/watchdog.c,
kernel/locking/lockdep.c (print_circular_bug, debug_show_all_locks), lib/dump_stack.c, fs/proc/base.c (proc_pid_stack),
2.6.32 to 7.1. Lines of other reports may stand in between; what is cut off ends where it is cut off.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from cowpath.diagnose.files import Files
from cowpath.diagnose.lines import Line, lines_of
from cowpath.diagnose.oom import OomReader, OomReport
from cowpath.diagnose.release import Release, said_in
from cowpath.diagnose.stack import Stack
from cowpath.diagnose.task import HeldLock, Owner, Task, frame_in

HUNG = re.compile(r"INFO: task (.{1,64}?):(\d{1,10}) blocked .{0,40}?for more than (\d{1,10}) seconds")
BLOCKER = re.compile(
    r"INFO: task (.{1,64}?):(\d{1,10})(?: <\w+>)? (?:is )?blocked on an? (mutex|semaphore|rw-semaphore)"
    r"(?:, but the (?:owner|last holder) is not found| likely (?:owned|last held) by task (.{1,64}?):(\d{1,10}))"
)
SHOWN = re.compile(r"task:(.{1,64}?)\s*state:(\S)\s.*?\bpid:\s*(\d{1,10})(?:\s+tgid:\s*(\d{1,10}))?")
SHOWN_OLD = re.compile(
    r"(\S.{0,14}?)\s+([RSDTtXxZPKWIN?])\s+(?:running task\s+|running\s+|\(NOTLB\)\s+|[0-9a-f]{8,16}\s+)?"
    r"(\d{1,8})\s+(\d{1,10})\s+(\d{1,10})\s+(?:\(?0x)[0-9a-f]{8,16}\)?\s*"
)
ON_CPU = re.compile(
    r"CPU: ?\d+ (?:UID: \d+ )?PID: (\d{1,10}) Comm: (.{1,64}?) (?:Kdump: \S+ )?(?:Not tainted|Tainted:)"
)
ON_CPU_OLD = re.compile(r"Pid: (\d{1,10}), comm: (.{1,64}?),? +(?:Not tainted|Tainted:|xid:)")
LOCKUP = re.compile(r"soft lockup - CPU#\d+ stuck for (\d{1,10})s! \[(.{1,64}?):(\d{1,10})\]")
ACQUIRES = re.compile(r"(\S.{0,63}?)/(\d{1,10}) is trying to acquire lock:")
HELD_BY = re.compile(r"\d+ locks? held by (.{1,64}?)/(\d{1,10})(?:/\d+)?:|no locks held by ")
NAMED = re.compile(r"task: ?(\S.{0,120})")
CRASH = re.compile(r'PID: (\d{1,10})\s+TASK: \S+\s+CPU: \d+\s+COMMAND: "(.{0,64})"')
STATE = re.compile(r"\b([RSD])(?:/[RSD])?\b(?: > \d+ s)?(?: \(.*\))?$")
WARNS = re.compile(r"WARNING: CPU|WARNING: at |BUG: (?!soft)|page allocation failure|general protection|Oops|cut here")
LOCKDEP = re.compile(
    r"possible (?:circular locking|recursive locking|irq lock inversion)|inconsistent lock state|possible deadlock in"
)
STALL = re.compile(r"(?:self-)?detected (?:expedited )?stalls? on CPU|NMI backtrace for cpu|Sending NMI")
# what can begin something, or say which kernel it is: while nothing is open, all other lines are passed over unread
HINT = re.compile(
    rb"INFO: |task:|oom-killer|oom-kill:|oom_reaper|ill(?:ed)? process|Comm: |comm: |soft lockup|acquire lock|held by|"
    rb"==>|proc/\d|COMMAND:|ainted|Linux version|kernel: \d|\[<|\+0x|cut here|WARNING: |BUG: |stall|NMI |"
    rb"page allocation|possible (?:circ|recu|irq|dead)|inconsistent lock| 0x[0-9a-f]{8}|OOM victim|\"MESSAGE\":\[",
)


@dataclass
class Reports:
    """All that a log reports."""

    tasks: list[Task] = field(default_factory=list)
    ooms: list[OomReport] = field(default_factory=list)
    groups: dict[str, dict[str, str]] = field(default_factory=dict)  # a group's folder: its files
    release: Release = field(default_factory=Release)
    killed: dict[int, str] = field(default_factory=dict)
    lines: int = 0


def read(raw: Iterable[bytes]) -> Reports:
    """Read a log to its end: its lines as they are in the file."""
    reader = Reader()
    number = 0
    for number, line in enumerate(raw, 1):
        if reader.idle and HINT.search(line) is None:
            continue
        for each in lines_of(number, line):
            reader.feed(each)
    return reader.end(number)


class Reader:
    """Reads lines one by one. What one caller prints is kept apart from what another prints at the same time."""

    def __init__(self) -> None:
        self.found = Reports()
        self.ooms = OomReader()
        self.open: dict[str, Stack] = {}
        self.owners: dict[int, Owner | None] = {}
        self.held: dict[int, list[HeldLock]] = {}
        self.said: dict[int, int] = {}  # seconds for which khungtaskd says that a task was blocked
        self.files = Files(self.found.groups)

    @property
    def idle(self) -> bool:
        """Whether only a line that begins something matters."""
        return not self.open and not self.files.within and self.ooms.now is None

    def feed(self, line: Line) -> None:
        """Take the next line."""
        text = line.text
        stack = self.open.get(line.caller)
        self.ooms.feed(line)
        if "ainted" in text or "Linux version" in text or text.startswith("# "):
            self.found.release = merged(self.found.release, said_in(text))
        if self.files.feed(line):
            return
        if self.header(line, text.strip(), stack):
            return
        stack = self.open.get(line.caller) or self.unnamed(line)
        if stack is not None and not stack.feed(text):
            self.close(line.caller)
            stack = self.unnamed(line)  # of the next task in a collection without names
            if stack is not None:
                stack.feed(text)

    def header(self, line: Line, text: str, stack: Stack | None) -> bool:
        """Whether a line begins a report, or says something of one."""
        for sign, then in (
            (BLOCKER, self.blocker), (HUNG, self.hung), (SHOWN, self.shown), (LOCKUP, self.lockup),
            (ACQUIRES, self.acquires), (HELD_BY, self.held_by), (CRASH, self.crash),
            (ON_CPU, self.on_cpu), (ON_CPU_OLD, self.on_cpu),
        ):  # fmt: skip
            match = sign.search(text) if sign is not SHOWN else sign.match(text)
            if match is not None:
                then(line, match)
                return True
        match = SHOWN_OLD.fullmatch(text)
        if match is not None:
            self.begin(line, Task(match[1], "sysrq", line.number, int(match[4]), state=match[2]))
            return True
        match = NAMED.fullmatch(text)
        if match is not None and not line.sure:
            state = STATE.search(match[1])
            name = match[1][: state.start()].rstrip(" ,") if state else match[1]
            task = Task(name or match[1], "stack", line.number, state=state[1] if state else "")
            self.begin(line, task, plain=True)
            return True
        return self.context(line, text, stack)

    def context(self, line: Line, text: str, stack: Stack | None) -> bool:
        """What says of which kind the next stack is, and lists of locks."""
        kind = (
            "lockdep"
            if LOCKDEP.search(text)
            else "warning"
            if WARNS.search(text)
            else "lockup"
            if STALL.search(text)
            else ""
        )
        if "invoked oom-killer" in text:
            kind = "oom"
        if kind:
            self.close(line.caller)
            self.open[line.caller] = Stack(Task("", kind, line.number), waits=True)
            return True
        return stack is not None and stack.takes_lock(text)

    def begin(self, line: Line, task: Task, plain: bool = False) -> None:
        """From here on frames are this task's."""
        self.close(line.caller)
        self.open[line.caller] = Stack(task, plain=plain)

    def close(self, caller: str) -> None:
        """The stack of that caller is at its end."""
        stack = self.open.pop(caller, None)
        if stack is not None:
            stack.close()
            if stack.task.name and (stack.task.frames or stack.task.asks or stack.task.kind == "hung"):
                self.found.tasks.append(stack.task)

    def hung(self, line: Line, match: re.Match[str]) -> None:
        """khungtaskd: a task was blocked for so long."""
        self.said[int(match[2])] = int(match[3])
        self.begin(line, Task(match[1], "hung", line.number, int(match[2]), state="D", seconds=int(match[3])))

    def blocker(self, line: Line, match: re.Match[str]) -> None:
        """khungtaskd: who owns the lock that it waits for (6.16 and later)."""
        self.owners[int(match[2])] = Owner(match[3], match[4], int(match[5])) if match[5] else None

    def shown(self, line: Line, match: re.Match[str]) -> None:
        """sched_show_task, since 5.10: ``task:java state:D``."""
        pid = int(match[3])
        tgid = int(match[4]) if match[4] else None
        self.begin(line, Task(match[1].strip(), "sysrq", line.number, pid, tgid, match[2]))

    def lockup(self, line: Line, match: re.Match[str]) -> None:
        """The watchdog: a CPU does not come to schedule."""
        self.begin(line, Task(match[2], "lockup", line.number, int(match[3]), state="R", seconds=int(match[1])))

    def on_cpu(self, line: Line, match: re.Match[str]) -> None:
        """``CPU: 1 PID: 7 Comm: cc1``: whose stack it is that comes, in a report that has begun."""
        stack = self.open.get(line.caller)
        pid, name = int(match[1]), match[2]
        if stack is None:
            stack = self.open[line.caller] = Stack(Task("", "warning", line.number), waits=True)
        task = stack.task
        if task.name and task.pid != pid and task.frames:  # another report
            return self.begin(line, Task(name, "warning", line.number, pid, state="R"))
        if not task.name:
            task.name, task.pid, task.state = name, pid, "R"
        stack.ready()
        return None

    def acquires(self, line: Line, match: re.Match[str]) -> None:
        """lockdep: a task asks for a lock."""
        self.begin(line, Task(match[1], "lockdep", line.number, int(match[2])))
        self.open[line.caller].locks = "asks"

    def held_by(self, line: Line, match: re.Match[str]) -> None:
        """lockdep: the locks of a task."""
        if match[2] is None:
            return
        pid = int(match[2])
        stack = self.open.get(line.caller)
        if stack is not None and stack.task.pid == pid and stack.task.kind == "lockdep":
            stack.locks = "held"
            return
        self.close(line.caller)
        listed = Stack(Task(match[1], "locks", line.number, pid))
        listed.locks = "held"
        self.open[line.caller] = listed
        self.held[pid] = listed.task.held

    def crash(self, line: Line, match: re.Match[str]) -> None:
        """crash(8): ``PID: 7 TASK: ... COMMAND: "cc1"``."""
        self.begin(line, Task(match[2] or "?", "stack", line.number, int(match[1])), plain=False)

    def unnamed(self, line: Line) -> Stack | None:
        """``cat /proc/*/stack``: frames without a word of whose they are."""
        if line.sure or frame_in(line.text, False) is None or not line.text.lstrip().startswith(("[<", "#0")):
            return None
        stack = self.open[line.caller] = Stack(Task(f"task at line {line.number}", "stack", line.number))
        return stack

    def end(self, lines: int) -> Reports:
        """What there was, in so many lines."""
        self.found.lines = lines
        for caller in list(self.open):
            self.close(caller)
        self.found.tasks += self.files.tasks()
        found = self.found
        found.ooms = self.ooms.end()
        for report in found.ooms:
            found.killed |= report.killed
        found.killed |= self.ooms.killed
        for task in found.tasks:
            if task.pid is None:
                continue
            if task.pid in self.owners:
                task.owner = self.owners[task.pid]
                task.ownerless = task.owner is None
            task.held = task.held or self.held.get(task.pid, [])
            task.dying = task.dying or task.pid in found.killed
            if task.seconds is None and task.kind == "sysrq" and task.pid in self.said:
                task.seconds, task.kind = self.said[task.pid], "hung"
        found.tasks = once_each(found.tasks)
        return found


def merged(known: Release, other: Release | None) -> Release:
    """Two releases in one log: what is certain of both; the first said is kept where they agree."""
    if other is None:
        return known
    if not known.how:
        return other
    return Release(min(known.low, other.low), max(known.high, other.high), known.how, True)


def once_each(tasks: list[Task]) -> list[Task]:
    """A task that is reported again with the same stack is one; its longest time counts."""
    kept: dict[object, Task] = {}
    for task in tasks:
        key = (task.name, task.pid, tuple(task.names)) if task.pid is not None else id(task)
        first = kept.setdefault(key, task)
        if first is not task:
            first.seconds = max(first.seconds or 0, task.seconds or 0) or None
            first.kind = "hung" if "hung" in (first.kind, task.kind) else first.kind
            first.tgid = first.tgid if first.tgid is not None else task.tgid
    shown = {task.pid for task in kept.values() if task.frames}
    return [task for task in kept.values() if task.frames or task.asks or task.pid not in shown]
