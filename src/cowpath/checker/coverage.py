"""What a search of all states has come to, and whether its proofs mean anything.

A design whose tasks stand still at a lock that nobody can ever take violates no property of states: nothing happens on
it. So a proof is vacuous where a task of the case never moves, where nobody ever enters the path that the case is
about, or where a task enters a path and in no state gets past one of its steps, unless it waits there for memory (a
group that is full may be full for ever: that is what most cases are about) or for a child. The kernel's own steps fail
for reasons that a case has; a step of one's own that always fails, where none has to, is one that nobody gets past. A
case of memory.high says nothing of a kernel that has none, nor where nobody is ever throttled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from functools import reduce
from operator import or_
from typing import Any

import numpy as np

from cowpath.cases.case import Case
from cowpath.cases.plan import CasePlan, Player
from cowpath.designs import Design, has_memory_high
from cowpath.engine.coverage import LEFT_DONE, LEFT_FAILED
from cowpath.kernel.steps import FOR_EVER, OF_THE_KERNEL, PATH_NAMES, STEP_NAMES

from .movers import task_name

FAILS = "fails"  # it always ends with an error
MEMORY = "memory"  # its charge has met a limit, and has never got through
CHILD = "child"  # it waits for a child
STAYS = "stays"  # nothing that may last for ever explains it
WAITS_FOR_A_CHILD = "wait"  # the path
LOOP_BEGINS, LOOP_ENDS = "each_page", "next_page"  # between these a path goes round


@dataclass(frozen=True)
class NeverDone:
    """A task that has entered a path and never come to its end."""

    task: str  # of tasks that are alike the name of all
    path: str
    step: int  # the last one that it has come to, from 1
    name: str  # of that step
    why: str  # FAILS, MEMORY, CHILD, STAYS; or the path that it has called and that never ends

    def __str__(self) -> str:
        words = {FAILS: "always fails, at the latest in", MEMORY: "waits for memory in", CHILD: "waits for a child in",
                 STAYS: "never gets past"}.get(self.why, f"waits for {self.why} in")  # fmt: skip
        return f"{self.path} of {self.task}: {words} step {self.step} ({self.name})"


@dataclass(frozen=True)
class Coverage:
    """What was done in all states of a case on a design, after its start."""

    never_reached: dict[str, list[str]]  # by path that somebody has entered: "7 map_page"
    never_completed: tuple[NeverDone, ...]
    never_moved: tuple[str, ...]
    never_throttled: tuple[str, ...]  # of a case of memory.high: "readahead: 6 high_delay" that somebody has come to
    vacuous: str  # what makes a proof mean nothing, or empty

    def as_json(self) -> dict[str, Any]:
        """Part of an entry of ``coverage`` in docs/json.md."""
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """For people: a line for each path and task; where a path waits for another one, that says it all."""
        for path, steps in self.never_reached.items():
            yield f"never reached in {path}: {', '.join(steps)}"
        for each in (each for each in self.never_completed if each.why not in PATH_NAMES):
            yield f"never completed: {each}"
        if self.never_moved:
            yield f"never moved: {', '.join(self.never_moved)}"
        yield from (f"never throttled in {place}" for place in self.never_throttled)


def coverage_of(plan: CasePlan, design: Design, seen: Any, moved: int) -> Coverage:
    """What the books of a whole search say (``Space.coverage``, ``Space.moved``)."""
    crowd = _Crowd(plan, design, seen)
    never_done = tuple(crowd.never_done())
    active = {_name(plan, each.number) for each in plan.players if moved >> each.number & 1}
    names = dict.fromkeys(_name(plan, each.number) for each in plan.players if _has_to_move(each))
    never_moved = tuple(name for name in names if name not in active)
    about = plan.case.path if plan.case.says_path else ""
    stays = [each for each in never_done if each.why == STAYS or (_fails_alone(each) and not _may_fail(plan.case))]
    vacuous = _vacuous(about, crowd, stays, never_moved) or _nobody_pays(plan.case, design, crowd)
    idle = tuple(crowd.never_throttled()) if plan.case.has_high else ()
    return Coverage(dict(crowd.never_reached()), never_done, never_moved, idle, vacuous)


def _has_to_move(player: Player) -> bool:
    """It is a task of the case, and something is to be explored of it."""
    return player.spec is not None and (bool(player.spec.does.strip()) or player.spec.then == "exit")


def _name(plan: CasePlan, t: int) -> str:
    """A task's name; those that are alike have one, for a search that folds them meets only some."""
    spec = plan.players[t].spec if t < len(plan.players) else None
    return spec.name if spec is not None else task_name(plan, t)


@dataclass
class _Done:
    """What a task has done on a path: ``books.coverage``."""

    tried: int = 0
    charging: int = 0
    throttled: int = 0
    calls: int = 0
    left: int = 0

    @property
    def got_out(self) -> bool:
        """It has come out of the path by itself: to be killed, or to start again, is not to get past a step."""
        return bool(self.left & (LEFT_DONE | LEFT_FAILED))


