"""The figures that the machine keeps: each by itself, and all of a run against the same figures from its log."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cowpath import api
from cowpath.kernel import figures, memory
from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.state import Capacity, new_machine
from cowpath.observe import histogram
from cowpath.observe.metrics import BLOCKING, Metrics
from cowpath.observe.who import OUTSIDE, Tracker

EXAMPLES = Path(__file__).parents[2] / "examples"
TINY = Capacity(
    pages=8, tasks=8, mms=2, vmas=2, directories=2, tables=2, entries=8, files=2, slots=8, groups=3, cpus=1,
    requests=2, swaps=64, ops=8, names=4, dentries=2, paths=2, path_steps=32, log=16,
)  # fmt: skip


def plain(function: Any) -> Callable[..., Any]:
    """A kernel function without the compiler: a machine of this size is not worth one."""
    return getattr(function, "py_func", function)


def note_hold(k: Any, kind: int, task: int, ns: int) -> None:
    """Of page 3. A compiled function that it calls would compile for this machine: it is plain here, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "place_of", plain(figures.place_of))
        plain(figures.note_hold)(k, 3, kind, task, ns)


@pytest.fixture
def k() -> Any:
    machine = new_machine(TINY)
    machine.state.n_groups, machine.state.n_tasks, machine.state.n_pages = 3, 4, 8
    machine.state["pages"]["locked_by"] = n.FREE
    machine.state["tasks"]["program"] = np.arange(8)
    machine.state.tasks[2].group = 1
    return machine


@given(st.integers(0, 2**53))
def test_the_machine_and_the_histogram_have_the_same_buckets(ns: int) -> None:
    assert plain(figures.bucket_of)(ns) == histogram.bucket_of(np.array([ns]))[0]


@settings(deadline=None)  # the first one compiles
@given(st.lists(st.tuples(st.sampled_from([0, 2]), st.integers(0, 10**12)), max_size=40))
def test_faults_of_each_group(faults: list[tuple[int, int]]) -> None:
    machine = new_machine(TINY)
    machine.state.n_groups = 2
    machine.state.tasks[2].group = 1
    for at, (task, ns) in enumerate(faults):
        machine.books.now = at
        plain(figures.note_latency)(machine, task, 4, ns)
    for group, task in ((OUTSIDE, 0), (1, 2)):
        mine = [ns for who, ns in faults if who == task]
        expected, found = histogram.Histogram(), Metrics(machine).of_group(group)
        expected.add(np.array(mine, np.int64))
        assert (found.finished.buckets == expected.buckets).all() and found.faults == len(mine)
        assert (found.finished.smallest, found.finished.largest) == (expected.smallest, expected.largest)
        assert found.finished.quantile(0.5) == expected.quantile(0.5)
        if mine:
            assert found.worst is not None
            assert (found.worst.ns, found.worst.at_ns) == (max(mine), faults.index((task, max(mine))))


def test_what_tasks_sleep_for_of_their_own_will_is_not_blocked_time(k: Any) -> None:
    for kind in (n.W_PAGE_LOCK, n.W_TIMER, n.W_CHILD, n.W_I_MUTEX):
        plain(figures.note_wait)(k, 2, kind, 10)
    assert Metrics(k).of_group(1).blocked_ns == 20 and Metrics(k).outside.blocked_ns == 0


def test_kernel_threads_are_neither_outside_nor_in_a_group(k: Any) -> None:
    k.state.tasks[3].kthread = n.KT_FLUSHER
    for task in (1, 3):
        plain(figures.note_wait)(k, task, n.W_PAGE_LOCK, 50)
    note_hold(k, n.HOLD_TASK, 3, 7)
    metrics = Metrics(k)
    assert metrics.outside.blocked_ns == 50
    assert metrics.page_locks.longest is not None and metrics.page_locks.longest.group == n.NONE
    thread = k.state.tasks[3]
    thread.run_state, thread.wait_kind = n.T_SLEEPING, n.W_PAGE_LOCK
    assert not Metrics(k).outside.unfinished


def test_the_first_of_the_longest_holds(k: Any) -> None:
    assert Metrics(k).page_locks.longest is None
    k.state.pages[3].file, k.state.pages[3].index, k.books.pages[3].locked_in = 1, 31, 5
    for task, ns in ((0, 5), (2, 9), (1, 9)):
        note_hold(k, n.HOLD_TASK, task, ns)
    hold = Metrics(k).page_locks.longest
    assert hold is not None and hold.ended
    assert (hold.ns, hold.task, hold.comm, hold.group, hold.place, hold.step) == (9, 2, 2, 1, (1 << 32) + 31, 5)


