"""Expansion of a script's words: variables, ``$(seq ...)``, ranges in braces, and the splitting that follows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from cowpath.errors import ToldError
from cowpath.session.scope import BROKEN, LOST_JOB, SHELL_ITSELF, UNSURE, Scope
from cowpath.session.syntax import Simple
from cowpath.session.tokens import Part, ShellWord
from cowpath.words import Place, Word, nearest

MOST_WORDS = 10_000  # that one word may stand for
LONGEST = 100_000  # characters of a variable
ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=")
_RANGE = re.compile(r"\{(-?[0-9]{1,9})\.\.(-?[0-9]{1,9})(?:\.\.(-?[0-9]{1,9}))?\}")
_OTHER_BRACES = re.compile(r"\{[^{}]*(,|\.\.)[^{}]*(\}|$)")
_BLANKS = re.compile(r"[ \t\n]+")


@dataclass(frozen=True)
class Expanded:
    """A simple command whose words are known."""

    words: tuple[Word, ...]  # at least one
    output: Word | None  # FILE of "> FILE"

    @property
    def name(self) -> Word:
        """The first word."""
        return self.words[0]


class _Whole(Place):
    """The place of a word that is not written as it reads: errors within it point at its beginning."""

    def after(self, characters: int) -> Place:
        return self


def expand_command(simple: Simple, scope: Scope) -> Expanded | None:
    """A command's words as the shell sees them; None if nothing is left of it."""
    words = tuple(expanded for word in simple.words for expanded in expand(word, scope))
    output = None
    if simple.output is not None:
        files = list(expand(simple.output, scope))
        if len(files) != 1:
            raise simple.output.error(f"not one file: {simple.output.text!r}", "echo VALUE > FILE")
        output = files[0]
    if not words and output is not None:
        raise output.error("a redirection without a command", "echo VALUE > FILE")
    return Expanded(words, output) if words else None


def assignments(simple: Simple, scope: Scope) -> list[tuple[Word, str]] | None:
    """The variables that a command sets, each with its value; None if it is another command.

    Values see those before them (``A=1 B=$A``), so ``scope`` is a copy that changes on the way.
    """
    scope = scope.copy()
    found: list[tuple[Word, str]] = []
    for word in simple.words:
        match = _assignment(word)
        if match is None:
            if not found:
                return None
            raise found[0][0].error(
                f"a variable for one command is not understood here: {found[0][0].text}=...", "NAME=VALUE on its own"
            )
        first = replace(word.parts[0], text=word.parts[0].text[match.end() :])
        value = "".join(value_of(part, scope) for part in (first, *word.parts[1:]))
        if len(value) > LONGEST:
            raise word.error(f"the value of {match[1]} has more than {LONGEST} characters", "shorter values")
        found.append((Word(match[1], word.place), value))
        scope.variables[match[1]] = value
    if simple.output is not None:
        raise simple.output.error("the output of a command cannot be redirected", "NAME=VALUE on its own")
    return found


def assigned(words: Sequence[ShellWord]) -> list[str]:
    """The variables that these words of a script would set."""
    texts = [word.text for word in words]
    found = [match[1] for text in texts if (match := ASSIGNMENT.match(text)) is not None]
    return found + [name for before, name in pairwise(texts) if before == "for"]


def _assignment(word: ShellWord) -> re.Match[str] | None:
    first = word.parts[0] if word.parts else None
    return ASSIGNMENT.match(first.text) if first is not None and first.kind == "text" and not first.quoted else None


def expand(word: ShellWord, scope: Scope) -> Iterator[Word]:
    """The words that a word stands for: none, one or many."""
    if all(part.kind == "text" and (part.quoted or "{" not in part.text) for part in word.parts):
        if word.parts:
            yield Word("".join(part.text for part in word.parts), word.place)
        return
    place = _Whole(word.place.file, word.place.line, word.place.column)
    texts = (text for each in _ranges(word) for text in _fields(each, scope))
    for count, text in enumerate(texts):
        if count == MOST_WORDS:
            raise word.error(f"more than {MOST_WORDS} words", "while true; do ...; done has no end")
        yield Word(text, place)


