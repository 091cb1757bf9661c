"""Record types that are laid out as C would, and that say of each field what it numbers.

A record's instances are NumPy's and read like structs (``page.locked_by``). What follows from the declaration is made
from it and written nowhere else: how a record begins (``kernel.generated``), how the explorer renames what its fields
number (``engine.renaming``), and that each number is one of a thing that there is (``engine.invariants_ranges``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

NONE = -1  # the NULL of every index

NARROW = {"i4": "i2", "i8": "i4"}
WIDE_FIELDS = ("limit", "high", "swap_max", "swap_high")  # RESOURCE_MAX must fit


@dataclass(frozen=True)
class Ref:
    """A field holds the number of a thing (``records.THINGS``).

    ``at``: it holds ``at`` + the number, or, if it goes ``down``, ``at`` - the number. ``when``: a condition on the
    record's own fields without which it is no such number; it is then ``otherwise``, or, if that is None, as it stands.
    """

    kind: str
    at: int = 0
    down: bool = False
    when: str = ""
    otherwise: int | None = None


@dataclass(frozen=True)
class Field:
    """What a field is: a number (``i4``, ``i8``) or a record, one or many."""

    of: str | Record | np.dtype[Any]
    many: int = 0  # 0: one, and no array
    used: str = ""  # of many: the field or expression that says how many of them are in use; empty: all
    refs: tuple[Ref, ...] = ()  # what it numbers: the first whose condition holds
    start: int = 0  # what it begins as
    folded: str = ""  # why two machines that differ only here are one state to the explorer


Kind = Any  # what ``record`` takes for a field: "i4", a record, a Field, or a pair of one of those and how many


def ref(kind: str, *, at: int = 0, down: bool = False, when: str = "", otherwise: int | None = None,
        start: int | None = None) -> Field:  # fmt: skip
    """A field that numbers a thing; it begins as NONE."""
    return Field("i4", refs=(Ref(kind, at, down, when, otherwise),), start=at + NONE if start is None else start)


def either(*fields: Field) -> Field:
    """A field that numbers this or that, each on its condition."""
    return replace(fields[0], refs=tuple(each for field in fields for each in field.refs))


def num(of: str = "i4", *, start: int = 0, folded: str = "") -> Field:
    """A plain number."""
    return Field(of, start=start, folded=folded)


def many(kind: Kind, count: int, used: str = "") -> Field:
    """An array."""
    return replace(_field(kind), many=count, used=used)


def _field(kind: Kind) -> Field:
    if isinstance(kind, Field):
        return kind
    if isinstance(kind, tuple):
        return many(*kind)
    return Field(kind)


class Record:
    """A record type: its fields, and NumPy's type of it."""

    def __init__(self, fields: dict[str, Field]) -> None:
        self.fields = fields

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """As C would lay it out."""
        return self._laid_out(narrow=False)

    @cached_property
    def narrow(self) -> np.dtype[Any]:
        """The same with numbers of half the width: for a machine so small that all of them fit."""
        return self._laid_out(narrow=True)

    def _laid_out(self, narrow: bool) -> np.dtype[Any]:
        formats = []
        for name, field in self.fields.items():
            if isinstance(field.of, Record):
                one = field.of.narrow if narrow else field.of.dtype
            else:
                narrowed = narrow and name not in WIDE_FIELDS
                one = np.dtype(NARROW[str(field.of)] if narrowed else field.of)
            formats.append(np.dtype((one, field.many)) if field.many else one)
        return laid_out(dict(zip(self.fields, formats, strict=True)))

    def begin(self, rows: Any) -> None:
        """Let records (one, or an array of them), which are zeroes, begin as they should. For Python.

        What is taken into use later, up to a count, is zeroes until then.
        """
        for name, field in self.fields.items():
            if isinstance(field.of, Record):
                if not field.used:
                    field.of.begin(rows[name])
            elif field.start:
                rows[name] = field.start

    def paths(self, before: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Field]]:
        """Each number in it, with the names that lead there."""
        for name, field in self.fields.items():
            if isinstance(field.of, Record):
                yield from field.of.paths((*before, name))
            else:
                yield (*before, name), field


def laid_out(fields: dict[str, np.dtype[Any]]) -> np.dtype[Any]:
    """NumPy's type of a record with these fields, as C would lay it out."""
    offsets, end, widest = [], 0, 1
    for kind in fields.values():
        align = _alignment(kind)
        end = -(-end // align) * align
        offsets.append(end)
        end += kind.itemsize
        widest = max(widest, align)
    whole = -(-end // widest) * widest
    layout: Any = {"names": list(fields), "formats": list(fields.values()), "offsets": offsets, "itemsize": whole}
    return np.dtype((np.record, np.dtype(layout, align=True)))


def _alignment(kind: np.dtype[Any]) -> int:
    """What C would align a field of this type to; NumPy forgets it for a record inside a record."""
    if kind.subdtype is not None:
        return _alignment(kind.subdtype[0])
    if kind.fields is not None:
        return max(_alignment(field[0]) for field in kind.fields.values())
    return kind.alignment


def record(**fields: Kind) -> Record:
    """A record type whose instances read like a C struct (``page.locked_by``), laid out as C would."""
    return Record({name: _field(kind) for name, kind in fields.items()})
