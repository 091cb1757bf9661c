"""Releases that are not modelled: which profile is the nearest, and why. None is ever taken in its place."""

from __future__ import annotations

import re

from . import profile
from .profile import numbers

_RELEASE = re.compile(r"(?:linux[- ]?)?v?([0-9]{1,9}(?:\.[0-9]{1,9}){0,3})", re.IGNORECASE)
# how many releases came before the first one of each major number; 2.6's are counted by their third number
_BEFORE = {2: 0, 3: 40, 4: 60, 5: 81, 6: 101, 7: 121}
_EACH_LATER = 20  # releases of a major number, roughly: of those after 7 nothing is known


def release_of(name: str) -> tuple[int, ...] | None:
    """The numbers of a word that names a release of Linux ("linux-6.5", "v6.5", "6.5"); None if it names none."""
    found = _RELEASE.fullmatch(name)
    return None if found is None else numbers(found[1])


def what_there_is(wanted: tuple[int, ...]) -> str:
    """What to say of a release that has no profile."""
    releases = {profile.load(name).release: name for name in profile.names()}
    if found := releases.get(wanted):
        return f"did you mean {found!r}?"
    if found := releases.get(wanted[:-1]):
        return f"stable releases are not told apart: {found}"
    there = "of Linux these releases are modelled: " + ", ".join(profile.names())
    return there if len(wanted) == 1 else f"{there}; {_nearest(wanted, releases)}"


def _nearest(wanted: tuple[int, ...], releases: dict[tuple[int, ...], str]) -> str:
    away, release = min((abs(_place(release) - _place(wanted)), release) for release in releases)
    name = releases[release]
    side = "before" if _place(release) < _place(wanted) else "after"
    count = f"{away} release{'' if away == 1 else 's'}"
    return f"the nearest is {name}, {count} {side} it: what changed between them is not in it"


def _place(release: tuple[int, ...]) -> int:
    """Its number in the order of all releases."""
    first, second, third = (*release, 0, 0)[:3]
    if first <= 2:
        return third if (first, second) == (2, 6) else 0
    return _BEFORE.get(first, _BEFORE[7] + _EACH_LATER * (first - 7)) + second
