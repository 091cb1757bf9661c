"""Playing a schedule on its small machine, move by move: what each move is, what is held, and when it would happen.

Times are the clock's: each task has a CPU of its own, a move takes effect when it begins, in the order of the schedule,
and costs what the cost table says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cowpath.cases.plan import CasePlan
from cowpath.designs import Design
from cowpath.engine import moves as m
from cowpath.engine.costs import Costs
from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.kernel.steps import PATH_NAMES
from cowpath.observe.words import Chain

from . import boot
from .explain import CaseScene, hops_of, step_name
from .movers import mover_names, mover_numbers
from .space import Space


@dataclass(frozen=True)
class Row:
    """One move. ``begins_ns`` and ``cost_ns`` are in the machine's time, which begins at 0 with the first move."""

    number: int  #: From 1.
    mover: str  #: Who moves: a task, ``disk``, ``outside: raise A 2``, ...
    task: int  #: Its number; -1 if it is no task.
    path: str  #: Of the step, or empty.
    step: str  #: What it did.
    ends: str  #: "sleeps: page lock", "exits" or empty.
    begins_ns: int  #: When.
    cost_ns: int  #: How long it took.
    locks: tuple[str, ...]  #: Page locks and who holds them, after the move.
    usage: tuple[str, ...]  #: Of each group, with its limit, in pages: "A 1/1".


class Player:
    """A schedule's machine."""

    def __init__(self, plan: CasePlan, design: Design, costs: Costs) -> None:
        self.plan = plan
        self.space = Space()
        self.k = boot.start(plan, design, costs, self.space)
        self.scene = CaseScene(self.k, plan)
        self.plain = self.k.plain  # of which a field is read much sooner
        self.free_at = [0] * m.MOVERS  # when each mover is done with its last move
        self.order_at = 0  # when the last move began

    def names(self) -> list[str]:
        """The movers' names."""
        return mover_names(self.plan, self.plain)

    def play(self, labels: Sequence[str], source: str) -> Iterator[Row]:
        """Make the moves with these labels. Raises InputError at one that cannot be made."""
        numbers = mover_numbers(list(labels), self.plan, self.k, source)
        for number, mover in enumerate(numbers, 1):
            yield self._move(number, mover, source)

    def _move(self, number: int, mover: int, source: str) -> Row:
        name = self.names()[mover]
        path, step = self.doing(mover)
        if self.space.play([mover]) != 1:
            raise InputError(
                f"move {number}: {name!r} cannot move there", file=source,
                hint="the schedule does not belong to this design and case, or to this version's kernel",
            )  # fmt: skip
        begins = max(self.order_at, self.free_at[mover])
        cost = int(self.plain.books.spent)
        self.order_at = begins
        self.free_at[mover] = begins + cost
        return Row(number, name, mover if mover < m.DISK else -1, path, step, self._ends(mover), begins, cost,
                   tuple(self._locks()), tuple(self._usage()))  # fmt: skip

    def doing(self, mover: int) -> tuple[str, str]:
        """The path and the step that a mover is about to take."""
        if mover >= m.DISK:
            return "", self.names()[mover]
        task = self.plain.state.tasks[mover]
        if int(task.depth) == 0:
            return "", n.OP_NAMES[int(self.plain.books.ops[int(task.pc)].code)]
        frame = task.frames[int(task.depth) - 1]
        return PATH_NAMES[int(frame.path)], step_name(self.plain, mover)

    def _ends(self, mover: int) -> str:
        """What has become of a task after its move."""
        if mover >= m.DISK:
            return ""
        task = self.plain.state.tasks[mover]
        if int(task.run_state) == n.T_SLEEPING:
            return "sleeps: " + n.WAITS[int(task.wait_kind)].short
        return "is gone" if int(task.run_state) not in (n.T_RUNNABLE, n.T_SLEEPING) else ""

    def _locks(self) -> Iterator[str]:
        for number in range(int(self.plain.state.n_pages)):
            owner = int(self.plain.state.pages[number].locked_by)
            if owner == n.NONE:
                continue
            holder = self.scene.task(owner) if owner >= 0 else "the disk"
            yield f"{self.scene.page(number)}: {holder}"

    def _usage(self) -> Iterator[str]:
        for number in range(1, int(self.plain.state.n_groups)):
            counter = self.plain.state.groups[number].res
            limit = "-" if int(counter.limit) >= n.UNLIMITED else str(int(counter.limit))
            yield f"{self.scene.group(number)} {int(counter.usage)}/{limit}"

    def waiting(self) -> list[str]:
        """Who waits for whom, on the machine as it stands: a sentence for each task that sleeps."""
        return list(map(str, self.waits()))

    def waits(self) -> list[Chain]:
        """The same as chains."""
        tasks = range(int(self.plain.state.n_tasks))
        asleep = [t for t in tasks if int(self.plain.state.tasks[t].run_state) == n.T_SLEEPING]
        return [hops_of(self.space, self.scene, t) for t in asleep if self._for_another(t)]

    def _for_another(self, t: int) -> bool:
        return n.WAITS[int(self.plain.state.tasks[t].wait_kind)].blocks
