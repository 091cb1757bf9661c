"""Turns the lines of a written program into instructions; ``written`` holds what each command emits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

from cowpath.kernel import names as n
from cowpath.programs.code import Assembler
from cowpath.programs.lines import Line, check_count, every, is_number, named, number
from cowpath.programs.regions import Regions
from cowpath.programs.unit import Call, FarRegion, Unit
from cowpath.words import Word, nearest


@dataclass(frozen=True)
class Loop:
    """A loop around the line in hand; its register is its depth."""

    variable: str | None
    rounds: int  # or NONE: for ever


Method = Callable[["Writer", Line], None]
COMMANDS: dict[str, tuple[str, Method]] = {}  # name -> usage, what it emits


def command(usage: str) -> Callable[[Method], Method]:
    """Enter a method into the table of commands. ``[x]`` in its usage is optional, ``...`` is any number."""

    def enter(method: Method) -> Method:
        COMMANDS[usage.split()[0]] = (usage, method)
        return method

    return enter


@dataclass
class Writer:
    """The program so far, and what is known at the line in hand."""

    name: str
    regions: Regions
    tasks: set[str]  # names of the tasks that the program itself starts
    threads: set[str]  # those that are threads
    asm: Assembler = field(init=False)
    loops: list[Loop] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    far: list[FarRegion] = field(default_factory=list)  # what lies in other programs' memory
    outer: dict[str, Word] = field(default_factory=dict)
    defined: dict[str, Line] = field(default_factory=dict)  # task NAME ... end
    starts: list[tuple[int, Word]] = field(default_factory=list)  # forks of those
    groups: dict[str, Word] | None = None  # that it names; None: it can name none
    numbered: tuple[str, ...] = ()  # ... of a case: all that there are, by number
    task: str | None = (
        ""  # whose lines they are: the program's own (""), a task's that it starts, or one's without name
    )
    in_thread: bool = False

    def __post_init__(self) -> None:
        self.asm = Assembler(self.name)

    def program(self, lines: tuple[Line, ...]) -> Unit:
        """The whole program: its main part, then the tasks that it defines."""
        for line in lines:
            if line.word.text == "task":
                self.define(line)
        self.asm.emit(n.OP_EXEC, a=1, c=self.asm.comm(self.name))
        self.process([line for line in lines if line.word.text != "task"])
        self.defined_tasks()
        self.asm.name_regions(0, self.regions.places)
        groups = tuple((self.groups or {}).values())
        return Unit(self.asm.code(), tuple(self.calls), tuple(self.outer.values()), tuple(self.far), groups)

    def defined_tasks(self) -> None:
        """The tasks that ``task NAME ... end`` has defined, behind all else."""
        for name, line in self.defined.items():
            entry = self.asm.here
            with self.as_task(name):
                self.process(line.body)
            for fork, word in self.starts:
                if word.text == name:
                    self.asm.patch(fork, "a", entry)

    def process(self, lines: tuple[Line, ...] | list[Line]) -> None:
        """The lines of a task, and its end."""
        self.lines(lines)
        self.asm.emit(n.OP_EXIT)

    @contextmanager
    def as_task(self, name: str | None, thread: bool = False) -> Iterator[None]:
        """The lines of the block are a task's."""
        before = self.task, self.in_thread
        self.task, self.in_thread = name, thread
        yield
        self.task, self.in_thread = before

    def lines(self, lines: tuple[Line, ...] | list[Line]) -> None:
        """Emit lines one by one."""
        for before, line in pairwise(lines):
            if before.word.text == "exec":
                raise line.word.error("what follows exec is never reached", "exec is the last line of its block")
        for line in lines:
            if line.word.text == "task":
                raise line.word.error("a task within a block", "tasks are defined at the top, outside of all blocks")
            if line.word.text not in COMMANDS:
                hint = nearest(line.word.text, [*COMMANDS, "end"], "docs/programs.md lists the commands")
                raise line.word.error(f"unknown command: {line.word.text!r}", hint)
            usage, method = COMMANDS[line.word.text]
            check_count(line, usage)
            method(self, line)

    def define(self, line: Line) -> None:
        """``task NAME ... end``: lines that ``start NAME`` runs as a child."""
        check_count(line, "task NAME")
        name = named(line.arguments[0], "a task")
        if name in self.defined:
            raise line.arguments[0].error(f"a second task {name!r}", "a name for each task")
        self.defined[name] = line

    # --- what operands mean

    def touched(self, word: Word) -> tuple[int, int, int]:
        """A first page, "16", "i" or "i+16": its least value, its greatest, and 1 + the register (0: none)."""
        base, plus, offset = word.text.partition("+")
        for register in reversed(range(len(self.loops))):
            if self.loops[register].variable == base:
                least = number(Word(offset, word.place.after(len(base) + 1))) if plus else 0
                rounds = self.loops[register].rounds
                if rounds < 0:
                    raise word.error(f"{base!r} grows without end", "loop i 1024: a loop with an end")
                return least, least + rounds - 1, 1 + register
        if is_number(word):
            return number(word), number(word), 0
        variables = [loop.variable for loop in self.loops if loop.variable]
        raise word.error(
            f"{word.text!r} is neither a number nor a loop's variable",
            nearest(base, variables, "a page, i, or i+16 within 'loop i 1024'"),
        )

    def group(self, word: Word) -> int:
        """The number, among those that the program names, of a group of the session."""
        if self.numbered:
            if word.text not in self.numbered[1:]:
                raise word.error(f"no group {word.text!r}", nearest(word.text, self.numbered[1:], "[groups.NAME]"))
            return self.numbered.index(word.text)
        if self.groups is None:
            raise word.error(f"no group can be named here: {word.text!r}", "groups are a session's")
        self.groups.setdefault(word.text.strip("/"), Word(word.text.strip("/"), word.place))
        return list(self.groups).index(word.text.strip("/"))

    def slot(self, word: Word) -> int:
        """The slot of a task: one of the program's own, or another program's."""
        if word.text not in self.tasks:
            self.outer.setdefault(word.text, word)
        return self.asm.slot(word.text)

    def own_slot(self, word: Word) -> int:
        """The slot of a task that this program starts."""
        if word.text not in self.tasks:
            hint = nearest(word.text, self.tasks, "'fork NAME', 'start NAME' and 'run NAME' start tasks")
            raise word.error(f"the program starts no task called {word.text!r}", hint)
        return self.asm.slot(word.text)

    def fork(self, name: str | None, bits: int = 0) -> int:
        """A fork whose target is still open; the child is called ``name``, or as its parent."""
        slot = n.NONE if name is None else self.asm.slot(name)
        return self.asm.emit(n.OP_FORK, b=slot, c=self.asm.comm(name or self.name), bits=bits)

    def file(self, word: Word, pages: int, room: int = 0) -> int:
        """The number of a file, "@name"."""
        name = word.text[1:]
        if not word.text.startswith("@") or not name:
            raise word.error(f"{word.text!r} is not a file", "files are written @name")
        if name.endswith("/"):
            raise word.error(f"{name!r} is a directory", "stat, creat and readdir read directories")
        return self.asm.file(name, pages, room, shmem=name.startswith("/dev/shm/"))

    def directory(self, word: Word) -> int:
        """The number of a directory, "@dir/": a file of one block, if the table or the case does not say more."""
        name = word.text[1:]
        if not word.text.startswith("@") or not name.endswith("/"):
            raise word.error(f"{word.text!r} is not a directory", "directories are written @dir/")
        return self.asm.file(name, 1)

    def dentry(self, word: Word) -> tuple[int, int]:
        """A name in a directory, "@dir/name" (or "@name", in "./"): the directory's number and the name's own."""
        path = word.text.removeprefix("@")
        above, _, name = path.rpartition("/")
        if not name:
            raise word.error(f"{word.text!r} is no name of a file", "a name in a directory: @dir/name")
        directory = f"{above}/" if above or path.startswith("/") else "./"
        return self.directory(Word(f"@{directory}", word.place)), self.asm.dentry(directory + name)


TASK_STARTS = ("fork", "thread", "start", "run")


def _nameless(line: Line) -> bool:
    """``fork into GROUP``."""
    return line.word.text == "fork" and line.arguments[0].text == "into" and len(line.arguments) == 2


def started(lines: tuple[Line, ...], commands: tuple[str, ...]) -> set[str]:
    """The names of the tasks that these commands start somewhere in a program."""
    starts = (line for line in every(lines) if line.word.text in commands and line.arguments and not _nameless(line))
    return {line.arguments[0].text.rpartition("/")[2] for line in starts}
