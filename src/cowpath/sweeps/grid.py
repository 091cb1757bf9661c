"""Which points a sweep has: every combination of the values of its dimensions, on every design, with every seed."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cowpath.errors import InputError
from cowpath.options import Options
from cowpath.session.fixed import Fixed
from cowpath.words import nearest

from .values import read_values

MANY = 1_000_000  # points that nobody asks for by mistake
OPTIONS = ("cpus", "memory", "swap", "tasks", "until", "costs", "reuse", "copies", "cold")  # that can be varied
JOBS = "jobs"
KINDS = "A:memory.max, a variable of the session, $1, make[1], jobs, or an option: " + ", ".join(OPTIONS)
_FILE = re.compile(r"([^:=]+):([a-z_.]+)")
_ARGUMENT = re.compile(r"\$?([1-9][0-9]?)")
_OF_PROGRAM = re.compile(r"([^\[\]:=]+)\[([1-9][0-9]?)\]")
_VARIABLE = re.compile(r"\$?([A-Za-z_][A-Za-z0-9_]*)")
_NUMBERS = {"cpus": int, "tasks": int, "copies": int, "reuse": float}


@dataclass(frozen=True)
class Dimension:
    """What is varied: ``names`` (several are given the same value each time), and the values, as they are written."""

    names: tuple[str, ...]
    values: tuple[str, ...]

    @property
    def name(self) -> str:
        """As it is written: ``A:memory.limit_in_bytes+A:memory.memsw.limit_in_bytes``."""
        return "+".join(self.names)


def read_dimension(text: str) -> Dimension:
    """``NAME=VALUES`` or ``NAME+NAME=VALUES``. Raises InputError."""
    name, equals, values = text.partition("=")
    if not equals or not name:
        raise InputError(f"--vary {text!r}: no NAME=VALUES", hint=KINDS)
    return dimension(name, values)


def dimension(name: str, values: str | Sequence[Any]) -> Dimension:
    """A dimension by its name (names, joined by +) and its values: a text, or one each. Raises InputError."""
    names = tuple(part.strip() for part in name.split("+"))
    if not all(names):
        raise InputError(f"--vary {name!r}: a name is missing", hint=KINDS)
    read = read_values(values, name) if isinstance(values, str) else tuple(dict.fromkeys(map(str, values)))
    if not read:
        raise InputError(f"{name}: no value: an empty grid")
    return Dimension(names, read)


@dataclass(frozen=True)
class Setting:
    """What a combination of values comes to: what is fixed in the session, and options."""

    fixed: Fixed
    options: Options


@dataclass(frozen=True)
class Point:
    """A point: a combination of values (in the order of the dimensions), a design and a seed."""

    values: tuple[str, ...]
    design: str
    seed: int


@dataclass(frozen=True)
class Grid:
    """All points. They come in the order of the values, then the designs, then the seeds."""

    dimensions: tuple[Dimension, ...]
    designs: tuple[str, ...]
    seeds: tuple[int, ...]

    def __len__(self) -> int:
        count = len(self.designs) * len(self.seeds)
        for each in self.dimensions:
            count *= len(each.values)
        return count

    def __iter__(self) -> Iterator[Point]:
        for values in self.combinations():
            for design in self.designs:
                for seed in self.seeds:
                    yield Point(values, design, seed)

    def combinations(self) -> Iterator[tuple[str, ...]]:
        """Every combination of values."""
        return itertools.product(*(each.values for each in self.dimensions))

    def check(self, yes: bool) -> None:
        """Raise InputError for a name that is varied twice, and for more points than anybody asks for by mistake."""
        names = [name for each in self.dimensions for name in each.names]
        for name in names:
            if names.count(name) > 1:
                raise InputError(f"{name} is varied twice", hint="all its values in one --vary")
        if not len(self):
            raise InputError("an empty grid: no design, or no seed")
        if len(self) >= MANY and not yes:
            raise InputError(f"that is {len(self):,} points", hint="--yes, if it is meant")

    def setting(self, values: Sequence[str], base: Options, source: str) -> Setting:
        """What a combination comes to, over the options of all; ``source`` is the session's text. Raises InputError."""
        found = Setting(Fixed(), base)
        for each, value in zip(self.dimensions, values, strict=True):
            for name in each.names:
                found = _with(found, name, value, source)
        return found


def _with(setting: Setting, name: str, value: str, source: str) -> Setting:
    """One more value."""
    fixed, options = setting.fixed, setting.options
    if match := _FILE.fullmatch(name):
        files = {**fixed.files, (match[1], match[2]): value}
        return Setting(replace(fixed, files=files), options)
    if match := _OF_PROGRAM.fullmatch(name):
        arguments = {**fixed.arguments, (match[1], int(match[2])): value}
        return Setting(replace(fixed, arguments=arguments), options)
    if name == JOBS:
        return Setting(replace(fixed, jobs=value), options)
    if name in OPTIONS:
        return Setting(fixed, _with_option(options, name, value))
    if match := _ARGUMENT.fullmatch(name):
        return Setting(fixed, _with_argument(options, int(match[1]), value))
    return Setting(fixed, _with_variable(options, name, value, source))


def _with_option(options: Options, name: str, value: str) -> Options:
    changed: Any = value
    if name in _NUMBERS:
        try:
            changed = _NUMBERS[name](value)
        except ValueError:
            raise InputError(f"{name}: {value!r} is not a number") from None
    elif name == "cold":
        if value not in ("yes", "no"):
            raise InputError(f"cold: {value!r}", hint="yes or no")
        changed = value == "yes"
    given = vars(options) | {name: changed}
    return Options.of(**given)


def _with_argument(options: Options, number: int, value: str) -> Options:
    arguments = list(options.arguments)
    if number > len(arguments) + 1:
        raise InputError(f"${number}: the session is given {len(arguments)} arguments", hint="vary $1 first")
    arguments[number - 1 : number] = [value]
    return replace(options, arguments=tuple(arguments))


def _with_variable(options: Options, name: str, value: str, source: str) -> Options:
    match = _VARIABLE.fullmatch(name)
    if match is None:
        raise InputError(f"{name!r} is nothing that can be varied", hint=KINDS)
    variable = match[1]
    used = set(re.findall(r"\$\{?([A-Za-z_]\w*)", source))
    if variable not in used:
        hint = nearest(name, [*used, *OPTIONS, JOBS], KINDS)
        raise InputError(f"{name}: the session uses no variable ${variable}, and no option is called so", hint=hint)
    if re.search(rf"^\s*(export\s+)?{variable}=(?!\"?\$\{{{variable}:?[-=])", source, re.MULTILINE):
        raise InputError(
            f"{name}: the session sets it itself", hint=f"{variable}=${{{variable}:-DEFAULT}} takes it from outside"
        )
    kept = [each for each in options.env if not each.startswith(f"{variable}=")]
    return replace(options, env=(*kept, f"{variable}={value}"))


def grid_of(
    vary: Mapping[str, str | Sequence[Any]] | Sequence[str], designs: Sequence[str], seeds: int | Sequence[int]
) -> Grid:
    """A grid: ``vary`` by name, or as texts NAME=VALUES; ``seeds``: so many, from 0 on, or which. Raises InputError."""
    if isinstance(vary, Mapping):
        dimensions = tuple(dimension(name, values) for name, values in vary.items())
    else:
        dimensions = tuple(map(read_dimension, vary))
    numbers = range(seeds) if isinstance(seeds, int) else dict.fromkeys(seeds)
    return Grid(dimensions, tuple(designs), tuple(numbers))
