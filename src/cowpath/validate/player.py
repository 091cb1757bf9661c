"""A machine whose workers do what they are told, one step at a time, and what is seen of them from outside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from cowpath import api
from cowpath.engine import loop
from cowpath.engine.gate import open_gate
from cowpath.engine.others import others_run
from cowpath.kernel import names as n
from cowpath.kernel import objects as o
from cowpath.kernel.steps import PATH_NAMES
from cowpath.observe.watch import mask_of
from cowpath.validate.commands import OPENED
from cowpath.validate.compile import FINISH, READY, Compiled
from cowpath.validate.scenario import CTL, Step

if TYPE_CHECKING:
    from cowpath.designs import Design

S = 1_000_000_000  # ns
SLOW_NS = 7_000_000  # an access that takes longer is slow (the schema's "slow")
PATIENCE_NS = 300 * S  # for a step that is waited for
SHORT = 1_000_000  # moves between two looks
MOST_MOVES = 40 * SHORT  # of a step: who goes round in vain gets no further
NEVER = -2  # the number of no step
FIRST_SHOWN = 64  # of the slow accesses
SEEN = (n.EV_HOST, n.EV_EXIT, n.EV_WAKE, n.EV_FAULT, n.EV_MARK, n.EV_FORK)
BYTES = ("readf", "writef")  # of v1: their value is in bytes
TOUCHES = ("touch", "touchperm")
COUNTED = (*TOUCHES, *BYTES, "readinto")  # who does them counts the pages that are done, from 0
TIMED = (*TOUCHES, *BYTES, "mmaploop")  # each of their accesses or calls is timed
SIGKILL = 9


@dataclass
class Told:
    """How a step, or a task, ended. Faults are the step's own; ``exit`` is a status, or less than 0 a signal."""

    at: int
    status: int
    returned: int
    minflt: int
    majflt: int
    progress: int
    exit: int = 0


@dataclass
class _Begun:
    """A step that a task is in: when it began, and its counters then; its sleeps by access."""

    at: int
    minflt: int
    majflt: int
    returned: int
    gate: bool = False  # it has come through
    calls: int = 0  # that are done, of several
    faults: int = 0
    asleep: dict[int, int] = field(default_factory=dict)


COSTS = {"v1": "bare", "v2": "emulator"}  # of the machines that were measured
MICRO_VM = "linux-6.18"  # what was measured there


def costs_of(interface: str, design: Design) -> str:
    """The cost table of the machine on which a kernel was measured."""
    return "micro-vm" if interface == "v1" and design.kernel.name == MICRO_VM else COSTS[interface]


