"""Expansion of a script's words: variables, ``$(...)``, ``$((...))``, braces, and the splitting that follows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from cowpath.errors import InputError, ToldError
from cowpath.session.arithmetic import evaluate
from cowpath.session.braces import MOST_WORDS, braces
from cowpath.session.live import STATUS, is_live, refuse, unquoted
from cowpath.session.parameter import changed
from cowpath.session.scope import BROKEN, LOST_JOB, ROOTS, SHELL_ITSELF, UNSURE, Scope
from cowpath.session.shell_word import Part, ShellWord
from cowpath.session.tree import Redirect, Redirects, Simple
from cowpath.words import Place, Word, nearest

LONGEST = 100_000  # characters of a variable
ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=")
_BLANKS = re.compile(r"[ \t\n]+")


TESTS = ("[", "[[", "test")  # where a variable that is not set is empty


@dataclass(frozen=True)
class To:
    """Where a stream of a command goes."""

    stream: int
    file: Word | None
    onto: int | None = None


@dataclass(frozen=True)
class Expanded:
    """A simple command whose words are known."""

    words: tuple[Word, ...]  # at least one
    redirects: tuple[To, ...] = ()
    assigned: tuple[tuple[Word, str], ...] = ()  # variables for this command alone

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
    given = list(_leading(simple))
    rest = simple.words[len(given) :]
    lenient = bool(rest) and rest[0].text in TESTS
    words = tuple(expanded for word in rest for expanded in expand(word, scope, lenient))
    redirects = all_redirected(simple.redirects, scope)
    if not words and not redirects:
        return None
    if not words:
        raise simple.redirects[0].word.error("a redirection without a command", "echo VALUE > FILE")
    return Expanded(words, redirects, tuple(values(given, scope)))


def redirected(redirect: Redirect, scope: Scope) -> To:
    """A redirection whose file is known."""
    if redirect.file is None:
        return To(redirect.stream, None, redirect.onto)
    files = list(expand(redirect.file, scope))
    if len(files) != 1:
        raise redirect.file.error(f"not one file: {redirect.file.text!r}", "echo VALUE > FILE")
    if is_live(files[0].text):
        raise refuse(files[0])
    return To(redirect.stream, files[0])


def all_redirected(redirects: Redirects, scope: Scope) -> tuple[To, ...]:
    """Those of a block."""
    return tuple(redirected(each, scope) for each in redirects)


def assignments(simple: Simple, scope: Scope) -> list[tuple[Word, str]] | None:
    """The variables that a command sets, each with its value; None if it is another command."""
    given = list(_leading(simple))
    return values(given, scope) if given and len(given) == len(simple.words) else None


def values(words: Sequence[ShellWord], scope: Scope) -> list[tuple[Word, str]]:
    """Variables and their values. Values see those before them (``A=1 B=$A``)."""
    scope = scope.copy()
    found: list[tuple[Word, str]] = []
    for word in words:
        match = _assignment(word)
        assert match is not None
        first = replace(word.parts[0], text=word.parts[0].text[match.end() :])
        value = "".join(value_of(part, scope) for part in (first, *word.parts[1:]))
        if len(value) > LONGEST:
            raise word.error(f"the value of {match[1]} has more than {LONGEST} characters", "shorter values")
        if is_live(value):  # what is kept for it may be another thing later
            value = scope.live.keep(Word(match[1], word.place), value, "=" + match[1])
        found.append((Word(match[1], word.place), value))
        scope.variables[match[1]] = value
    return found


def _leading(simple: Simple) -> Iterator[ShellWord]:
    """The assignments that a command begins with."""
    for word in simple.words:
        if _assignment(word) is None:
            return
        yield word


def assigned(words: Sequence[ShellWord]) -> list[str]:
    """The variables that these words of a script would set."""
    texts = [word.text for word in words]
    found = [match[1] for text in texts if (match := ASSIGNMENT.match(text)) is not None]
    return found + [name for before, name in pairwise(texts) if before == "for"]


def _assignment(word: ShellWord) -> re.Match[str] | None:
    first = word.parts[0] if word.parts else None
    return ASSIGNMENT.match(first.text) if first is not None and first.kind == "text" and not first.quoted else None


def expand(word: ShellWord, scope: Scope, lenient: bool = False) -> Iterator[Word]:
    """The words that a word stands for: none, one or many."""
    if all(part.kind == "text" and (part.quoted or "{" not in part.text) for part in word.parts):
        if word.parts:
            yield Word("".join(part.text for part in word.parts), word.place)
        return
    place = _Whole(word.place.file, word.place.line, word.place.column)
    texts = (text for each in braces(word) for text in _fields(each, scope, lenient))
    for count, text in enumerate(texts):
        if count == MOST_WORDS:
            raise word.error(f"more than {MOST_WORDS} words", "while true; do ...; done has no end")
        yield Word(text, place)


def _fields(word: ShellWord, scope: Scope, lenient: bool) -> list[str]:
    """A word's parts put together; what unquoted values hold is split at blanks."""
    listed = any(part.kind == "variable" and part.text == "@" for part in word.parts)
    if listed and not scope.arguments and all(part.text in ("", "@") for part in word.parts):
        return []  # "$@" without arguments
    fields: list[str] = []
    is_open = False  # whether the last field goes on
    for part in word.parts:
        if part.quoted and part.kind == "variable" and part.text == "@":
            pieces, starts_open, ends_open = list(scope.arguments), True, True
            if not pieces:
                continue
        elif part.quoted or part.kind == "text":
            pieces, starts_open, ends_open = [value_of(part, scope, lenient)], True, True
        else:
            text = unquoted(value_of(part, scope, lenient))
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


