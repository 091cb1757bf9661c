"""The driver ``explore``: visits every state that a small machine can reach, breadth first.

What has been visited is a table of fingerprints. The frontier holds states, of each the words that have ever changed
(``live``): most of a machine never does. For each state the number of the one it was reached from and the mover are
kept, so a way back is a shortest schedule. To fold a state costs more than all else, and most are reached several
times within a short while: for some of them it is remembered what that came to (``memo``). All arrays are Python's (a
``Search``); ``expand`` returns when one of them is full, after so many states, and at the end of a level.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cowpath.kernel import names as n
from cowpath.kernel.compiled import compiled, driver, entry_point, inlined

from .changes import find_changes, key_after, load, note_live, put_back
from .coverage import forget_coverage
from .fingerprint import fingerprint
from .fold import canonical
from .local import is_local
from .moves import DISK, MOVERS, can_move, move
from .properties import OF_STATES, marks, offender, violated
from .script import bring_to, play, time_goes_on, who_can_move
from .standstill import write_survey
from .waitfor import find_delay, find_holder_of_memory

# why ``expand`` returned
LEVEL = 0  # every state of the frontier is expanded, and the caller wants to know
BUDGET = 1  # so many are: time for progress and Ctrl-C
FULL = 2  # an array has no room: the caller makes it larger and goes on
EXHAUSTED = 3  # the small machine has run out of something: books.error
FOUND = 4  # all properties that were wanted are violated already
DONE = 5  # every state is expanded

# what ``drive`` is to do
EXPAND = 0  # a = how many states at most
BEGIN = 1
PLAY = 2  # the first a of ``script`` are movers; returns how many could move
BRING = 3  # task a to instruction b; returns -1 if it never comes there
SETTLE = 4  # let the disk, workers and timers do what they have to
WHO = 5  # returns who can move, a bit each
OFFENDER = 6  # returns who or what violates property of states a, or OK
HOLDER = 7  # returns the task at the end of task a's wait-for chain (b: at what delays it), or NONE; it surveys first
MOST_MOVES = 20_000  # of one task on its way to the start

# numbers in Search.counts
STATES = 0
EDGES = 1
NEXT = 2  # states in the next frontier
FRONTIER = 3  # states in this one
AT = 4  # of these, expanded
TRANSITIONS = 5
REDUCED = 6  # states of which only one move was made
LIVE = 7  # words of the state that have ever changed
SIDE = 8  # which half of the frontiers is this one
LEVELS = 9  # frontiers so far: the depth of this one, and 1
COUNTS = 10

# switches (Search.options)
FOLD = 0
REDUCE = 1
KEEP_EDGES = 2
AGE_COUNTS = 3
WANTED = 4  # properties of states, a bit each
STOP = 5  # stop when all of them have been violated (1), or any of them (AT_FIRST)
BY_LEVEL = 6  # return at the end of each level
MOST = 7  # states: return BUDGET when there are more
OPTIONS = 8

AT_FIRST = 2

ROOT = -1  # parent of the first state


NODE = np.dtype((np.record, [("parent", "i4"), ("marks", "i4"), ("first_edge", "i4"), ("mover", "i4")]))
EDGE = np.dtype((np.record, [("to", "i4"), ("mover", "i2"), ("progress", "i2")]))  # progress: a bit for each group
PLACE = np.dtype((np.record, [("tag", "u8"), ("state", "i8")]))  # of the table
ENTRY = np.dtype(  # of a frontier; raw: the state's own fingerprint, not folded; length: live words then
    (np.record, [("raw", "u8"), ("state", "i4"), ("length", "i4")])
)
MEMO = np.dtype((np.record, [("raw", "u8"), ("key", "u8")]))  # a fingerprint and that of the canonical copy; 0, 0: free


class Search(NamedTuple):
    """The arrays of a search. ``words`` and ``half`` are the machine's state, ``target*`` the canonical copy's.

    Compiled functions are handed the arrays that they work on: to take one out of this tuple counts a reference to it,
    which costs more than most of what is done with it.
    """

    words: Any  # u8[W]
    half: Any  # i2[4 W]
    first: Any  # u8[W], the first state
    before: Any  # u8[W], the state that is being expanded
    changed: Any  # i4[W], the words that a move has changed
    live: Any  # i4[W], the words that have ever changed, as they came
    is_live: Any  # i1[W]
    target_words: Any
    target: Any
    names: Any  # i2, fold.KINDS rows
    alike: Any  # i8, for each task the first of those that are alike
    stances: Any  # i8, scratch
    memo: Any  # MEMO, a power of two of them
    options: Any  # i8[OPTIONS]
    counts: Any  # i8[COUNTS]
    frontiers: Any  # u8[2, n, width], the live words of the states of this frontier and of the next
    entries: Any  # ENTRY[2, n]
    table: Any  # PLACE, a power of two of them: tag 0 is free
    nodes: Any  # NODE, for each state
    edges: Any  # EDGE; those of a state stand together, the states in the order of their numbers
    found: Any  # i4, for each property of states the first that violates it, or -1
    script: Any  # i8, movers for PLAY


@entry_point
def grow_table(old, table):
    """Enter all fingerprints of a full table into a larger one."""
    for i in range(len(old)):
        if old[i].tag != 0:
            at = find(table, old[i].tag)
            table[at].tag = old[i].tag
            table[at].state = old[i].state


@compiled
def progress_mask(k):
    """The groups in which the move just made brought a charge, an uncharge or an exit about."""
    mask = 0
    for g in range(1, k.state.n_groups):
        if k.books.groups[g].progress_at == k.books.now:
            mask |= 1 << g
    return mask


@compiled
def forget_progress(k):
    """Before a move: nobody has made progress."""
    for g in range(1, k.state.n_groups):
        k.books.groups[g].progress_at = 0


@compiled
def folded_key(k, c, x):
    """The fingerprint of the canonical copy of the state as it stands."""
    canonical(k, x.half, c, x.target, x.names, x.alike, x.stances, x.options[AGE_COUNTS])
    return fingerprint(x.target_words)


@compiled
def remembered_key(k, c, x, raw):
    """The same, of a state with this fingerprint of its own: looked up where that is remembered."""
    known = x.memo[np.int64(raw & np.uint64(len(x.memo) - 1))]
    if known.raw != raw or known.key == 0:
        known.raw, known.key = raw, folded_key(k, c, x)
    return known.key


@inlined
def tag_of(key):
    """What stands in the table for a fingerprint: not 0, which is a free place."""
    return key if key != 0 else np.uint64(1)


@inlined
def find(table, tag):
    """The place of a fingerprint in the table, or of the free place where it belongs."""
    mask = len(table) - 1
    at = np.int64(tag & np.uint64(mask))
    while table[at].tag != 0 and table[at].tag != tag:
        at = (at + 1) & mask
    return at


@inlined
def is_full(counts, options, nodes, table, entries, edges):
    """The next state's successors might not find room."""
    states = counts[STATES] + MOVERS
    if states > len(nodes) or 8 * states > 5 * len(table) or counts[NEXT] + MOVERS > len(entries):
        return True
    return options[KEEP_EDGES] != 0 and counts[EDGES] + MOVERS > len(edges)


