"""The log as a Perfetto trace: which event becomes what on which track. docs/cli.md says what there is to see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cowpath.kernel import names as n
from cowpath.kernel.steps import P_PAGE_FAULT, PATH_NAMES, STEP_NAMES
from cowpath.observe import lanes
from cowpath.observe.scene import Scene
from cowpath.observe.trace_file import Key, Name, Notes, TraceRun
from cowpath.observe.trace_tracks import FAILCNTS, LIMITS, REFUSED, SIZES, Tracks, lock_of, what_for
from cowpath.observe.who import Events

if TYPE_CHECKING:
    from cowpath.session.plan import Plan

STATES = (
    "running", "charging", "waits for a page lock", "waits for another lock", "waits for memory", "throttled",
    "waits for the disk", "runnable", "asleep", "dead",
)  # fmt: skip
CUT_OFF = ("cut off", "by the end of the run")  # the note on what has not ended


class Event(NamedTuple):
    """A row of the log."""

    kind: int
    time: int
    cpu: int
    task: int
    a: int
    b: int
    value: int
    extra: int


class Wait(NamedTuple):
    """A task's wait for a lock, or for memory, that has not ended."""

    since: int
    lock: Key
    holder: int  # a life, BY_DISK or NOBODY
    flow: int  # from the holder's hold; 0: there is none


