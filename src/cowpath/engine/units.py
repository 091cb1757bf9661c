"""What the canonical copy is made of: units, of which each is copied by itself, and where they stand in a state.

A unit is a record of an array, of a task all but its frames, a frame, or the fields that stand between two arrays. They
are numbered: the things that bear arbitrary numbers by kind, the frames by task, and the rest in the layout's order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from cowpath.kernel import records
from cowpath.kernel.layout import Field, Record
from cowpath.kernel.records import FRAMES, THINGS
from cowpath.kernel.state import EXPLORE, state_record

from .fold import FIRST_BITS, KINDS_RENAMED, READS, ROOMS, TASK

STATE = state_record(EXPLORE)
LAYOUT = STATE.narrow
HALVES = LAYOUT.itemsize // 2  # 16-bit words
WORDS = LAYOUT.itemsize // 8


def place(array: str) -> tuple[int, int]:
    """Where an array begins, and how long each of its elements is, in 16-bit words."""
    dtype, offset = LAYOUT.fields[array][:2]  # type: ignore[index]
    return offset // 2, dtype.base.itemsize // 2


TASK_AT, TASK_WORDS = place("tasks")
HEAD_WORDS = records.task.narrow.fields["frames"][1] // 2  # type: ignore[index]
FRAME_WORDS = records.frame.narrow.itemsize // 2
assert HEAD_WORDS + FRAMES * FRAME_WORDS == TASK_WORDS


@dataclass(frozen=True)
class Fixed:
    """Units that bear no arbitrary number: the records of an array, or one unit of fields side by side."""

    name: str
    first: int  # the first unit
    count: int
    at: int  # in 16-bit words
    words: int  # of each
    fields: Record
    used: str = ""  # how many of an array are in use


def _fixed(first: int) -> Iterator[Fixed]:
    """All of them in the layout's order."""
    named = {THINGS[kind].array for kind in KINDS_RENAMED}
    run: dict[str, Field] = {}
    for name, field in [*STATE.fields.items(), ("", Field("i4"))]:
        in_records = bool(field.many) and isinstance(field.of, Record)
        if name and not in_records:
            run[name] = field
            continue
        if run:
            at, end = place(next(iter(run)))[0], place(last := next(reversed(run)))[0]
            end += LAYOUT.fields[last][0].itemsize // 2  # type: ignore[index]
            yield Fixed(f"from_{next(iter(run))}", first, 1, at, end - at, Record(run))
            first, run = first + 1, {}
        if name and name not in named:
            assert isinstance(field.of, Record)
            yield Fixed(name, first, field.many, *place(name), field.of, field.used)
            first += field.many


HEADS = FIRST_BITS[TASK]
FRAME_UNITS = sum(ROOMS)
FIXED_UNITS = FRAME_UNITS + EXPLORE.tasks * FRAMES
FIXED = tuple(_fixed(FIXED_UNITS))
UNITS = FIXED[-1].first + FIXED[-1].count


def _units_of_halves() -> np.ndarray[Any, Any]:
    """For each 16-bit word of the state its unit."""
    units = np.full(HALVES, -1, np.int16)
    for first, room, kind in zip(FIRST_BITS, ROOMS, KINDS_RENAMED, strict=True):
        at, words = place(THINGS[kind].array)
        units[at : at + room * words] = np.repeat(np.arange(first, first + room), words)
    for t in range(EXPLORE.tasks):
        at = TASK_AT + t * TASK_WORDS + HEAD_WORDS
        frames = FRAME_UNITS + t * FRAMES + np.arange(FRAMES)
        units[at : at + FRAMES * FRAME_WORDS] = np.repeat(frames, FRAME_WORDS)
    for each in FIXED:
        units[each.at : each.at + each.count * each.words] = each.first + np.repeat(np.arange(each.count), each.words)
    before = np.maximum.accumulate(np.where(units < 0, 0, np.arange(HALVES)))
    return units[before]  # what lies between two fields, since the second is aligned, counts as the first's


_UNITS = np.append(_units_of_halves(), np.full(-HALVES % 4, UNITS - 1, np.int16)).reshape(-1, 4)
FIRST_OF, LAST_OF = _UNITS[:, 0].copy(), _UNITS[:, -1].copy()  # for each word: in records so large there are no more
assert _UNITS.min() >= 0
assert ((_UNITS == FIRST_OF[:, None]) | (_UNITS == LAST_OF[:, None])).all()
TASK_OF = np.full(UNITS, -1, np.int16)  # whose unit it is
TASK_OF[HEADS : HEADS + EXPLORE.tasks] = np.arange(EXPLORE.tasks)
TASK_OF[FRAME_UNITS:FIXED_UNITS] = np.repeat(np.arange(EXPLORE.tasks), FRAMES)


def halves_of(path: str) -> np.ndarray[Any, Any]:
    """The 16-bit words of a field of the state, as ``tasks.frames.page``, in all records that have it."""
    places, kind = np.zeros(1, np.int64), LAYOUT
    for name in path.split("."):
        field, offset = kind.fields[name][:2]  # type: ignore[index]
        kind = field.base
        elements = np.arange(field.itemsize // kind.itemsize) * (kind.itemsize // 2)
        places = (places[:, None] + offset // 2 + elements).ravel()
    return (places[:, None] + np.arange(kind.itemsize // 2)).ravel()


def _names_hang_on() -> np.ndarray[Any, Any]:
    """For each word of the state the bits on which the names hang."""
    halves = np.zeros(4 * WORDS, np.uint16)
    for path in READS:
        halves[halves_of(path)] = 0xFFFF
    return halves.view(np.uint64)


NAMING = _names_hang_on()