def value_of(part: Part, scope: Scope, lenient: bool = False) -> str:
    """A part's text, without splitting. Raises InputError for a variable without a value, if not ``lenient``."""
    if part.kind == "text":
        return part.text
    if part.kind == "broken":
        raise ToldError
    if part.kind == "output":
        return scope.output(part, scope)
    if part.kind == "arithmetic":
        return _calculated(part, scope)
    if part.text == "?":
        return scope.live.keep(Word("$?", part.place), STATUS, "?")
    if part.operator == "length":
        return str(len(_fixed(part, lookup(part, scope, lenient))))
    if part.operator:
        return changed(part, scope, lookup, lambda word: "".join(value_of(each, scope) for each in word.parts))
    return lookup(part, scope, lenient)


def lookup(part: Part, scope: Scope, lenient: bool = False) -> str:
    """A variable's value."""
    value = _named(part, scope)
    if value is None and lenient and "nounset" not in scope.options:
        return ""
    if value is None:
        raise _without_value(part, scope)
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


def _named(part: Part, scope: Scope) -> str | None:
    """What a name stands for; None for nothing."""
    name = part.text
    if name == "$":
        return SHELL_ITSELF
    if name == "!":
        return scope.last_job
    if name == "#":
        return str(len(scope.arguments))
    if name in ("@", "*"):
        return " ".join(scope.arguments)
    if name == "0":
        return scope.facts.name
    if name.isdigit():
        return scope.arguments[int(name) - 1] if int(name) <= len(scope.arguments) else None
    if name == "PWD":
        return scope.directory
    return scope.variables.get(name)


def _without_value(part: Part, scope: Scope) -> InputError:
    """The error for a variable that nothing has set."""
    if part.text == "!":
        return part.place.error("no such background job: $!", "jobs are started with '&': none so far")
    if part.text.isdigit():
        count = f"{len(scope.arguments)} given" if scope.arguments else "none given"
        return part.place.error(f"there is no argument ${part.text}", f"{count}: cowpath run FILE ARGUMENT ...")
    return part.place.error(
        f"no variable is called {part.text!r} here",
        nearest(
            part.text, scope.variables.keys() - ROOTS.keys(), f"{part.text}=VALUE sets it, or --env {part.text}=VALUE"
        ),
    )


def _fixed(part: Part, value: str) -> str:
    """A value that must be known before the run."""
    if is_live(value):
        raise refuse(Word(f"${part.text}", part.place))
    return value


def _calculated(part: Part, scope: Scope) -> str:
    """``$((...))``."""
    (word,) = part.words
    text = "".join(value_of(each, scope) for each in word.parts)
    if is_live(text):
        raise refuse(Word(f"$(({text}))", part.place))

    def variable(name: str) -> str:
        value = lookup(Part("variable", name, True, part.place), scope, lenient=True)
        return _fixed(Part("variable", name, True, part.place), value)

    return str(evaluate(text, variable, part.place))
