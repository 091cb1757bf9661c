"""What a session is compiled to: everything that the engine needs to build a machine and run it."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cowpath.kernel.names import KT_NAMES, KT_NONE, KT_OOM_REAPER, NONE, OP_KTHREAD
from cowpath.programs.code import Ops, Region
from cowpath.words import Word

if TYPE_CHECKING:
    from cowpath.designs import Design
    from cowpath.session.commands import Filter


@dataclass(frozen=True)
class Start:
    """A task that exists at boot."""

    entry: int  # its first instruction in ``Plan.ops``
    comm: int  # its name, in ``Plan.comms``
    slot: int  # its slot, or NONE
    cpu: int  # the cpu that it is bound to, or NONE
    bystander: bool  # started outside every group, before the session's shell
    kthread: int = KT_NONE  # a kernel thread: which (KT_*)


@dataclass(frozen=True)
class FilePlan:
    """A file of the machine. ``pages`` is its size at the start, ``room`` the most that it grows to."""

    name: str
    pages: int
    room: int
    shmem: bool
    warm: bool  # wholly in the page cache before the start, charged to nobody


@dataclass(frozen=True)
class HostText:
    """What is printed, kept or found out when the shell reaches an OP_HOST; ``session.host`` does it."""

    kind: str  # "cat", "cgget", "echo", "error", "keep", "status", "test", "exists", "pressure", "sysctl", "oom_killed"
    group: int  # whose files
    files: tuple[str, ...]  # "memory.stat"
    text: str  # echo: the text; error: what comes before the reason; cgget: the group as it was written
    line: int  # in the session
    end: str = "\n"  # of echo
    words: tuple[str, ...] = ()  # of a test
    negated: bool = False  # a test of whether a group is there
    out: bool = True  # what it prints is shown
    err: bool = True  # its messages are shown
    filters: tuple[Filter, ...] = ()  # that its output goes through
    keep: int | None = None  # its output is not shown, but kept under this number
    pipefail: bool = False


@dataclass(frozen=True)
class MachineSettings:
    """The table's ``[machine]``; None is the default. What the caller gives wins (``over``)."""

    cpus: int | None = None
    memory: int | None = None  # bytes
    swap: int | None = None  # bytes
    tasks: int | None = None  # so many there may be
    swappiness: int | None = None  # vm.swappiness: the root group's, and that of groups made in it
    until: int | None = None  # ns
    reuse: float | None = None  # accesses to earlier pages per recorded one
    fetches: int | None = None  # of the code that a recorded program came to last, so many pages again per touch
    readahead: int | None = None  # pages
    rotational: bool | None = None  # the disk says that it rotates
    blocks: int | None = None  # bytes of a file system's block: 1024, 2048 or 4096
    costs: str | None = None  # a cost table: a file's path, or a packaged name
    cgroup: str | None = None  # which version of memory cgroups it has: "v1" or "v2"
    recursiveprot: bool | None = None  # v2 is mounted with memory_recursiveprot

    def over(self, other: MachineSettings) -> MachineSettings:
        """These settings, and ``other``'s where these have none."""
        return replace(other, **{f.name: v for f in fields(self) if (v := getattr(self, f.name)) is not None})


@dataclass(frozen=True)
class Plan:
    """A session with all its programs, linked."""

    name: str  # the session's file name
    source: str  # and its text
    ops: Ops
    comms: tuple[str, ...]
    slots: tuple[str, ...]
    files: tuple[FilePlan, ...]
    groups: tuple[str, ...]  # names; the index is the group's number, 0 is "" (root)
    parents: tuple[int, ...]  # of the groups; NONE for the root
    starts: tuple[Start, ...]  # bystanders, the shell, the kernel's threads; the index is the task's number
    shell: int  # index in ``starts``
    texts: tuple[HostText, ...]
    settings: MachineSettings
    notes: tuple[str, ...] = ()  # what was accepted, but is not quite what was typed: it stands in all that is shown
    regions: tuple[Region, ...] = ()  # names of memory, by the instructions that use them
    interfaces: frozenset[str] = frozenset({"v1"})  # of memory cgroups, whose names it uses
    meant: tuple[tuple[str, Word], ...] = ()  # for each of these, a word of the session that means it
    cloned_into: Word | None = None  # a group that some program starts tasks in
    sources: tuple[tuple[Path, str], ...] = ()  # its own tables and written programs: files and their texts

    def on(self, design: Design) -> Plan:
        """With the kernel thread that only some kernels have: the OOM reaper, where its path has steps."""
        if not design.paths["oom_reaper"] or any(start.kthread == KT_OOM_REAPER for start in self.starts):
            return self
        start = Start(len(self.ops), len(self.comms), NONE, NONE, bystander=False, kthread=KT_OOM_REAPER)
        ops = np.append(self.ops, np.zeros(1, self.ops.dtype))
        ops[-1]["code"], ops[-1]["a"] = OP_KTHREAD, KT_OOM_REAPER
        comms = (*self.comms, KT_NAMES[KT_OOM_REAPER])
        return replace(self, ops=ops, comms=comms, starts=(*self.starts, start))

    @property
    def kthreads(self) -> tuple[int, ...]:
        """The numbers of the tasks that are kernel threads."""
        return tuple(number for number, start in enumerate(self.starts) if start.kthread != KT_NONE)