def test_each_kind_of_owner_has_its_longest_hold_and_what_goes_on_counts(k: Any) -> None:
    """A request that is not sent is its reader's; one that is, the disk's; what was locked to be read, a task's."""
    for kind, task, ns in ((n.HOLD_TASK, 0, 5), (n.HOLD_DISK, n.NONE, 70), (n.HOLD_READAHEAD, 2, 9)):
        note_hold(k, kind, task, ns)
    k.books.now, k.state.requests[0].owner, k.state.requests[1].submitted = 1000, 2, 1
    for p, request, step in ((1, 0, s.ADD_TO_PAGE_CACHE), (2, 0, s.ADD_TO_SWAP_CACHE), (3, 0, s.LOCK_PAGE), (4, 1, 0)):
        k.state.pages[p].locked_by = n.REQUEST_OWNER - request
        k.books.pages[p].locked_at, k.books.pages[p].locked_in = 100 * p, step
    locks = Metrics(k).page_locks
    assert locks.locked == 4 and locks.longest is not None and locks.longest.kind == n.HOLD_READAHEAD
    assert [(each.ended, each.now, each.total_ns) for each in locks.kinds] == [
        (1, 1, 705), (1, 1, 909), (0, 1, 800), (1, 1, 670),
    ]  # fmt: skip
    longest = [each.longest for each in locks.kinds]
    assert [hold and (hold.ns, hold.task, hold.ended) for hold in longest] == [
        (700, 2, False), (900, 2, False), (800, 2, False), (600, n.NONE, False),
    ]  # fmt: skip


def test_a_fault_that_is_over_before_its_first_move_would_have_been(k: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its time is no index of a bucket, then."""
    for name in ("spend", "note_latency", "emit"):
        monkeypatch.setattr(memory, name, plain(getattr(memory, name)))
    k.books.now, k.books.tasks[2].fault_at = 1000, 1000 + int(k.books.cost[s.EXCEPTION]) + 371
    plain(memory.note_fault)(k, 2, k.state.tasks[2].frames[0], n.NEXT)
    found = Metrics(k).of_group(1).finished
    assert (found.smallest, found.largest, found.count) == (0, 0, 1)


def test_kills_are_all_counted_and_the_first_remembered(k: Any) -> None:
    for _ in range(figures.KILLS_KEPT + 1):
        plain(figures.note_kill)(k, 1, 2, 500)
    kills = Metrics(k).kills
    assert int(k.books.n_kills) == figures.KILLS_KEPT + 1 and len(kills) == figures.KILLS_KEPT
    assert (kills[0].group, kills[0].task, kills[0].comm, kills[0].badness) == (1, 2, 2, 500)


def test_what_the_end_cuts_off_counts_with_its_time_so_far(k: Any) -> None:
    k.books.now = 1000
    for ns in (10, 20):
        plain(figures.note_latency)(k, 0, 4, ns)
    sleeper = k.state.tasks[3]
    sleeper.run_state, sleeper.wait_kind = n.T_SLEEPING, n.W_PAGE_LOCK
    k.books.tasks[3].since = 100
    k.state.pages[3].locked_by, k.state.pages[3].index = 2, 31
    k.books.pages[3].locked_at = 50
    metrics = Metrics(k)
    summary = metrics.outside.summary()
    assert summary["faults"] == 3 and summary["unfinished"] == 1
    assert summary["max_ns"] == 900 and summary["blocked_ns"] == 900 and summary["p50_ns"] == 20
    longest = metrics.page_locks.longest
    assert longest is not None and (longest.ns, longest.ended, longest.group) == (950, False, 1)


@pytest.mark.parametrize(("session", "until"), [("oom-off.sh", "2s"), ("commit.sh", "600ms")])
def test_the_figures_of_a_run_are_those_of_its_log(session: str, until: str) -> None:
    result = api.run(EXAMPLES / session, "linux-3.0-oom-flag", until=until, keep_events=True)
    events, who = result._events()
    tracker = Tracker([start.comm for start in result.plan.starts], result.plan.kthreads)
    assert (tracker.attribute(events).group == who.group).all()
    summary = result.summary
    for number, latency in [(OUTSIDE, summary["bystanders"]), (1, summary["groups"]["A"]["latency"])]:
        mine = who.group == number
        faults = events[mine & (events["kind"] == n.EV_FAULT)]
        assert latency["faults"] - latency["unfinished"] == len(faults) > 0
        if not latency["unfinished"]:
            assert latency["max_ns"] == faults["value"].max()
            expected = histogram.Histogram()
            expected.add(faults["value"])
            assert latency["p99_ns"] == expected.quantile(0.99)
            assert latency["worst"]["at_ns"] == faults["time"][faults["value"].argmax()]
            wakes = events[mine & (events["kind"] == n.EV_WAKE) & np.isin(events["a"], BLOCKING)]
            assert latency["blocked_ns"] >= wakes["value"].sum()  # and those who are asleep on a mutex
    holds = events[np.isin(events["kind"], (n.EV_LOCK, n.EV_LOCK_SENT))]
    if summary["page_lock"]["ended"]:
        assert summary["page_lock"]["longest_hold_ns"] == holds["value"].max()
    else:
        assert summary["page_lock"]["longest_hold_ns"] >= holds["value"].max()
    kills = events[events["kind"] == n.EV_OOM_KILL]
    assert [kill["at_ns"] for kill in summary["kills"]] == kills["time"][: figures.KILLS_KEPT].tolist()
