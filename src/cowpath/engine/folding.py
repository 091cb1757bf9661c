"""What folding keeps from one state to the next, and which units of the copy are to be made again (``canonical``)."""

from __future__ import annotations

import numpy as np

from cowpath.kernel import names as n
from cowpath.kernel.compiled import compiled, inlined, plainly
from cowpath.kernel.records import FRAMES
from cowpath.kernel.state import EXPLORE

from . import arrays
from .changes import find_changes_in, key_after
from .fold import KINDS, TASK, WIDEST
from .units import FIRST_OF, FIXED, FRAME_UNITS, LAST_OF, NAMING, TASK_OF, UNITS, WORDS

TASKS = EXPLORE.tasks

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
        ("suspects", "i4", WORDS),  # words in which the state may differ from the one that was folded last, some twice
        ("changed", "i4", WORDS),  # scratch
        ("names", "i2", (KINDS, WIDEST)),
        ("was", "i2", (KINDS, WIDEST)),  # the names before
        ("is_stale", "i1", UNITS),  # it is in the queue
        ("stale_tasks", "i1", TASKS),  # tasks in which a word has changed
    ])
)  # fmt: skip


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
    count = f.suspected
    if count == WORDS:  # all are
        return
    if count + end - begin >= WORDS:
        suspect_all(f)
        return
    for j in range(end - begin):
        f.suspects[count + j] = which[begin + j]
    f.suspected = count + end - begin


@plainly(arrays.suspect_all)
@compiled
def suspect_all(f):
    """The state may differ in any word from the one that was folded last."""
    suspects = f.suspects
    for i in range(WORDS):
        suspects[i] = i
    f.suspected = WORDS


@compiled
def note_stale(words, f):
    """Which units have other words than the state that was folded last, which this one is from now on.

    True if something has changed on which the names hang.
    """
    suspects, seen = f.suspects, f.seen
    naming = np.uint64(0)
    for j in range(f.suspected):
        i = suspects[j]
        if words[i] == seen[i]:
            continue
        naming |= (words[i] ^ seen[i]) & NAMING[i]
        seen[i] = words[i]
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


@inlined
def forget_stale(f):
    """Nothing is to be copied again."""
    for j in range(f.queued):
        f.is_stale[f.queue[j]] = 0
    f.queued = 0


@compiled
def work_in(target_words, f, at, words):
    """So many of the copy's 16-bit words have been written, from ``at`` on: its fingerprint is that with them."""
    known, changed = f.known, f.changed
    count = find_changes_in(target_words, known, changed, at >> 2, (at + words + 3) >> 2)
    f.key = key_after(target_words, known, changed, count, f.key)
    for j in range(count):
        known[changed[j]] = target_words[changed[j]]
