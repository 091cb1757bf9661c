"""From a scenario to a plan: a program for each of its workers, and one for who commands (``ctl``).

A worker sleeps at a gate before each of its steps, until the driver opens it (``engine.gate``); after it comes an
OP_HOST, at which the driver reads the counters. So a step begins when the one before has ended, as it was measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from cowpath.engine.gate import FOREVER_NS
from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.programs.code import Assembler, FileUse
from cowpath.programs.regions import Regions
from cowpath.programs.unit import Unit
from cowpath.programs.writer import TASK_STARTS, Writer, started
from cowpath.session import cgroup1, cgroup2
from cowpath.session.link import Linker
from cowpath.session.plan import FilePlan, MachineSettings, Plan, Start
from cowpath.validate import ctl, own_pages
from cowpath.validate.commands import FORKS, NotModelled, Worker, emit, lines_of
from cowpath.validate.scenario import CTL, Scenario, Step
from cowpath.words import Word, nearest

MEMORY = {"v1": 4 << 30, "v2": 1536 << 20}  # bytes: of the machines that were measured; 24 GiB are as good as 4
BLOCKS = {"v1": 1024, "v2": 4096}  # bytes: of their file systems
V1_READAHEAD = 32  # pages: read_ahead_kb = 128
WARMING = 256  # pages of each read() of a file that is to be warm
DYING_NS = 1_000_000  # in which tasks that have been killed are gone
SHMEM = "/dev/shm/"
READY = -1  # number of the OP_HOST that says that a worker has joined its group; OP_HOST of step i has number i
FINISH = 1 << 20  # ... and that all tasks have been killed, or (+ 1) all groups been emptied
LIMITS = {  # keys of a group: the file that has them
    "v1": {"limit": "limit_in_bytes", "memsw": "memsw.limit_in_bytes", "swappiness": "swappiness",
           "oom_kill_disable": "oom_control"},
    "v2": {"max": "max", "high": "high", "low": "low", "min": "min", "swap_max": "swap.max", "oom_group": "oom.group"},
}  # fmt: skip


@dataclass(frozen=True)
class Compiled:
    """A scenario, ready to run. ``slots``: by task, the number of its name in the machine."""

    scenario: Scenario
    plan: Plan
    slots: Mapping[str, int]
    groups: Mapping[str, int]
    leaders: tuple[str, ...]  # the tasks that are there from the beginning, in the order of ``plan.starts``
    forks: bool  # some worker does, so that it has pages of its own (``own_pages``)


@dataclass
class _Process:
    """A process: its leader, its threads, and the children that ``fork P C`` makes."""

    leader: str
    threads: list[str] = field(default_factory=list)
    children: dict[str, str] = field(default_factory=dict)  # child -> whom it is forked by
    started: set[str] = field(default_factory=set)  # tasks that its steps of several lines start
    started_threads: set[str] = field(default_factory=set)  # those of them that share its memory

    @property
    def members(self) -> list[str]:
        return [self.leader, *self.threads, *self.children]


def compile_scenario(scenario: Scenario) -> Compiled:
    """Raises InputError for what is wrong in it, NotModelled for what the model does not have."""
    return _Compiler(scenario).compiled()


def check(scenario: Scenario) -> None:
    """Raises InputError for what is wrong in it."""
    with suppress(NotModelled):
        compile_scenario(scenario)


class _Compiler:
    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.names = _full_names(scenario)
        self.numbers = {group: 1 + i for i, group in enumerate(self.names)}
        self.processes = _processes(scenario)
        self.regions: dict[str, Regions] = {}
        for process in self.processes:
            lines = lines_of([step for step in scenario.steps if step.who in process.members])
            downwards = Regions.of(lines[::-1])  # as mmap(2) places them: fork copies the last ones first
            self.regions.update(dict.fromkeys(process.members, downwards))
            process.started, process.started_threads = started(lines, TASK_STARTS), started(lines, ("thread",))
        _check_started(scenario, self.processes)
        self.linker = Linker(_nothing)

    def compiled(self) -> Compiled:
        starts = [self.start(self.process(process), process.leader) for process in self.processes]
        shell = len(starts)
        starts.append(self.start(self.ctl(), CTL))
        for which in (n.KT_KSWAPD, n.KT_FLUSHER):
            asm = Assembler(n.KT_NAMES[which])
            asm.emit(n.OP_KTHREAD, a=which)
            starts.append(self.start(Unit(asm.code()), n.KT_NAMES[which], which))
        scenario = self.scenario
        plan = Plan(
            name=str(scenario.place.file), source="", ops=self.linker.image(), comms=tuple(self.linker.comms),
            slots=tuple(self.linker.slots), files=tuple(self.file(use) for use in self.linker.files.values()),
            groups=("", *self.names.values()),
            parents=(n.NONE, *(self.parent(group) for group in self.names)),
            starts=tuple(starts), shell=shell, texts=(), settings=_settings(scenario),
            interfaces=frozenset({scenario.interface}),
        )  # fmt: skip
        slots = {task: self.linker.slots[task] for process in self.processes for task in process.members}
        return Compiled(scenario, plan, slots, self.numbers, tuple(process.leader for process in self.processes),
                        any(self.forks(process) for process in self.processes))  # fmt: skip

    def start(self, unit: Unit, name: str, kthread: int = n.KT_NONE) -> Start:
        entry = self.linker.add(unit, "", outside=False)
        slot = n.NONE if kthread else self.linker.slot(name)
        return Start(entry, self.linker.comm(name), slot, n.NONE, bystander=False, kthread=kthread)

    def parent(self, group: str) -> int:
        up = self.scenario.groups[group].get("parent")
        return 0 if up is None else self.numbers[up]

    def file(self, use: FileUse) -> FilePlan:
        """A file as the scenario has it before it begins."""
        given = self.scenario.files.get(use.name, {})
        absent = bool(given.get("absent")) or given.get("state") == "absent"
        pages = 0 if absent else int(given.get("pages", 0) or use.pages)
        return FilePlan(use.name, pages, max(use.room, pages), use.shmem, is_warm(given) and use.shmem)

    # --- workers

    def process(self, process: _Process) -> Unit:
        """A process's program: the leader's, behind it those of its threads and children."""
        writer = Writer(
            process.leader, self.regions[process.leader], {*process.members, *process.started},
            {*process.threads, *process.started_threads},
        )  # fmt: skip
        worker, asm = Worker(writer, self.regions), writer.asm
        for member in process.members:
            asm.slot(member)
        asm.emit(n.OP_SLEEP, a=FOREVER_NS)  # until the groups are there
        asm.emit(n.OP_EXEC, a=2, c=asm.comm(process.leader))
        self.attributes(asm, process.leader)
        forks = {}
        for thread in process.threads:
            forks[thread] = asm.emit(n.OP_FORK, b=asm.slot(thread), c=asm.comm(thread), bits=n.FORK_THREAD)
        worker.own = own_pages.OF[self.scenario.interface] if self.forks(process) else None
        if worker.own is not None:
            own_pages.begin(asm)
        group = self.scenario.tasks[process.leader].get("group")
        if group is not None:
            asm.emit(n.OP_ATTACH, a=self.numbers[group])
        self.steps(worker, process, process.leader, forks)
        for member in [*process.threads, *process.children]:
            if member not in forks:
                continue
            asm.patch(forks[member], "a", asm.here)
            self.attributes(asm, member)
            given = self.scenario.tasks.get(member, {}).get("group")
            if given is not None and member in process.threads:
                asm.emit(n.OP_ATTACH, a=self.numbers[given])
            self.steps(worker, process, member, forks)
        writer.defined_tasks()
        return Unit(asm.code(), (), tuple(writer.outer.values()))

    def forks(self, process: _Process) -> bool:
        """The process has children."""
        steps = self.scenario.steps
        return bool(process.children) or any(s.who in process.members and s.command in FORKS for s in steps)

    def attributes(self, asm: Assembler, task: str) -> None:
        """The CPU that it is bound to, its oom_score_adj."""
        given = self.scenario.tasks.get(task, {})
        if given.get("cpu") is not None:
            asm.emit(n.OP_AFFINITY, a=int(given["cpu"]))
        if given.get("oom_score_adj"):
            asm.emit(n.OP_OOM_ADJ, a=int(given["oom_score_adj"]))

    def steps(self, worker: Worker, process: _Process, task: str, forks: dict[str, int]) -> None:
        """A task's own steps, each behind a gate, then its end."""
        asm = worker.writer.asm
        new = worker.own if task in process.children else None  # a child that has not been told anything yet
        if new is not None:
            own_pages.born(asm, new)
        asm.emit(n.OP_HOST, a=READY, bits=n.HOST_KEEPS_STATUS)
        for number, step in enumerate(self.scenario.steps):
            forked = step.who == CTL and step.command == "fork" and len(step.words) > 2 and step.words[1] == task
            if step.who != task and not forked:
                continue
            asm.emit(n.OP_SLEEP, a=FOREVER_NS)
            if new is not None:
                own_pages.first_step(asm, new)
                new = None
            if forked:
                child = step.words[2]
                cpu = self.scenario.tasks.get(child, {}).get("cpu")
                fork = asm.emit(n.OP_FORK, b=asm.slot(child), c=asm.comm(child), d=0 if cpu is None else 1 + int(cpu),
                                bits=n.FORK_DIES_TOO)  # fmt: skip
                forks[child] = fork
                if worker.own is not None:
                    own_pages.after_fork(asm, worker.own)
            else:
                emit(worker, step)
            asm.emit(n.OP_HOST, a=number, bits=n.HOST_KEEPS_STATUS)
        asm.emit(n.OP_SLEEP, a=FOREVER_NS)
        asm.emit(n.OP_EXIT)

    # --- ctl

    def ctl(self) -> Unit:
        """Reads what is to be warm and makes the groups, then does what it is told; at the end it kills all tasks, and
        empties the groups of v1.
        """
        writer = Writer(CTL, Regions({}), set(), set())
        asm = writer.asm
        for name, given in self.scenario.files.items():
            if is_warm(given):
                warm, pages = writer.file(Word(f"@{name}", self.scenario.place), 0), int(given.get("pages", 0))
                for at in range(0, 0 if name.startswith(SHMEM) else pages, WARMING):
                    asm.emit(n.OP_READ, a=warm, b=at, c=min(WARMING, pages - at), d=n.NONE)
        for group in self.names:
            asm.emit(n.OP_CG_CREATE, a=self.numbers[group], b=self.parent(group), bits=n.CREATE_ENABLES)
        for group in self.names:
            for key, limit in LIMITS[self.scenario.interface].items():
                value = self.scenario.groups[group].get(key)
                if value is not None:
                    text = "max" if value == "max" else str(int(value))
                    asm.emit(n.OP_CG_SET, **self.written(group, limit, text, self.scenario.steps[0]))
        asm.emit(n.OP_HOST, a=READY, bits=n.HOST_KEEPS_STATUS)
        for number, step in enumerate(self.scenario.steps):
            if step.who == CTL and step.command == "cat":
                self.readable(step)
            if step.who != CTL or step.command in ctl.LOOKS or step.command == "fork":
                continue
            asm.emit(n.OP_SLEEP, a=FOREVER_NS)
            self.commanded(writer, step)
            asm.emit(n.OP_HOST, a=number, bits=n.HOST_KEEPS_STATUS)
        asm.emit(n.OP_SLEEP, a=FOREVER_NS)
        for process in self.processes:
            for task in process.members:
                writer.outer.setdefault(task, Word(task, self.scenario.place))
                asm.emit(n.OP_KILL, a=asm.slot(task))
        self.evict(writer)
        asm.emit(n.OP_HOST, a=FINISH, bits=n.HOST_KEEPS_STATUS)
        asm.emit(n.OP_SLEEP, a=FOREVER_NS)
        for group in reversed(list(self.names) if self.scenario.interface == "v1" else []):
            asm.emit(n.OP_CG_SET, a=self.numbers[group], b=n.CG_FORCE_EMPTY)
        asm.emit(n.OP_HOST, a=FINISH + 1, bits=n.HOST_KEEPS_STATUS)
        asm.emit(n.OP_SLEEP, a=FOREVER_NS)
        asm.emit(n.OP_EXIT)
        return Unit(asm.code(), (), tuple(writer.outer.values()))

    def evict(self, writer: Writer) -> None:
        """Nobody has the files open any more that were unlinked: their pages go."""
        unlinked = [step for step in self.scenario.steps if step.command == "unlink" and len(step.words) > 1]
        if unlinked:
            writer.asm.emit(n.OP_SLEEP, a=DYING_NS)
        for step in unlinked:
            file = writer.file(Word(f"@{step.words[1].lstrip('@')}", step.place), 0)
            writer.asm.emit(n.OP_TRUNCATE, a=file, b=0)

    def commanded(self, writer: Writer, step: Step) -> None:
        """One command of ctl that a task has to run."""
        asm, words = writer.asm, step.words
        if step.command == "set":
            asm.emit(n.OP_CG_SET, **self.written(words[1], words[2], " ".join(words[3:]), step))
        elif step.command == "force_empty":
            asm.emit(n.OP_CG_SET, a=self.numbers[words[1]], b=n.CG_FORCE_EMPTY)
        elif step.command == "rmdir":
            asm.emit(n.OP_CG_DELETE, a=self.numbers[words[1]])
        elif step.command == "move":
            asm.emit(n.OP_CLASSIFY, a=self.numbers[words[2]], b=self.task(writer, words[1], step), bits=1)
        elif step.command == "kill":
            how, slot = ctl.effect_of_signal(step), self.task(writer, words[1], step)
            if how is not None:
                asm.emit(n.OP_KILL, a=slot, bits=how)
        elif step.command == "drop":  # drop_caches: the page cache of every file
            for name in [each for each in self.scenario.files if not each.startswith(SHMEM)]:
                file = writer.file(Word(f"@{name}", step.place), 0)
                asm.emit(n.OP_FADVISE, a=file, b=0, c=n.NONE, bits=n.FADV_DONTNEED)

    def task(self, writer: Writer, name: str, step: Step) -> int:
        writer.outer.setdefault(name, Word(name, step.place))
        return writer.asm.slot(name)

    def readable(self, step: Step) -> None:
        """The file of ``cat GROUP FILE`` is one that can be read."""
        table, not_modelled = self.files_of_groups()
        name = step.words[2]
        if name not in table and name in not_modelled:
            raise NotModelled(f"{name}: not modelled")
        if name not in table or table[name].read is None:
            names = [each for each, found in table.items() if found.read is not None]
            raise step.place.error(f"step {step.text!r}: no file {name!r} to read", nearest(name, names, "memory.stat"))

    def files_of_groups(self) -> tuple[Any, Any]:
        """The files of a group, and those that are known and not modelled."""
        interface: Any = cgroup1 if self.scenario.interface == "v1" else cgroup2
        return interface.FILES, interface.NOT_MODELLED

    def written(self, group: str, file: str, value: str, step: Step) -> dict[str, int]:
        """A write to a group's file: the operands of OP_CG_SET."""
        table, not_modelled = self.files_of_groups()
        name = f"memory.{file}"
        found = table.get(name)
        if found is None or found.write is None:
            if name in not_modelled:
                raise NotModelled(f"{name}: not modelled")
            raise step.place.error(f"no file {name!r} to write to", nearest(name, table))
        try:
            number = found.write(value)
        except InputError as error:
            raise step.place.error(f"{name}: {error.problem}", error.hint) from None
        more = 0
        if isinstance(number, tuple):
            number, more = number
        return {"a": self.numbers[group], "b": n.CG_FILES.index(name), "c": number, "d": more}


