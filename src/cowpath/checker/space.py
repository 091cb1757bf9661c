"""The states that a small machine can reach: the arrays of a search, which grow as it does, and what it has found."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from cowpath.engine import explore
from cowpath.engine.folding import FOLDING
from cowpath.engine.moves import MOVERS
from cowpath.engine.properties import OF_STATES
from cowpath.kernel.compiled import INTERPRETED
from cowpath.kernel.state import EXPLORE, aligned_zeros, new_machine

FIRST_ROOM = 4096  # states
FIRST_WORDS = 16 * FIRST_ROOM  # of all states of a frontier
MEMO = 1 << 14  # states whose canonical copies' fingerprints are remembered, a power of two
BUDGET = 200 if INTERPRETED else 20_000  # states expanded between two looks at Ctrl-C and the progress
UNBOUNDED = 1 << 62
UNFINISHED_STATES = "states"
UNFINISHED_MEMORY = "memory"


@dataclass(frozen=True)
class Limits:
    """Where a search gives up: so many states, so many bytes of its arrays. None: no bound."""

    states: int | None = None
    memory: int | None = 12 << 30


@dataclass(frozen=True)
class Step:
    """How far a search is: for its progress."""

    states: int
    frontier: int
    depth: int
    seconds: float


class Space:
    """A search. ``attach`` a machine, then ``explore`` from the state in which it is."""

    def __init__(self) -> None:
        self._scratch = new_machine(EXPLORE)
        self._target = _words(self._scratch)
        self.folding = np.zeros(1, FOLDING).view(np.recarray)[0]
        self.k: Any = None
        self.unfinished = ""  # or which limit was met
        self.coverage: Any = None  # of a search that has visited everything: ``books.coverage``, by task and path
        self.moved = 0  # tasks that have made a move in it, a bit each
        self.seconds = 0.0

    # --- set-up
    def attach(self, k: Any) -> None:
        """This machine is explored from now on."""
        self.k = k
        words = _words(k)
        wide = len(words)
        self.x = explore.Search(
            words=words,
            half=words.view(np.int16),
            first=np.zeros(wide, np.uint64),
            before=aligned_zeros(wide, np.dtype(np.uint64)),
            changed=np.zeros(wide, np.int32),
            last=np.zeros(wide, np.uint64),
            astray=np.zeros(wide, np.int32),
            is_astray=np.zeros(wide, np.int8),
            movers=np.zeros(MOVERS, np.int64),
            pending=np.zeros(MOVERS, explore.PENDING),
            turns=np.zeros(MOVERS, np.int64),
            which=np.zeros(MOVERS * wide, np.uint16),
            values=np.zeros(MOVERS * wide, np.uint64),
            target_words=self._target,
            target=self._target.view(np.int16),
            memo=np.zeros(MEMO, explore.MEMO),
            options=np.zeros(explore.OPTIONS, np.int64),
            counts=np.zeros(explore.COUNTS, np.int64),
            raws=np.zeros((2, FIRST_ROOM), np.uint64),
            lengths=np.zeros((2, FIRST_ROOM), np.uint16),
            places=np.zeros((2, FIRST_WORDS + MOVERS * wide), np.uint16),
            contents=np.zeros((2, FIRST_WORDS + MOVERS * wide), np.uint64),
            table=np.zeros(2 * FIRST_ROOM, np.uint64),
            numbers=np.zeros(1, np.int32),
            parents=np.zeros(FIRST_ROOM, np.int32),
            movers_to=np.zeros(FIRST_ROOM, np.int8),
            nodes=np.zeros(1, explore.NODE),
            edges=np.zeros(1, explore.EDGE),
            found=np.full(OF_STATES, -1, np.int32),
            script=np.zeros(explore.MOST_MOVES, np.int64),
        )

    def drive(self, what: int, a: int = 0, b: int = 0) -> int:
        """Call the compiled driver."""
        return int(explore.drive(what, self.k, self._scratch, self.folding, self.x, a, b))

    def play(self, script: list[int]) -> int:
        """Make the moves of these movers; returns how many could be made."""
        self.x.script[: len(script)] = script
        return self.drive(explore.PLAY, len(script))

    # --- the search
    def explore(
        self,
        wanted: int,
        *,
        alike: Any = None,
        fold: bool = True,
        reduce: bool = True,
        edges: bool = False,
        age_counts: bool = True,
        stop: bool = False,
        stop_at_first: bool = False,
        limits: Limits | None = None,
        progress: Callable[[Step], None] | None = None,
        look: Callable[[Any, int], bool] | None = None,
    ) -> int:
        """Visit all states; returns why it stopped (``explore.*``). ``wanted``: properties of states, a bit each.

        ``alike``: tasks that are folded; ``stop``: as soon as all wanted properties are violated, or any. ``look`` is
        shown each new state, by level (the machine, and the state's number), and stops the search when it answers true.
        """
        began = time.perf_counter()
        self._forget(fold)
        limits = limits or Limits()
        most = UNBOUNDED if limits.states is None else limits.states
        stop_when = explore.AT_FIRST if stop_at_first else int(stop)
        self.x.options[:] = fold, reduce, edges, age_counts, wanted, stop_when, look is not None, most
        self.folding.alike[:] = np.arange(EXPLORE.tasks) if alike is None else alike
        if edges:
            room, of_edges = len(self.x.parents), max(len(self.x.edges), 4 * FIRST_ROOM)
            self._replace(nodes=room, numbers=len(self.x.table), edges=of_edges)
        self.drive(explore.BEGIN)
        why = explore.LEVEL
        while why in (explore.LEVEL, explore.FULL, explore.BUDGET):
            if why == explore.LEVEL and look is not None and self._shown(look):
                why = explore.FOUND
                break
            why = self.drive(explore.EXPAND, BUDGET)
            if why == explore.FULL:
                self._grow()
            if progress is not None:
                frontier = int(self.x.counts[explore.FRONTIER])
                progress(Step(self.states, frontier, self.depth, time.perf_counter() - began))
            self.unfinished = self._limit_met(limits, why)
            if self.unfinished and why != explore.DONE:
                break
            self.unfinished = ""
        self.seconds = time.perf_counter() - began
        if why == explore.DONE:
            self.coverage = self.k.books["coverage"].reshape(EXPLORE.tasks, EXPLORE.paths).copy()
            self.moved = int(self.k.books.moved)
        if why != explore.EXHAUSTED:
            self.x.words[:] = self.x.first  # the machine is where it began
        return why

    def _forget(self, folded: bool) -> None:
        """Forget an earlier search: its arrays are used again. Foldings are remembered where states are folded only."""
        x = self.x
        x.counts[:] = 0
        x.found[:] = -1
        x.table[:] = 0
        if folded:
            x.memo[:] = 0
        self.unfinished = ""
        self.coverage = None

    def _shown(self, look: Callable[[Any, int], bool]) -> bool:
        """Show the newest states; true if that is enough."""
        shown = any(look(self.k, state) for state in self.newest())
        if not shown:
            self.x.words[:] = self.x.before
        return shown

    def newest(self) -> Iterator[int]:
        """The numbers of the states of the last frontier; the machine is in each of them, one after the other."""
        x = self.x
        side, first, count = (int(x.counts[which]) for which in (explore.SIDE, explore.FIRST, explore.FRONTIER))
        if not count:  # the first state of all
            side, count = 1 - side, int(x.counts[explore.NEXT])
        now, at = x.first.copy(), 0
        for state, length in enumerate(x.lengths[side, :count].tolist(), first):
            now[x.places[side, at : at + length]] = x.contents[side, at : at + length]
            at += length
            x.words[:] = now
            yield state

    def _limit_met(self, limits: Limits, why: int) -> str:
        if limits.states is not None and self.states > limits.states:
            return UNFINISHED_STATES
        if why == explore.BUDGET:
            return ""  # no array has grown
        return UNFINISHED_MEMORY if limits.memory is not None and self.bytes > limits.memory else ""

    def _grow(self) -> None:
        """Double what is full."""
        x, counts = self.x, self.x.counts
        edges = bool(x.options[explore.KEEP_EDGES])
        states = int(counts[explore.STATES]) + MOVERS
        if states > len(x.parents):
            room = 2 * len(x.parents)
            self._replace(parents=room, movers_to=room, **({"nodes": room} if edges else {}))
        if 8 * states > 5 * len(x.table):
            room = 2 * len(x.table)
            table, numbers = np.zeros(room, np.uint64), np.zeros(room if edges else 1, np.int32)
            explore.grow_table(x.table, x.numbers, table, numbers)
            self.x = self.x._replace(table=table, numbers=numbers)
        if edges and int(counts[explore.EDGES]) + MOVERS > len(x.edges):
            self._replace(edges=2 * len(x.edges))
        if int(counts[explore.NEXT]) + MOVERS > x.raws.shape[1]:
            self._lengthen("raws", "lengths")
        if int(counts[explore.END]) + MOVERS * len(x.words) > x.contents.shape[1]:
            self._lengthen("places", "contents")

    def _lengthen(self, *names: str) -> None:
        """Both frontiers twice as long, with the same contents."""
        longer = {}
        for name in names:
            old = getattr(self.x, name)
            longer[name] = np.zeros((2, 2 * old.shape[1]), old.dtype)
            longer[name][:, : old.shape[1]] = old
        self.x = self.x._replace(**longer)

    def _replace(self, **rooms: int) -> None:
        """Larger arrays with the same contents."""
        larger = {}
        for name, room in rooms.items():
            old = getattr(self.x, name)
            if room > len(old):
                larger[name] = np.zeros(room, old.dtype)
                larger[name][: len(old)] = old
        self.x = self.x._replace(**larger)

    # --- what was found
    @property
    def states(self) -> int:
        """States visited."""
        return int(self.x.counts[explore.STATES])

    @property
    def depth(self) -> int:
        """Of the states that were found last: moves away from the first one."""
        return max(int(self.x.counts[explore.LEVELS]) - 1, 0)

    @property
    def transitions(self) -> int:
        """Moves made from them."""
        return int(self.x.counts[explore.TRANSITIONS])

    @property
    def bytes(self) -> int:
        """Of all arrays of the search."""
        return sum(array.nbytes for array in (*self.x, self.folding))

    def found(self, which: int) -> int:
        """The first state that violates a property of states, or -1."""
        return int(self.x.found[which])

    def way_to(self, state: int) -> list[int]:
        """The movers on the way from the first state to this one: a shortest one of this search."""
        way: list[int] = []
        while state > 0:
            way.append(int(self.x.movers_to[state]))
            state = int(self.x.parents[state])
        return way[::-1]


def _words(k: Any) -> Any:
    """The 64-bit words of a machine's state, which lie at its beginning."""
    layout = k.dtype["state"]
    return np.asarray(k.base).view(np.uint8)[: layout.itemsize].view(np.uint64)
