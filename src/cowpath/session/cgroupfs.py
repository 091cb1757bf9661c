"""The cgroup file system: where it is mounted, and what the shell prints of it when it gets there."""

from __future__ import annotations

from typing import Any

from cowpath.kernel import names as n
from cowpath.session.cgroup1 import FILES, READABLE, TASK_FILES, note_of, read_value, readable, writable
from cowpath.session.memcg_text import memory_stat
from cowpath.session.plan import HostText, Plan

__all__ = [
    "MOUNTS", "READABLE", "TASK_FILES", "memory_stat", "note_of", "printed", "read_file", "read_value", "readable",
    "render", "writable",
]  # fmt: skip

MOUNTS = ("/sys/fs/cgroup/memory", "/cgroup/memory", "/dev/cgroup/memory")

ERRORS = {  # by errno, in glibc's words
    2: "No such file or directory", 3: "No such process", 4: "Interrupted system call", 5: "Input/output error",
    11: "Resource temporarily unavailable", 12: "Cannot allocate memory", 14: "Bad address",
    16: "Device or resource busy", 17: "File exists", 22: "Invalid argument",
}  # fmt: skip
FORK = {  # bash's make_child
    n.HOST_FORK_RETRY: "fork: retry: Resource temporarily unavailable",
    n.HOST_FORK_FAILED: "fork: Resource temporarily unavailable",
}


def printed(k: Any, plan: Plan, number: int) -> str:
    """What the machine asks to be printed (books.host): a text of the plan, or what a shell says that cannot fork."""
    if number in FORK:
        return f"{plan.name}: {FORK[number]}\n"
    return render(k, plan.texts[number], int(k.state.tasks[int(k.books.host_task)].status))


def render(k: Any, text: HostText, status: int) -> str:
    """What the shell prints at an OP_HOST, with its last newline. ``status`` is the task's: an errno."""
    if text.kind == "echo":
        return text.text + "\n"
    if text.kind == "error":
        return f"{text.text}{reason(status)}\n"
    if status:
        return f"{text.kind}: {text.text}: {reason(status)}\n"
    if text.kind == "cat":
        return "".join(read_file(k, text.group, name) for name in text.files)
    values = (f"{name}: " + read_file(k, text.group, name).rstrip("\n").replace("\n", "\n\t") for name in text.files)
    return f"{text.text}:\n" + "".join(f"{value}\n" for value in values) + "\n"


def reason(status: int) -> str:
    """An errno in words."""
    return ERRORS.get(status, f"error {status}")


def read_file(k: Any, group: int, name: str) -> str:
    """A file's text, with its last newline."""
    read = FILES[name].read
    assert read is not None, f"{name} cannot be read"
    return read(k, group)
