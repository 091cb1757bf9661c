"""States are kept as what differs from the one before: each must be the state that its way leads to."""

from __future__ import annotations

from typing import Any

import pytest

from cowpath import cases, designs
from cowpath.cases.plan import compile_case
from cowpath.checker import boot
from cowpath.checker.space import Space
from cowpath.engine import costs, explore
from cowpath.engine.moves import MOVERS

EVERY = 40  # of so many states one is played


@pytest.mark.parametrize("fold", [False, True])
@pytest.mark.parametrize(("case", "design"), [("killed-waiter", "linux-3.0"), ("high-cat", "linux-6.12")])
def test_the_states_of_every_frontier_are_those_that_are_played(case: str, design: str, fold: bool) -> None:
    plan, table = compile_case(cases.load(case)), costs.load()
    space, played = Space(), Space()
    boot.start(plan, designs.load(design), table, space)
    boot.start(plan, designs.load(design), table, played)
    start = played.x.words.copy()
    seen = 0

    def look(_: Any, state: int) -> bool:
        nonlocal seen
        seen += 1
        if seen % EVERY == 0:
            played.x.words[:] = start
            way = space.way_to(state)
            assert played.play(way) == len(way) == space.depth
            assert (played.x.words == space.x.words).all()
        return seen >= 100 * EVERY

    space.explore(0, fold=fold, reduce=False, look=look)
    assert seen > 50 * EVERY


def test_numbers_follow_and_arrays_grow() -> None:
    """A search that outgrows all its arrays, with edges and without: the same states in the same order."""
    plan, table = compile_case(cases.load("killed-waiter")), costs.load()
    ways = []
    for edges in (False, True):
        space = Space()
        boot.start(plan, designs.load("linux-3.0"), table, space)
        assert space.explore(0, fold=False, reduce=False, edges=edges) == explore.DONE
        ways.append([space.way_to(state) for state in range(0, space.states, 97)])
        x = space.x
        assert space.states > 4096 and int((x.table != 0).sum()) == space.states
        if edges:
            assert sorted(x.numbers[x.table != 0].tolist()) == list(range(space.states))
    assert ways[0] == ways[1]


def test_the_moves_of_a_state_are_all_that_can_be_made() -> None:
    """In the order of the movers' numbers, each once."""
    plan, table, design = compile_case(cases.load("oom-lock")), costs.load(), designs.load("linux-3.1")
    space, played = Space(), Space()
    boot.start(plan, design, table, space)
    space.explore(0, edges=True, reduce=False)
    boot.start(plan, design, table, played)
    start = played.x.words.copy()
    first = [*space.x.nodes["first_edge"][: space.states].tolist(), int(space.x.counts[explore.EDGES])]
    for state in range(0, space.states, 41):
        played.x.words[:] = start
        played.play(space.way_to(state))
        able = played.drive(explore.WHO)
        made = space.x.edges["mover"][first[state] : first[state + 1]].tolist()
        assert made == [mover for mover in range(MOVERS) if able >> mover & 1]
