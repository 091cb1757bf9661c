"""The figures of the whole machine against the log: time in faults, asleep for locks, and under page locks."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cowpath import api
from cowpath.kernel import names as n
from cowpath.observe.metrics import BLOCKING

EXAMPLES = Path(__file__).parents[2] / "examples"
SESSIONS = ("sigbus-storm.sh", "oom-off.sh", "lost-retry.sh", "swap.sh")


@cache
def watched(session: str) -> tuple[Any, pl.DataFrame]:
    """A run's summary and its events."""
    result = api.run(EXAMPLES / session, keep_events=True)
    return result.summary, result.events


@pytest.mark.parametrize("session", SESSIONS)
def test_the_time_under_page_locks(session: str) -> None:
    summary, events = watched(session)
    holds = events.filter((pl.col("kind") == "page_lock") & (pl.col("task") >= 0))
    assert summary["totals"]["lock_holds"] == len(holds) > 0
    assert summary["totals"]["lock_ns"] == holds["value"].sum()
    for name, group in summary["groups"].items():
        assert group["lock_ns"] == holds.filter(pl.col("group") == name)["value"].sum()


@pytest.mark.parametrize("session", SESSIONS)
def test_the_time_in_faults(session: str) -> None:
    summary, events = watched(session)
    assert summary["fault_ns"] == events.filter(pl.col("kind") == "fault")["value"].sum() > 0


@pytest.mark.parametrize("session", SESSIONS)
def test_sleeps_by_what_for(session: str) -> None:
    """Sleeps that the end of the run cut off count with their time so far."""
    summary, events = watched(session)
    sleeps = events.filter(pl.col("kind").cast(pl.String).is_in(["wait", "wake"]))
    last = sleeps.group_by("task", maintain_order=True).last().filter(pl.col("kind") == "wait")
    woken = events.filter(pl.col("kind") == "wake")
    for name, blocked_ns in summary["blocked_ns"].items():
        kinds = [kind for kind in BLOCKING if n.WAITS[kind].figure == name]
        cut_off = (summary["virtual_ns"] - last.filter(pl.col("a").is_in(kinds))["time_ns"]).sum()
        assert blocked_ns == woken.filter(pl.col("a").is_in(kinds))["value"].sum() + cut_off
    classes = [summary["bystanders"], *(group["latency"] for group in summary["groups"].values())]
    assert sum(summary["blocked_ns"].values()) == sum(each["blocked_ns"] for each in classes)


def test_what_counts_as_blocked() -> None:
    assert [n.WAIT_NAMES[kind] for kind in BLOCKING] == [
        "page lock", "mmap_sem for reading", "mmap_sem for writing", "i_mutex", "memory (OOM)", "throttled",
        "invalidate_lock for reading", "invalidate_lock for writing", "VMA lock", "swap entry", "oom_lock", "tree_lock",
        "threadgroup_rwsem", "moving_task",
    ]  # fmt: skip


def test_a_job_of_a_group_within_others_is_one_job(tmp_path: Path) -> None:
    """Each group above it has it among its jobs too."""
    session = tmp_path / "s.sh"
    session.write_text("cgcreate -g memory:P/Q/R\ncgexec -g memory:P/Q/R job\njob\n")
    (tmp_path / "job.prog").write_text("mark\n")
    (tmp_path / "s.toml").write_text('[programs.job]\nwritten = "job.prog"\n[bystanders]\nprograms = []\n')
    summary = api.run(session).summary
    assert [group["jobs_done"] for group in summary["groups"].values()] == [1, 1, 1]
    assert summary["totals"]["jobs_done"] == 2