class TraceWriter:
    """Takes the log's blocks, and the pieces of lanes that a Follower has found in them.

    A context manager, like what it writes to. Its memory grows with the number of tasks and of pages.
    """

    def __init__(self, file: TraceRun, plan: Plan) -> None:
        self._file = file
        self._plan = plan
        self._v2 = "v2" in plan.interfaces
        self._life = dict(enumerate(range(len(plan.starts))))  # of each task, in the order in which they begin
        self._lives = len(self._life)
        self._on_cpu: dict[int, tuple[int, int]] = {}  # since when, which life
        self._waits: dict[int, Wait] = {}  # of tasks
        self._flows: dict[int, tuple[int, list[int]]] = {}  # of a page that is waited for: its place, and the flows
        self._flow = 0
        self._fault_end: dict[int, int] = {}  # of each life's last one
        self._failcnt: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0])
        self._waited: defaultdict[Key, int] = defaultdict(int)  # ns, for each lock
        self._take: dict[int, Callable[[Event], None]] = {
            n.EV_FAULT: self._fault,
            n.EV_LOCK: self._page_lock,
            n.EV_LOCK_SENT: self._page_lock,
            n.EV_LOCK_WAIT: self._page_lock_wait,
            n.EV_WAIT: self._wait,
            n.EV_WAKE: self._wake,
            n.EV_CHARGE_FAIL: self._charge_fail,
            n.EV_RECLAIM: self._reclaim,
            n.EV_OOM_KILL: self._oom_kill,
            n.EV_FORK: self._fork,
            n.EV_EXEC: self._exec,
            n.EV_GROUP: self._group,
            n.EV_MARK: self._mark,
            n.EV_SCHED: self._sched,
            n.EV_USAGE: self._usage,
            n.EV_STALL: self._stall,
        }
        self.kinds = tuple(self._take)  # of events that it is made from; and the Follower's

    def __enter__(self) -> TraceWriter:
        self._file.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._file.__exit__(kind, error, tb)

    def add(self, events: Events, pieces: lanes.Pieces) -> None:
        """Take a block."""
        wanted = events[np.isin(events["kind"], self.kinds)]
        self._file.renew()
        try:
            for event in map(Event._make, zip(*(wanted[name].tolist() for name in Event._fields), strict=True)):
                self._take[event.kind](event)
            self._pieces(pieces)
        except OSError as error:
            raise self._file.problem(error) from error

    def end(self, k: Any, lives: lanes.Lives, pieces: lanes.Pieces, holds: lanes.Holds) -> None:
        """The run has ended: write what that cuts off, and what everything is called."""
        now = int(k.books.now)
        try:
            self._pieces(pieces)
            for cpu, (since, life) in self._on_cpu.items():
                self._file.slice(("cpu", cpu), since, now, ("task", life), [CUT_OFF])
            for hold in holds:
                place, flows = self._flows.pop(int(hold["page"]), (int(hold["what"]), []))
                track = ("page", place, int(hold["page"]))
                self._file.slice(track, int(hold["begin"]), now, ("task", int(hold["life"])), [CUT_OFF], flows)
            for task, wait in self._waits.items():
                self._write_wait(task, wait, now, [CUT_OFF])
            self._open_faults(k, now)
        except OSError as error:
            raise self._file.problem(error) from error
        tracks = Tracks(Scene(k, self._plan), lives, self._waited)
        self._file.finish(tracks.described(self._file.tracks), tracks.name)

    # --- tasks ---

    def _fork(self, event: Event) -> None:
        self._life[event.a] = self._lives
        self._lives += 1

    def _exec(self, event: Event) -> None:
        self._file.instant(("task", self._life[event.task]), event.time, "exec", [("program", ("comm", event.a))])

    def _mark(self, event: Event) -> None:
        self._file.instant(("task", self._life[event.task]), event.time, "mark", [("job", event.a)])

    def _sched(self, event: Event) -> None:
        since, life = self._on_cpu.pop(event.cpu, (0, n.NONE))
        if life != n.NONE:
            self._file.slice(("cpu", event.cpu), since, event.time, ("task", life))
        if event.a != n.NONE:
            self._on_cpu[event.cpu] = event.time, self._life[event.a]

    def _pieces(self, pieces: lanes.Pieces) -> None:
        columns = (pieces[name].tolist() for name in ("begin", "end", "what", "life", "by", "state", "kind", "open"))
        for begin, end, what, life, by, state, kind, is_open in zip(*columns, strict=True):
            if state == lanes.DEAD:
                continue
            notes: list[tuple[str, Name]] = [("for", what_for(kind, what))] if kind else []
            if by != lanes.NOBODY:
                notes.append(("held by", ("task", by)))
            if is_open:
                notes.append(CUT_OFF)
            self._file.slice(("task", life), begin, end, STATES[state], notes)

    def _fault(self, event: Event) -> None:
        """The log's time is when a fault's last move begins, its ns go on to that move's end: two faults one right
        after the other would overlap by it. The later one is cut then, and a note has its ns.
        """
        life = self._life[event.task]
        begin = event.time - event.value
        last = self._fault_end.get(life, begin)
        notes: list[tuple[str, Name | int]] = [("ns", event.value)] if last > begin else []
        if event.b != n.NEXT:
            notes.append(("status", n.STATUS_NAMES[event.b]))
        if event.extra:
            notes.append(("asleep_ns", event.extra))
        self._file.slice(("faults", life), max(begin, last), event.time, path_name(event.a), notes)
        self._fault_end[life] = event.time

    def _open_faults(self, k: Any, now: int) -> None:
        for t in range(int(k.state.n_tasks)):
            task = k.state.tasks[t]
            alive = task.run_state in (n.T_RUNNABLE, n.T_SLEEPING)
            for frame in task.frames[: int(task.depth) if alive else 0]:
                if frame["path"] == P_PAGE_FAULT:
                    begin = max(int(k.books.tasks[t].fault_at), self._fault_end.get(self._life[t], 0))
                    name = path_name(int(frame["fault_path"]))
                    self._file.slice(("faults", self._life[t]), min(begin, now), now, name, [CUT_OFF])

    # --- locks ---

    def _page_lock(self, event: Event) -> None:
        place, flows = self._flows.pop(event.a, (event.extra, []))
        notes = [("step", STEP_NAMES[event.b])] if event.b >= 0 else []
        holder = ("task", self._holder(event.task))
        self._file.slice(("page", place, event.a), event.time - event.value, event.time, holder, notes, flows)

    def _page_lock_wait(self, event: Event) -> None:
        """While a page is waited for it keeps its place, even if truncate takes it out of its file meanwhile."""
        self._flow += 1
        place, flows = self._flows.setdefault(event.a, (event.value, []))
        flows.append(self._flow)
        self._waits[event.task] = Wait(event.time, ("page", place, event.a), self._holder(event.b), self._flow)

    def _wait(self, event: Event) -> None:
        lock = lock_of(event.a, event.b)
        if lock is not None:
            self._waits[event.task] = Wait(event.time, lock, self._holder(event.extra), 0)

    def _wake(self, event: Event) -> None:
        wait = self._waits.pop(event.task, None)
        if wait is not None:
            self._write_wait(event.task, wait, event.time, [])

    def _write_wait(self, task: int, wait: Wait, end: int, notes: Sequence[tuple[str, Name]]) -> None:
        life = self._life[task]
        held_by = [("held by", ("task", wait.holder))] if wait.holder != lanes.NOBODY else []
        track = ("wait", wait.lock, life)
        self._file.slice(track, wait.since, end, ("task", life), [*held_by, *notes], ends=wait.flow)
        self._waited[wait.lock] += end - wait.since

    def _holder(self, owner: int) -> int:
        if owner <= n.REQUEST_OWNER:
            return lanes.BY_DISK
        return lanes.NOBODY if owner == n.NONE else self._life[owner]

    # --- groups ---

    def _usage(self, event: Event) -> None:
        self._file.counter(("counter", event.a, SIZES[self._v2]), event.time, event.value * n.PAGE_SIZE)

    def _charge_fail(self, event: Event) -> None:
        counts = self._failcnt[event.a]
        counts[event.b] += 1
        if sum(counts) != event.value:  # another group has this number now
            counts[:] = [0, 0]
            counts[event.b] = event.value
        self._count_fails(event.a, event.b, event.time)

    def _count_fails(self, group: int, memsw: int, time: int) -> None:
        file = REFUSED if self._v2 else n.CG_FILES[FAILCNTS[memsw]]
        self._file.counter(("counter", group, file), time, self._failcnt[group][memsw])

    def _group(self, event: Event) -> None:
        if event.b == n.NONE:
            track = ("task", self._life[event.task])
            self._file.instant(track, event.time, "joins a group", [("group", ("group", event.a))])
        elif event.extra:
            return  # an error: nothing was written
        elif event.b in LIMITS:
            limit = ("counter", event.a, n.CG_FILES[event.b])
            self._file.counter(limit, event.time, event.value * n.PAGE_SIZE)
        elif event.b in FAILCNTS:
            self._failcnt[event.a][FAILCNTS.index(event.b)] = 0
            self._count_fails(event.a, FAILCNTS.index(event.b), event.time)
        else:
            self._file.instant(("group", event.a), event.time, n.CG_FILES[event.b], [("value", event.value)])

    def _reclaim(self, event: Event) -> None:
        notes: Notes = [("task", ("task", self._life[event.task])), ("freed", event.value), ("scanned", event.extra)]
        self._file.instant(("reclaim", event.a), event.time, "reclaim", notes)

    def _oom_kill(self, event: Event) -> None:
        victim = ("task", self._life[event.b])
        notes: Notes = [("victim", victim), ("by", ("task", self._life[event.task])), ("badness", event.value)]
        for track in (("group", event.a), victim):
            self._file.instant(track, event.time, "oom_kill", notes)

    def _stall(self, event: Event) -> None:
        task = ("task", self._life[event.task])
        notes: Notes = [("task", task), ("group", ("group", event.a)), ("ns", event.value)]
        for track in (("group", event.a), task):
            self._file.instant(track, event.time, "stall", notes)


def path_name(path: int) -> str:
    """A fault's path in the design, if it is known yet."""
    return PATH_NAMES[path] if path >= 0 else PATH_NAMES[P_PAGE_FAULT]
