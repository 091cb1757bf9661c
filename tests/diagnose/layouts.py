"""OOM reports as each release prints them: written from the formats in its own mm/oom_kill.c and mm/memcontrol.c.

The trees: 2.6.32.67, 2.6.39.3, 3.0.1, 3.12.0, 4.4.70, 4.14.67, 4.19.0, 5.15.55, 6.1.176, 6.12.19, 6.18.19, 7.1.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

MIB = 1 << 20
RELEASES = ("2.6.32", "2.6.39", "3.0", "3.12", "4.4", "4.14", "4.19", "5.15", "6.1", "6.12", "6.18", "7.1")
CGROUP2 = ("5.15", "6.1", "6.12", "6.18", "7.1")


@dataclass(frozen=True)
class One:
    """A task: pages, and bytes of page tables."""

    pid: int
    name: str
    total_vm: int
    rss: int
    pgtables: int = 40960
    swapents: int = 0
    adj: int = 0
    uid: int = 1000


TASKS = (One(311, "sh -c", 700, 300), One(312, "hog", 51839, 16000, 167936), One(313, "small one", 2000, 84, adj=100))


def age(release: str) -> tuple[int, ...]:
    return tuple(map(int, release.split(".")))


def heading(release: str) -> str:
    """dump_tasks."""
    since = partial(lambda first: age(release) >= age(first))
    if not since("2.6.36"):
        return "[ pid ]   uid  tgid total_vm      rss cpu oom_adj name"
    if not since("3.7"):
        return "[ pid ]   uid  tgid total_vm      rss cpu oom_adj oom_score_adj name"
    if not since("4.1"):
        return "[ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name"
    if not since("4.15"):
        return "[ pid ]   uid  tgid total_vm      rss nr_ptes nr_pmds swapents oom_score_adj name"
    if not since("6.8"):
        return "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name"
    return (
        "[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name"
    )


def row(release: str, t: One) -> str:
    """dump_task, by the columns of the heading."""
    values = {
        "uid": f"{t.uid:5d}", "tgid": f"{t.pid:5d}", "total_vm": f"{t.total_vm:8d}", "rss": f"{t.rss:8d}", "cpu": "  0",
        "oom_adj": "    0",         "oom_score_adj": f"        {t.adj:5d}", "nr_ptes": f"{t.pgtables // 4096:7d}",
        "nr_pmds": f"{0:7d}",         "swapents": f"{t.swapents:8d}",
        "pgtables_bytes": f"{t.pgtables:8d}", "rss_anon": f"{t.rss:8d}", "rss_file": f"{0:8d}", "rss_shmem": f"{0:9d}",
    }  # fmt: skip
    wide = 7 if age(release) >= age("4.15") else 5
    columns = heading(release).rpartition("] ")[2].split()[:-1]
    return f"[{t.pid:{wide}d}] " + " ".join(values[column] for column in columns) + f" {t.name}"


def invoked(release: str, t: One) -> list[str]:
    """dump_header, and dump_stack's first line."""
    since = partial(lambda first: age(release) >= age(first))
    if not since("2.6.36"):
        first = f"{t.name} invoked oom-killer: gfp_mask=0xd0, order=0, oom_adj=0"
    elif not since("4.6"):
        adj = ", oom_adj=0" if not since("3.7") else ""
        first = f"{t.name} invoked oom-killer: gfp_mask=0xd0, order=0{adj}, oom_score_adj={t.adj}"
    elif not since("5.0"):
        mask = "gfp_mask=0x14000c0(GFP_KERNEL), nodemask=(null),"
        first = f"{t.name} invoked oom-killer: {mask}  order=0, oom_score_adj={t.adj}"
    else:
        first = f"{t.name} invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj={t.adj}"
    if not since("3.4"):
        second = f"Pid: {t.pid}, comm: {t.name} Not tainted {release}.1 #1"
    else:
        user = f"UID: {t.uid} " if since("6.11") else ""
        second = f"CPU: 1 {user}PID: {t.pid} Comm: {t.name} Not tainted {release}.1 #1"
    return [first, f"{t.name} cpuset=/ mems_allowed=0", second, "Call Trace:"]


