"""The properties by name: the packaged ones, and a user's own, which is a Python function."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cowpath.engine import properties as p
from cowpath.errors import InputError
from cowpath.words import nearest

MEANINGS = (
    "no task waits, through any chain of locks, for the memory of a group that its own memory is not charged to",
    "a group's usage is the pages charged in its subtree, the CPUs' stock and the charges in hand, within its limit; "
    "memsw adds what is in swap",
    "when no task is in the kernel, no lock is held, and no page has a reference or mapping that nothing accounts for",
    "once truncate has returned, nothing maps a page beyond the end of the file; nothing ever maps a page that is not "
    "up to date, or a copy of one",
    "a task that has been killed never sleeps for a group's memory, nor behind a lock whose holder waits for it",
    "i_mutex, mmap_sem, invalidate_lock, page lock: each is taken in this order, by who does not have it, and let go "
    "by who has it",
    "no task that pays for memory.high within a read or a fault reclaims a page that it is still to get there, to have "
    "it read again",
    "no task waits for a lock whose holder, through any chain of locks, waits for the disk, pauses for dirty pages, or "
    "reclaims for a group",
    "no group's usage is above its limit",
    "no task that is being killed begins to reclaim for memory.high",
    "from every state that can be reached, every fault and system call can still finish, without help from outside, "
    "but for those that wait for their own group's memory",
    "no fair schedule keeps a fault or system call from finishing for ever, but for those that wait for their own "
    "group's memory",
    "while a group with its OOM killer on is out of memory, no fair schedule goes on for ever without a charge, an "
    "uncharge or an exit in it",
)  # fmt: skip

Holds = Callable[[Any], Any]  # of a machine's record ``k``: true if the property holds there


@dataclass(frozen=True)
class Property:
    """One of ``engine.properties`` (``number``), or a user's function."""

    name: str
    meaning: str
    number: int = -1
    holds: Holds | None = None

    @property
    def of_states(self) -> bool:
        """Decided by looking at one state; else by the graph of all."""
        return self.holds is not None or self.number < p.OF_STATES

    @property
    def by_name_only(self) -> bool:
        """It is asked for by name only: there are kernels, and cases, that are not meant to have it."""
        return self.holds is None and p.OF_EVERY_DESIGN <= self.number < p.OF_STATES


ALL = tuple(
    Property(name, meaning, number) for number, (name, meaning) in enumerate(zip(p.NAMES, MEANINGS, strict=True))
)
PACKAGED = tuple(each for each in ALL if not each.by_name_only)  # those that are looked at where none is named


def names() -> list[str]:
    """The packaged properties."""
    return list(p.NAMES)


def find(name: str) -> Property:
    """A property by its name, or ``FILE.py:function``. Raises InputError."""
    for known in ALL:
        if known.name == name:
            return known
    file, colon, function = name.rpartition(":")
    if colon and file.endswith(".py"):
        return _users(Path(file), function)
    hint = nearest(name, p.NAMES, "known: " + ", ".join(p.NAMES))
    raise InputError(f"no property {name!r}", hint=f"{hint}; your own: FILE.py:function")


def _users(file: Path, function: str) -> Property:
    if not file.is_file():
        raise InputError("there is no such file", file=file)
    spec = importlib.util.spec_from_file_location(f"cowpath_user_{file.stem}", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise InputError(f"cannot be loaded: {type(error).__name__}: {error}", file=file) from None
    holds = getattr(module, function, None)
    if not callable(holds):
        known = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
        raise InputError(f"no function {function!r}", file=file, hint=nearest(function, known, ", ".join(known)))
    meaning = next(iter((holds.__doc__ or "").strip().splitlines()), function)
    return Property(f"{file.stem}.{function}", meaning, holds=holds)
