"""The canonical copy of a state, and its fingerprint: made from those of the state that was folded last.

All in a copy that bears an arbitrary number is renumbered (``fold``); free lists and what lies on them are left out.
What is in use is copied, and all that a copied record's fields number, with every field that the layout does not call
``folded``. Which fields number what, the layout says, too.

From one state to the next few records change, and few names. So the last copy is gone on from: what is copied again are
the units (``units``) in which a word has changed, whose own name has changed, or in which something is numbered whose
name has; and the names are given again only where something has changed on which they hang. All other units are the same
by construction: a unit's copy is a function of its words and of the names of what it numbers. Where a thing gets its
name only because a unit numbers it (``fold``'s walk has not met it), the whole copy is made anew, and so is the next one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cowpath.kernel import names as n
from cowpath.kernel import records
from cowpath.kernel.compiled import compiled, inlined, plainly
from cowpath.kernel.generated import compile_source
from cowpath.kernel.layout import Record
from cowpath.kernel.records import FRAMES, THINGS
from cowpath.kernel.state import EXPLORE

from . import arrays, units
from .changes import find_changes_in, key_after
from .fingerprint import fingerprint
from .fold import (
    COPIED,
    COUNT,
    FIRST_BITS,
    KINDS,
    KINDS_RENAMED,
    NAME_OF,
    NUMBER,
    ROOMS,
    TASK,
    WIDEST,
    bit_of,
    give_names,
    order_tasks,
    renew_stances,
)
from .renaming import field_lines, renames
from .units import (
    FIRST_OF,
    FIXED,
    FIXED_UNITS,
    FRAME_UNITS,
    FRAME_WORDS,
    HEAD_WORDS,
    HEADS,
    LAST_OF,
    NAMING,
    TASK_AT,
    TASK_OF,
    TASK_WORDS,
    UNITS,
    WORDS,
)
from .vector import copy_row

TASKS = EXPLORE.tasks
FIRST_UNITS = np.array(FIRST_BITS)  # of each kind
ROW = 16  # units that are looked at together

FOLDING = np.dtype(
    (np.record, [
        ("goes_on", "i8"),  # there is a last copy that can be gone on from
        ("key", "u8"),  # the fingerprint of
        ("known", "u8", WORDS),  # this copy
        ("seen", "u8", WORDS),  # the state that was folded last
        ("queue", "i8", UNITS),  # units that are to be copied again
        ("queued", "i8"),
        ("refs", "i8", UNITS),  # what each unit's fields number, a bit each (fold.bit_of)
        ("alike", "i8", TASKS),  # for each task the first of those that are alike
        ("stances", "i8", TASKS),  # what the last state's tasks do
        ("order", "i8", TASKS),  # and in which order they stand
        ("order_was", "i8", TASKS),
        ("depths", "i8", TASKS),  # how many frames the task has that stands in this place of the copy
        ("used", "i8", len(FIXED)),  # how many of each array are in use
        ("suspected", "i8"),
        ("suspects", "i4", WORDS),  # words in which the state may differ from the one that was folded last
        ("changed", "i4", WORDS),  # scratch
        ("names", "i2", (KINDS, WIDEST)),
        ("was", "i2", (KINDS, WIDEST)),  # the names before
        ("is_suspect", "i1", WORDS),
        ("is_stale", "i1", UNITS),  # it is in the queue
        ("stale_tasks", "i1", TASKS),  # tasks in which a word has changed
    ])
)  # fmt: skip


# --- what is to be copied again ------------------------------------------------------------------
@inlined
def make_stale(f, unit):
    """This unit is to be copied again."""
    if f.is_stale[unit] == 0:
        f.is_stale[unit] = 1
        f.queue[f.queued] = unit
        f.queued += 1


@inlined
def make_frames_stale(f, t, begin, end):
    """So many of a task's frames are."""
    for d in range(begin, end):
        make_stale(f, FRAME_UNITS + t * FRAMES + d)


@inlined
def frames_of(k, t):
    """How many frames a task has."""
    task = k.state.tasks[t]
    return task.depth if task.run_state != n.T_FREE else 0


@inlined
def make_task_stale(k, f, t):
    """The frames of a task are that has another name: its own, and those that stand in its place of the copy."""
    name = f.names[TASK, t]
    if name != n.NONE:
        make_frames_stale(f, t, 0, max(frames_of(k, t), f.depths[name]))


