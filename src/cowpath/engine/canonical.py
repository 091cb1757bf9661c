"""The canonical copy of a state, and its fingerprint: made from those of the state that was folded last.

All in a copy that bears an arbitrary number is renumbered (``fold``); free lists and what lies on them are left out.
What is in use is copied, and all that a copied record's fields number, with every field that the layout does not call
``folded``. Which fields number what, the layout says, too.

From one state to the next few records change, and few names. So the last copy is gone on from: what is copied again are
the units (``units``) in which a word has changed, whose own name has changed, or in which something is numbered whose
name has; and the names are given again only where something has changed on which they hang. All other units are the
same by construction: a unit's copy is a function of its words and of the names of what it numbers. Where a thing gets
its name only because a unit numbers it (``fold``'s walk has not met it), the whole copy is made anew, and so is the
next one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cowpath.kernel.compiled import compiled, inlined, plainly
from cowpath.kernel.generated import compile_source
from cowpath.kernel.records import THINGS

from . import arrays, units
from .copiers import copy_unit, look_at_used
from .fingerprint import fingerprint
from .fold import (
    COPIED,
    COUNT,
    FIRST_BITS,
    KINDS,
    KINDS_RENAMED,
    NUMBER,
    ROOMS,
    TASK,
    WIDEST,
    bit_of,
    give_names,
    order_tasks,
    renew_stances,
)
from .folding import forget_stale, make_stale, make_task_stale, note_stale, suspect_all, work_in
from .units import FIXED_UNITS, HEADS, UNITS

FIRST_UNITS = np.array(FIRST_BITS)  # of each kind
ROW = 16  # units that are looked at together


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
    known = {"bit_of": bit_of, "make_stale": make_stale, "make_task_stale": make_task_stale, "work_in": work_in}
    return compile_source("find_moved", [*lines, "    return moved"], known, __name__)


find_moved = _finder_of_moved()


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
