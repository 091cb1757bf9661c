"""A case: a machine so small that every interleaving of its moves can be visited. A TOML file; docs/cases.md.

``load`` reads one and checks its words; what the tasks do is checked when the case is built (``cases.build``).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from cowpath.errors import InputError
from cowpath.kernel.state import EXPLORE, MOST_OUTSIDE
from cowpath.kernel.steps import PATH_NAMES
from cowpath.kinds import check_kind
from cowpath.words import nearest

KEYS = ("name", "summary", "path", "machine", "files", "groups", "tasks", "setup", "outside")
MACHINE_KEYS = (
    "cpus",
    "memory",
    "swap",
    "readahead",
    "charge_batch",
    "reclaim_retries",
    "whole_reclaim",
    "dirty_ratelimit",
)
FILE_KEYS = ("pages", "warm", "unreadable")
GROUP_KEYS = ("limit", "memsw", "killer", "parent", "hierarchy", "high", "oom_group")
TASK_KEYS = ("group", "before", "does", "then", "thread_of", "child_of", "count", "starts")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")
FILE_NAME = re.compile(rf"(?:\./|{NAME.pattern}/?)")  # one that ends in "/" is a directory
MOST_PAGES = EXPLORE.pages


@dataclass(frozen=True)
class MachineSpec:
    """``memory`` None: all that the small machine has, and never short of it. Sizes are pages."""

    cpus: int = 1
    memory: int | None = None
    swap: int = 0
    readahead: int = 1
    charge_batch: int = 1
    reclaim_retries: int = 0
    whole_reclaim: bool = True
    dirty_ratelimit: int = 32


@dataclass(frozen=True)
class FileSpec:
    """A file: its pages, whether they are in the page cache at the start, whether reads of them fail."""

    name: str
    pages: int
    warm: bool
    unreadable: bool


@dataclass(frozen=True)
class GroupSpec:
    """A memory cgroup. Limits, and memory.high, are pages, None is no limit."""

    name: str
    limit: int | None
    memsw: int | None
    killer: bool
    parent: str | None
    hierarchy: bool
    high: int | None
    oom_group: bool  # memory.oom.group: all of it are killed together


@dataclass(frozen=True)
class TaskSpec:
    """A task: lines of a written program that run before the exploration, and lines that are explored.

    ``then``: what it does at the end, "exit" or "stay". ``starts``: "at once", or "outside": only when a move of the
    outside says so. ``count``: so many tasks that are alike.
    """

    name: str
    group: str | None
    before: str
    does: str
    then: str
    thread_of: str | None
    child_of: str | None
    count: int
    starts: str


@dataclass(frozen=True)
class Case:
    """A small machine, who is on it, and what may happen to it from outside."""

    name: str
    summary: str
    path: str  # the path that it is about
    says_path: bool  # the case itself names it: then somebody must enter it
    source: str
    text: str
    machine: MachineSpec
    files: tuple[FileSpec, ...]
    groups: tuple[GroupSpec, ...]
    tasks: tuple[TaskSpec, ...]
    setup: tuple[str, ...]  # moves of the outside that are made before the exploration
    outside: tuple[str, ...]  # those that may be made at any time, once each

    @property
    def has_high(self) -> bool:
        """It is about memory.high: on a kernel without that it says nothing."""
        return any(group.high is not None for group in self.groups)

    @property
    def has_oom_group(self) -> bool:
        """It is about memory.oom.group: likewise."""
        return any(group.oom_group for group in self.groups)

    @property
    def may_kill(self) -> bool:
        """A group has its OOM killer on, or somebody may turn it on."""
        return any(group.killer for group in self.groups) or any("killer" in move for move in self.outside)


PACKAGE = resources.files("cowpath") / "cases"
BOOKS = PACKAGE / "book" / "cases"


def _in(folder: Traversable) -> list[str]:
    return sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".toml"))


def names() -> list[str]:
    """The packaged cases that every design is asked about, the commit's own first."""
    found = _in(PACKAGE)
    return [name for name in ("commit",) if name in found] + [name for name in found if name != "commit"]


def of_the_book() -> list[str]:
    """Those that only a trial of the case book is about: they are packaged, too, and found by their names."""
    return _in(BOOKS)


def load(name: str | Path) -> Case:
    """A packaged case by its name, or a user's by its path (``*.toml``). Raises InputError."""
    for folder in (PACKAGE, BOOKS):
        if str(name) in _in(folder):
            return read((folder / f"{name}.toml").read_text(encoding="utf-8"), f"{name}.toml")
    path = Path(name)
    if str(name).endswith(".toml") or path.is_file():
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise InputError(f"cannot read the case: {why}", file=name) from None
        check_kind(name, text, "a case")
        return read(text, str(name))
    hint = nearest(str(name), [*names(), *of_the_book()], "known: " + ", ".join(names()))
    raise InputError(f"no case {str(name)!r}", hint=f"{hint}; a file of your own ends in .toml")


