"""Reads a unit file of systemd: sections and their settings, with those of its drop-ins (systemd.syntax(7))."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cowpath.errors import Gathered, InputError
from cowpath.words import Place, Word, nearest, read_text

SECTIONS = {".service": ("Unit", "Service", "Install"), ".slice": ("Unit", "Slice", "Install")}
SETTING = re.compile(r"([A-Za-z0-9_-]+)[ \t]*=[ \t]*(.*)", re.DOTALL)
NAME = re.compile(r"[A-Za-z0-9:_.\\@-]{1,255}")


@dataclass(frozen=True)
class Setting:
    """``NAME=VALUE``."""

    name: Word
    value: Word


@dataclass
class Unit:
    """A unit: its name (app.service), its folder, and the settings of each section in the order of the files."""

    name: str
    folder: Path
    place: Place
    sections: dict[str, list[Setting]] = field(default_factory=dict)

    def all_of(self, section: str, name: str) -> list[Word]:
        """The values of a setting that may be given several times; an empty one forgets those before it."""
        found: list[Word] = []
        for setting in self.sections.get(section, ()):
            if setting.name.text == name:
                found = [*found, setting.value] if setting.value.text else []
        return found

    def last_of(self, section: str, name: str) -> Word | None:
        """The value of a setting that holds one."""
        return next(reversed(self.all_of(section, name)), None)

    def last_of_each(self, section: str) -> dict[str, Setting]:
        """The settings by their names, each as it was given last; an empty one is as if it was not there."""
        found: dict[str, Setting] = {}
        for setting in self.sections.get(section, ()):
            found.pop(setting.name.text, None)
            if setting.value.text:
                found[setting.name.text] = setting
        return found


def read_unit(path: Path, text: str, shown: str, errors: Gathered) -> Unit:
    """A unit and its drop-ins, in the folders beside it (systemd.unit(5))."""
    name = path.name if path.suffix else "app.service"
    if NAME.fullmatch(name) is None or Path(name).suffix not in SECTIONS:
        raise InputError(f"not a unit's name: {name!r}", file=shown, hint="app.service")
    unit = Unit(name, path.parent, Place(shown, 1))
    _read(text, shown, unit, errors)
    for file in drop_ins(path):
        with errors.kept():
            _read(read_text(file), str(file), unit, errors)
    return unit


def drop_ins(path: Path) -> Iterator[Path]:
    """In the order of their names, whichever folder they are in; of two with one name, that of the nearer folder. A
    link to /dev/null is such a one, too, and says nothing.
    """
    found: dict[str, Path] = {}
    for name in _drop_in_names(path.name) if path.suffix else ():
        folder = path.parent / f"{name}.d"
        if folder.is_dir():
            for file in folder.iterdir():
                if file.suffix == ".conf" and not file.is_dir():
                    found.setdefault(file.name, file)
    yield from (found[name] for name in sorted(found) if found[name].resolve() != Path(os.devnull))


def _drop_in_names(name: str) -> Iterator[str]:
    """Whose drop-ins a unit has, the nearest first: a-b@1.service, a-b@.service, a-@.service, a-@1.service; service.

    As unit_file_find_dirs of systemd 252 (src/shared/dropin.c) has them.
    """
    bare, _, kind = name.rpartition(".")
    prefix, at, instance = bare.partition("@")

    def of(prefix: str, instance: str) -> Iterator[str]:
        yield f"{prefix}{at}{instance}.{kind}"
        if instance:
            yield from of(prefix, "")
        shorter = prefix.removesuffix("-").rpartition("-")[0]
        if shorter:
            yield from of(f"{shorter}-", instance)

    yield from dict.fromkeys(of(prefix, instance))
    yield kind


def _read(text: str, shown: str, unit: Unit, errors: Gathered) -> None:
    """The settings of a file, behind those that are there."""
    section: str | None = None
    for line, word in _lines(text, shown):
        if match := re.fullmatch(r"\[([^\[\]]+)\]", line):
            section = match[1]
            known = SECTIONS[Path(unit.name).suffix]
            if section not in known and not section.startswith("X-"):
                hint = nearest(section, known, ", ".join(f"[{each}]" for each in known))
                errors.add(word.error(f"[{section}] has no place in {unit.name}", hint))
        elif (setting := SETTING.fullmatch(line)) is None:
            errors.add(word.error(f"neither a section nor NAME=VALUE: {line[:60]!r}", "MemoryMax=64M"))
        elif section is None:
            errors.add(word.error(f"{setting[1]}= is in no section", "[Service] above it"))
        else:
            name = Word(setting[1], word.place)
            value = Word(setting[2].strip(), word.place.after(setting.start(2)))
            unit.sections.setdefault(section, []).append(Setting(name, value))


def _lines(text: str, shown: str) -> Iterator[tuple[str, Word]]:
    """The lines that say something; one that ends with a backslash goes on in the next."""
    begun, first = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if bare.startswith(("#", ";")) or (not bare and not begun):
            continue
        first = first or number
        if bare.endswith("\\"):
            begun += bare[:-1] + " "
            continue
        whole = (begun + bare).strip()
        column = len(line) - len(line.lstrip()) + 1 if not begun else 1
        if whole:
            yield whole, Word(whole, Place(shown, first, column))
        begun, first = "", 0
    if begun.strip():
        yield begun.strip(), Word(begun, Place(shown, first, 1))
