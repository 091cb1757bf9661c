"""The memory of each group over time, thinned to what a picture can show: usage, limits, and what went wrong when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cowpath.kernel import names as n
from cowpath.observe.who import Events

Ints = npt.NDArray[np.int64]

BINS = 1000  # of time, for what is counted
POINTS = 1 << 19  # of usage that are kept before they are thinned
SHOWN = 1500  # bins of usage per group; up to four points in each

LIMITS = (n.CG_LIMIT, n.CG_MEMSW_LIMIT)  # of v1: every group has them
LIMITS_2 = (n.CG_MAX, n.CG_HIGH)

POINT = np.dtype([("time", "i8"), ("group", "i4"), ("pages", "i8")])


class Bins:
    """Sums per group over equal stretches of time, which double their length when the run goes on beyond the last."""

    def __init__(self, groups: int) -> None:
        self.sums: Ints = np.zeros((groups, BINS), np.int64)
        self.width = 1_000_000  # ns

    def add(self, groups: npt.NDArray[Any], times: Ints, values: Any) -> None:
        """Add values (or 1 each) at times in ns."""
        if not len(times):
            return
        while int(times.max()) // self.width >= BINS:
            pairs = self.sums.reshape(len(self.sums), BINS // 2, 2).sum(axis=2)
            self.sums = np.concatenate([pairs, np.zeros_like(pairs)], axis=1)
            self.width *= 2
        np.add.at(self.sums, (groups, times // self.width), values)


@dataclass(frozen=True)
class Limit:
    """A limit was set. ``pages`` may be UNLIMITED."""

    time_ns: int
    group: int
    file: str  # memory.limit_in_bytes or memory.memsw.limit_in_bytes
    pages: int


class Usage:
    """Takes blocks of the log; its memory grows with the number of times that a limit is set, and with nothing else."""

    kinds = (n.EV_USAGE, n.EV_CHARGE_FAIL, n.EV_RECLAIM, n.EV_OOM_KILL, n.EV_GROUP)  # of events that it is made from

    def __init__(self, groups: int) -> None:
        self.groups = groups
        self.fails = Bins(groups)  # charges that met the group's limit
        self.scans = Bins(groups)  # passes of reclaim
        self.kills = Bins(groups)  # OOM kills
        self.limits: list[Limit] = []
        self._points: list[npt.NDArray[Any]] = []
        self._count = 0

    def add(self, events: Events) -> None:
        """Take a block."""
        kinds = events["kind"]
        usage = events[kinds == n.EV_USAGE]
        points = np.zeros(len(usage), POINT)
        points["time"], points["group"], points["pages"] = usage["time"], usage["a"], usage["value"]
        self._points.append(points)
        self._count += len(points)
        if self._count > POINTS:
            self._points = [thinned(np.concatenate(self._points), POINTS // (16 * self.groups))]
            self._count = len(self._points[0])
        fails = events[kinds == n.EV_CHARGE_FAIL]
        self.fails.add(fails["a"], fails["time"], 1)
        passes = events[kinds == n.EV_RECLAIM]
        self.scans.add(passes["a"], passes["time"], 1)
        kills = events[kinds == n.EV_OOM_KILL]
        self.kills.add(kills["a"], kills["time"], 1)
        for event in events[(kinds == n.EV_GROUP) & (events["extra"] == 0)]:
            time, group, which = int(event["time"]), int(event["a"]), int(event["b"])
            if which in LIMITS or which in LIMITS_2:
                self.limits.append(Limit(time, group, n.CG_FILES[which], int(event["value"])))
            elif which == n.CG_MADE:
                self.limits += [Limit(time, group, n.CG_FILES[each], n.UNLIMITED) for each in LIMITS]

    def points(self) -> npt.NDArray[Any]:
        """The usage over time of all groups: ``time`` (ns), ``group``, ``pages``, in the order of time."""
        whole = np.concatenate(self._points) if self._points else np.zeros(0, POINT)
        return thinned(whole, SHOWN)


def thinned(points: npt.NDArray[Any], bins: int) -> npt.NDArray[Any]:
    """In each of so many stretches of time and for each group no more than its first, last, least and most."""
    if not len(points):
        return points
    width = max(1, -(-int(points["time"].max() + 1) // bins))
    place = points["group"].astype(np.int64) * (bins + 1) + points["time"] // width
    order = np.arange(len(points))
    keep = np.zeros(len(points), bool)
    for by in (order, points["pages"]):
        ranked = np.lexsort((order, by, place))
        first = np.flatnonzero(np.diff(place[ranked], prepend=-1))
        last = np.append(first[1:], len(ranked)) - 1
        keep[ranked[first]] = keep[ranked[last]] = True
    return points[keep]
