"""Does a search find, from "before", the order of steps that mended the bug? Of trials whose sides differ in one path.

Tried is every order that moves at most two steps of that path, as far as the steps' dependencies allow; of a path that
pays for memory.high every place of the steps that pay, or none. Safe is an order on which, in the trial's case, the
trial's property holds, and every property of states that all designs are asked for, and not because somebody stands
still.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cowpath import cases
from cowpath.cases.plan import compile_case
from cowpath.checker import properties
from cowpath.checker.check import Settings, check_case
from cowpath.checker.result import PROVED
from cowpath.designs import Design
from cowpath.designs.edits import moved
from cowpath.engine import costs
from cowpath.kernels.check import PAYING
from cowpath.searching.orders import Steps, is_possible
from cowpath.searching.places import PATHS, placements
from cowpath.searching.suite import Bench

from .entry import Entry, Trial

MOST_MOVED = 2  # steps


@dataclass(frozen=True)
class Searched:
    """What the search of a trial's orders has found."""

    entry: Entry
    trial: Trial
    path: str
    orders: int  # that were tried
    safe: tuple[Steps, ...]  # those that move the fewest steps first
    fix: int  # the place of the historical one among these, from 1; 0: it is not there

    @property
    def moved(self) -> int:
        """How many steps the historical order moves, or leaves out."""
        return len(moved(self.trial.before.paths[self.path], self.trial.after.paths[self.path]))


def path_of(trial: Trial) -> str | None:
    """The one path in whose order the sides differ, and in nothing else; or None."""
    before, after = trial.before, trial.after
    paths = [path for path, steps in before.paths.items() if steps != after.paths[path]]
    if len(paths) != 1 or before.policies != after.policies or before.on_error != after.on_error:
        return None
    old, new = before.paths[paths[0]], after.paths[paths[0]]
    left_out = [step for step in old if step not in PAYING] if paths[0] in PATHS else None
    return paths[0] if Counter(old) == Counter(new) or list(new) == left_out else None


def search(entry: Entry, trial: Trial) -> Searched | None:
    """Every order near "before", in the trial's case; None: its fix is no order. Raises InputError and MachineError."""
    path = path_of(trial)
    if path is None:
        return None
    own = trial.before.paths[path]
    tried = list(near(path, own))
    bench = Bench(cases.load(trial.case), trial.before, costs.load(), path)
    kept = [steps for steps in tried if bench.failure(steps) is None and _holds(trial, path, steps)]
    safe = tuple(sorted(kept, key=lambda steps: (len(moved(own, steps)), tried.index(steps))))
    fix = trial.after.paths[path]
    return Searched(entry, trial, path, len(tried), safe, safe.index(fix) + 1 if fix in safe else 0)


def near(path: str, steps: Steps) -> Iterator[Steps]:
    """The orders to try, each once: those that are possible."""
    if path in PATHS and set(PAYING) & set(steps):
        yield from placements(path, steps)
        return
    seen, edge = {steps}, [steps]
    for _ in range(MOST_MOVED):
        edge = [each for each in dict.fromkeys(new for old in edge for new in _one_moved(old)) if each not in seen]
        seen |= set(edge)
        yield from (each for each in edge if is_possible(path, each))


def _one_moved(steps: Steps) -> Iterator[Steps]:
    for at, step in enumerate(steps):
        rest = steps[:at] + steps[at + 1 :]
        for place in range(len(steps)):
            yield (*rest[:place], step, *rest[place:])


def _holds(trial: Trial, path: str, steps: Steps) -> bool:
    """The trial's property, if it is none that the bench looks at."""
    wanted = properties.find(trial.property)
    if wanted.of_states and not wanted.by_name_only:
        return True
    design: Design = replace(trial.before, paths=trial.before.paths | {path: steps})
    plan = compile_case(cases.load(trial.case))
    return check_case(plan, design, [wanted], costs.load(), Settings())[0].verdict == PROVED


def search_all(entries: Sequence[Entry]) -> Iterator[Searched]:
    """Each trial whose fix is an order."""
    for entry in entries:
        for trial in entry.trials:
            found = search(entry, trial)
            if found is not None:
                yield found
