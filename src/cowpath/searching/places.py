"""Where a path may pay for memory.high: ``reclaim_high`` and ``high_delay`` in every place, or left out.

On the way to user mode a task always pays (``exit_to_user``), so what a path leaves out is done there. All other steps
keep their order: a step moved out of a loop, or into one, is done another number of times, and what such steps ask of
each other is declared only as far as faults need it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from cowpath.designs import Design
from cowpath.kernel.steps import FAULT_PATHS, PATH_NAMES, STEPS, number_of
from cowpath.kernels.check import PAYING

from .orders import Steps, is_possible

AT_RETURN = "exit_to_user"
AFTER_A_FAULT = "pagefault_out_of_memory"  # it has failed, and nothing has been charged
MISPLACED = {path for step in PAYING for where in STEPS[number_of(step)].misplaced for path in where.paths}
PATHS = tuple(path for path in PATH_NAMES if path not in {*FAULT_PATHS, *MISPLACED, AT_RETURN, AFTER_A_FAULT})


def placements(path: str, steps: Sequence[str]) -> Iterator[Steps]:
    """Every path that these steps make when those that pay are moved; first the one that pays at the return only."""
    rest = tuple(step for step in steps if step not in PAYING)
    reclaim, delay = PAYING
    for reclaimed in (rest, *_with(rest, reclaim)):
        for order in (reclaimed, *_with(reclaimed, delay)):
            if is_possible(path, order):
                yield order


def calls_faults(design: Design, path: str) -> bool:
    """The path makes faults of the kernel's own, one after the other, in which it may be paid as well."""
    faults = (design.paths[fault] for fault in FAULT_PATHS)
    return "populate" in design.paths[path] and any(set(PAYING) & set(steps) for steps in faults)


def with_bare_faults(design: Design) -> Design:
    """The same, but in no fault anything is paid."""
    bare = {fault: tuple(step for step in design.paths[fault] if step not in PAYING) for fault in FAULT_PATHS}
    return replace(design, paths=design.paths | bare)


def pays_at_once(order: Steps) -> bool:
    """It reclaims, and sleeps right after that."""
    reclaim, delay = PAYING
    return reclaim in order and order[order.index(reclaim) + 1 :][:1] == (delay,)


def paid_at(order: Steps, paying: str) -> str:
    """Where an order reclaims, or sleeps, in words."""
    if paying not in order:
        return "at the return only"
    after = next((step for step in order[order.index(paying) + 1 :] if step not in PAYING), None)
    return f"before {after}" if after else "at the end"


def _with(steps: Steps, step: str) -> Iterator[Steps]:
    """The step in each of the places between, before and after these."""
    for place in range(len(steps) + 1):
        yield (*steps[:place], step, *steps[place:])