def is_warm(given: Mapping[str, Any]) -> bool:
    """A file is wholly in the page cache before the start."""
    return given.get("state") == "warm_outside"


def _nothing(word: Word, arguments: tuple[Word, ...]) -> Unit:
    raise word.error(f"no program {word.text!r}")


def _full_names(scenario: Scenario) -> dict[str, str]:
    """The groups with their paths, parents first."""
    found: dict[str, str] = {}
    for group in scenario.groups:
        above = [group]
        while above[-1] not in found and (up := scenario.groups[above[-1]].get("parent")) is not None:
            above.append(up)
        for each in reversed(above):
            up = scenario.groups[each].get("parent")
            found[each] = each if up is None else f"{found[up]}/{each}"
    return found


def _processes(scenario: Scenario) -> list[_Process]:
    """Who shares memory, and who is whose child."""
    tasks = scenario.tasks
    forks = [step for step in scenario.steps if step.who == CTL and step.command == "fork"]
    forked = {step.words[2] for step in forks}
    processes = {
        name: _Process(name)
        for name, task in tasks.items()
        if task.get("thread_of") is None and task.get("child_of") is None and name not in forked
    }
    home = dict(processes)
    for name, task in tasks.items():
        owner = task.get("thread_of")
        if owner is not None and owner in processes and name not in forked:
            home[name] = processes[owner]
            home[name].threads.append(name)
    for step in forks:
        parent, child = step.words[1:3]
        given = tasks.get(child, {})
        if parent not in home or child in home:
            what = f"no task {parent!r} before it" if parent not in home else f"there is a {child!r}"
            raise step.place.error(f"step {step.text!r}: {what}", "fork TASK CHILD, once for each child")
        if given.get("thread_of") is not None or given.get("child_of", parent) not in (parent, None):
            raise step.place.error(
                f"step {step.text!r}: {child!r} is not {parent!r}'s child", f'"child_of": "{parent}"'
            )
        home[child] = home[parent]
        home[parent].children[child] = parent
    for step in scenario.steps:
        if step.who != CTL and step.who not in home:
            raise step.place.error(f"step {step.text!r} is done by {step.who!r}, which is no task", ctl.some(home))
    return list(processes.values())


def _check_started(scenario: Scenario, processes: list[_Process]) -> None:
    """A name is that of one task, or of the tasks that one process starts."""
    known = {member for process in processes for member in process.members} | {CTL}
    for process in processes:
        for name in sorted(process.started):
            if name in known:
                raise scenario.place.error(
                    f"{process.leader} starts {name!r}, which another task is called", "a name of its own"
                )
        known |= process.started


def _settings(scenario: Scenario) -> MachineSettings:
    """The machine that it was measured on."""
    mb = scenario.memory_mb
    return MachineSettings(
        cpus=2, memory=MEMORY[scenario.interface] if mb is None else mb << 20, swap=scenario.swap_mb << 20, reuse=0.0,
        readahead=V1_READAHEAD if scenario.interface == "v1" else None, blocks=BLOCKS[scenario.interface],
        cgroup=scenario.interface,
        recursiveprot=scenario.variant == "recursiveprot", swappiness=60, tasks=None, until=900 * 10**9,
    )  # fmt: skip
