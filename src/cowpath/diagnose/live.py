"""A live machine, read without stopping anything: the tasks' stacks and the files of their groups, as a collection.

What is read is what ``tail -n +1`` of the same files would print, so that it can be saved, and read again by
``diagnose``. ``/proc/PID/stack`` needs root.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cowpath.errors import InputError

PROC = Path("/proc")
GROUPS = {"v1": Path("/sys/fs/cgroup/memory"), "v2": Path("/sys/fs/cgroup")}
OF_A_TASK = ("comm", "status", "wchan", "cgroup", "stack")
OF_A_GROUP = (
    "memory.max", "memory.high", "memory.current", "memory.events", "memory.pressure", "memory.stat",
    "memory.limit_in_bytes", "memory.usage_in_bytes", "memory.failcnt", "memory.oom_control",
)  # fmt: skip
IDLE = ("S", "I", "Z", "X", "T", "t")  # states of a task that is not held up: it sleeps until something comes


@dataclass(frozen=True)
class Whom:
    """Which tasks are looked at: those in D or R (``every``: all), of a group where one is named."""

    every: bool = False
    group: str | None = None


def check() -> None:
    """Raise InputError where stacks cannot be read at all."""
    own = PROC / "self" / "stack"
    try:
        text = own.read_text(encoding="utf-8", errors="replace")
    except PermissionError:
        raise InputError("only root can read stacks", file=own, hint="sudo cowpath watch") from None
    except OSError as error:
        raise InputError(f"there are no stacks: {error.strerror}", file=own, hint="CONFIG_STACKTRACE") from None
    if not text.strip():
        raise InputError("stacks are empty", file=own, hint="the kernel hides them, or has no CONFIG_STACKTRACE")


def look(whom: Whom) -> Iterator[str]:
    """The files of the tasks that are looked at, and then those of their groups: lines, each with its end."""
    groups: dict[str, Path] = {}
    yield f"# Linux version {os.uname().release}\n"
    for task in threads():
        texts = {name: read(task / name) for name in OF_A_TASK}
        if not wanted(texts, whom):
            continue
        for name in OF_A_TASK:
            yield from section(task / name, texts[name])
        path = group_of(texts["cgroup"])
        folder = folder_of(path)
        if folder is not None:
            groups[path] = folder
    for folder in groups.values():
        for name in OF_A_GROUP:
            yield from section(folder / name, read(folder / name))


def threads() -> Iterator[Path]:
    """All threads but our own; those that are gone meanwhile have no files."""
    for process in sorted(PROC.iterdir(), key=number):
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        try:
            yield from sorted((process / "task").iterdir(), key=number)
        except OSError:  # it has gone
            continue


def number(path: Path) -> int:
    """A task's number, -1 for what is no task."""
    return int(path.name) if path.name.isdigit() else -1


def read(file: Path) -> str:
    """A file's text; "" where it has gone, or may not be read."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def section(file: Path, text: str) -> Iterable[str]:
    """A file as ``tail`` prints it; nothing of one that is empty."""
    return (f"==> {file} <==\n", text if text.endswith("\n") else f"{text}\n", "\n") if text.strip() else ()


def wanted(texts: dict[str, str], whom: Whom) -> bool:
    """Whether a task is one of those that are looked at."""
    if not texts["stack"].strip():
        return False
    if whom.group is not None and group_of(texts["cgroup"]) != whom.group:
        return False
    state = next((line.split()[1] for line in texts["status"].splitlines() if line.startswith("State:")), "")
    return whom.every or state not in IDLE


def group_of(cgroup: str) -> str:
    """The path of a task's memory cgroup, from its cgroup file: v1's controller if there is one, else v2's."""
    paths = [line.split(":", 2) for line in cgroup.splitlines() if line.count(":") >= 2]
    first = next((path for _, controllers, path in paths if "memory" in controllers.split(",")), None)
    return first or next((path for number, _, path in paths if number == "0"), "/")


def folder_of(path: str) -> Path | None:
    """The folder of a group; None where there is none."""
    for root in GROUPS.values():
        folder = root / path.lstrip("/")
        if path != "/" and (folder / "cgroup.procs").is_file() and any((folder / name).exists() for name in OF_A_GROUP):
            return folder
    return None
