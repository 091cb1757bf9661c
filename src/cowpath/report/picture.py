"""The picture of a run: who held the lock, the tasks outside, the groups, and an arrow from a hold to each wait for it.

A row is as high as any other, places across are per cent, so that one picture fits a wall and a telephone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cowpath.kernel import names as n
from cowpath.observe import lanes as ln
from cowpath.observe.text import clean, duration
from cowpath.report.cast import MOST_OUTSIDE, Cast
from cowpath.report.chosen import thing_name
from cowpath.report.looks import STRANGER
from cowpath.report.strip import Bar, Scale, strip
from cowpath.report.tale import Key, Tale, lock_key

MOST_INSIDE = 3  # lanes of a group
LEAST_CELLS = 2  # what is narrower cannot be clicked, and gets no arrow
MOST_HOLDS = 500  # of a lock: the longest
LETTERS = 22  # of a name
MOST_RIGHT = 70.0  # per cent: where there is room for a remark


@dataclass(frozen=True)
class Mark:
    """A hold or a wait that can be chosen: where it is, what is said of it, and which hold it belongs to."""

    key: str
    hold: str  # the key of the hold: its own, if it is one; empty: it is not in the picture
    bar: Bar
    label: str
    words: str


@dataclass(frozen=True)
class Row:
    """A row: a lane with its name, or words across it."""

    y: int  # in rows
    kind: str  # head, lock, lane or more
    name: str
    title: str = ""  # the name in full
    bars: list[Bar] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    holds: tuple[str, ...] = ()  # keys of the holds that it has to do with
    remark: tuple[float, str] | None = None  # what stands in it, and where (per cent): when its task ended


@dataclass(frozen=True)
class Block:
    """Rows under one heading: the locks, the tasks outside, or a group."""

    kind: str  # locks, outside, or group
    rows: list[Row]


@dataclass(frozen=True)
class Arrow:
    """From a hold down to a wait. Rows are counted from the top."""

    at: float  # per cent
    above: int
    below: int
    hold: str


@dataclass(frozen=True)
class Picture:
    """A run's blocks, the arrows between them, and where it ends."""

    blocks: list[Block]
    arrows: list[Arrow]
    rows: int
    ends: float  # per cent