@compiled
def expand(k, c, x, budget):
    """Expand states, level by level. Returns why it stopped."""
    counts = x.counts
    while True:
        at = counts[AT]
        why = expand_level(k, c, x, budget)
        budget -= counts[AT] - at
        if why != LEVEL:
            return why
        if counts[NEXT] == 0:
            return DONE
        counts[SIDE] = 1 - counts[SIDE]
        counts[FRONTIER] = counts[NEXT]
        counts[NEXT] = 0
        counts[AT] = 0
        counts[LEVELS] += 1
        if x.options[BY_LEVEL]:
            return LEVEL


@compiled
def expand_level(k, c, x, budget):
    """Expand states of the frontier, from counts[AT] on. Returns why it stopped."""
    words, before, changed, live, is_live = x.words, x.before, x.changed, x.live, x.is_live
    side = x.counts[SIDE]
    first, frontier, entries = x.first, x.frontiers[side], x.entries[side]
    following, coming = x.frontiers[1 - side], x.entries[1 - side]
    counts, options, table, nodes, edges, found = x.counts, x.options, x.table, x.nodes, x.edges, x.found
    fold, keep_edges, wanted, width = options[FOLD] != 0, options[KEEP_EDGES] != 0, options[WANTED], following.shape[1]
    while counts[AT] < counts[FRONTIER]:
        if budget <= 0 or counts[STATES] > options[MOST]:
            return BUDGET
        budget -= 1
        if is_full(counts, options, nodes, table, coming, edges):
            return FULL
        at = counts[AT]
        source = entries[at].state
        h = entries[at].raw
        load(words, before, first, live, counts[LIVE], frontier[at], entries[at].length)
        nodes[source].first_edge = counts[EDGES]
        made = counts[TRANSITIONS]
        alone = choose_alone(k, c, x, h) if options[REDUCE] != 0 else n.NONE
        for mover in range(MOVERS):
            if (alone != n.NONE and mover != alone) or not can_move(k, mover):
                continue
            if keep_edges:
                forget_progress(k)
            move(k, mover)
            if k.books.error:
                return EXHAUSTED
            changes = find_changes(words, before, changed)
            counts[LIVE] = note_live(changed, changes, live, is_live, counts[LIVE])
            if counts[LIVE] > width:  # the rows are too short for what has changed now: again, with longer ones
                put_back(words, before, changed, changes)
                counts[EDGES] = nodes[source].first_edge
                counts[TRANSITIONS] = made
                return FULL
            counts[TRANSITIONS] += 1
            raw = key_after(words, before, changed, changes, h)
            key = remembered_key(k, c, x, raw) if fold else raw
            place = find(table, tag_of(key))
            if table[place].tag == 0:
                table[place].tag = tag_of(key)
                table[place].state = counts[STATES]
                enter(words, live, counts, following[counts[NEXT]], coming, nodes, source, mover, raw)
                if wanted:
                    note_violations(k, wanted, found, counts[STATES] - 1)
                if keep_edges:
                    nodes[counts[STATES] - 1].marks = marks(k)
            if keep_edges:
                edge = edges[counts[EDGES]]
                edge.to, edge.mover, edge.progress = table[place].state, mover, progress_mask(k)
                counts[EDGES] += 1
            put_back(words, before, changed, changes)
        counts[REDUCED] += alone != n.NONE
        counts[AT] += 1
        if options[STOP] and enough_found(found, wanted, options[STOP] == AT_FIRST):
            return FOUND
    return LEVEL


