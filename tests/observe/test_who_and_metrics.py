"""Whose event is it: against a plain loop over the same events. Histograms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cowpath.kernel import names as n
from cowpath.kernel.books import event
from cowpath.observe.histogram import Histogram, bucket_of, middle_of
from cowpath.observe.who import Tracker


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
    assert histogram.largest == max(values) and histogram.smallest == min(values)


@given(st.integers(0, 2**62))
def test_a_bucket_stands_for_its_values(value: int) -> None:
    assert abs(middle_of(int(bucket_of(np.array([value]))[0])) - value) <= value / 200


def test_an_empty_histogram_has_no_quantile() -> None:
    assert Histogram().quantile(0.5) is None


@pytest.mark.parametrize("task", [0, 5000])
def test_a_block_without_room_for_a_task_makes_room(task: int) -> None:
    assert Tracker([]).attribute(events(fault(task, 1))).group.tolist() == [0]
