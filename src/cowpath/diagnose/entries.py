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

from cowpath.diagnose.graph import Edge
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
    waiter: str = ""  # another task can be behind it, for this lock
    needs_waiter: bool = False  # without it there is nothing to see
    beside: str = ""  # another task waits for this, whoever has it
    since: str | None = None  # of this form of the entry, where it has several
    before: str | None = None

    def fits(self, told: Judged) -> bool:
        """Whether a task shows it."""
        if not any(told.waits_for == what or told.waits_for.startswith(f"{what}:") for what in self.waits):
            return False
        names = set(told.task.names)
        return (
            (not self.inner or told.inner == self.inner)
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


def matches(tasks: Sequence[Judged], edges: Sequence[Edge], release: Release) -> list[Match]:
    """The entries that these tasks show, in the list's order. A release that is said and does not have it: no match."""
    found = []
    for entry in entries():
        for sign in entry.signs:
            since = release.since(sign.since or entry.since)
            before = release.before(sign.before or entry.fixed)
            if since is False or before is False:
                continue
            match = shown(entry, sign, tasks, edges, since is True and before is True)
            if match is not None:
                found.append(match)
                break
    return found


def of_invokers(invokers: Sequence[Judged], release: Release) -> list[Match]:
    """The entries of which those who invoked the OOM killer have the shape: nobody need have waited for them."""
    why = "the shape of who invoked the OOM killer"
    return [Match(match.entry, (), False, why) for match in matches(invokers, (), release)]


def shown(entry: Entry, sign: Sign, tasks: Sequence[Judged], edges: Sequence[Edge], known: bool) -> Match | None:
    """How these tasks show an entry by one of its signs, if they do."""
    fits = [place for place, told in enumerate(tasks) if sign.fits(told)]
    if not fits:
        return None
    if sign.beside:
        others = [place for place, told in enumerate(tasks) if told.waits_for == sign.beside and place not in fits]
    else:
        others = [edge.waiter for edge in edges if edge.holder in fits and edge.lock == sign.waiter]
    if (sign.needs_waiter or sign.beside) and not others:
        return None
    why = "both sides are seen" if others else "its shape" if sign.waiter else "its shape; nobody else needs to be seen"
    if not known:
        why += "; the release is not known, or may have it mended"
    sure = known and (bool(others) or not sign.waiter)
    return Match(entry, tuple(sorted({*fits, *others})), sure, why)
