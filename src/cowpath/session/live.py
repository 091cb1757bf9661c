"""Values that only the run shows: ``$?``, ``$(cat memory.current)``. In a word such a value stands as ``\\0rN\\0``.

An instruction keeps the value when the shell gets there, under the number N; later ones put it in its place. No script
can hold a zero byte, so such a word can be passed on, assigned and compared like any other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from cowpath.errors import InputError
from cowpath.words import Place, Word

LIVE = re.compile("\0r([0-9]+)(u?)\0")  # u: outside of quotes, where blanks separate words
MOST = 10_000  # of a session


@dataclass(frozen=True)
class Reading:
    """What is to be kept: text with such values in it, or what a command prints."""

    number: int
    word: Word
    shows: Any  # a c.Show, a text, or STATUS


STATUS = object()  # $?


@dataclass
class Live:
    """The values of a session. ``site`` tells rounds of loops and calls of functions apart."""

    site: tuple[int, ...] = ()
    numbers: dict[tuple[Place, str, tuple[int, ...]], int] = field(default_factory=dict)
    wanted: list[Reading] = field(default_factory=list)  # of the command in hand, in order

    def number(self, word: Word, what: str) -> int:
        """The number of a value. ``what`` tells it from others of this place."""
        number = self.numbers.setdefault((word.place, what, self.site), len(self.numbers))
        if number >= MOST:
            raise word.error(f"more than {MOST} values that only the run shows", "fewer rounds of 'for'")
        return number

    def keep(self, word: Word, shows: Any, what: str) -> str:
        """A value's word: it is to be read before the command in hand."""
        number = self.number(word, what)
        self.wanted.append(Reading(number, word, shows))
        return f"\0r{number}\0"


def is_live(text: str) -> bool:
    """Some of the text is known in the run only."""
    return LIVE.search(text) is not None


def filled_in(text: str, kept: dict[int, str]) -> str:
    """The text with all values in their places."""

    def value(match: re.Match[str]) -> str:
        found = kept.get(int(match[1]), "")
        return " ".join(found.split()) if match[2] else found

    return LIVE.sub(value, text)


def unquoted(text: str) -> str:
    """A text in which such values stand outside of quotes."""
    return LIVE.sub("\0r\\1u\0", text)


def refuse(word: Word, why: str = "what it stands for must be known before the run") -> InputError:
    """The error for such a value where none can stand."""
    return word.error(
        f"{LIVE.sub('$(...)', word.text)!r} is known in the run only, and {why}",
        "such a value can be shown (echo), compared ([ A -gt B ]) and passed on (X=$Y)",
    )
