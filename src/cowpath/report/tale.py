"""The words of a timeline: who waited for what, who held it, and what the holder did meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from cowpath.kernel import names as n
from cowpath.observe import lanes as ln
from cowpath.observe.scene import Scene
from cowpath.observe.text import duration
from cowpath.observe.timeline import Timeline
from cowpath.report.chosen import group_name, thing_name
from cowpath.report.looks import LOOKS

NS = 1e9
MOST_HOPS = 6  # of the way from a wait to who stands behind it
MOST_NAMES = 4  # of who waited for a hold
LOCKERS = ("", " by its read-ahead, which had not sent the page to the disk yet",
           " by its read-ahead from swap, which had not sent the page to the disk yet", "")  # fmt: skip
"""What is said of a hold's owner, by the kind of hold (``HOLD_*``)."""

Key = tuple[int, int]  # a lock: W_* (of an rwsem the one to read), and which


def lock_key(piece: Any) -> Key:
    """The lock that a piece waits for: who waits to read and who waits to write wait for the same one."""
    kind = int(piece["kind"])
    return (n.TO_READ_IT[kind] if n.IS_RWSEM[kind] else kind, int(piece["what"]))


@dataclass(frozen=True)
class Tale:
    """A timeline with the names of what is in it. Sentences are safe for a page or a terminal."""

    timeline: Timeline
    scene: Scene

    @cached_property
    def _first(self) -> npt.NDArray[np.int64]:
        """By life: the place of its first piece."""
        lives = np.arange(len(self.timeline.lives) + 1)
        found: npt.NDArray[np.int64] = np.searchsorted(self.timeline.pieces["life"], lives)
        return found

    def pieces_of(self, life: int) -> ln.Pieces:
        """What a life did, in order."""
        return self.timeline.pieces[self._first[life] : self._first[life + 1]]

    def piece_at(self, life: int, at: int) -> Any:
        """What a life did at a time in ns; None: it was not there."""
        mine = self.pieces_of(life)
        place = int(np.searchsorted(mine["begin"], at, side="right")) - 1
        return mine[place] if place >= 0 and at < mine["end"][place] else None

    def label(self, life: int) -> str:
        """``cc1[208]``."""
        found = self.timeline.lives[life]
        return self.scene.label(int(found["comm"]), int(found["task"]))

    def group(self, life: int) -> str:
        """The name of its group; empty: it is in none."""
        return group_name(self.scene, int(self.timeline.lives["group"][life]))

    def who(self, life: int) -> str:
        """``cc1[208] in A``, ``the disk``."""
        if life < 0:
            return "the disk" if life == ln.BY_DISK else "nobody that is known"
        group = self.group(life)
        return f"{self.label(life)} in {group}" if group else self.label(life)

    def did(self, piece: Any) -> str:
        """``waited for the page lock of libc.so.6 page 31``."""
        verb = LOOKS[ln.STATES[piece["state"]]].did
        known = piece["what"] != ln.NOTHING and piece["kind"]
        if known:
            return f"{verb} {thing_name(self.scene, int(piece['kind']), int(piece['what']))}"
        return f"{verb} one" if verb.endswith("for") else verb

    def wait(self, piece: Any) -> str:
        """A wait in a sentence, and who stood in its way when it began, and in that one's."""
        told = f"{self.who(int(piece['life']))} {self.did(piece)} {span(piece)}."
        behind: list[str] = []
        life, seen = int(piece["by"]), {int(piece["life"])}
        if life == ln.BY_DISK:
            return f"{told} The page is being read from the disk, or written to it."
        while life >= 0 and life not in seen and len(behind) < MOST_HOPS:
            seen.add(life)
            there = self.piece_at(life, int(piece["begin"]))
            head = "in the way of that stood" if behind else "In the way stood"
            behind.append(f"{head} {self.who(life)}" + ("" if there is None else f", who {self.did(there)}"))
            life = ln.NOBODY if there is None else int(there["by"])
        return f"{told} {'; '.join(behind)} (when the wait began)." if behind else told

    def hold(self, lock: str, hold: Any, waiters: list[str]) -> str:
        """A hold in a sentence, and who waited for it."""
        told = f"{self.who(int(hold['life']))} held {lock}{LOCKERS[hold['kind']]}, {span(hold)}."
        if not waiters:
            return told
        more = f" and {len(waiters) - MOST_NAMES} more" if len(waiters) > MOST_NAMES else ""
        return f"{told} Meanwhile it was waited for by {', '.join(waiters[:MOST_NAMES])}{more}."


def span(piece: Any) -> str:
    """``from 1.454626 s to 3.462251 s: 2.01 s, cut off by the end of the run``."""
    begin, end = int(piece["begin"]), int(piece["end"])
    cut = ", cut off by the end of the run" if piece["open"] else ""
    return f"from {begin / NS:.6f} s to {end / NS:.6f} s: {duration(end - begin)}{cut}"
