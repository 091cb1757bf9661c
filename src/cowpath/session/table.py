"""The program table: which programs a session's commands are, the machine, the bystanders and the files.

A session's own table is a TOML file of the same name beside it; what it does not name, the packaged one does.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from cowpath.engine.machine import MOST_SWAP
from cowpath.errors import Gathered, InputError, ToldError
from cowpath.kernel.state import CLOCK
from cowpath.kinds import check_kind
from cowpath.session.plan import MachineSettings
from cowpath.session.uses import VERSIONS
from cowpath.units import parse_size, parse_time
from cowpath.words import Place, Word, nearest, read_text

T = TypeVar("T")
DATA = Path(__file__).resolve().parent.parent / "data"
PACKAGED = DATA / "programs.toml"
KINDS = ("written", "recording", "build")
MACHINE_KEYS = (
    "cpus", "memory", "swap", "tasks", "swappiness", "until", "settle", "reuse", "fetches", "readahead",
    "rotational", "blocks", "copies", "cold", "costs", "cgroup", "recursiveprot",
)  # fmt: skip
MOST_CPUS, MOST_COPIES, MOST_PAGES, MOST_FETCHES = 32, 1000, 1 << 22, 1 << 20
BLOCKS = (1024, 2048, 4096)  # bytes, of ext4
DEFAULT_BYSTANDERS = ("shell",)
DEFAULT_SETTLE_NS = 100 * 10**6  # bystanders get this long before the session begins


@dataclass(frozen=True)
class Entry:
    """A program of the table."""

    name: str
    kind: str  # one of KINDS
    source: str  # a path, or a packaged recording's name
    about: str
    table: Path  # where it was named
    word: Word  # for errors


@dataclass(frozen=True)
class FileSettings:
    """What the table says of a file; None where it says nothing."""

    word: Word
    pages: int | None = None
    room: int | None = None
    warm: bool | None = None
    shmem: bool | None = None
    included: bool = False  # by an included table, which may serve several sessions: not all use every file


@dataclass(frozen=True)
class Table:
    """A program table as a whole."""

    programs: dict[str, Entry] = field(default_factory=dict)
    files: dict[str, FileSettings] = field(default_factory=dict)
    settings: MachineSettings = field(default_factory=MachineSettings)
    bystanders: tuple[Word, ...] | None = None  # None: the default
    settle: int | None = None  # ns
    copies: int | None = None
    cold: bool | None = None
    sources: dict[Path, str] = field(default_factory=dict)  # the texts of the session's own tables

    def over(self, other: Table) -> Table:
        """This table, and what only ``other`` says."""
        ours = {name: getattr(self, name) for name in ("bystanders", "settle", "copies", "cold")}
        return replace(
            other,
            programs={**other.programs, **self.programs},
            files={**other.files, **self.files},
            settings=self.settings.over(other.settings),
            sources={**other.sources, **self.sources},
            **{name: value for name, value in ours.items() if value is not None},
        )


def load_tables(session: Path | None, own: Path | None = None) -> Table:
    """The session's own table (``own``, or the one beside it if there is one) over the packaged one."""
    table = read_table(PACKAGED)
    if own is not None:
        if str(own) == "-":
            raise InputError("a table is read from a file", file="-", hint="--table FILE")
        return read_table(own).over(table)
    if session is not None and session.suffix != ".toml" and session.with_suffix(".toml").is_file():
        table = read_table(session.with_suffix(".toml")).over(table)
    return table


def read_table(path: Path, _within: tuple[Path, ...] = ()) -> Table:
    """A table's file. Raises InputError for what it may not say."""
    text = read_text(path)
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise _toml_error(path, error) from None
    check_kind(path, text, "a session's table")
    errors = Gathered()
    table = _Reader(path, text, errors).table(content)
    errors.tell()
    if path != PACKAGED:
        table = replace(table, sources={path: text})
    if "include" not in content:
        return table
    word = _Reader(path, text, errors).word("include", str(content["include"]))
    included = (path.parent / str(content["include"])).resolve()
    if included in (*_within, path.resolve()):
        raise word.error("tables include each other without end", "name another table")
    if not included.is_file():
        raise word.error(f"no such file: {content['include']!r}", f"a table in {path.parent}")
    other = read_table(included, (*_within, path.resolve()))
    files = {name: replace(settings, included=True) for name, settings in other.files.items()}
    return table.over(replace(other, files=files))


