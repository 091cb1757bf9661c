"""One measurement for ``pairs.py``, in whichever tree it is run: prints a rate per second of processor time.

It keeps to what has long been there, so that an older tree can run it too.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

TRIES = 3  # in one process: the best counts
LARGER = (("cold-readahead", "preallocate"), ("oom-lock", "preallocate"), ("swap-in", "preallocate"))
TODAY = ("high-readahead", "linux-6.12")  # unreduced it has two million states


def core() -> float:
    """Faults per second of the core."""
    from core import in_cowpath
    from core_rate import SIZE

    in_cowpath.run(SIZE)
    return max(in_cowpath.run(SIZE).faults_per_s for _ in range(TRIES))


def session(name: str, until_ns: int) -> float:
    """Moves per second of a session."""
    from cowpath import api
    from cowpath.engine.clock import Clock

    options = api.Options.of(None, until_ns, None, None)
    plan = api.load_plan(Path("examples") / name, options)
    design = api.load_design("linux-3.0")
    rates = []
    for _ in range(TRIES + 1):
        k = api.build_machine(plan, design, options)
        clock = Clock(k, plan, design)
        began = time.thread_time()
        clock.run(until_ns)
        rates.append(int(k.books.steps) / (time.thread_time() - began))
    return max(rates[1:])


def check(fold: bool) -> float:
    """Transitions per second of a search of all states."""
    from cowpath import designs
    from cowpath.cases import load
    from cowpath.cases.plan import compile_case
    from cowpath.checker import boot
    from cowpath.checker.properties import find
    from cowpath.checker.space import Space
    from cowpath.engine import costs

    case = compile_case(load(Path(__file__).parent / "spin" / "crowd.toml"))
    rates = []
    for _ in range(TRIES):
        space = Space()
        boot.start(case, designs.load("unlock-charge-relock"), costs.load(), space)
        began = time.process_time()
        space.explore(1 << find("isolation").number, fold=fold, reduce=False)
        rates.append(space.transitions / (time.process_time() - began))
    return max(rates[1:])


def explore(cases: Sequence[tuple[str, str]], fold: bool, reduce: bool) -> float:
    """Transitions per second of searches of all states, for all properties of states: their geometric mean."""
    from cowpath import cases as packaged
    from cowpath import designs
    from cowpath.cases.plan import compile_case
    from cowpath.checker import boot
    from cowpath.checker.space import Space
    from cowpath.engine import costs
    from cowpath.engine import properties as p

    best = []
    for case, design in cases:
        plan = compile_case(packaged.load(case))
        rates = []
        for _ in range(TRIES):
            space = Space()
            boot.start(plan, designs.load(design), costs.load(), space)
            began = time.process_time()
            space.explore((1 << p.OF_STATES) - 1, alike=boot.alike_tasks(plan), fold=fold, reduce=reduce)
            rates.append(space.transitions / (time.process_time() - began))
        best.append(max(rates))
    return math.prod(best) ** (1 / len(best))


POINTS: dict[str, Callable[[], float]] = {
    "core": core,
    "fork-bomb": lambda: session("fork-bomb.sh", 3_000_000_000),
    "swap": lambda: session("swap.sh", 20_000_000_000),
    "check": lambda: check(fold=False),
    "check-folded": lambda: check(fold=True),
    "explore": lambda: explore(LARGER, fold=False, reduce=False),
    "explore-folded": lambda: explore((*LARGER, TODAY), fold=True, reduce=False),
    "explore-reduced": lambda: explore((*LARGER, TODAY), fold=True, reduce=True),
}

if __name__ == "__main__":
    rate: float = POINTS[sys.argv[1]]()
    print(rate)
