"""The case book's entries that a log shows, by ``signs.toml``.

The book's files are read for what they say of Linux only: ``cowpath.casebook`` has their designs and cases as well, and
with them the whole model, for which nobody should wait who has a log in hand.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from cowpath.diagnose.release import Release
from cowpath.diagnose.waits import Judged


@dataclass(frozen=True)
class Sign:
    """What one task shows of an entry. ``frames``: of each string, one of the functions between ``|``."""

    waits: tuple[str, ...] = ()
    holds: str = ""  # a lock, maybe with its mode: "mmap lock (write)"
    inner: str = ""
    frames: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    kind: str = ""
    state: str = ""
    dying: bool = False
    reenters: bool = False
    waiter: str = ""  # another task waits for this lock
    needs_waiter: bool = False
    beside: str = ""  # another task waits for this

    def fits(self, told: Judged) -> bool:
        """Whether a task shows it."""
        names = set(told.task.names)
        return (
            any(told.waits_for == what or told.waits_for.startswith(f"{what}:") for what in self.waits)
            and (not self.inner or told.inner == self.inner)
            and (not self.holds or any(self.holds in (held.lock, str(held)) for held in (*told.held, *told.may_hold)))
            and all(not names.isdisjoint(each.split("|")) for each in self.frames)
            and names.isdisjoint(self.without)
            and self.kind in ("", told.task.kind)
            and self.state in ("", told.task.state)
            and (told.task.dying or not self.dying)
            and bool(told.reenters) == self.reenters
        )


@dataclass(frozen=True)
class Entry:
    """An entry: what it was, which releases have it (before ``fixed``), which mended it, and what plays it."""

    number: int
    title: str
    commits: tuple[str, ...]
    since: str | None
    fixed: str | None
    mended: tuple[str, ...]
    symptom: str
    play: str
    signs: tuple[Sign, ...]


@dataclass(frozen=True)
class Match:
    """An entry that a log shows. ``sure``: both sides are seen, and the release is one that has it."""

    entry: Entry
    tasks: tuple[int, ...] = field(default=())
    sure: bool = False
    why: str = ""


@cache
def entries() -> tuple[Entry, ...]:
    """All that have a sign, read once."""
    here = resources.files("cowpath")
    data = tomllib.loads((here / "diagnose" / "signs.toml").read_text(encoding="utf-8"))
    book = {}
    for file in (here / "cases" / "book").iterdir():
        if file.name.endswith(".toml"):
            table = tomllib.loads(file.read_text(encoding="utf-8"))
            book[table["number"]] = table
    found = [entry_of(book[table["number"]], table) for table in data["entry"]]
    return (*found, *(entry_of(table, {"sign": table["sign"]}) for table in data["kin"]))


def entry_of(said: dict[str, Any], more: dict[str, Any]) -> Entry:
    """An entry, from the book's table and from that of its signs."""
    fixed = said.get("fixed") or None
    return Entry(
        number=said["number"],
        title=said["title"],
        commits=tuple(dict.fromkeys([*said.get("commits", ()), *more.get("commits", ())])),
        since=said.get("since") or None,
        fixed=fixed,
        mended=(*([fixed] if fixed else []), *more.get("mended", ())),
        symptom=said["symptom"],
        play=play(said),
        signs=tuple(Sign(**frozen(sign)) for sign in more["sign"]),
    )


def play(said: dict[str, Any]) -> str:
    """The command that plays an entry: its first trial's, or all of them; "" where there is none."""
    trials = said.get("trials", ())
    if not trials:
        return ""
    first = trials[0]
    if not isinstance(first["before"], str):
        return f"cowpath cases run {said['number']}"
    return f"cowpath check -c {first['case']} -d {first['before']} -p {first['property']}"


def frozen(table: dict[str, Any]) -> dict[str, Any]:
    """A table with tuples for its lists."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}


def matches(tasks: Sequence[Judged], release: Release) -> list[Match]:
    """The entries that these tasks show, in the list's order. A release that is said and does not have it: no match."""
    found = []
    for entry in entries():
        since, before = release.since(entry.since), release.before(entry.fixed)
        if since is False or before is False:
            continue
        known = since is True and before is True
        match = shown(entry, tasks, known)
        if match is not None:
            found.append(match)
    return found


def shown(entry: Entry, tasks: Sequence[Judged], known: bool) -> Match | None:
    """How these tasks show an entry, if they do."""
    for sign in entry.signs:
        fits = [place for place, told in enumerate(tasks) if sign.fits(told)]
        if not fits or (sign.beside and not waiting(tasks, sign.beside, fits)):
            continue
        others = waiting(tasks, sign.waiter, fits) if sign.waiter else []
        if sign.needs_waiter and not others:
            continue
        why = (
            "both sides are seen"
            if others
            else "its shape"
            if sign.waiter
            else "its shape; nobody else needs to be seen"
        )
        if not known:
            why += "; the release is not known, or may have it mended"
        sure = known and (bool(others) or not sign.waiter)
        return Match(entry, tuple(sorted({*fits, *others})), sure, why)
    return None


def waiting(tasks: Sequence[Judged], lock: str, but: Sequence[int]) -> list[int]:
    """Who else waits for that lock."""
    return [place for place, told in enumerate(tasks) if lock in (told.waits_for, told.inner) and place not in but]
