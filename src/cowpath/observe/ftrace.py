"""The log as ftrace would have recorded it: which event becomes which tracepoint's record (docs/see.md)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from cowpath import __version__
from cowpath.kernel import names as n
from cowpath.observe import ftrace_events as f
from cowpath.observe.ftrace_file import FtraceFile
from cowpath.observe.ftrace_text import TextFile
from cowpath.observe.scene import Scene
from cowpath.observe.text import clean
from cowpath.observe.trace import Event
from cowpath.observe.trace_dat import DatFile
from cowpath.observe.trace_tracks import lock_name, lock_of
from cowpath.observe.who import Events

if TYPE_CHECKING:
    from cowpath.session.plan import Plan

FIRST_PID = 10_000  # of task 0; pid 0 is the idle tasks'
PRIO = 120  # nice 0
IDLE = "swapper"
UNKNOWN = "<...>"  # a name that ftrace has not kept
DAT = ".dat"
PAGE_SHIFT = 12
# x86's error code of a fault (X86_PF_*); the bit for a fetch of an instruction is not known
PROT, WRITE, USER = 1, 2, 4


class FtraceWriter:
    """Takes the log's blocks. A context manager, like the file that it writes."""

    def __init__(self, path: Path, plan: Plan) -> None:
        machine = f"cowpath {__version__}: {plain(plan.name)}"
        self._file: FtraceFile = DatFile(path, machine) if path.suffix == DAT else TextFile(path)
        self._scene = Scene(None, plan)  # for names only
        self._comms = {task: self._comm(start.comm) for task, start in enumerate(plan.starts)}
        self._on_cpu: dict[int, int] = {}  # which task
        self._last_cpu: dict[int, int] = {}
        self._states: dict[int, int] = {}  # of tasks that do not run, as sched_switch has them
        self._page_locks: dict[int, Event] = {}  # that tasks are about to wait for
        self._marked: dict[int, bool] = {}  # tasks whose wait has a mark; True: they have been woken
        self._take: dict[int, Callable[[Event], None]] = {
            n.EV_SCHED: self._sched,
            n.EV_WAIT: self._wait,
            n.EV_WAKE: self._wake,
            n.EV_LOCK_WAIT: self._page_lock_wait,
            n.EV_FORK: self._fork,
            n.EV_EXEC: self._exec,
            n.EV_EXIT: self._exit,
            n.EV_FAULT_BEGIN: self._fault,
            n.EV_OOM_KILL: self._oom_kill,
            n.EV_RECLAIM: self._reclaim,
            n.EV_GROUP: self._group,
        }
        self.kinds = tuple(self._take)  # of events that it is made from

    def __enter__(self) -> FtraceWriter:
        self._file.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._file.__exit__(kind, error, tb)

    def begin(self, cpus: int) -> None:
        """The machine is there, and has so many CPUs."""
        try:
            self._file.begin(cpus)
        except OSError as error:
            raise self._file.problem(error) from error

    def add(self, events: Events) -> None:
        """Take a block."""
        wanted = events[np.isin(events["kind"], self.kinds)]
        try:
            for event in map(Event._make, zip(*(wanted[name].tolist() for name in Event._fields), strict=True)):
                self._take[event.kind](event if event.cpu >= 0 else self._interrupt(event))
        except OSError as error:
            raise self._file.problem(error) from error

    def end(self) -> None:
        """The run has ended."""
        try:
            self._file.finish({pid_of(task): comm for task, comm in self._comms.items()})
        except OSError as error:
            raise self._file.problem(error) from error

    def _interrupt(self, event: Event) -> Event:
        """A timer or the disk, which are no CPU's: they interrupt the one on which the task has run last."""
        return event._replace(cpu=self._last_cpu.get(event.task, 0))

    def _write(self, event: Event, what: f.Tracepoint, *values: Any) -> None:
        """A record of whoever runs on the event's CPU."""
        task = self._on_cpu.get(event.cpu, n.NONE)
        comm = "<idle>" if task == n.NONE else self._name(task)
        self._file.record(event.time, event.cpu, pid_of(task), comm, what, values)

    def _mark(self, event: Event, text: str) -> None:
        self._write(event, f.PRINT, f.MARKER_AT, text)

    def _name(self, task: int, cpu: int = 0) -> str:
        return self._comms.get(task, UNKNOWN) if task != n.NONE else f"{IDLE}/{cpu}"

    def _comm(self, comm: int) -> str:
        return plain(self._scene.comm(comm))[: f.COMM_LENGTH] or UNKNOWN

    def _whom(self, task: int) -> tuple[str, int, int]:
        return self._name(task), pid_of(task), PRIO

    # --- tasks ---

    def _sched(self, event: Event) -> None:
        before = self._on_cpu.get(event.cpu, n.NONE)
        state = self._states.get(before, 0)
        self._write(event, f.SWITCH, self._name(before, event.cpu), pid_of(before), PRIO, state,
                    self._name(event.a, event.cpu), pid_of(event.a), PRIO)  # fmt: skip
        self._on_cpu[event.cpu] = event.a
        self._last_cpu[event.a] = event.cpu
        if self._marked.get(event.a):
            self._end_of_wait(event, event.a)

    def _wait(self, event: Event) -> None:
        self._states[event.task] = INTERRUPTIBLE if n.INTERRUPTIBLE[event.a] else UNINTERRUPTIBLE
        lock = lock_of(event.a, event.b)
        owner = event.extra
        if event.a == n.W_PAGE_LOCK and event.task in self._page_locks:
            wait = self._page_locks.pop(event.task)
            lock, owner = ("page", wait.value, wait.a), wait.b
        if lock is not None:
            words = f"waits for {plain(lock_name(self._scene, lock))}{self._held_by(owner)}"
            self._mark(event, f"B|{pid_of(event.task)}|{words}")
            self._marked[event.task] = False

    def _held_by(self, owner: int) -> str:
        if owner <= n.REQUEST_OWNER:
            return ", held by the disk"
        return "" if owner == n.NONE else f", held by {self._name(owner)}-{pid_of(owner)}"

    def _page_lock_wait(self, event: Event) -> None:
        self._page_locks[event.task] = event

    def _wake(self, event: Event) -> None:
        self._states.pop(event.task, None)
        self._write(event, f.WAKING, *self._whom(event.task), self._last_cpu.get(event.task, event.cpu))
        if event.task in self._marked:
            self._marked[event.task] = True
            if event.task in self._on_cpu.values():  # it has not been switched out yet
                self._end_of_wait(event, event.task)

    def _end_of_wait(self, event: Event, task: int) -> None:
        del self._marked[task]
        self._mark(event, f"E|{pid_of(task)}")

    def _fork(self, event: Event) -> None:
        self._comms[event.a] = self._name(event.task) if event.b == n.NONE and event.task >= 0 else self._comm(event.b)
        self._states.pop(event.a, None)
        self._write(event, f.FORK, self._name(event.task), pid_of(event.task), self._comms[event.a], pid_of(event.a))

    def _exec(self, event: Event) -> None:
        self._comms[event.task] = self._comm(event.a)
        self._write(event, f.EXEC, plain(self._scene.comm(event.a)), pid_of(event.task), pid_of(event.task))

    def _exit(self, event: Event) -> None:
        self._write(event, f.EXIT, *self._whom(event.task))
        self._states[event.task] = ZOMBIE

    # --- memory ---

    def _fault(self, event: Event) -> None:
        error = PROT * event.b | (WRITE if event.a & n.F_WRITE else 0) | (USER if event.a & n.F_USER else 0)
        what = f.FAULT_USER if event.a & n.F_USER else f.FAULT_KERNEL
        self._write(event, what, event.value << PAGE_SHIFT, 0, error)

    def _oom_kill(self, event: Event) -> None:
        self._write(event, f.VICTIM, pid_of(event.b))

    def _reclaim(self, event: Event) -> None:
        self._write(event, f.RECLAIMED, event.value)

    def _group(self, event: Event) -> None:
        if event.b == n.NONE:
            path = "/" if event.a <= 0 else f"/{plain(self._scene.group(event.a))}"
            level = 0 if event.a <= 0 else path.count("/")
            whom = pid_of(event.task), self._name(event.task)
            self._write(event, f.ATTACH, 0, 1 + max(event.a, 0), level, path, *whom)


def pid_of(task: int) -> int:
    """The pid of a task; 0 is the idle tasks'."""
    return 0 if task == n.NONE else FIRST_PID + task


def plain(name: str) -> str:
    """A name in ASCII: the text, and pieces of it, have places for no others."""
    return clean(name).encode("ascii", "backslashreplace").decode("ascii")


RUNNING, INTERRUPTIBLE, UNINTERRUPTIBLE, ZOMBIE = f.STATES
