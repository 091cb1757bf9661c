"""The case book's entries that a log shows, by ``entries.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
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
    """An entry: what it was, which releases have it, what mended it."""

    number: int
    title: str
    commits: tuple[str, ...] = ()
    since: str | None = None
    before: str | None = None
    mended: tuple[str, ...] = ()
    source: str = ""
    play: str = ""
    signs: tuple[Sign, ...] = ()


@dataclass(frozen=True)
class Match:
    """An entry that a log shows. ``sure``: both sides are seen, and the release is one that has it."""

    entry: Entry
    tasks: tuple[int, ...] = field(default=())
    sure: bool = False
    why: str = ""


@cache
def entries() -> tuple[Entry, ...]:
    """All of them, read once."""
    data = tomllib.loads(Path(__file__).with_name("entries.toml").read_text(encoding="utf-8"))
    return tuple(entry_of(table) for table in data["entry"])


def entry_of(table: dict[str, Any]) -> Entry:
    """One ``[[entry]]``."""
    signs = tuple(Sign(**frozen(sign)) for sign in table.get("sign", ()))
    return Entry(**frozen({key: value for key, value in table.items() if key != "sign"}), signs=signs)


def frozen(table: dict[str, Any]) -> dict[str, Any]:
    """A table with tuples for its lists."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}


def matches(tasks: Sequence[Judged], release: Release) -> list[Match]:
    """The entries that these tasks show, in the list's order. A release that is said and does not have it: no match."""
    found = []
    for entry in entries():
        since, before = release.since(entry.since), release.before(entry.before)
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
