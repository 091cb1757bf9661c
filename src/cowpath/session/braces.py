"""``{1..5}``, ``{a,b}`` and ``seq``: words that stand for many."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from cowpath.session.shell_word import ShellWord
from cowpath.words import Place, Word

MOST_WORDS = 10_000  # that one word may stand for
_RANGE = re.compile(r"\{(-?[0-9]{1,9})\.\.(-?[0-9]{1,9})(?:\.\.(-?[0-9]{1,9}))?\}")
_LIST = re.compile(r"\{([^{}]*,[^{}]*)\}")
_OTHER_BRACES = re.compile(r"\{[^{}]*(,|\.\.)[^{}]*(\}|$)")


def seq(words: Sequence[Word], place: Place) -> range:
    """``seq LAST``, ``seq FIRST LAST``, ``seq FIRST STEP LAST``."""
    for argument in words:
        if re.fullmatch(r"-?[0-9]{1,9}", argument.text) is None:
            raise argument.error(f"{argument.text!r} is not a whole number", "$(seq 5), $(seq 1 5), $(seq 1 2 9)")
    numbers = [int(argument.text) for argument in words]
    if not 1 <= len(numbers) <= 3:
        raise place.error("seq takes one to three numbers", "$(seq 5), $(seq 1 5), $(seq 1 2 9)")
    first = numbers[0] if len(numbers) > 1 else 1
    return _numbers(first, numbers[-1], numbers[1] if len(numbers) == 3 else 1, place)


def _numbers(first: int, last: int, step: int, place: Place) -> range:
    """From first to last, both included."""
    if step == 0:
        raise place.error("a step of 0 never arrives", "1 or more")
    found = range(first, last + (1 if step > 0 else -1), step)
    if len(found) > MOST_WORDS:
        raise place.error(f"more than {MOST_WORDS} numbers", "while true; do ...; done has no end")
    return found


def braces(word: ShellWord) -> Iterator[ShellWord]:
    """The words that ``{1..5}`` and ``{a,b}`` in a word stand for; the word itself if there is none."""
    for at, part in enumerate(word.parts):
        if part.kind != "text" or part.quoted:
            continue
        match = min(filter(None, (_RANGE.search(part.text), _LIST.search(part.text))), key=re.Match.start, default=None)
        if match is None:
            if other := _OTHER_BRACES.search(part.text):
                raise word.error(
                    f"a list in braces is not understood here: {other[0]!r}", "{1..5}, {a,b}, $(seq 1 $N), or the words"
                )
            continue
        for text in match[1].split(",") if match.re is _LIST else _range(match, part.place):
            text = part.text[: match.start()] + text + part.text[match.end() :]
            yield from braces(replace(word, parts=(*word.parts[:at], replace(part, text=text), *word.parts[at + 1 :])))
        return
    yield word


def _range(match: re.Match[str], place: Place) -> Iterator[str]:
    """``{1..5}``, ``{0..20..5}``."""
    first, last = int(match[1]), int(match[2])
    step = abs(int(match[3] or 1)) or 1
    return map(str, _numbers(first, last, step if first <= last else -step, place))
