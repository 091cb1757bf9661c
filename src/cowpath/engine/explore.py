"""The driver ``explore``: visits every state that a small machine can reach, breadth first.

What has been visited is a table of fingerprints. The frontier holds states, of each what differs from the one before
it (``changes``). All moves of a state are made first, then their fingerprints are looked up: the table is larger than
the processor's caches, and is asked for its places meanwhile. For each state the number of the one it was reached from
and the mover are kept, so a way back is a shortest schedule; a state's number in the table, only where edges are
wanted. To fold a state costs more than all else, and most are reached several times within a short while: for some of
them it is remembered what that came to (``memo``). All arrays are Python's (a ``Search``); ``expand`` returns when one
of them is full, after so many states, and at the end of a level.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cowpath.kernel.compiled import compiled, driver, entry_point, inlined

from .canonical import folded_key, start_folding
from .changes import find_changes, keep_changes, key_after, load, put_back, restart, write_down
from .coverage import forget_coverage
from .fingerprint import fingerprint
from .folding import suspect, suspect_all
from .local import is_local
from .moves import DISK, MOVERS, can_move, move, who_moves
from .properties import OF_STATES, marks, offender, violated
from .script import bring_to, play, time_goes_on, who_can_move
from .standstill import write_survey
from .vector import prefetch
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
FIRST = 7  # the number of the first state of this frontier: the others follow
SIDE = 8  # which half of the frontiers is this one
LEVELS = 9  # frontiers so far: the depth of this one, and 1
ASTRAY = 10  # words in which the state that is expanded may differ from the one that was entered last
FROM = 11  # where the next state of this frontier is written
END = 12  # where the next frontier ends
COUNTS = 13

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


NODE = np.dtype((np.record, [("marks", "i4"), ("first_edge", "i4")]))
EDGE = np.dtype((np.record, [("to", "i4"), ("mover", "i2"), ("progress", "i2")]))  # progress: a bit for each group
# a move that has been made; raw: the state's own fingerprint, not folded; begin, end: in ``which`` and ``values``
PENDING = np.dtype(
    (np.record, [("raw", "u8"), ("key", "u8"), ("mover", "i4"), ("begin", "i4"), ("end", "i4"), ("progress", "i8")])
)
MEMO = np.dtype((np.record, [("raw", "u8"), ("key", "u8")]))  # a fingerprint and that of the canonical copy; 0, 0: free


class Search(NamedTuple):
    """The arrays of a search. ``words`` and ``half`` are the machine's state, ``target*`` the canonical copy's."""

    words: Any  # u8[W]
    half: Any  # i2[4 W]
    first: Any  # u8[W], the first state
    before: Any  # u8[W], the state that is being expanded
    changed: Any  # i4[W], the words that a move has changed
    last: Any  # u8[W], the state that was entered last
    astray: Any  # i4[W], the words in which ``before`` may differ from it
    is_astray: Any  # i1[W]
    movers: Any  # i8[MOVERS], who can move
    pending: Any  # PENDING[MOVERS], the moves made of the state that is expanded
    turns: Any  # i8[MOVERS], which of them are to be looked up, in this order
    which: Any  # u2[MOVERS W], the words that they have changed
    values: Any  # u8[MOVERS W], and to what
    target_words: Any
    target: Any
    memo: Any  # MEMO, a power of two of them
    options: Any  # i8[OPTIONS]
    counts: Any  # i8[COUNTS]
    raws: Any  # u8[2, n], of the states of this frontier and of the next their own fingerprints
    lengths: Any  # u2[2, n], and in how many words each differs from the one before it
    places: Any  # u2[2, m], which these are
    contents: Any  # u8[2, m], and what they say
    table: Any  # u8, a power of two of them: what has been visited, 0 is free
    numbers: Any  # i4, the states that stand there, if edges are kept
    parents: Any  # i4, for each state the one it was reached from
    movers_to: Any  # i1, and by whose move
    nodes: Any  # NODE, for each state, if edges are kept
    edges: Any  # EDGE; those of a state stand together, the states in the order of their numbers
    found: Any  # i4, for each property of states the first that violates it, or -1
    script: Any  # i8, movers for PLAY


@entry_point
def grow_table(old, old_numbers, table, numbers):
    """Enter all fingerprints of a full table into a larger one, and their states' numbers, if these are kept."""
    for i in range(len(old)):
        if old[i] != 0:
            at = find(table, old[i])
            table[at] = old[i]
            if len(numbers) == len(table):
                numbers[at] = old_numbers[i]


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


