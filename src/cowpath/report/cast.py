"""Whom and what a run's picture shows: the locks, the tasks outside, and those of the groups that matter.

The same for all designs on a page, as far as they have the same: so before and after can be held side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from cowpath.kernel import names as n
from cowpath.observe import lanes as ln
from cowpath.observe.words import Chain
from cowpath.report.tale import Key, Tale, lock_key

MOST_LOCKS = 3
MOST_OUTSIDE = 8  # lanes of tasks outside
MOST_GROUPS = 3
QUIET = 4  # programs outside that are shown where nobody outside waits
NARROW = 0.04  # a wait that is a smaller part of the time than this is looked at more closely

MOST_WAITS = 5000  # of a run that are looked at: the longest

K = TypeVar("K")


@dataclass(frozen=True)
class Cast:
    """What every picture on the page shows, in its order."""

    locks: list[Key]  # the chain's first
    programs: list[int]  # numbers of names of tasks outside
    groups: list[int]
    begin: int  # ns
    end: int


@dataclass(frozen=True)
class Strange:
    """The waits of tasks outside for what others have, of one run: the pieces, longest first."""

    tale: Tale
    pieces: ln.Pieces
    first: Key | None  # the lock that the chain is about


def strange(tale: Tale, chains: Sequence[Chain]) -> Strange:
    """The waits of the tasks outside every group."""
    lives, pieces = tale.timeline.lives, tale.timeline.pieces
    found = pieces[np.isin(pieces["state"], ln.FOR_OTHERS) & (lives["group"][pieces["life"]] == 0)]
    found = found[np.argsort(found["begin"] - found["end"], kind="stable")][:MOST_WAITS]
    numbers = [chain.hops[0].number for chain in chains if chain.hops]
    first = next((lock_key(piece) for number in numbers for piece in found if waits_for_lock(piece)
                  and lives["task"][piece["life"]] == number), None)  # fmt: skip
    return Strange(tale, found, first)


def waits_for_lock(piece: Any) -> bool:
    """Whether it is long, and known for which one."""
    known = piece["state"] in (ln.PAGE_LOCK, ln.OTHER_LOCK) and piece["what"] != ln.NOTHING
    return bool(known and length(piece) >= ln.NOTABLE)


def cast(runs: Sequence[Strange]) -> Cast:
    """Choose for all runs of a page together."""
    locks = dict.fromkeys(run.first for run in runs if run.first is not None)
    for key, _ in ranked(
        (lock_key(piece), length(piece)) for run in runs for piece in run.pieces if waits_for_lock(piece)
    ):
        locks.setdefault(key)
    begin, end = window(runs)
    shown = list(locks)[:MOST_LOCKS]
    return Cast(shown, programs(runs), groups(runs, shown), begin, end)


def length(piece: Any) -> int:
    """In ns."""
    return int(piece["end"] - piece["begin"])


def ranked(pairs: Iterable[tuple[K, int]]) -> list[tuple[K, int]]:
    """The sums by key, the largest first; of equal ones the one that came first."""
    sums: dict[K, int] = {}
    for key, ns in pairs:
        sums[key] = sums.get(key, 0) + ns
    return sorted(sums.items(), key=lambda pair: -pair[1])


def window(runs: Sequence[Strange]) -> tuple[int, int]:
    """The whole time; if the longest wait of all would be a speck in that, the time around it."""
    end = max(max(run.tale.timeline.ends for run in runs), 1)
    longest = max((run.pieces[0] for run in runs if len(run.pieces)), key=length, default=None)
    if longest is None or not ln.NOTABLE <= length(longest) < NARROW * end:
        return 0, end
    around = 2 * length(longest)
    return max(0, int(longest["begin"]) - around), min(end, int(longest["end"]) + around)


def programs(runs: Sequence[Strange]) -> list[int]:
    """Those of which a task waited, in the order of that; without such a one those that did most."""
    waited = ranked((int(run.tale.timeline.lives["comm"][piece["life"]]), length(piece))
                    for run in runs for piece in run.pieces if length(piece) >= ln.NOTABLE)  # fmt: skip
    if waited:
        return [comm for comm, _ in waited][:MOST_OUTSIDE]
    busy = [state for state in range(len(ln.STATES)) if state not in (ln.ASLEEP, ln.DEAD)]
    did = ranked((int(life["comm"]), int(life["ns"][busy].sum()))
                 for run in runs for life in run.tale.timeline.lives if life["group"] == 0)  # fmt: skip
    return [comm for comm, _ in did][:QUIET]


def groups(runs: Sequence[Strange], locks: Sequence[Key]) -> list[int]:
    """First those of who held these locks, then those whose tasks waited longest; by their numbers."""
    held: list[tuple[int, int]] = []
    waited: list[tuple[int, int]] = []
    for run in runs:
        lives = run.tale.timeline.lives
        for piece in run.pieces:
            if waits_for_lock(piece) and lock_key(piece) in locks and piece["by"] >= 0:
                held.append((int(lives["group"][piece["by"]]), length(piece)))
        needs = lives["ns"][:, [ln.CHARGING, *ln.FOR_OTHERS]].sum(axis=1)
        waited += [(int(group), int(needs[lives["group"] == group].sum())) for group in np.unique(lives["group"])]
    order = dict.fromkeys(group for group, _ in [*ranked(held), *ranked(waited)] if group > 0 and group != n.NONE)
    return sorted(list(order)[:MOST_GROUPS])
