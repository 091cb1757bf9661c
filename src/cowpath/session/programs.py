"""Finds the programs that a session names, and makes units of them."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cowpath.engine.machine import DEFAULT_MEMORY
from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.programs.code import Assembler, Code
from cowpath.programs.unit import Unit
from cowpath.session import procfs, tools
from cowpath.session.fixed import NONE, Fixed
from cowpath.session.table import PACKAGED, Entry, Table
from cowpath.units import parse_time
from cowpath.words import Word, nearest, read_text

if TYPE_CHECKING:
    from cowpath.programs.recording import Recording

PACKAGED_PROGRAMS = PACKAGED.parent / "programs"
LONGEST_COMMAND = 72  # that is shown of one
IGNORED_MAKE_FLAGS = ("-s", "-k", "-i", "-B", "-w", "--silent", "--quiet", "--keep-going", "--no-print-directory")
NOT_THERE = {  # commands that are near to another one, which does something else
    "pkill": "not there: kill takes a job, kill $! or kill %1",
    "killall": "not there: kill takes a job, kill $! or kill %1",
    "htop": "not there: what it reads of every process is what top -c reads",
}
NOT_THERE["docker-compose"] = "not understood: cowpath run compose.yaml reads what it would start"
NOT_THERE["kubectl"] = "not understood: cowpath run POD.yaml reads what it would apply"
LISTS = "'cowpath programs' lists them"
INTERPRETERS = ("bash", "python3", "sqlite3")
SHOWN = 80  # characters of a recorded command in a message
MAKE_HINT = "understood: -j [N], -s, -k, -i, -B, -w, -C DIR, -f FILE, -l N, VAR=VALUE and targets"


@dataclass(frozen=True)
class Row:
    """A program of the table, as ``cowpath programs`` lists it."""

    name: str
    kind: str  # "written", "recording" or "build"
    source: str
    about: str
    table: str  # the file that names it


@dataclass
class Programs:
    """The programs of a table; each is read once."""

    table: Table
    copies: int = 1
    lists: str = LISTS
    commands: tuple[str, ...] = ()  # the shell's, that a name may be a slip of
    fixed: Fixed = NONE
    notes: list[str] = field(default_factory=list)
    sources: dict[Path, str] = field(default_factory=dict)  # the texts of written programs
    _units: dict[tuple[str, tuple[str, ...]], Unit] = field(default_factory=dict)
    _asked: set[str] = field(default_factory=set)
    _builds: int = 0

    @property
    def asked(self) -> set[str]:
        """The names of the programs that were looked for."""
        return {name for name, _ in self._units}

    def find(self, word: Word, arguments: tuple[Word, ...]) -> Unit:
        """A program by the name (or path) that a command gives. Raises InputError at the word."""
        name = word.text.rpartition("/")[2]
        self._asked.add(name)
        arguments = self.fixed.of_program(name, arguments)
        key = (name, tuple(argument.text for argument in arguments))
        if key not in self._units:
            self._units[key] = self._make(name, word, arguments)
        return self._units[key]

    def check_fixed(self) -> None:
        """Raise InputError for what is fixed of a program that the session never starts."""
        for program, number in self.fixed.arguments:
            if program not in self._asked:
                hint = nearest(program, self._asked, f"it starts: {', '.join(sorted(self._asked))}")
                raise InputError(f"{program}[{number}]: the session does not start {program!r}", hint=hint)
        if self.fixed.jobs is not None and not self._builds:
            raise InputError("jobs: the session runs no recorded build", hint="a program that is one: make")

    def _make(self, name: str, word: Word, arguments: tuple[Word, ...]) -> Unit:
        entry = self.table.programs.get(name)
        packaged = entry is None or entry.table == PACKAGED
        reads_proc = all(each.text.startswith("/proc/") for each in arguments)
        if packaged and name in tools.TOOLS and (name != "cat" or (arguments and not reads_proc)):
            around = tools.Around(self.table.settings.memory or DEFAULT_MEMORY, self.table.files)
            return tools.unit(name, word, arguments, around)
        if packaged and (name in procfs.READERS or name == "cat"):
            return procfs.unit(name, word, arguments, None if entry is None else _replayed(entry))
        if entry is None and name == "sleep":
            return _sleep(word, arguments)
        if entry is None:
            hint = NOT_THERE.get(name) or nearest(name, [*self.table.programs, *self.commands], self.lists)
            raise word.error(f"unknown command or program: {word.text!r}", hint)
        if not packaged and entry.kind != "written" and (gaps := _recording(entry).origin.get("gaps")):
            self._note(f"the recording of {entry.name} is not whole: {gaps[0]}")
        if entry.kind == "build":
            return self._build(entry, arguments)
        if entry.kind == "recording":
            if arguments and packaged:
                _check_command(entry, word, arguments)
            typed = [argument.text for argument in arguments]
            recorded = _recording(entry).command
            alone = packaged and is_another(entry) and Path(word.place.file).parent != PACKAGED_PROGRAMS
            if (typed or alone) and typed != list(recorded[1:]):
                self._note(f"{shortened([name, *typed])}: what ran is the recording of {shortened(recorded)}")
            return Unit(_replayed(entry))
        return self._written(entry, name, arguments)

    def _written(self, entry: Entry, name: str, arguments: tuple[Word, ...]) -> Unit:
        from cowpath.programs.written import compile_written

        path = Path(entry.source)
        if not path.is_file():
            raise entry.word.error(f"the program {name!r} is missing: {path} is not a file", 'written = "NAME.prog"')
        self.sources[path] = read_text(path)
        return compile_written(self.sources[path], str(path), name, arguments)

    def _build(self, entry: Entry, arguments: tuple[Word, ...]) -> Unit:
        from cowpath.programs.build import compile_build

        jobs, ignored = make_jobs(arguments)
        self._builds += 1
        if self.fixed.jobs is not None:
            jobs = self.fixed.job_count()
        if ignored:
            self._note(f"{entry.name}: {' '.join(ignored)} has no effect on the recorded build")
        return Unit(compile_build(_recording(entry), jobs, self.copies))

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def shortened(command: Sequence[str]) -> str:
    """A command line for a note."""
    return textwrap.shorten(shlex.join(command), LONGEST_COMMAND, placeholder=" ...")


def make_jobs(arguments: tuple[Word, ...]) -> tuple[int | None, list[str]]:
    """make's -j (None: without a bound; 1 if it is not given), and the arguments that have no effect."""
    jobs: int | None = 1
    ignored: list[str] = []
    words = list(arguments)
    while words:
        word = words.pop(0)
        if word.text in ("-j", "--jobs"):
            jobs = None
            if words and re.fullmatch(r"[0-9]+", words[0].text):
                jobs = _job_count(words.pop(0))
        elif match := re.fullmatch(r"(-j|--jobs=)([0-9]+)", word.text):
            jobs = _job_count(Word(match[2], word.place.after(len(match[1]))))
        elif word.text in ("-C", "-f", "-l", "-o"):
            if not words:
                raise word.error(f"{word.text} needs a value", MAKE_HINT)
            ignored += [word.text, words.pop(0).text]
        elif word.text.startswith("-") and word.text not in IGNORED_MAKE_FLAGS:
            raise word.error(f"unknown option of make: {word.text!r}", MAKE_HINT)
        else:
            ignored.append(word.text)
    return jobs, ignored