@inlined
def remembered_key(k, c, f, x, raw, changed, changes):
    """The fingerprint of the canonical copy of the state as it stands, whose own is ``raw``: looked up, if it has been
    met lately. In these ``changed`` words it differs from the one that is expanded.
    """
    known = x.memo[np.int64(raw & np.uint64(len(x.memo) - 1))]
    if known.raw != raw or known.key == 0:
        known.raw = raw
        suspect(f, changed, 0, changes)
        known.key = folded_key(k, x.words, x.half, c, x.target, x.target_words, f, x.options[AGE_COUNTS])
        suspect(f, changed, 0, changes)
    return known.key


@inlined
def tag_of(key):
    """What stands in the table for a fingerprint: not 0, which is a free place."""
    return key if key != 0 else np.uint64(1)


@inlined
def first_place(table, tag):
    """Where a fingerprint is looked for first."""
    return np.int64(tag & np.uint64(len(table) - 1))


@inlined
def find(table, tag):
    """The place of a fingerprint in the table, or of the free place where it belongs."""
    mask = len(table) - 1
    at = first_place(table, tag)
    while table[at] != 0 and table[at] != tag:
        at = (at + 1) & mask
    return at


@inlined
def is_full(counts, options, parents, table, raws, contents, nodes, edges, wide):
    """The next state's successors might not find room."""
    states = counts[STATES] + MOVERS
    if states > len(parents) or 8 * states > 5 * len(table) or counts[NEXT] + MOVERS > len(raws):
        return True
    if counts[END] + MOVERS * wide > len(contents):
        return True
    return options[KEEP_EDGES] != 0 and (states > len(nodes) or counts[EDGES] + MOVERS > len(edges))


@compiled
def expand(k, c, f, x, budget):
    """Expand states, level by level. Returns why it stopped."""
    counts = x.counts
    while True:
        at = counts[AT]
        why = expand_level(k, c, f, x, budget)
        budget -= counts[AT] - at
        if why != LEVEL:
            return why
        if counts[NEXT] == 0:
            return DONE
        counts[SIDE] = 1 - counts[SIDE]
        counts[FIRST] = counts[STATES] - counts[NEXT]
        counts[FRONTIER] = counts[NEXT]
        counts[NEXT] = counts[AT] = counts[FROM] = counts[END] = counts[ASTRAY] = 0
        counts[LEVELS] += 1
        restart(x.words, x.before, x.last, x.first, x.is_astray)
        suspect_all(f)
        if x.options[BY_LEVEL]:
            return LEVEL


@inlined
def make_move(k, c, f, x, mover, h, options, words, before, changed, table, made, which, values, begin):
    """Make a move of the state that stands there, note it (``made``, and from ``begin`` on the words), and undo it.

    ``h``: the state's fingerprint. Returns where the words end.
    """
    if options[KEEP_EDGES] != 0:
        forget_progress(k)
    move(k, mover)
    changes = find_changes(words, before, changed)
    raw = key_after(words, before, changed, changes, h)
    key = remembered_key(k, c, f, x, raw, changed, changes) if options[FOLD] != 0 else raw
    prefetch(table, first_place(table, tag_of(key)))
    end = keep_changes(words, changed, changes, which, values, begin)
    put_back(words, before, changed, changes)
    made.raw, made.key, made.mover, made.begin, made.end = raw, key, mover, begin, end
    if options[KEEP_EDGES] != 0:
        made.progress = progress_mask(k)
    return end


@inlined
def make_alone(k, c, f, x, h, options, words, before, changed, table, pending, which, values):
    """Make moves that are local, until one leads to a state that has not been seen. Returns how many are made, and
    whether the last of them does.
    """
    made, end = 0, 0
    for t in range(DISK):
        if can_move(k, t) and is_local(k, t):
            end = make_move(k, c, f, x, t, h, options, words, before, changed, table, pending[made], which, values, end)
            made += 1
            if k.books.error or table[find(table, tag_of(pending[made - 1].key))] == 0:
                return made, True
    return made, False


