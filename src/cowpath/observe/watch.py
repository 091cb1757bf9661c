"""What looks on while a machine runs: the log file, what is kept for data frames, the timeline, the trace."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from cowpath.kernel import names as n
from cowpath.observe.follower import Follower
from cowpath.observe.keeper import Keeper
from cowpath.observe.timeline import Timeline, TimelineKeeper
from cowpath.observe.who import Events, Tracker

if TYPE_CHECKING:
    from cowpath.observe.eventlog import LogWriter
    from cowpath.observe.ftrace import FtraceWriter
    from cowpath.observe.trace import TraceWriter
    from cowpath.observe.trace_file import TraceRun
    from cowpath.session.plan import Plan

# of --log and keep_events: steps are too many, and a fault's end says when it has begun
EVERYTHING = tuple(kind for kind in range(len(n.EVENT_NAMES)) if kind not in (n.EV_STEP, n.EV_FAULT_BEGIN))


@dataclass(frozen=True)
class Wanted:
    """What is to be made of the log."""

    log: Path | None = None  # a Parquet file
    keeper: Keeper | None = None
    timeline: bool = False
    trace: TraceRun | None = None  # its place in a Perfetto trace
    ftrace: Path | None = None  # trace.dat, or ftrace's text
    samples: bool = False  # the groups' figures over time


@dataclass(frozen=True)
class Journal:
    """A file in which events wait, of which so many bytes are there already."""

    file: Path
    kept: int


class Watch:
    """Takes each block of the log once. A context manager: files appear when the block ends well."""

    def __init__(self, wanted: Wanted, plan: Plan, journal: Journal | None = None) -> None:
        """``journal``: where the log's events wait, if not in a file without a name."""
        self._plan = plan
        self._tracker = Tracker([start.comm for start in plan.starts], plan.kthreads)
        self._writer = None if wanted.log is None else _log(wanted.log, plan, journal)
        self._keeper = wanted.keeper
        self._timeline = TimelineKeeper(len(plan.groups)) if wanted.timeline else None
        self._trace = None if wanted.trace is None else _trace(wanted.trace, plan)
        self._ftrace = None if wanted.ftrace is None else _ftrace(wanted.ftrace, plan)
        self._follower: Follower | None = None
        self._files = ExitStack()

    def __enter__(self) -> Watch:
        with ExitStack() as files:  # neither is left behind if the other cannot be written
            for file in (self._writer, self._trace, self._ftrace):
                if file is not None:
                    files.enter_context(file)
            self._files = files.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._files.__exit__(kind, error, tb)

    def begin(self, k: Any) -> None:
        """Have the machine log what is wanted."""
        if self._timeline is not None or self._trace is not None:
            self._follower = Follower(k, self._plan)
        if self._ftrace is not None:
            self._ftrace.begin(int(k.state.n_cpus))
        k.books.log_mask = mask_of(self._kinds())

    def _kinds(self) -> Iterable[int]:
        kinds: list[int] = [*(self._ftrace.kinds if self._ftrace is not None else ())]
        if self._writer is not None or (self._keeper is not None and self._keeper.kinds is None):
            return [*kinds, *EVERYTHING]
        if self._keeper is not None:
            kinds += [*(self._keeper.kinds if self._keeper.kinds is not None else ()), *Tracker.kinds]
        if self._timeline is not None:
            kinds += [*Follower.kinds, *TimelineKeeper.kinds]
        if self._trace is not None:
            kinds += [*Follower.kinds, *self._trace.kinds]
        return kinds

    def add(self, events: Events) -> None:
        """Take a block."""
        if self._ftrace is not None:
            self._ftrace.add(events)
            events = events[events["kind"] != n.EV_FAULT_BEGIN]  # which is in no log
        if self._writer is not None or self._keeper is not None:
            who = self._tracker.attribute(events)
            if self._writer is not None:
                self._writer.add(events, who)
            if self._keeper is not None:
                self._keeper.add(events, who)
        if self._follower is not None:
            pieces, holds = self._follower.add(events)
            if self._timeline is not None:
                self._timeline.add(events, pieces, holds)
            if self._trace is not None:
                self._trace.add(events, pieces)

    # --- for checkpoints, of runs whose log is all that is wanted
    def sync(self) -> int:
        """All events so far are on the disk: how many bytes they are."""
        return 0 if self._writer is None else self._writer.sync()

    def state(self) -> Any:
        """What is known of the tasks."""
        return self._tracker

    def restore(self, state: Any) -> None:
        """Go on from there."""
        self._tracker = state

    def end(self, k: Any) -> Timeline | None:
        """The run has ended: the timeline, if it is wanted."""
        if self._ftrace is not None:
            self._ftrace.end()
        if self._follower is None:
            return None
        pieces, holds = self._follower.end(k)
        if self._trace is not None:
            self._trace.end(k, self._follower.lives, pieces, holds)
        return None if self._timeline is None else self._timeline.timeline(k, self._follower.lives, pieces, holds)


def _log(path: Path, plan: Plan, journal: Journal | None) -> LogWriter:
    from cowpath.observe.eventlog import LogWriter

    return LogWriter(path, plan.comms, journal)


def _ftrace(path: Path, plan: Plan) -> FtraceWriter:
    from cowpath.observe.ftrace import FtraceWriter

    return FtraceWriter(path, plan)


def _trace(file: TraceRun, plan: Plan) -> TraceWriter:
    from cowpath.observe.trace import TraceWriter

    return TraceWriter(file, plan)


def mask_of(kinds: Iterable[int]) -> int:
    """``books.log_mask``: a bit for every kind of event that is wanted."""
    return sum(1 << kind for kind in {int(kind) for kind in kinds})
