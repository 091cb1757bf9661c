"""The longest waits for page locks, as a table: what the timeline shows, for those who cannot see it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cowpath.observe import lanes as ln
from cowpath.observe.text import duration
from cowpath.report.chosen import Chosen

MOST_WAITS = 12


@dataclass(frozen=True)
class Wait:
    """One of the longest waits for a lock or for memory."""

    who: str
    group: str
    what: str
    begins: str
    lasted: str
    by: str


def longest_waits(chosen: Chosen) -> list[Wait]:
    """The longest waits of tasks for page locks, of those outside every group first."""
    pieces = chosen.pieces[(chosen.pieces["state"] == ln.PAGE_LOCK) & (chosen.pieces["joined"] == 0)]
    inside = chosen.timeline.lives["group"][pieces["life"]] > 0
    order = np.lexsort((pieces["begin"], pieces["begin"] - pieces["end"], inside))[:MOST_WAITS]
    people, things = chosen.person_of(pieces["life"]), chosen.things_of(pieces)
    holders = chosen.person_of(pieces["by"])
    return [
        Wait(
            chosen.names[people[i]],
            chosen.groups[people[i]],
            chosen.things[things[i]] if things[i] >= 0 else "a page lock",
            duration(int(pieces["begin"][i])),
            duration(int(pieces["end"][i] - pieces["begin"][i])) + (" +" if pieces["open"][i] else ""),
            holder(chosen, int(holders[i])),
        )
        for i in order
    ]


def holder(chosen: Chosen, person: int) -> str:
    """Who held it, with the group."""
    if person < 0:
        return "the disk" if person == ln.BY_DISK else "-"
    group = chosen.groups[person]
    return f"{chosen.names[person]} in {group}" if group else chosen.names[person]
