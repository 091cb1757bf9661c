"""A run in one JSON object: what ``--json`` prints and what the tables are made from (docs/json.md)."""

from __future__ import annotations

from typing import Any

from cowpath.kernel import names as n
from cowpath.kernel.steps import PATH_NAMES
from cowpath.observe.holds import page_lock_summary
from cowpath.observe.metrics import Latencies, Metrics
from cowpath.observe.scene import Scene
from cowpath.observe.text import task_label

Summary = dict[str, Any]


def machine_summary(scene: Scene, metrics: Metrics) -> Summary:
    """The figures of the machine and of the log; the verdicts and what only the caller knows are added by it."""
    k = scene.k
    counters = sum_of_counters(k)
    faults, steps = counters["faults"], counters["fault_steps"]
    return {
        "cpus": int(k.state.n_cpus),
        "memory_bytes": int(k.state.memory) * n.PAGE_SIZE,
        "bystanders": metrics.outside.summary() | {"worst": worst(metrics.outside, scene)},
        "groups": {scene.names.groups[g]: group_summary(scene, metrics, g) for g in range(1, len(scene.names.groups))},
        "page_lock": page_lock_summary(metrics.page_locks, scene),
        "wasted": {"allocations": counters["allocations_wasted"], "charges": counters["charges_wasted"]},
        "retries": counters["retries"],
        "major_faults": counters["major_faults"],
        "faults": faults,
        "fault_steps": steps,
        "steps_per_fault": round(steps / faults, 3) if faults else None,
        "steps": int(k.books.steps),
        "totals": counters,
        "fault_ns": sum(each.finished_ns for each in metrics.latencies),
        "blocked_ns": metrics.blocked_by_name,
        "virtual_ns": int(k.books.now),
        "kills": [
            {
                "at_ns": kill.at_ns,
                "group": scene.group(kill.group),
                "task": task_label(scene.comm(kill.comm), kill.task),
                "badness": kill.badness,
            }
            for kill in metrics.kills
        ],
    }


def sum_of_counters(k: Any) -> dict[str, int]:
    """The counters of all groups together, the root too. A job, which parents of its group count as well, is one."""
    counters = k.books.groups["counters"][: int(k.state.n_groups)]
    sums = counters.sum(axis=0)
    sums[n.C_JOBS] = counters[k.state.groups["parent"][: int(k.state.n_groups)] <= 0, n.C_JOBS].sum()
    return dict(zip(n.COUNTER_NAMES, (int(value) for value in sums), strict=False))


def group_summary(scene: Scene, metrics: Metrics, number: int) -> Summary:
    """A group's memory files (bytes, under the names that they have in a cgroup v1 file system) and its counters."""
    group, books = scene.k.state.groups[number], scene.k.books.groups[number]
    pages = {
        "memory.usage_in_bytes": group.res.usage,
        "memory.max_usage_in_bytes": books.max_usage,
        "memory.limit_in_bytes": group.res.limit,
        "memory.memsw.usage_in_bytes": group.memsw.usage,
        "memory.memsw.max_usage_in_bytes": books.memsw_max_usage,
        "memory.memsw.limit_in_bytes": group.memsw.limit,
    }
    counters = {name: int(books.counters[i]) for i, name in enumerate(n.COUNTER_NAMES)}
    return {
        **{name: None if value >= n.UNLIMITED else int(value) * n.PAGE_SIZE for name, value in pages.items()},
        "memory.failcnt": int(books.failcnt),
        "memory.memsw.failcnt": int(books.memsw_failcnt),
        "oom_kill_disable": bool(group.oom_kill_disable),
        "under_oom": bool(group.under_oom),
        "tasks": int(group.tasks),
        **counters,
        "latency": metrics.of_group(number).summary() | {"worst": worst(metrics.of_group(number), scene)},
    }


def worst(latencies: Latencies, scene: Scene) -> Summary | None:
    """Whose fault took longest, on which path (null: it has not ended), and when."""
    found = latencies.worst
    if found is None:
        return None
    path = PATH_NAMES[found.path] if 0 <= found.path < len(PATH_NAMES) else None
    return {"task": task_label(scene.comm(found.comm), found.task), "path": path, "at_ns": found.at_ns}
