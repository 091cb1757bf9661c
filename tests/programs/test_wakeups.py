"""Who waited for whom: in the order of a recording's wake-ups the model's tasks go on, and never wait in a circle."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

import cowpath
from cowpath.kernel import names as n
from cowpath.programs.importer import recorded
from cowpath.programs.reading.perf_script import read_perf_script
from cowpath.programs.recording import Recording, from_bytes, to_bytes, write
from cowpath.programs.replay import compile_tree

FIRST_PID, BASE, PAGES = 100, 0x7F0000000000, 4096
ROOT = 0


@dataclass
class Job:
    """A command as perf's lines, an event a microsecond: process 0 starts with memory that all inherit."""

    lines: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=lambda: [-1])
    ended: set[int] = field(default_factory=set)
    did: list[tuple[str, int, int]] = field(default_factory=list)  # touch: task, page; wake: waker, woken

    def __post_init__(self) -> None:
        self.say(ROOT, f"PERF_RECORD_COMM exec: job:{FIRST_PID}/{FIRST_PID}")
        call = f"addr: 0x0, len: {PAGES << 12:#x}, prot: 0x3, flags: 0x22, fd: 0xffffffff, off: 0x0"
        self.say(ROOT, f"syscalls:sys_enter_mmap: {call}")
        self.say(ROOT, f"syscalls:sys_exit_mmap: {BASE:#x}")

    def say(self, task: int, event: str) -> None:
        pid, now = FIRST_PID + task, len(self.lines)
        self.lines.append(f"task {pid}/{pid} [{task % 2:03}] 1.{now:09}: {event}\n")

    def fork(self, parent: int) -> int:
        child, pid = len(self.parents), FIRST_PID + len(self.parents)
        self.parents.append(parent)
        self.say(parent, f"PERF_RECORD_FORK({pid}:{pid}):({FIRST_PID + parent}:{FIRST_PID + parent})")
        return child

    def touch(self, task: int) -> None:
        page = len(self.lines)
        self.did.append(("touch", task, page))
        self.say(task, f"exceptions:page_fault_user: address={BASE + (page << 12):#x} ip=0x1000 error_code=0x6")

    def wake(self, waker: int, woken: int) -> None:
        self.did.append(("wake", waker, woken))
        self.say(waker, f"sched:sched_waking: comm=a pid=1 b pid={FIRST_PID + woken} prio=120 target_cpu=001")

    def execs(self, task: int, comm: str) -> None:
        self.say(task, f"PERF_RECORD_COMM exec: {comm}:{FIRST_PID + task}/{FIRST_PID + task}")

    def exit(self, task: int) -> None:
        self.ended.add(task)
        pid, parent = FIRST_PID + task, FIRST_PID + self.parents[task] if task else 1
        self.say(task, f"PERF_RECORD_EXIT({pid}:{pid}):({parent}:{parent})")

    def recording(self) -> Recording:
        for task in reversed(range(len(self.parents))):
            if task not in self.ended:
                self.exit(task)
        return recorded(read_perf_script(self.lines, "job").tables, "job", "job")


def played(recording: Recording, seed: int) -> list[tuple[int, int]]:
    """The touches (task, page) in one order that the instructions allow. An oracle: tasks go on as chance has it."""
    chance = random.Random(seed)
    rows = [recording.ops_of(number).tolist() for number in range(len(recording.processes))]
    at, done, waited, done_by = {0: 0}, dict.fromkeys(range(len(rows)), 0), dict.fromkeys(range(len(rows)), 0), []
    over: set[int] = set()
    while len(over) < len(at):
        able = []
        for task in at.keys() - over:
            code, _, a, b, *_ = rows[task][at[task]] if at[task] < len(rows[task]) else (n.OP_WAIT, 0, 0, 0)
            children = [child for child in over if recording.processes[child].parent == task]
            left = len(recording.children_of(task)) - waited[task]
            held = code == n.OP_WAIT and len(children) <= waited[task] and left > 0
            if not held and not (code == n.OP_AWAIT and a in at and a not in over and done[a] < b):
                able.append(task)
        assert able, "all wait for each other"
        task = chance.choice(sorted(able))
        if at[task] == len(rows[task]):
            waited[task] += 1
            if waited[task] > len(recording.children_of(task)):
                over.add(task)
            continue
        code, _, a, *_ = rows[task][at[task]]
        at[task] += 1
        if code == n.OP_TOUCH:
            done_by.append((task, a - (BASE >> 12)))
        elif code == n.OP_FORK:
            at[a] = 0
        elif code == n.OP_WAIT:
            waited[task] += 1
        elif code == n.OP_COMPLETE:
            done[task] += 1
    return done_by


@given(st.integers(0, 2**32), st.integers(0, 2**32))
@example(3253, 3253)  # a birth that is waited for behind what the parent has done later
def test_what_was_done_before_a_wake_up_is_done_before_what_came_after_it(shape: int, seed: int) -> None:
    chance, job = random.Random(shape), Job()
    for _ in range(chance.randrange(60)):
        alive = [task for task in range(len(job.parents)) if task not in job.ended]
        task, other = chance.choice(alive), chance.choice(alive)
        what = chance.choices(("touch", "wake", "fork", "exit"), (6, 6, 2, 1))[0]
        if what == "touch":
            job.touch(task)
        elif what == "wake" and task != other:
            job.wake(task, other)
        elif what == "fork" and len(job.parents) < 6:
            job.fork(task)
        elif what == "exit" and task != ROOT and task not in job.parents:
            job.exit(task)
    job.touch(ROOT)
    recording = job.recording()
    order = {page: place for place, (_, page) in enumerate(played(recording, seed))}
    assert len(order) == sum(what == "touch" for what, *_ in job.did)
    for place, (what, waker, woken) in enumerate(job.did):
        if what == "wake":
            before = [order[page] for kind, task, page in job.did[:place] if kind == "touch" and task == waker]
            after = [order[page] for kind, task, page in job.did[place:] if kind == "touch" and task == woken]
            assert not before or not after or max(before) < min(after)
    assert from_bytes(to_bytes(recording), "job").ops.tolist() == recording.ops.tolist()


