"""A run over time, as a picture needs it: lanes of tasks, holds of page locks, the memory of the groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cowpath.kernel import names as n
from cowpath.observe import lanes
from cowpath.observe.follower import with_room
from cowpath.observe.scene import Scene
from cowpath.observe.usage import Usage
from cowpath.observe.who import Events

ALL_KINDS = tuple(sorted({*lanes.KINDS, *Usage.kinds}))  # of events that it is made from, whatever else is logged
PIECES_IN_HAND = 1 << 20  # before neighbours are joined
MOST_HOLDS = 1 << 14  # of tasks, and of the disk, of which the longest are kept


@dataclass(frozen=True)
class Timeline:
    """What a run looked like. Times in ns. Arrays are of ``lanes.LIFE``, ``PIECE`` (by life and time), ``HOLD``."""

    ends: int  # the machine's time at the end
    lives: lanes.Lives
    pieces: lanes.Pieces
    resolution: int  # shorter pieces were joined; 0: none were
    holds: lanes.Holds  # the longest, in the order of their begin
    usage: Usage
    events: int  # that it was made from


class TimelineKeeper:
    """Takes what a Follower has found and the log's blocks; its memory grows with the number of tasks only."""

    kinds = Usage.kinds

    def __init__(self, groups: int) -> None:
        self.usage = Usage(groups)
        self._resolution = 0
        self._pieces = np.zeros(1 << 16, lanes.PIECE)
        self._count = 0
        self._holds: list[lanes.Holds] = []
        self._events = 0

    def add(self, events: Events, pieces: lanes.Pieces, holds: lanes.Holds) -> None:
        """Take a block."""
        self._events += int(np.isin(events["kind"], ALL_KINDS).sum())
        self.usage.add(events)
        self._take(pieces, holds)
        if self._count > PIECES_IN_HAND:
            kept, self._resolution = lanes.join(self._pieces[: self._count], PIECES_IN_HAND // 2, self._resolution)
            self._count = len(kept)
            self._pieces[: len(kept)] = kept
        if len(self._holds) > 64:
            self._holds = [longest(np.concatenate(self._holds), MOST_HOLDS)]

    def _take(self, pieces: lanes.Pieces, holds: lanes.Holds) -> None:
        self._pieces = with_room(self._pieces, self._count + len(pieces))
        self._pieces[self._count : self._count + len(pieces)] = pieces
        self._count += len(pieces)
        self._holds.append(longest(holds, MOST_HOLDS).copy())

    def timeline(self, k: Any, lives: lanes.Lives, pieces: lanes.Pieces, holds: lanes.Holds) -> Timeline:
        """The whole of it, with what the end of the run has cut off."""
        self._take(pieces, holds)
        whole, resolution = lanes.join(self._pieces[: self._count], PIECES_IN_HAND, self._resolution)
        all_holds = longest(np.concatenate(self._holds), MOST_HOLDS)
        return Timeline(int(k.books.now), lives, whole, resolution, all_holds, self.usage, self._events)


def longest(holds: lanes.Holds, most: int) -> lanes.Holds:
    """So many of the longest holds by tasks, and so many of those by the disk, in the order in which they began."""
    lengths = holds["begin"] - holds["end"]
    disk = holds["life"] == lanes.BY_DISK
    kept = [np.flatnonzero(kind)[np.argsort(lengths[kind], kind="stable")[:most]] for kind in (disk, ~disk)]
    holds = holds[np.concatenate(kept)]
    return holds[np.lexsort((holds["page"], holds["begin"]))]


def lanes_summary(timeline: Timeline, scene: Scene) -> list[dict[str, Any]]:
    """A lane per task, as ``--json`` shows it: who, when, and for how long it did what."""
    return [
        {
            "task": scene.label(int(life["comm"]), int(life["task"])),
            "group": scene.group(int(life["group"])) if life["group"] > 0 else None,
            "kernel_thread": bool(life["group"] == n.NONE),
            "begins_ns": int(life["begin"]),
            "exits_ns": int(life["end"]) if life["end"] != lanes.NO_END else None,
            "ns": {name: int(ns) for name, ns in zip(lanes.STATES, life["ns"], strict=True)},
        }
        for life in timeline.lives
    ]
