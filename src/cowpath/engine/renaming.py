"""Code that follows from the layout (``kernel.records``): renaming what a record's fields number, and checking it.

Each record type gets a function of its own, straight-line, written here as text: no field can be forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from cowpath.kernel import names as n
from cowpath.kernel.layout import Field, Record, Ref
from cowpath.kernel.records import THINGS

WORD = re.compile(r"[A-Za-z_]+")
OPERATORS = ("and", "or", "not")
Each = Callable[[str, Field], Iterator[str]]  # the lines for a field, given where it is


def condition(text: str, at: str) -> str:
    """A condition on a record's own fields, of the record at ``at``."""
    return WORD.sub(lambda word: _meant(word[0], at), text)


def fields_in(text: str) -> list[str]:
    """The fields that a condition looks at."""
    return [word for word in WORD.findall(text) if not word.isupper() and word not in OPERATORS]


def _meant(word: str, at: str) -> str:
    if word in OPERATORS:
        return word
    return f"n.{word}" if word.isupper() else f"{at}.{word}"


def number_in(each: Ref, place: str) -> str:
    """The number that a field holds; of nothing it is negative."""
    if each.down:
        return f"{each.at} - {place}"
    return f"{place} - {each.at}" if each.at else place


def field_lines(kind: Record, at: str, lines: Each, depth: int = 1) -> Iterator[str]:
    """``lines`` for each number in a record, those in records within it too, as far as they are in use."""
    indent = "    " * depth
    for name, field in kind.fields.items():
        place = f"{at}.{name}"
        if not field.many:
            if isinstance(field.of, Record):
                yield from field_lines(field.of, place, lines, depth)
            else:
                yield from (indent + line for line in lines(place, field))
            continue
        index = f"i{depth}"
        if isinstance(field.of, Record):
            body = list(field_lines(field.of, f"{place}[{index}]", lines, depth + 1))
        else:
            body = ["    " + indent + line for line in lines(f"{place}[{index}]", field)]
        if body:
            used = f"{at}.{field.used}" if field.used else f"len({place})"
            yield f"{indent}for {index} in range({used}):"
            yield from body


def _owner(place: str) -> str:
    """The record that a field is of: the conditions are on its fields."""
    return place.rpartition(".")[0]


def _choices(place: str, field: Field, then: Callable[[Ref], str]) -> Iterator[str]:
    """What is to be done with a field by what it numbers: the first whose condition holds."""
    word = "if"
    for each in field.refs:
        what = then(each)
        if not each.when:
            yield from ([what] if word == "if" else ["else:", f"    {what}"]) if what else ()
            return
        yield f"{word} {condition(each.when, _owner(place))}:"
        yield f"    {what or 'pass'}"
        word = "elif"
    if field.refs and field.refs[-1].otherwise is not None:
        yield from ("else:", f"    {place} = {field.refs[-1].otherwise}")


def renames(place: str, field: Field) -> Iterator[str]:
    """Replace a field's number by the thing's canonical name, and note in ``refs[unit]`` which thing that is."""
    if field.folded:
        yield f"{place} = 0"
        return
    if not any(is_renamed(each) or each.otherwise is not None for each in field.refs):
        return

    def renamed(each: Ref) -> str:
        if not is_renamed(each):
            return ""
        name = f"{each.kind}_name(names, refs, unit, {number_in(each, place)})"
        if each.down:
            return f"{place} = {each.at} - {name}"
        return f"{place} = {name} + {each.at}" if each.at else f"{place} = {name}"

    yield from _choices(place, field, renamed)


def is_renamed(each: Ref) -> bool:
    """What it numbers has a canonical name."""
    return each.kind == "pte" or THINGS[each.kind].renamed


def limit(kind: str) -> str:
    """How many things of a kind there are, in the machine ``k``."""
    if kind == "pte":
        return "k.state.n_tables * len(k.state.tables[0].pte)"
    if kind in ("path", "op"):
        return f"len(k.books.{kind}s)"
    things = THINGS[kind]
    return f"k.state.{things.count}" if things.count else f"len(k.state.{things.array})"


def checks(place: str, field: Field, fields: list[str]) -> Iterator[str]:
    """Return the place in ``fields`` of a field that holds no number of a thing that there is."""
    if not field.refs:
        return
    fields.append(re.sub(r"\[\w+\]", "[]", place.partition(".")[2]))

    def check(each: Ref) -> str:
        return f"if not {n.NONE} <= {number_in(each, place)} < {limit(each.kind)}: return {len(fields) - 1}"

    yield from _choices(place, replace(field, refs=tuple(replace(each, otherwise=None) for each in field.refs)), check)
