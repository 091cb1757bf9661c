"""The figures of the groups over time: what their files would say to a monitor that reads them every so often.

Nothing is logged for it: the clock stops now and again, and they are read off the machine. A run that goes on and on is
looked at the less often, so that there are never more than some thousand samples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cowpath.kernel import names as n

if TYPE_CHECKING:
    from cowpath.designs import Design
    from cowpath.session.plan import Plan

Ints = npt.NDArray[np.int64]

FIRST_NS = 1_000_000  # between two samples, at first: Prometheus knows no shorter time
MOST = 2048  # samples; then every other one goes, and the time between them doubles
NOTHING = -1  # there is no such limit, or no such group yet
PRESSURE = "memory.pressure"

# what the sleeps of tasks that others hold up are for, each with its kinds of wait
REASONS = {
    figure: [kind for kind, wait in enumerate(n.WAITS) if wait.figure == figure]
    for figure in dict.fromkeys(wait.figure for wait in n.WAITS if wait.figure)
}


class Tables:
    """A machine's tables, each looked up once: NumPy makes a type anew at each look into a large record."""

    def __init__(self, k: Any) -> None:
        self.state, self.books = k.state, k.books
        self.groups, self.ledgers, self.psi = self.state.groups, self.books.groups, self.books.psi
        self.tasks, self.task_books = self.state.tasks, self.books.tasks


@dataclass(frozen=True)
class Family:
    """A metric of OpenMetrics: its samples differ by group, and by ``label`` where it has one.

    ``read`` gives a row per value of the label, a column per group of the machine: pages where the unit is bytes, ns
    where it is seconds, else a count; NOTHING where there is none.
    """

    name: str
    type: str  # gauge or counter
    help: str
    read: Callable[[Tables, int], Any]
    unit: str = ""
    label: str = ""
    values: tuple[str, ...] = ("",)
    version: str = ""  # of cgroups; empty: of both
    root: bool = False  # the root group has it too: its tasks are those outside every group

    @property
    def key(self) -> str:
        """Its whole name."""
        return "_".join(filter(None, ("cowpath", self.name, self.unit)))


def limit(pages: Any) -> Any:
    """A limit in pages, NOTHING if it is none."""
    return np.where(pages >= n.UNLIMITED, NOTHING, pages)


def counter(which: int) -> Callable[[Tables, int], Any]:
    """A counter of the groups' own tasks."""
    return lambda of, groups: of.ledgers["counters"][:groups, which]


def blocked_ns(of: Tables, groups: int) -> Any:
    """The sleeps of the groups' tasks by reason: those that have ended, and those that go on."""
    ns = np.array(of.ledgers["wait_ns"][:groups])
    asleep, whose, kinds = _asleep(of)
    np.add.at(ns, (whose, kinds), int(of.books["now"]) - of.task_books["since"][asleep])
    return np.stack([ns[:, those].sum(axis=1) for those in REASONS.values()])


def waiting(of: Tables, groups: int) -> Any:
    """How many of the groups' tasks sleep now, by reason."""
    counts = np.zeros((groups, n.WAIT_KINDS), np.int64)
    _, whose, kinds = _asleep(of)
    np.add.at(counts, (whose, kinds), 1)
    return np.stack([counts[:, those].sum(axis=1) for those in REASONS.values()])


def _asleep(of: Tables) -> tuple[Any, Any, Any]:
    """The tasks that sleep, but for the kernel's own: their numbers, their groups, what they wait for."""
    tasks = of.tasks[: int(of.state["n_tasks"])]
    asleep = np.flatnonzero((tasks["run_state"] == n.T_SLEEPING) & (tasks["kthread"] == n.KT_NONE))
    return asleep, tasks["group"][asleep], tasks["wait_kind"][asleep]


