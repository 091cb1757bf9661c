"""``[ ... ]``, ``test`` and ``[[ ... ]]``: comparisons of words, before the run or in it."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from cowpath.errors import InputError

TWO = ("=", "==", "!=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge")
ONE = ("-z", "-n")
WRONG = 2  # the status of a test that is wrong itself
EXAMPLES = '[ "$X" = yes ], [ $N -gt 5 ], [ -z "$X" ], [ -d /sys/fs/cgroup/A ]'


def status(words: tuple[str, ...], double: bool = False) -> int:
    """0: it holds; 1: it does not; 2: a number is none. Raises InputError, placeless, for what is not understood."""
    try:
        return int(not _or(list(words), double))
    except ValueError:
        return WRONG


def _or(words: list[str], double: bool) -> bool:
    sign = "||" if double else "-o"
    if sign in words[1:-1] and len(words) > 3:
        at = words.index(sign, 1)
        first, second = _or(words[:at], double), _or(words[at + 1 :], double)
        return first or second
    return _and(words, double)


def _and(words: list[str], double: bool) -> bool:
    sign = "&&" if double else "-a"
    if sign in words[1:-1] and len(words) > 3:
        at = words.index(sign, 1)
        first, second = _and(words[:at], double), _and(words[at + 1 :], double)
        return first and second
    return _one(words, double)


def _one(words: list[str], double: bool) -> bool:
    """A single comparison, by how many words it has (POSIX)."""
    if not words:
        return False
    if words[0] == "!" and len(words) > 1 and not (len(words) == 3 and words[1] in TWO):
        return not _one(words[1:], double)
    if len(words) == 1:
        return bool(words[0])
    if len(words) == 2 and words[0] in ONE:
        return bool(words[1]) == (words[0] == "-n")
    if len(words) == 3 and words[1] in TWO:
        return _compared(words[0], words[1], words[2], double)
    raise InputError(f"this test is not understood: {' '.join(words)!r}", hint=EXAMPLES)


def _compared(a: str, operator: str, b: str, double: bool) -> bool:
    if operator in ("=", "==", "!="):
        same = fnmatchcase(a, b) if double else a == b
        return same == (operator != "!=")
    if operator in ("<", ">"):
        return a < b if operator == "<" else a > b
    x, y = _number(a), _number(b)
    return {"-eq": x == y, "-ne": x != y, "-lt": x < y, "-le": x <= y, "-gt": x > y, "-ge": x >= y}[operator]


def _number(text: str) -> int:
    """A whole number. Raises ValueError."""
    if re.fullmatch(r"\s*[-+]?[0-9]{1,19}\s*", text) is None:
        raise ValueError(text)
    return int(text)
