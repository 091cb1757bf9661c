"""How long a task sleeps in a step, and how often: accesses that took longer than 7 ms, in reality and in the model.

The real ones were measured in an emulator, where also an access that only works may take so long: each of them may be
``NOISE_US`` longer than its sleep. What no run shows to be a sleep is none: the least that a run shows counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .span import Span

NOISE_US = 15_000
SURE_US = 50_000  # no access takes so long that does not sleep, but for a loaded emulator
FACTOR = 1.5
MARKS = ("high", "swap_high", "swap.high")  # of a group: who goes over one sleeps
Slow = dict[str, Any]  # n, sum_us, first = [[index, us], ...]


def throttles(row: Mapping[str, Any]) -> bool:
    """Whether a group of a scenario has a mark over which tasks sleep, from the start or later."""
    if any(group.get(mark) is not None for group in row.get("groups", {}).values() for mark in MARKS):
        return True
    words = [command.split() for who, command, *_ in row.get("steps", ()) if who == "ctl"]
    return any(len(each) > 2 and each[0] == "set" and each[2] in MARKS for each in words)


def per_run(value: Any) -> list[Slow | None]:
    """What each run has; None: nothing so slow. Where all have the same there is one."""
    return list(value["per_run"]) if isinstance(value, dict) and "per_run" in value else [value]


def right(real: Any, simulated: Any) -> bool:
    """The time slept is right within a factor, and the number of sleeps within the spread."""
    return _time_right(per_run(real), simulated) and _number_right(per_run(real), simulated)


def _time_right(real: Iterable[Slow | None], simulated: Slow | None) -> bool:
    runs = list(real)
    slept = simulated["sum_us"] if simulated else 0
    least = min((run["sum_us"] - NOISE_US * run["n"] if run else 0) for run in runs) / FACTOR
    most = max((run["sum_us"] if run else 0) for run in runs) * FACTOR + NOISE_US
    return bool(least <= slept <= most)


def _number_right(real: Iterable[Slow | None], simulated: Slow | None) -> bool:
    """Those that were sleeps for sure at least, all that were slow at most; likewise of the model's."""
    runs = list(real)
    least, most = min(map(_sure, runs)), max(run["n"] if run else 0 for run in runs)
    return _sure(simulated) <= most and (simulated["n"] if simulated else 0) >= least


def _sure(run: Slow | None) -> int:
    return sum(us >= SURE_US for _, us in run["first"]) if run else 0


def by_luck(value: Any) -> bool:
    """Whether it differs so much between the runs that it tells nothing of one task alone."""
    times = [run["sum_us"] if run else 0 for run in per_run(value)]
    return max(times) > FACTOR * max(min(times), SURE_US)


def summed(values: Sequence[Any]) -> Any:
    """Those of several tasks together, run by run."""
    columns = [per_run(value) for value in values]
    runs = max(map(len, columns))
    added = []
    for run in range(runs):
        its = [each for column in columns if (each := column[min(run, len(column) - 1)])]
        first = [access for each in its for access in each["first"]]
        added.append(
            {"n": sum(each["n"] for each in its), "sum_us": sum(each["sum_us"] for each in its), "first": first}
        )
    return {"per_run": added}


def first_at(real: Any, simulated: Any) -> tuple[Span, float | None] | None:
    """Where the first sleep for sure was: the number of the access. None if not every run has one."""
    places = [_first(run) for run in per_run(real)]
    if None in places:
        return None
    span = Span.of(places)
    return None if span is None else (span, _first(simulated))


def _first(run: Slow | None) -> float | None:
    return next((float(index) for index, us in run["first"] if us >= SURE_US), None) if run else None


def words(value: Any) -> str:
    """``9 accesses, 11.5 to 11.6 s``."""
    runs = per_run(value)
    numbers = Span.of([run["n"] if run else 0 for run in runs])
    times = Span.of([run["sum_us"] / 1e6 if run else 0 for run in runs])
    if numbers is None or times is None or not numbers.most:
        return "no sleep"
    return f"{_range(numbers, '.0f')} slow, {_range(times, '.2f')} s"


def _range(span: Span, form: str) -> str:
    least, most = format(span.least, form), format(span.most, form)
    return least if least == most else f"{least} to {most}"
