"""The lock-charge-OOM core's CPUs in SimPy: a process each, run queues after CFS of Linux 3.0 (README.md)."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

import simpy

from cowpath.engine.costs import Costs

if TYPE_CHECKING:
    from .simpy_kernel import Memcg, Mm, Page

NEXT, SLEEP, YIELD, EXITED = range(4)
Body = Generator[int, None, None]  # a task's life: it yields an answer after each move


@dataclass(eq=False, slots=True)
class Task:
    """A task; ``body`` is what it does."""

    number: int
    born: int
    group: Memcg
    mm: Mm | None
    parent: Task | None = None
    body: Body = field(init=False)
    cpu: Cpu = field(init=False)
    children: list[Task] = field(default_factory=list)
    asleep_on: deque[Task] | None = None
    waits_for: str = ""
    exclusive: bool = False
    since: int = 0
    sigkill: bool = False
    memdie: bool = False
    zombie: bool = False
    vruntime: int = 0
    cpu_ns: int = 0


class Cpu:
    """A CPU: its clock, its run queue, the group's stock of charges, and the process that makes moves on it."""

    def __init__(self, machine: Machine, number: int) -> None:
        self.machine, self.number = machine, number
        self.now = self.min_vruntime = self.slice_at = self.stock = 0
        self.curr: Task | None = None
        self.queue: list[tuple[int, int, Task]] = []
        self.resched = self.drain = False
        self.kicked = machine.env.event()
        self.process = machine.env.process(self.run())

    @property
    def other(self) -> Cpu:
        """There are two."""
        return self.machine.cpus[1 - self.number]

    @property
    def slice_ns(self) -> int:
        """sched_slice"""
        sched = self.machine.sched
        return max(sched["latency"] // (len(self.queue) + 1), sched["min_granularity"])

    def run(self) -> Generator[simpy.Event, Any, None]:
        """Move after move, each at its time."""
        env, machine = self.machine.env, self.machine
        while True:
            if self.curr is None:
                self.kicked = env.event()
                yield self.kicked
            elif self.now > env.now:
                yield env.timeout(self.now - env.now)
            elif not machine.may_move(self):
                yield env.timeout(0)
            else:
                self.move(self.curr)

    def move(self, task: Task) -> None:
        """One move of the running task, its cost, and what its answer means."""
        machine = self.machine
        machine.spent, machine.resched_ok = 0, False
        machine.moves += 1
        answer = next(task.body)
        self.now += machine.spent
        task.vruntime += machine.spent
        task.cpu_ns += machine.spent + 1
        if machine.drain_asked:
            machine.ask_workers(self.now)
        gone = answer in (SLEEP, EXITED)
        if gone:
            self.curr = None
        if machine.woken:
            self.update_min_vruntime()
            machine.activate_woken(self.now)
        if gone:
            if self.curr is None:
                self.switch()
            if answer == EXITED and task.parent is None:
                machine.over.succeed()
        elif answer == YIELD or (machine.resched_ok and (self.resched or self.slice_over)):
            self.curr = None
            self.enqueue(task)
            self.switch()

    @property
    def slice_over(self) -> bool:
        """The running task's slice is over and others wait."""
        return bool(self.queue) and self.now - self.slice_at >= self.slice_ns

    def enqueue(self, task: Task) -> None:
        """Put a runnable task into the queue."""
        heappush(self.queue, (task.vruntime, task.number, task))
        task.cpu = self

    def update_min_vruntime(self) -> None:
        """The queue's clock: it never goes back."""
        runs = [task.vruntime for task in (self.curr, self.queue[0][2] if self.queue else None) if task]
        self.min_vruntime = max([self.min_vruntime, min(runs)] if runs else [self.min_vruntime])

    def switch(self) -> None:
        """schedule(): the first of the queue, or one from the other CPU, or idle."""
        self.run_drain_worker()
        self.update_min_vruntime()
        self.pull()
        self.resched = False
        if self.queue:
            self.curr = heappop(self.queue)[2]
            self.now += self.machine.cost["context_switch"]
            self.slice_at = self.now
            if not self.kicked.triggered:
                self.kicked.succeed()

    def pull(self) -> None:
        """Load balancing."""
        theirs, mine = self.other.queue, self.queue
        if theirs and (not mine or len(theirs) >= len(mine) + 2):
            task = theirs.pop()[2]
            task.vruntime += self.min_vruntime - self.other.min_vruntime
            self.enqueue(task)

    def drain_stock(self) -> None:
        """Give the stock back to the group."""
        self.machine.group.usage -= self.stock
        self.stock, self.drain = 0, False

    def run_drain_worker(self) -> None:
        """What drain_all_stock has asked for."""
        if self.drain:
            self.drain_stock()
            self.now += self.machine.cost["uncharge"]


class Machine:
    """Two CPUs, one file in the page cache, one group; and the figures."""

    def __init__(self, costs: Costs, seed: int) -> None:
        self.env = simpy.Environment()
        self.cost, self.sched = costs.steps, costs.sched
        self.cpus = [Cpu(self, 0), Cpu(self, 1)]
        self.over = self.env.event()
        self.turn: Cpu | None = None
        self.spent = self.moves = self.births = self.lock_waits = self.lock_wait_ns = self.oom_wait_ns = 0
        self.resched_ok = False
        self.woken: list[Task] = []
        self.drain_asked: list[Cpu] = []
        self.tasks: list[Task | None] = []  # by number
        self.free_numbers: list[int] = []
        self.cache: list[Page] = []
        self.group: Memcg
        self.rng = seed * 7919 % 2147483646 + 1
        for _ in range(8):
            self.random_below(1)

    @property
    def now(self) -> int:
        """All times are whole ns."""
        return int(self.env.now)

    def random_below(self, bound: int) -> int:
        """MINSTD"""
        self.rng = self.rng * 48271 % 2147483647
        return self.rng % bound

    def may_move(self, cpu: Cpu) -> bool:
        """Where both CPUs are due at the same time, a drawn number says who moves first."""
        if cpu.other.curr is None or cpu.other.now > cpu.now:
            self.turn = None
            return True
        if self.turn is None:
            self.turn = self.cpus[self.random_below(2)]
        if self.turn is not cpu:
            return False
        self.turn = None
        return True

    def spend(self, *steps: str) -> None:
        """The current move costs these."""
        for step in steps:
            self.spent += self.cost[step]

    def sleep(self, task: Task, kind: str, queue: deque[Task] | None = None, exclusive: bool = False) -> int:
        """Put a task to sleep: at the queue's end if it wants the lock, else in front."""
        task.asleep_on, task.waits_for, task.exclusive, task.since = queue, kind, exclusive, self.now
        self.lock_waits += kind == "page lock"
        if queue is not None:
            if exclusive:
                queue.append(task)
            else:
                queue.appendleft(task)
        return SLEEP

    def wake(self, task: Task) -> None:
        """The task is on no queue any more, and runnable."""
        asleep = self.now - task.since
        if task.waits_for == "page lock":
            self.lock_wait_ns += asleep
        elif task.waits_for == "memory":
            self.oom_wait_ns += asleep
        task.waits_for = ""
        self.spend("wake_up")
        self.woken.append(task)

    def activate_woken(self, at: int) -> None:
        """Whoever was woken goes into a run queue; an idle CPU takes it at once."""
        for task in self.woken:
            self.activate(task, at)
        self.woken.clear()
        for cpu in self.cpus:
            if cpu.curr is None and cpu.queue:
                cpu.switch()

    def activate(self, task: Task, at: int) -> None:
        """enqueue_task_fair"""
        cpu = self.choose_cpu(task)
        if cpu is not task.cpu:
            task.vruntime += cpu.min_vruntime - task.cpu.min_vruntime
        credit = cpu.slice_ns if task.cpu_ns == 0 else -(self.sched["latency"] // 2)
        task.vruntime = max(task.vruntime, cpu.min_vruntime + credit)
        if cpu.curr is None:
            cpu.now = max(cpu.now, at)
        elif cpu.curr.vruntime - task.vruntime > self.sched["wakeup_granularity"]:
            cpu.resched = True
        cpu.enqueue(task)

    def choose_cpu(self, task: Task) -> Cpu:
        """Its own CPU if idle, else an idle one; a new task to the least loaded."""
        own = task.cpu
        if own.curr is None and not own.queue:
            return own
        loads = [len(cpu.queue) + (cpu.curr is not None) for cpu in self.cpus]
        least = min(loads)
        return self.cpus[loads.index(least)] if least == 0 or task.cpu_ns == 0 else own

    def ask_workers(self, at: int) -> None:
        """An idle CPU drains its stock at once, a busy one when its task makes way."""
        for cpu in self.drain_asked:
            if cpu.curr is not None:
                cpu.resched = True
            else:
                cpu.now = max(cpu.now, at)
                cpu.run_drain_worker()
        self.drain_asked.clear()
