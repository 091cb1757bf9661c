"""Words with their place in a file: what error messages about text point at."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from cowpath.errors import InputError

T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """A place in a text file; line and column count from 1."""

    file: str
    line: int | None = None
    column: int | None = None

    def error(self, problem: str, hint: str | None = None) -> InputError:
        """An ``InputError`` that names this place."""
        return InputError(problem, file=self.file, line=self.line, column=self.column, hint=hint)

    def of(self, read: Callable[[str], T], text: str) -> T:
        """``read(text)``, whose errors then name this place."""
        try:
            return read(text)
        except InputError as error:
            raise self.error(error.problem, error.hint) from None

    def after(self, characters: int) -> Place:
        """The place so many characters further on in the same line."""
        return Place(self.file, self.line, None if self.column is None else self.column + characters)


@dataclass(frozen=True)
class Word:
    """A word and where it stands."""

    text: str
    place: Place

    def error(self, problem: str, hint: str | None = None) -> InputError:
        """An ``InputError`` at this word."""
        return self.place.error(problem, hint)


ALIKE = str.maketrans("oil", "011")  # letters that are read for digits
_DIGITS = re.compile(r"\d+")


def nearest(word: str, known: Iterable[str], otherwise: str | None = None) -> str | None:
    """A hint that names the known spelling which ``word`` is a slip of, if it is one; then ``otherwise``."""
    match = slip_of(word, known)
    return " ".join([*([f"did you mean {match}?"] if match else []), *([otherwise] if otherwise else [])]) or None


def slip_of(word: str, known: Iterable[str]) -> str | None:
    """The known spelling that a slip of the fingers turned into ``word``: a letter or two missing, other, or swapped.

    None if there is none so near, or several. What differs in a number only is another thing, and no slip.
    """
    found: list[tuple[int, str]] = []
    for other in sorted(set(known) - {word}):
        if word.casefold().translate(ALIKE) == other.casefold().translate(ALIKE):
            return other
        if _DIGITS.sub("#", word) == _DIGITS.sub("#", other):
            continue
        longest = max(len(word), len(other))
        allowed = longest // 2 if longest < 4 else 1 if longest == 4 else 2
        if abs(len(word) - len(other)) <= allowed and (slips := distance(word.casefold(), other.casefold())) <= allowed:
            found.append((slips, other))
    best = [other for slips, other in found if slips == min(found)[0]]
    return best[0] if len(best) == 1 else None


def distance(one: str, other: str) -> int:
    """How many letters are missing, more, other, or swapped with their neighbour."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        above, row = row, [i]
        for j, b in enumerate(other, 1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b)))
            if i > 1 and j > 1 and a == other[j - 2] and b == one[i - 2]:
                row[j] = min(row[j], before[j - 2] + 1)
        before = above
    return row[-1]


def read_text(path: Path) -> str:
    """A text file as a whole, or standard input ("-"). Raises ``InputError`` where it can't be read or isn't UTF-8."""
    try:
        text = standard_input() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        if isinstance(error, UnicodeDecodeError):
            raise InputError("not a text file (not UTF-8)", file=path) from None
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"cannot be read: {reason}", file=path) from None
    if "\0" in text:
        raise InputError("not a text file (it holds a zero byte)", file=path)
    return text


def standard_input() -> str:
    """All of it. Raises OSError if there is none, ValueError if it is not UTF-8 text."""
    if sys.stdin is None:
        raise OSError(None, "there is no standard input")
    return sys.stdin.buffer.read().decode("utf-8")