@inlined
def suspect(f, which, begin, end):
    """The state may differ in these words from the one that was folded last."""
    for j in range(begin, end):
        i = which[j]
        if f.is_suspect[i] == 0:
            f.is_suspect[i] = 1
            f.suspects[f.suspected] = i
            f.suspected += 1


@compiled
def suspect_all(f):
    """The state may differ in any word from the one that was folded last."""
    for i in range(WORDS):
        f.suspects[i] = i
        f.is_suspect[i] = 1
    f.suspected = WORDS


@compiled
def note_stale(words, f):
    """Which units have other words than the state that was folded last, which this one is from now on.

    True if something has changed on which the names hang.
    """
    naming = np.uint64(0)
    for j in range(f.suspected):
        i = f.suspects[j]
        f.is_suspect[i] = 0
        if words[i] == f.seen[i]:
            continue
        naming |= (words[i] ^ f.seen[i]) & NAMING[i]
        f.seen[i] = words[i]
        first, last = FIRST_OF[i], LAST_OF[i]
        make_stale(f, first)
        if TASK_OF[first] >= 0:
            f.stale_tasks[TASK_OF[first]] = 1
        if last != first:
            make_stale(f, last)
            if TASK_OF[last] >= 0:
                f.stale_tasks[TASK_OF[last]] = 1
    f.suspected = 0
    return naming != 0


def _finder_of_moved() -> Callable[..., Any]:
    """A function that says which things have another name than in the last state (or none now), a bit each.

    They are stale; the places of names that nobody has any more are cleared.
    """
    lines = ["def find_moved(k, f, target, target_words):", "    names, was, moved = f.names, f.was, 0"]
    for place, kind in enumerate(KINDS_RENAMED):
        at, words = units.place(THINGS[kind].array)
        lines += [
            "    other = 0",
            f"    for i in range({ROOMS[place]}):",
            f"        other |= names[{place}, i] ^ was[{place}, i]",
            f"    for i in range({ROOMS[place]} if other else 0):",
            f"        if names[{place}, i] != was[{place}, i]:",
            f"            moved |= bit_of({FIRST_BITS[place]}, i)",
            f"            make_stale(f, {FIRST_BITS[place]} + i)",
            "            make_task_stale(k, f, i)" if place == TASK else "",
            f"    begin, end = names[{COUNT}, {place}], was[{COUNT}, {place}]",
            "    if begin < end:",
            f"        target[{at} + begin * {words} : {at} + end * {words}] = 0",
            f"        work_in(target_words, f, {at} + begin * {words}, (end - begin) * {words})",
            "        f.depths[begin:end] = 0" if place == TASK else "",
        ]
    known = {name: globals()[name] for name in ("bit_of", "make_stale", "make_task_stale", "work_in")}
    return compile_source("find_moved", [*lines, "    return moved"], known, __name__)


# --- copying a unit ------------------------------------------------------------------------------
@compiled
def work_in(target_words, f, at, words):
    """So many of the copy's 16-bit words have been written, from ``at`` on: its fingerprint is that with them."""
    known, changed = f.known, f.changed
    count = find_changes_in(target_words, known, changed, at >> 2, (at + words + 3) >> 2)
    f.key = key_after(target_words, known, changed, count, f.key)
    for j in range(count):
        known[changed[j]] = target_words[changed[j]]


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


def _copier_of_fixed(which: int, each: units.Fixed) -> Callable[..., Any]:
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
FIXED_COPIERS = {f"copy_{each.name}": _copier_of_fixed(which, each) for which, each in enumerate(FIXED)}


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


find_moved = _finder_of_moved()
copy_unit = _copier_of_units()
look_at_used = _looker_at_used()


# --- all of it -----------------------------------------------------------------------------------
@inlined
def things_named(names):
    """How many things have a name."""
    count = 0
    for kind in range(NUMBER):
        count += names[COUNT, kind]
    return count


@compiled
def copy_queue(k, half, c, target, target_words, f, age_counts, at):
    """Copy all units in the queue from ``at`` on: a task's head may add its frames. Returns where it ends."""
    while at < f.queued:
        copy_unit(k, half, c, target, target_words, f, age_counts, f.queue[at])
        at += 1
    return at