def counters(release: str, limit: int, second: bool) -> list[str]:
    """mem_cgroup_print_oom_info, ..._meminfo."""
    kb, most = limit >> 10, 9007199254740988
    lines = [f"memory: usage {kb}kB, limit {kb}kB, failcnt 25"]
    if second:
        return [*lines, f"swap: usage 0kB, limit {most}kB, failcnt 0"]
    lines.append(f"memory+swap: usage {kb}kB, limit {most}kB, failcnt 0")
    if age(release) >= age("3.9"):
        lines.append(f"kmem: usage 132kB, limit {most}kB, failcnt 0")
    return lines


def stats(release: str, second: bool) -> list[str]:
    """The group's statistics: none until 3.8, on one line until 4.20, then as memory.stat has them."""
    if age(release) < age("3.9"):
        return []
    if age(release) < age("5.0"):
        return [
            "Memory cgroup stats for /A: cache:128KB rss:65408KB rss_huge:0KB mapped_file:0KB swap:0KB "
            "inactive_anon:0KB active_anon:65408KB inactive_file:64KB active_file:64KB unevictable:0KB"
        ]
    if second:
        return ["Memory cgroup stats for /A:", "anon 66977792", "file 131072", "kernel 135168", "shmem 0", "slab 40960"]
    return [
        "Memory cgroup stats for /A:", "cache 131072", "rss 66977792", "shmem 0", "swap 0", "total_cache 131072",
        "total_rss 66977792", "total_shmem 0", "total_swap 0",
    ]  # fmt: skip


def points(release: str, t: One, limit: int) -> int:
    """oom_badness of a task of an ordinary user without swap."""
    return t.rss + t.swapents + t.pgtables // 4096 + t.adj * (limit // 4096 // 1000)


def kill(release: str, t: One, limit: int) -> list[str]:
    """oom_kill_process."""
    since = partial(lambda first: age(release) >= age(first))
    total, anon = t.total_vm * 4, t.rss * 4
    score = points(release, t, limit) * 1000 // (limit // 4096)
    if not since("2.6.36"):
        return [
            f"Memory cgroup out of memory: kill process {t.pid} ({t.name}) score {score} or a child",
            f"Killed process {t.pid} ({t.name})",
        ]
    if not since("5.0"):
        shmem = ", shmem-rss:0kB" if since("4.5") else ""
        return [
            f"Memory cgroup out of memory: Kill process {t.pid} ({t.name}) score {score} or sacrifice child",
            f"Killed process {t.pid} ({t.name}) total-vm:{total}kB, anon-rss:{anon}kB, file-rss:0kB{shmem}",
        ]
    return [
        "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/A,task_memcg=/A/b,"
        f"task={t.name},pid={t.pid},uid={t.uid}",
        f"Memory cgroup out of memory: Killed process {t.pid} ({t.name}) total-vm:{total}kB, "
        f"anon-rss:{anon}kB, file-rss:0kB, shmem-rss:0kB, "
        f"UID:{t.uid} pgtables:{t.pgtables >> 10}kB oom_score_adj:{t.adj}",
    ]


def report(
    release: str, tasks: tuple[One, ...] = TASKS, victim: int = 312, limit: int = 64 * MIB, second: bool = False
) -> list[str]:
    """A whole report, without the times before its lines."""
    invoker = tasks[0]
    died = next(t for t in tasks if t.pid == victim)
    lines = invoked(release, invoker)
    if age(release) < age("5.0"):
        lines.append("Task in /A/b killed as a result of limit of /A")
    lines += [*counters(release, limit, second), *stats(release, second)]
    if age(release) >= age("4.19"):
        lines.append("Tasks state (memory values in pages):")
    return [*lines, heading(release), *(row(release, t) for t in tasks), *kill(release, died, limit)]
