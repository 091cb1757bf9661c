"""The JSON object of a machine."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.state import Capacity, new_machine
from cowpath.observe.metrics import Metrics
from cowpath.observe.scene import Scene
from cowpath.observe.summary import machine_summary
from cowpath.programs.code import Region

TINY = Capacity(
    pages=8, tasks=8, mms=2, vmas=2, directories=2, tables=2, entries=8, files=2, slots=8, groups=3, cpus=1,
    requests=2, swaps=64, ops=8, names=4, dentries=2, paths=2, path_steps=32, log=16,
)  # fmt: skip


@dataclass(frozen=True)
class File:
    name: str


@dataclass(frozen=True)
class Plan:
    comms: tuple[str, ...] = ("ls", "cc1")
    files: tuple[File, ...] = (File("/lib/libc.so.6"),)
    groups: tuple[str, ...] = ("", "A")
    regions: tuple[Region, ...] = ()


def machine() -> Any:
    k = new_machine(TINY)
    k.state.n_groups, k.state.n_cpus, k.state.memory = 2, 1, 8
    group, books = k.state.groups[1], k.books.groups[1]
    group.res.usage, group.res.limit, group.memsw.limit = 3, 16384, n.UNLIMITED
    books.failcnt, books.max_usage = 7, 5
    books.counters[n.C_JOBS], books.counters[n.C_FAULTS], books.counters[n.C_STEPS] = 2, 10, 95
    k.books.groups[0].counters[n.C_FAULTS] = 10
    k.books.now = 123
    k.state.pages["locked_by"] = n.FREE
    return k


def test_a_machine_in_numbers() -> None:
    k = machine()
    latency = k.books.latencies[0]
    latency.count, latency.longest, latency.at, latency.path = 1, 700, 5, s.P_FILE_COW
    hold = k.books.holds[n.HOLD_TASK]
    hold.ended, hold.ns, hold.task, hold.comm, hold.place, hold.step = 1, 900, 1, 1, 31, s.LOCK_PAGE
    summary = machine_summary(Scene(k, Plan()), Metrics(k))
    assert summary == json.loads(json.dumps(summary))  # plain numbers, nothing of NumPy's
    group = summary["groups"]["A"]
    assert group["memory.usage_in_bytes"] == 3 * 4096 and group["memory.limit_in_bytes"] == 64 << 20
    assert group["memory.memsw.limit_in_bytes"] is None
    assert group["memory.failcnt"] == 7 and group["jobs_done"] == 2 and group["latency"]["faults"] == 0
    assert summary["faults"] == 20 and summary["steps_per_fault"] == 4.75 and summary["virtual_ns"] == 123
    assert summary["bystanders"]["worst"] == {"task": "ls[0]", "path": "file_cow", "at_ns": 5}
    longest = {
        "longest_hold_ns": 900, "holder": "cc1[1]", "group": None, "page": "libc.so.6 page 31", "step": "lock_page",
        "ended": True,
    }  # fmt: skip
    assert longest.items() <= summary["page_lock"].items() and summary["page_lock"]["kind"] == "task"
    assert longest.items() <= summary["page_lock"]["by_kind"]["task"].items()
    assert summary["page_lock"]["by_kind"]["disk"]["holder"] is None


def test_a_machine_in_which_nothing_happened() -> None:
    k = machine()
    k.books.groups["counters"] = 0
    summary = machine_summary(Scene(k, Plan()), Metrics(k))
    assert summary["steps_per_fault"] is None
    assert summary["page_lock"]["holder"] is None
    assert summary["bystanders"]["p50_ns"] is None and summary["bystanders"]["worst"] is None
