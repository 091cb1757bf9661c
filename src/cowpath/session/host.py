"""What the shell prints, keeps or finds out when it gets to an OP_HOST: Python does it, from the machine's books."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

from cowpath.kernel import names as n
from cowpath.kernels.memcg_files import MemcgFiles
from cowpath.session import condition, filters
from cowpath.session.cgroupfs import ALL, all_files, read_file
from cowpath.session.live import filled_in
from cowpath.session.memcg_text2 import pressure
from cowpath.session.plan import HostText, Plan
from cowpath.session.scope import SHELL_ITSELF

PID = re.compile("\0p([^\0]+)\0")  # a slot, whose task's number is shown
ERRORS = {  # by errno, in glibc's words
    2: "No such file or directory", 3: "No such process", 4: "Interrupted system call", 5: "Input/output error",
    11: "Resource temporarily unavailable", 12: "Cannot allocate memory", 13: "Permission denied", 14: "Bad address",
    16: "Device or resource busy", 17: "File exists", 22: "Invalid argument", 23: "Too many open files in system",
}  # fmt: skip
FORK = {  # bash's make_child
    n.HOST_FORK_RETRY: "fork: retry: Resource temporarily unavailable",
    n.HOST_FORK_FAILED: "fork: Resource temporarily unavailable",
    n.HOST_FORK_NOMEM: "fork: Cannot allocate memory",
}


@dataclass(frozen=True)
class Answer:
    """What a command prints, its status, and its messages."""

    out: str
    status: int
    err: str = ""


@dataclass
class Host:
    """Answers a machine. ``keys``: the kernel's files, if the machine has cgroup v2."""

    plan: Plan
    keys: MemcgFiles | None = None
    kept: dict[int, str] = field(default_factory=dict)  # values that only the run shows, by their numbers

    def __call__(self, k: Any, number: int) -> str:
        """What is printed (books.host): a text of the plan, or what a shell says that cannot fork."""
        if number in FORK:
            return f"{self.plan.name}: {FORK[number]}\n"
        text = self.plan.texts[number]
        task = k.state.tasks[int(k.books.host_task)]
        if "\0" in text.text:
            text = replace(text, text=self.with_pids(k, text.text))
        answer = self.answer(k, text, int(task.status))
        task.status = answer.status
        if text.keep is not None:
            self.kept[text.keep] = answer.out if text.kind == "keep" else answer.out.rstrip("\n")
        out = answer.out if text.out and text.keep is None else ""
        return (answer.err if text.err else "") + out

    def with_pids(self, k: Any, text: str) -> str:
        """A text with the numbers of tasks: $! and $$."""
        text = text.replace(SHELL_ITSELF, str(int(k.books.host_task)))
        return PID.sub(lambda match: str(int(k.state.names[self.plan.slots.index(match[1])]) - 1), text)

    def answer(self, k: Any, text: HostText, status: int) -> Answer:
        """What it prints, and the status after it."""
        if text.kind == "test":
            return Answer("", self.tested(text, status))
        if text.kind == "sysctl":
            sysctl(k, text.words[0], int(text.text))
            return Answer("", 0)
        if text.kind == "adjust":
            there = self.adjusted(k, text.words[0], int(text.text))
            return Answer("", 0) if there else Answer("", 1, f"oom_score_adj: {reason(2)}\n")
        if text.kind == "restore":
            kept = self.kept.get(int(text.words[0]), "0")
            return Answer("", int(kept) % 256 if kept.isdigit() else condition.WRONG)
        if text.kind == "oom_killed":
            return Answer("", int(not k.books.groups[text.group].counters[n.C_OOM_KILLS]))
        shown = render(k, text, status, self.keys, self.kept)
        if text.kind in ("error", "keep", "status", "exists"):
            return Answer("", status, shown) if text.kind == "error" else Answer(shown, status)
        out, err = ("", shown) if status else (shown, "")  # the group is not there
        failed = status
        for each in text.filters:
            if each.name == filters.HIDE:
                out = ""
                continue
            out, status = filters.apply(each, out)
            failed = status or failed
        return Answer(out, failed if text.pipefail else status, err)

    def adjusted(self, k: Any, slot: str, value: int) -> bool:
        """oom_score_adj of a process that the session has started, by its slot; False if it has ended."""
        number = int(k.state.names[self.plan.slots.index(slot)]) - 1
        tasks = k.state["tasks"][: int(k.state.n_tasks)]
        if number < 0 or tasks["run_state"][number] in (n.T_ZOMBIE, n.T_FREE):
            return False
        tasks["oom_score_adj"][tasks["leader"] == tasks["leader"][number]] = value
        return True

    def tested(self, text: HostText, status: int) -> int:
        """The status of ``[ ... ]``; of one about a group, ``status`` says whether it is there."""
        if not text.words:
            return int((status == 0) == text.negated)
        words = [filled_in(word, self.kept) for word in text.words]
        return condition.status(tuple(words))


def render(
    k: Any, text: HostText, status: int, keys: MemcgFiles | None = None, kept: dict[int, str] | None = None
) -> str:
    """What the shell prints at an OP_HOST, with its last newline. ``status`` is the task's: an errno."""
    if text.kind == "echo":
        return filled_in(text.text, kept or {}) + text.end
    if text.kind == "keep":
        return filled_in(text.text, kept or {})
    if text.kind == "status":
        return str(status)
    if text.kind == "exists":
        return ""
    if text.kind == "error":
        return f"{text.text}{reason(status)}\n"
    if status:
        return f"{text.kind}: {text.text}: {reason(status)}\n"
    if text.kind == "pressure":
        return pressure(k, 0)
    files = all_files(k, text.group, keys) if text.files == (ALL,) else text.files
    if text.kind == "cat":
        return "".join(read_file(k, text.group, name, keys) for name in files)
    values = (f"{name}: " + read_file(k, text.group, name, keys).rstrip("\n").replace("\n", "\n\t") for name in files)
    return f"{text.text}:\n" + "".join(f"{value}\n" for value in values) + "\n"


def sysctl(k: Any, name: str, value: int) -> None:
    """A setting of the machine. vm.swappiness: of the root group, and in cgroup v2, which has only that, of all."""
    assert name == "vm.swappiness", f"{name} is not modelled"
    count = int(k.state.n_groups) if k.state.cgroup2 else 1
    k.state["groups"]["swappiness"][:count] = value


def reason(status: int) -> str:
    """An errno in words."""
    return ERRORS.get(status, f"error {status}")