class Player:
    """The machine. ``told``: by task and step how it ended; ``dead``: how a task ended."""

    def __init__(self, compiled: Compiled, design: Design, seed: int) -> None:
        self.compiled = compiled
        self.plan = compiled.plan.on(design)
        self.k: Any = api.build_machine(
            self.plan, design, api.Options(seed=seed, costs=costs_of(compiled.scenario.interface, design))
        )
        self._as_measured()
        self.k.books.log_mask = mask_of(SEEN)
        self.k.books.stall_ns = self.k.books.bound_ns = 1 << 60  # nobody asks here who holds whom up
        self.k.books.next_check = 1 << 62
        self.told: dict[tuple[str, int], Told] = {}
        self.dead: dict[str, Told] = {}
        self.begun: dict[tuple[str, int], _Begun] = {}
        self.doing: dict[str, int] = {}
        self.counted: dict[str, int] = {}  # pages that a task's last COUNTED step had done
        self.tasks: dict[str, int] = {}  # by name: the task's number
        self.whose: dict[int, str] = {}
        self.signals: dict[str, int] = {}  # by name: the one that ctl has sent to it
        slots = {name: number for number, name in enumerate(self.plan.slots)}
        for number, start in enumerate(self.plan.starts):
            if start.slot != n.NONE:
                self._enter(self.plan.slots[start.slot], number)
        self.slots = slots

    def _as_measured(self) -> None:
        """What the machines were like on which it was measured, and their workers."""
        books = self.k.books
        if self.compiled.scenario.interface == "v1":  # others soon filled a CPU's batch of pages
            books.lru_batch = 0
        else:  # the workers wrote the lowest byte of a page's number, and were the first to look up their files
            books.zero_every = 256
            books["trees"]["inode"] = 0
        if self.compiled.forks and books.objects[o.OWN_TABLES] > 0:  # a worker's own pages have a mapping here
            books.objects[o.OWN_TABLES] -= 1
            books.objects[o.PROGRAM_VMAS] -= books.objects[o.VM_AREA_STRUCT]

    def _enter(self, name: str, task: int) -> None:
        self.tasks[name], self.whose[task] = task, name

    # --- what is told

    def boot(self) -> None:
        """The groups are made, then the workers come in one after the other, each into its own."""
        self.doing[CTL] = READY
        self._until(CTL, READY, PATIENCE_NS)
        for leader in self.compiled.leaders:
            self.tell(leader, READY)
        self.sleep(S // 100)  # until all sleep at their gates

    def tell(self, task: str, number: int) -> bool:
        """Have a task do a step, and wait for its end; whether it has come to that."""
        self.start(task, number)
        return self._until(task, number, PATIENCE_NS)

    def start(self, task: str, number: int) -> None:
        """Have a task do a step."""
        before = self.doing.get(task)
        if before is not None and (task, before) not in self.told:  # it is given the next one when it has done this one
            self._until(task, before, PATIENCE_NS)
        t = self.tasks[task]
        books = self.k.books.tasks[t]
        self.doing[task] = number
        self.begun[task, number] = _Begun(
            int(self.k.books.now), int(books.minflt), int(books.majflt), int(books.returned)
        )
        open_gate(self.k, t)

    def wait(self, task: str, number: int, ns: int) -> bool:
        """For so long at most."""
        return self._until(task, number, ns)

    def until_dead(self, task: str, ns: int) -> None:
        """Until a task has died, for so long at most."""
        self._until(task, NEVER, ns)

    def until_all_dead(self) -> None:
        """Until every task that there is has died: whom ctl has killed takes its memory down first."""
        for task in list(self.tasks):
            if task != CTL and self.alive(task):
                self.until_dead(task, PATIENCE_NS)

    def sleep(self, ns: int) -> None:
        """Let time pass."""
        self._run(int(self.k.books.now) + ns, MOST_MOVES)

    def others(self) -> None:
        """Tasks of other groups run on all CPUs: what these have kept of objects is no longer there."""
        others_run(self.k)

    def _until(self, task: str, number: int, ns: int) -> bool:
        end = int(self.k.books.now) + ns
        moves = MOST_MOVES
        while (task, number) not in self.told and task not in self.dead:
            before = int(self.k.books.now)
            why, spent = self._some(end, min(moves, SHORT))
            moves -= spent
            if why in (loop.UNTIL, loop.IDLE, loop.ERROR) or moves <= 0:
                break
            assert before <= int(self.k.books.now)
        return (task, number) in self.told

    def _run(self, end: int, moves: int) -> None:
        while moves > 0:
            why, spent = self._some(end, min(moves, SHORT))
            moves -= spent
            if why in (loop.UNTIL, loop.IDLE, loop.ERROR):
                return

    def _some(self, end: int, moves: int) -> tuple[int, int]:
        """Some moves; why they ended, and how many there were."""
        before = int(self.k.books.steps)
        why = int(loop.run(self.k, end, loop.FOREVER, moves, n.NONE))
        self._read_log()
        return why, max(1, int(self.k.books.steps) - before)

    # --- what is seen

    def _read_log(self) -> None:
        log = self.k.books["log"][: int(self.k.books.log_count)]
        forks = log["kind"] == n.EV_FORK
        told_of = [*self.whose, *log["a"][forks]]  # of all others nothing is kept
        for row in log[forks | np.isin(log["task"], told_of)]:
            kind, task = int(row["kind"]), int(row["task"])
            if kind == n.EV_FORK:
                slot = int(row["value"])
                if 0 <= slot < len(self.plan.slots) and self.plan.slots[slot] in self.compiled.slots:
                    self._enter(self.plan.slots[slot], int(row["a"]))
                    self.doing[self.plan.slots[slot]] = READY
                    self.begun[self.plan.slots[slot], READY] = _Begun(int(row["time"]), 0, 0, 0)
                else:
                    self.whose.pop(int(row["a"]), None)
                continue
            name = self.whose.get(task)
            if name is None:
                continue
            self._see(name, kind, row)
        self.k.books.log_count = 0

    def _see(self, name: str, kind: int, row: Any) -> None:
        begun = self.begun.get((name, self.doing.get(name, READY)))
        if kind == n.EV_EXIT:
            self.dead[name] = self._ended(name, row)
            code = int(row["value"])
            self.dead[name].exit = -self.signals.get(name, SIGKILL) if row["a"] else code
            if self.command(name) == "touch":
                self.dead[name].progress = int(row["extra"])
            del self.whose[self.tasks[name]]
        elif kind == n.EV_HOST:
            self.told[name, int(row["a"])] = told = self._ended(name, row)
            if self.command(name) in COUNTED:
                told.progress = self.counted[name] = self._all_of(name, told)
        elif begun is not None and kind == n.EV_WAKE and not begun.gate:
            begun.gate = True
        elif begun is not None and kind == n.EV_WAKE and row["value"] > 0 and row["a"] != n.W_TIMER:
            at = begun.calls + (int(row["extra"]) if self.command(name) in TOUCHES else 0)
            begun.asleep[at] = begun.asleep.get(at, 0) + int(row["value"])
        elif begun is not None and kind == n.EV_MARK and row["a"] == OPENED:
            begun.asleep.clear()
        elif begun is not None and kind == n.EV_MARK:
            begun.calls += 1
        elif begun is not None and kind == n.EV_FAULT:
            begun.faults += 1

    def _ended(self, name: str, row: Any) -> Told:
        t = self.tasks[name]
        books, state = self.k.books.tasks[t], self.k.state.tasks[t]
        begun = self.begun.get((name, self.doing.get(name, READY))) or _Begun(0, 0, 0, 0)
        return Told(
            int(row["time"]), int(state.status), int(books.returned) - begun.returned,
            int(books.minflt) - begun.minflt, int(books.majflt) - begun.majflt, self.progress(name),
        )  # fmt: skip

    def command(self, name: str) -> str:
        """What a task is doing, or has done last; nothing before its first step."""
        number = self.doing.get(name, READY)
        return self.compiled.scenario.steps[number].command if 0 <= number < FINISH else ""

    def progress(self, name: str) -> int:
        """Pages that a task's step has done, if they are counted there; else those of its last step that did."""
        if name in self.dead:
            return self.dead[name].progress
        number = self.doing.get(name, READY)
        if self.command(name) not in COUNTED or (name, number) in self.told:
            return self.counted.get(name, 0)
        t, begun = self.tasks[name], self.begun[name, number]
        task = self.k.state.tasks[t]
        if self.command(name) == "touch":
            return int(task.progress) if self.k.books.ops[int(task.pc)].code == n.OP_TOUCH else 0
        if self.command(name) == "touchperm":
            return begun.calls
        return int(self.k.books.tasks[t].returned) - begun.returned

    def _all_of(self, name: str, told: Told) -> int:
        """Pages that a step has done that has come to its end."""
        step = self.compiled.scenario.steps[self.doing[name]]
        return int(step.words[3]) if step.command in TOUCHES else told.returned

    def was_there(self, name: str) -> bool:
        """The task has been made."""
        return name in self.tasks

    def locked(self, file: str) -> int:
        """How many pages of a file a task has locked at this moment."""
        which = [each.name for each in self.plan.files].index(file)
        pages = self.k.state["pages"][: int(self.k.state.n_pages)]
        return int(np.count_nonzero((pages["file"] == which) & (pages["locked_by"] >= 0)))

    def done(self, name: str) -> tuple[int, ...]:
        """What changes whenever an access or a call of a task ends."""
        if not self.alive(name):
            return ()
        task, books = self.k.state.tasks[self.tasks[name]], self.k.books.tasks[self.tasks[name]]
        begun = self.begun.get((name, self.doing.get(name, READY)))
        ended = 0 if begun is None else begun.calls + begun.faults
        return int(task.pc), int(task.progress), int(books.minflt), int(books.majflt), int(books.returned), ended

    def alive(self, name: str) -> bool:
        """It is there, and has not died."""
        return name in self.tasks and name not in self.dead

    def lives_on(self, name: str) -> bool:
        """It is there, and nobody has killed it: who has been is as good as dead."""
        task = self.k.state.tasks[self.tasks[name]]
        return self.alive(name) and not task.sigkill and not task.exiting

    def value(self, told: Told, step: Step) -> int:
        """What the step returned: pages, calls or 0; an errno is negative, if nothing was done before."""
        if step.command in ("touch", "touchperm"):
            return int(step.words[3])
        v1 = self.compiled.scenario.interface == "v1"
        if step.command in BYTES and not told.status:  # a call that fails ends it, whatever those before have done
            return told.returned * (n.PAGE_SIZE if v1 else 1)
        if step.command in ("vmw", "vmr", "pmem", "pipew"):
            size = int(step.words[-1])
            done = min(size, told.returned * n.PAGE_SIZE)
            return done if done or not told.status else -told.status
        if step.command == "readinto" and not told.status:
            return int(step.words[3])
        if step.command == "mmaploop" and not told.status:
            return int(step.words[1])
        return -told.status

    def slow(self, name: str, number: int) -> dict[str, Any] | None:
        """Accesses of a step that slept for longer than SLOW_NS: how many, how long in all, the first of them."""
        found = [(at, ns) for at, ns in sorted(self.asleep(name, number).items()) if ns > SLOW_NS]
        if not found or self.compiled.scenario.steps[number].command not in TIMED:
            return None
        first = [[at, ns // 1000] for at, ns in found[:FIRST_SHOWN]]
        return {"n": len(found), "sum_us": sum(ns for _, ns in found) // 1000, "first": first}

    def asleep(self, name: str, number: int) -> dict[int, int]:
        """How long each access, or call, of a step has slept, in ns."""
        begun = self.begun.get((name, number))
        return {} if begun is None else begun.asleep

    def place(self, name: str) -> dict[str, Any]:
        """Where a task is: state, what it waits for, its paths with the innermost first."""
        if not self.alive(name):
            return {"state": "X", "waits": "", "paths": []}
        task = self.k.state.tasks[self.tasks[name]]
        paths = [PATH_NAMES[int(task.frames[d].path)] for d in reversed(range(int(task.depth)))]
        if task.run_state != n.T_SLEEPING:
            return {"state": "R", "waits": "", "paths": paths}
        kind = int(task.wait_kind)
        state = "T" if kind == n.W_STOPPED else "S" if n.INTERRUPTIBLE[kind] else "D"
        return {"state": state, "waits": n.WAIT_NAMES[kind], "paths": paths}

    def oom_killed(self) -> list[str]:
        """Whom the OOM killer has killed, in order."""
        kills = self.k.books["kills"][: int(self.k.books.n_kills)]
        return [self.plan.comms[int(comm)] for comm in np.asarray(kills["comm"])]