def _fields(word: ShellWord, scope: Scope) -> list[str]:
    """A word's parts put together; what unquoted values hold is split at blanks."""
    fields: list[str] = []
    is_open = False  # whether the last field goes on
    for part in word.parts:
        text = value_of(part, scope)
        if part.quoted or part.kind == "text":
            pieces, ends_open = [text], True
            starts_open = True
        else:
            pieces = [piece for piece in _BLANKS.split(text) if piece]
            starts_open = not _BLANKS.match(text)
            ends_open = bool(pieces) and _BLANKS.match(text[-1]) is None
            if not pieces:
                is_open = is_open and not text
                continue
        if is_open and starts_open:
            fields[-1] += pieces.pop(0)
        fields += pieces
        is_open = ends_open
    return fields


def value_of(part: Part, scope: Scope) -> str:
    """A part's text, without splitting. Raises InputError for a variable without a value."""
    if part.kind == "text":
        return part.text
    if part.kind == "broken":
        raise ToldError
    if part.kind == "output":
        return "\n".join(map(str, _seq(part, scope)))
    if part.text == "$":
        return SHELL_ITSELF
    if part.text == "!":
        if scope.last_job is None:
            raise part.place.error("no such background job: $!", "jobs are started with '&': none so far")
        value = scope.last_job
    elif part.text in scope.variables:
        value = scope.variables[part.text]
    else:
        raise part.place.error(
            f"no variable is called {part.text!r} here",
            nearest(part.text, scope.variables.keys() - {"HOME"}, f"{part.text}=VALUE sets it"),
        )
    if BROKEN in value:
        raise ToldError
    if UNSURE in value:
        raise part.place.error(
            f"${part.text} depends on how a command before it ends, which is not known before the run",
            "the same value on both ways",
        )
    if LOST_JOB.search(value):
        raise part.place.error(
            f"the job of ${part.text} is of an earlier round: the loop has started it anew since",
            "wait for it, or kill it, before the loop starts it again",
        )
    return value


def _seq(part: Part, scope: Scope) -> range:
    """``seq LAST``, ``seq FIRST LAST``, ``seq FIRST STEP LAST``."""
    arguments = [expanded for word in part.words[1:] for expanded in expand(word, scope)]
    for argument in arguments:
        if re.fullmatch(r"-?[0-9]{1,9}", argument.text) is None:
            raise argument.error(f"{argument.text!r} is not a whole number", "$(seq 5), $(seq 1 5), $(seq 1 2 9)")
    numbers = [int(argument.text) for argument in arguments]
    if not 1 <= len(numbers) <= 3:
        raise part.place.error("seq takes one to three numbers", "$(seq 5), $(seq 1 5), $(seq 1 2 9)")
    first = numbers[0] if len(numbers) > 1 else 1
    return _numbers(first, numbers[-1], numbers[1] if len(numbers) == 3 else 1, part.place)


def _numbers(first: int, last: int, step: int, place: Place) -> range:
    """From first to last, both included."""
    if step == 0:
        raise place.error("a step of 0 never arrives", "1 or more")
    found = range(first, last + (1 if step > 0 else -1), step)
    if len(found) > MOST_WORDS:
        raise place.error(f"more than {MOST_WORDS} numbers", "while true; do ...; done has no end")
    return found


def _ranges(word: ShellWord) -> Iterator[ShellWord]:
    """The words that ``{1..5}`` in a word stands for; the word itself if there is none."""
    for at, part in enumerate(word.parts):
        if part.kind != "text" or part.quoted:
            continue
        match = _RANGE.search(part.text)
        if match is None:
            if other := _OTHER_BRACES.search(part.text):
                raise word.error(
                    f"a list in braces is not understood here: {other[0]!r}", "{1..5}, $(seq 1 $N), or the words"
                )
            continue
        first, last = int(match[1]), int(match[2])
        step = abs(int(match[3] or 1)) or 1
        for number in _numbers(first, last, step if first <= last else -step, part.place):
            text = part.text[: match.start()] + str(number) + part.text[match.end() :]
            yield from _ranges(replace(word, parts=(*word.parts[:at], replace(part, text=text), *word.parts[at + 1 :])))
        return
    yield word
