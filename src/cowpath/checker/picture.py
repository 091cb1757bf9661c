"""A small machine at one moment as plain data: tasks and where each stands, pages, locks, groups, the disk.

Nothing of the machine is left in it: a picture stays as it is when the machine goes on. ``paint`` makes one.
"""

from __future__ import annotations

from dataclasses import dataclass

from cowpath.observe.words import Chain

# what a task does; CHARGES: it is in a charge that does not get through, and awake: it tries again, or reclaims
RUNS, CHARGES, WAITS, STANDS_BY, STAYS, GONE = "runs", "charges in vain", "waits", "stands by", "is done", "is gone"


@dataclass(frozen=True)
class Place:
    """A frame of a task: the path that it is in, and where."""

    path: str
    at: int  # the step of the path that comes next, or in which it sleeps; -1: in an error exit of the design's own
    undoing: str  # the error for which everything is being given back, or empty


@dataclass(frozen=True)
class TaskState:
    """A task."""

    name: str
    group: str  # empty: outside every group
    state: str  # RUNS, CHARGES, WAITS, ...
    waits_for: str  # "waits for the page lock of lib page 0", or empty
    by: str  # "held by attacker in A", or empty
    places: tuple[Place, ...]  # the system call or fault first, what it has called last; empty: in user mode
    does: str  # in user mode: what comes next
    holds: tuple[str, ...]
    notes: tuple[str, ...]  # "SIGKILL is pending"


@dataclass(frozen=True)
class PageState:
    """A page in use."""

    frame: int  # its number in memory
    name: str  # "lib page 0"
    kind: str  # "file page", "new page", ...
    owner: str  # of its lock, or empty
    waiters: tuple[str, ...]
    charged_to: str  # a group, or empty
    mapped_by: tuple[str, ...]
    marks: tuple[str, ...]  # "up to date"


@dataclass(frozen=True)
class LockState:
    """An mmap_sem or an i_mutex that is held or waited for."""

    name: str  # "mmap_sem of attacker"
    holders: tuple[str, ...]
    waiters: tuple[str, ...]


@dataclass(frozen=True)
class GroupState:
    """A memory cgroup; sizes are pages, None is no limit."""

    name: str
    usage: int
    limit: int | None
    memsw: int  # usage of memory and swap
    memsw_limit: int | None  # None too where it is the same limit as that of memory: without swap
    killer: bool
    under_oom: bool
    oom_lock: int
    waiters: tuple[str, ...]  # that sleep until there is memory


@dataclass(frozen=True)
class RequestState:
    """A disk request."""

    number: int
    what: str  # "reads lib page 0, lib page 1"
    state: str  # "waits for the disk"


@dataclass(frozen=True)
class Picture:
    """The machine, before the first move or after one."""

    tasks: tuple[TaskState, ...]
    pages: tuple[PageState, ...]
    locks: tuple[LockState, ...]
    groups: tuple[GroupState, ...]
    requests: tuple[RequestState, ...]
    chains: tuple[Chain, ...]  # who waits for a lock or for memory, and for whom
