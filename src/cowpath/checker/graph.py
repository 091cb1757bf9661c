"""Properties of the whole graph: what can still be reached, and what a fair schedule can go on doing for ever.

A schedule is fair if no task, disk, worker or timer that can always move is left out for ever (weak fairness). A set of
states between which a fair schedule can go on for ever is a strongly connected component in which every mover that can
move in all of its states also does. Moves of the outside are no part of a schedule: they need not happen.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cowpath.engine import explore
from cowpath.engine.moves import OUTSIDE
from cowpath.engine.properties import GOAL, SHORT

Ints = npt.NDArray[Any]


@dataclass(frozen=True)
class Graph:
    """Edges ``source[i] -> target[i]`` of moves that need no outside; marks of each state (``properties.marks``)."""

    states: int
    source: Ints
    target: Ints
    mover: Ints
    progress: Ints  # a bit for each group
    marks: Ints

    @classmethod
    def of(cls, space: Any) -> Graph:
        """The graph of a search that has kept its edges."""
        x = space.x
        count = int(x.counts[explore.EDGES])
        states = space.states
        nodes, edges = x.nodes[:states], x.edges[:count]
        first = np.append(nodes["first_edge"], count)  # states are expanded in the order of their numbers
        source = np.repeat(np.arange(states, dtype=np.int32), np.diff(first))
        inside = edges["mover"] < OUTSIDE
        edges = edges[inside]
        return cls(states, source[inside], edges["to"], edges["mover"], edges["progress"], nodes["marks"])

    def has(self, bit: int) -> Ints:
        """The states that bear a mark."""
        bears: Ints = (self.marks >> bit) & 1 == 1
        return bears


def _directed(states: int, source: Ints, target: Ints) -> Any:
    from rustworkx import PyDiGraph

    directed = PyDiGraph()
    directed.add_nodes_from(range(states))
    directed.extend_from_edge_list(list(zip(source.tolist(), target.tolist(), strict=True)))
    return directed


def cannot_reach(graph: Graph, goal: Ints) -> Ints:
    """The states from which no schedule leads to a state of ``goal``, by number."""
    from rustworkx import ancestors

    # one more node, to which an edge leads from every goal
    end = graph.states
    goals = np.flatnonzero(goal)
    source = np.concatenate([graph.source, goals])
    target = np.concatenate([graph.target, np.full(len(goals), end)])
    lost = np.ones(end, bool)
    lost[list(ancestors(_directed(end + 1, source, target), end))] = False
    return np.flatnonzero(lost)


def components(states: int, source: Ints, target: Ints) -> tuple[int, Ints]:
    """Strongly connected components: how many there are, and the number of each state's."""
    from rustworkx import strongly_connected_components

    found = strongly_connected_components(_directed(states, source, target))
    component = np.zeros(states, np.int64)
    for number, members in enumerate(found):
        component[members] = number
    return len(found), component


@dataclass(frozen=True)
class Loop:
    """A set of states between which a fair schedule can go on for ever. ``state`` is the first of them, -1: none."""

    state: int
    who: int  # the task that does not finish, or the group in which nothing comes about
    members: Ints
    walk: tuple[int, ...]  # movers: from ``state`` back to it, each that moves in the set at least once


NO_LOOP = Loop(-1, -1, np.empty(0, np.int64), ())


def fair_loop(graph: Graph, who: int, within: Ints, without: Ints | None = None) -> Loop:
    """The first set of states within which a fair schedule can go on for ever.

    ``within``: the states that the schedule may pass; ``without``: edges that it may not take. A state in which nobody
    can move is such a set: the schedule has ended there, for ever.
    """
    usable = within[graph.source] & within[graph.target]
    if without is not None:
        usable &= ~without
    source, target, mover = graph.source[usable], graph.target[usable], graph.mover[usable]
    count, component = components(graph.states, source, target)
    size = np.bincount(component[within], minlength=count)
    stays = component[source] == component[target]
    idle = np.ones(graph.states, bool)
    idle[graph.source] = False
    fair = np.zeros(count, bool)
    fair[component[source[stays]]] = True
    fair[component[within & idle]] = True  # nobody can move
    for which in range(OUTSIDE):
        able = np.zeros(graph.states, bool)
        able[graph.source[graph.mover == which]] = True
        always = (np.bincount(component[within & able], minlength=count) == size) & (size > 0)
        does = np.zeros(count, bool)
        does[component[source[stays & (mover == which)]]] = True
        fair &= ~always | does
    states = np.flatnonzero(within & fair[component])
    if not len(states):
        return NO_LOOP
    inside = component == component[states[0]]
    kept = stays & inside[source]
    walk = _walk(int(states[0]), source[kept], target[kept], mover[kept])
    return Loop(int(states[0]), who, np.flatnonzero(inside & within), walk)


def _walk(start: int, source: Ints, target: Ints, mover: Ints) -> tuple[int, ...]:
    """A way through a strongly connected set of edges that each mover takes part in, and back."""
    following: dict[int, list[tuple[int, int]]] = {}
    for edge in range(len(source)):
        following.setdefault(int(source[edge]), []).append((int(mover[edge]), int(target[edge])))
    wanted = {int(which) for which in np.unique(mover)}
    at, walk = start, list[int]()
    while wanted:
        way, at = _shortest(at, following, wanted, None)
        walk += way
        wanted -= set(way)
    back, _ = _shortest(at, following, set(), start)
    return (*walk, *back)


def _shortest(
    start: int, following: dict[int, list[tuple[int, int]]], wanted: set[int], goal: int | None
) -> tuple[list[int], int]:
    """The shortest way that ends with a move of one of ``wanted``, or at ``goal``; and where it ends."""
    if start == goal:
        return [], start
    came: dict[int, tuple[int, int]] = {}
    queue = deque([start])
    while queue:
        at = queue.popleft()
        for which, to in following.get(at, ()):
            if which in wanted or to == goal:
                way = [which]
                while at != start:
                    at, which = came[at]
                    way.append(which)
                return way[::-1], to
            if to not in came and to != start:
                came[to] = at, which
                queue.append(to)
    raise AssertionError("the set is strongly connected")


def stuck(graph: Graph, tasks: int) -> tuple[int, int]:
    """No-stuck: the first state in which some task can never finish, and the task; (-1, -1) if there is none."""
    found = [(int(lost[0]), t) for t in range(tasks) if len(lost := cannot_reach(graph, graph.has(GOAL + t)))]
    return min(found, default=(-1, -1))


def starved(graph: Graph, tasks: int) -> Loop:
    """Starvation: the first fair loop on which some task never finishes."""
    loops = [fair_loop(graph, t, ~graph.has(GOAL + t)) for t in range(tasks)]
    return min((loop for loop in loops if loop.state >= 0), key=lambda loop: (loop.state, loop.who), default=NO_LOOP)


def stands_still(graph: Graph, groups: int) -> Loop:
    """Progress: the first fair loop on which a group stays out of memory and nothing in it comes about."""
    loops = [
        fair_loop(graph, g, graph.has(SHORT + g), (graph.progress >> g) & 1 == 1)
        for g in range(1, groups)
    ]  # fmt: skip
    return min((loop for loop in loops if loop.state >= 0), key=lambda loop: (loop.state, loop.who), default=NO_LOOP)
