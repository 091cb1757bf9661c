"""The commands of a session, as the parser understands them. Every one knows the word that it starts with."""

from __future__ import annotations

from dataclasses import dataclass

from cowpath.words import Word


@dataclass(frozen=True)
class Create:
    """cgcreate, mkdir: groups to make, each with the parents that are missing."""

    word: Word
    groups: tuple[Word, ...]
    parents: bool = True  # make missing parents too (cgcreate, mkdir -p)
    enables: bool = False  # with the memory controller passed on to them, in cgroup v2 (cgcreate)


@dataclass(frozen=True)
class Delete:
    """cgdelete, rmdir."""

    word: Word
    groups: tuple[Word, ...]
    recursive: bool = False


@dataclass(frozen=True)
class Setting:
    """FILE=VALUE of a cgset, or the one of an echo. ``value`` is in the file's unit (limits: pages)."""

    word: Word
    file: int  # CG_*
    value: int
    note: str | None = None  # what the user should know of a value that the kernel takes as it is
    more: int = 0  # a second value: of memory.reclaim 1 + the swappiness


@dataclass(frozen=True)
class Set:
    """cgset, echo VALUE > FILE."""

    word: Word
    groups: tuple[Word, ...]
    settings: tuple[Setting, ...]


@dataclass(frozen=True)
class Get:
    """cgget, cat FILE: what is shown is read when the shell gets there."""

    word: Word
    kind: str  # "cgget" or "cat"
    group: Word
    files: tuple[str, ...]


@dataclass(frozen=True)
class Say:
    """echo TEXT, without a file."""

    word: Word
    text: str


@dataclass(frozen=True)
class Run:
    """A program, in a group (cgexec) or outside of all."""

    word: Word  # the program's name
    arguments: tuple[Word, ...]
    group: Word | None
    cpu: int | None  # taskset -c


@dataclass(frozen=True)
class Sleep:
    """sleep TIME."""

    word: Word
    ns: int


@dataclass(frozen=True)
class Wait:
    """wait: for background jobs ("%1"), or for all of them (None)."""

    word: Word
    jobs: tuple[Word, ...] | None


@dataclass(frozen=True)
class Kill:
    """kill: SIGKILL to a background job and what it started."""

    word: Word
    jobs: tuple[Word, ...]


@dataclass(frozen=True)
class Classify:
    """cgclassify, echo JOB > tasks: background jobs ("%1"), or the shell itself ("$$"), join a group."""

    word: Word
    group: Word
    jobs: tuple[Word, ...]
    threads: bool = False  # with their threads (cgroup.procs)


@dataclass(frozen=True)
class Leave:
    """break, continue: of the innermost loop, or of one around it."""

    word: Word
    again: bool  # continue
    loops: int  # 1: the innermost


@dataclass(frozen=True)
class Nothing:
    """cd, ``true``, ``false``: no effect on the machine but the status."""

    word: Word
    status: int = 0


Action = Create | Delete | Set | Get | Say | Run | Sleep | Wait | Kill | Classify | Leave | Nothing