@compiled
def expand_level(k, c, f, x, budget):
    """Expand states of the frontier, from counts[AT] on. Returns why it stopped."""
    words, before, changed, last, astray, is_astray = x.words, x.before, x.changed, x.last, x.astray, x.is_astray
    side = x.counts[SIDE]
    places, contents, raws, lengths = x.places[side], x.contents[side], x.raws[side], x.lengths[side]
    next_places, next_contents, next_raws = x.places[1 - side], x.contents[1 - side], x.raws[1 - side]
    next_lengths, parents, movers_to, nodes, edges = x.lengths[1 - side], x.parents, x.movers_to, x.nodes, x.edges
    counts, options, table, numbers, found = x.counts, x.options, x.table, x.numbers, x.found
    movers, pending, turns, which, values = x.movers, x.pending, x.turns, x.which, x.values
    keep_edges, wanted = options[KEEP_EDGES] != 0, options[WANTED]
    while counts[AT] < counts[FRONTIER]:
        if budget <= 0 or counts[STATES] > options[MOST]:
            return BUDGET
        budget -= 1
        if is_full(counts, options, parents, table, next_raws, next_contents, nodes, edges, len(words)):
            return FULL
        at = counts[AT]
        source = counts[FIRST] + at
        wide = load(words, before, places, contents, counts[FROM], lengths[at], astray, is_astray, counts[ASTRAY])
        if options[FOLD] != 0:
            suspect(f, places, counts[FROM], counts[FROM] + lengths[at])
        counts[FROM] += lengths[at]
        counts[ASTRAY] = wide
        h, tried, alone = raws[at], 0, False
        if options[REDUCE] != 0:
            tried, alone = make_alone(k, c, f, x, h, options, words, before, changed, table, pending, which, values)
        if alone:
            counts[REDUCED] += 1
            turns[0], made = tried - 1, 1
        else:
            made, again, end = who_moves(k, movers), 0, pending[tried - 1].end if tried else 0
            for i in range(made):
                if again < tried and pending[again].mover == movers[i]:  # in the same order
                    turns[i] = again
                    again += 1
                    continue
                turns[i] = tried + i - again
                move_made = pending[turns[i]]
                end = make_move(
                    k, c, f, x, movers[i], h, options, words, before, changed, table, move_made, which, values, end
                )
                if k.books.error:
                    return EXHAUSTED
        if k.books.error:
            return EXHAUSTED
        counts[TRANSITIONS] += made
        if keep_edges:
            nodes[source].first_edge = counts[EDGES]
        for i in range(made):
            each = pending[turns[i]]
            begin, end, tag = each.begin, each.end, tag_of(each.key)
            place = find(table, tag)
            if table[place] == 0:
                table[place] = tag
                state = counts[STATES]
                for j in range(begin, end):
                    word = which[j]
                    words[word] = values[j]
                    if not is_astray[word]:
                        is_astray[word] = 1
                        astray[wide] = word
                        wide += 1
                start = counts[END]
                counts[END] = write_down(words, last, next_places, next_contents, start, astray, is_astray, wide)
                next_raws[counts[NEXT]] = each.raw
                next_lengths[counts[NEXT]] = counts[END] - start
                parents[state], movers_to[state] = source, each.mover
                counts[NEXT] += 1
                counts[STATES] += 1
                if wanted:
                    note_violations(k, wanted, found, state)
                if keep_edges:
                    numbers[place] = state
                    nodes[state].marks = marks(k)
                wide = 0
                for j in range(begin, end):
                    word = which[j]
                    words[word] = before[word]
                    is_astray[word] = 1
                    astray[wide] = word
                    wide += 1
            if keep_edges:
                edge = edges[counts[EDGES]]
                edge.to, edge.mover, edge.progress = numbers[place], each.mover, each.progress
                counts[EDGES] += 1
        counts[ASTRAY] = wide
        counts[AT] += 1
        if options[STOP] and enough_found(found, wanted, options[STOP] == AT_FIRST):
            return FOUND
    return LEVEL


@compiled
def note_violations(k, wanted, found, state):
    """Which properties of states are violated for the first time."""
    for which in range(OF_STATES):
        if found[which] >= 0:
            wanted &= ~(1 << which)
    bad = violated(k, wanted)
    if bad == 0:
        return
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
def begin(k, c, f, x):
    """Enter the state as it stands as the first one."""
    for i in range(len(x.words)):
        x.first[i] = x.words[i]
    restart(x.words, x.before, x.last, x.first, x.is_astray)
    raw = fingerprint(x.words)
    start_folding(f)
    key = remembered_key(k, c, f, x, raw, x.changed, 0) if x.options[FOLD] != 0 else raw
    x.table[find(x.table, tag_of(key))] = tag_of(key)
    x.raws[1, 0], x.lengths[1, 0] = raw, 0
    x.parents[0] = ROOT
    x.counts[STATES] = x.counts[NEXT] = 1
    note_violations(k, x.options[WANTED], x.found, 0)
    forget_coverage(k)
    if x.options[KEEP_EDGES] != 0:
        x.numbers[find(x.table, tag_of(key))] = 0
        x.nodes[0].marks = marks(k)


@driver
def drive(what, k, c, f, x, a, b):
    """Python's way in to all of the above: one, so that the kernel is compiled once for it."""
    k.books.now = 1
    if what == EXPAND:
        return expand(k, c, f, x, a)
    if what == BEGIN:
        begin(k, c, f, x)
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
