"""What of a run's timeline goes into a page: its most telling lanes, in no more pieces than a picture can show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cowpath.kernel import names as n
from cowpath.observe import lanes as ln
from cowpath.observe.scene import Scene

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cowpath.observe.timeline import Timeline
    from cowpath.observe.words import Chain

MOST_LANES = 5000
MOST_PIECES = 120_000  # of a run ...
MOST_OF_ALL = 240_000  # ... and of all runs on a page together
MOST_PAGES = 10  # rows of page locks
MOST_HOLDS = 3000  # that are drawn in them


@dataclass(frozen=True)
class Chosen:
    """The part of a timeline that is drawn. ``names`` are of the lanes, from the top, and then of others in it."""

    timeline: Timeline
    scene: Scene
    lives: npt.NDArray[Any]  # the lanes: numbers of lives, in the order of the rows
    row_of: npt.NDArray[Any]  # by life; -1: it has no lane
    pieces: ln.Pieces
    resolution: int  # ns; shorter pieces were joined
    holds: ln.Holds
    longest_holds: bool  # there were more of these pages than are drawn
    pages: list[int]  # rows of page locks: places of pages
    names: list[str]  # of people: the lanes' first
    groups: list[str]  # theirs; empty: outside every group
    things: list[str]  # what was waited for
    _person: npt.NDArray[Any]  # by life, with two more for BY_DISK and NOBODY
    _thing: dict[tuple[int, int], int]  # by kind of wait and what

    def person_of(self, lives: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Places in ``names``; -1 nobody, -2 the disk."""
        found: npt.NDArray[Any] = self._person[lives]
        return found

    def things_of(self, pieces: ln.Pieces) -> npt.NDArray[Any]:
        """Places in ``things`` of what pieces wait for; -1: for no one thing."""
        pairs = zip(pieces["kind"].tolist(), pieces["what"].tolist(), strict=True)
        return np.array([self._thing.get(pair, -1) for pair in pairs], np.int32)

    def lock_of(self, what: int) -> int:
        """The place in ``things`` of a page's lock; -1: no piece that is drawn waits for it."""
        return self._thing.get((n.W_PAGE_LOCK, what), -1)

    def page_name(self, what: int) -> str:
        """``libc.so.6 page 31``."""
        return page_name(self.scene, what)


def choose(timeline: Timeline, scene: Scene, waits: Sequence[Chain], most_pieces: int = MOST_PIECES) -> Chosen:
    """Lanes: first those of the chains, then those that waited for locks or memory, then the others.

    Among these first the tasks outside every group, then the groups', by how long they waited.
    """
    lives = timeline.lives
    labels = [scene.label(int(life["comm"]), int(life["task"])) for life in lives]
    waited = lives["ns"][:, list(ln.FOR_OTHERS)].sum(axis=1)
    in_chain = of_chains(lives, labels, waited, waits)
    group = np.where(lives["group"] == n.NONE, 1 << 20, lives["group"])  # threads of the kernel stand last
    order = np.lexsort((np.arange(len(lives)), -waited, group, waited < ln.NOTABLE, ~in_chain))[:MOST_LANES]
    row_of = np.full(len(lives), -1, np.int64)
    row_of[order] = np.arange(len(order))
    drawn = timeline.pieces[row_of[timeline.pieces["life"]] >= 0]
    pieces, resolution = ln.join(drawn, most_pieces, timeline.resolution)
    pages = pages_waited_for(timeline)
    holds, longest_holds = _holds(timeline, pages)
    others = [life for life in np.unique(np.concatenate([pieces["by"], holds["life"]])) if life >= 0]
    people = [*order.tolist(), *(int(life) for life in others if row_of[life] < 0)]
    person = np.full(len(lives) + 2, -1, np.int32)
    person[ln.BY_DISK] = -2
    person[people] = np.arange(len(people))
    thing, things = _things(pieces, scene)
    names = [labels[life] for life in people]
    groups = [group_name(scene, int(lives["group"][life])) for life in people]
    return Chosen(timeline, scene, order, row_of, pieces, resolution, holds, longest_holds, pages, names, groups,
                  things, person, thing)  # fmt: skip


def of_chains(
    lives: ln.Lives, labels: Sequence[str], waited: npt.NDArray[Any], waits: Sequence[Chain]
) -> npt.NDArray[Any]:
    """The lives of the chains' tasks; of several of one number and name the one that lasts, or waited longest."""
    found = np.zeros(len(lives), bool)
    for task, number in {(hop.task, hop.number) for chain in waits for hop in chain.hops}:
        named = [int(life) for life in np.flatnonzero(lives["task"] == number) if labels[int(life)] == task]
        if named:
            found[max(named, key=lambda life: (lives["end"][life] == ln.NO_END, int(waited[life])))] = True
    return found


def pages_waited_for(timeline: Timeline) -> list[int]:
    """The pages whose locks were waited for longest, by all together; the holder was a task."""
    pieces = timeline.pieces[timeline.pieces["state"] == ln.PAGE_LOCK]
    pieces = pieces[(pieces["joined"] == 0) & (pieces["what"] != ln.NOTHING)]
    pages, place = np.unique(pieces["what"], return_inverse=True)
    waited = np.zeros(len(pages), np.int64)
    np.add.at(waited, place, pieces["end"] - pieces["begin"])
    return [int(pages[i]) for i in np.argsort(-waited, kind="stable")[:MOST_PAGES]]


def _holds(timeline: Timeline, pages: list[int]) -> tuple[ln.Holds, bool]:
    """The longest holds of these pages, by tasks and by the disk; and whether there may have been more."""
    from cowpath.observe import timeline as kept

    mine = timeline.holds[np.isin(timeline.holds["what"], pages)]
    holds = kept.longest(mine, MOST_HOLDS)
    by_disk = int((timeline.holds["life"] == ln.BY_DISK).sum())
    full = kept.MOST_HOLDS in (by_disk, len(timeline.holds) - by_disk)
    return holds, full or len(holds) < len(mine)


def _things(pieces: ln.Pieces, scene: Scene) -> tuple[dict[tuple[int, int], int], list[str]]:
    """What is waited for, each thing once: several may have the same name."""
    waiting = pieces[pieces["what"] != ln.NOTHING]
    pairs = np.unique(np.stack([waiting["kind"].astype(np.int64), waiting["what"]]), axis=1).T.tolist()
    found = {(kind, what): place for place, (kind, what) in enumerate(pairs)}
    return found, [thing_name(scene, kind, what) for kind, what in pairs]


def thing_name(scene: Scene, kind: int, what: int) -> str:
    """What a task waited for, in words: ``the page lock of libc.so.6 page 31``."""
    if kind == n.W_PAGE_LOCK:
        return n.WAITS[kind].what.format(page=page_name(scene, what))
    return scene.what(kind, what) or n.WAIT_NAMES[kind]


def page_name(scene: Scene, what: int) -> str:
    """A page by its place (``kernel/places.py``)."""
    return scene.place(what)


def group_name(scene: Scene, group: int) -> str:
    """Where a task is; empty: outside every group."""
    return "the kernel" if group == n.NONE else scene.group(group) if group > 0 else ""
