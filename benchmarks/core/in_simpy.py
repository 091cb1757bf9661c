"""The lock-charge-OOM core in SimPy 4: the programs, and a run."""

from __future__ import annotations

import time

from cowpath.engine.costs import Costs

from .simpy_kernel import BASE, Answers, Kernel, Memcg, Mm
from .simpy_machine import EXITED, NEXT, Body, Machine, Task
from .size import STRIDE, Run, Size, bucket_at

ACCESSES = 32  # in one move of user mode


class Programs:
    """What the starter and the workers do; system calls included."""

    def __init__(self, kernel: Kernel, size: Size) -> None:
        self.kernel, self.size, self.machine, self.spend = kernel, size, kernel.machine, kernel.spend

    def starter(self, me: Task) -> Body:
        """Keeps ``tasks`` workers at work until all jobs have been started, and waits for the last ones."""
        size = self.size
        yield from self.user("syscall")  # make the group
        yield from self.user("syscall")  # its limit
        self.spend("resize_limit")
        self.machine.group.limit = size.limit
        yield NEXT
        yield from self.user()
        for job in range(size.jobs):
            if job >= size.tasks:
                yield from self.wait(me, for_all=False)
            yield from self.fork(me, job)
            yield from self.user()
        yield from self.wait(me, for_all=True)
        yield from self.exit(me)

    def worker(self, me: Task, job: int) -> Body:
        """Maps the file, writes to pages of it, unmaps it; some rounds of that."""
        me.group = self.machine.group
        yield from self.user("syscall")
        if not me.sigkill:
            yield from self.user()
        for _ in range(self.size.rounds):
            if not me.sigkill:
                yield from self.mmap(me)
            if not me.sigkill:
                yield from self.touch(me, job)
            if not me.sigkill:
                yield from self.munmap(me)
            if not me.sigkill:
                yield from self.user()
        yield from self.exit(me)

    def user(self, *steps: str) -> Answers:
        """A move in user mode."""
        self.machine.resched_ok = True
        self.spend(*steps)
        yield NEXT

    def touch(self, me: Task, job: int) -> Answers:
        """Writes to pages; a move ends at a fault, or after so many accesses."""
        mm = me.mm
        assert mm is not None
        done = accesses = 0
        self.machine.resched_ok = True
        while done < self.size.pages and not me.sigkill:
            vpn = BASE + job + done * STRIDE
            self.spend("user_access")
            if vpn not in mm.ptes:
                yield from self.kernel.fault(me, vpn)
                accesses = 0
                self.machine.resched_ok = True
                continue
            done += 1
            accesses += 1
            if accesses == ACCESSES:
                yield NEXT
                accesses = 0
                self.machine.resched_ok = True
        if not me.sigkill:
            yield NEXT

    def mmap(self, me: Task) -> Answers:
        """mmap(2) of the file."""
        assert me.mm is not None
        yield from self.user("syscall")
        yield from self.under_mmap_sem(me.mm, me)
        self.spend("map_region")
        me.mm.mapped = True
        yield NEXT
        yield from self.up_write(me.mm)

    def munmap(self, me: Task) -> Answers:
        """munmap(2), a chunk a move."""
        assert me.mm is not None
        yield from self.user("syscall")
        yield from self.under_mmap_sem(me.mm, me)
        yield from self.zap(me.mm, "unmap_region")
        me.mm.mapped = False
        yield from self.up_write(me.mm)

    def zap(self, mm: Mm, step: str) -> Answers:
        """Unmap everything."""
        over = False
        while not over:
            self.spend(step)
            self.machine.resched_ok = True
            over = self.kernel.zap_chunk(mm)
            yield NEXT

    def under_mmap_sem(self, mm: Mm, me: Task) -> Answers:
        """down_write(&mm->mmap_sem); nobody else has this mm."""
        self.spend("mmap_write_lock")
        mm.writer = me
        yield NEXT

    def up_write(self, mm: Mm) -> Answers:
        """up_write(&mm->mmap_sem)"""
        self.spend("mmap_write_unlock")
        mm.writer = None
        yield NEXT

    def fork(self, me: Task, job: int) -> Answers:
        """fork(2); the parent has nothing mapped that would have to be copied."""
        assert me.mm is not None
        yield from self.user("syscall")
        yield from self.under_mmap_sem(me.mm, me)
        for _ in range(2):
            self.spend("dup_mm")
            self.machine.resched_ok = True
            yield NEXT
        yield from self.up_write(me.mm)
        self.spend("wake_up_new_task")
        child = self.new_task(me)
        child.cpu, child.vruntime = me.cpu, me.vruntime
        child.body = self.worker(child, job)
        self.machine.woken.append(child)
        yield NEXT

    def new_task(self, parent: Task | None) -> Task:
        """A task outside the group, with an empty address space."""
        machine = self.machine
        number = machine.free_numbers.pop() if machine.free_numbers else len(machine.tasks)
        machine.births += 1
        task = Task(number, machine.births, self.kernel.root, Mm(), parent)
        if number == len(machine.tasks):
            machine.tasks.append(task)
        else:
            machine.tasks[number] = task
        if parent is not None:
            parent.children.append(task)
        return task

    def wait(self, me: Task, for_all: bool) -> Answers:
        """wait(2) for any child, or for all."""
        yield from self.user("syscall")
        while True:
            self.spend("do_wait")
            for child in [child for child in me.children if child.zombie]:
                me.children.remove(child)
                self.machine.tasks[child.number] = None
                self.machine.free_numbers.append(child.number)
                if not for_all:
                    yield NEXT
                    return
            if not me.children:
                break
            yield self.machine.sleep(me, "child")
        yield NEXT

    def exit(self, me: Task) -> Answers:
        """exit(2): the address space goes, a chunk a move; then the parent is told."""
        yield from self.user()
        mm, me.mm = me.mm, None
        assert mm is not None
        if mm.mapped:
            yield from self.zap(mm, "exit_mm")
        else:
            self.spend("exit_mm")
            self.machine.resched_ok = True
            yield NEXT
        self.spend("exit_notify")
        me.zombie = True
        if me.parent is not None and me.parent.waits_for == "child":
            self.machine.wake(me.parent)
        yield EXITED


def run(size: Size, costs: Costs) -> Run:
    """Run it once."""
    machine = Machine(costs, size.seed)
    machine.group = Memcg(size.limit)
    kernel = Kernel(machine, size.file_pages)
    programs = Programs(kernel, size)
    starter = programs.new_task(None)
    starter.cpu = machine.cpus[0]
    starter.body = programs.starter(starter)
    machine.woken.append(starter)
    began = time.thread_time()
    machine.env.run()  # the CPUs' processes begin, and find nothing to do
    machine.activate_woken(0)
    machine.env.run(machine.over)
    seconds = time.thread_time() - began
    own = kernel.figures
    names = ("faults", "cows", "charges", "bypassed", "kills", "oom_rounds", "retries", "max_hold_ns")
    group, latencies = machine.group, sorted(kernel.latencies)
    return Run(
        {name: own[name] for name in names}
        | {"failcnt": group.failcnt, "max_usage": group.max_usage}
        | {name: getattr(machine, name) for name in ("lock_waits", "lock_wait_ns", "oom_wait_ns", "moves")}
        | {"p99_bucket": bucket_at(latencies, 0.99), "max_fault_ns": latencies[-1], "end_ns": int(machine.env.now)},
        seconds,
    )
