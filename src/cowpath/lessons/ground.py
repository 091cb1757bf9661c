"""All states of a case on a design: who can move in each, which are bad, what can still be reached from where.

A state is a number, 0 the first. ``bad`` are those that violate the property: for a property of states those in which
it does not hold, for one of the graph those in which it is lost. Moves of the outside count like all others, unless it
is said that they need not happen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cowpath.cases import Case
from cowpath.cases.plan import compile_case
from cowpath.checker import boot
from cowpath.checker.anew import Anew
from cowpath.checker.explain import CaseScene
from cowpath.checker.graph import Graph, cannot_reach, stands_still, starved, stuck
from cowpath.checker.movers import mover_names
from cowpath.checker.paint import paint
from cowpath.checker.picture import Picture
from cowpath.checker.properties import Property, find
from cowpath.checker.space import Limits, Space, Step
from cowpath.designs import Design
from cowpath.engine import costs, explore
from cowpath.engine import moves as m
from cowpath.engine import properties as p
from cowpath.engine.invariants_pages import OK
from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.kernel.state import EXPLORE

MOST_STATES = 200_000  # of a lesson's case: it is for people who wait for it

Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[Any]


@dataclass(frozen=True)
class Seen:
    """What was seen of each state."""

    bad: Flags
    asleep: Ints  # the tasks that sleep for what others have, a bit each


class Ground:
    """A case on a design, explored whole; what differs in the numbers of pages and the like only is one state."""

    def __init__(self, case: Case, design: Design, property_: str, told: Callable[[Step], None] | None = None) -> None:
        """Explore it. Raises InputError or MachineError where the case does not fit the small machine."""
        self.case, self.design, self.property = case, design, find(property_)
        self.plan = compile_case(case)
        self.space, stage = Space(), Space()
        table = costs.load()
        boot.start(self.plan, design, table, self.space)
        boot.start(self.plan, design, table, stage)
        self._stage = Anew(stage)
        self.names = mover_names(self.plan, self.space.k)
        self.tasks = [player.name for player in self.plan.players]
        seen = self._explore(told)
        x, self.states = self.space.x, self.space.states
        count = int(x.counts[explore.EDGES])
        first = np.append(x.nodes[: self.states]["first_edge"], count)
        self.source: Ints = np.repeat(np.arange(self.states), np.diff(first))
        self.target: Ints = x.edges[:count]["to"].astype(np.int64)
        self.mover: Ints = x.edges[:count]["mover"].astype(np.int64)
        self.first_edge: Ints = first
        self.depth = self._depths()
        self.asleep = seen.asleep
        self.bad = seen.bad if self.property.of_states else _lost(Graph.of(self.space), self.property, self.space.k)

    def _explore(self, told: Callable[[Step], None] | None) -> Seen:
        bad: dict[int, bool] = {}  # by state: the first one is shown twice
        asleep: dict[int, int] = {}
        tasks = self.space.k.state["tasks"]  # what is in the machine that is shown
        runs, waits = tasks["run_state"], tasks["wait_kind"]
        blocks, bits = np.array(n.BLOCKS), 1 << np.arange(len(tasks))

        def look(_: Any, state: int) -> bool:
            of_states = self.property.of_states
            bad[state] = of_states and self.space.drive(explore.OFFENDER, self.property.number) != OK
            asleep[state] = int(bits[(runs == n.T_SLEEPING) & (blocks[waits] != 0)].sum())
            return False

        why = self.space.explore(
            0, fold=True, reduce=False, edges=True, age_counts=self.case.may_kill, look=look, progress=told,
            limits=Limits(states=MOST_STATES),
        )  # fmt: skip
        if why == explore.EXHAUSTED:
            raise boot.too_small(self.space.k, self.plan)
        if self.space.unfinished:
            raise InputError(
                f"{self.case.name} on {self.design.name} has more than {MOST_STATES:,} states",
                file=self.case.source, hint="too many for a lesson: a smaller case",
            )  # fmt: skip
        every = range(self.space.states)
        return Seen(np.array([bad[state] for state in every]), np.array([asleep[state] for state in every]))

    def _depths(self) -> Ints:
        """Moves on a shortest way from the first state; a state's parent has a smaller number."""
        parents = self.space.x.parents[: self.states]
        depth = np.zeros(self.states, np.int64)
        for state in range(1, self.states):
            depth[state] = depth[parents[state]] + 1
        return depth

    # --- ways
    def moves(self, state: int) -> dict[int, int]:
        """The movers that can move in a state, each with the state that its move leads to."""
        edges = slice(int(self.first_edge[state]), int(self.first_edge[state + 1]))
        return dict(zip(self.mover[edges].tolist(), self.target[edges].tolist(), strict=True))

    def distances(self, goal: Flags, *, outside: bool = True, without: int | None = None) -> Ints:
        """From each state the moves to the nearest one of ``goal``, or -1. ``without``: a mover that does not move."""
        usable = np.ones(len(self.source), bool)
        if not outside:
            usable &= self.mover < m.OUTSIDE
        if without is not None:
            usable &= self.mover != without
        source, target = self.source[usable], self.target[usable]
        found = np.full(self.states, -1)
        found[goal] = at = 0
        while (reached := (found[target] == at) & (found[source] < 0)).any():
            at += 1
            found[source[reached]] = at
        return found

    def way(self, state: int, distances: Ints, *, outside: bool = True, without: int | None = None) -> list[int]:
        """The movers of a shortest way from a state that has a distance to the goal."""
        found: list[int] = []
        while distances[state] > 0:
            mover, state = next(
                (mover, to) for mover, to in self.moves(state).items()
                if distances[to] == distances[state] - 1 and (outside or mover < m.OUTSIDE) and mover != without
            )  # fmt: skip
            found.append(mover)
        return found

    def reachable(self, state: int, *, outside: bool = True) -> int:
        """To how many states some schedule leads from a state, which is one of them."""
        usable = self.mover < (m.MOVERS if outside else m.OUTSIDE)
        source, target = self.source[usable], self.target[usable]
        found = np.zeros(self.states, bool)
        found[state] = True
        while (new := found[source] & ~found[target]).any():
            found[target[new]] = True
        return int(found.sum())

    def way_to_rest(self, state: int) -> list[int]:
        """The movers of a way to where it has come to rest: every task in user mode, gone, or waiting for its own
        group's memory; where that is so already, or never will be, to where nobody can move any more, if there is one.
        """
        marks = self.space.x.nodes[: self.states]["marks"]
        every = (1 << EXPLORE.tasks) - 1
        for goal in ((marks & every) == every, self.ends):
            distances = self.distances(goal)
            if distances[state] > 0:
                return self.way(state, distances)
        return []

    def way_to(self, state: int) -> list[int]:
        """The movers of a shortest way from the first state."""
        return self.space.way_to(state)

    @property
    def ends(self) -> Flags:
        """The states in which nobody can move, but for the outside."""
        found = np.ones(self.states, bool)
        found[self.source[self.mover < m.OUTSIDE]] = False
        return found

    def goal_of(self, task: int) -> Flags:
        """The states in which a task is in user mode or gone, or waits for its own group's memory."""
        marks = self.space.x.nodes[: self.states]["marks"]
        found: Flags = (marks >> (p.GOAL + task)) & 1 == 1
        return found

    # --- moments
    def nearest(self, wanted: Flags) -> int | None:
        """The state of these that the fewest moves lead to."""
        states = np.flatnonzero(wanted)
        return int(min(states, key=lambda state: (self.depth[state], state))) if len(states) else None

    def forks(self) -> Ints:
        """The states in which it is decided: after one move the bad can still be reached, after another it cannot."""
        able = self.distances(self.bad) >= 0
        saves, keeps = np.zeros(self.states, bool), np.zeros(self.states, bool)
        keeps[self.source[able[self.target]]] = True
        saves[self.source[~able[self.target]]] = True
        return np.flatnonzero(keeps & saves & ~self.bad)

    def shortest_forks(self) -> list[int]:
        """Those on the shortest ways to the bad, else all; from the first move on."""
        distances, forks = self.distances(self.bad), self.forks()
        on_it = [int(fork) for fork in forks if self.depth[fork] + distances[fork] == distances[0]]
        return sorted(on_it or forks.tolist(), key=lambda state: (self.depth[state], state))

    def sleeps(self, task: int) -> Flags:
        """The states in which a task sleeps for what others have."""
        found: Flags = (self.asleep >> task) & 1 == 1
        return found

    def picture(self, state: int) -> Picture:
        """The machine in a state."""
        there = self.stand(self.way_to(state))
        return paint(there, CaseScene(there.k, self.plan))

    def stand(self, movers: list[int]) -> Space:
        """The machine after moves from the start; the same one each time."""
        return self._stage.after(movers)


def _lost(graph: Graph, property_: Property, k: Any) -> Flags:
    """The states in which a property of the graph is lost."""
    found = np.zeros(graph.states, bool)
    if property_.number == p.NO_STUCK:
        _, task = stuck(graph, EXPLORE.tasks)
        if task >= 0:
            found[cannot_reach(graph, graph.has(p.GOAL + task))] = True
        return found
    tasks, groups = EXPLORE.tasks, int(k.state.n_groups)
    loop = starved(graph, tasks) if property_.number == p.STARVATION else stands_still(graph, groups)
    found[loop.members] = True
    return found
