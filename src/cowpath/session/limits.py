"""Limits by what they are, whoever wrote them, and the files of a group that hold them in each version of cgroups."""

from __future__ import annotations

from dataclasses import dataclass

from cowpath.kernel import names as n
from cowpath.session import commands as c
from cowpath.words import Word


@dataclass(frozen=True)
class Limit:
    """A limit of a group. ``value`` is in bytes; None is no limit. ``file`` is its name in cgroup v2."""

    file: str
    value: int | None
    word: Word  # who wants it


V1_FILES = {"memory.max": "memory.limit_in_bytes", "memsw": "memory.memsw.limit_in_bytes",
            "oom_kill_disable": "memory.oom_control", "swappiness": "memory.swappiness"}  # fmt: skip
NUMBERS = ("memory.oom.group", "oom_kill_disable", "swappiness")  # what is no size
ORDER = (
    "memory.min", "memory.low", "memory.high", "memory.max", "memsw", "memory.swap.max", "memory.oom.group",
    "oom_kill_disable", "swappiness",
)  # fmt: skip


def settings(limits: tuple[Limit, ...], version: str) -> tuple[c.Setting, ...]:
    """What is written, in order. Sizes are whole pages: v1 rounds up, v2 down."""
    found = []
    for limit in sorted(limits, key=lambda each: ORDER.index(each.file)):
        name = V1_FILES[limit.file] if version == "v1" else limit.file
        value = limit.value
        if limit.file not in NUMBERS:
            up = n.PAGE_SIZE - 1 if version == "v1" else 0
            value = n.UNLIMITED if value is None else min((value + up) // n.PAGE_SIZE, n.UNLIMITED)
        found.append(c.Setting(Word(name, limit.word.place), n.CG_FILES.index(name), value))
    return tuple(found)
