"""The arguments of a written program: ``$1``, ``${2}``, ``${3:-16}`` in its words."""

from __future__ import annotations

import re
from dataclasses import replace

from cowpath.programs.lines import Line, every
from cowpath.words import Word

PARAMETER = re.compile(r"\$(?:([1-9])|\{([1-9][0-9]?)(?::-([^{}$]*))?\})")


def with_arguments(lines: tuple[Line, ...], name: str, given: tuple[Word, ...]) -> tuple[Line, ...]:
    """The lines with the arguments in their places. Raises InputError for one that is not given, or has no place."""
    wanted = [match for line in every(lines) for word in line.arguments for match in PARAMETER.finditer(word.text)]
    most = max((int(match[1] or match[2]) for match in wanted), default=0)
    if len(given) > most:
        extra = given[most]
        if not most:
            raise extra.error(
                f"{name} takes no arguments: {extra.text!r}",
                "the program alone; or $1 in its lines, which is the first argument",
            )
        raise extra.error(f"{name} takes {most} argument{'s' if most > 1 else ''}: {extra.text!r}", "fewer words")
    return tuple(_line(line, name, given) for line in lines)


def _line(line: Line, name: str, given: tuple[Word, ...]) -> Line:
    words = tuple(_word(word, name, given) for word in line.arguments)
    return replace(line, arguments=words, body=tuple(_line(each, name, given) for each in line.body))


def _word(word: Word, name: str, given: tuple[Word, ...]) -> Word:
    def value(match: re.Match[str]) -> str:
        number = int(match[1] or match[2])
        if number <= len(given):
            return given[number - 1].text
        if match[3] is None:
            started = " ".join([name, *(each.text for each in given)])
            hint = f"{name} {' '.join(f'ARG{each}' for each in range(1, number + 1))}, or ${{{number}:-VALUE}} here"
            raise word.error(f"{match[0]} is not given: the program is started as {started!r}", hint)
        return match[3]

    return Word(PARAMETER.sub(value, word.text), word.place) if "$" in word.text else word
