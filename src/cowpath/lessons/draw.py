"""Random problems: the same seed draws the same one. What is right the explorer finds, as in a lesson."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import numpy as np

from cowpath import cases, designs
from cowpath.designs import Design
from cowpath.kernels import DEFAULT
from cowpath.searching.orders import is_possible

from .ground import Ground
from .kinds import Finish, Next, Safe, Waits
from .question import Explorer, NothingToAskError, Problem, Question, Where

# what a problem may be about: cases small enough to be explored at once, designs, and the property that is asked for
SCENES = tuple(
    (case, design, property_)
    for property_, those, on in (
        ("isolation", ("commit", "hierarchy", "oom-on", "page-table", "fsync", "write", "lookup"),
         (DEFAULT, "linux-3.1", "charge-after-map")),
        ("isolation", ("high-write", "high-append"), ("linux-6.1", "linux-6.18")),
        ("isolation", ("mmap-sem-reader",), (DEFAULT,)),
        ("no-stale-page", ("truncate-while-waiting",), ("charge-after-unlock", "unlock-charge-relock")),
    )
    for case in those
    for design in on
)  # fmt: skip
ORDERED = (DEFAULT, "preallocate", "charge-after-map", "unlock-charge-relock")  # whose orders are shuffled
ORDER_PATH = "file_cow"
ORDER_CASES = ("commit", "truncate-while-waiting")
ORDER_PROPERTIES = ("isolation", "no-stale-page", "lock-order", "no-leak")
ORDERS = 4  # to choose from
MOST_TRIES = 1000  # far more than any seed has needed


def problem(seed: int, explorer: Explorer) -> Problem:
    """The problem of a seed."""
    rng = Random(seed)
    for _ in range(MOST_TRIES):
        try:
            return rng.choice(KINDS)(rng, explorer).pose(explorer)
        except NothingToAskError:
            continue
    raise AssertionError("among so many there is a problem")


def _ground(rng: Random, explorer: Explorer) -> Ground:
    case, design, property_ = rng.choice(SCENES)
    return explorer.ground(cases.load(case), designs.load(design), property_)


def _tasks(ground: Ground) -> list[str]:
    """Those of the case, not helpers."""
    return [player.name for player in ground.plan.players if player.spec is not None]


def _where(ground: Ground, state: int) -> Where:
    return Where(ground.case, ground.design, ground.property.name, state)


def _one_of(rng: Random, states: np.ndarray[tuple[int], np.dtype[np.int64]]) -> int:
    if not len(states):
        raise NothingToAskError("there is no such state")
    return int(rng.choice(states.tolist()))


def _next(rng: Random, explorer: Explorer) -> Question:
    """Of any state in which it is decided."""
    ground = _ground(rng, explorer)
    return Next(_where(ground, _one_of(rng, ground.forks())), "")


def _waits(rng: Random, explorer: Explorer) -> Question:
    """Of a state in which somebody sleeps for what others have: of those who do, or (one time in four) of anybody."""
    ground = _ground(rng, explorer)
    asleep = [ground.sleeps(ground.names.index(task)) for task in _tasks(ground)]
    state = _one_of(rng, np.flatnonzero(np.any(asleep, axis=0)))
    those = [task for task, sleeps in zip(_tasks(ground), asleep, strict=True) if sleeps[state] or rng.random() < 0.25]
    return Waits(_where(ground, state), "", rng.choice(those))


def _finish(rng: Random, explorer: Explorer) -> Question:
    """Of a task that is in the kernel for itself, while somebody sleeps."""
    ground = _ground(rng, explorer)
    task = rng.choice(_tasks(ground))
    states = np.flatnonzero(~ground.goal_of(ground.names.index(task)) & (ground.asleep != 0))
    return Finish(_where(ground, _one_of(rng, states)), "", task)


def _safe(rng: Random, explorer: Explorer) -> Question:
    """Of orders that differ from a design's by one step or two that stand elsewhere."""
    base = designs.load(rng.choice(ORDERED))
    found: dict[tuple[str, ...], Design] = {}
    while len(found) < ORDERS:
        order = moved(rng, base.paths[ORDER_PATH])
        name = f"order {len(found) + 1}"
        if order not in found and is_possible(ORDER_PATH, order):
            found[order] = replace(base, name=name, summary="", paths=base.paths | {ORDER_PATH: order})
    ask = "In which order does nobody outside wait for the group's memory, and nothing else go wrong?"
    return Safe(tuple(map(cases.load, ORDER_CASES)), tuple(found.values()), ORDER_PROPERTIES, ask, shows_steps=True)


def moved(rng: Random, steps: tuple[str, ...]) -> tuple[str, ...]:
    """One step or two of them at other places."""
    order = list(steps)
    for _ in range(rng.randint(1, 2)):
        step = order.pop(rng.randrange(len(order)))
        order.insert(rng.randrange(len(order) + 1), step)
    return tuple(order)


KINDS: tuple[Callable[[Random, Explorer], Question], ...] = (_next, _waits, _finish, _safe)
