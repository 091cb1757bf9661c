"""Files of /proc and of groups in a collection: of ``tail -n +1 /proc/[0-9]*/{comm,stack}``, grep, ``watch --save``."""

from __future__ import annotations

import re

from cowpath.diagnose.lines import Line
from cowpath.diagnose.task import Task, frame_in

SECTION = re.compile(r"==> ?(\S+) ?<==")
PROC_FILE = re.compile(
    r"(?:\S*/)?proc/(\d{1,10})(?:/task/(\d{1,10}))?/(stack|comm|status|wchan|cgroup|cmdline)(?::(.*))?"
)
GROUP_FILE = re.compile(r"(/\S*)/((?:memory|cgroup)\.[\w.]+)")
CGROUP = re.compile(r"(?:\d+:(?:[\w,=]*,)?memory(?:,[\w,=]*)?|0:):(/.*)")
STATUS = re.compile(r"(Name|State|Tgid|Pid|SigPnd|ShdPnd):\s*(\S+)")
SIGKILL = 1 << 8  # signal 9 in a mask


class Files:
    """Takes what belongs to files, by their names; the rest is the log's."""

    def __init__(self, groups: dict[str, dict[str, str]]) -> None:
        self.groups = groups
        self.found: dict[tuple[int, int], Task] = {}
        self.path = ""

    @property
    def within(self) -> bool:
        """Whether the lines that come are of a file."""
        return bool(self.path)

    def feed(self, line: Line) -> bool:
        """Whether the line is a file's, or names one."""
        text = line.text.strip()
        if "==>" in text or "proc/" in text:
            named = SECTION.fullmatch(text)
            of_proc = PROC_FILE.fullmatch(text)
            if of_proc is not None and of_proc[4]:
                return self.content(of_proc, of_proc[4], line.number)
            if named is not None or of_proc is not None:
                self.path = named[1] if named is not None else text.rstrip(":")
                of_proc = PROC_FILE.fullmatch(self.path)
                if of_proc is not None:
                    self.task(of_proc, line.number)
                return True
        if not self.path:
            return False
        if not text:
            return True
        if line.sure:
            self.path = ""
            return False
        of_proc = PROC_FILE.fullmatch(self.path)
        if of_proc is not None:
            taken = self.content(of_proc, text, line.number)
            self.path = self.path if taken else ""
            return taken
        of_group = GROUP_FILE.fullmatch(self.path)
        if of_group is not None:
            files = self.groups.setdefault(of_group[1], {})
            files[of_group[2]] = f"{files.get(of_group[2], '')}{text}\n"
        return True

    def task(self, of: re.Match[str], line: int) -> Task:
        """The task whose file it is."""
        pid, thread = int(of[1]), int(of[2] or of[1])
        return self.found.setdefault((pid, thread), Task("", "stack", line, thread, pid if of[2] else None))

    def content(self, of: re.Match[str], text: str, line: int) -> bool:
        """A line of a task's file; false if it cannot be one."""
        task = self.task(of, line)
        if of[3] == "comm":
            task.name = text
        elif of[3] == "cgroup":
            group = CGROUP.fullmatch(text)
            if group is not None and (task.group is None or not text.startswith("0::")):
                task.group = group[1]  # a machine with both: the memory controller is v1's
        elif of[3] == "status":
            status(task, text)
        elif of[3] == "stack":
            frame = frame_in(text, True)
            if frame is None:
                return text.endswith("0xffffffffffffffff")
            task.frames.append(frame)
        return True

    def tasks(self) -> list[Task]:
        """The tasks whose stack there is."""
        kept = [task for task in self.found.values() if task.frames]
        for task in kept:
            task.name = task.name or "?"
        return kept


def status(task: Task, text: str) -> None:
    """A line of /proc/PID/status."""
    match = STATUS.match(text)
    if match is None:
        return
    key, value = match[1], match[2]
    if key == "Name":
        task.name = task.name or value
    elif key == "State":
        task.state = value[:1]
    elif key == "Tgid" and value.isdigit():
        task.tgid = int(value[:10])
    elif key in ("SigPnd", "ShdPnd") and re.fullmatch("[0-9a-f]{16}", value) and int(value, 16) & SIGKILL:
        task.dying = True