def _toml_error(path: Path, error: Exception) -> InputError:
    match = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", str(error), re.DOTALL)
    if match is None:
        return InputError(f"not a TOML file: {error}", file=path)
    return InputError(f"not a TOML file: {match[1]}", file=path, line=int(match[2]), column=int(match[3]))


@dataclass(frozen=True)
class _Reader:
    """Reads one table; ``text`` is searched for the line of a key that is wrong. Errors are put by, in ``errors``."""

    path: Path
    text: str
    errors: Gathered

    def word(self, key: str, shown: str | None = None) -> Word:
        """A key and its place, or that of the value that is shown."""
        shown = key if shown is None else shown
        quoted = rf"[\"']?{re.escape(key)}[\"']?"
        pattern = rf"^[ \t]*(?:\[(?:[^\]\n]*\.)?{quoted}\]|{quoted}[ \t]*=|[^\n=#]*\.{quoted}[ \t]*=)"
        match = re.search(pattern, self.text, re.MULTILINE)
        if match is None:
            match = re.search(rf"\b{re.escape(key)}\b", self.text)
        if match is None:
            return Word(shown, Place(str(self.path)))
        found = re.compile(rf"(?<![\w-]){re.escape(shown)}(?![\w-])").search(self.text, match.start())
        at = match.start() if found is None else found.start()
        line = self.text.count("\n", 0, at) + 1
        return Word(shown, Place(str(self.path), line, at - self.text.rfind("\n", 0, at)))

    def table(self, content: dict[str, Any]) -> Table:
        """The whole of it."""
        self.known(content, ("include", "programs", "machine", "bystanders", "files"), "the table")
        self.get(content, "include", str)
        machine = self.section(content, "machine")
        self.known(machine, MACHINE_KEYS, "[machine]")
        bystanders = self.section(content, "bystanders")
        self.known(bystanders, ("programs",), "[bystanders]")
        return Table(
            self.each(self.section(content, "programs"), self.entry),
            self.each(self.section(content, "files"), self.file),
            self.settings(machine),
            self.bystanders(bystanders),
            self.unit(machine, "settle", parse_time),
            self.integer(machine, "copies", 1, MOST_COPIES),
            self.get(machine, "cold", bool),
        )

    def each(self, section: dict[str, Any], read: Callable[[str, Any], T]) -> dict[str, T]:
        """The tables of a section that can be read."""
        found = {}
        for name, value in section.items():
            with self.errors.kept():
                found[name] = read(name, value)
        return found

    def settings(self, machine: dict[str, Any]) -> MachineSettings:
        """[machine]."""
        reuse = self.get(machine, "reuse", int, float)
        if reuse is not None and not 0 <= reuse <= 1000:
            self.errors.add(
                self.word("reuse").error("reuse must be from 0 to 1000", "accesses to earlier pages per recorded one")
            )
        swap = self.unit(machine, "swap", parse_size)
        if swap is not None and swap > MOST_SWAP:
            hint = f"0 (none) to {MOST_SWAP >> 30}G"
            self.errors.add(self.word("swap").error(f"swap is out of range: {swap} bytes", hint))
        costs = self.get(machine, "costs", str)
        if costs is not None and (self.path.parent / costs).is_file():
            costs = str(self.path.parent / costs)
        cgroup = self.get(machine, "cgroup", str)
        if cgroup is not None and cgroup not in VERSIONS:
            self.errors.add(self.word("cgroup").error(f"no version of cgroups: {cgroup!r}", '"v1" or "v2"'))
        return MachineSettings(
            cpus=self.integer(machine, "cpus", 1, MOST_CPUS),
            memory=self.unit(machine, "memory", parse_size),
            swap=swap,
            tasks=self.integer(machine, "tasks", 1, CLOCK.tasks),
            swappiness=self.integer(machine, "swappiness", 0, 100),
            until=self.unit(machine, "until", parse_time),
            reuse=None if reuse is None else float(reuse),
            fetches=self.integer(machine, "fetches", 0, MOST_FETCHES),
            readahead=self.integer(machine, "readahead", 0, MOST_PAGES),
            rotational=self.get(machine, "rotational", bool),
            blocks=self.blocks(machine),
            costs=costs,
            cgroup=cgroup,
            recursiveprot=self.get(machine, "recursiveprot", bool),
        )

    def blocks(self, machine: dict[str, Any]) -> int | None:
        """The size of the file systems' blocks."""
        found: int | None = self.get(machine, "blocks", int)
        if found is not None and found not in BLOCKS:
            self.errors.add(self.word("blocks").error(f"blocks of {found} bytes", "1024, 2048 or 4096"))
        return found

    def bystanders(self, section: dict[str, Any]) -> tuple[Word, ...] | None:
        """The programs that start at boot."""
        names = self.get(section, "programs", list)
        if names is None:
            return None
        for name in names:
            if not isinstance(name, str):
                self.errors.add(self.word("programs").error(f"not a program's name: {name!r}", 'programs = ["ls"]'))
        return tuple(self.word("programs", name) for name in names if isinstance(name, str))

    def entry(self, name: str, value: Any) -> Entry:
        """[programs.NAME]."""
        if not isinstance(value, dict):
            raise self.word(name).error(f"[programs.{name}] must be a table", f'[programs.{name}] recording = "ls"')
        self.known(value, (*KINDS, "about"), f"[programs.{name}]")
        kinds = [kind for kind in KINDS if kind in value]
        if not kinds and not {"about", *value} == {"about"}:
            raise ToldError  # the key that was meant is among those that are unknown
        if len(kinds) != 1:
            raise self.word(name).error(
                f"[programs.{name}] needs one of {', '.join(KINDS)}", f'[programs.{name}] recording = "ls"'
            )
        source = self.get(value, kinds[0], str) or ""
        beside = self.path.parent / source
        if kinds[0] == "written" or beside.is_file():
            source = str(beside)
        about = self.get(value, "about", str)
        return Entry(name, kinds[0], source, about or "", self.path, self.word(name))

    def file(self, name: str, value: Any) -> FileSettings:
        """[files.NAME]."""
        if not isinstance(value, dict):
            raise self.word(name).error(f"[files.{name}] must be a table", f"[files.{name}] pages = 1024")
        self.known(value, ("pages", "room", "warm", "shmem"), f"[files.{name}]")
        return FileSettings(
            self.word(name),
            self.integer(value, "pages", 0, MOST_PAGES),
            self.integer(value, "room", 0, MOST_PAGES),
            self.get(value, "warm", bool),
            self.get(value, "shmem", bool),
        )

    # --- values

    def known(self, section: dict[str, Any], keys: Iterable[str], where: str) -> None:
        """Whether all keys of a section are known."""
        for key in section:
            if key not in keys:
                hint = nearest(key, keys, f"known: {', '.join(keys)}")
                self.errors.add(self.word(key).error(f"unknown key in {where}: {key!r}", hint))

    def section(self, content: dict[str, Any], key: str) -> dict[str, Any]:
        """A sub-table."""
        value: dict[str, Any] = self.get(content, key, dict) or {}
        return value

    def get(self, section: dict[str, Any], key: str, *types: type) -> Any:
        """A value of one of these types, or None."""
        value = section.get(key)
        if value is None or (isinstance(value, types) and (not isinstance(value, bool) or bool in types)):
            return value
        words = {str: "text in quotes", bool: "true or false", int: "a number", list: "a list", dict: "a table"}
        self.errors.add(self.word(key).error(f"{key} has a wrong value: {value!r}", f"it must be {words[types[0]]}"))
        return None

    def integer(self, section: dict[str, Any], key: str, least: int, most: int) -> int | None:
        """A whole number within bounds, or None."""
        value: int | None = self.get(section, key, int)
        if value is not None and not least <= value <= most:
            self.errors.add(self.word(key).error(f"{key} is out of range: {value}", f"from {least} to {most}"))
            return None
        return value

    def unit(self, section: dict[str, Any], key: str, read: Callable[[str], int]) -> int | None:
        """A size or a time as text (or a number: bytes, seconds), or None."""
        value = self.get(section, key, str, int, float)
        try:
            return None if value is None else self.word(key).place.of(read, str(value))
        except InputError as error:
            self.errors.add(error)
            return None


def with_overrides(table: Table, **values: Any) -> Table:
    """The table with some of its values replaced; None replaces nothing."""
    return replace(table, **{name: value for name, value in values.items() if value is not None})
