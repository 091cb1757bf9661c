"""Programs that the caller names: ``--program NAME=RECORDING``, over what the tables say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from cowpath.errors import Gathered
from cowpath.kinds import kind_of
from cowpath.session.table import PACKAGED, Entry, Table
from cowpath.words import Place, Word, nearest

OPTION = "--program"
HINT = f"{OPTION} app=make, {OPTION} app=FILE.recording, {OPTION} app=FILE.prog"


def with_programs(table: Table, given: Sequence[str]) -> Table:
    """The table with the caller's programs. Raises InputError for all of them that are wrong."""
    errors, found = Gathered(), dict(table.programs)
    names: set[str] = set()
    for text in given:
        with errors.kept():
            entry = _entry(text, table)
            if entry.name in names:
                raise entry.word.error(f"{entry.name!r} is given twice", f"{OPTION} {text} alone, or another name")
            names.add(entry.name)
            found[entry.name] = entry
    errors.tell()
    return replace(table, programs=found)


def check_used(table: Table, asked: Iterable[str]) -> None:
    """Raise InputError for a program of the caller's that nothing runs."""
    asked = set(asked)
    errors = Gathered()
    for entry in table.programs.values():
        if entry.table == Path(OPTION) and entry.name not in asked:
            hint = nearest(entry.name, asked, f"it runs {', '.join(sorted(asked)) or 'none'}")
            errors.add(entry.word.error(f"the session runs no program {entry.name!r}", hint))
    errors.tell()


def _entry(text: str, table: Table) -> Entry:
    """NAME=RECORDING: a program of the table, a packaged recording, or a file (a recording, or a written program)."""
    name, equals, source = text.partition("=")
    word = Word(text, Place(OPTION))
    if not equals or not source or re.fullmatch(r"[^\s/='\"]+", name) is None:
        raise word.error(f"not NAME=RECORDING: {text!r}", HINT)
    if source in table.programs:
        return replace(table.programs[source], name=name, table=Path(OPTION), word=word)
    kind = next((each.kind for each in table.programs.values() if each.source == source and each.table == PACKAGED), "")
    path = Path(source)
    if path.is_file():
        kind = "written" if kind_of(source, "") == "a written program" else "recording"
    if not kind:
        known = sorted({*table.programs, *(each.source for each in table.programs.values() if each.table == PACKAGED)})
        raise word.error(f"no such file, recording or program: {source!r}", nearest(source, known, HINT))
    return Entry(name, kind, source, "", Path(OPTION), word)
