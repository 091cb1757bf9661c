"""Checking many designs on many cases, on all cores or on a cluster: what ``check`` and ``audit`` do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from functools import partial

from cowpath.cases import Case
from cowpath.cases.plan import CasePlan, compile_case
from cowpath.designs import Design, has_memory_high
from cowpath.engine import costs
from cowpath.errors import InputError

from .check import Settings, check_case
from .properties import Property
from .result import Result
from .space import Step
from .workers import Pool, pool_of

WORTH_A_PROCESS = 24  # pairs of a design and a case


@dataclass(frozen=True)
class Job:
    """A design on a case."""

    design: Design
    case: Case

    @property
    def applies(self) -> bool:
        """The design has what the case is about."""
        if self.case.path and not self.design.paths[self.case.path]:
            return False  # that kernel does not do it at all
        if self.case.has_oom_group and "v2" not in self.design.kernel.interface:
            return False
        return not self.case.has_high or has_memory_high(self.design)

    @property
    def name(self) -> str:
        """What it is called while it runs."""
        return f"{self.case.name} on {self.design.name}"


Told = Callable[[int, int, str, Step | None], None]  # how many are done, of how many, which runs, how far it is


def pairs(designs: Sequence[Design], cases: Sequence[Case], path: str | None = None) -> list[Job]:
    """Every design on every case (of a path, if one is given)."""
    return [Job(design, case) for case in cases if path in (None, case.path) for design in designs]


def check_all(
    jobs: Sequence[Job],
    wanted: Sequence[Property],
    settings: Settings,
    told: Told | None = None,
    processes: int = 1,
    pool: Pool | None = None,
) -> Iterator[tuple[Job, list[Result]]]:
    """The results of each job, in the order of the jobs. ``pool``: who works, instead of so many ``processes``.

    Raises InputError and MachineError, and WorkerError where nobody is left to work.
    """
    own = next((each.name for each in wanted if each.holds is not None), None)
    if pool is not None and own is not None:
        raise InputError(f"{own}: a property of one's own is checked by this process, not on a cluster")
    if pool is None and processes > 1 and len(jobs) >= WORTH_A_PROCESS and own is None:
        pool = partial(pool_of, processes)
    if pool is not None:
        yield from _side_by_side(jobs, [each.number for each in wanted], settings, told, pool)
        return
    table = costs.load()
    plans: dict[str, CasePlan] = {}
    for done, job in enumerate(jobs):
        tell: Callable[[str, Step], None] | None = None
        if told is not None:
            told(done, len(jobs), job.name, None)
            tell = _teller(told, done, len(jobs), job.name)
        if job.case.source not in plans:
            plans[job.case.source] = compile_case(job.case)
        yield job, check_case(plans[job.case.source], job.design, wanted, table, replace(settings, progress=tell))


def _teller(told: Told, done: int, total: int, name: str) -> Callable[[str, Step], None]:
    return lambda what, step: told(done, total, f"{name}: {what}", step)


def _side_by_side(
    jobs: Sequence[Job], numbers: list[int], settings: Settings, told: Told | None, pool: Pool
) -> Iterator[tuple[Job, list[Result]]]:
    plain = replace(settings, progress=None)
    if told is not None:
        told(0, len(jobs), jobs[0].name, None)
    with pool() as workers:
        yield jobs[0], workers.first(check_one, jobs[0], numbers, plain)
        jobs = jobs[1:]
        waiting: dict[Future[list[Result]], int] = {
            workers.submit(check_one, job, numbers, plain): at for at, job in enumerate(jobs)
        }
        try:
            yield from _in_order(jobs, waiting, told)
        finally:
            for future in waiting:
                future.cancel()


def _in_order(
    jobs: Sequence[Job], waiting: dict[Future[list[Result]], int], told: Told | None
) -> Iterator[tuple[Job, list[Result]]]:
    results: dict[int, list[Result]] = {}
    at = done = 0
    pending = set(waiting)
    while pending:
        ended, pending = wait(pending, return_when=FIRST_COMPLETED)
        for future in ended:
            results[waiting[future]] = future.result()
        done += len(ended)
        if told is not None:
            told(done, len(jobs), jobs[min(done, len(jobs) - 1)].name, None)
        while at in results:
            yield jobs[at], results.pop(at)
            at += 1


def check_one(job: Job, numbers: list[int], settings: Settings) -> list[Result]:
    """What another process does for one job."""
    from .properties import ALL

    return check_case(compile_case(job.case), job.design, [ALL[number] for number in numbers], costs.load(), settings)