@compiled
def copy_all(k, half, c, target, target_words, f, age_counts):
    """Copy what is fixed, the tasks, what has a name, and what gets one by that."""
    names = f.names
    forget_stale(f)
    for unit in range(FIXED_UNITS, UNITS):
        make_stale(f, unit)
    at = copy_queue(k, half, c, target, target_words, f, age_counts, 0)
    for t in range(k.state.n_tasks):
        make_stale(f, HEADS + t)
        at = copy_queue(k, half, c, target, target_words, f, age_counts, at)
    named = 0
    while named < things_named(names):
        named = things_named(names)
        for kind in range(NUMBER):
            while names[COPIED, kind] < names[COUNT, kind]:
                make_stale(f, FIRST_UNITS[kind] + names[NUMBER + kind, names[COPIED, kind]])
                names[COPIED, kind] += 1
                at = copy_queue(k, half, c, target, target_words, f, age_counts, at)


@inlined
def forget_stale(f):
    """Nothing is to be copied again."""
    for j in range(f.queued):
        f.is_stale[f.queue[j]] = 0
    f.queued = 0


@plainly(arrays.copy_all)
@inlined
def copy_names(source, target):
    """From one table of names to another."""
    for row in range(KINDS):
        for i in range(WIDEST):
            target[row, i] = source[row, i]


@compiled
def name_again(k, f, target, target_words):
    """Give the names again; what has another one now is stale, and what numbers it."""
    names, refs = f.names, f.refs
    copy_names(names, f.was)
    give_names(k, names, f.order)
    moved = find_moved(k, f, target, target_words)
    if moved == 0:
        return
    for begin in range(0, UNITS, ROW):
        end, numbered = min(begin + ROW, UNITS), 0
        for unit in range(begin, end):
            numbered |= refs[unit]
        for unit in range(begin, end if numbered & moved else begin):
            if refs[unit] & moved:
                make_stale(f, unit)


@compiled
def go_on(k, half, c, target, target_words, f, naming, age_counts):
    """Make the copy from the last one. True if nothing has got its name by being numbered."""
    other = renew_stances(k, f.alike, f.stances, f.stale_tasks)
    if (naming or other) and (order_tasks(k, f.order, f.order_was, f.alike, f.stances) or naming):
        name_again(k, f, target, target_words)
    before = things_named(f.names)
    look_at_used(k, f)
    copy_queue(k, half, c, target, target_words, f, age_counts, 0)
    return things_named(f.names) == before


@compiled
def make_anew(k, half, c, target, target_words, f, age_counts):
    """Make the copy without the last one. True if nothing has got its name by being numbered."""
    target[:] = 0
    f.known[:] = 0
    f.depths[:] = 0
    f.key = fingerprint(f.known)
    f.stale_tasks[:] = 1
    renew_stances(k, f.alike, f.stances, f.stale_tasks)
    order_tasks(k, f.order, f.order_was, f.alike, f.stances)
    give_names(k, f.names, f.order)
    before = things_named(f.names)
    look_at_used(k, f)
    copy_all(k, half, c, target, target_words, f, age_counts)
    return things_named(f.names) == before


@compiled
def canonical(k, words, half, c, target, target_words, f, age_counts):
    """Write the canonical copy of ``k``'s state to ``c``, and its fingerprint to ``f.key``.

    ``words`` and ``half`` are the state's 64 and 16-bit words, ``target_words`` and ``target`` the copy's; ``f`` a
    FOLDING, which is the same for all states of a search.
    """
    naming = note_stale(words, f)
    if f.goes_on:
        f.goes_on = go_on(k, half, c, target, target_words, f, naming, age_counts)
    if not f.goes_on:
        f.goes_on = make_anew(k, half, c, target, target_words, f, age_counts)
    forget_stale(f)
    f.stale_tasks[:] = 0


@compiled
def folded_key(k, words, half, c, target, target_words, f, age_counts):
    """The fingerprint of the canonical copy of the state as it stands."""
    canonical(k, words, half, c, target, target_words, f, age_counts)
    return f.key


@compiled
def start_folding(f):
    """The next state is the first one of a search: whatever was folded before, with other settings, is forgotten."""
    f.goes_on = 0
    suspect_all(f)
