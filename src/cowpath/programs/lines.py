"""The lines of a written program: words with their places, blocks with what is in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cowpath.words import Place, Word

MOST_PAGES = 1 << 35
BLOCKS = ("fork", "thread", "loop", "task")
DEEPEST = 32  # blocks within each other
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_NUMBER = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True)
class Line:
    """A command with its words; a block also has the lines up to its ``end``."""

    word: Word
    arguments: tuple[Word, ...]
    body: tuple[Line, ...] = ()


def read_lines(text: str, file: str) -> tuple[Line, ...]:
    """The lines of a program. ``file`` is named in errors."""
    return _block(iter(_lines(text, file)), [])


def every(lines: tuple[Line, ...]) -> Iterator[Line]:
    """All lines, those of blocks too."""
    for line in lines:
        yield line
        yield from every(line.body)


def _lines(text: str, file: str) -> Iterator[Line]:
    for count, line in enumerate(text.split("\n"), 1):
        words = [
            Word(match[0], Place(file, count, match.start() + 1))
            for match in re.finditer(r"[^ \t\r\f\v]+", line.partition("#")[0])
        ]
        if words:
            yield Line(words[0], tuple(words[1:]))


def _block(lines: Iterator[Line], openers: list[Line]) -> tuple[Line, ...]:
    """The lines up to this block's ``end``, blocks within with theirs."""
    found: list[Line] = []
    for line in lines:
        if line.word.text == "end":
            if line.arguments:
                raise line.arguments[0].error("end takes nothing", "end")
            if not openers:
                raise line.word.error("'end' without a block", f"blocks begin with {', '.join(BLOCKS)}")
            return tuple(found)
        if line.word.text in BLOCKS:
            if len(openers) == DEEPEST:
                raise line.word.error(f"more than {DEEPEST} blocks within each other")
            line = Line(line.word, line.arguments, _block(lines, [*openers, line]))
        found.append(line)
    if openers:
        raise openers[-1].word.error(f"'{openers[-1].word.text}' without 'end'", "a block ends with a line 'end'")
    return tuple(found)


# --- what words mean -----------------------------------------------------------------------------


def check_count(line: Line, usage: str) -> None:
    """Whether the number of words fits the usage."""
    words = usage.split()[1:]
    required = sum(word != "..." for word in re.sub(r"\[[^]]*\]", "", usage).split()[1:])
    if len(line.arguments) < required:
        raise line.word.error(f"{line.word.text} needs more words", usage)
    if "..." not in usage and len(line.arguments) > len(words):
        raise line.arguments[len(words)].error(f"too many words: {line.arguments[len(words)].text!r}", usage)


def number(word: Word, least: int = 0, most: int = MOST_PAGES) -> int:
    """A whole number within bounds."""
    if not _NUMBER.fullmatch(word.text) or not least <= int(word.text) <= most:
        raise word.error(f"{word.text!r} is not a whole number from {least} to {most}")
    return int(word.text)


def is_number(word: Word) -> bool:
    """Whether a word is a whole number."""
    return _NUMBER.fullmatch(word.text) is not None


def named(word: Word, what: str) -> str:
    """A name for ``what``."""
    if not _NAME.fullmatch(word.text):
        raise word.error(f"{word.text!r} is not a name for {what}", "letters, digits, '-' and '_'")
    return word.text


def choice(word: Word, choices: Mapping[str, int]) -> int:
    """One of a few words."""
    if word.text not in choices:
        raise word.error(f"{word.text!r} is not understood here", f"one of: {', '.join(choices)}")
    return choices[word.text]
