"""Copying a unit of a state into its canonical copy, and renaming what its fields number: made from the layout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cowpath.kernel import names as n
from cowpath.kernel import records
from cowpath.kernel.compiled import inlined
from cowpath.kernel.generated import compile_source
from cowpath.kernel.layout import Record
from cowpath.kernel.records import FRAMES, THINGS

from . import units
from .fold import FIRST_BITS, KINDS_RENAMED, NAME_OF, ROOMS, TASK
from .folding import frames_of, make_frames_stale, make_stale, work_in
from .renaming import field_lines, renames
from .units import FIXED, FIXED_UNITS, FRAME_UNITS, FRAME_WORDS, HEAD_WORDS, HEADS, TASK_AT, TASK_WORDS
from .vector import copy_row


def _renamer(name: str, kind: Record) -> Callable[..., Any]:
    """A function that renames what the fields of a record number; what they number is noted in ``refs[unit]``."""
    lines = [f"def {name}(names, refs, unit, r):", *field_lines(kind, "r", renames), "    return"]
    return compile_source(name, lines, NAME_OF, __name__, inlined)


rename_head = _renamer("rename_head", Record({k: v for k, v in records.task.fields.items() if k != "frames"}))
rename_frame = _renamer("rename_frame", records.frame)


@inlined
def copy_head(k, half, c, target, target_words, f, t, age_counts):
    """A task without its frames. Its age is not state where nobody is chosen by it."""
    name = f.names[TASK, t]
    if name == n.NONE:
        return
    depth, was = frames_of(k, t), f.depths[name]
    f.depths[name] = depth
    make_frames_stale(f, t, min(depth, was), max(depth, was))
    to = TASK_AT + name * TASK_WORDS
    f.refs[HEADS + t] = 0
    if k.state.tasks[t].run_state == n.T_FREE:
        target[to : to + HEAD_WORDS] = 0
    else:
        copy_row(half, target, TASK_AT + t * TASK_WORDS, to, HEAD_WORDS)
        rename_head(f.names, f.refs, HEADS + t, c.state.tasks[name])
        if not age_counts:
            c.state.tasks[name].born = 0
    work_in(target_words, f, to, HEAD_WORDS)


@inlined
def copy_frame(k, half, c, target, target_words, f, number):
    """A frame, if it is in use: all others are zeroes."""
    t, d, unit = number // FRAMES, number % FRAMES, FRAME_UNITS + number
    name = f.names[TASK, t]
    if name == n.NONE:
        return
    within = HEAD_WORDS + d * FRAME_WORDS
    to = TASK_AT + name * TASK_WORDS + within
    f.refs[unit] = 0
    if d < frames_of(k, t):
        copy_row(half, target, TASK_AT + t * TASK_WORDS + within, to, FRAME_WORDS)
        rename_frame(f.names, f.refs, unit, c.state.tasks[name].frames[d])
    else:
        target[to : to + FRAME_WORDS] = 0
    work_in(target_words, f, to, FRAME_WORDS)


def _copier(kind: str, place: int) -> Callable[..., Any]:
    """A function that copies a thing of a kind, if it has a name."""
    array = THINGS[kind].array
    at, words = units.place(array)
    lines = [
        f"def copy_{array}(half, c, target, target_words, f, number):",
        f"    name, unit = f.names[{place}, number], {FIRST_BITS[place]} + number",
        f"    if name == {n.NONE}:",
        "        return",
        f"    copy_row(half, target, {at} + number * {words}, {at} + name * {words}, {words})",
        "    f.refs[unit] = 0",
        f"    rename_{kind}(f.names, f.refs, unit, c.state.{array}[name])",
        f"    work_in(target_words, f, {at} + name * {words}, {words})",
    ]
    fields = units.STATE.fields[array].of
    assert isinstance(fields, Record)
    known = {"copy_row": copy_row, "work_in": work_in, f"rename_{kind}": _renamer(f"rename_{kind}", fields)}
    return compile_source(f"copy_{array}", lines, known, __name__, inlined)


def _copier_of_fixed(each: units.Fixed) -> Callable[..., Any]:
    """A function that copies what bears no arbitrary number: a record of an array, or fields side by side."""
    rename = f"rename_{each.name}"
    row = "c.state"
    lines = [
        f"def copy_{each.name}(k, half, c, target, target_words, f, number):",
        f"    at, unit = {each.at} + number * {each.words}, {each.first} + number",
        f"    copy_row(half, target, at, at, {each.words})",
        "    f.refs[unit] = 0",
    ]
    if each.name in units.STATE.fields:
        row = f"c.state.{each.name}[number]"
    if each.used:
        lines.append(f"    if number < k.state.{each.used}:")
    lines.append(f"    {'    ' * bool(each.used)}{rename}(f.names, f.refs, unit, {row})")
    lines.append(f"    work_in(target_words, f, at, {each.words})")
    known = {"copy_row": copy_row, "work_in": work_in, rename: _renamer(rename, each.fields)}
    return compile_source(f"copy_{each.name}", lines, known, __name__, inlined)


COPIERS = {
    f"copy_{THINGS[kind].array}": _copier(kind, place) for place, kind in enumerate(KINDS_RENAMED) if place != TASK
}
FIXED_COPIERS = {f"copy_{each.name}": _copier_of_fixed(each) for each in FIXED}


def _copier_of_units() -> Callable[..., Any]:
    """A function that copies any unit."""
    lines = ["def copy_unit(k, half, c, target, target_words, f, age_counts, unit):"]
    given = "half, c, target, target_words, f"
    for place, kind in enumerate(KINDS_RENAMED):
        lines.append(f"    {'elif' if place else 'if'} unit < {FIRST_BITS[place] + ROOMS[place]}:")
        number = f"unit - {FIRST_BITS[place]}"
        if place == TASK:
            lines.append(f"        copy_head(k, {given}, {number}, age_counts)")
        else:
            lines.append(f"        copy_{THINGS[kind].array}({given}, {number})")
    lines += [f"    elif unit < {FIXED_UNITS}:", f"        copy_frame(k, {given}, unit - {FRAME_UNITS})"]
    for each in FIXED:
        lines.append(f"    elif unit < {each.first + each.count}:")
        lines.append(f"        copy_{each.name}(k, {given}, unit - {each.first})")
    known = COPIERS | FIXED_COPIERS | {"copy_head": copy_head, "copy_frame": copy_frame}
    return compile_source("copy_unit", [*lines, "    return"], known, __name__, inlined)


def _looker_at_used() -> Callable[..., Any]:
    """A function that makes the records of each array stale of which others are in use than in the last state."""
    lines = ["def look_at_used(k, f):"]
    for which, each in enumerate(FIXED):
        if each.used:
            lines += [
                f"    if f.used[{which}] != k.state.{each.used}:",
                f"        f.used[{which}] = k.state.{each.used}",
                f"        for unit in range({each.first}, {each.first + each.count}):",
                "            make_stale(f, unit)",
            ]
    return compile_source("look_at_used", [*lines, "    return"], {"make_stale": make_stale}, __name__)


copy_unit = _copier_of_units()
look_at_used = _looker_at_used()
