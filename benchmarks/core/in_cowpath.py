"""The lock-charge-OOM core in cowpath: a plan of its own for the real machine, run by the real clock."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from cowpath import designs
from cowpath.engine import costs as cost_tables
from cowpath.engine import machine
from cowpath.engine.clock import Clock
from cowpath.kernel import names as n
from cowpath.kernel.state import CLOCK, Capacity
from cowpath.observe.metrics import Metrics
from cowpath.programs.code import Assembler
from cowpath.session.plan import FilePlan, MachineSettings, Plan, Start

from .size import STRIDE, Run, Size

HERE = Path(__file__).resolve().parent
DESIGN = str(HERE / "design.toml")
BASE = 512  # the page at which the file is mapped
GROUP = 1
JOB, ROUND = 0, 1  # loop registers


def costs() -> cost_tables.Costs:
    """The core's cost table."""
    return cost_tables.load(str(HERE / "costs.toml"))


def plan_of(size: Size) -> Plan:
    """The programs of README.md: the starter, which is outside the group, and the worker."""
    asm = Assembler("core")
    asm.emit(n.OP_CG_CREATE, a=GROUP)
    asm.emit(n.OP_CG_SET, a=GROUP, b=n.CG_LIMIT, c=size.limit)
    asm.emit(n.OP_LOOP, a=JOB)
    forks = [asm.emit(n.OP_FORK, b=n.NONE)]
    asm.emit(n.OP_NEXT, a=JOB, b=size.tasks, c=forks[0])
    again = asm.emit(n.OP_WAIT, a=n.ANY_CHILD)
    forks.append(asm.emit(n.OP_FORK, b=n.NONE))
    asm.emit(n.OP_NEXT, a=JOB, b=size.jobs, c=again)
    asm.emit(n.OP_WAIT, a=n.ALL_CHILDREN)
    asm.emit(n.OP_EXIT)
    for fork in forks:
        asm.patch(fork, "a", asm.here)
    asm.emit(n.OP_ATTACH, a=GROUP)
    asm.emit(n.OP_LOOP, a=ROUND)
    start = asm.emit(n.OP_MMAP, a=BASE, b=size.file_pages, c=0, bits=n.VM_WRITE)
    asm.emit(n.OP_TOUCH, a=BASE, b=size.pages, c=STRIDE, d=1 + JOB, bits=n.F_WRITE)
    asm.emit(n.OP_MUNMAP, a=BASE, b=size.file_pages)
    asm.emit(n.OP_NEXT, a=ROUND, b=size.rounds, c=start)
    asm.emit(n.OP_EXIT)
    return Plan(
        name="core",
        source="",
        ops=asm.code().ops,
        comms=("core",),
        slots=(),
        files=(FilePlan("lib.so", size.file_pages, size.file_pages, shmem=False, warm=True),),
        groups=("", "A"),
        parents=(n.NONE, 0),
        starts=(Start(entry=0, comm=0, slot=n.NONE, cpu=n.NONE, bystander=False),),
        shell=0,
        texts=(),
        settings=MachineSettings(cpus=2, reuse=0.0),
    )


def run(size: Size, capacity: Capacity = CLOCK, on: str = DESIGN) -> Run:
    """Run it once, on the core's design or another; compiled code is ready after the first time. The log is off."""
    plan, design = plan_of(size), designs.load(on)
    k = machine.build(plan, design, costs(), memory=size.memory * n.PAGE_SIZE, seed=size.seed, capacity=capacity)
    clock = Clock(k, plan, design)
    began = time.thread_time()
    ending = clock.run(1 << 60)
    seconds = time.thread_time() - began
    if ending.reason not in ("script", "settled"):  # settled: the group is full for ever, as on linux-3.0
        raise RuntimeError(f"the core ended early: {ending.reason}")
    return Run(figures(k), seconds)


def figures(k: Any) -> dict[str, int]:
    """The figures of a machine that has run."""
    counters = dict(zip(n.COUNTER_NAMES, k.books["groups"]["counters"][GROUP], strict=True))
    books, metrics = k.books.groups[GROUP], Metrics(k)
    latencies, hold = metrics.of_group(GROUP).finished, metrics.page_locks.kinds[n.HOLD_TASK].longest
    return {
        "faults": int(counters["faults"]),
        "cows": int(counters["pages_copied"]),
        "charges": int(counters["charges"]),
        "bypassed": int(counters["charges_bypassed"]),
        "failcnt": int(books.failcnt),
        "max_usage": int(books.max_usage),
        "kills": int(counters["oom_kills"]),
        "oom_rounds": int(counters["oom_rounds"]),
        "retries": int(counters["retries"]),
        "lock_waits": int(books.waits[n.W_PAGE_LOCK]),
        "lock_wait_ns": int(books.wait_ns[n.W_PAGE_LOCK]),
        "oom_wait_ns": int(books.wait_ns[n.W_OOM]),
        "p99_bucket": latencies.bucket_at(0.99),
        "max_fault_ns": latencies.largest,
        "max_hold_ns": hold.ns if hold else 0,
        "moves": int(k.books.steps),
        "end_ns": int(k.books.now),
    }
