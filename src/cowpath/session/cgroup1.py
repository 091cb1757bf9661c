"""The files of a memory cgroup v1: a table of what each reads as, what can be written, and since when it is there.

What is not in the table is named for what it is, where other kernels have it. A file of cgroup v2 has a hint only where
its v1 counterpart does what was wanted.
"""

from __future__ import annotations

from cowpath.session import memcg_text as text
from cowpath.session.groupfile import GroupFile, anything, within
from cowpath.units import parse_limit

LOWER = "EBUSY: what is charged cannot be reclaimed"
TASKS = "echo $! > tasks, or cgclassify"
TABLE = (
    GroupFile("memory.usage_in_bytes", "2.6.25", text.usage),
    GroupFile("memory.max_usage_in_bytes", "2.6.26", text.max_usage, anything),
    GroupFile("memory.limit_in_bytes", "2.6.25", text.limit, parse_limit,
              ("EINVAL: above memory.memsw.limit_in_bytes", LOWER)),
    GroupFile("memory.failcnt", "2.6.25", text.failcnt, anything),
    GroupFile("memory.stat", "2.6.25", text.stat),
    GroupFile("memory.use_hierarchy", "2.6.29", text.use_hierarchy, within(0, 1),
              ("EINVAL: the parent has it", "EBUSY: there are groups below")),
    GroupFile("memory.swappiness", "2.6.29", text.swappiness, within(0, 100)),
    GroupFile("memory.oom_control", "2.6.35", text.oom_control, within(0, 1), ("EINVAL: in a hierarchy",)),
    GroupFile("memory.memsw.usage_in_bytes", "2.6.29", text.memsw_usage),
    GroupFile("memory.memsw.max_usage_in_bytes", "2.6.29", text.memsw_max_usage, anything),
    GroupFile("memory.memsw.limit_in_bytes", "2.6.29", text.memsw_limit, parse_limit,
              ("EINVAL: below memory.limit_in_bytes", LOWER)),
    GroupFile("memory.memsw.failcnt", "2.6.29", text.memsw_failcnt, anything),
    GroupFile("memory.force_empty", "2.6.25", None, anything, ("EBUSY: there are tasks or groups in it",),
              "what is written to it empties the group, and it shows nothing"),
    GroupFile("tasks", "2.6.24", text.tasks, errors=("ESRCH: the job has ended",), how=TASKS),
    GroupFile("cgroup.procs", "2.6.32", text.procs, errors=("ESRCH: the job has ended",), how=TASKS),
)  # fmt: skip
FILES = {file.name: file for file in TABLE}
TASK_FILES = ("tasks", "cgroup.procs")  # one number a line; what is written to them moves tasks
READABLE = tuple(name for name, file in FILES.items() if file.read is not None and name not in TASK_FILES)

NOT_MODELLED = {  # of v1, in the modelled kernels or later ones
    "memory.soft_limit_in_bytes": "whom to reclaim from first when the machine is short of memory",
    "memory.move_charge_at_immigrate": "whether a task's pages move with it: here they stay, which is the default",
    "memory.numa_stat": "pages by node: the machine has one",
    "memory.pressure_level": "for event listeners, since Linux 3.10",
    "memory.kmem.limit_in_bytes": "a limit of kernel memory alone, since Linux 3.8",
    "memory.kmem.usage_in_bytes": "kernel memory, since Linux 3.8",
    "memory.kmem.max_usage_in_bytes": "kernel memory, since Linux 3.8",
    "memory.kmem.failcnt": "kernel memory, since Linux 3.8",
    "memory.kmem.slabinfo": "kernel memory, since Linux 3.8",
    "memory.kmem.tcp.limit_in_bytes": "memory of sockets, since Linux 3.3",
    "cgroup.event_control": "for event listeners",
    "cgroup.clone_children": "for cpusets",
    "cgroup.sane_behavior": "what became cgroup v2",
    "notify_on_release": "whether release_agent is run",
    "release_agent": "what is run when a group is empty",
}
SAME_IN_V1 = {  # what does in v2 just what another does in v1
    "memory.max": "memory.limit_in_bytes", "memory.current": "memory.usage_in_bytes",
    "memory.peak": "memory.max_usage_in_bytes",
}  # fmt: skip
ONLY_IN_V2 = {
    "memory.high": "above it tasks are slowed down, and not stopped",
    "memory.low": "memory that is taken only when there is no other",
    "memory.min": "memory that is never taken",
    "memory.events": "how often each limit was met, and how many were killed",
    "memory.events.local": "how often each limit was met, and how many were killed",
    "memory.oom.group": "whether the OOM killer kills the group as a whole",
    "memory.reclaim": "takes so much memory from the group at once",
    "memory.pressure": "how long tasks waited for memory (PSI)",
    "memory.swap.max": "a limit of swap alone",
    "memory.swap.high": "above it tasks that swap are slowed down",
    "memory.swap.current": "what of the group is in swap, alone",
    "memory.swap.peak": "the most that was in swap, alone",
    "memory.swap.events": "how often the limit of swap was met",
    "memory.zswap.current": "what is in zswap", "memory.zswap.max": "a limit of zswap",
    "memory.zswap.writeback": "whether zswap is written to disk",
    "cgroup.controllers": "the controllers that there are", "cgroup.subtree_control": "the controllers of children",
    "cgroup.events": "whether there are tasks in it", "cgroup.threads": "the threads in it",
    "cgroup.type": "whether it has threads of its own", "cgroup.freeze": "stops all tasks",
    "cgroup.kill": "kills all tasks", "cgroup.stat": "how many groups are below",
    "cgroup.max.depth": "how deep groups may be", "cgroup.max.descendants": "how many groups may be below",
    "cgroup.pressure": "whether PSI is kept",
}  # fmt: skip
OTHER_CONTROLLERS = (
    "cpu", "cpuacct", "cpuset", "blkio", "io", "pids", "devices", "freezer", "net_cls", "net_prio", "hugetlb",
    "perf_event", "rdma", "misc",
)  # fmt: skip
