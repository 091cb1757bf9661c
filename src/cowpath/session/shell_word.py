"""A word of a script: what it is written as, and its parts, which are expanded later."""

from __future__ import annotations

from dataclasses import dataclass

from cowpath.words import Place, Word

OPERATORS = ("&&", "||", ";;", "|&", "&", ";", "|", "((", "(", ")", "\n")


@dataclass(frozen=True)
class Part:
    """A piece of a word: text as it stands, a variable's value, or what ``$(words)`` prints."""

    kind: str  # "text", "variable", "output", "arithmetic" or "broken"
    text: str  # the text, the variable's name, or the expression
    quoted: bool
    place: Place
    words: tuple[ShellWord, ...] = ()  # of $(...); of ${NAME:-WORD} the one behind the operator
    operator: str = ""  # of ${NAME:-WORD}; "length" of ${#NAME}


@dataclass(frozen=True)
class ShellWord(Word):
    """A word of the script; ``text`` is how it is written, quotes and all."""

    parts: tuple[Part, ...] = ()
    operator: bool = False

    @property
    def broken(self) -> bool:
        """The word holds something that is not understood; the error is told already."""
        return any(part.kind == "broken" for part in self.parts)

    @property
    def redirects(self) -> bool:
        """It is an operator that redirects."""
        return self.operator and self.text[-1] in "<>&|" and self.text not in OPERATORS


def broken(text: str, place: Place) -> ShellWord:
    """A word in the place of what is not understood."""
    return ShellWord(text, place, parts=(Part("broken", "", True, place),))


def as_text(operator: ShellWord) -> Part:
    """An operator as a word's text, as it is within ``[[``."""
    return Part("text", operator.text, True, operator.place)


@dataclass(frozen=True)
class Within(Place):
    """The place of a word of the script that is a script itself (``sh -c TEXT``); ``at`` tells its words apart."""

    at: int = 0
