"""The program of a session's shell, as far as it is written: its instructions, and what is known at this place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from cowpath.errors import Gathered, ToldError
from cowpath.kernel import names as n
from cowpath.programs.code import Assembler
from cowpath.programs.unit import Call, Unit
from cowpath.session import commands as c
from cowpath.session.cgroupfs import is_the_controllers
from cowpath.session.plan import HostText
from cowpath.session.scope import JOB, SHELL_ITSELF, Scope
from cowpath.session.uses import Uses
from cowpath.words import Place, Word

SHELL = "sh"
TIMED_OUT = 124  # timeout's own status
EINVAL = 22
TOOL_NS = 300_000  # until cgdelete or rmdir has started: as long as cgexec, which may have been started just before
ENOENT, EBUSY, EEXIST = 2, 16, 17
KEEPING = ("error", "keep", "status")  # kinds of OP_HOST that leave the status as it is
READS = (n.HOST_READS, n.HOST_READS_MEMORY)
Row = tuple[int, int, int, int, int, int]  # an instruction: code, bits, a, b, c, d


@dataclass(frozen=True)
class Shell:
    """The session's shell: its program, the groups that it ever makes, and what it prints."""

    unit: Unit
    groups: tuple[str, ...]
    parents: tuple[int, ...]
    texts: tuple[HostText, ...]
    notes: tuple[str, ...]
    uses: Uses = field(default_factory=Uses)


@dataclass(frozen=True)
class Output:
    """Where what commands print goes, at a place of the script."""

    out: bool = True  # it is shown
    err: bool = True
    filters: tuple[c.Filter, ...] = ()
    keep: int | None = None  # it is not shown, but kept under this number
    pipefail: bool = False


# operands that are the numbers of groups
GROUPS = {
    n.OP_ATTACH: "a", n.OP_CG_CREATE: "ab", n.OP_CG_SET: "a", n.OP_CG_DELETE: "a", n.OP_HOST: "b", n.OP_CLASSIFY: "a",
}  # fmt: skip


@dataclass
class Writer:
    """Writes instructions. ``scope`` is what the shell knows at this place, ``rounds`` and ``endless`` say where it is.

    A command is started under a name of its own; in a "while" loop it has the same name in every round. Groups are
    numbered as they are named; which of them the script makes is known at its end.
    """

    asm: Assembler = field(default_factory=lambda: Assembler(SHELL))
    scope: Scope = field(default_factory=Scope)
    errors: Gathered = field(default_factory=Gathered)
    rounds: tuple[int, ...] = ()  # of the "for" loops around this place, and the calls of functions
    output: Output = Output()
    endless: int = 0  # "while" loops around it
    named: dict[str, int] = field(default_factory=lambda: {"": 0})  # groups, by any command
    made: dict[str, tuple[Word, bool]] = field(default_factory=dict)  # those to make: where, and only in a parent
    wanted: list[Word] = field(default_factory=list)  # those that commands need
    lost_groups: bool = False  # a command that was not understood may make others
    texts: list[HostText] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)  # each once, in order
    calls: list[Call] = field(default_factory=list)
    stubs: list[tuple[int, c.Run, str, bool]] = field(default_factory=list)  # fork, what it starts, slot, from outside
    uses: dict[str, int] = field(default_factory=dict)
    slots: dict[tuple[Place, tuple[int, ...], str], str] = field(default_factory=dict)
    jobs: list[str] = field(default_factory=list)  # slots of background jobs, in order
    lost_jobs: bool = False  # a command that was not understood may start others
    fixed: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)  # files, whatever the script writes
    added: dict[tuple[str, int], int] = field(default_factory=dict)  # those that no command writes: behind what (CG_*)

    def note(self, word: Word, text: str) -> None:
        """Something that the user should know, once."""
        self.notes[f"line {word.place.line}: {text}"] = None

    @contextmanager
    def printing(self, **changes: Any) -> Iterator[None]:
        """What the block's commands print goes elsewhere."""
        outer = self.output
        self.output = replace(outer, **changes)
        try:
            yield
        finally:
            self.output = outer

    def named_job(self, word: Word) -> Word:
        """A word in which a job stands for its task: "/proc/$!/maps"."""
        text = JOB.sub(lambda match: self.job(Word(f"%{match[1]}", word.place)), word.text)
        return Word(text.replace(SHELL_ITSELF, "self"), word.place)

    def job(self, word: Word) -> str:
        """The slot of a background job, "%1"."""
        number = int(word.text[1:])
        if 0 < number <= len(self.jobs):
            return self.jobs[number - 1]
        if self.lost_jobs:
            raise ToldError
        count = f"{len(self.jobs)} so far" if self.jobs else "none so far"
        raise word.error(f"no such background job: {word.text}", f"jobs are started with '&': {count}")

    def host(
        self, kind: str, word: Word, group: int, files: tuple[str, ...], text: str, reads: bool = False, **more: Any
    ) -> None:
        """Let Python print something; an error leaves the status, which is its reason, as it was.

        The group must be there if ``files`` of it are wanted, or with ``reads``.
        """
        bits = n.HOST_KEEPS_STATUS if kind in KEEPING else n.HOST_READS if files or reads else 0
        if bits == n.HOST_READS and any(is_the_controllers(name) for name in files):
            bits = n.HOST_READS_MEMORY
        self.asm.emit(n.OP_HOST, a=len(self.texts), b=group if bits in READS else 0, bits=bits)
        goes: dict[str, Any] = {"out": self.output.out, "err": self.output.err}
        if kind not in KEEPING:
            goes |= {"filters": self.output.filters, "keep": self.output.keep, "pipefail": self.output.pipefail}
        text = JOB.sub(lambda match: f"\0p{self.job(Word(f'%{match[1]}', word.place))}\0", text)
        self.texts.append(HostText(kind, group, files, text, word.place.line or 0, **{**goes, **more}))

    def number(self, group: str) -> int:
        """A group's number while the script is gone through."""
        return self.named.setdefault(group, len(self.named))

    def group(self, word: Word) -> int:
        """The number of a group that a command needs; whether it is there then shows the run."""
        self.wanted.append(word)
        return self.number(word.text)

    def keep_status(self, word: Word) -> int:
        """The status of now is kept, for ``restore_status``."""
        number = self.scope.live.number(word, "status")
        self.host("status", word, 0, (), "", keep=number)
        return number

    def restore_status(self, word: Word, number: int) -> None:
        """The status is what it was."""
        self.host("restore", word, 0, (), "", words=(str(number),))


def base_name(word: Word) -> str:
    """A program's name without its directory."""
    return word.text.rpartition("/")[2]


def renumbered(row: Row, numbers: dict[int, int]) -> Row:
    """An instruction with other numbers of groups. What makes or removes one that is never there fails as it would."""
    values = list(row)
    for operand in GROUPS.get(row[0], ""):
        at = 2 + "abcd".index(operand)
        if values[at] not in numbers:
            return (n.OP_STATUS, 0, ENOENT, 0, 0, 0)
        values[at] = numbers[values[at]]
    return (values[0], values[1], values[2], values[3], values[4], values[5])
