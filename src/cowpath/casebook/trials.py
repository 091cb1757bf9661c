"""The book's trials in the explorer: does "before" violate, does "after" hold; which of the bugs has a design?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cowpath import cases
from cowpath.checker import properties
from cowpath.checker.check import Settings
from cowpath.checker.many import Job, Told, check_all
from cowpath.checker.result import PROVED, UNFINISHED, VIOLATED, Result
from cowpath.designs.design import Design, of_kernel

from .entry import Entry, Trial

BACK = "brought back"  # the kernel that it extends does not have it
HAS = "has it"  # as that kernel has
WITHOUT = "does not have it"
UNKNOWN = "not finished"
APART = "not about this design"


@dataclass(frozen=True)
class Outcome:
    """A trial, and what the explorer found on both sides."""

    entry: Entry
    trial: Trial
    before: Result
    after: Result

    @property
    def as_expected(self) -> bool:
        """Before violates, after holds."""
        return (self.before.verdict, self.after.verdict) == (VIOLATED, PROVED)


@dataclass(frozen=True)
class Back:
    """A trial's case on somebody's design; ``found`` and ``kernel`` are None where the case is not about it."""

    entry: Entry
    trial: Trial
    found: Result | None
    kernel: Result | None  # the same on the kernel that the design extends

    @property
    def verdict(self) -> str:
        """One of BACK, HAS, WITHOUT, UNKNOWN and APART."""
        if self.found is None or self.kernel is None:
            return APART
        if self.found.verdict == VIOLATED:
            return {VIOLATED: HAS, UNFINISHED: UNKNOWN}.get(self.kernel.verdict, BACK)
        return WITHOUT if self.found.verdict == PROVED else UNKNOWN


def run(
    entries: Sequence[Entry], settings: Settings, told: Told | None = None, processes: int = 1
) -> list[tuple[Outcome, tuple[Job, Job]]]:
    """Both sides of every trial of the entries, with the jobs that they were. Raises InputError and MachineError."""
    trials = [(entry, trial) for entry in entries for trial in entry.trials]
    jobs = [(trial.property, _job(side, trial)) for _, trial in trials for side in (trial.before, trial.after)]
    results = _results(jobs, settings, told, processes)
    pairs = zip(trials, results[::2], results[1::2], jobs[::2], jobs[1::2], strict=True)
    return [(Outcome(entry, trial, before, after), (first[1], second[1]))
            for (entry, trial), before, after, first, second in pairs]  # fmt: skip


def brought_back(
    entries: Sequence[Entry], design: Design, settings: Settings, told: Told | None = None, processes: int = 1
) -> list[Back]:
    """Every trial's case on a design, and on the kernel that it extends. Raises InputError and MachineError."""
    trials = [(entry, trial) for entry in entries for trial in entry.trials]
    base = of_kernel(design.kernel)
    about = [all(_job(side, trial).applies for side in (design, base)) for _, trial in trials]
    those = [trial for (_, trial), applies in zip(trials, about, strict=True) if applies]
    jobs = [(trial.property, _job(side, trial)) for trial in those for side in (design, base)]
    results = iter(_results(jobs, settings, told, processes))
    return [Back(entry, trial, *((next(results), next(results)) if applies else (None, None)))
            for (entry, trial), applies in zip(trials, about, strict=True)]  # fmt: skip


def _job(design: Design, trial: Trial) -> Job:
    return Job(design, cases.load(trial.case))


def _results(jobs: Sequence[tuple[str, Job]], settings: Settings, told: Told | None, processes: int) -> list[Result]:
    """The result of each job for its property; those of one property are explored together."""
    found: dict[int, Result] = {}
    for name in dict.fromkeys(name for name, _ in jobs):
        those = [at for at, (other, _) in enumerate(jobs) if other == name]
        wanted = [properties.find(name)]
        explored = check_all([jobs[at][1] for at in those], wanted, settings, told, processes)
        found |= {at: results[0] for at, (_, results) in zip(those, explored, strict=True)}
    return [found[at] for at in range(len(jobs))]
