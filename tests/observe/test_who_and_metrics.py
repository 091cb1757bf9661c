"""Whose event is it, how long did faults take: against a plain loop over the same events."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cowpath.kernel import names as n
from cowpath.kernel.state import Capacity, event, new_machine
from cowpath.observe.histogram import Histogram, bucket_of, middle_of
from cowpath.observe.metrics import KILLS_KEPT, Metrics
from cowpath.observe.who import Tracker

TINY = Capacity(
    pages=8, tasks=8, mms=2, vmas=2, directories=2, tables=2, entries=8, files=2, slots=8, groups=3, cpus=1,
    requests=2, swaps=64, ops=8, names=4, paths=2, path_steps=32, log=16,
)  # fmt: skip


def events(*rows: dict[str, int]) -> np.ndarray:
    block = np.zeros(len(rows), event)
    for i, row in enumerate(rows):
        for name, value in row.items():
            block[i][name] = value
    return block


def fork(task: int, child: int, comm: int = n.NONE) -> dict[str, int]:
    return {"kind": n.EV_FORK, "task": task, "a": child, "b": comm}


def join(task: int, group: int) -> dict[str, int]:
    return {"kind": n.EV_GROUP, "task": task, "a": group, "b": n.NONE}


def execs(task: int, comm: int) -> dict[str, int]:
    return {"kind": n.EV_EXEC, "task": task, "a": comm}


def fault(task: int, ns: int, time: int = 0) -> dict[str, int]:
    return {"kind": n.EV_FAULT, "task": task, "value": ns, "time": time}


def exits(task: int) -> dict[str, int]:
    return {"kind": n.EV_EXIT, "task": task}


def slowly(block: np.ndarray, at_boot: list[int]) -> list[tuple[int, int]]:
    """(group, comm) of every event's task, the obvious way."""
    group, comm = dict.fromkeys(range(64), 0), dict.fromkeys(range(64), n.NONE) | dict(enumerate(at_boot))
    found = []
    for e in block:
        task = int(e["task"])
        found.append((group[task], comm[task]) if task >= 0 else (n.NONE, n.NONE))
        if e["kind"] == n.EV_FORK:
            group[int(e["a"])] = group[task]
            comm[int(e["a"])] = comm[task] if e["b"] == n.NONE else int(e["b"])
        elif e["kind"] == n.EV_EXEC:
            comm[task] = int(e["a"])
        elif e["kind"] == n.EV_GROUP and e["b"] == n.NONE:
            group[task] = int(e["a"])
    return found


tasks = st.integers(0, 9)
any_event = st.one_of(
    st.builds(fork, tasks, tasks, st.integers(-1, 3)),
    st.builds(join, tasks, st.integers(0, 3)),
    st.builds(execs, tasks, st.integers(0, 3)),
    st.builds(fault, st.integers(-1, 9), st.integers(0, 10**12)),
    st.builds(exits, tasks),
)


@given(st.lists(any_event, max_size=40), st.integers(0, 40))
def test_tracker_agrees_with_a_plain_loop_however_the_log_is_cut(rows: list[dict[str, int]], cut: int) -> None:
    block = events(*rows)
    tracker = Tracker([0, 1])
    parts = [tracker.attribute(part) for part in (block[:cut], block[cut:])]
    found = [pair for who in parts for pair in zip(who.group.tolist(), who.comm.tolist(), strict=True)]
    assert found == slowly(block, [0, 1])


@given(st.lists(st.integers(0, 2**55), min_size=1, max_size=60), st.sampled_from([0.5, 0.99, 0.999]))
def test_quantiles_are_within_one_percent(values: list[int], q: float) -> None:
    histogram = Histogram()
    histogram.add(np.array(values, np.int64))
    exact = sorted(values)[max(1, int(np.ceil(q * len(values)))) - 1]
    found = histogram.quantile(q)
    assert found is not None
    assert abs(found - exact) <= 0.01 * exact
    assert histogram.largest == max(values) and histogram.total == sum(values)


@given(st.integers(0, 2**62))
def test_a_bucket_stands_for_its_values(value: int) -> None:
    assert abs(middle_of(int(bucket_of(np.array([value]))[0])) - value) <= value / 200


def test_an_empty_histogram_has_no_quantile() -> None:
    assert Histogram().quantile(0.5) is None


def test_a_task_number_is_used_again_by_a_bystander() -> None:
    metrics = Metrics([0])
    metrics.on_events(events(fork(0, 5), join(5, 1), execs(5, 2), fault(5, 100), exits(5)))
    metrics.on_events(events(fork(0, 5, 3), fault(5, 7000, time=44)))
    assert metrics.of_group(1).faults == 1
    assert metrics.outside.faults == 1
    worst = metrics.outside.worst
    assert worst is not None and (worst.comm, worst.ns, worst.at_ns) == (3, 7000, 44)


