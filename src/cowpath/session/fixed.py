"""What a caller fixes in a session, whatever its script says: files of groups, arguments of programs, jobs of builds.

A sweep plays the same session with other values. A group's file holds the fixed value from the first time that the
script writes it; what the script writes later is the fixed value again. A file that the script never writes is written
when the group has been made, or behind its limit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.session import cgroupfs
from cowpath.session.limits import ORDER
from cowpath.words import Place, Word, nearest

if TYPE_CHECKING:
    from cowpath.session.plan import Plan

ALL_JOBS = "all"


@dataclass(frozen=True)
class Fixed:
    """Values by what they are of, as they are written: ``("A", "memory.max"): "64M"``, ``("make", 1): "-j8"``."""

    files: Mapping[tuple[str, str], str] = field(default_factory=dict)  # by group and file
    arguments: Mapping[tuple[str, int], str] = field(default_factory=dict)  # by program and place, from 1
    jobs: str | None = None  # of recorded builds: so many at a time, or ALL_JOBS

    def values(self, version: str | None) -> dict[tuple[str, int], tuple[int, int]]:
        """What OP_CG_SET writes, by group and CG_*, in the order in which it can be. Raises InputError."""
        found = {}
        for (group, name), value in sorted(self.files.items(), key=_in_order):
            place = Place(f"{group}:{name}")
            number = place.of(lambda text: cgroupfs.writable(text, version), name)
            found[group, number] = place.of(lambda text, number=number: cgroupfs.read_value(number, text), value)  # type: ignore[misc]
        return found

    def named(self) -> list[tuple[str | None, Word]]:
        """Each file, with the version of cgroups that it is of (None: any)."""
        return [(cgroupfs.version_of(name), Word(name, Place(f"{group}:{name}"))) for group, name in self.files]

    def check_groups(self, groups: tuple[str, ...]) -> None:
        """Raise InputError for a group that the session never makes."""
        for group, name in self.files:
            if group not in groups[1:]:
                there = f"there are: {', '.join(groups[1:])}" if groups[1:] else "it makes none: cgcreate -g memory:A"
                raise InputError(
                    f"{group}:{name}: the session has no group {group!r}", hint=nearest(group, groups[1:], there)
                )

    def job_count(self) -> int | None:
        """Of ``jobs``; None: all at once. Raises InputError."""
        if self.jobs == ALL_JOBS:
            return None
        if re.fullmatch("[1-9][0-9]{0,3}", self.jobs or "") is None:
            raise InputError(f"jobs: {self.jobs!r} is not a number of jobs", hint=f"8, or {ALL_JOBS}")
        return int(self.jobs or "1")

    def of_program(self, name: str, arguments: tuple[Word, ...]) -> tuple[Word, ...]:
        """A program's arguments. One behind the last is one more. Raises InputError for one that is further behind."""
        words = list(arguments)
        for (program, number), value in sorted(self.arguments.items()):
            if program != name:
                continue
            word = Word(value, Place(f"{program}[{number}]"))
            if number > len(words) + 1:
                raise word.error(f"{program} is given {len(words)} arguments", f"{program}[{len(words) + 1}] at most")
            words[number - 1 : number] = [word]
        return tuple(words)


NONE = Fixed()


def _in_order(item: tuple[tuple[str, str], str]) -> tuple[str, int, str]:
    """A limit of memory before that of memory and swap, as ``session.limits`` has it."""
    (group, name), _ = item
    known = {"memory.limit_in_bytes": "memory.max", "memory.memsw.limit_in_bytes": "memsw"}.get(name, name)
    return group, ORDER.index(known) if known in ORDER else len(ORDER), name


def to_add(values: Iterable[tuple[str, int]], ops: Any, groups: tuple[str, ...]) -> dict[tuple[str, int], int]:
    """The files that a shell's program never writes, and behind what they are written: CG_MADE, or a CG_*.

    The limit of memory and swap cannot be below that of memory: it comes behind the script's.
    """
    written = {(groups[int(op["a"])], int(op["b"])) for op in ops[ops["code"] == n.OP_CG_SET]}
    return {
        (group, file): n.CG_LIMIT if file == n.CG_MEMSW_LIMIT and (group, n.CG_LIMIT) in written else n.CG_MADE
        for group, file in values
        if (group, file) not in written
    }


def with_values(plan: Plan, fixed: Fixed) -> Plan:
    """A plan that was compiled with the same files fixed, with these values. Raises InputError."""
    ops = plan.ops.copy()
    sets = ops["code"] == n.OP_CG_SET
    for (group, number), (value, more) in fixed.values(None).items():
        which = sets & (ops["a"] == plan.groups.index(group)) & (ops["b"] == number)
        ops["c"][which], ops["d"][which] = value, more
    return replace(plan, ops=ops)