def _job_count(word: Word) -> int:
    if re.fullmatch(r"[1-9][0-9]{0,3}", word.text) is None:
        raise word.error(f"{word.text!r} is not a number of jobs", "make -j4; -j alone starts all jobs at once")
    return int(word.text)


def _sleep(word: Word, arguments: tuple[Word, ...]) -> Unit:
    """``sleep TIME &``, or within a group."""
    if len(arguments) != 1:
        raise word.error("sleep takes one time", "sleep 1.5, sleep 50ms")
    time = arguments[0].place.of(parse_time, arguments[0].text)
    asm = Assembler("sleep")
    asm.emit(n.OP_EXEC, a=1, c=asm.comm("sleep"))
    asm.emit(n.OP_SLEEP, a=time)
    asm.emit(n.OP_EXIT)
    return Unit(asm.code())


def _replayed(entry: Entry) -> Code:
    """A recording as a program."""
    from cowpath.programs.replay import compile_tree

    return compile_tree(_recording(entry))


def _check_command(entry: Entry, word: Word, arguments: tuple[Word, ...]) -> None:
    """A packaged recording may stand for the same program with other arguments, not for another program: what an
    interpreter is, its arguments say.
    """
    recorded = _recording(entry).command
    if is_another(entry) and tuple(argument.text for argument in arguments) != recorded[1:]:
        typed = shlex.join([word.text, *(argument.text for argument in arguments)])
        raise arguments[0].error(
            f"{typed!r} is not the {entry.name} that is packaged, a recording of {_short(shlex.join(recorded))!r}",
            f"{entry.name} alone; or say in the session's table what it stands for: [programs.{entry.name}] with"
            f' recording = "{entry.source}", or written = "{entry.name}.prog"',
        )


def is_another(entry: Entry) -> bool:
    """Without its arguments, what was recorded is another program: an interpreter, or a pipeline."""
    return entry.name in INTERPRETERS or _recording(entry).command[0].rpartition("/")[2] != entry.name


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."


def _recording(entry: Entry) -> Recording:
    """An entry's recording: a file beside the table, or a packaged one."""
    from cowpath.programs import library
    from cowpath.programs.recording import load

    path = Path(entry.source)
    if path.is_file():
        return load(path)
    packaged = library.packaged()
    if entry.source not in packaged:
        raise entry.word.error(
            f"no such recording: {entry.source!r}",
            nearest(
                entry.source, packaged, f"a file beside {entry.table.name}, or one of: {', '.join(sorted(packaged))}"
            ),
        )
    return load(packaged[entry.source])


def rows(table: Table) -> list[Row]:
    """The table's programs in alphabetical order."""
    return [Row(e.name, e.kind, e.source, e.about, str(e.table)) for _, e in sorted(table.programs.items())]
