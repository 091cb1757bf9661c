"""The names of things in a machine: tasks, pages, files, groups, as people know them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from cowpath.kernel import names as n
from cowpath.observe.text import clean, size, task_label

SHARED_MEMORY = "shared memory"  # what mmap(MAP_SHARED | MAP_ANONYMOUS) has made has no name


class FileName(Protocol):
    """A file of a plan."""

    @property
    def name(self) -> str:
        """Its name, as the programs know it."""


class Names(Protocol):
    """What a ``session.Plan`` says about names; the index of each is its number in the machine."""

    @property
    def comms(self) -> Sequence[str]:
        """Names of tasks."""

    @property
    def files(self) -> Sequence[FileName]:
        """Files."""

    @property
    def groups(self) -> Sequence[str]:
        """Groups; 0 is the root group, whose name is empty."""


class Scene:
    """A machine at this moment, with the names from its plan. All texts are safe for a terminal."""

    def __init__(self, k: Any, names: Names) -> None:
        self.k = k
        self.names = names

    def comm(self, number: int) -> str:
        """The name of a task by its number in ``plan.comms``."""
        return clean(self.names.comms[number]) if 0 <= number < len(self.names.comms) else "task"

    def task(self, t: int) -> str:
        """``cc1[208]``."""
        return self.label(int(self.k.state.tasks[t].program), t)

    def label(self, comm: int, t: int) -> str:
        """``cc1[208]``, from the number of the name and that of the task."""
        return task_label(self.comm(comm), t)

    def group_of(self, t: int) -> int:
        """The number of the group that a task is in; 0: in none."""
        return int(self.k.state.tasks[t].group)

    def task_and_group(self, t: int) -> str:
        """``cc1[208] in A``; the group of a task outside every group is not named."""
        group = self.group_of(t)
        return f"{self.task(t)} in {self.group(group)}" if group > 0 else self.task(t)

    def group(self, number: int) -> str:
        """``A``, or ``the root group``."""
        return clean(self.names.groups[number]) if 0 < number < len(self.names.groups) else "the root group"

    def file(self, number: int) -> str:
        """The last part of a file's name."""
        if number >= len(self.names.files):  # made by mmap(MAP_SHARED | MAP_ANONYMOUS)
            return SHARED_MEMORY
        if number < 0:
            return "a file"
        name = self.names.files[number].name
        return clean(name.rstrip("/").rpartition("/")[2] or name)

    def page(self, p: int) -> str:
        """``libc.so.6 page 31``."""
        page = self.k.state.pages[p]
        return self.file_page(int(page.file), int(page.index), p)

    def file_page(self, file: int, index: int, p: int | None = None) -> str:
        """A page by its place in a file; without a file, by its number in memory ``p``."""
        if file == n.NONE:
            return "an anonymous page" if p is None else f"page frame {p}"
        return f"{self.file(file)} page {index}"

    def memory_of(self, number: int) -> str:
        """``A's memory: limit 64M, OOM killer off``."""
        return f"{self.group(number)}'s memory: {self.limits_of(number)}"

    def limits_of(self, number: int) -> str:
        """``limit 64M, OOM killer off``."""
        group = self.k.state.groups[number]
        limits = [f"{what} {size(limit * n.PAGE_SIZE)}" for what, limit in self._limits(group)]
        killer = "off" if group.oom_kill_disable else "on"
        return f"{', '.join(limits) or 'no limit'}, OOM killer {killer}"

    @staticmethod
    def _limits(group: Any) -> list[tuple[str, int]]:
        """The limits that are set; that of memory and swap only if it is another one."""
        limit, memsw = int(group.res.limit), int(group.memsw.limit)
        found = [("limit", limit)] if limit < n.UNLIMITED else []
        return found + ([("memory+swap limit", memsw)] if memsw < n.UNLIMITED and memsw != limit else [])
