"""Where the tasks' time went, from the log; and the time under page locks, from the counters."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cowpath import api
from cowpath.kernel import names as n
from cowpath.kernel.state import event
from cowpath.observe.spent import KINDS, Spent
from cowpath.observe.who import Who

EXAMPLES = Path(__file__).parents[2] / "examples"
NOBODY = Who(np.zeros(0, np.int64), np.zeros(0, np.int64))
SLEEPS = (n.W_PAGE_LOCK, n.W_MMAP_READ, n.W_MMAP_WRITE, n.W_OOM, n.W_TIMER)


@cache
def watched(session: str) -> tuple[Any, pl.DataFrame]:
    """A run's summary with ``spent``, and its events."""
    plan = api.load_plan(EXAMPLES / session, api.Options())
    keeper = api.Keeper(None)
    result = api.run_plan(plan, api.load_design("linux-3.0"), api.Options(), keeper=keeper, spent=Spent())
    return result.summary, result.events


@pytest.mark.parametrize("session", ["sigbus-storm.sh", "oom-off.sh", "own-page.sh"])
def test_the_counters_of_page_locks_are_those_of_the_log(session: str) -> None:
    summary, events = watched(session)
    holds = events.filter((pl.col("kind") == "page_lock") & (pl.col("task") >= 0))
    assert summary["totals"]["lock_holds"] == len(holds) > 0
    assert summary["totals"]["lock_ns"] == holds["value"].sum()
    for name, group in summary["groups"].items():
        assert group["lock_ns"] == holds.filter(pl.col("group") == name)["value"].sum()


@pytest.mark.parametrize("session", ["sigbus-storm.sh", "oom-off.sh", "own-page.sh"])
def test_it_agrees_with_the_latencies(session: str) -> None:
    summary, events = watched(session)
    assert summary["spent"]["fault_ns"] == events.filter(pl.col("kind") == "fault")["value"].sum()
    classes = [summary["bystanders"], *(group["latency"] for group in summary["groups"].values())]
    assert sum(summary["spent"]["blocked_ns"].values()) == sum(each["blocked_ns"] for each in classes)


def test_it_is_only_there_if_it_was_asked_for() -> None:
    assert "spent" not in api.run(EXAMPLES / "own-page.sh").summary


@st.composite
def sleeps(draw: st.DrawFn) -> list[tuple[int, int, int, int | None]]:
    """Sleeps of tasks: (task, kind, from, to); to is None: it never ended. A task's do not overlap."""
    found = []
    for task in range(draw(st.integers(1, 4))):
        now = 0
        for _ in range(draw(st.integers(0, 4))):
            start = now + draw(st.integers(1, 50))
            now = start + draw(st.integers(0, 50))
            found.append((task, draw(st.sampled_from(SLEEPS)), start, now))
        if draw(st.booleans()):
            found.append((task, draw(st.sampled_from(SLEEPS)), now + 1, None))
    return found


@given(sleeps(), st.integers(1, 5))
def test_every_sleep_is_counted_once_however_the_log_is_cut(
    found: list[tuple[int, int, int, int | None]], block: int
) -> None:
    end = 1000
    rows = []
    for task, kind, start, stop in found:
        rows.append((start, 0, n.EV_WAIT, task, kind, 0))
        if stop is not None:
            rows.append((stop, 1, n.EV_WAKE, task, kind, stop - start))
    events = np.zeros(len(rows), event)
    for row, (time, _, what, task, kind, value) in zip(
        events, sorted(rows, key=lambda r: (r[0], r[3], r[1])), strict=True
    ):
        row["time"], row["kind"], row["task"], row["a"], row["value"] = time, what, task, kind, value
    spent = Spent()
    for at in range(0, len(events), block):
        spent.add(events[at : at + block], NOBODY)
    for name, kinds in KINDS.items():
        expected = sum((end if stop is None else stop) - start for _, kind, start, stop in found if kind in kinds)
        assert spent.summary(end)["blocked_ns"][name] == expected
