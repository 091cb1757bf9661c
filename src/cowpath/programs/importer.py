"""Turn a recorded command's tables into a recording: one pass over all records in order of time.

Each task becomes a list of instructions. The rules that fill in what was not recorded stand beside the code that
applies them: CPU time in ``timeline``, address spaces in ``recorded_calls``, files in ``page_cache`` and
``recorded_files``, threads in ``threads``, tasks that wake each other in ``wakeups``. Waiting for children is here and
in ``recorded_task``: a parent waits for a child just before its own first record after the child's exit.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from cowpath.errors import InputError
from cowpath.kernel import books
from cowpath.kernel import names as n
from cowpath.programs import timeline as tl
from cowpath.programs.address_space import AddressSpace, Row
from cowpath.programs.comes_back import looked_at
from cowpath.programs.page_cache import Transfer, instruction, transfers
from cowpath.programs.reading import sniff
from cowpath.programs.reading.account import Account
from cowpath.programs.recorded_calls import Memory
from cowpath.programs.recorded_files import Files
from cowpath.programs.recorded_task import Task
from cowpath.programs.recording import ALL_KNOWN, COLUMNS, ONCE, Process, Recording, write
from cowpath.programs.tables import Tables, read_tables
from cowpath.programs.threads import hoist_mappings
from cowpath.programs.wakeups import Wakeups
from cowpath.programs.walk import touches

__all__ = ["import_recording", "write"]


def import_recording(source: str | Path, name: str | None = None, opened: sniff.Opener = sniff.open_text) -> Recording:
    """Convert a folder of tables, or a file of a kind that ``reading.sniff`` knows; ``name`` is its own by default.

    ``opened`` opens a text, for whoever wants to see how far it is read. Raises InputError that says what is wrong, or
    what the file seems to be and which command reads it.
    """
    source = Path(source)
    if source.is_dir() or not source.exists():
        sniff.check_folder(source)
        return recorded(read_tables(source), name or source.resolve().name, source / "procs.parquet")
    name = name or source.resolve().stem
    reading = sniff.read(source, name, opened)
    if isinstance(reading, Recording):
        return reading
    return with_origin(recorded(reading.tables, name, source), reading.account)


def with_origin(recording: Recording, account: Account) -> Recording:
    """The recording with what the account of its file says, and with what importing it has found out."""
    dropped = recording.facts.get("faults_dropped", 0)
    if dropped:
        account.gaps.append(f"{dropped:,} of {recording.facts['faults']:,} faults lie in no mapping that it tells of")
    return replace(recording, origin=account.origin())


def recorded(tables: Tables, name: str, file: str | Path) -> Recording:
    """The recording of a command's tables; errors name ``file``. Raises InputError where there is no command."""
    if not len(tables.procs):
        raise InputError("no process was recorded", file=file)
    importer = _Importer(tables, name)
    importer.read()
    if not importer.tasks:
        hint = "the first process is a launcher, which forks the command"
        raise InputError("the launcher started no command", file=file, hint=hint)
    return importer.recording()


