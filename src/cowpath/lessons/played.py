"""An answer's schedule, played: its moves, and who waits for whom at their end."""

from __future__ import annotations

from dataclasses import dataclass

from cowpath.cases.plan import compile_case
from cowpath.checker.paint import paint
from cowpath.checker.player import Player, Row
from cowpath.engine import costs
from cowpath.observe.words import Chain

from .question import Answer


@dataclass(frozen=True)
class Played:
    """The moves that are worth showing: those from the situation on; all, where it is the situation that shows it."""

    rows: tuple[Row, ...]
    tasks: tuple[str, ...]
    from_start: bool
    cycle_from: int | None  #: The number of the first move of what goes on for ever.
    chains: tuple[Chain, ...]

    @property
    def caption(self) -> str:
        """What the moves are."""
        return "The moves, from the start:" if self.from_start else "The moves from here:"


def play(answer: Answer) -> Played:
    """Play an answer's schedule; it has one."""
    player = Player(compile_case(answer.case), answer.design, costs.load())
    rows = tuple(player.play([*answer.moves, *answer.cycle], answer.case.source))
    since = answer.since if answer.since < len(rows) else 0
    tasks = tuple(player.names()[: len(player.plan.players)])
    chains = paint(player.space, player.scene).chains
    return Played(rows[since:], tasks, not since, len(answer.moves) + 1 if answer.cycle else None, chains)
