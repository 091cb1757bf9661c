"""What the explorer does with all words of a state, for plain Python: NumPy does it many at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

ALL_BITS = (1 << 64) - 1


def mixed(words: Any, places: Any) -> Any:
    """Of each word ``fingerprint.mixed``. NumPy's arrays of numbers wrap without a word."""
    from .fingerprint import mixed as one

    return getattr(one, "py_func", one)(words, places.astype(np.uint64))


def fingerprint(words: Any) -> int:
    """Of a whole state."""
    return int(mixed(words, np.arange(len(words))).sum(dtype=np.uint64))


def find_changes(words: Any, before: Any, changed: Any) -> int:
    """``changes.find_changes``."""
    at = np.flatnonzero(words != before)
    changed[: len(at)] = at
    return len(at)


def find_changes_in(words: Any, before: Any, changed: Any, begin: int, end: int) -> int:
    """``changes.find_changes_in``."""
    at = np.flatnonzero(words[begin:end] != before[begin:end]) + begin
    changed[: len(at)] = at
    return len(at)


def suspect_all(f: Any) -> None:
    """``folding.suspect_all``."""
    f.suspects[:] = np.arange(len(f.suspects))
    f.suspected = len(f.suspects)


def key_after(words: Any, before: Any, changed: Any, count: int, key: int) -> int:
    """``changes.key_after``."""
    at = changed[:count]
    return (int(key) + int((mixed(words[at], at) - mixed(before[at], at)).sum(dtype=np.uint64))) & ALL_BITS


def prefetch(table: Any, at: int) -> None:
    """``vector.prefetch``: there is nothing to be gained."""


def copy_row(source: Any, target: Any, start: int, to: int, words: int) -> None:
    """``vector.copy_row``."""
    target[to : to + words] = source[start : start + words]


def copy_all(source: Any, target: Any) -> None:
    """``canonical.copy_names``."""
    target[:] = source


def restart(words: Any, before: Any, last: Any, first: Any, is_astray: Any) -> None:
    """``changes.restart``."""
    words[:] = before[:] = last[:] = first
    is_astray[:] = 0
