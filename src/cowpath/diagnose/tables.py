"""``functions.toml``, read: what a function's name tells of the task in whose stack it stands."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from cowpath.diagnose import release
from cowpath.diagnose.release import FIRST, LAST, Number

HERE = Path(__file__).parent
SYSCALL = re.compile(r"(?:__(?:x64|ia32|arm64|s390x|se|do)_)?(?:sys_|SyS_|SYSC_)")
NOSY = re.compile(r"_noprof$")
TREES = ("2.6.32", "2.6.39", "3.0", "3.12", "4.4", "4.14", "4.19", "5.4", "5.15", "6.1", "6.12", "6.18", "7.1")


@dataclass(frozen=True)
class Lock:
    """A lock as graph and verdict see it; ``one``: there is one in the machine, ``mm``: one for each address space."""

    name: str
    one: bool = False
    mm: bool = False


@dataclass(frozen=True)
class Taken:
    """A lock that a function takes itself; ``alone``: it sleeps by itself for nothing else."""

    lock: str
    mode: str = ""
    alone: bool = False
    remote: bool = False  # of another process
    since: str | None = None
    before: str | None = None


@dataclass(frozen=True)
class Holds:
    """A lock that a function holds while it calls on, and under which circumstances."""

    lock: str
    mode: str = ""
    next: frozenset[str] = frozenset()  # the function that it calls is one of these
    over: frozenset[str] = frozenset()  # one of these stands further in
    under: frozenset[str] = frozenset()  # one of these stands further out
    unless_under: frozenset[str] = frozenset()
    dropped: frozenset[str] = frozenset()  # where one of these stands further in it may have been dropped
    since: str | None = None
    before: str | None = None
    certain: bool = True
    note: str = ""


@dataclass
class Tables:
    """Everything, by function."""

    asleep: frozenset[str] = frozenset()
    bottoms: frozenset[str] = frozenset()
    locks: dict[str, Lock] = field(default_factory=dict)
    same: dict[str, str] = field(default_factory=dict)  # "page read" is a wait for the "page lock"
    primitive: dict[str, str] = field(default_factory=dict)
    wait: dict[str, str] = field(default_factory=dict)
    innermost: dict[str, str] = field(default_factory=dict)
    taken: dict[str, list[Taken]] = field(default_factory=dict)
    bit: dict[str, str] = field(default_factory=dict)
    memory: dict[str, str] = field(default_factory=dict)
    held: dict[str, list[Holds]] = field(default_factory=dict)
    lockdep: list[tuple[str, str]] = field(default_factory=list)  # a part of a class's name; the lock, "" for none
    ages: dict[str, tuple[Number, Number]] = field(default_factory=dict)


def plain(name: str) -> str:
    """A function's name without what entry code and profiling put before and behind it."""
    match = SYSCALL.match(name)
    return NOSY.sub("", f"sys_{name[match.end() :]}" if match is not None else name)


@cache
def tables() -> Tables:
    """The tables, read once."""
    data = tomllib.loads((HERE / "functions.toml").read_text(encoding="utf-8"))
    made = Tables(frozenset(data["asleep"]["functions"]), frozenset(data["bottom"]["functions"]))
    for name, about in data["locks"].items():
        made.locks[name] = Lock(name, about.get("global", False), about.get("mm", False))
        made.same[name] = about.get("as", name)
    for table in data["primitive"]:
        made.primitive |= dict.fromkeys(table["functions"], table["of"])
    for table in data["wait"]:
        target = made.innermost if table.get("innermost") else made.wait
        target |= {plain(name): table["for"] for name in table["functions"]}
    for table in data["bit"]:
        made.bit |= dict.fromkeys(table["functions"], table["for"])
    for table in data["memory"]:
        made.memory |= dict.fromkeys(table["functions"], table["does"])
    for table in data["taken"]:
        taken = Taken(**{key: value for key, value in table.items() if key != "functions"})
        for name in table["functions"]:
            made.taken.setdefault(plain(name), []).append(taken)
    for table in data["held"]:
        holds = holds_of(table)
        for name in table["functions"]:
            made.held.setdefault(plain(name), []).append(holds)
    made.lockdep = [(part, lock) for lock, parts in data["lockdep"].items() for part in parts]
    made.ages = {name: bounds(*seen) for name, seen in data["age"].items()}
    return made


def holds_of(table: Mapping[str, Any]) -> Holds:
    """A table of ``[[held]]``."""
    sets = ("next", "over", "under", "unless_under", "dropped")
    rest: dict[str, Any] = {key: value for key, value in table.items() if key not in (*sets, "functions")}
    return Holds(**rest | {key: frozenset(map(plain, table.get(key, ()))) for key in sets})


def bounds(first: str, last: str) -> tuple[Number, Number]:
    """Between which releases a name lies that the trees from ``first`` to ``last`` have."""
    low, high = TREES.index(first), TREES.index(last)
    return (
        release.number(TREES[low - 1]) if low else FIRST,
        release.number(TREES[high + 1]) if high + 1 < len(TREES) else LAST,
    )


@cache
def words() -> dict[str, dict[str, str]]:
    """``words.toml``: the sentences of a diagnosis, by table and key."""
    return tomllib.loads((HERE / "words.toml").read_text(encoding="utf-8"))