def test_what_tasks_sleep_for_of_their_own_will_is_not_blocked_time() -> None:
    def wake(kind: int) -> dict[str, int]:
        return {"kind": n.EV_WAKE, "task": 0, "a": kind, "value": 10}

    metrics = Metrics([0])
    metrics.on_events(events(wake(n.W_PAGE_LOCK), wake(n.W_TIMER), wake(n.W_CHILD), wake(n.W_I_MUTEX)))
    assert metrics.outside.blocked_ns == 20


def test_longest_hold_kills_and_reclaim() -> None:
    def hold(task: int, ns: int) -> dict[str, int]:
        return {"kind": n.EV_LOCK, "task": task, "value": ns, "extra": 1 << 32 | 31, "b": 4}

    metrics = Metrics([7, 8])
    kills = [{"kind": n.EV_OOM_KILL, "task": 0, "a": 1, "b": 1}] * (KILLS_KEPT + 1)
    metrics.on_events(events(hold(0, 5), hold(1, 9), hold(n.REQUEST_OWNER, 999), hold(0, 9), *kills))
    metrics.on_events(events({"kind": n.EV_RECLAIM, "task": 1, "a": 2, "value": 3, "extra": 32}))
    longest = metrics.longest_hold
    assert longest is not None
    assert (longest.ns, longest.task, longest.comm, longest.file, longest.index) == (9, 1, 8, 1, 31)
    assert metrics.kill_count == KILLS_KEPT + 1 and len(metrics.kills) == KILLS_KEPT
    assert metrics.reclaim == {2: {"passes": 1, "freed": 3, "scanned": 32}}


def test_a_fault_that_the_end_cuts_off_counts_with_its_time_so_far() -> None:
    k = new_machine(TINY)
    k.books.now = 1000
    k.state.n_tasks, k.state.n_pages = 3, 4
    for page in range(8):
        k.state.pages[page].locked_by = n.FREE
    sleeper = k.state.tasks[2]
    sleeper.run_state, sleeper.wait_kind, sleeper.program = n.T_SLEEPING, n.W_PAGE_LOCK, 1
    k.books.tasks[2].since = 100
    k.state.pages[3].locked_by, k.state.pages[3].file, k.state.pages[3].index = 1, 0, 31
    k.state.tasks[1].group = 1
    k.books.pages[3].locked_at = 50
    k.state.n_tasks = 4
    kthread = k.state.tasks[3]  # nobody's fault, whatever it waits for
    kthread.run_state, kthread.wait_kind, kthread.kthread = n.T_SLEEPING, n.W_PAGE_LOCK, n.KT_FLUSHER
    metrics = Metrics()
    metrics.on_events(events(fault(0, 10), fault(0, 20)))
    metrics.finish(k)
    summary = metrics.outside.summary()
    assert summary["faults"] == 3 and summary["unfinished"] == 1
    assert summary["max_ns"] == 900 and summary["blocked_ns"] == 900 and summary["p50_ns"] == 20
    assert metrics.longest_hold is not None
    assert (metrics.longest_hold.ns, metrics.longest_hold.ended, metrics.longest_hold.group) == (950, False, 1)


def test_kernel_threads_are_neither_outside_nor_in_a_group() -> None:
    metrics = Metrics([0, 1, 2], [2])
    woken = {"kind": n.EV_WAKE, "a": n.W_PAGE_LOCK, "value": 50}
    who = metrics.on_events(events(woken | {"task": 2}, woken | {"task": 1}, {"kind": n.EV_LOCK, "task": 2}))
    assert (who.group.tolist(), who.comm.tolist()) == ([n.NONE, 0, n.NONE], [2, 1, 2])
    assert metrics.outside.blocked_ns == 50
    assert metrics.longest_hold is not None and metrics.longest_hold.group == n.NONE


@settings(max_examples=20)
@given(st.lists(any_event, max_size=60), st.lists(st.integers(0, 60), max_size=4))
def test_figures_do_not_depend_on_how_the_log_is_cut(rows: list[dict[str, int]], cuts: list[int]) -> None:
    block = events(*rows)
    whole, parts = Metrics([0, 1]), Metrics([0, 1])
    whole.on_events(block)
    for part in np.split(block, sorted(cuts)):
        parts.on_events(part)
    for group in whole.latencies:
        assert whole.of_group(group).summary() == parts.of_group(group).summary()


@pytest.mark.parametrize("task", [0, 5000])
def test_a_block_without_room_for_a_task_makes_room(task: int) -> None:
    assert Tracker([]).attribute(events(fault(task, 1))).group.tolist() == [0]
