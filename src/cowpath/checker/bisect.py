"""From one design to another, a moved step at a time: which one turns a verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from cowpath.cases import Case
from cowpath.cases.plan import compile_case
from cowpath.designs import Design, kernels_told
from cowpath.designs.edits import Alignment, Edit, align
from cowpath.engine.costs import Costs
from cowpath.errors import InputError
from cowpath.kernels.check import check_path

from .check import Settings, check_case
from .properties import Property


@dataclass(frozen=True)
class Stage:
    """A design on the way."""

    change: str  #: What it differs in from the one before, in words; of the first: its name.
    design: Design  #: Its steps and policies.
    verdicts: dict[str, str]  #: By property.


@dataclass(frozen=True)
class Turn:
    """A verdict that a change has turned."""

    property: str  #: Its name.
    change: str  #: That of the stage.
    before: str  #: The verdict of the stage before.
    after: str  #: The verdict of this stage.


@dataclass(frozen=True)
class Bisection:
    """The way from the first design to the second."""

    stages: tuple[Stage, ...]  #: The first design, and after it one per change.
    ends: tuple[Design, Design]  #: The first design and the second.

    @property
    def turns(self) -> list[Turn]:
        """Every verdict that is another one than at the stage before."""
        return [
            Turn(name, after.change, before.verdicts[name], after.verdicts[name])
            for before, after in zip(self.stages, self.stages[1:], strict=False)
            for name in after.verdicts
            if before.verdicts[name] != after.verdicts[name]
        ]

    @property
    def summary(self) -> dict[str, Any]:
        """The object that ``cowpath bisect --json`` prints."""
        stages = [{"change": stage.change, "verdicts": stage.verdicts} for stage in self.stages]
        return {"kernels": kernels_told(self.ends), "stages": stages, "turns": [vars(turn) for turn in self.turns]}


def bisect(
    first: Design, second: Design, case: Case, wanted: Sequence[Property], costs: Costs, settings: Settings
) -> Bisection:
    """Check every design on the way. Raises InputError."""
    plan = compile_case(case)

    def stage(change: str, design: Design) -> Stage:
        results = check_case(plan, design, wanted, costs, settings)
        return Stage(change, design, {result.property: result.verdict for result in results})

    stages = [stage(first.name, first)]
    stages += [stage(change, design) for change, design in way(first, second)]
    return Bisection(tuple(stages), (first, second))


def way(first: Design, second: Design) -> Iterator[tuple[str, Design]]:
    """The designs between two, each with what is new in it; the last one is the second in all but its name."""
    at = replace(first, name=f"between {first.name} and {second.name}")
    for path, steps in second.paths.items():
        if at.paths[path] != steps:
            for edits, changed in _one_by_one(path, align(at.paths[path], steps)):
                at = replace(at, paths=at.paths | {path: changed})
                yield f"{path}: " + ", ".join(edit.words() for edit in edits), at
        if at.on_error.get(path) != second.on_error.get(path):
            rest = {name: exit_ for name, exit_ in at.on_error.items() if name != path}
            at = replace(at, on_error=rest | ({path: second.on_error[path]} if path in second.on_error else {}))
            yield f"error exit of {path}: " + " ".join(second.on_error.get(path, ("in reverse order",))), at
    for policy, value in second.policies.items():
        if at.policies[policy] != value:
            change = f"policy {policy}: {at.policies[policy]} -> {value}"
            at = replace(at, policies=at.policies | {policy: value})
            yield change, at


def _one_by_one(path: str, alignment: Alignment) -> Iterator[tuple[tuple[Edit, ...], tuple[str, ...]]]:
    """Make the edits of a path: each time as few as still leave a path that is possible."""
    done: list[Edit] = []
    while len(done) < len(alignment.edits):
        left = [edit for edit in alignment.edits if edit not in done]
        edits, steps = next(_possible(path, alignment, done, left))
        done += edits
        yield edits, steps


def _possible(
    path: str, alignment: Alignment, done: list[Edit], left: list[Edit]
) -> Iterator[tuple[tuple[Edit, ...], tuple[str, ...]]]:
    for size in range(1, len(left) + 1):
        for edits in combinations(left, size):
            steps = alignment.path([*done, *edits])
            if size == len(left) or _is_possible(path, steps):
                yield edits, steps


def _is_possible(path: str, steps: tuple[str, ...]) -> bool:
    try:
        check_path(path, steps, "")
    except InputError:
        return False
    return True
