"""Running a random session in the checking mode. One small capacity for all, since each is compiled anew."""

from __future__ import annotations

from functools import cache
from typing import Any

from cowpath import designs
from cowpath.designs import Design
from cowpath.engine import costs, invariants, machine
from cowpath.kernel import names as n
from cowpath.kernel.state import Capacity

from .strategies import Session, plan_of

SMALL = Capacity(
    pages=4096, tasks=64, mms=64, vmas=512, directories=256, tables=256, entries=16, files=4, slots=256, groups=6,
    cpus=3, requests=64, swaps=64, ops=1024, names=16, paths=32, path_steps=32, log=16384,
)  # fmt: skip
UNTIL_NS = 10_000_000_000
MOVES = 2_500
SHELL = 0

loaded_costs = cache(costs.load)


@cache
def loaded_design(name: str) -> Design:
    return designs.load(name)


def boot(session: Session) -> Any:
    """The session's machine, ready to run."""
    k = machine.build(
        plan_of(session), loaded_design(session.design), loaded_costs(), cpus=session.cpus,
        memory=session.memory * n.PAGE_SIZE, seed=session.seed, capacity=SMALL,
    )  # fmt: skip
    for name in ("latency", "min_granularity", "wakeup_granularity"):
        k.books.sched[name] = session.slice_ns
    k.books.stall_ns, k.books.bound_ns, k.books.bound_rounds = 1_000_000, 50_000_000, 100
    return k


def run(k: Any, moves: int = MOVES) -> tuple[int, str]:
    """Run with a check after every move: why it stopped, and what is wrong ("" if nothing is)."""
    why, code, at = invariants.run_checked(k, UNTIL_NS, moves, SHELL)
    return int(why), invariants.in_words(int(code), int(at)) if code != invariants.FINE else ""


def wrong(k: Any) -> str:
    """What is wrong with the machine as it stands, without the number of the thing."""
    return invariants.WORDS[int(invariants.run_checked(k, 0, 0, SHELL)[1])]
