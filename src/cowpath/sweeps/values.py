"""The values of one dimension as a person writes them: a list, or a range.

``1,2,4`` is a list; ``32M..512M/16`` are 16 values from the first to the last, equally far from each other, and
``32M..512M/5log`` 5 of which each is the same multiple of the one before. Numbers, sizes and times may be ends of a
range. Values of a range of sizes are whole pages, those of whole numbers whole numbers; what is the same twice is there
once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.observe.text import size
from cowpath.units import parse_size, parse_time

MOST_VALUES = 1_000_000
EXAMPLE = "1,2,4 or 32M..512M/16 (equally far apart), 32M..512M/5log (equal multiples)"
_RANGE = re.compile(r"(?P<low>[^.,/]+(?:\.\d+)?[^.,/]*)\.\.(?P<high>[^,/]+)/(?P<count>\d+)(?P<log>log)?")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def read_values(text: str, what: str) -> tuple[str, ...]:
    """The values that a text stands for, each as a session would have it. ``what`` they are of, for errors.

    Raises InputError.
    """
    if ".." in text:
        return _range(text, what)
    if text == "":
        raise InputError(f"{what}: no value", hint=EXAMPLE)
    return tuple(dict.fromkeys(text.split(",")))


def _range(text: str, what: str) -> tuple[str, ...]:
    match = _RANGE.fullmatch(text)
    if match is None:
        raise InputError(f"{what}: {text!r} is not a range", hint=EXAMPLE)
    read, show = _kind(match["low"], match["high"], what)
    low, high, count = read(match["low"]), read(match["high"]), int(match["count"])
    if not low <= high:
        raise InputError(f"{what}: {text!r} ends below its beginning", hint=f"{match['high']}..{match['low']}/{count}")
    if not 1 <= count <= MOST_VALUES:
        raise InputError(f"{what}: {count:,} values in {text!r}", hint=f"from 1 to {MOST_VALUES:,}")
    if match["log"] and low <= 0:
        raise InputError(f"{what}: {text!r}: multiples of {match['low']} come nowhere", hint="begin above 0")
    return tuple(dict.fromkeys(show(_at(low, high, number, count, bool(match["log"]))) for number in range(count)))


def _at(low: Fraction, high: Fraction, number: int, count: int, by_multiples: bool) -> Fraction:
    """The number-th of so many values; the first and the last are exact."""
    if number == 0 or count == 1:
        return low
    if number == count - 1:
        return high
    if by_multiples:
        return low * Fraction((float(high) / float(low)) ** (number / (count - 1)))
    return low + (high - low) * number / (count - 1)


def _kind(low: str, high: str, what: str) -> tuple[Callable[[str], Fraction], Callable[[Fraction], str]]:
    """How the ends of a range are read, and how a value is written."""
    if _NUMBER.fullmatch(low) and _NUMBER.fullmatch(high):
        places = max(len(end.partition(".")[2]) for end in (low, high))
        return Fraction, (lambda value: f"{float(round(value, places + 2)):g}" if places else str(round(value)))
    for read, show in ((parse_size, _pages), (parse_time, lambda value: f"{round(value)}ns")):
        try:
            read(low), read(high)
        except InputError:
            continue
        return (lambda text, read=read: Fraction(read(text))), show
    raise InputError(f"{what}: no range goes from {low!r} to {high!r}", hint="numbers, sizes (64M) or times (5s)")


def _pages(value: Fraction) -> str:
    """A size of whole pages: ``64M`` where it is a whole number of a unit, else bytes."""
    whole = round(value / n.PAGE_SIZE) * n.PAGE_SIZE
    text = size(whole)
    return str(whole) if "." in text else text


def as_number(text: str) -> float | None:
    """What a value is on an axis: a number, bytes of a size, seconds of a time; None if it is a word."""
    if _NUMBER.fullmatch(text):
        return float(text)
    for read, unit in ((parse_size, 1.0), (parse_time, 1e-9)):
        try:
            return read(text) * unit
        except InputError:
            continue
    return None
