"""Scenes: on what it is measured what an order of a path that pays for memory.high costs; the kernel's own batches.

A session of ``scenes/``, named after its path. Its group's task marks in its program where what is measured begins and
ends. Lines that end in ``# outside`` are left out where the task is alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from cowpath import api
from cowpath.designs import Design
from cowpath.errors import MachineError
from cowpath.kernel import names as n
from cowpath.observe.watch import mask_of
from cowpath.session.load import plan_session
from cowpath.session.plan import Plan
from cowpath.session.table import read_table

from .measures import Throttled
from .throttling import STALL_NS, Books, counters, longest_wait, run

OUTSIDE = "# outside\n"


def _folder() -> Path:
    return Path(str(resources.files("cowpath"))) / "searching" / "scenes"


def paths() -> list[str]:
    """The paths that there is a scene of."""
    return sorted(file.stem for file in _folder().glob("*.sh"))


@dataclass(frozen=True)
class Scene:
    """The session with all who are in it, and with the group's task alone."""

    whole: Plan
    alone: Plan

    @staticmethod
    def of(path: str) -> Scene:
        """The scene of a path, one of ``paths()``."""
        file = _folder() / f"{path}.sh"
        text, table = file.read_text(encoding="utf-8"), read_table(file.with_suffix(".toml"))
        alone = "".join(line for line in text.splitlines(keepends=True) if not line.endswith(OUTSIDE))
        return Scene(plan_session(text, file.name, table), plan_session(alone, file.name, table))


def measure(scene: Scene, design: Design) -> Throttled:
    """How long the task takes with nobody else there and what it does meanwhile; who waits when there are others."""
    alone, _ = _play(scene.alone, design)
    _, waited_ns = _play(scene.whole, design)
    return Throttled(waited_ns, alone.own_ns, alone.reread, alone.over, alone.sleep_ns)


def _play(plan: Plan, design: Design) -> tuple[_Books, int]:
    """The books of a run, and the longest wait of an outsider for the group's memory."""
    k = api.build_machine(plan, design, api.Options())
    books = _Books(k)
    k.books.log_mask = mask_of(tuple(books.does))
    clock = api.make_clock(k, plan, design, books.read)
    clock.stall_ns = k.books.stall_ns = STALL_NS
    run(clock, plan.name)
    waited_ns = longest_wait(clock)
    books.close()
    return books, waited_ns


class _Books(Books):
    """What the log says of the task between its marks, and of its group's usage there."""

    def __init__(self, k: Any) -> None:
        super().__init__()
        self.k = k
        self.began: int | None = None
        self.ended = False
        self.task = n.NONE
        self.reread = 0
        self.does |= {n.EV_MARK: self._marks, n.EV_USAGE: self._uses}

    def counts(self) -> bool:
        """Between the marks."""
        return self.began is not None and not self.ended

    def close(self) -> None:
        """The run is over."""
        if not self.ended:
            raise MachineError("a scene's task has not come to its end")
        self.reread = counters(self.k)[n.C_OWN_EVICTED]

    def _marks(self, event: Any) -> None:
        if self.began is None:
            self.began, self.task = int(event["time"]), int(event["task"])
        else:
            self.own_ns, self.ended = int(event["time"]) - self.began, True

    def _uses(self, event: Any) -> None:
        high = int(self.k.state.groups[int(event["a"])].high)
        if self.counts() and high < n.UNLIMITED:
            self.over = max(self.over, int(event["value"]) - high)