class _Crowd:
    """What each task, by name, has done on each path that it has entered, by number."""

    def __init__(self, plan: CasePlan, design: Design, seen: Any) -> None:
        self.steps = [design.paths[path] for path in PATH_NAMES]
        self.of: dict[str, dict[int, _Done]] = {}
        for t, path in zip(*(places.tolist() for places in np.nonzero(seen["tried"])), strict=True):
            done = self.of.setdefault(_name(plan, t), {}).setdefault(path, _Done())
            for what in fields(_Done):
                setattr(done, what.name, getattr(done, what.name) | int(seen[what.name][t, path]))

    def of_path(self, path: int) -> dict[str, _Done]:
        """Who has entered it, and what they have done."""
        return {task: paths[path] for task, paths in self.of.items() if path in paths}

    def never_reached(self) -> Iterator[tuple[str, list[str]]]:
        """By path that somebody has entered: the steps that nobody has come to."""
        for path in sorted({path for paths in self.of.values() for path in paths}):
            tried = reduce(or_, (done.tried for done in self.of_path(path).values()))
            missed = [f"{at} {step}" for at, step in enumerate(self.steps[path], 1) if not tried >> (at - 1) & 1]
            if missed:
                yield PATH_NAMES[path], missed

    def never_throttled(self) -> Iterator[str]:
        """By path that somebody has entered: its ``high_delay``, if nobody has ever slept there."""
        for path in sorted({path for paths in self.of.values() for path in paths}):
            steps = self.steps[path]
            if "high_delay" not in steps:
                continue
            at = steps.index("high_delay")
            throttled = reduce(or_, (done.throttled for done in self.of_path(path).values()))
            if not throttled >> at & 1:
                yield f"{PATH_NAMES[path]}: {at + 1} high_delay"

    def never_done(self) -> Iterator[NeverDone]:
        """The tasks and paths that have been entered and never completed."""
        for task, paths in self.of.items():
            for path, done in paths.items():
                if not done.left & LEFT_DONE and PATH_NAMES[path] not in FOR_EVER:
                    at = done.tried.bit_length()
                    yield NeverDone(task, PATH_NAMES[path], at, self.steps[path][at - 1], self._why(paths, path))

    def _why(self, paths: dict[int, _Done], path: int) -> str:
        done = paths[path]
        if done.left & LEFT_FAILED:
            return FAILS
        inner = [other for other, its in paths.items() if done.calls >> other & 1 and not its.got_out]
        if inner:
            return PATH_NAMES[inner[0]]
        if self._waits_for_memory(self.steps[path], done):
            return MEMORY
        return CHILD if PATH_NAMES[path] == WAITS_FOR_A_CHILD else STAYS

    @staticmethod
    def _waits_for_memory(steps: Sequence[str], done: _Done) -> bool:
        """At the last step that it has come to; or in an earlier one, if it has gone round to that again."""
        last = done.tried.bit_length() - 1
        first = last
        if LOOP_BEGINS in steps and LOOP_ENDS in steps and steps.index(LOOP_BEGINS) <= last <= steps.index(LOOP_ENDS):
            first = steps.index(LOOP_BEGINS)
        return any(done.charging >> place & 1 for place in range(first, last + 1))


def _fails_alone(each: NeverDone) -> bool:
    """It always fails, and by a step of one's own."""
    return each.why == FAILS and STEP_NAMES.index(each.name) >= OF_THE_KERNEL


def _may_fail(case: Case) -> bool:
    """A file of it cannot be read, or may lose pages: reason enough for a fault to fail."""
    words = " ".join((*case.setup, *case.outside, *(task.before + " " + task.does for task in case.tasks))).split()
    return not {"fail-reads", "failreads", "truncate"}.isdisjoint(words) or any(file.unreadable for file in case.files)


def _nobody_pays(case: Case, design: Design, crowd: _Crowd) -> str:
    """Why a case of memory.high says nothing of this design; or empty."""
    if not case.has_high:
        return ""
    if not has_memory_high(design):
        return f"{design.name} has no memory.high"
    if not any("high_delay" in steps for steps in design.paths.values()):
        return ""  # it only reclaims
    throttled = any(done.throttled for paths in crowd.of.values() for done in paths.values())
    return "" if throttled else "nobody is ever throttled"


def _vacuous(path: str, crowd: _Crowd, stays: Sequence[NeverDone], never_moved: Sequence[str]) -> str:
    if stays:
        first = stays[0]
        alike = {each.task for each in stays if (each.path, each.step) == (first.path, first.step)}
        everybody = alike == set(crowd.of_path(PATH_NAMES.index(first.path)))
        return f"{first.path}{'' if everybody else f' of {first.task}'} never gets past step {first.step}"
    if never_moved:
        return f"{' and '.join(never_moved)} never {'moves' if len(never_moved) == 1 else 'move'}"
    entered = not path or crowd.of_path(PATH_NAMES.index(path))
    return "" if entered else f"{path} is never entered"