class Painter:
    """Makes the picture of one run."""

    def __init__(self, tale: Tale, cast: Cast) -> None:
        self.tale, self.cast = tale, cast
        self.lives = tale.timeline.lives
        self.scale = Scale(cast.begin, cast.end)
        self.holds = {key: self._holds(key) for key in cast.locks}

    def picture(self) -> Picture:
        """From the top: locks, the outside, groups."""
        blocks = [self._outside(), *map(self._group, self.cast.groups)]
        wanted = {mark.hold for block in blocks for row in block.rows for mark in row.marks}
        locks = self._locks(blocks, wanted)
        return self._laid([locks, *blocks] if locks.rows else blocks)

    # --- locks
    def _holds(self, key: Key) -> list[Any]:
        """The holds of a lock, with a key each; of a lock whose holds are not logged what its waits say of them."""
        holds = self.tale.timeline.holds
        if key[0] == n.W_PAGE_LOCK:
            mine = holds[holds["what"] == key[1]]
            longest = np.argsort(mine["begin"] - mine["end"], kind="stable")[:MOST_HOLDS]
            return list(mine[np.sort(longest)])
        pieces = self.tale.timeline.pieces
        waits = pieces[np.isin(pieces["state"], (ln.OTHER_LOCK, ln.MEMORY)) & (pieces["what"] == key[1])]
        made: dict[int, Any] = {}
        for piece in waits:
            if lock_key(piece) == key and piece["by"] >= 0:
                row = made.setdefault(int(piece["by"]), np.zeros((), ln.HOLD))
                row["begin"] = min(int(row["begin"]) or int(piece["begin"]), int(piece["begin"]))
                row["end"], row["life"] = max(int(row["end"]), int(piece["end"])), piece["by"]
                row["open"] |= piece["open"]
        return list(made.values())

    def _hold_of(self, piece: Any) -> str:
        """The key of the hold that a wait is for, if the picture shows it."""
        key = lock_key(piece)
        if key not in self.holds:
            return ""
        place = self.cast.locks.index(key)
        return next((f"{place}-{number}" for number, hold in enumerate(self.holds[key]) if hold["life"] == piece["by"]
                     and hold["begin"] <= piece["begin"] < hold["end"]), "")  # fmt: skip

    def _locks(self, blocks: Sequence[Block], wanted: set[str]) -> Block:
        waiters: dict[str, list[str]] = {}
        for block in blocks:
            for row in block.rows:
                for mark in row.marks:
                    waiters.setdefault(mark.hold, []).append(row.title)
        rows = [self._lock(place, key, wanted, waiters) for place, key in enumerate(self.cast.locks)]
        return Block("locks", [Row(0, "head", "who holds the lock"), *rows] if rows else [])

    def _lock(self, place: int, key: Key, wanted: set[str], waiters: dict[str, list[str]]) -> Row:
        """The row of a lock. Holds shorter than a cell are left out (of very many only the longest are kept)."""
        lock = thing_name(self.tale.scene, *key)
        name = self.tale.scene.place(key[1]) if key[0] == n.W_PAGE_LOCK else lock
        marks, bars = [], []
        for number, hold in enumerate(self.holds[key]):
            mark = f"{place}-{number}"
            if not self._seen(hold, 1) and mark not in wanted:
                continue
            bar = self._bar("io" if hold["life"] == ln.BY_DISK else "hold", hold)
            if mark not in wanted and (bar.look == "io" or not self._seen(hold, LEAST_CELLS)):
                bars.append(bar)
                continue
            label = self.tale.who(int(hold["life"]))
            words = self.tale.hold(lock, hold, list(dict.fromkeys(waiters.get(mark, []))))
            marks.append(Mark(mark, mark, bar, label, words))
        nothing = "" if bars or marks else f"no hold of {duration(round(self.scale.cell))} or longer"
        holds = tuple(mark.key for mark in marks)
        return Row(0, "lock", clean(name, LETTERS), lock, bars, marks, holds, (0.0, nothing) if nothing else None)

    def _seen(self, piece: Any, cells: int) -> bool:
        """Whether a piece is in the picture's time, and so many cells long."""
        inside = piece["end"] > self.scale.begin and piece["begin"] < self.scale.end
        return bool(inside and piece["end"] - piece["begin"] >= cells * self.scale.cell)

    def _bar(self, look: str, piece: Any) -> Bar:
        left, right = self.scale.at(int(piece["begin"])), self.scale.at(int(piece["end"]))
        return Bar(look, left, max(right - left, 0.3))

    # --- lanes
    def _outside(self) -> Block:
        """A lane per program; programs that ran again and again are one lane, if they did so one after the other."""
        mine = np.flatnonzero(self.lives["group"] == 0)
        lanes = [lane for comm in self.cast.programs
                 for lane in self._one_after_the_other(mine[self.lives["comm"][mine] == comm])]  # fmt: skip
        shown, left_out = lanes[:MOST_OUTSIDE], set(mine.tolist())
        for lane in shown:
            left_out -= set(lane)
        rows = [Row(0, "head", "outside"), *(self._lane(lane) for lane in shown)]
        return Block("outside", [*rows, *self._more(sorted(left_out), "outside")])

    def _one_after_the_other(self, lives: Any) -> list[list[int]]:
        """Lives as lanes in which no two overlap; the lanes in which was waited longest first."""
        lanes: list[list[int]] = []
        ends: list[int] = []
        for life in lives.tolist():
            begin, end = int(self.lives["begin"][life]), int(self.lives["end"][life])
            place = next((i for i, free in enumerate(ends[: 2 * MOST_OUTSIDE]) if 0 <= free <= begin), len(lanes))
            if place == len(lanes):
                lanes.append([])
                ends.append(0)
            lanes[place].append(life)
            ends[place] = end
        needs = self.lives["ns"][:, list(ln.FOR_OTHERS)].sum(axis=1)
        return sorted(lanes, key=lambda lane: -int(needs[lane].sum()))

    def _group(self, group: int) -> Block:
        """First who holds the locks, then who waited longest; the others in a sentence."""
        mine = np.flatnonzero(self.lives["group"] == group).tolist()
        long = LEAST_CELLS * self.scale.cell
        holders = dict.fromkeys(int(hold["life"]) for holds in self.holds.values() for hold in
                                sorted(holds, key=lambda hold: int(hold["begin"] - hold["end"]))
                                if hold["end"] - hold["begin"] >= long)  # fmt: skip
        needs = self.lives["ns"][:, [ln.CHARGING, *ln.FOR_OTHERS]].sum(axis=1)
        order = [life for life in holders if life in mine]
        order += [life for life in sorted(mine, key=lambda life: -int(needs[life])) if life not in holders]
        name = self.tale.scene.group(group)
        rows = [
            Row(0, "head", f"in {clean(name, LETTERS)}", name),
            *(self._lane([life]) for life in order[:MOST_INSIDE]),
        ]
        return Block("group", [*rows, *self._more(order[MOST_INSIDE:], f"of {name}")])

    def _lane(self, lane: Sequence[int]) -> Row:
        """The lane of these lives, one after the other."""
        pieces = np.concatenate([self.tale.pieces_of(life) for life in lane])
        marks = list(self._waits(pieces))
        name = self.tale.label(lane[-1])
        if len(lane) > 1:
            name = f"{self.tale.scene.comm(int(self.lives['comm'][lane[-1]]))}, {len(lane)} runs"
        holds = {f"{place}-{number}" for place, holds in enumerate(self.holds.values())
                 for number, hold in enumerate(holds) if hold["life"] in lane}  # fmt: skip
        bars = strip(self.lives, pieces, self.scale)
        return Row(0, "lane", clean(name, LETTERS), name, bars, marks,
                   tuple(sorted(holds | {mark.hold for mark in marks})), self._ended(lane))  # fmt: skip

    def _waits(self, pieces: ln.Pieces) -> Iterator[Mark]:
        """Long waits for what others have."""
        long = np.isin(pieces["state"], ln.FOR_OTHERS) & (pieces["joined"] == 0)
        long &= pieces["end"] - pieces["begin"] >= LEAST_CELLS * self.scale.cell
        long &= (pieces["end"] > self.scale.begin) & (pieces["begin"] < self.scale.end)
        for piece in pieces[long]:
            life = int(piece["life"])
            look = STRANGER if self.lives["group"][life] == 0 else ln.STATES[piece["state"]]
            lasted = duration(int(piece["end"] - piece["begin"])) + (" so far" if piece["open"] else "")
            yield Mark(f"w{life}-{int(piece['begin'])}", self._hold_of(piece), self._bar(look, piece), lasted,
                       self.tale.wait(piece))  # fmt: skip

    def _ended(self, lane: Sequence[int]) -> tuple[float, str] | None:
        """Of a lane of one life that has ended: where, and how long it took."""
        begin, end = (int(self.lives[name][lane[-1]]) for name in ("begin", "end"))
        if len(lane) > 1 or end == ln.NO_END or end < self.scale.begin or self.scale.at(end) > MOST_RIGHT:
            return None
        return self.scale.at(end), f"ended after {duration(end - begin)}"

    def _more(self, lives: Sequence[int], whose: str) -> list[Row]:
        """Those without a lane in a sentence: how many, and how many of them waited at once."""
        if not lives:
            return []
        most = {"memory": self._at_once(lives, (ln.CHARGING, ln.MEMORY, ln.THROTTLED)),
                "a lock": self._at_once(lives, (ln.PAGE_LOCK, ln.OTHER_LOCK))}  # fmt: skip
        said = [f"all waiting for {what}" if many == len(lives) else f"up to {many:,} at once waiting for {what}"
                for what, many in most.items() if many]  # fmt: skip
        tasks = "task" if len(lives) == 1 else "tasks"
        return [Row(0, "more", f"{len(lives):,} more {tasks} {whose}, {', '.join(said) or 'none waiting long'}")]

    def _at_once(self, lives: Sequence[int], states: Sequence[int]) -> int:
        """How many of them at most were in these states at once, for a cell or longer."""
        spans: list[Any] = []
        for life in lives:
            mine = self.tale.pieces_of(life)
            mine = mine[np.isin(mine["state"], states)]
            spans.append(mine[mine["end"] - mine["begin"] >= min(ln.NOTABLE, self.scale.cell)])
        found = np.concatenate(spans)
        times = np.concatenate([found["end"], found["begin"]])
        change = np.repeat([-1, 1], len(found))
        return int(np.cumsum(change[np.lexsort((change, times))]).max(initial=0))  # who ends makes room first

    # --- places
    def _laid(self, blocks: Sequence[Block]) -> Picture:
        """Count the rows, and draw the arrows."""
        y = 0
        laid, arrows = [], []
        above: dict[str, int] = {}
        for block in blocks:
            rows = []
            for row in block.rows:
                rows.append(Row(**(vars(row) | {"y": y})))
                for mark in row.marks:
                    if row.kind == "lock":
                        above[mark.key] = y
                    elif mark.hold in above:
                        arrows.append(Arrow(mark.bar.left, above[mark.hold], y, mark.hold))
                y += 1
            laid.append(Block(block.kind, rows))
        return Picture(laid, arrows, y, self.scale.at(self.tale.timeline.ends))


def picture(tale: Tale, cast: Cast) -> Picture:
    """The picture of a run."""
    return Painter(tale, cast).picture()
