"""The driver ``clock``: runs a machine in virtual time, feeds the log to whoever wants it, and watches for stalls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from cowpath.kernel import names as n

from . import loop
from .chain import Link, chain, memory_in
from .exhausted import Exhausted, exhausted
from .standstill import survey

if TYPE_CHECKING:
    from cowpath.designs import Design
    from cowpath.session.plan import Plan

STALL_NS = 100_000_000  # a wait for another group's memory that is longer is a stall
BOUND_NS = 2_000_000_000  # a group without a charge, an uncharge or an exit for so long ...
BOUND_ROUNDS = 1_000  # ... and with so many rounds of retries has come to a standstill
LINGER_NS = 5_000_000_000  # after the script's end the groups' tasks may go on for so long
BUDGET = 2_000_000  # moves between two looks at Ctrl-C and at the progress bar

REASONS = {loop.UNTIL: "until", loop.IDLE: "idle", loop.SETTLED: "settled"}


@dataclass(frozen=True)
class Ending:
    """Why a run stopped. ``at`` in ns.

    ``script``: it has ended, and the groups' tasks with it, or they went on for LINGER_NS more; ``until``: the time was
    up; ``idle``: nothing can happen any more; ``settled``: the script waits for groups in which nothing can happen any
    more, or has ended and left such groups behind; ``budget``: so many moves were asked for; ``exhausted``: the machine
    has run out of something, and cannot go on.
    """

    reason: str
    at: int
    exhausted: Exhausted | None = None


@dataclass
class Stall:
    """A task outside a group waited for the group's memory for longer than the bound. ``ns`` grows until it ended."""

    task: int
    group: int
    links: list[Link]
    words: Any  # what ``Clock.words`` made of them: str() is a sentence
    ns: int
    ended: bool = False


@dataclass
class Clock:
    """Drives a machine. ``on_events`` gets blocks of the log; ``host`` prints a text; ``words`` names a chain."""

    k: Any
    plan: Plan
    design: Design
    on_events: Callable[[np.ndarray[Any, Any]], None] = lambda events: None
    progress: Callable[[int], None] | None = None
    words: Callable[[list[Link]], Any] = lambda links: ""  # str() of it is a sentence
    host: Callable[[Any, int], str] = lambda k, number: ""
    pause: Callable[[], None] = lambda: None  # is called where a run can be cut in two
    look: Callable[[], int] | None = None  # is called now and again, and says when (ns) to call it again
    stall_ns: int = STALL_NS
    bound_ns: int = BOUND_NS
    bound_rounds: int = BOUND_ROUNDS
    stalls: list[Stall] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        books = self.k.books
        books.stall_ns = self.stall_ns
        books.bound_ns = self.bound_ns
        books.bound_rounds = self.bound_rounds
        books.log_mask = int(books.log_mask) | 1 << n.EV_STALL
        self._open: dict[int, Stall] = {}
        self._script_end: int | None = None

    @property
    def output(self) -> str:
        """What the session has printed so far."""
        return "".join(self.printed)

    def run(self, until_ns: int, budget: int | None = None) -> Ending:
        """Go on until ``until_ns``, or until there is an end to it.

        With ``budget``, stop after so many moves (reason ``budget``). May be called again.
        """
        left = budget
        look_at = loop.FOREVER if self.look is None else self.look()
        while True:
            self.pause()
            moves = BUDGET if left is None else min(BUDGET, left)
            end = until_ns if self._script_end is None else min(until_ns, self._script_end + LINGER_NS)
            shell = n.NONE if self._script_end is not None else self.plan.shell
            why = int(loop.run(self.k, end, look_at, moves, shell))
            self.drain()
            now = int(self.k.books.now)
            if self.progress is not None:
                self.progress(now)
            if why in REASONS:
                return self._ending(why, now, until_ns)
            if why == loop.SCRIPT:
                self._script_end = now
            elif why == loop.ERROR:
                return Ending("exhausted", now, exhausted(self.k))
            elif why == loop.STALL:
                self._note_stalls()
            elif why == loop.PAUSE and self.look is not None:
                look_at = self.look()
            elif why == loop.HOST:
                self.printed.append(self.host(self.k, int(self.k.books.host)))
            elif why == loop.BUDGET and left is not None:
                left -= moves
                if left <= 0:
                    return Ending("budget", now)

    def _ending(self, why: int, now: int, until_ns: int) -> Ending:
        """After the script's end there is no more than its tasks' going on, or that they are all gone."""
        over = self._script_end is not None and (why != loop.UNTIL or now < until_ns)
        gone = not any(group.alive and group.tasks for group in self.k.state.groups[1 : int(self.k.state.n_groups)])
        return Ending("script" if over and (gone or why != loop.SETTLED) else REASONS[why], now)

    def drain(self) -> None:
        """Hand the log's block over and empty it."""
        count = int(self.k.books.log_count)
        if not count:
            return
        events = self.k.books["log"][:count]
        for row in events[events["kind"] == n.EV_STALL]:
            stall = self._open.pop(int(row["task"]), None)
            if stall is not None:
                stall.ns, stall.ended = int(row["value"]), True
        self.on_events(events)
        self.k.books.log_count = 0

    def _note_stalls(self) -> None:
        books = self.k.books
        survey(self.k)
        for t in books["stalls"][: int(books.n_stalls)]:
            links = chain(self.k, int(t))
            since = int(books.tasks[int(t)].since)
            stall = Stall(int(t), memory_in(links), links, self.words(links), int(books.now) - since)
            self.stalls.append(stall)
            self._open[int(t)] = stall
        books.n_stalls = 0

    def finish(self) -> None:
        """Stalls that have not ended are as long as the run has lasted."""
        for t, stall in self._open.items():
            stall.ns = int(self.k.books.now) - int(self.k.books.tasks[t].since)
