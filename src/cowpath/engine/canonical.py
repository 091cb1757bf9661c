"""The canonical copy of a state, and its fingerprint: made from those of the state that was folded last.

All in a copy that bears an arbitrary number is renumbered (``fold``); free lists and what lies on them are left out.
What is in use is copied, and all that a copied record's fields number, with every field that the layout does not call
``folded``. Which fields number what, the layout says, too.

From one state to the next few records change, and few names. So the last copy is gone on from: what is copied again are
the units (a record; of a task, each frame and the rest of it; all that bears no arbitrary number) in which a word has
changed, whose own name has changed, or in which something is numbered whose name has. All other units are the same by
construction: a unit's copy is a function of its words and of the names of what it numbers. Where a thing gets its name
only because a unit numbers it (``fold``'s walk has not met it), the whole copy is made anew, and so is the next one.
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
from cowpath.kernel.state import EXPLORE, state_record

from . import arrays
from .changes import find_changes, key_after
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
)
from .renaming import field_lines, renames

STATE = state_record(EXPLORE)
LAYOUT = STATE.narrow
HALVES = LAYOUT.itemsize // 2
WORDS = LAYOUT.itemsize // 8
ALL = -1  # every bit

# units: REST, then the things of each kind (of a task all but its frames), then the tasks' frames
REST = 0
FIRST_UNITS = [1 + first for first in FIRST_BITS]
FRAME_UNITS = 1 + sum(ROOMS)
UNITS = FRAME_UNITS + EXPLORE.tasks * FRAMES


# --- where the units are -------------------------------------------------------------------------
def _place(array: str) -> tuple[int, int]:
    """Where the records of an array begin, and how many 16-bit words each has."""
    dtype, offset = LAYOUT.fields[array][:2]  # type: ignore[index]
    return offset // 2, dtype.base.itemsize // 2


TASK_AT, TASK_WORDS = _place("tasks")
HEAD_WORDS = records.task.narrow.fields["frames"][1] // 2  # type: ignore[index]
FRAME_WORDS = records.frame.narrow.itemsize // 2
assert HEAD_WORDS + FRAMES * FRAME_WORDS == TASK_WORDS


def _units_of_halves() -> np.ndarray[Any, Any]:
    """For each 16-bit word of the state its unit."""
    units = np.full(HALVES, REST)
    for first, room, kind in zip(FIRST_UNITS, ROOMS, KINDS_RENAMED, strict=True):
        at, words = _place(THINGS[kind].array)
        units[at : at + room * words] = np.repeat(np.arange(first, first + room), words)
    for t in range(EXPLORE.tasks):
        at = TASK_AT + t * TASK_WORDS + HEAD_WORDS
        frames = FRAME_UNITS + t * FRAMES + np.arange(FRAMES)
        units[at : at + FRAMES * FRAME_WORDS] = np.repeat(frames, FRAME_WORDS)
    return units


_UNITS = np.append(_units_of_halves(), np.full(-HALVES % 4, REST)).reshape(-1, 4)
FIRST_OF, LAST_OF = _UNITS[:, 0].copy(), _UNITS[:, -1].copy()  # for each word: in records so large there are no more
assert ((_UNITS == FIRST_OF[:, None]) | (_UNITS == LAST_OF[:, None])).all()
TASK_OF = np.full(UNITS, -1)  # whose unit it is
TASK_OF[FIRST_UNITS[TASK] : FIRST_UNITS[TASK] + EXPLORE.tasks] = np.arange(EXPLORE.tasks)
TASK_OF[FRAME_UNITS:] = np.repeat(np.arange(EXPLORE.tasks), FRAMES)


FOLDING = np.dtype(
    (np.record, [
        ("goes_on", "i8"),  # there is a last copy that can be gone on from
        ("key", "u8"),  # the fingerprint of
        ("known", "u8", WORDS),  # this copy
        ("seen", "u8", WORDS),  # the state that was folded last
        ("changed", "i4", WORDS),  # scratch
        ("names", "i2", (KINDS, WIDEST)),
        ("was", "i2", (KINDS, WIDEST)),  # the last state's
        ("alike", "i8", EXPLORE.tasks),  # for each task the first of those that are alike
        ("stances", "i8", EXPLORE.tasks),  # of the last state's tasks
        ("depths", "i8", EXPLORE.tasks),  # of the last state's tasks: frames, or NONE of one that is not there
        ("stale_tasks", "i1", EXPLORE.tasks),  # tasks in which a word has changed
        ("stale", "i1", UNITS),  # units that are to be copied again
        ("refs", "i8", UNITS),  # what each unit's fields number, a bit each (fold.bit_of)
    ])
)  # fmt: skip


# --- copying a unit ------------------------------------------------------------------------------
def _renamer(name: str, kind: Record) -> Callable[..., Any]:
    """A function that renames what the fields of a record number; what they number is noted in ``refs[unit]``."""
    lines = [f"def {name}(names, refs, unit, r):", *field_lines(kind, "r", renames), "    return"]
    return compile_source(name, lines, NAME_OF, __name__)


def _copier(kind: str, place: int) -> Callable[..., Any]:
    """A function that copies the records of a kind that have a name and have not been looked at, if they are stale."""
    array = THINGS[kind].array
    at, words = _place(array)
    lines = [
        f"def copy_{array}(half, c, target, names, refs, stale, moved):",
        f"    while names[{COPIED}, {place}] < names[{COUNT}, {place}]:",
        f"        name = names[{COPIED}, {place}]",
        f"        names[{COPIED}, {place}] = name + 1",
        f"        number = names[{NUMBER + place}, name]",
        f"        unit = {FIRST_UNITS[place]} + number",
        "        if stale[unit] or refs[unit] & moved:",
        "            refs[unit] = 0",
        f"            copy_row(half, target, {at} + number * {words}, {at} + name * {words}, {words})",
        f"            rename_{kind}(names, refs, unit, c.state.{array}[name])",
        "    return",
    ]
    fields = STATE.fields[array].of
    assert isinstance(fields, Record)
    known = {"copy_row": copy_row, f"rename_{kind}": _renamer(f"rename_{kind}", fields)}
    return compile_source(f"copy_{array}", lines, known, __name__)


def _copier_of_rest() -> Callable[..., Any]:
    """A function that copies what bears no arbitrary number, and renames in it."""
    named = {THINGS[kind].array for kind in KINDS_RENAMED}
    rest = Record({name: field for name, field in STATE.fields.items() if name not in named})
    spans: list[list[int]] = []  # of 16-bit words, that touch one another made one
    for name in rest.fields:
        dtype, offset = LAYOUT.fields[name][:2]  # type: ignore[index]
        begin, end = offset // 2, (offset + dtype.itemsize) // 2
        if spans and spans[-1][1] == begin:
            spans[-1][1] = end
        else:
            spans.append([begin, end])
    lines = ["def copy_rest(half, c, target, names, refs):", f"    refs[{REST}] = 0"]
    lines += [f"    copy_row(half, target, {begin}, {begin}, {end - begin})" for begin, end in spans]
    lines.append(f"    rename_rest(names, refs, {REST}, c.state)")
    known = {"copy_row": copy_row, "rename_rest": _renamer("rename_rest", rest)}
    return compile_source("copy_rest", lines, known, __name__)


@plainly(arrays.copy_row)
@compiled
def copy_row(source, target, start, to, words):
    """So many 16-bit words, as they stand, from one place to another one."""
    for i in range(words):
        target[to + i] = source[start + i]


copy_rest = _copier_of_rest()
COPIERS = {kind: _copier(kind, place) for place, kind in enumerate(KINDS_RENAMED) if kind != "task"}
copy_pages, copy_mms, copy_vmas, copy_directories, copy_tables, copy_requests = COPIERS.values()
rename_head = _renamer("rename_head", Record({k: v for k, v in records.task.fields.items() if k != "frames"}))
rename_frame = _renamer("rename_frame", records.frame)
HEADS, TASK_BITS = FIRST_UNITS[TASK], FIRST_BITS[TASK]


@compiled
def copy_tasks(k, half, c, target, names, refs, stale, moved, depths, age_counts):
    """Tasks that are there. Their age is not state where nobody is chosen by it."""
    for t in range(k.state.n_tasks):
        task = k.state.tasks[t]
        depth = task.depth if task.run_state != n.T_FREE else n.NONE
        name = names[TASK, t]
        to = TASK_AT + name * TASK_WORDS
        frames_again = depth != depths[t] or moved & bit_of(TASK_BITS, t)
        depths[t] = depth
        unit = HEADS + t
        if stale[unit] or refs[unit] & moved or frames_again:
            refs[unit] = 0
            if depth == n.NONE:
                target[to : to + TASK_WORDS] = 0
            else:
                copy_row(half, target, TASK_AT + t * TASK_WORDS, to, HEAD_WORDS)
                rename_head(names, refs, unit, c.state.tasks[name])
                if not age_counts:
                    c.state.tasks[name].born = 0
        for d in range(FRAMES if depth != n.NONE else 0):
            unit = FRAME_UNITS + t * FRAMES + d
            if stale[unit] or refs[unit] & moved or frames_again:
                refs[unit] = 0
                within = HEAD_WORDS + d * FRAME_WORDS
                copy_row(half, target, TASK_AT + t * TASK_WORDS + within, to + within, FRAME_WORDS)
                if d < depth:
                    rename_frame(names, refs, unit, c.state.tasks[name].frames[d])


# --- all of it -----------------------------------------------------------------------------------
@inlined
def note_stale(words, seen, changed, stale, stale_tasks):
    """Which units have other words than the state that was folded last, which this one is from now on."""
    for j in range(find_changes(words, seen, changed)):
        i = changed[j]
        seen[i] = words[i]
        first, last = FIRST_OF[i], LAST_OF[i]
        stale[first] = stale[last] = 1
        if TASK_OF[first] >= 0:
            stale_tasks[TASK_OF[first]] = 1
        if TASK_OF[last] >= 0:
            stale_tasks[TASK_OF[last]] = 1


def _finder_of_moved() -> Callable[..., Any]:
    """A function that says which things have another name than in the last state (or none now), a bit each.

    They are stale; the places of names that nobody has any more are cleared.
    """
    lines = ["def find_moved(names, was, stale, target):", "    moved = 0"]
    for place, kind in enumerate(KINDS_RENAMED):
        at, words = _place(THINGS[kind].array)
        lines += [
            f"    for i in range({ROOMS[place]}):",
            f"        if names[{place}, i] != was[{place}, i]:",
            f"            moved |= bit_of({FIRST_BITS[place]}, i)",
            f"            stale[{FIRST_UNITS[place]} + i] = 1",
            f"    begin, end = names[{COUNT}, {place}], was[{COUNT}, {place}]",
            "    if begin < end:",
            f"        target[{at} + begin * {words} : {at} + end * {words}] = 0",
        ]
    return compile_source("find_moved", [*lines, "    return moved"], {"bit_of": bit_of}, __name__)


find_moved = _finder_of_moved()


@inlined
def things_named(names):
    """How many things have a name."""
    count = 0
    for kind in range(NUMBER):
        count += names[COUNT, kind]
    return count


@compiled
def all_looked_at(names):
    """Nothing has got a name since its kind was copied."""
    for kind in range(NUMBER):
        if kind != TASK and names[COPIED, kind] < names[COUNT, kind]:
            return False
    return True


@compiled
def copy_stale(k, half, c, target, names, refs, stale, moved, depths, age_counts):
    """Copy what is stale. True if nothing has got its name by that."""
    before = things_named(names)
    if stale[REST] or refs[REST] & moved:
        copy_rest(half, c, target, names, refs)
    copy_tasks(k, half, c, target, names, refs, stale, moved, depths, age_counts)
    while True:
        copy_pages(half, c, target, names, refs, stale, moved)
        copy_mms(half, c, target, names, refs, stale, moved)
        copy_vmas(half, c, target, names, refs, stale, moved)
        copy_directories(half, c, target, names, refs, stale, moved)
        copy_tables(half, c, target, names, refs, stale, moved)
        copy_requests(half, c, target, names, refs, stale, moved)
        if all_looked_at(names):
            return things_named(names) == before


@plainly(arrays.copy_all)
@inlined
def copy_names(source, target):
    """From one table of names to another."""
    for row in range(KINDS):
        for i in range(WIDEST):
            target[row, i] = source[row, i]


@compiled
def canonical(k, words, half, c, target, f, age_counts):
    """Write the canonical copy of ``k``'s state to ``c``. ``words`` and ``half`` are the state's 64 and 16-bit words,
    ``target`` the copy's 16-bit words; ``f`` a FOLDING, which is the same for all states of a search.
    """
    names, stale, stale_tasks, refs, depths = f.names, f.stale, f.stale_tasks, f.refs, f.depths
    note_stale(words, f.seen, f.changed, stale, stale_tasks)
    if f.goes_on:
        give_names(k, names, f.alike, f.stances, stale_tasks)
        moved = find_moved(names, f.was, stale, target)
        f.goes_on = copy_stale(k, half, c, target, names, refs, stale, moved, depths, age_counts)
    if not f.goes_on:
        target[:] = 0
        stale[:] = 1
        stale_tasks[:] = 1
        give_names(k, names, f.alike, f.stances, stale_tasks)
        f.goes_on = copy_stale(k, half, c, target, names, refs, stale, ALL, depths, age_counts)
    copy_names(names, f.was)
    stale[:] = 0
    stale_tasks[:] = 0


@compiled
def folded_key(k, words, half, c, target, target_words, f, age_counts):
    """The fingerprint of the canonical copy of the state as it stands."""
    canonical(k, words, half, c, target, f, age_counts)
    known, changed = f.known, f.changed
    count = find_changes(target_words, known, changed)
    f.key = key_after(target_words, known, changed, count, f.key)
    for j in range(count):
        known[changed[j]] = target_words[changed[j]]
    return f.key


@compiled
def start_folding(f):
    """The next state is the first one of a search: whatever was folded before, with other settings, is forgotten."""
    f.goes_on = 0
    f.known[:] = 0
    f.key = fingerprint(f.known)
