"""What a file of a memory cgroup is, to both versions of cgroups: how it is read, and what can be written to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cowpath.errors import InputError

Read = Callable[..., str]  # of a machine and a group; in v2 also of the kernel's own keys
Write = Callable[[str], Any]  # what OP_CG_SET is to write: pages for limits, else the number. Raises InputError


@dataclass(frozen=True)
class GroupFile:
    """A file of every group. ``read`` or ``write`` is None where the kernel has none; ``how`` says what to do then.

    ``errors`` are what the kernel answers to a write that it has read, by their names.
    """

    name: str
    since: str  # the release that it came with
    read: Read | None = None
    write: Write | None = None
    errors: tuple[str, ...] = ()
    how: str | None = None
    on_root: bool = True  # the root group has it


def within(low: int, high: int) -> Write:
    """A whole number from ``low`` to ``high``."""

    def read(value: str) -> int:
        if value.isascii() and value.isdigit() and len(value) < 10 and low <= int(value) <= high:
            return int(value)
        raise InputError(f"{value!r} is not a value of it", hint=f"a whole number from {low} to {high}")

    return read


def anything(_: str) -> int:
    """A trigger: the kernel does not look at what is written."""
    return 0
