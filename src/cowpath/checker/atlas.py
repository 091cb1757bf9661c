"""The states of a small machine and every move that leads from one to another, as far as somebody has looked.

A state is what the explorer calls one without reduction: all words of the machine's state. To come back to a state, the
machine begins anew and makes the moves on the way there: so its books, which say what a page was, are right too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from cowpath.cases import Case
from cowpath.cases.plan import compile_case
from cowpath.designs import Design
from cowpath.engine import costs, explore
from cowpath.engine import moves as m
from cowpath.engine import properties as p
from cowpath.engine.invariants_pages import OK
from cowpath.errors import InputError

from . import boot
from .anew import Anew
from .explain import at_the_end
from .movers import mover_numbers
from .paint import paint
from .picture import Picture
from .player import Player
from .space import Limits
from .told import told

MOST_STATES = 5_000  # of a machine that is shown whole
START = 0  # the first state's number
NOWHERE = -1  # where a move leads for which the small machine is too small


def does(path: str, step: str) -> str:
    """``file_cow: lock_page``."""
    return f"{path}: {step}" if path else step


@dataclass(frozen=True)
class Move:
    """A move that can be made in a state."""

    mover: int
    name: str  # who moves: a task, ``disk``, ``outside: raise A 2``
    path: str  # of the step, or empty
    step: str  # what it does
    did: tuple[str, ...]  # what comes of it, in words
    cost_ns: int
    to: int  # the state that it leads to, or NOWHERE

    @property
    def does(self) -> str:
        """``file_cow: lock_page``."""
        return does(self.path, self.step)


@dataclass(frozen=True)
class State:
    """A state that somebody has come to. ``parent`` and ``mover``: how it was first reached; of the first one -1."""

    picture: Picture
    violates: tuple[tuple[str, str], ...]  # properties of states that it violates, each with the reason
    parent: int
    mover: int


class Atlas:
    """A case on a design. Raises InputError where a task of the case does not get to its start."""

    def __init__(self, case: Case, design: Design) -> None:
        self.case, self.design = case, design
        self.player = Player(compile_case(case), design, costs.load())
        self.states: list[State] = []
        self._moves: dict[int, tuple[Move, ...]] = {}
        self._known: dict[bytes, int] = {}
        self._machine = Anew(self.player.space)
        self._enter(-1, -1)

    # --- states
    def _enter(self, parent: int, mover: int) -> int:
        """The number of the state in which the machine is; it is painted if it is new."""
        key = blake2b(self.player.space.x.words.tobytes(), digest_size=16).digest()
        number = self._known.setdefault(key, len(self.states))
        if number == len(self.states):
            space = self.player.space
            bad = [which for which in range(p.OF_EVERY_DESIGN) if space.drive(explore.OFFENDER, which) != OK]
            violates = tuple((p.NAMES[which], at_the_end(space, self.player.plan, which)) for which in bad)
            self.states.append(State(paint(space, self.player.scene), violates, parent, mover))
        return number

    def way_to(self, state: int) -> list[int]:
        """The movers on the way to a state: that on which it was first reached."""
        way: list[int] = []
        while state != START:
            way.append(self.states[state].mover)
            state = self.states[state].parent
        return way[::-1]

    def bring(self, state: int) -> None:
        """Bring the machine into a state."""
        self._machine.after(self.way_to(state))

    # --- moves
    def moves(self, state: int) -> tuple[Move, ...]:
        """Every move that can be made in a state."""
        if state not in self._moves:
            self.bring(state)
            here, able = self._machine.bytes.copy(), self.player.space.drive(explore.WHO)
            made = []
            for mover in range(m.MOVERS):
                if able >> mover & 1:
                    made.append(self._move(state, mover))
                    self._machine.bytes[:] = here
            self._moves[state] = tuple(made)
        return self._moves[state]

    def _move(self, state: int, mover: int) -> Move:
        """Make a move in a state in which the machine is."""
        player = self.player
        name, (path, step) = player.names()[mover], player.doing(mover)
        player.space.play([mover])
        if player.k.books.error:
            return Move(mover, name, path, step, (str(boot.too_small(player.k, player.plan)),), 0, NOWHERE)
        cost = int(player.k.books.spent)
        to = self._enter(state, mover)
        did = told(self.states[state].picture, self.states[to].picture, name)
        return Move(mover, name, path, step, did, cost, to)

    def known(self, state: int) -> tuple[Move, ...] | None:
        """Its moves, if somebody has asked for them."""
        return self._moves.get(state)

    def move_of(self, state: int, mover: int) -> Move | None:
        """The move of this mover in a state, if it can move there."""
        return next((move for move in self.moves(state) if move.mover == mover), None)

    def walk(self, labels: Sequence[str], source: str) -> list[Move]:
        """The moves of movers with these names, from the first state on. Raises InputError where one cannot be made."""
        at, walked = START, []
        for number, mover in enumerate(mover_numbers(list(labels), self.player.plan, self.player.k, source), 1):
            move = self.move_of(at, mover)
            if move is None or move.to == NOWHERE:
                raise InputError(
                    f"move {number}: {labels[number - 1]!r} cannot move there", file=source,
                    hint="the schedule does not belong to this design and case, or to this version's kernel",
                )  # fmt: skip
            walked.append(move)
            at = move.to
        return walked

    # --- all of them
    def is_small(self, most: int = MOST_STATES) -> bool:
        """Whether the machine has no more states than this: the explorer counts them."""
        self.bring(START)
        why = self.player.space.explore(0, fold=False, reduce=False, limits=Limits(states=most))
        return why == explore.DONE

    def look_everywhere(self) -> Iterator[int]:
        """Visit all states, those that are nearest to the first one first; tells the number of each."""
        at = START
        while at < len(self.states):
            self.moves(at)
            yield at
            at += 1
