"""A walk through the states of a small machine: any move that can be made, back, undo, bookmarks, until."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from cowpath.errors import InputError
from cowpath.words import nearest

from . import schedule
from .atlas import MOST_STATES, NOWHERE, START, Atlas, Move, State
from .conditions import Condition


class Walk:
    """The moves that have been made from the first state on. ``labels``: movers of a walk to begin with."""

    def __init__(self, atlas: Atlas, labels: Sequence[str] = (), source: str = "") -> None:
        self.atlas = atlas
        self.made: list[Move] = atlas.walk(labels, source)
        self.bookmarks: dict[str, tuple[Atlas, tuple[Move, ...]]] = {}
        self._before: list[tuple[Atlas, tuple[Move, ...]]] = []

    @property
    def at(self) -> int:
        """The number of the state to which the walk leads."""
        return self.made[-1].to if self.made else START

    @property
    def state(self) -> State:
        """That state."""
        return self.atlas.states[self.at]

    @property
    def moves(self) -> tuple[Move, ...]:
        """Every move that can be made there."""
        return self.atlas.moves(self.at)

    # --- going
    def take(self, number: int) -> Move:
        """Make the move with this number, from 1, of ``moves``. Raises InputError."""
        moves = self.moves
        if not 1 <= number <= len(moves):
            there = f"there are 1 to {len(moves)}" if moves else "nobody can move any more: go back"
            raise InputError(f"no move {number}", hint=there)
        move = moves[number - 1]
        if move.to == NOWHERE:
            raise InputError(f"move {number} cannot be made: {' '.join(move.did)}")
        self._remember()
        self.made.append(move)
        return move

    def back(self, count: int = 1) -> None:
        """Take back the last moves. Raises InputError where there are fewer."""
        if count > len(self.made):
            raise InputError(f"cannot go {count} back", hint=f"the walk has {len(self.made)} moves")
        self._remember()
        del self.made[len(self.made) - count :]

    def until(
        self, condition: Condition, most: int = MOST_STATES, told: Callable[[int], None] = lambda seen: None
    ) -> tuple[Move, ...] | None:
        """Go a shortest way to a state in which it is so: the moves on it; none if it is so already. ``told`` hears how
        many states were looked at.

        None: there is no such state that can be reached from here. Raises InputError where ``most`` states were looked
        at and none was found: that says nothing.
        """
        start, came = self.at, dict[int, tuple[int, Move]]()
        queue, seen = deque([start]), {start}
        while queue:
            at = queue.popleft()
            told(len(seen))
            if condition.holds(self.atlas.states[at], self.atlas.design):
                way = list[Move]()
                while at != start:
                    at, move = came[at]
                    way.append(move)
                if way:
                    self._remember()
                    self.made += way[::-1]
                return tuple(way[::-1])
            if len(seen) > most:
                raise InputError(f"not found in the {most:,} states that are nearest: {condition.text}",
                                 hint="that is no proof: there are more states than this")  # fmt: skip
            for move in self.atlas.moves(at):
                if move.to not in seen and move.to != NOWHERE:
                    seen.add(move.to)
                    came[move.to] = at, move
                    queue.append(move.to)
        return None

    # --- what is kept
    def _remember(self) -> None:
        self._before.append((self.atlas, tuple(self.made)))

    def _return(self, kept: tuple[Atlas, tuple[Move, ...]]) -> None:
        self.atlas, self.made = kept[0], list(kept[1])

    def undo(self) -> None:
        """As before what was done last. Raises InputError if nothing was."""
        if not self._before:
            raise InputError("nothing to undo")
        self._return(self._before.pop())

    def mark(self, name: str) -> None:
        """Keep the walk as it is under a name."""
        self.bookmarks[name] = self.atlas, tuple(self.made)

    def go(self, name: str) -> None:
        """To a bookmark. Raises InputError if there is none of that name."""
        if name not in self.bookmarks:
            known = ", ".join(self.bookmarks) or "none yet: mark NAME makes one"
            raise InputError(f"no bookmark {name!r}", hint=nearest(name, self.bookmarks, f"there are: {known}"))
        self._remember()
        self._return(self.bookmarks[name])

    def move_to(self, atlas: Atlas) -> None:
        """The same moves on another atlas (the case on another design), as far as they can be made there."""
        self._remember()
        movers = [move.mover for move in self.made]
        self.atlas, self.made = atlas, []
        self.follow(movers)

    def follow(self, movers: Sequence[int]) -> None:
        """Go on with the moves of these movers, as far as they can be made."""
        for mover in movers:
            move = self.atlas.move_of(self.at, mover)
            if move is None or move.to == NOWHERE:
                return
            self.made.append(move)

    def schedule(self) -> dict[str, Any]:
        """The walk as ``cowpath replay`` takes it; the first property that its last state violates stands in it."""
        name, reason = next(iter(self.state.violates), ("", ""))
        return schedule.content(
            self.atlas.design, self.atlas.case, [move.name for move in self.made], property=name, reason=reason,
            chain=[str(chain) for chain in self.state.picture.chains],
        )  # fmt: skip
