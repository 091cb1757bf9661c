"""An entry of the case book: a TOML file of ``cases/book/``. What it says of Linux, and the trials that show it.

A release that ends in ``?`` is not confirmed by a source.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from cowpath import cases
from cowpath.checker.properties import names as property_names
from cowpath.designs.design import Design, from_data
from cowpath.designs.design import load as load_design
from cowpath.errors import InputError
from cowpath.kernels.tables import check_keys, near, parse

TEXTS = ("title", "since", "fixed", "lock", "wait", "symptom", "fix", "source", "left_out")
KEYS = ("number", "commits", *TEXTS, "trials")
NEEDED = ("number", "title", "lock", "wait", "symptom", "fix", "source")
TRIAL_TEXTS = ("case", "property", "why")
TRIAL_KEYS = (*TRIAL_TEXTS, "before", "after")


@dataclass(frozen=True)
class Trial:
    """A case on which ``before`` violates a property and ``after`` does not."""

    case: str  #: A packaged case.
    property: str
    before: Design
    after: Design
    why: str  #: What happens, in a sentence.


@dataclass(frozen=True)
class Entry:
    """A bug: what waits for what, since when, and what mended it."""

    number: int
    title: str  #: The commit's, or the report's.
    commits: tuple[str, ...]  #: Ids of mainline, those that mended it or made it.
    since: str  #: The release with which it came; "" is: always, or nobody looked.
    fixed: str  #: The release without it; "": none.
    lock: str
    wait: str  #: For what: charge, reclaim, OOM, throttle, disk.
    symptom: str
    fix: str
    source: str
    trials: tuple[Trial, ...]
    left_out: str  #: Why there is no trial; "" where there are some.


@cache
def load() -> tuple[Entry, ...]:
    """All entries, by number."""
    folder = resources.files("cowpath") / "cases" / "book"
    files = [each for each in folder.iterdir() if each.name.endswith(".toml")]
    return tuple(sorted((read(each.read_text(encoding="utf-8"), each.name) for each in files), key=lambda e: e.number))


def find(number: int) -> Entry:
    """One entry. Raises InputError if there is none of that number."""
    for entry in load():
        if entry.number == number:
            return entry
    raise InputError(f"the case book has no entry {number}", hint=f"1 to {load()[-1].number}: cowpath cases list")


def read(text: str, source: str) -> Entry:
    """An entry from the text of its file. Raises InputError that names the file and the key."""
    data = parse(text, source)
    check_keys(data, KEYS, TEXTS, source)
    _needs(data, NEEDED, source)
    number, commits, tables = data["number"], data.get("commits", []), data.get("trials", [])
    if not isinstance(number, int) or isinstance(number, bool):
        raise InputError(f"number = {number!r}", file=source, hint="a whole number")
    if not isinstance(commits, list) or not all(isinstance(each, str) for each in commits):
        raise InputError(f"commits = {commits!r}", file=source, hint='a list of ids: ["1d65f86db148"]')
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        raise InputError("trials must be tables", file=source, hint="[[trials]]")
    if bool(tables) == bool(data.get("left_out")):
        raise InputError("an entry has trials, or says with left_out why not", file=source)
    trials = tuple(_trial(table, source) for table in tables)
    texts = {key: data.get(key, "") for key in TEXTS}
    return Entry(number=number, commits=tuple(commits), trials=trials, **texts)


def _trial(table: dict[str, Any], source: str) -> Trial:
    check_keys(table, TRIAL_KEYS, TRIAL_TEXTS, source)
    _needs(table, TRIAL_KEYS, source)
    known = [*cases.names(), *cases.of_the_book()]
    if table["case"] not in known:
        raise InputError(f"no case {table['case']!r}", file=source, hint=near(table["case"], known))
    if table["property"] not in property_names():
        raise InputError(
            f"no property {table['property']!r}", file=source, hint=near(table["property"], property_names())
        )
    before, after = (_design(table[key], key, source) for key in ("before", "after"))
    return Trial(table["case"], table["property"], before, after, table["why"])


def _design(value: Any, key: str, source: str) -> Design:
    """A kernel or packaged design by its name, or a table as a design's file has it."""
    if isinstance(value, str):
        return load_design(value)
    if not isinstance(value, dict) or "name" not in value:
        raise InputError(f"[[trials]]: {key} = {value!r}", file=source, hint="a design's name, or a table with name")
    return from_data(value, source, Path(source).parent)


def _needs(data: dict[str, Any], keys: tuple[str, ...], source: str) -> None:
    for key in keys:
        if key not in data:
            raise InputError(f"{key} is missing", file=source)
