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
    """A group's memory files (bytes, under the names that they have on the machine) and its counters."""
    group, books = scene.k.state.groups[number], scene.k.books.groups[number]
    counters = {name: int(books.counters[i]) for i, name in enumerate(n.COUNTER_NAMES)}
    return {
        **(files2 if scene.k.state.cgroup2 else files1)(scene.k, metrics, number),
        "tasks": int(group.tasks),
        **counters,
        "latency": metrics.of_group(number).summary() | {"worst": worst(metrics.of_group(number), scene)},
    }


def in_bytes(pages: dict[str, Any]) -> Summary:
    """Sizes and limits; None where there is no limit."""
    return {name: None if value >= n.UNLIMITED else int(value) * n.PAGE_SIZE for name, value in pages.items()}


def files1(k: Any, metrics: Metrics, number: int) -> Summary:
    """What its files say with cgroup v1."""
    group, books = k.state.groups[number], k.books.groups[number]
    sizes = {
        "memory.usage_in_bytes": group.res.usage,
        "memory.max_usage_in_bytes": books.max_usage,
        "memory.limit_in_bytes": group.res.limit,
        "memory.memsw.usage_in_bytes": group.memsw.usage,
        "memory.memsw.max_usage_in_bytes": books.memsw_max_usage,
        "memory.memsw.limit_in_bytes": group.memsw.limit,
    }
    return {
        **in_bytes(sizes),
        "memory.failcnt": int(books.failcnt),
        "memory.memsw.failcnt": int(books.memsw_failcnt),
        "oom_kill_disable": bool(group.oom_kill_disable),
        "under_oom": bool(group.under_oom),
    }


def files2(k: Any, metrics: Metrics, number: int) -> Summary:
    """What its files say with cgroup v2, and how long its tasks have slept for memory.high."""
    group, books, psi = k.state.groups[number], k.books.groups[number], k.books.psi[number]
    sizes = {
        "memory.current": group.res.usage,
        "memory.peak": books.max_usage,
        "memory.high": group.high,
        "memory.max": group.res.limit,
        "memory.swap.current": group.swap_usage,
        "memory.swap.max": group.swap_max,
    }
    return {
        **in_bytes(sizes),
        "memory.events": {name: int(books.events[i]) for i, name in enumerate(n.MEMCG_EVENTS[: n.ME_SWAP_HIGH])},
        "memory.pressure": {name: int(ns) for name, ns in zip(("some_ns", "full_ns"), psi.total, strict=True)}
        if k.books.psi_on
        else None,
        "throttled_ns": metrics.throttled_ns[number],
    }


def peak(group: Summary) -> int:
    """The most that a group has used, in bytes."""
    return int(group.get("memory.peak") or group.get("memory.max_usage_in_bytes") or 0)


def met_limit(group: Summary) -> int:
    """How often a group was over its limit, or its mark."""
    events = group.get("memory.events")
    return int(events["high"] + events["max"] if events else group["memory.failcnt"])


def worst(latencies: Latencies, scene: Scene) -> Summary | None:
    """Whose fault took longest, on which path (null: it has not ended), and when."""
    found = latencies.worst
    if found is None:
        return None
    path = PATH_NAMES[found.path] if 0 <= found.path < len(PATH_NAMES) else None
    return {"task": task_label(scene.comm(found.comm), found.task), "path": path, "at_ns": found.at_ns}
