"""Kernel code that follows from the declarations: how a record begins, how it is cleared, which mutex is meant.

It is straight-line code, written here as text and compiled like all else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from . import names as n
from . import records
from .compiled import Function, compiled
from .layout import Record
from .waits import Wait


def compile_source(
    name: str, lines: list[str], known: dict[str, Any], module: str = __name__, how: Function = compiled
) -> Callable[..., Any]:
    """The function ``name`` of this text, compiled (``how``). ``known``: what it calls."""
    scope = {"__name__": module, "n": n, **known}
    exec("\n".join(lines), scope)
    made: Callable[..., Any] = how(scope[name])
    return made


def stores(kind: Record, at: str, zero: bool, only_set: bool) -> Iterator[str]:
    """Stores of a record's fields: what they begin as, or 0. ``only_set``: those that begin as 0 are so already."""
    for name, field in kind.fields.items():
        place = f"{at}.{name}"
        if isinstance(field.of, Record):
            if not field.many:
                yield from stores(field.of, place, zero, only_set)
            continue
        value = 0 if zero else field.start
        if only_set and value == 0:
            continue
        if field.many:
            yield from (f"    for i in range(len({place})):", f"        {place}[i] = {value}")
        else:
            yield f"    {place} = {value}"


def _storing(name: str, doc: str, kind: Record, zero: bool = False, only_set: bool = False) -> Callable[..., Any]:
    lines = [f"def {name}(r):", f"    '''{doc}'''", *stores(kind, "r", zero, only_set), "    return"]
    return compile_source(name, lines, {})


begin_frame = _storing("begin_frame", "A frame of zeroes begins.", records.frame, only_set=True)
clear_frame = _storing("clear_frame", "A frame that is not in use is zeroes.", records.frame, zero=True)
begin_task = _storing("begin_task", "A task's record begins; its frames are zeroes.", records.task)
begin_page = _storing("begin_page", "A page that has just been taken.", records.page)
begin_mm = _storing("begin_mm", "An empty address space.", records.mm)
begin_file = _storing("begin_file", "A file.", records.file)
begin_request = _storing("begin_request", "An empty request.", records.request)


# --- mutexes and queues --------------------------------------------------------------------------
def _row(wait: Wait, number: str) -> str:
    """The record that a kind of wait is about: ``k.state.files[which]``."""
    if not wait.of or wait.of == "machine" or wait.all_in_one:
        return "k.state"
    return f"k.state.{records.THINGS[wait.of].array}[{number}]"


def _by_kind(name: str, doc: str, args: str, cases: list[tuple[int, str]], last: str) -> Callable[..., Any]:
    lines = [f"def {name}({args}):", f"    '''{doc}'''"]
    for kind, what in cases:
        lines += [f"    if kind == {kind}:", f"        return {what}"]
    return compile_source(name, [*lines, f"    return {last}"], {})


_MUTEXES = [(kind, wait, wait.mutex.name) for kind, wait in enumerate(n.WAITS) if wait.mutex is not None]
_QUEUES = [(kind, f"{_row(wait, 'which')}.{wait.queue}") for kind, wait in enumerate(n.WAITS) if wait.queue]
_FRAME_FIELDS = {hold.name: hold.which for hold in n.HOLDS}

mutexes_of = _by_kind(
    "mutexes_of", "How many mutexes of this kind there are: 0 of what is no mutex.", "k, kind",
    [(kind, f"k.state.{records.THINGS[wait.of].count}" if wait.of != "machine" else "1") for kind, wait, _ in _MUTEXES],
    "0",
)  # fmt: skip
mutex_of = _by_kind(
    "mutex_of", "The mutex that this kind of wait is for, of that thing.", "k, kind, which",
    [(kind, f"{_row(wait, 'which')}.{name}") for kind, wait, name in _MUTEXES[:-1]],
    f"{_row(_MUTEXES[-1][1], 'which')}.{_MUTEXES[-1][2]}",
)  # fmt: skip
which_mutex = _by_kind(
    "which_mutex", "Of which thing the frame takes a mutex of this kind.", "f, kind",
    [(kind, f"f.{_FRAME_FIELDS[name]}") for kind, _, name in _MUTEXES if _FRAME_FIELDS[name]], "0",
)  # fmt: skip


def _noting_group() -> Callable[..., Any]:
    """The frame notes its task's group before it takes a group's mutex, unless it has one."""
    lines = ["def note_group(k, t, f, kind):"]
    bits = sum(int(n.HOLD_OF_WAIT[kind]) for kind, wait, _ in _MUTEXES if wait.of == "group")
    for kind in (kind for kind, wait, _ in _MUTEXES if wait.of == "group"):
        lines += [f"    if kind == {kind} and f.held & {bits} == 0:", "        f.mutex_group = k.state.tasks[t].group"]
    return compile_source("note_group", [*lines, "    return"], {})


note_group = _noting_group()


_RWSEMS = [(kind, wait, wait.rwsem.name) for kind, wait in enumerate(n.WAITS) if wait.rwsem is not None]
rwsems_of = _by_kind(
    "rwsems_of", "How many rwsems of this kind there are: 0 of what is none.", "k, kind",
    [(kind, f"k.state.{records.THINGS[wait.of].count}") for kind, wait, _ in _RWSEMS], "0",
)  # fmt: skip
rwsem_of = _by_kind(
    "rwsem_of", "The rwsem that this kind of wait is for, of that thing.", "k, kind, which",
    [(kind, f"{_row(wait, 'which')}.{name}") for kind, wait, name in _RWSEMS[:-1]],
    f"{_row(_RWSEMS[-1][1], 'which')}.{_RWSEMS[-1][2]}",
)  # fmt: skip
which_rwsem = _by_kind(
    "which_rwsem", "Of which thing the frame takes an rwsem of this kind.", "f, kind",
    [(kind, f"f.{wait.of}") for kind, wait, _ in _RWSEMS[:-1]], f"f.{_RWSEMS[-1][1].of}",
)  # fmt: skip


def lock_row(k: Any, kind: int) -> Any:
    """All mutexes or rwsems that a kind of wait is for, for Python."""
    _, wait, name = next(each for each in [*_MUTEXES, *_RWSEMS] if each[0] == kind)
    if wait.of == "machine":
        return [k.state[name]]
    things = records.THINGS[wait.of]
    return [row[name] for row in k.state[things.array][: int(k.state[things.count])]]


queue_of = _by_kind(
    "queue_of", "The queue in which who waits so stands. Only for kinds that have one.", "k, kind, which",
    _QUEUES[:-1], _QUEUES[-1][1],
)  # fmt: skip
