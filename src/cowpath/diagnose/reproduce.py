"""The session that does again what an OOM report shows: its limit, tasks of its sizes, the last of them too large."""

from __future__ import annotations

import shlex

from cowpath.diagnose.oom import OomReport, Row

PAGE = 4096
MOST_TASKS = 8  # the smaller ones together are one more
ROOM = 1 << 20  # by which the last one is too large
UNLIMITED = 1 << 60


def session_of(report: OomReport) -> str | None:
    """A session for ``cowpath run``; None where the report lacks the limit or the tasks."""
    memory = report.counters.get("memory")
    sizes = sizes_of(report)
    if not report.memcg or memory is None or not sizes or memory.limit >= UNLIMITED:
        return None
    group = "/" + "/".join(part for part in (report.oom_memcg or "/A").split("/") if part)
    group = group if group != "/" else "/A"
    second = "memory+swap" not in report.counters and "swap" in report.counters
    root = "/sys/fs/cgroup" if second else "/sys/fs/cgroup/memory"
    limits = [("memory.max" if second else "memory.limit_in_bytes", memory.limit)]
    both = report.counters.get("memory+swap")
    if both is not None and memory.limit <= both.limit < UNLIMITED:
        limits.append(("memory.memsw.limit_in_bytes", both.limit))
    swap = report.counters.get("swap")
    if swap is not None and swap.limit < UNLIMITED:
        limits.append(("memory.swap.max", swap.limit))
    folder = shlex.quote(root + group)
    said = ", ".join(f"{word} {name}" for word, name in zip(("invoked by", "killed"), victims(report), strict=False))
    lines = [f"# An OOM of {printable(group)} as its report has it: {printable(said)}", f"mkdir -p {folder}"]
    lines += [f"echo {value} > {folder}/{name}" for name, value in limits]
    rest = max(memory.limit - sum(size for _, size in sizes), 0) + ROOM
    for place, (name, size) in enumerate(sizes):
        last = place == len(sizes) - 1
        wanted = size + rest if last else size
        lines.append(f"# {printable(name)}")
        lines.append(
            f"cgexec -g memory:{shlex.quote(group[1:])} stress --vm 1 --vm-bytes {wanted} --vm-hang 5 --timeout 5 &"
        )
        lines.append("sleep 0.2")
    return "\n".join([*lines[:-1], "wait", ""])


def victims(report: OomReport) -> list[str]:
    """Who asked and who died."""
    return [report.invoker, *([f"{report.victim[1]}[{report.victim[0]}]"] if report.victim is not None else [])]


def printable(text: str) -> str:
    """On one line of a comment."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def sizes_of(report: OomReport) -> list[tuple[str, int]]:
    """The tasks with what they have touched of their own, in bytes: smaller first, the victim last."""
    victim = report.victim[0] if report.victim is not None else None
    rows = sorted(report.rows, key=lambda row: (row.pid == victim, own(row)))
    sized = [(f"{row.name}[{row.pid}]", own(row) * PAGE) for row in rows if own(row) > 0]
    few, rest = sized[-MOST_TASKS:], sized[:-MOST_TASKS]
    if rest:
        few.insert(0, (f"{len(rest)} smaller tasks", sum(size for _, size in rest)))
    return few


def own(row: Row) -> int:
    """Pages that are charged for the task: anonymous and shmem where the table tells them apart, else its rss."""
    if "rss_anon" in row.values:
        return row.values["rss_anon"] + row.values.get("rss_shmem", 0)
    return row.values.get("rss", 0)
