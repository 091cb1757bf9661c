"""``${NAME:-WORD}`` and its kin: a variable's value, or another in its place, or without its beginning or end."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from cowpath.session.live import is_live, refuse
from cowpath.words import Word

if TYPE_CHECKING:
    from cowpath.session.scope import Scope
    from cowpath.session.shell_word import Part, ShellWord


def changed(part: Part, scope: Scope, lookup: Callable[..., str], value_of: Callable[[ShellWord], str]) -> str:
    """The value of ``${NAME<operator>WORD}``. ``lookup`` is a variable's value, ``value_of`` expands the word."""
    (word,) = part.words
    unset = part.text not in scope.variables
    if part.text.isdigit():
        unset = int(part.text) > len(scope.arguments)
    if part.operator in ("%", "%%", "#", "##"):
        return _cut(part, lookup(part, scope), value_of(word))
    kind = part.operator[-1]
    value = "" if unset else lookup(part, scope)
    if part.operator[0] == ":" and is_live(value):
        raise refuse(Word(f"${part.text}", part.place))
    missing = unset or (part.operator[0] == ":" and not value)
    if kind == "+":
        return "" if missing else value_of(word)
    if not missing:
        return value
    if kind == "?":
        raise part.place.error(f"{part.text}: {value_of(word) or 'parameter not set'}", f"{part.text}=VALUE sets it")
    if kind == "=":
        scope.variables[part.text] = value_of(word)
    return value_of(word)


def _cut(part: Part, value: str, pattern: str) -> str:
    """Without the shortest (%, #) or longest (%%, ##) end (%) or beginning (#) that is like the pattern."""
    if is_live(value + pattern):
        raise refuse(Word(f"${part.text}", part.place))
    at_end, longest = part.operator[0] == "%", len(part.operator) == 2
    for cut in sorted(range(len(value) + 1), reverse=at_end != longest):
        if fnmatchcase(value[cut:] if at_end else value[:cut], pattern):
            return value[:cut] if at_end else value[cut:]
    return value
