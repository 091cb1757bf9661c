"""A schedule played from before its first move to its last, with a picture of the machine at every state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cowpath.cases import Case
from cowpath.cases.plan import compile_case
from cowpath.designs import Design
from cowpath.engine import costs

from .paint import paint
from .picture import Picture
from .player import Player, Row
from .told import told


@dataclass(frozen=True)
class Performance:
    """``pictures[0]`` is before the first move, the next one after ``rows[0]``, and so on."""

    rows: tuple[Row, ...]
    pictures: tuple[Picture, ...]
    told: tuple[tuple[str, ...], ...]  # what each move has done
    tasks: tuple[str, ...]  # of the case, by number
    cycle_from: int | None  # the number of the first move of what goes on for ever


def perform(case: Case, design: Design, moves: Sequence[str], cycle: Sequence[str], source: str) -> Performance:
    """Play moves, and what then goes on for ever once. Raises InputError at a move that cannot be made."""
    player = Player(compile_case(case), design, costs.load())
    pictures = [paint(player.space, player.scene)]
    rows, effects = [], []
    for row in player.play([*moves, *cycle], source):
        pictures.append(paint(player.space, player.scene))
        rows.append(row)
        effects.append(told(pictures[-2], pictures[-1], row.mover))
    tasks = tuple(player.names()[: len(player.plan.players)])
    return Performance(tuple(rows), tuple(pictures), tuple(effects), tasks, len(moves) + 1 if cycle else None)
