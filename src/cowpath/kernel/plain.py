"""The kernel in plain Python, without a compiler: for the first look at a step that has just been written.

The functions are the same. What Python calls is handed the machine's bytes as ``View`` instead of NumPy's record, of
which a single field takes a thousand times as long to read. Indices are checked here, as under NUMBA_BOUNDSCHECK.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from .jit import Function, Told
from .jit.chosen import interpreted

INTERPRETED = interpreted()

NUMBERS: dict[str, Any] = {
    "i1": ctypes.c_int8, "i2": ctypes.c_int16, "i4": ctypes.c_int32, "i8": ctypes.c_int64, "u8": ctypes.c_uint64
}  # fmt: skip
LETTERS: dict[str, Any] = {"i1": "b", "i2": "h", "i4": "i", "i8": "q", "u8": "Q"}


def entry(function: Function, alone: bool) -> Function:
    """A function that Python calls: of an argument that has a ``plain`` form it is handed that."""

    @functools.wraps(function)
    def called(*args: Any) -> Any:
        return function(*[getattr(arg, "plain", arg) for arg in args])

    return called


def part(function: Function, inline: bool, apart: bool = False, borrows: bool = False) -> Function:
    """A function that kernel code calls: as it stands."""
    return function


def kept(function: Function) -> Function:
    """A function that has nothing to do with the kernel: what is an array of records has their attributes."""

    @functools.wraps(function)
    def called(*args: Any) -> Any:
        return function(*[_with_attributes(arg) for arg in args])

    return called


def _with_attributes(arg: Any) -> Any:
    records = isinstance(arg, np.ndarray) and arg.dtype.names is not None
    return arg.view(np.recarray) if records else arg


def intrinsic(function: Function) -> Function:
    """What makes compiled code: nobody calls it."""
    return function


@contextmanager
def announced(told: Told) -> Iterator[None]:
    """There is nothing to tell."""
    yield


def cache_folder() -> Path:
    """Where what is known of these sources is kept."""
    from .jit import cache  # it imports Numba

    return cache.cache_folder()


def can_be_kept() -> bool:
    """Whether there is such a place."""
    from .jit import cache

    return cache.can_be_kept()


def sources_as_they_stand() -> str:
    """A hash of all of cowpath's sources."""
    from .jit import cache

    return cache.sources_as_they_stand()


class View(ctypes.Structure):
    """A record. Its numbers are fields of the structure; what is nested is made when it is first asked for, and kept.

    A number that does not fit is cut off, as by compiled code.
    """

    __slots__ = ()
    nested: dict[str, tuple[np.dtype[Any], int]]

    def __getattr__(self, name: str) -> Any:
        if name not in self.nested:
            raise AttributeError(f"a record has no field {name!r}", name=name, obj=self)
        made = view(*self.nested[name], self)
        keep(self, name, made)
        return made

    def __setattr__(self, name: str, value: Any) -> None:
        keep(self, name, int(value))  # it may be one of NumPy's


keep = ctypes.Structure.__setattr__


class Rows(dict[int, View]):
    """An array of records, each made when it is first asked for. What goes through it meets them all, as of NumPy's."""

    def __init__(self, kind: type[View], count: int, offset: int, owner: Any) -> None:
        self.kind, self.count, self.offset, self.owner = kind, count, offset, owner

    def __missing__(self, i: int) -> View:
        if not 0 <= i < self.count:
            raise IndexError(f"record {i} of {self.count}")
        made = self[i] = self.kind.from_buffer(self.owner, self.offset + int(i) * ctypes.sizeof(self.kind))
        return made

    def __iter__(self) -> Iterator[View]:  # type: ignore[override]
        return map(self.__getitem__, range(self.count))

    def __len__(self) -> int:
        return self.count


class Numbers:
    """An array of numbers. A negative index is an error: compiled code does not count from the end either."""

    __slots__ = ("numbers",)

    def __init__(self, numbers: memoryview) -> None:
        self.numbers = numbers

    def __getitem__(self, i: int) -> int:
        if i < 0:
            raise IndexError(f"number {i} of {len(self.numbers)}")
        number: int = self.numbers[i]
        return number

    def __setitem__(self, i: int, value: int) -> None:
        if i < 0:
            raise IndexError(f"number {i} of {len(self.numbers)}")
        self.numbers[i] = value

    def __len__(self) -> int:
        return len(self.numbers)


def view(dtype: np.dtype[Any], offset: int, owner: Any) -> Any:
    """What is of this type at this place of ``owner``'s bytes."""
    if dtype.subdtype is None:
        return structure(dtype).from_buffer(owner, offset)
    base, (count,) = dtype.subdtype
    if base.names is not None:
        return Rows(structure(base), count, offset, owner)
    return Numbers(memoryview(owner).cast("B")[offset : offset + dtype.itemsize].cast(LETTERS[base.str[1:]]))


@functools.cache
def structure(dtype: np.dtype[Any]) -> type[View]:
    """A record type's class, laid out as NumPy's."""
    fields: list[tuple[str, Any]] = []
    nested: dict[str, tuple[np.dtype[Any], int]] = {}
    end = 0

    def skip(to: int) -> None:
        if to > end:
            fields.append((f" {end}", ctypes.c_char * (to - end)))  # a name that no field has

    assert dtype.names is not None and dtype.fields is not None
    for name in dtype.names:
        kind, offset = dtype.fields[name][:2]
        if kind.str[1:] not in NUMBERS:
            nested[name] = kind, offset
            continue
        skip(offset)
        fields.append((name, NUMBERS[kind.str[1:]]))
        end = offset + kind.itemsize
    skip(dtype.itemsize)
    return type("View", (View,), {"_pack_": 1, "_fields_": fields, "nested": nested, "__slots__": tuple(nested)})
