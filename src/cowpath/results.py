"""What runs have shown: figures, words and data frames of one run, and of the same session on several designs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cowpath import __version__
from cowpath.errors import InputError
from cowpath.observe.histogram import Histogram
from cowpath.observe.keeper import Keeper
from cowpath.observe.samples import Samples
from cowpath.observe.summary import Summary
from cowpath.observe.timeline import Timeline
from cowpath.observe.words import Chain

if TYPE_CHECKING:
    import polars as pl

    from cowpath.designs import Design
    from cowpath.session.plan import Plan


SEVERITY = {"isolated": 0, "stalled": 1, "stuck": 2}  # of verdicts for the tasks outside


@dataclass(frozen=True)
class Seen:
    """What a picture needs beside the summary."""

    waits: tuple[Chain, ...]  # who waits for whom: what the sentences of ``chain`` say
    group_waits: tuple[Chain, ...]  # and those of ``group_chains``
    latencies: Histogram  # of the page faults outside every group, in ns
    timeline: Timeline | None  # if it was wanted
    samples: Samples | None  # likewise: the groups' figures over time


@dataclass(frozen=True)
class Result:
    """What a run has shown.

    Times are ns of the machine's virtual time, sizes are bytes. The data frames are polars', which ``pip install
    'cowpath[frames]'`` brings (InputError without it); each is made when it is first asked for. In them ``task`` is a
    task's number, ``comm`` its program's name, and ``group`` is empty for a task outside every group.
    """

    summary: Summary  #: The JSON object of the run, as ``cowpath run --json`` prints it in ``runs``.
    plan: Plan = field(repr=False)
    loaded: Design = field(repr=False)
    seen: Seen = field(repr=False)
    _kept: Keeper | None = field(repr=False, default=None)

    def _repr_html_(self) -> str:
        return in_a_notebook([self])

    @property
    def design(self) -> str:
        """The name of the design that it ran on."""
        return str(self.summary["design"])

    @property
    def verdict(self) -> str:
        """For the tasks outside every group: ``isolated``, ``stalled`` or ``stuck``."""
        return str(self.summary["verdict"])

    @property
    def exhausted(self) -> dict[str, Any] | None:
        """What the machine ran out of, if that ended the run: ``what``, ``count``, ``at_ns``, ``hint``; else None.

        The verdicts are then those up to that point.
        """
        found: dict[str, Any] | None = self.summary["exhausted"]
        return found

    @property
    def group_verdicts(self) -> dict[str, str]:
        """For each group: ``progresses``, ``waits``, ``live-locked``, ``finished``, ``killed`` or ``empty``."""
        return dict(self.summary["group_verdicts"])

    @property
    def chain(self) -> list[str]:
        """Who waits for whom: a sentence for each task outside that is stuck; or, if none is, for the longest stall."""
        return list(self.summary["chain"])

    @property
    def output(self) -> str:
        """What the session printed."""
        return str(self.summary["output"])

    @cached_property
    def faults(self) -> pl.DataFrame:
        """A row per page fault that ended.

        ``time_ns`` (when it ended), ``cpu``, ``task``, ``comm``, ``group``, ``path`` (a number:
        ``cowpath.kernel.steps.PATH_NAMES[path]``; -1 if a retry found the page mapped), ``status`` (``next``: the page
        is mapped; else ``SIGBUS``, ``killed``, ...), ``ns`` (from entry to end, with all retries), ``asleep_ns`` (of
        these, asleep).
        """
        from cowpath.observe.frames import faults_frame

        return faults_frame(*self._events(), self.plan.comms, self.plan.groups)

    @cached_property
    def lock_holds(self) -> pl.DataFrame:
        """A row per hold of a page lock that ended.

        ``time_ns`` (when it was let go, or handed on), ``task``, ``comm`` and ``group`` of its holder (``task`` is null
        where that was the disk), ``kind`` (``task``; ``readahead`` or ``swap_readahead`` of the task, up to the time
        when the page was sent to the disk; ``disk``), ``page`` (its frame), ``file`` and ``index`` (which page of which
        file; null for other memory), ``step`` (a number: ``cowpath.kernel.steps.STEP_NAMES[step]`` took it), ``ns``
        (how long it was held).
        """
        from cowpath.observe.frames import lock_holds_frame

        files = [file.name for file in self.plan.files]
        return lock_holds_frame(*self._events(), self.plan.comms, self.plan.groups, files)

    @cached_property
    def usage(self) -> pl.DataFrame:
        """The memory that each group used, over time: a row per change.

        ``time_ns``, ``group``, ``usage_in_bytes`` (what ``memory.usage_in_bytes`` reads from then on).
        """
        from cowpath.observe.frames import usage_frame

        return usage_frame(self._events()[0], self.plan.groups)

    @cached_property
    def groups(self) -> pl.DataFrame:
        """A row per group: ``group``, ``verdict``, then its memory files and counters at the end.

        The columns are the keys of ``groups`` in the JSON object; limits are null where there is none.
        """
        from cowpath.observe.frames import groups_frame

        verdicts = self.group_verdicts
        rows = {name: {"verdict": verdicts.get(name), **group} for name, group in self.summary["groups"].items()}
        return groups_frame(rows)

    @cached_property
    def events(self) -> pl.DataFrame:
        """Every event, a row each; only after ``run(..., keep_events=True)``. Raises InputError otherwise.

        ``time_ns``, ``kind``, ``cpu``, ``task``, ``comm``, ``group``, ``a``, ``b``, ``value``, ``extra``; what the last
        four mean depends on the kind and stands in ``cowpath/kernel/names.py`` at ``EV_FAULT`` and those after it.
        """
        from cowpath.observe.frames import events_frame

        if self._kept is None or self._kept.kinds is not None:
            raise InputError("the events of this run were not kept", hint="run(..., keep_events=True)")
        return events_frame(*self._events(), self.plan.comms, self.plan.groups)

    def _events(self) -> tuple[Any, Any]:
        if self._kept is None:
            raise InputError("the events of this run were not kept")
        return self._kept.all()


@dataclass(frozen=True)
class Comparison:
    """The same session on several designs. ``comparison["preallocate"]`` is the result of one of them."""

    results: tuple[Result, ...]  #: One per design, in the order in which they were asked for.

    def _repr_html_(self) -> str:
        return in_a_notebook(self.results)

    @property
    def summary(self) -> Summary:
        """The object that ``cowpath compare --json`` prints."""
        return json_object(self.results)

    @property
    def verdicts(self) -> dict[str, str]:
        """Each design's verdict for the tasks outside every group."""
        return {result.design: result.verdict for result in self.results}

    def __getitem__(self, design: str) -> Result:
        return next(result for result in self.results if result.design == design)


def in_a_notebook(results: Sequence[Result]) -> str:
    """What a notebook shows of these runs."""
    from cowpath.report.fragment import fragment

    return fragment(results)


def json_object(results: Sequence[Result]) -> Summary:
    """What ``--json`` prints for these runs of one session."""
    session = results[0].plan.name if results else None
    return {"version": __version__, "session": session, "runs": [result.summary for result in results]}