class _Importer:
    def __init__(self, tables: Tables, name: str) -> None:
        self.tables, self.name = tables, name
        self.root = int(tables.procs["pid"][0])
        self.records = tl.timeline(tables, self.root)
        self.transfers = transfers(tables, self.root, name)
        self.files = Files(tables, name)
        self.facts: Counter[str] = Counter()
        watched = set(tables.revisits["pid"][tables.revisits["end"] > 0].tolist())
        self.memory = Memory(self.files, self.facts, ALL_KNOWN if tables.accesses else ONCE, watched)
        self.wakeups = Wakeups()
        self.tasks: list[Task] = []
        self.by_tid: dict[int, Task] = {}  # the latest of that number
        self.comms: dict[str, int] = {}

    def read(self) -> None:
        """Go through all records."""
        t = self.tables
        procs = t.procs[["kind", "pid", "tid", "ppid", "comm"]].tolist()
        calls = t.vmcalls[["call", "a0", "a1", "a2", "a3", "a5", "ret", "dur_ns"]].tolist()
        maps = t.maps[["addr", "len", "pgoff", "prot", "flags", "filename"]].tolist()
        addresses, errors = t.faults["addr"].tolist(), t.faults["err"].tolist()
        looks = t.revisits[["start", "end", "pages"]].tolist()
        wakers = t.wakeups["tid"].tolist()
        for kind, row, now, tid, ran_ns in self.records:
            if kind == tl.PROC and procs[row][0] == "fork":
                _, pid, child, ppid, _ = procs[row]
                self.fork(pid, child, ppid, now, ran_ns)
                continue
            task = self.by_tid.get(tid)
            if task is None or task.end_ns is not None:
                continue
            if kind == tl.WOKEN:
                self.wakeups.woken(task, self.by_tid.get(wakers[row]), row, now)
                continue
            self.facts["compute_ns"] += task.catch_up(now, ran_ns, acts=kind != tl.LOOK)
            if kind == tl.PROC:
                self.life(task, procs[row][0], procs[row][4])
            elif kind == tl.MAP:
                if task.execing:
                    self.memory.exec_map(task, *maps[row])
            elif not task.started:
                continue
            elif kind == tl.FAULT:
                self.memory.fault(task, addresses[row], errors[row])
            elif kind == tl.LOOK:
                self.facts["pages_again"] += looked_at(task, self.memory.spaces[task.pid], *looks[row])
            elif kind == tl.WAKES:
                self.wakeups.wakes(task, row)
            elif kind == tl.CALL:
                self.memory.call(task, *calls[row])
            elif row in self.transfers:
                self.transfer(task, self.transfers[row])

    def fork(self, pid: int, tid: int, ppid: int, now: int, ran_ns: int) -> None:
        """A new process or thread; the launcher's first child is the command."""
        is_thread = tid != pid
        parent = self.by_tid.get(pid if is_thread else ppid)
        if parent is None and not self.tasks and ppid == self.root:
            self.tasks = [Task(pid, tid, 0, None, None, "", now, started=False)]
            self.by_tid[tid] = self.tasks[0]
        if parent is None or not parent.started or parent.end_ns is not None:
            return
        self.facts["compute_ns"] += parent.catch_up(now, ran_ns)
        task = Task(pid, tid, len(self.tasks), parent, parent if is_thread else None, parent.comm, now)
        self.tasks.append(task)
        self.by_tid[tid] = task
        bits = n.FORK_THREAD if is_thread else 0
        parent.emit(n.OP_FORK, task.number, n.NONE, self.comm(parent.comm), bits=bits)
        if not is_thread:
            self.memory.spaces[pid] = self.memory.spaces[parent.pid].fork()

    def life(self, task: Task, kind: str, comm: str) -> None:
        """An exec or an exit."""
        if kind == "exec_comm":
            task.comm, task.execing, task.started = comm, True, True
            self.memory.spaces[task.pid] = AddressSpace()
            task.emit(n.OP_EXEC, c=self.comm(comm))
        elif kind == "exec":
            task.execing = False
        elif kind == "exit_task":
            task.end_ns = task.now
            if task.leader:
                task.leader.joined += 1
            elif task.parent:
                task.parent.exited += 1

    def transfer(self, task: Task, transfer: Transfer) -> None:
        """A read, a write or a truncation."""
        of = transfer.of
        task.append(instruction(transfer, self.files.number(of.name, 0 if of.written else of.pages, of.pages)))

    def comm(self, name: str) -> int:
        """The number of a task's name."""
        return self.comms.setdefault(name, len(self.comms))

    def recording(self) -> Recording:
        """What was read, as a recording."""
        threads: dict[int, list[Task]] = {}  # by their leader
        for task in self.tasks:
            if task.leader:
                threads.setdefault(task.leader.number, []).append(task)
        for leader, its_threads in threads.items():
            hoist_mappings(self.tasks[leader], its_threads)
        self.wakeups.settle(self.tasks)
        self.repair()
        rows: list[Row] = []
        processes = []
        for task in self.tasks:
            first, last = len(rows), len(rows) + len(task.rows)
            parent = task.parent.number if task.parent else n.NONE
            leader_number = task.leader.number if task.leader else n.NONE
            end_ns = self.records.end_ns if task.end_ns is None else task.end_ns
            processes.append(Process(parent, leader_number, task.comm, task.start_ns, end_ns, first, last))
            rows += task.rows
        ops = np.zeros(len(rows), dtype=books.op)
        columns = np.array(rows, dtype=np.int64).reshape(-1, len(COLUMNS))
        for at, column in enumerate(COLUMNS):
            ops[column] = columns[:, at]
        facts = dict(self.facts) | {"longest_ns": self.records.longest_ns}
        return Recording(
            self.name, self.tables.command, ops, tuple(processes), self.files.table(), tuple(self.comms), facts
        )

    def repair(self) -> None:
        """Make every touch possible: mappings writable where they were written to, files as large as they were seen.

        Moving the mappings of threads may have put a touch into another mapping than in the recording, or into none.
        """
        impossible: set[int] = set()
        for row, area in touches([task.rows for task in self.tasks]):
            if area is None:
                impossible.add(id(row))
                continue
            if row[1] & n.F_WRITE and not area.row[1] & n.VM_WRITE:
                area.row[1] |= n.VM_WRITE
                self.facts["mappings_made_writable"] += 1
            if area.row[4] != n.NONE:
                self.files.touched(area.row[4], area.index(row[2]))
        self.facts["faults_dropped"] += len(impossible)
        if impossible:
            for task in self.tasks:
                task.rows = [row for row in task.rows if id(row) not in impossible]
