"""The log as a walk: one kernel step after the other, in words. What ``cowpath step`` shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cowpath.kernel import names as n
from cowpath.kernel.steps import P_RECLAIM, PATH_NAMES, STEPS
from cowpath.observe.scene import Names
from cowpath.observe.text import clean, duration, task_label
from cowpath.observe.who import Events, Who

ANSWERS = {
    n.NEXT: "", n.AGAIN: "more of it", n.SLEEP: "sleeps", n.CALL: "calls another path first", n.YIELD: "yields the CPU",
    n.RETRY: "drops everything and retries the fault", n.EXITED: "is gone",
}  # fmt: skip


@dataclass(frozen=True)
class Move:
    """One step of one task."""

    time_ns: int
    cpu: int
    task: int
    comm: str  # safe for a terminal
    group: str  # empty: outside every group
    path: str
    step: str
    answer: str  # empty: it went on to the next step
    cost_ns: int
    held: tuple[str, ...]  # before the step
    got: tuple[str, ...]
    gave: tuple[str, ...]

    @property
    def label(self) -> str:
        """``cc1[208]``."""
        return f"{self.comm}[{self.task}]"

    def words(self) -> str:
        """One line: when, who, which step of which path, what it held, got and gave back."""
        who = f"{self.label} in {self.group}" if self.group else self.label
        parts = [f"{self.path}: {self.step}", f"({duration(self.cost_ns)})"]
        parts += [f"+ {', '.join(self.got)}"] if self.got else []
        parts += [f"- {', '.join(self.gave)}"] if self.gave else []
        parts += [f"-> {self.answer}"] if self.answer else []
        parts += [f"[holds {', '.join(self.held)}]"] if self.held else []
        return f"{self.time_ns:>15,} ns  cpu {self.cpu}  {who:<20} {' '.join(parts)}"


class Walker:
    """Turns blocks of the log into moves. It follows what each task holds by what its steps take and give back."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self._held: dict[int, dict[int, int]] = {}  # H_* by task and path

    def moves(self, events: Events, who: Who) -> Iterator[Move]:
        """The moves of a block, in order."""
        for i, e in enumerate(events):
            task, kind = int(e["task"]), int(e["kind"])
            if kind == n.EV_EXIT:
                self._held.pop(task, None)
            elif kind == n.EV_FAULT:  # a system call around it goes on, with what it holds
                held = self._held.get(task, {})
                self._held[task] = {path: bits for path, bits in held.items() if path > P_RECLAIM}
            elif kind == n.EV_STEP:
                yield self._move(e, task, int(who.comm[i]), int(who.group[i]))

    def _move(self, e: Events, task: int, comm: int, group: int) -> Move:
        step, status, path = int(e["a"]), int(e["b"]), int(e["extra"])
        before = self._all_held(task)
        info = STEPS[step]
        held = self._held.setdefault(task, {})
        if status == n.NEXT:
            held[path] = (held.get(path, 0) & ~info.gives) | info.takes
        elif status >= n.RETRY:
            held.pop(path, None)
        after = self._all_held(task)
        names = self.names
        return Move(
            time_ns=int(e["time"]),
            cpu=int(e["cpu"]),
            task=task,
            comm=clean(names.comms[comm]) if 0 <= comm < len(names.comms) else "task",
            group=clean(names.groups[group]) if 0 < group < len(names.groups) else "",
            path=PATH_NAMES[path] if 0 <= path < len(PATH_NAMES) else str(path),
            step=info.name,
            answer=ANSWERS.get(status, n.STATUS_NAMES[status]),
            cost_ns=int(e["value"]),
            held=hold_names(before),
            got=hold_names(after & ~before),
            gave=hold_names(before & ~after),
        )

    def _all_held(self, task: int) -> int:
        bits = 0
        for held in self._held.get(task, {}).values():
            bits |= held
        return bits


def hold_names(bits: int) -> tuple[str, ...]:
    """The names of what a frame holds (H_*)."""
    return tuple(name for i, name in enumerate(n.HOLD_NAMES) if bits >> i & 1)


def is_task(move: Move, wanted: str) -> bool:
    """Whether a move is of a task that is named by number, by name, or by both (``208``, ``cc1``, ``cc1[208]``)."""
    return wanted in (str(move.task), move.comm, task_label(move.comm, move.task))