WHY: dict[str, Any] = {"label": "reason", "values": tuple(REASONS)}
FAMILIES = (
    Family("memory_usage", "gauge", "What the group uses: memory.current, or memory.usage_in_bytes.",
           lambda of, groups: of.groups["res"]["usage"][:groups], "bytes"),
    Family("memory_limit", "gauge", "memory.max, or memory.limit_in_bytes; absent where there is none.",
           lambda of, groups: limit(of.groups["res"]["limit"][:groups]), "bytes"),
    Family("memory_high", "gauge", "memory.high; absent where there is none.",
           lambda of, groups: limit(of.groups["high"][:groups]), "bytes", version="v2"),
    Family("memory_swap", "gauge", "memory.swap.current.",
           lambda of, groups: of.groups["swap_usage"][:groups], "bytes", version="v2"),
    Family("memory_failcnt", "counter", "memory.failcnt: charges that met the limit.",
           lambda of, groups: of.ledgers["failcnt"][:groups], version="v1"),
    Family("memory_events", "counter", "memory.events, by the name of the event.",
           lambda of, groups: of.ledgers["events"][:groups, : n.ME_SWAP_HIGH].T, version="v2",
           label="event", values=n.MEMCG_EVENTS[: n.ME_SWAP_HIGH]),
    Family("pressure_memory_waiting", "counter", "memory.pressure, some: time in which a task was held up.",
           lambda of, groups: of.psi["total"][:groups, 0], "seconds", version="v2"),
    Family("pressure_memory_stalled", "counter", "memory.pressure, full: time in which all tasks were held up.",
           lambda of, groups: of.psi["total"][:groups, 1], "seconds", version="v2"),
    Family("tasks", "gauge", "Tasks in the group.", lambda of, groups: of.groups["tasks"][:groups], root=True),
    Family("tasks_waiting", "gauge", "Tasks of the group that sleep for what others have, by what it is.",
           waiting, root=True, **WHY),
    Family("blocked", "counter", "Time that tasks of the group have slept for what others have, by what it is.",
           blocked_ns, "seconds", root=True, **WHY),
    Family("page_faults", "counter", "Page faults of the group's tasks.", counter(n.C_FAULTS), root=True),
    Family("major_page_faults", "counter", "Page faults that had to read.", counter(n.C_MAJOR), root=True),
    Family("reclaim_scanned_pages", "counter", "Pages that reclaim has looked at.", counter(n.C_SCANNED), root=True),
    Family("reclaim_freed_pages", "counter", "Pages that reclaim has freed.", counter(n.C_RECLAIMED), root=True),
    Family("oom_kills", "counter", "Tasks that the OOM killer has taken.", counter(n.C_OOM_KILLS), root=True),
)  # fmt: skip


@dataclass(frozen=True)
class Samples:
    """What was seen: ``values`` has a table per sample, a row per family and value of its label, a column per group."""

    times: Ints  # ns
    values: Ints
    families: tuple[Family, ...]  # those that this kernel has

    def series(self) -> Iterator[tuple[Family, str, int, Ints, Ints]]:
        """Each family, value of its label and group that was ever there: times (ns), and values as they were read.

        A reason for which nobody of the group ever waits is left out.
        """
        row = 0
        for family in self.families:
            for value in family.values:
                for group in range(0 if family.root else 1, self.values.shape[2]):
                    seen = self.values[:, row, group]
                    there = np.flatnonzero(seen != NOTHING)
                    if len(there) and (family.values != tuple(REASONS) or seen[there].any()):
                        yield family, value, group, self.times[there], seen[there]
                row += 1


class Sampler:
    """Reads a machine every so often: its ``look`` is the clock's."""

    def __init__(self, k: Any, plan: Plan, design: Design) -> None:
        from cowpath.kernels import memcg_files

        version = "v2" if k.state.cgroup2 else "v1"
        pressure = version == "v2" and PRESSURE in memcg_files.load(design.kernel.name).files
        if pressure:
            k.books.psi_on = 1
        self._of = Tables(k)
        self._groups = len(plan.groups)
        self._families = tuple(each for each in FAMILIES if each.version in ("", version)
                               and (pressure or not each.name.startswith("pressure")))  # fmt: skip
        self._times: list[int] = []
        self._tables: list[Ints] = []
        self._every = FIRST_NS
        self._due = 0

    def look(self) -> int:
        """Take a sample if it is time to. Returns when the next one is due."""
        now = int(self._of.books["now"])
        if now >= self._due:
            self._take(now)
            if len(self._times) == MOST:
                self._every *= 2
                kept = [at for at, time in enumerate(self._times) if time % self._every == 0]
                self._times, self._tables = [self._times[at] for at in kept], [self._tables[at] for at in kept]
            self._due = (now // self._every + 1) * self._every
        return self._due

    def _take(self, now: int) -> None:
        groups = min(int(self._of.state["n_groups"]), self._groups)
        rows = [np.atleast_2d(family.read(self._of, groups)) for family in self._families]
        table = np.full((sum(map(len, rows)), self._groups), NOTHING, np.int64)
        table[:, :groups] = np.concatenate(rows)
        table[:, :groups][:, self._of.groups["alive"][:groups] == 0] = NOTHING
        self._times.append(now)
        self._tables.append(table)

    def end(self) -> Samples:
        """The run has ended: that is a sample, too."""
        now = int(self._of.books["now"])
        if not self._times or now > self._times[-1]:
            self._take(now)
        return Samples(np.array(self._times), np.stack(self._tables), self._families)
