"""Words with their place in a file: what error messages about text point at."""

from __future__ import annotations

import difflib
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


def nearest(word: str, known: Iterable[str], otherwise: str | None = None) -> str | None:
    """A hint that names the nearest known spelling, if one is near; then ``otherwise``."""
    matches = difflib.get_close_matches(word, sorted(set(known)), n=1, cutoff=0.6)
    return " ".join([*(f"did you mean {match}?" for match in matches), *([otherwise] if otherwise else [])]) or None


def read_text(path: Path) -> str:
    """A text file as a whole. Raises ``InputError`` where it cannot be read or is not UTF-8 text."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        if isinstance(error, UnicodeDecodeError):
            raise InputError("not a text file (not UTF-8)", file=path) from None
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"cannot be read: {reason}", file=path) from None
    if "\0" in text:
        raise InputError("not a text file (it holds a zero byte)", file=path)
    return text