@compiled
def choose_alone(k, c, x, h):
    """A task whose next move is local and leads to a state that has not been seen, or NONE."""
    for t in range(DISK):
        if not can_move(k, t) or not is_local(k, t):
            continue
        move(k, t)
        changes = find_changes(x.words, x.before, x.changed)
        raw = key_after(x.words, x.before, x.changed, changes, h)
        key = remembered_key(k, c, x, raw) if x.options[FOLD] != 0 else raw
        put_back(x.words, x.before, x.changed, changes)
        if x.table[find(x.table, tag_of(key))].tag == 0:
            return t
    return n.NONE


@inlined
def enter(words, live, counts, row, coming, nodes, source, mover, raw):
    """A new state, and where it comes from: it is in the next frontier."""
    for j in range(counts[LIVE]):
        row[j] = words[live[j]]
    entry = coming[counts[NEXT]]
    entry.raw, entry.state, entry.length = raw, counts[STATES], counts[LIVE]
    node = nodes[counts[STATES]]
    node.parent, node.mover = source, mover
    counts[NEXT] += 1
    counts[STATES] += 1


@compiled
def note_violations(k, wanted, found, state):
    """Which properties of states are violated for the first time."""
    bad = violated(k, wanted)
    for which in range(OF_STATES):
        if (bad >> which) & 1 and found[which] < 0:
            found[which] = state


@compiled
def enough_found(found, wanted, one_is_enough):
    """Every wanted property of states has been violated, or one of them."""
    missing = 0
    for which in range(OF_STATES):
        if (wanted >> which) & 1:
            if found[which] < 0:
                missing += 1
            elif one_is_enough:
                return True
    return wanted != 0 and missing == 0


@compiled
def begin(k, c, x):
    """Enter the state as it stands as the first one."""
    for i in range(len(x.words)):
        x.first[i] = x.words[i]
        x.before[i] = x.words[i]
    raw = fingerprint(x.words)
    key = folded_key(k, c, x) if x.options[FOLD] != 0 else raw
    place = find(x.table, tag_of(key))
    x.table[place].tag = tag_of(key)
    x.table[place].state = 0
    enter(x.words, x.live, x.counts, x.frontiers[1, 0], x.entries[1], x.nodes, ROOT, 0, raw)
    note_violations(k, x.options[WANTED], x.found, 0)
    forget_coverage(k)
    x.nodes[0].marks = marks(k)


@driver
def drive(what, k, c, x, a, b):
    """Python's way in to all of the above: one, so that the kernel is compiled once for it."""
    k.books.now = 1
    if what == EXPAND:
        return expand(k, c, x, a)
    if what == BEGIN:
        begin(k, c, x)
    elif what == PLAY:
        return play(k, x.script[:a])
    elif what == BRING:
        return bring_to(k, a, b, MOST_MOVES)
    elif what == SETTLE:
        for _ in range(MOST_MOVES):
            if not time_goes_on(k):
                break
    elif what == WHO:
        return who_can_move(k)
    elif what == OFFENDER:
        return offender(k, a)
    elif what == HOLDER:
        write_survey(k)
        return find_delay(k, a) if b else find_holder_of_memory(k, a)
    return 0