def pipeline(*, wakes: bool = True, blocks: int = 8) -> Job:
    """A writer of many pages, before it a reader that keeps what it has: it is woken by each block, and by the end."""
    job = Job()
    reader, writer = job.fork(ROOT), job.fork(ROOT)
    for _ in range(blocks):
        for _ in range(32):
            job.touch(writer)
        if wakes:
            job.wake(writer, reader)
    if wakes:
        job.wake(writer, reader)
    job.exit(writer)
    for _ in range(32):
        job.touch(reader)
    return job


def codes(recording: Recording, process: int) -> list[tuple[int, int, int]]:
    ops = recording.ops_of(process)
    kept = ops[np.isin(ops["code"], (n.OP_AWAIT, n.OP_COMPLETE))]
    return list(zip(kept["code"].tolist(), kept["a"].tolist(), kept["b"].tolist(), strict=True))


def test_only_the_last_of_many_in_a_row_counts_and_the_end_is_the_end() -> None:
    """The reader did nothing but compute between the blocks; it was there before the writer, and waits for its fork."""
    recording = pipeline().recording()
    assert codes(recording, 0) == [(n.OP_COMPLETE, 0, 0)]
    assert codes(recording, 1) == [(n.OP_AWAIT, 0, 1), (n.OP_AWAIT, 2, 1)]
    assert codes(recording, 2) == [], "it was gone at once: who waits for it waits for its end"
    assert not np.isin(pipeline(wakes=False).recording().ops["code"], (n.OP_AWAIT, n.OP_COMPLETE)).any()


def used(recording: Recording, tmp_path: Path, script: str) -> cowpath.Result:
    write(recording, tmp_path / "job.recording")
    (tmp_path / "mine.toml").write_text('[programs.job]\nrecording = "job.recording"\n[machine]\ncpus = 2\n')
    (tmp_path / "mine.sh").write_text(script)
    return cowpath.run(tmp_path / "mine.sh", design="linux-3.0")


def test_in_the_model_the_reader_is_there_when_the_writer_has_most(tmp_path: Path) -> None:
    """Without the wake-ups it is gone long before; two at once, whose tasks run the same code, wait for their own."""
    script = "cgcreate -g memory:A\ncgexec -g memory:A job\n"
    most = {}
    for wakes in (True, False):
        job = Job()
        reader, writer = job.fork(ROOT), job.fork(ROOT)
        for _ in range(64):
            job.touch(reader)
        for _ in range(256):
            job.touch(writer)
        if wakes:
            job.wake(writer, reader)
        job.touch(reader)
        most[wakes] = used(job.recording(), tmp_path, script).summary["groups"]["A"]
    twice = script.replace("job\n", "job &\n") + "cgexec -g memory:A job &\nwait\necho over\n"
    assert "over" in used(pipeline().recording(), tmp_path, twice).output
    pages = {wakes: group["memory.max_usage_in_bytes"] >> 12 for wakes, group in most.items()}
    assert pages[True] - pages[False] > 32


def test_who_waits_for_one_that_is_killed_goes_on(tmp_path: Path) -> None:
    """The OOM killer takes the writer: the reader finds its pipe closed, and the session ends."""
    script = "cgcreate -g memory:A\ncgset -r memory.limit_in_bytes=800K A\ncgexec -g memory:A job\necho over\n"
    result = used(pipeline().recording(), tmp_path, script)
    assert result.summary["groups"]["A"]["oom_kills"] > 0 and "over" in result.output


def test_where_nobody_is_killed_the_reader_waits_for_ever_with_its_writer(tmp_path: Path) -> None:
    """That is seen: nothing can happen in the group any more, and the run ends."""
    limit = "echo 1 > /sys/fs/cgroup/memory/A/memory.oom_control\ncgset -r memory.limit_in_bytes=800K A\n"
    script = f"cgcreate -g memory:A\n{limit}cgexec -g memory:A job\necho over\n"
    result = used(pipeline().recording(), tmp_path, script)
    assert result.group_verdicts == {"A": "waits"} and "over" not in result.output
    assert result.summary["ended"] == "settled"


def test_jobs_of_a_build_wait_for_each_other_no_longer_but_for_their_own(tmp_path: Path) -> None:
    """make -j1 of what was recorded as -j2: the second object has waited for the third, which make has yet to start."""
    job = Job()
    job.execs(ROOT, "make")
    jobs = [job.fork(ROOT) for _ in range(3)]
    for task in jobs:
        child = job.fork(task)
        job.touch(child)
        job.wake(task, child)
        job.touch(child)
        job.execs(child, "cc1")
    job.touch(jobs[2])
    job.wake(jobs[2], jobs[1])
    job.touch(jobs[1])
    recording = job.recording()
    assert (n.OP_AWAIT, jobs[2], 2) in codes(recording, jobs[1])
    script = "cgcreate -g memory:A\ncgexec -g memory:A job -j1 && echo over\n"
    assert "over" in used(recording, tmp_path, script).output


def test_a_tree_of_awaits_is_linked_to_where_its_tasks_begin() -> None:
    recording = pipeline().recording()
    ops = compile_tree(recording).ops
    forks, awaits = ops["a"][ops["code"] == n.OP_FORK], ops["a"][ops["code"] == n.OP_AWAIT]
    assert ops[0]["code"] == n.OP_FAMILY and awaits.tolist() == [0, int(forks[1])]
