"""The names of things in a machine: tasks, pages, files, groups, as people know them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from cowpath.kernel import names as n
from cowpath.kernel.generated import lock_row
from cowpath.kernel.places import ANONYMOUS, COPIED, SWAPPED, TRUNCATED, UNKNOWN, VPN_BITS, place_of
from cowpath.observe.text import clean, size, task_label
from cowpath.programs.code import Region

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
    def regions(self) -> Sequence[Region]:
        """What programs call their memory."""

    @property
    def groups(self) -> Sequence[str]:
        """Groups; 0 is the root group, whose name is empty."""


@dataclass(frozen=True)
class MutexState:
    """A mutex as it stands."""

    title: str  # "i_mutex of log"
    owner: int  # a task, or FREE
    waiters: tuple[str, ...]


class Words(Mapping[str, str]):
    """What stands for ``{page}``, ``{file}``, ... in the words of the table of waits: made only if it is asked for."""

    def __init__(self, named: Mapping[str, Callable[[int], str]], number: int) -> None:
        self._named = named
        self._number = number

    def __getitem__(self, key: str) -> str:
        return self._named[key](self._number)

    def __iter__(self) -> Iterator[str]:
        return iter(self._named)

    def __len__(self) -> int:
        return len(self._named)


def place_of_page(k: Any, p: int) -> int:
    """``place_of`` as plain Python: for a few pages no compiler is needed."""
    return int(getattr(place_of, "py_func", place_of)(k, p))


def rows(records: Any) -> list[Any]:
    """The records of an array: NumPy's, or those of a machine's plain form, which does not iterate over them."""
    return [records[i] for i in range(len(records))]


class Scene:
    """A machine at this moment, with the names from its plan. All texts are safe for a terminal."""

    def __init__(self, k: Any, names: Names) -> None:
        self.k = k
        self.record = k  # NumPy's: for what is looked for among all tasks or locks
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

    def chosen_at(self, t: int) -> str:
        """When the OOM killer chose a task: ``at 1.01 s``; "" if it has only met it dying."""
        at = int(self.k.books.tasks[t].chosen_at)
        return f"at {(at - 1) / 1e9:.2f} s" if at else ""

    def file(self, number: int) -> str:
        """The last part of a file's name; a directory's ends in "/"."""
        if number >= len(self.names.files):  # made by mmap(MAP_SHARED | MAP_ANONYMOUS)
            return SHARED_MEMORY
        if number < 0:
            return "a file"
        name = self.names.files[number].name
        last = name.rstrip("/").rpartition("/")[2]
        return clean(f"{last}/" if last and name.endswith("/") else last or name)

    def page(self, p: int) -> str:
        """``libc.so.6 page 31``, ``swap-cache page (heap page 100)``, ``cc1[208]'s new page``."""
        if p == n.NONE:
            return "the zero page"
        page = self.k.state.pages[p]
        place = place_of_page(self.k, p)
        if place != UNKNOWN:
            return self.place(place)
        if int(page.bits) & n.PG_TABLE:
            return self._page_table(p)
        if int(page.bits) & n.PG_SWAPCACHE:
            return f"swap-cache page (swap slot {int(page.index)})"
        if int(page.refs) == 0:
            return f"free page frame {p}"
        maker = self._maker(p)
        return f"page frame {p}" if maker == n.NONE else f"{self.task(maker)}'s new page"

    def place(self, place: int) -> str:
        """A page by its place (``kernel/places.py``), from the log or the books: it may have long gone."""
        if place == UNKNOWN:
            return "a page"
        if place < 0:
            swapped, rest = divmod(ANONYMOUS - place, SWAPPED)
            name = self.anonymous(rest >> VPN_BITS, rest & ((1 << VPN_BITS) - 1))
        else:
            swapped = place & SWAPPED
            file, index = self.file((place & (SWAPPED - 1)) >> 32), place & 0xFFFFFFFF
            if place & TRUNCATED:
                return f"page {index} of {file}, truncated"
            name = f"copy of {file} page {index}" if place & COPIED else f"{file} page {index}"
        return f"swap-cache page ({name})" if swapped else name

    def anonymous(self, pc: int, vpn: int) -> str:
        """``heap page 100``: what a program calls its memory at an address; a recording has no name for it."""
        for region in self.names.regions:
            if region.begin <= pc < region.end and region.first <= vpn < region.first + region.pages:
                return f"{clean(region.name)} page {vpn - region.first}"
        return f"anonymous page {vpn:#x}"

    def _page_table(self, p: int) -> str:
        """``a page table of cc1[208]``; one that is not in its place yet is that of who has made it."""
        state = self.record.state
        mms = state.tables[: int(state.n_tables)]["mm"][state.tables[: int(state.n_tables)]["page"] == p]
        tasks = state.tasks[: int(state.n_tasks)]
        users = np.flatnonzero(np.isin(tasks["mm"], mms[mms != n.NONE]))
        if len(users):
            return f"a page table of {self.task(int(users[0]))}"
        maker = self._maker(p, "prealloc_pte")
        return "a page table" if maker == n.NONE else f"{self.task(maker)}'s new page table"

    def _maker(self, p: int, field: str = "newpage") -> int:
        """The task that has a page in hand which nobody maps yet, or NONE."""
        tasks = self.record.state.tasks[: int(self.record.state.n_tasks)]
        depth = np.arange(tasks["frames"].shape[1])
        mine = (tasks["frames"][field] == p) & (depth < tasks["depth"][:, None])
        found = np.flatnonzero(mine.any(axis=1))
        return int(found[0]) if len(found) else n.NONE

    def mm(self, number: int) -> str:
        """An address space, by the tasks that run in it: ``cc1[208]``."""
        tasks = self.record.state.tasks[: int(self.record.state.n_tasks)]
        users = [self.task(t) for t, task in enumerate(tasks) if int(task.run_state) and int(task.mm) == number]
        return " and ".join(users) or "an address space"

    def thing(self, kind: str, number: int) -> str:
        """A thing of a kind of which the tables say that it has a name."""
        return self.named()[kind](number)

    def named(self) -> Mapping[str, Callable[[int], str]]:
        """How the things are called that the words of the table of waits name."""
        return {"page": self.page, "file": self.file, "group": self.group, "memory": self.memory_of, "mm": self.mm,
                "mark": self.mark_of}  # fmt: skip

    def what(self, kind: int, number: int) -> str:
        """What is waited for: ``the page lock of libc.so.6 page 31``."""
        return n.WAITS[kind].what.format_map(Words(self.named(), number))

    def mutexes(self) -> Iterator[MutexState]:
        """All mutexes, kind by kind."""
        for kind, wait in enumerate(n.WAITS):
            lock = wait.mutex
            if lock is None:
                continue
            for number, mutex in enumerate(lock_row(self.record, kind)):
                title = lock.name if lock.of == "machine" else f"{lock.name} of {self.thing(lock.of, number)}"
                yield MutexState(title, int(mutex.owner), self.queue(mutex.waiters))

    def queue(self, waiters: Any) -> tuple[str, ...]:
        """The tasks of a wait queue, in its order."""
        found, t = [], int(waiters.head)
        while t != n.NONE:
            found.append(self.task(t))
            t = int(self.k.state.tasks[t].wait_next)
        return tuple(found)

    def memory_of(self, number: int) -> str:
        """``A's memory: limit 64M, OOM killer off``."""
        return f"{self.group(number)}'s memory: {self.limits_of(number)}"

    def limits_of(self, number: int) -> str:
        """``limit 64M, OOM killer off``."""
        group = self.k.state.groups[number]
        limits = [f"{what} {size(limit * n.PAGE_SIZE)}" for what, limit in self._limits(group)]
        killer = "off" if group.oom_kill_disable else "on"
        return f"{', '.join(limits) or 'no limit'}, OOM killer {killer}"

    def mark_of(self, number: int) -> str:
        """``memory.high of 8M``."""
        name, pages = self._mark(self.k.state.groups[number])
        return f"{name} of {size(pages * n.PAGE_SIZE)}"

    @staticmethod
    def _mark(group: Any) -> tuple[str, int]:
        """The mark that the group is over, of memory or else of swap."""
        over = group.res.usage > group.high or group.swap_high >= n.UNLIMITED
        return ("memory.high", int(group.high)) if over else ("memory.swap.high", int(group.swap_high))

    @staticmethod
    def _limits(group: Any) -> list[tuple[str, int]]:
        """The limits that are set; that of memory and swap only if it is another one."""
        limit, memsw = int(group.res.limit), int(group.memsw.limit)
        found = [("limit", limit)] if limit < n.UNLIMITED else []
        return found + ([("memory+swap limit", memsw)] if memsw < n.UNLIMITED and memsw != limit else [])
