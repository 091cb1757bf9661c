"""Random machines, programs and sessions for Hypothesis.

A program is a tuple of actions, and an action a tuple: its name and its operands. ``plan_of`` assembles a session's
programs by hand, without the shell's parser: the shapes here are rougher than what a user would write.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from cowpath.kernel import names as n
from cowpath.programs.code import Assembler
from cowpath.session.plan import FilePlan, MachineSettings, Plan, Start

DESIGNS = (
    "linux-3.0", "preallocate", "charge-after-map", "charge-after-unlock", "unlock-charge-relock", "linux-3.0-oom-flag",
    "linux-3.1", "linux-2.6.39", "linux-3.12", "pte-alloc-under-lock", "pte-prealloc",
)  # fmt: skip
LATER = ("linux-4.19", "linux-5.15", "linux-6.1", "linux-6.12", "linux-6.18", "linux-7.2")
IN_V2 = {  # what becomes of v1's files in a session of cgroup v2
    "limit": n.CG_MAX, "memsw": n.CG_HIGH, "oom": n.CG_OOM_GROUP, "hierarchy": n.CG_KILL, "empty": n.CG_RECLAIM,
    "swappiness": n.CG_LOW,
}  # fmt: skip
REGIONS = (16, 100, 1000)  # first pages of what programs map
REGION_PAGES = 24  # where actions begin; each region is mapped for twice as many at the start
SLOTS = 8  # the first belong to the session's tasks, the others to their children
FILE_ROOM = 40

Action = tuple[Any, ...]


@dataclass(frozen=True)
class File:
    pages: int
    shmem: bool
    warm: bool
    bad: int  # how many of its pages cannot be read


@dataclass(frozen=True)
class Group:
    parent: int  # 0 (root), or an earlier group
    hierarchy: bool
    limit: int | None  # pages
    memsw: int | None  # so much above the limit; None: no limit
    killer: bool


@dataclass(frozen=True)
class Task:
    group: int
    program: tuple[Action, ...]
    after_ns: int
    handler: bool  # goes on after a SIGBUS
    pages: tuple[int, int, int]  # that it writes to at the start, in each region
    thread: tuple[Action, ...]  # what a thread does beside it
    cpu: int | None = None  # that it is bound to from the start, as by taskset; counted round


@dataclass(frozen=True)
class Session:
    design: str
    cpus: int
    memory: int  # pages
    swap: int  # pages
    reserve: int  # pages: the low watermark; 0: what Linux would choose
    disk_ns: int  # of a request, and of 20 pages; 0: a real one's
    nr_requests: int  # of the disk's queue
    threads: bool  # kswapd and the flusher are there
    swappiness: int
    seed: int
    slice_ns: int  # of the scheduler: a short one interleaves the tasks of a CPU
    readahead: int
    reuse: float
    files: tuple[File, ...]
    groups: tuple[Group, ...]
    tasks: tuple[Task, ...]
    shell: tuple[Action, ...]
    kill_all_ns: int  # when everybody is killed, after which all must be given back; 0: never
    v2: bool = False  # of memory cgroups


def actions(depth: int) -> st.SearchStrategy[Action]:
    """One action of a program; ``depth`` is how far it may still fork."""
    region, place = st.integers(0, len(REGIONS) - 1), st.integers(0, REGION_PAGES - 1)
    count, file, index = st.integers(1, REGION_PAGES), st.sampled_from([0, 0, 1, 2]), st.integers(0, FILE_ROOM - 1)
    write, slot = st.booleans(), st.integers(0, SLOTS - 1)
    touch = st.tuples(st.just("touch"), region, place, count, write)
    mmap_file = st.tuples(st.just("mapf"), region, place, count, file, st.integers(0, 20), write, st.booleans())
    choices: list[st.SearchStrategy[Action]] = [
        touch, touch, touch, mmap_file, mmap_file,
        st.tuples(st.just("anon"), region, place, count, st.booleans()),
        st.tuples(st.just("populate"), region, place, count),
        st.tuples(st.just("munmap"), region, place, count),
        st.tuples(st.just("mlock"), region, place, count),
        st.tuples(st.sampled_from(["read", "write"]), file, index, st.integers(1, 12), st.none() | place, region),
        st.tuples(st.just("fadvise"), file, index, count),
        st.tuples(st.just("truncate"), file, st.integers(0, FILE_ROOM)),
        st.tuples(st.just("sleep"), st.sampled_from([1, 10_000, 200_000, 10_000_000, 40_000_000_000])),
        st.tuples(st.just("compute"), st.sampled_from([1_000, 100_000])),
        st.tuples(st.just("kill"), slot, st.integers(0, n.KILL_CONT)),
        st.tuples(st.sampled_from(["proc", "maps"]), slot),
        st.tuples(st.just("madvise"), region, place, count, write),
        st.tuples(st.just("wait"), st.sampled_from([n.ANY_CHILD, n.ALL_CHILDREN]) | slot),
        st.tuples(st.just("fill"), region),
        st.tuples(st.just("badread"), file, index, st.integers(0, 8)),
        st.tuples(st.just("sigbus"), st.integers(0, 1)),
        st.tuples(st.just("cpu"), st.none() | st.integers(0, 2)),
        st.tuples(st.just("cpu"), st.integers(0, 2)),
        st.tuples(st.just("adj"), st.sampled_from([-1000, 0, 500])),
        st.tuples(st.just("attach"), st.integers(0, 3)),
        st.tuples(st.just("classify"), st.integers(0, 3), slot),
        st.tuples(st.just("fsync"), file),
        st.tuples(st.sampled_from(["lseek", "open"]), file),
        st.tuples(st.sampled_from(["stat", "creat"]), file, st.integers(0, 3)),
        st.tuples(st.just("readdir"), file),
        st.tuples(st.just("proc"), st.just(n.ALL_TASKS)),
        st.tuples(st.just("write"), file, st.just(0), st.just(FILE_ROOM), st.none(), region),
        st.tuples(st.just("sweep"), st.integers(1, 3), write),
        st.tuples(st.just("sweep"), st.integers(1, 3), write),
        st.tuples(st.just("exec")),
        st.tuples(st.just("exit"), st.integers(0, 3)),
    ]  # fmt: skip
    if depth > 0:
        body = st.lists(actions(depth - 1), max_size=6).map(tuple)
        thread = st.sampled_from([True, True, False])
        choices += 4 * [st.tuples(st.just("fork"), body, thread, st.none() | st.integers(4, SLOTS - 1))]
        choices.append(st.tuples(st.just("loop"), st.integers(1, 3), body))
    return st.one_of(choices)


PROGRAMS = st.lists(actions(2), min_size=2, max_size=16).map(tuple)
LIMITS = st.integers(1, 30) | st.integers(1, 200)
SHELL_ACTIONS: st.SearchStrategy[Action] = st.one_of(
    st.tuples(st.just("limit"), st.integers(1, 3), st.integers(1, 8)),
    st.tuples(st.just("limit"), st.integers(1, 3), LIMITS | st.just(n.UNLIMITED)),
    st.tuples(st.just("memsw"), st.integers(1, 3), LIMITS | st.just(n.UNLIMITED)),
    st.tuples(st.just("oom"), st.integers(1, 3), st.integers(0, 1)),
    st.tuples(st.just("hierarchy"), st.integers(1, 3), st.integers(0, 1)),
    st.tuples(st.just("delete"), st.integers(1, 3)),
    st.tuples(st.just("create"), st.integers(1, 3), st.integers(0, 2)),
    st.tuples(st.just("kill"), st.integers(0, SLOTS - 1), st.integers(0, n.KILL_CONT)),
    st.tuples(st.just("proc"), st.integers(0, SLOTS - 1)),
    st.tuples(st.just("truncate"), st.integers(0, 2), st.integers(0, FILE_ROOM)),
    st.tuples(st.just("fsync"), st.integers(0, 2)),
    st.tuples(st.just("empty"), st.integers(1, 3)),
    st.tuples(st.just("swappiness"), st.integers(1, 3), st.integers(0, 101)),
    st.tuples(st.just("classify"), st.integers(0, 3), st.integers(0, SLOTS - 1)),
    st.tuples(st.just("sleep"), st.sampled_from([1, 50_000, 1_000_000, 20_000_000])),
    st.tuples(st.just("sleep"), st.sampled_from([1_000_000, 20_000_000, 10_000_000_000])),
)


def swappers() -> st.SearchStrategy[tuple[Action, ...]]:
    """Programs that go over more memory than their group may have, again and again, alone and with children."""
    sweep = st.tuples(st.just("sweep"), st.integers(1, 3), st.booleans())
    few = st.lists(actions(1), max_size=3).map(tuple)
    child = st.tuples(st.just("fork"), st.tuples(sweep), st.booleans(), st.none() | st.integers(4, SLOTS - 1))
    return st.builds(lambda *parts: (parts[0], parts[1], *parts[2], parts[3], *parts[4]), sweep, child, few, sweep, few)


def sessions(names: tuple[str, ...] = DESIGNS, v2: tuple[bool, ...] = (False,)) -> st.SearchStrategy[Session]:
    """A machine of 1 to 3 CPUs, up to 3 groups and files, up to 4 tasks, and what the shell does to them."""
    some = st.sampled_from([0, 0, 1, 20, 2 * REGION_PAGES])
    return st.builds(
        Session,
        design=st.sampled_from(names),
        cpus=st.integers(1, 3),
        memory=st.sampled_from([2000, 260, 190, 190, 190]),
        swap=st.sampled_from([0, 0, 5, 60]),
        reserve=st.sampled_from([0, 10, 40]),
        disk_ns=st.sampled_from([0, 2_000, 100_000]),
        nr_requests=st.sampled_from([128, 128, 4, 8]),
        threads=st.sampled_from([True, True, True, False]),
        swappiness=st.sampled_from([60, 60, 0, 100]),
        seed=st.integers(0, 9),
        slice_ns=st.sampled_from([100, 3_000, 750_000]),
        readahead=st.sampled_from([0, 4, 32]),
        reuse=st.sampled_from([0.0, 1.5]),
        files=st.lists(
            st.builds(
                File,
                st.integers(1, FILE_ROOM) | st.just(FILE_ROOM),
                st.sampled_from([False, False, True]),
                st.booleans(),
                st.sampled_from([0, 0, 0, 3]),
            ),
            min_size=3,
            max_size=3,
        ).map(tuple),
        groups=st.lists(
            st.builds(
                Group,
                st.integers(0, 2),
                st.booleans(),
                LIMITS | st.integers(20, 90) | st.none(),
                st.sampled_from([0, 5, None, None]),
                st.sampled_from([True, True, False]),
            ),
            min_size=3,
            max_size=3,
        ).map(tuple),
        tasks=st.lists(
            st.builds(
                Task,
                st.sampled_from([1, 1, 1, 2, 3, 0]),
                st.one_of(PROGRAMS, PROGRAMS, swappers()),
                st.sampled_from([0, 0, 20_000]),
                st.booleans(),
                st.tuples(some, some, some),
                st.lists(actions(1), max_size=8).map(tuple),
                st.sampled_from([None, None, 0, 1, 2]),
            ),
            min_size=2,
            max_size=4,
        ).map(tuple),
        shell=st.lists(SHELL_ACTIONS, min_size=2, max_size=12).map(tuple),
        kill_all_ns=st.sampled_from([0, 100_000, 5_000_000, 50_000_000, 500_000_000]),
        v2=st.sampled_from(v2),
    )


# --- assembling ----------------------------------------------------------------------------------
class _Image:
    """Emits actions; the bodies of forks come after the program that forks them."""

    def __init__(self, cpus: int, v2: bool) -> None:
        self.cpus, self.v2 = cpus, v2
        self.asm = Assembler("random")
        self.comm = self.asm.comm("task")
        self.bodies: list[tuple[int, tuple[Action, ...]]] = []

    def program(self, program: tuple[Action, ...]) -> None:
        self.actions(program, 0)
        self.asm.emit(n.OP_EXIT)
        while self.bodies:
            fork, body = self.bodies.pop()
            self.asm.patch(fork, "a", self.asm.here)
            self.actions(body, 0)
            self.asm.emit(n.OP_EXIT)

    def fork(self, body: tuple[Action, ...], slot: int, thread: bool) -> None:
        at = self.asm.emit(n.OP_FORK, 0, slot, self.comm, bits=n.FORK_THREAD if thread else 0)
        self.bodies.append((at, body))

    def actions(self, program: tuple[Action, ...], nested: int) -> None:
        for action in program:
            self.action(action, nested)

    def action(self, action: Action, nested: int) -> None:
        emit = self.asm.emit
        if self.v2 and action[0] in IN_V2:
            emit(n.OP_CG_SET, action[1], IN_V2[action[0]], action[2] if len(action) > 2 else REGION_PAGES)
            return
        match action:
            case ("touch", region, place, count, write):
                emit(n.OP_TOUCH, REGIONS[region] + place, count, 1, bits=n.F_WRITE if write else 0)
            case ("anon", region, place, count, shared):
                emit(n.OP_MMAP, REGIONS[region] + place, count, n.NONE, bits=n.VM_WRITE | shared * n.VM_SHARED)
            case ("populate", region, place, count):
                emit(n.OP_MMAP, REGIONS[region] + place, count, n.NONE, bits=n.VM_WRITE | n.MAP_POPULATE)
            case ("mapf", region, place, count, file, offset, write, shared):
                bits = write * n.VM_WRITE | shared * n.VM_SHARED
                emit(n.OP_MMAP, REGIONS[region] + place, count, file, offset, bits=bits)
            case ("munmap", region, place, count):
                emit(n.OP_MUNMAP, REGIONS[region] + place, count)
            case ("mlock", region, place, count):
                emit(n.OP_MLOCK, REGIONS[region] + place, count)
            case ("read" | "write" as name, file, index, count, buffer, region):
                at = n.NONE if buffer is None else REGIONS[region] + buffer
                last = min(count, FILE_ROOM - index)
                emit(n.OP_READ if name == "read" else n.OP_WRITE, file, index, last, at)
            case ("fadvise", file, index, count):
                emit(n.OP_FADVISE, file, index, min(count, FILE_ROOM - index))
            case ("truncate", file, pages):
                emit(n.OP_TRUNCATE, file, pages)
            case ("sleep", ns):
                emit(n.OP_SLEEP, ns)
            case ("compute", ns):
                emit(n.OP_COMPUTE, ns)
            case ("kill", slot, how):
                emit(n.OP_KILL, slot, bits=how)
            case ("proc" | "maps" as name, slot):
                emit(n.OP_READ_PROC, slot, bits=n.PROC_MAPS if name == "maps" else n.PROC_MMAP_SEM)
            case ("madvise", region, place, count, write):
                emit(n.OP_MADVISE, REGIONS[region] + place, count, bits=n.F_WRITE if write else 0)
            case ("wait", what):
                emit(n.OP_WAIT, what)
            case ("fill", region):
                emit(n.OP_FILL, REGIONS[region], REGION_PAGES, 1)
            case ("badread", file, index, count):
                emit(n.OP_FAIL_READS, file, index, count)
            case ("sigbus", handler):
                emit(n.OP_SIGBUS, handler)
            case ("cpu", cpu):
                emit(n.OP_AFFINITY, n.NONE if cpu is None else cpu % self.cpus)
            case ("adj", value):
                emit(n.OP_OOM_ADJ, value)
            case ("classify", group, slot):
                emit(n.OP_CLASSIFY, group, slot)
            case ("fsync", file):
                emit(n.OP_FSYNC, file)
            case ("lseek" | "open" as name, file):
                emit(n.OP_LSEEK if name == "lseek" else n.OP_OPEN, file)
            case ("stat" | "creat" as name, file, dentry):
                emit(n.OP_STAT if name == "stat" else n.OP_CREAT, file, dentry)
            case ("readdir", file):
                emit(n.OP_READDIR, file)
            case ("sweep", rounds, write):
                for start in REGIONS * rounds:
                    emit(n.OP_TOUCH, start, 2 * REGION_PAGES, 1, bits=n.F_WRITE if write else 0)
            case ("empty", group):
                emit(n.OP_CG_SET, group, n.CG_FORCE_EMPTY, 0)
            case ("swappiness", group, value):
                emit(n.OP_CG_SET, group, n.CG_SWAPPINESS, value)
            case ("attach", group):
                emit(n.OP_ATTACH, group)
            case ("exec",):
                emit(n.OP_EXEC, self.asm.here + 1, 0, self.comm)
            case ("exit", status):
                emit(n.OP_EXIT, status)
            case ("fork", body, thread, slot):
                self.fork(body, n.NONE if slot is None else slot, thread)
            case ("loop", rounds, body):
                emit(n.OP_LOOP, nested)
                head = self.asm.here
                self.actions(body, nested + 1)
                emit(n.OP_NEXT, nested, rounds, head)
            case ("limit", group, pages):
                emit(n.OP_CG_SET, group, n.CG_LIMIT, pages)
            case ("memsw", group, pages):
                emit(n.OP_CG_SET, group, n.CG_MEMSW_LIMIT, pages)
            case ("oom", group, value):
                emit(n.OP_CG_SET, group, n.CG_OOM_CONTROL, value)
            case ("hierarchy", group, value):
                emit(n.OP_CG_SET, group, n.CG_USE_HIERARCHY, value)
            case ("delete", group):
                emit(n.OP_CG_DELETE, group)
            case ("create", group, parent):
                emit(n.OP_CG_CREATE, group, parent if parent < group else 0)
            case _:
                raise AssertionError(action)


def plan_of(session: Session) -> Plan:
    """The session as the engine takes it."""
    image = _Image(session.cpus, session.v2)
    asm = image.asm
    forks = _emit_shell(image, session)
    for fork, task in zip(forks, session.tasks, strict=True):
        asm.patch(fork, "a", asm.here)
        asm.emit(n.OP_ATTACH, task.group)
        asm.emit(n.OP_SIGBUS, task.handler)
        for region, (file, bits) in enumerate(((n.NONE, 0), (0, 0), (1, n.VM_SHARED))):
            asm.emit(n.OP_MMAP, REGIONS[region], 2 * REGION_PAGES, file, bits=n.VM_WRITE | bits)
        if task.thread:
            image.fork(task.thread, n.NONE, thread=True)
        for region, pages in enumerate(task.pages):
            asm.emit(n.OP_TOUCH, REGIONS[region], pages, 1, bits=n.F_WRITE)
        image.program(task.program)
    starts = [Start(0, image.comm, n.NONE, n.NONE, False)]
    for which in (n.KT_KSWAPD, n.KT_FLUSHER) if session.threads else ():
        starts.append(Start(asm.emit(n.OP_KTHREAD, which), image.comm, n.NONE, n.NONE, False, which))
    code = asm.code()
    return Plan(
        name="random",
        source="",
        ops=code.ops,
        comms=code.comms,
        slots=tuple(map(str, range(SLOTS))),
        files=tuple(FilePlan(str(i), f.pages, FILE_ROOM, f.shmem, f.warm) for i, f in enumerate(session.files)),
        groups=("", "A", "B", "C"),
        parents=(n.NONE, 0, 0, 0),
        starts=tuple(starts),
        shell=0,
        texts=(),
        settings=MachineSettings(readahead=session.readahead, reuse=session.reuse, swappiness=session.swappiness),
        interfaces=frozenset({"v2" if session.v2 else "v1"}),
    )


def _emit_shell(image: _Image, session: Session) -> list[int]:
    """The shell's program; the places of its forks."""
    emit = image.asm.emit
    for number, group in enumerate(session.groups, 1):
        emit(n.OP_CG_CREATE, number, group.parent if group.parent < number else 0, bits=n.CREATE_ENABLES)
        if group.hierarchy and not session.v2:
            emit(n.OP_CG_SET, number, n.CG_USE_HIERARCHY, 1)
        if group.limit is not None:
            emit(n.OP_CG_SET, number, n.CG_MAX if session.v2 else n.CG_LIMIT, group.limit)
            if group.memsw is not None and session.v2:
                emit(n.OP_CG_SET, number, n.CG_HIGH, max(group.limit - group.memsw, 0))
            elif group.memsw is not None:
                emit(n.OP_CG_SET, number, n.CG_MEMSW_LIMIT, group.limit + group.memsw)
        if not group.killer:
            emit(n.OP_CG_SET, number, n.CG_SWAP_MAX if session.v2 else n.CG_OOM_CONTROL, 1)
    for number, file in enumerate(session.files):
        if file.bad:
            emit(n.OP_FAIL_READS, number, 4, file.bad)
    forks = []
    for slot, task in enumerate(session.tasks):
        bound = 0 if task.cpu is None else 1 + task.cpu % session.cpus
        forks.append(emit(n.OP_FORK, 0, slot, image.comm, bound))
        if task.after_ns:
            emit(n.OP_SLEEP, task.after_ns)
    image.actions(session.shell, 0)
    if session.kill_all_ns:
        emit(n.OP_SLEEP, session.kill_all_ns)
        for slot in range(SLOTS):
            emit(n.OP_KILL, slot, bits=n.KILL_TREE)
    emit(n.OP_WAIT, n.ALL_CHILDREN)
    emit(n.OP_EXIT)
    return forks
