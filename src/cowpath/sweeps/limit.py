"""How much memory a job needs: the smallest limit of its group at which it completes, whatever the seed.

First without a limit: how long it takes, and how much it uses at most. From that peak down there is a ladder of limits,
each 5.1 % below the one before, so that two rungs are 10 %. A run has completed when nobody of the group is left and
the OOM killer has taken none; it is cut at three times the time without a limit. Bisection with a few seeds finds the
place, and is not believed: from there all seeds are played rung by rung, up until nothing fails any more, and down
until nothing completes. What lies between is the band in which it is luck.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.observe.summary import peak
from cowpath.observe.text import duration

Result = dict[str, Any]
Play = Callable[[int | None, int, int | None], Sequence[Result]]  # at a limit (bytes), so many seeds, until (ns)

STEP = math.sqrt(0.9)
MOST_RUNGS = 66  # down to a thirtieth of the peak
HIGHEST = 5  # rungs above the peak: charges run ahead of use, by a batch for each CPU
LOOKS = 2  # seeds of the bisection
CLEAR = 2  # rungs in a row after which luck is no more
CUT = 3  # times the time without a limit
ABOVE = 6  # rungs above the band that are played, at most


@dataclass(frozen=True)
class Tried:
    """What became of the job at a limit (None: without one), with the seeds 0 ... N-1."""

    limit: int | None  # bytes
    runs: tuple[Result, ...]
    group: str

    @property
    def completed(self) -> int:
        """How many runs have completed."""
        return sum(completed(run, self.group) for run in self.runs)

    @property
    def counts(self) -> bool:
        """All have."""
        return self.completed == len(self.runs)

    def figures(self, read: Callable[[Result], float]) -> tuple[float, float, float] | None:
        """Mean, least and most of a figure over the runs that have completed."""
        values = [read(run) for run in self.runs if completed(run, self.group)]
        return (fmean(values), min(values), max(values)) if values else None

    @property
    def time(self) -> float | None:
        """ns, the mean of those that have completed."""
        found = self.figures(lambda run: run["virtual_ns"])
        return None if found is None else found[0]

    @property
    def majors(self) -> float:
        """Major faults of the group, the mean of all runs."""
        return fmean(run["groups"][self.group]["major_faults"] for run in self.runs)


def completed(run: Result, group: str) -> bool:
    """Nobody of the group is left, and the OOM killer has taken none. A group that is gone was empty."""
    its = run["groups"][group]
    over = run["group_verdicts"].get(group, "finished") == "finished" and not its["tasks"] and its["faults"] > 0
    return bool(over and not its["oom_kills"] and run["exhausted"] is None)


@dataclass(frozen=True)
class Answer:
    """What a job needs. Limits are bytes."""

    group: str
    unlimited: Tried
    peak: int
    tried: tuple[Tried, ...]  # by limit, the largest first
    limit: int | None  # the smallest at which all seeds complete; None: no rung of the ladder
    luck: tuple[int, int] | None  # the smallest at which some complete, and the largest at which some do not
    comfortable: int | None  # the smallest with hardly more time
    slower: float  # what that means: 0.05
    takes_off: int | None  # the largest at which major faults have doubled
    seeds: int
    below: Tried | None = field(default=None)  # what became of it at 10 % less


@dataclass
class Search:
    """Looks for the limit. ``play`` plays; ``told`` is called with what is being played, before it is."""

    play: Play
    group: str
    seeds: int
    slower: float = 0.05
    told: Callable[[str], None] = lambda doing: None
    at: dict[int, Tried] = field(default_factory=dict)  # by rung

    def run(self, place: int | None = None) -> Answer:
        """All of it; ``place``: the rung that an earlier search has found.

        Raises InputError for a job that does not complete without a limit.
        """
        self.told("without a limit")
        self.unlimited = Tried(None, tuple(self.play(None, self.seeds, None)), self.group)
        if not self.unlimited.counts:
            raise InputError(
                f"without a limit the job of {self.group} does not complete: {why(self.unlimited)}",
                hint="a job that ends by itself, a longer --until, or more --memory",
            )
        self.top = max(peak(run["groups"][self.group]) for run in self.unlimited.runs)
        self.until = CUT * max(int(run["virtual_ns"]) for run in self.unlimited.runs)
        self.place = self.climb(self.bisect() if place is None else place)
        self.go_down(self.place)
        self.look_above(self.place)
        return self.answer()

    def limit_of(self, rung: int) -> int:
        """Bytes: whole pages."""
        return max(1, math.ceil(self.top * STEP**rung / n.PAGE_SIZE)) * n.PAGE_SIZE

    def tried(self, rung: int) -> Tried:
        """All seeds at a rung."""
        if rung not in self.at:
            self.at[rung] = self.look(rung, self.seeds)
        return self.at[rung]

    def look(self, rung: int, seeds: int) -> Tried:
        """Some seeds at a rung."""
        limit = self.limit_of(rung)
        self.told(f"at {limit / (1 << 20):.1f}M")
        return Tried(limit, tuple(self.play(limit, seeds, self.until)), self.group)

    def bisect(self) -> int:
        """The lowest rung at which a few seeds complete, if it is so simple."""
        looks = min(LOOKS, self.seeds)
        good, bad = -1, MOST_RUNGS
        while bad - good > 1:
            middle = (good + bad) // 2
            if self.look(middle, looks).counts:
                good = middle
            else:
                bad = middle
        return good

    def climb(self, place: int) -> int:
        """The lowest rung from which on upwards all seeds complete, for some rungs."""
        found = place
        clear = 0
        rung = place
        while rung > -HIGHEST and clear <= CLEAR:
            if self.tried(rung).counts:
                clear += 1
            else:
                clear, found = 0, rung - 1
            rung -= 1
        while self.tried(found + 1).counts and found + 1 < MOST_RUNGS:  # bisection was unlucky
            found += 1
        return found

    def go_down(self, place: int) -> None:
        """Down until nothing completes, for some rungs."""
        nothing, rung = 0, place + 1
        while nothing < CLEAR and rung < MOST_RUNGS:
            nothing = 0 if self.tried(rung).completed else nothing + 1
            rung += 1
        self.tried(place + 2)

    def look_above(self, place: int) -> None:
        """Between the limit and the peak: where the time is that without a limit."""
        step = max(1, place // ABOVE)
        for rung in range(place - step, 0, -step):
            self.tried(rung)
        self.tried(0)

    # --- what it comes to
    def answer(self) -> Answer:
        """From all that was tried."""
        rungs = sorted(self.at)
        failing = [rung for rung in rungs if not self.at[rung].counts]
        good = [rung for rung in rungs if rung < min(failing, default=MOST_RUNGS)]
        place = max(good, default=None)
        if place is not None and place - 1 in self.at and place + 2 in self.at and self.at[place + 2].counts:
            place -= 1  # at 10 % less all complete, though not at 5 % less: luck
        return Answer(
            self.group,
            self.unlimited,
            self.top,
            tuple(self.at[rung] for rung in rungs),
            None if place is None else self.limit_of(place),
            self.luck(rungs),
            self.lowest(good, self.is_comfortable),
            self.slower,
            self.takes_off(rungs),
            self.seeds,
            None if place is None else self.at.get(place + 2),
        )

    def luck(self, rungs: Sequence[int]) -> tuple[int, int] | None:
        """The band in which some seeds complete and others do not, or a rung fails below one that does not."""
        some = [rung for rung in rungs if self.at[rung].completed]
        fails = [rung for rung in rungs if not self.at[rung].counts]
        if not some or not fails or max(some) < min(fails):
            return None
        return self.limit_of(max(some)), self.limit_of(min(fails))

    def is_comfortable(self, rung: int) -> bool:
        """Hardly more time than without a limit."""
        time, alone = self.at[rung].time, self.unlimited.time
        return time is not None and alone is not None and time <= (1 + self.slower) * alone

    def lowest(self, rungs: Sequence[int], is_so: Callable[[int], bool]) -> int | None:
        """The lowest of rungs such that it is so there and at all above."""
        found = None
        for rung in sorted(rungs):
            if not is_so(rung):
                break
            found = rung
        return None if found is None else self.limit_of(found)

    def takes_off(self, rungs: Sequence[int]) -> int | None:
        """The largest limit with twice the major faults that there are without one."""
        usual = max(self.unlimited.majors, 1.0)
        found = [rung for rung in rungs if self.at[rung].majors >= 2 * usual]
        return self.limit_of(min(found)) if found else None


def why(tried: Tried) -> str:
    """Why a job has not completed, with the seed with which it has not."""
    for seed, run in enumerate(tried.runs):
        if completed(run, tried.group):
            continue
        its, verdict = run["groups"][tried.group], run["group_verdicts"].get(tried.group)
        if run["exhausted"] is not None:
            return f"the machine runs out of {run['exhausted']['what']} (seed {seed})"
        if its["oom_kills"]:
            return f"the OOM killer takes {its['oom_kills']} of its tasks (seed {seed})"
        if verdict == "empty" or not its["faults"]:
            return "nothing runs in it"
        chain = run["group_chains"].get(tried.group)
        over = f"after {duration(run['virtual_ns'])} {its['tasks']} of its tasks are left"
        return f"{over}, and it {verdict} (seed {seed}){': ' + chain if chain else ''}"
    return "it does"