def read(text: str, source: str) -> Case:
    """A case from the text of its file. Raises InputError that names the file, the table and the key."""
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not valid TOML: {error}", file=source) from None
    whole = _Table(data, "", source, KEYS)
    files = tuple(_file(name, table) for name, table in whole.tables("files", FILE_KEYS))
    groups = tuple(_group(name, table) for name, table in whole.tables("groups", GROUP_KEYS))
    tasks = tuple(_task(name, table) for name, table in whole.tables("tasks", TASK_KEYS))
    if not tasks:
        raise InputError("a case without tasks", file=source, hint="[tasks.NAME] with does = ...")
    return Case(
        name=whole.text("name", Path(source).stem),
        summary=whole.text("summary", ""),
        path=whole.choice("path", "file_cow", PATH_NAMES),
        says_path="path" in data,
        source=source,
        text=text,
        machine=_machine(_Table(whole.table("machine"), "machine", source, MACHINE_KEYS)),
        files=files,
        groups=groups,
        tasks=tasks,
        setup=whole.words("setup"),
        outside=whole.words("outside"),
    )


# --- the tables of the file ----------------------------------------------------------------------
@dataclass(frozen=True)
class _Table:
    """A table of the file; what is asked of it is checked."""

    data: dict[str, Any]
    name: str
    source: str
    known: tuple[str, ...]

    def __post_init__(self) -> None:
        for key in self.data:
            if key not in self.known:
                hint = nearest(key, self.known, "known: " + ", ".join(self.known))
                raise InputError(f"{self.at}unknown key {key!r}", file=self.source, hint=hint)

    @property
    def at(self) -> str:
        return f"[{self.name}]: " if self.name else ""

    def wrong(self, key: str, hint: str) -> InputError:
        return InputError(f"{self.at}{key} = {self.data[key]!r}", file=self.source, hint=hint)

    def number(self, key: str, default: int | None, least: int, most: int) -> Any:
        value = self.data.get(key, default)
        if key in self.data and (isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most):
            raise self.wrong(key, f"a whole number from {least} to {most}")
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self.data.get(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def text(self, key: str, default: str) -> str:
        value = self.data.get(key, default)
        if not isinstance(value, str):
            raise self.wrong(key, "a text")
        return value

    def choice(self, key: str, default: str, choices: tuple[str, ...]) -> str:
        value = self.text(key, default)
        if value not in choices:
            raise self.wrong(key, nearest(value, choices, "one of: " + ", ".join(choices)) or "")
        return value

    def words(self, key: str) -> tuple[str, ...]:
        value = self.data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self.wrong(key, 'a list of texts: ["raise A 4"]')
        if len(value) > MOST_OUTSIDE:
            raise InputError(f"{self.at}{key} has {len(value)} moves", file=self.source, hint=f"{MOST_OUTSIDE} at most")
        return tuple(value)

    def table(self, key: str) -> dict[str, Any]:
        value = self.data.get(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, f"a table: [{key}]")
        return value

    def tables(self, key: str, known: tuple[str, ...]) -> list[tuple[str, _Table]]:
        found = []
        for name, table in self.table(key).items():
            if not (FILE_NAME if key == "files" else NAME).fullmatch(name):
                hint = "letters, digits, '-' and '_'" + ("; a directory ends in '/'" if key == "files" else "")
                raise InputError(f"[{key}.{name}]: no name", file=self.source, hint=hint)
            if not isinstance(table, dict):
                raise InputError(f"[{key}]: {name} must be a table", file=self.source, hint=f"[{key}.{name}]")
            found.append((name, _Table(table, f"{key}.{name}", self.source, known)))
        return found


def _machine(table: _Table) -> MachineSpec:
    return MachineSpec(
        cpus=table.number("cpus", 1, 1, EXPLORE.cpus),
        memory=table.number("memory", None, 1, EXPLORE.pages),
        swap=table.number("swap", 0, 0, EXPLORE.swaps),
        readahead=table.number("readahead", 1, 0, EXPLORE.slots),
        charge_batch=table.number("charge_batch", 1, 1, 64),
        reclaim_retries=table.number("reclaim_retries", 0, 0, 16),
        whole_reclaim=table.flag("whole_reclaim", True),
        dirty_ratelimit=table.number("dirty_ratelimit", 32, 1, 32),
    )


def _file(name: str, table: _Table) -> FileSpec:
    return FileSpec(name, table.number("pages", 1, 1, EXPLORE.slots), table.flag("warm", True),
                    table.flag("unreadable", False))  # fmt: skip


def _group(name: str, table: _Table) -> GroupSpec:
    limit = table.number("limit", None, 0, MOST_PAGES)
    parent = table.text("parent", "") or None
    return GroupSpec(name, limit, table.number("memsw", limit, 0, 2 * MOST_PAGES), table.flag("killer", True), parent,
                     table.flag("hierarchy", False), table.number("high", None, 0, MOST_PAGES),
                     table.flag("oom_group", False))  # fmt: skip


def _task(name: str, table: _Table) -> TaskSpec:
    optional: Callable[[str], str | None] = lambda key: table.text(key, "") or None  # noqa: E731
    return TaskSpec(
        name=name,
        group=optional("group"),
        before=table.text("before", ""),
        does=table.text("does", ""),
        then=table.choice("then", "exit", ("exit", "stay")),
        thread_of=optional("thread_of"),
        child_of=optional("child_of"),
        count=table.number("count", 1, 1, EXPLORE.tasks),
        starts=table.choice("starts", "at once", ("at once", "outside")),
    )
