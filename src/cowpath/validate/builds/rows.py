"""The rows of a file of builds (JSON lines): a job under a limit, by so many at a time, and what became of it.

Rows that differ in nothing but how often they were run are one *configuration at a read-ahead*; those that differ in
the read-ahead too are one configuration.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.units import parse_size
from cowpath.words import Place

FINISHED, THRASHING, KILLED = "finished", "thrashing", "killed"
UNLIMITED = "unl"
COUNTERS = ("oom_kill", "max_usage_in_bytes", "failcnt", "pgfault", "pgmajfault")
SCHEMA = '{"recording": NAME, "limit": "64M" or "unl", "jobs": "j8" or "j", "read_ahead_kb": 128, "exit": 0, ...}'


@dataclass(frozen=True, order=True)
class Setup:
    """What was run: a recorded job in a group of ``limit`` bytes (None: without a limit), ``jobs`` at a time (None: all
    at once), with windows of ``read_ahead_kb``.
    """

    recording: str
    limit: int | None
    jobs: int | None
    read_ahead_kb: int
    victims: tuple[str, ...] = ()  # which files tasks outside have used meanwhile, by a part of their names

    @property
    def configuration(self) -> tuple[str, int | None, int | None]:
        """Without the read-ahead."""
        return self.recording, self.limit, self.jobs

    @property
    def unlimited(self) -> Setup:
        """The same without a limit."""
        return Setup(self.recording, None, self.jobs, self.read_ahead_kb, self.victims)

    @property
    def name(self) -> str:
        """Of the configuration: ``lua_j2-64M-j8``."""
        return f"{self.recording}-{self.limit_text if self.limit else UNLIMITED}{self.jobs_text}"

    @property
    def limit_text(self) -> str:
        """``64M``, or ``-`` where there is none."""
        if self.limit is None:
            return "-"
        return f"{self.limit >> 20}M" if self.limit % (1 << 20) == 0 else str(self.limit)

    @property
    def jobs_text(self) -> str:
        """``-j8``, ``-j``."""
        return "-j" if self.jobs is None else f"-j{self.jobs}"


@dataclass(frozen=True)
class Outcome:
    """What became of a build: of a real one, or the model's."""

    verdict: str
    seconds: float
    counters: Mapping[str, int]  # COUNTERS
    outside: int | None  # major faults of the tasks outside


@dataclass(frozen=True)
class Measured:
    """A setup, and its real runs."""

    setup: Setup
    runs: tuple[Outcome, ...]

    @property
    def verdicts(self) -> tuple[str, ...]:
        """What became of the runs: each verdict once."""
        return tuple(sorted({run.verdict for run in self.runs}))


def is_build(row: Mapping[str, Any]) -> bool:
    """Whether a row is of a build, and not a scenario."""
    return "recording" in row and "steps" not in row


def measured_of(rows: Iterable[tuple[Mapping[str, Any], Place]]) -> list[Measured]:
    """The rows, those of one setup together, in the order of limit, jobs and read-ahead. Raises InputError."""
    found: dict[Setup, list[Outcome]] = {}
    for row, place in rows:
        found.setdefault(_setup(row, place), []).append(_outcome(row, place))
    return [Measured(setup, tuple(found[setup])) for setup in sorted(found, key=_order)]


def _order(setup: Setup) -> tuple[Any, ...]:
    limit = n.UNLIMITED * n.PAGE_SIZE if setup.limit is None else setup.limit
    return setup.recording, -limit, setup.jobs or n.UNLIMITED, setup.read_ahead_kb


def _setup(row: Mapping[str, Any], place: Place) -> Setup:
    name = row["recording"]
    if not isinstance(name, str) or not name or "/" in name or name.startswith("."):
        raise place.error(f"recording: {name!r} is no name", "the name of a recorded command's folder or file")
    victims = row.get("victims") or {}
    if not isinstance(victims, dict):
        raise place.error("victims: not an object", '"victims": {"cc1": {"majflt": 2, ...}}')
    read_ahead_kb = _number(row, "read_ahead_kb", place)
    if read_ahead_kb * 1024 % n.PAGE_SIZE:
        raise place.error(f"read_ahead_kb: {read_ahead_kb} is no number of pages", "a multiple of 4")
    return Setup(name, _limit(row, place), _jobs(row, place), read_ahead_kb, tuple(sorted(victims)))


def _limit(row: Mapping[str, Any], place: Place) -> int | None:
    text = row.get("limit")
    if text == UNLIMITED:
        return None
    try:
        limit = parse_size(str(text))
    except InputError:
        limit = 0
    if limit < n.PAGE_SIZE:
        raise place.error(f"limit: {text!r} is no size", f'"64M", or "{UNLIMITED}"')
    return limit


def _jobs(row: Mapping[str, Any], place: Place) -> int | None:
    match = re.fullmatch(r"j([1-9][0-9]{0,3})?", str(row.get("jobs")))
    if match is None:
        raise place.error(f"jobs: {row.get('jobs')!r}", '"j8", or "j": all at once')
    return int(match[1]) if match[1] else None


def _outcome(row: Mapping[str, Any], place: Place) -> Outcome:
    counters = {name: _number(row, name, place) for name in COUNTERS}
    seconds = row.get("wall_s")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < float("inf"):
        raise place.error(f"wall_s: {seconds!r} is no time", "seconds above 0")
    status = row.get("exit")
    if isinstance(status, bool) or not isinstance(status, int):
        raise place.error(f"exit: {status!r} is no status", SCHEMA)
    verdict = THRASHING if row.get("timed_out") else FINISHED if status == 0 else KILLED
    victims = [each for each in (row.get("victims") or {}).values() if isinstance(each, dict)]
    outside = sum(_number(each, "majflt", place) for each in victims) if victims else None
    return Outcome(verdict, float(seconds), counters, outside)


def _number(row: Mapping[str, Any], key: str, place: Place) -> int:
    value = row.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        what = f"there is no {key!r}" if value is None else f"{key}: {value!r} is no number"
        raise place.error(what, f'"{key}": a whole number, not below 0; a row: {SCHEMA}')
    return value
