"""Playing many scenarios, each on the kernel that it was measured on, several at once; the results in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, as_completed
from dataclasses import dataclass
from typing import Any, TypeVar

from cowpath import designs
from cowpath.checker.workers import pool_of
from cowpath.designs import Design
from cowpath.errors import InputError, MachineError

from .compile import check
from .play import NotModelled, play
from .scenario import Scenario
from .score import Score, score
from .score import as_json as score_json

WORTH_A_PROCESS = 6  # scenarios
APART = {"mglru": "the multi-gen LRU is not modelled: played with the classic one"}  # variants that are in no sum
Item = TypeVar("Item")
Result = TypeVar("Result")
Told = Callable[[int, str], None]  # how many are done, which runs next


@dataclass(frozen=True)
class Job:
    """A scenario on a kernel, or a design of one."""

    scenario: Scenario
    design: Design

    @property
    def name(self) -> str:
        """What it is called while it runs."""
        return f"{self.scenario.id} on {self.design.name}"


@dataclass(frozen=True)
class Found:
    """What came of one: a score, or why there is none."""

    job: Job
    score: Score | None
    reason: str = ""  # why the model does not play it

    @property
    def apart(self) -> str:
        """Why it is in no sum; "" if it is."""
        return self.reason or APART.get(self.job.scenario.variant, "")


def jobs_of(scenarios: Sequence[Scenario], kernel: str | None) -> list[Job]:
    """Each with the kernel of its label, those of one kernel together.

    With a kernel (or a design) given: those that were measured on it, and those that do not say what they were
    measured on. Raises InputError for a label that is no kernel's, and where nothing is left to be played.
    """
    wanted = None if kernel is None else designs.load(kernel)
    loaded: dict[str, Design] = {} if wanted is None else {wanted.name: wanted}
    found = []
    for scenario in scenarios:
        name = design_of(scenario)
        if wanted is not None and "kernel" not in scenario.row:
            name = wanted.name
        elif name not in designs.names():
            known = ", ".join(designs.names())
            raise scenario.place.error(f"kernel {scenario.kernel!r} has no profile", f"--kernel, or one of: {known}")
        if wanted is None or name == wanted.name:
            if name not in loaded:
                loaded[name] = designs.load(name)
            found.append(Job(scenario, loaded[name]))
    if not found:
        measured = sorted({scenario.kernel for scenario in scenarios})
        raise InputError(f"--kernel {kernel}: no scenario was measured on it", hint=f"there are: {', '.join(measured)}")
    for job in found:  # before the first is played
        check(job.scenario)
    order = list(dict.fromkeys(job.design.name for job in found))
    return sorted(found, key=lambda job: order.index(job.design.name))


def design_of(scenario: Scenario) -> str:
    """The name of the kernel or the design that it was measured on."""
    return scenario.kernel if scenario.kernel in designs.names() else f"linux-{scenario.release}"


def run(job: Job) -> Found:
    """Play one and score it."""
    try:
        return Found(job, score(job.scenario, play(job.scenario, job.design), job.design.name))
    except (NotModelled, MachineError) as why:
        return Found(job, None, str(why))


def run_all(jobs: Sequence[Job], told: Told, processes: int) -> Iterator[Found]:
    """What came of each, in the order of the jobs. Raises InputError, MachineError and WorkerError."""
    told(0, jobs[0].name)
    yield run(jobs[0])  # it has compiled what has to be, before several want it at once
    rest = jobs[1:]
    if processes == 1 or len(rest) < WORTH_A_PROCESS:
        for done, job in enumerate(rest, 1):
            told(done, job.name)
            yield run(job)
        return
    yield from in_order(rest, run, lambda done: told(1 + done, rest[min(done, len(rest) - 1)].name), processes)


def in_order(
    items: Sequence[Item], work: Callable[[Item], Result], done: Callable[[int], None], processes: int
) -> Iterator[Result]:
    """What becomes of each in so many processes, in the order of the items."""
    with pool_of(processes) as pool:
        futures: dict[Future[Result], int] = {pool.submit(work, item): at for at, item in enumerate(items)}
        results: dict[int, Result] = {}
        at = 0
        try:
            for ended, future in enumerate(as_completed(futures), 1):
                results[futures[future]] = future.result()
                done(ended)
                while at in results:
                    yield results.pop(at)
                    at += 1
        finally:
            for future in futures:
                future.cancel()


def by_design(found: Iterable[Found]) -> dict[str, list[Found]]:
    """What came of the scenarios of each kernel or design."""
    made: dict[str, list[Found]] = {}
    for each in found:
        made.setdefault(each.job.design.name, []).append(each)
    return made


def scores_by_design(found: Iterable[Found]) -> dict[str, list[Score]]:
    """The scores that are in the sums."""
    return {
        name: [each.score for each in its if each.score is not None and not each.apart]
        for name, its in by_design(found).items()
    }


def as_json(found: Iterable[Found]) -> list[dict[str, Any]]:
    """An object for each kernel or design (docs/json.md)."""
    all_of = list(found)
    scores = scores_by_design(all_of)
    return [
        score_json(name, scores[name]) | {"apart": [_apart(each) for each in its if each.apart]}
        for name, its in by_design(all_of).items()
    ]


def _apart(each: Found) -> dict[str, Any]:
    told: dict[str, Any] = {"id": each.job.scenario.id, "kernel": each.job.scenario.kernel, "reason": each.apart}
    if each.score is not None:
        told |= {"agree": each.score.agree, "total": each.score.total, "outcome_ok": each.score.outcome_ok}
    return told
