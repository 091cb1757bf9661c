"""A point: a session with one combination of values, on one design, with one seed. What it shows is a function of these
and of nothing else, wherever it is played: no file is read, and no clock but the machine's counts.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cowpath.errors import CowpathError, InputError

if TYPE_CHECKING:
    from cowpath.designs import Design
    from cowpath.engine.costs import Costs
    from cowpath.options import Options
    from cowpath.session.plan import Plan

MOST_OPEN = 3  # parcels that a worker keeps open
PLAYED, FAILED = "played", "failed"


@dataclass(frozen=True)
class Work:
    """All that it takes to play a combination of values."""

    plan: Plan
    designs: dict[str, Design]
    options: Options
    costs: Costs
    files: tuple[tuple[str, str, str], ...]  # what is fixed: group, file, value


@dataclass(frozen=True)
class Parcel:
    """``Work`` as bytes, to be sent to where it is played."""

    digest: str
    content: bytes

    @staticmethod
    def of(work: Work) -> Parcel:
        """Packed."""
        content = pickle.dumps(work, pickle.HIGHEST_PROTOCOL)
        return Parcel(hashlib.sha256(content).hexdigest(), content)

    def open(self) -> Work:
        """Unpacked. What a process plays next is mostly of the same parcel: it keeps the last ones open."""
        if self.digest not in _OPEN:
            _OPEN[self.digest] = pickle.loads(self.content)
            while len(_OPEN) > MOST_OPEN:
                _OPEN.pop(next(iter(_OPEN)))
        return _OPEN[self.digest]


_OPEN: dict[str, Work] = {}


@dataclass(frozen=True)
class Task:
    """A point of a parcel: its identity in the store, the design, and the seed."""

    id: str
    design: str
    seed: int


@dataclass(frozen=True)
class Played:
    """What became of a point: the object that ``cowpath run --json`` prints of a run, as text, or why there is none."""

    id: str
    status: str  # PLAYED or FAILED
    result: str | None
    error: str | None
    wall_s: float


def play_all(parcel: Parcel, tasks: Sequence[Task]) -> list[Played]:
    """Some points of one parcel, one after the other. One that fails does not stop the others."""
    return [play(parcel, task) for task in tasks]


def play(parcel: Parcel, task: Task) -> Played:
    """One point."""
    began = time.perf_counter()
    try:
        result, error = json.dumps(shown(parcel.open(), task)), None
    except CowpathError as wrong:
        result, error = None, str(wrong)
    except Exception as wrong:  # kept with the point, so that the others go on
        result, error = None, f"{type(wrong).__name__}: {wrong}"
    status = PLAYED if error is None else FAILED
    return Played(task.id, status, result, error, round(time.perf_counter() - began, 6))


def shown(work: Work, task: Task) -> dict[str, Any]:
    """A run, without how long it took. Raises InputError and MachineError."""
    from cowpath import api

    options = replace(work.options, seed=task.seed)
    summary = api.run_plan(work.plan, work.designs[task.design], options, costs=work.costs).summary
    check_files(work.files, summary["output"])
    return {name: value for name, value in summary.items() if name != "wall_s"}


def check_files(files: Sequence[tuple[str, str, str]], output: str) -> None:
    """Raise InputError where the kernel has refused what was to be fixed: the point would be one of another value."""
    for group, name, value in files:
        refused = re.search(rf"^[\w-]+: {re.escape(group)}: {re.escape(name)}: (.+)$", output, re.MULTILINE)
        if refused is not None:
            hint = "is it above memory.memsw.limit_in_bytes? vary both: A:FILE+A:FILE=..." if "limit" in name else None
            raise InputError(f"{group}:{name}={value}: the kernel answers: {refused[1]}", hint=hint)
