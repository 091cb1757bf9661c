"""What a safe order costs: the figures by which orders are ranked, and how they are shown. Less of each is better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import ClassVar

from cowpath.observe.text import count, duration


@dataclass(frozen=True)
class Measure:
    """Of all cases together: what an order of a fault's steps costs."""

    HEADINGS: ClassVar = ("page locks held", "wasted", "retries", "steps run")

    lock_hold_ns: int  # time under page locks
    wasted: int  # pages allocated, and charges made, for a fault and given back unused
    retries: int  # faults that were dropped and started again
    steps_run: int  # kernel steps of faults

    def cells(self) -> tuple[str, ...]:
        """For people, under HEADINGS."""
        return duration(self.lock_hold_ns), str(self.wasted), str(self.retries), str(self.steps_run)

    def key(self) -> tuple[int, ...]:
        """What safe orders are sorted by."""
        return self.lock_hold_ns, self.steps_run

    @staticmethod
    def of_all(measures: Sequence[Measure]) -> Measure:
        """Of several cases."""
        return Measure(*(sum(column) for column in zip(*(astuple(each) for each in measures), strict=True)))


@dataclass(frozen=True)
class Throttled:
    """What it costs to pay for memory.high at the places of an order: of the cases about that."""

    HEADINGS: ClassVar = ("outsiders wait", "own time", "read twice", "over the mark", "throttled")

    outside_ns: int  # the longest wait of a task outside for the group's memory
    own_ns: int  # until the last task of the groups with a mark has exited; of all cases
    reread: int  # pages that their tasks reclaimed before they had got them, and read again
    over: int  # pages, at most, by which a group's usage passed its mark
    sleep_ns: int  # asleep because the group is over its mark

    def cells(self) -> tuple[str, ...]:
        """For people, under HEADINGS."""
        return (duration(self.outside_ns), duration(self.own_ns), count(self.reread), count(self.over),
                duration(self.sleep_ns))  # fmt: skip

    def key(self) -> tuple[int, ...]:
        """What safe orders are sorted by."""
        return astuple(self)

    @staticmethod
    def of_all(measures: Sequence[Throttled]) -> Throttled:
        """Of several cases."""
        return Throttled(
            max(each.outside_ns for each in measures), sum(each.own_ns for each in measures),
            sum(each.reread for each in measures), max(each.over for each in measures),
            sum(each.sleep_ns for each in measures),
        )  # fmt: skip


Costly = Measure | Throttled
Figures = tuple[int, ...]  # of one of these
KINDS: tuple[type[Costly], ...] = (Measure, Throttled)


def beats(one: Figures, other: Figures) -> bool:
    """At least as good in everything, and better in something."""
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


def pareto(measures: Sequence[Costly]) -> list[bool]:
    """For each, whether none of the others beats it."""
    figures = [astuple(each) for each in measures]
    distinct = set(figures)
    front = {each for each in distinct if not any(beats(other, each) for other in distinct)}
    return [each in front for each in figures]
