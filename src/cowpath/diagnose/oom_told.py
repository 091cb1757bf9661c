"""What an OOM report tells: who asked, who died and why, whose limit, what the memory was, what would have held it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cowpath.diagnose import badness
from cowpath.diagnose.oom import OomReport
from cowpath.diagnose.reproduce import session_of

if TYPE_CHECKING:
    from cowpath.diagnose.verdict import Diagnosis

WRITERS = {
    "memory_max_write",
    "memory_high_write",
    "mem_cgroup_resize_limit",
    "mem_cgroup_resize_max",
    "mem_cgroup_write",
}
REMOTE = {
    "process_vm_rw",
    "process_vm_rw_core",
    "access_remote_vm",
    "__access_remote_vm",
    "ptrace_access_vm",
    "mfill_atomic",
    "__mcopy_atomic",
}


def told(report: OomReport, diagnosis: Diagnosis) -> dict[str, Any]:
    """One report, as the JSON has it."""
    points = badness.judge(report)
    outsider, why = outsider_of(report, diagnosis)
    victim = report.victim
    return {
        "line": report.line,
        "whole": report.whole,
        "memcg": report.memcg,
        "constraint": report.constraint,
        "invoker": {
            "name": report.invoker,
            "pid": report.invoker_pid,
            "outsider": outsider,
            "why": why,
            "holds": holds_of(report, diagnosis),
        },
        "gfp_mask": report.gfp_mask,
        "gfp_names": report.gfp_names or None,
        "order": report.order,
        "oom_score_adj": report.oom_score_adj,
        "limit_of": report.oom_memcg,
        "victim_group": report.task_memcg,
        "counters": {
            name: {"usage": counter.usage, "limit": counter.limit, "failcnt": counter.failcnt}
            for name, counter in report.counters.items()
        },
        "stats": report.stats,
        "made_of": made_of(report),
        "columns": report.columns,
        "tasks": tasks_of(report, points),
        "unreadable_rows": report.unreadable,
        "victim": None
        if victim is None
        else {
            "pid": victim[0],
            "name": victim[1],
            "bytes": report.victim_bytes,
            "points": None if points.victim is None else [points.victim.least, points.victim.most],
        },
        "child_in_its_stead": child_of(report),
        "printed_score": points.printed,
        "recomputed_score": None if points.recomputed is None else list(points.recomputed),
        "most_points": None if points.most is None else {"pid": points.most.row.pid, "name": points.most.row.name},
        "right": points.right,
        "why": points.why,
        "killed": [{"pid": pid, "name": name} for pid, name in report.killed.items()],
        "whole_group_killed": report.group_kill,
        "nobody_to_kill": report.nobody,
        "would_have_held": would_have_held(report),
        "session": session_of(report),
    }


def outsider_of(report: OomReport, diagnosis: Diagnosis) -> tuple[str, str]:
    """Whether who invoked the killer is a task of the group: "yes" an outsider, "no", or "cannot tell"."""
    if not report.memcg:
        return "no", "the memory is the host's, in which every task is"
    trace = next((task for task in diagnosis.reports.tasks if task.kind == "oom" and task.line == report.line), None)
    names = set(trace.names) if trace is not None else set()
    if names & WRITERS:
        return "yes", "it was setting the limit"
    if names & REMOTE:
        return "yes", "it charged another task's memory"
    if any(row.pid == report.invoker_pid for row in report.rows):
        return "no", "it is in the table"
    if not report.rows:
        return "cannot tell", "there is no table of tasks"
    if any(row.name[:15] == report.invoker[:15] for row in report.rows):
        return "cannot tell", "a task of its name is in the table, with another number: it may be one of its threads"
    return "cannot tell", "it is not in the table: a thread of one of the tasks there, or from outside"


def holds_of(report: OomReport, diagnosis: Diagnosis) -> list[str]:
    """The locks that who invoked the killer had in hand, by its call trace: whoever wants one waited for the kill."""
    for each in diagnosis.invokers:
        if each.task.line == report.line:
            return [str(held) for held in each.held if held.lock != "oom_lock"]
    return []


def child_of(report: OomReport) -> dict[str, Any] | None:
    """Until 5.0 a child of the chosen task dies in its stead (oom_kill_process)."""
    if report.chosen is None or report.victim is None or report.chosen[0] == report.victim[0]:
        return None
    return {"chosen": {"pid": report.chosen[0], "name": report.chosen[1]}, "killed": report.victim[0]}


def tasks_of(report: OomReport, points: badness.Judgement) -> list[dict[str, Any]]:
    """The rows, each with its points where they can be told."""
    by_row = {id(each.row): each for each in points.points}
    rows = []
    for row in report.rows:
        each = by_row.get(id(row))
        of_row = None if each is None or not each.eligible else [each.least, each.most]
        rows.append({"pid": row.pid, "name": row.name, "points": of_row} | row.values)
    return rows


def made_of(report: OomReport) -> dict[str, int]:
    """What the group's memory was, in bytes: anonymous, file, shmem, kernel, swap. Empty without its statistics."""
    stats = total_stats(report)
    if not stats:
        return {}
    shmem = stats.get("shmem", 0)
    made = {"anon": stats.get("anon", stats.get("rss", 0))}
    if "file" in stats or "cache" in stats:
        made["file"] = max(stats.get("file", stats.get("cache", 0)) - shmem, 0)
    if "shmem" in stats:
        made["shmem"] = shmem
    kernel = report.counters.get("kmem")
    if kernel is not None:
        made["kernel"] = kernel.usage
    elif "kernel" in stats:
        made["kernel"] = stats["kernel"]
    elif "slab" in stats:
        made["kernel"] = sum(stats.get(key, 0) for key in ("slab", "kernel_stack", "pagetables", "percpu"))
    if "swap" in stats:
        made["swap"] = stats["swap"]
    return made


def total_stats(report: OomReport) -> dict[str, int]:
    """The statistics of the group with those below it.

    v1 prints a line for each group, in kB, until 4.20, and later one list with ``total_``; v2's is of the subtree.
    """
    own = report.stats.get(report.oom_memcg or "") or next(iter(report.stats.values()), {})
    if any(key.startswith("total_") for key in own):
        return {key.removeprefix("total_"): value for key, value in own.items() if key.startswith("total_")}
    if "anon" in own or len(report.stats) < 2:
        return own
    keys = {key for stats in report.stats.values() for key in stats}
    return {key: sum(stats.get(key, 0) for stats in report.stats.values()) for key in keys}


def would_have_held(report: OomReport) -> dict[str, Any] | None:
    """Between which limits the one lies that would have been enough; None where the report has no limit."""
    memory = report.counters.get("memory")
    if memory is None:
        return None
    page = badness.page_size(report)
    more_than = memory.limit + (page << max(min(report.order, 20), 0))
    spaces = sum(row.values.get("total_vm", 0) for row in report.rows) * page
    kernel = made_of(report).get("kernel", 0)
    file = made_of(report).get("file", 0)
    return {
        "at_least": more_than,
        "at_most": spaces + kernel + file if report.rows and spaces + kernel + file > more_than else None,
        "why": "it was full, and one charge more was wanted; at most all that its tasks have mapped",
    }
