"""The commands of a session, as the parser understands them. Every one knows the word that it starts with."""

from __future__ import annotations

from dataclasses import dataclass

from cowpath.kernel import names as n
from cowpath.session.tree import Script
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
    value: int | None  # None: the kernel answers EINVAL
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
class Pressure:
    """cat /proc/pressure/memory."""

    word: Word


@dataclass(frozen=True)
class End:
    """systemctl stop, docker stop: SIGKILL to what was started under a name; or wait for it."""

    word: Word
    slot: str
    waits: bool = False


@dataclass(frozen=True)
class Say:
    """echo TEXT, printf, without a file."""

    word: Word
    text: str
    end: str = "\n"
    value: Word | None = None  # where the text begins


@dataclass(frozen=True)
class Filter:
    """A command that reads text and prints text: grep, head, ..."""

    word: Word
    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Filtered:
    """``A | B | C``: what A prints goes through filters."""

    word: Word
    source: Action
    filters: tuple[Filter, ...]


@dataclass(frozen=True)
class Test:
    """``[ A -gt B ]`` with values that only the run shows, or on whether a group is there."""

    word: Word
    words: tuple[str, ...]
    group: Word | None = None
    negated: bool = False


@dataclass(frozen=True)
class Manner:
    """How something is run: what the words before its name say."""

    group: Word | None = None  # cgexec
    cpu: int | None = None  # taskset -c
    timeout_ns: int | None = None
    oom_score_adj: int | None = None
    notes: tuple[str, ...] = ()
    tool: Word | None = None  # the last of those words: what follows it is no command of the shell's own


@dataclass(frozen=True)
class Run:
    """A program, in a group (cgexec) or outside of all."""

    word: Word  # the program's name
    arguments: tuple[Word, ...]
    manner: Manner = Manner()

    @property
    def group(self) -> Word | None:
        """The group that it is started in, if the command says so."""
        return self.manner.group

    @property
    def cpu(self) -> int | None:
        """The CPU that it stays on."""
        return self.manner.cpu


@dataclass(frozen=True)
class Subshell:
    """``sh -c TEXT``: a shell of its own."""

    word: Word
    script: Script
    arguments: tuple[str, ...]  # $1, ...
    manner: Manner = Manner()
    errexit: bool = False  # sh -ec


@dataclass(frozen=True)
class Contained:
    """systemd-run, docker run: a group with limits is made, something runs in it, and the group goes."""

    word: Word
    name: str  # of the unit or container
    group: Word
    settings: tuple[Setting, ...]
    run: Run | Subshell
    waits: bool  # the command comes back when it has ended
    stops: bool = False  # the first task that the OOM killer takes ends all (OOMPolicy=stop)


@dataclass(frozen=True)
class Sysctl:
    """sysctl NAME=VALUE, echo VALUE > /proc/sys/NAME."""

    word: Word
    name: str
    value: int


@dataclass(frozen=True)
class Adjust:
    """echo VALUE > /proc/TASK/oom_score_adj; the shell's own if there is no job."""

    word: Word
    job: Word | None
    value: int


@dataclass(frozen=True)
class Several:
    """Actions one after the other."""

    word: Word
    actions: tuple[Action, ...]


@dataclass(frozen=True)
class Exit:
    """``exit [N]``, ``return [N]``; without a number: with the status of the command before."""

    word: Word
    status: int | None
    returns: bool
    kept: int | None = None  # the number of a value that only the run shows, and that is the status


@dataclass(frozen=True)
class Noted:
    """Something, and what is to be said of it."""

    word: Word
    action: Action
    note: str


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
    """kill: SIGKILL to a background job and what it started; or SIGSTOP or SIGCONT to the job alone."""

    word: Word
    jobs: tuple[Word, ...]
    bits: int = n.KILL_TREE


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


Action = (
    Create | Delete | Set | Get | Pressure | End | Say | Filtered | Test | Run | Subshell | Contained | Sysctl | Adjust
    | Several | Exit | Noted | Sleep | Wait | Kill | Classify | Leave | Nothing
)  # fmt: skip
