"""Which release of Linux a log is of: from what it says, or from the names of its functions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

Number = tuple[int, ...]

FIRST: Number = (2, 6, 0)
LAST: Number = (999,)
SAID = re.compile(
    r"(?:Linux version|Not tainted|Tainted: [A-Z ()\[\]=,_-]{1,200}?|Linux \S+) \(?"
    r"(\d{1,2}\.\d{1,2}(?:\.\d{1,3})?)(?![\d])"
)
KERNEL = re.compile(r"kernel: +(\d{1,2}\.\d{1,2}(?:\.\d{1,3})?)(?:[^,;(]{0,80})")
NUMBERS = re.compile(r"\b(\d{1,2}\.\d{1,2}(?:\.\d{1,3})?)\b")


def number(text: str) -> Number:
    """``"3.12.1"`` as (3, 12, 1); a ``?`` behind it, of what no source confirms, is left out."""
    return tuple(int(part) for part in text.rstrip("?").split("."))


def shown(value: Number) -> str:
    """(3, 12) as ``"3.12"``."""
    return ".".join(str(part) for part in value)


@dataclass(frozen=True)
class Release:
    """From which release to which a log can be, both included; ``how`` it is known: "" where nothing is."""

    low: Number = FIRST
    high: Number = LAST
    how: str = ""
    said: bool = False  # by the log itself

    def __str__(self) -> str:
        if not self.how:
            return "not known"
        if self.low == self.high:
            return shown(self.low)
        if self.high == LAST:
            return f"{shown(self.low)} or later"
        if self.low == FIRST:
            return f"{shown(self.high)} or earlier"
        return f"{shown(self.low)} to {shown(self.high)}"

    def before(self, limit: str | None) -> bool | None:
        """Whether it is older than that release; None where that is not known, True without a limit."""
        if limit is None:
            return True
        wanted = number(limit)
        if self.high < wanted:
            return True
        return False if self.low[: len(wanted)] >= wanted else None

    def since(self, limit: str | None) -> bool | None:
        """Whether it is that release or a later one; None where that is not known, True without a limit."""
        if limit is None:
            return True
        older = self.before(limit)
        return None if older is None else not older


def said_in(text: str) -> Release | None:
    """The release that a line names, if it does."""
    match = SAID.search(text)
    if match is not None:
        found = number(match[1])
        return Release(found, found, "the log says so", True)
    match = KERNEL.search(text)
    if match is not None:
        every = sorted(number(each) for each in NUMBERS.findall(match[0]))
        return Release(every[0], every[-1], "the log says so", True)
    return None


def of_names(names: Iterable[str], ages: dict[str, tuple[Number, Number]]) -> Release:
    """What the functions' names allow: each is a pair of the last release without it before, the first after."""
    low, high, why = FIRST, LAST, []
    for name in names:
        if name not in ages:
            continue
        first, last = ages[name]
        if first > low or last < high:
            why.append(name)
        low, high = max(low, first), min(high, last)
    if not why or low > high:  # a distribution's own mixture
        return Release()
    return Release(low, high, f"from the names of its functions: {', '.join(dict.fromkeys(why[-3:]))}")
