"""The files of a memory cgroup v2: a table of what each reads as, what can be written, and since when it is there.

Which of them a kernel has, and which keys stand in them, is in ``kernels/memcg_files.toml``.
"""

from __future__ import annotations

import re

from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.session import memcg_text
from cowpath.session import memcg_text2 as text
from cowpath.session.groupfile import GroupFile, anything
from cowpath.units import memparse

MOST_SWAPPINESS = 200
ONLY_ANON = MOST_SWAPPINESS + 1  # "swappiness=max"
CONTROLLERS = (  # besides memory
    "cpu", "cpuset", "io", "pids", "hugetlb", "rdma", "misc", "dmem",
)  # fmt: skip


def limit(value: str) -> int:
    """A limit in pages (``page_counter_memparse``): whole pages of so many bytes, or max."""
    if value == "max":
        return n.UNLIMITED
    size = memparse(value)
    if size is None:
        raise InputError(f"{value!r} is not a limit", hint="a whole number with K, M, G or T: 64M; max: no limit")
    return min(size // n.PAGE_SIZE, n.UNLIMITED)


def flag(value: str) -> int:
    """0 or 1."""
    if value not in ("0", "1"):
        raise InputError(f"{value!r} is not a value of it", hint="0 or 1")
    return int(value)


def one(value: str) -> int:
    """cgroup.kill: the kernel answers ERANGE to everything else."""
    if value != "1":
        raise InputError(f"{value!r} is not a value of it", hint="1 kills all")
    return 1


def reclaim(value: str) -> tuple[int, int]:
    """memory.reclaim: pages, and 1 + the swappiness that is to be used, or 0."""
    words = value.split()
    if not words or len(words) > 2:
        raise InputError(f"{value!r} is not a value of it", hint="how much to take: 64M, 64M swappiness=60")
    swappiness = 0
    if len(words) == 2:
        key, _, number = words[1].partition("=")
        if key != "swappiness" or not (number == "max" or re.fullmatch(r"[0-9]{1,3}", number)):
            raise InputError(f"{words[1]!r} is not understood by it", hint="swappiness=60, swappiness=max")
        swappiness = 1 + (ONLY_ANON if number == "max" else int(number))
        if swappiness - 1 > ONLY_ANON or number == str(ONLY_ANON):
            raise InputError(f"{words[1]!r} is out of range", hint=f"swappiness=0 to {MOST_SWAPPINESS}, or max")
    if memparse(words[0]) is None:
        raise InputError(f"{words[0]!r} is not a size", hint="a whole number with K, M, G or T: 64M")
    return limit(words[0]), swappiness


def controls(value: str) -> int:
    """cgroup.subtree_control: 1 with +memory, 0 with -memory, NONE where it is not named."""
    found = n.NONE
    for word in value.split():
        sign, name = word[0], word[1:]
        if sign not in "+-" or name not in ("memory", *CONTROLLERS):
            known = ", ".join(f"+{each}" for each in ("memory", *CONTROLLERS))
            raise InputError(f"{word!r} is not a controller with + or -", hint=known)
        if name == "memory":
            found = int(sign == "+")
    return found


LOWER = "none: what is above it is reclaimed, and then the OOM killer takes tasks, from the writer"
TASKS = "echo $! > cgroup.procs, or cgclassify"
TABLE = (
    GroupFile("cgroup.controllers", "4.5", text.controllers),
    GroupFile("cgroup.subtree_control", "4.5", text.subtree_control, controls,
              ("ENOENT: its parent does not pass the controller on", "EBUSY: there are tasks in it",
               "EBUSY: a group below passes it on")),
    GroupFile("cgroup.procs", "4.5", lambda k, group, _: memcg_text.procs(k, group),
              errors=("ESRCH: the job has ended", "EBUSY: it passes controllers on"), how=TASKS),
    GroupFile("cgroup.events", "4.5", text.populated, on_root=False),
    GroupFile("cgroup.kill", "5.14", None, one, how="1 is written to it, and it shows nothing", on_root=False),
    GroupFile("memory.current", "4.5", text.current, on_root=False),
    GroupFile("memory.peak", "5.19", text.peak, anything,
              ("EINVAL: up to 6.11; later a write is about its own open file only",), on_root=False),
    GroupFile("memory.min", "4.18", text.minimum, limit, on_root=False),
    GroupFile("memory.low", "4.5", text.low, limit, on_root=False),
    GroupFile("memory.high", "4.5", text.high, limit, on_root=False),
    GroupFile("memory.max", "4.5", text.maximum, limit, (LOWER,), on_root=False),
    GroupFile("memory.events", "4.5", text.events, on_root=False),
    GroupFile("memory.events.local", "5.2", text.events_local, on_root=False),
    GroupFile("memory.stat", "4.5", text.stat),
    GroupFile("memory.oom.group", "4.19", text.oom_group, flag, on_root=False),
    GroupFile("memory.reclaim", "5.19", None, reclaim,
              ("EAGAIN: there was not so much", "EINVAL: swappiness=, up to 6.8"),
              "how much to take is written to it, and it shows nothing", on_root=False),
    GroupFile("memory.pressure", "4.20", text.pressure, how="a trigger is for poll(2), and no program here calls it"),
    GroupFile("memory.swap.current", "4.5", text.swap_current, on_root=False),
    GroupFile("memory.swap.high", "5.8", text.swap_high, limit, on_root=False),
    GroupFile("memory.swap.max", "4.5", text.swap_max, limit, on_root=False),
    GroupFile("memory.swap.events", "4.18", text.swap_events, on_root=False),
)  # fmt: skip
FILES = {file.name: file for file in TABLE}

NOT_MODELLED = {
    "memory.numa_stat": "pages by node: the machine has one",
    "memory.swap.peak": "the most that was in swap",
    "memory.zswap.current": "what is in zswap", "memory.zswap.max": "a limit of zswap",
    "memory.zswap.writeback": "whether zswap is written to disk",
    "cgroup.freeze": "stops all tasks of the group, and no task of the model can be stopped",
    "cgroup.threads": "groups of single threads",
    "cgroup.type": "groups of single threads",
    "cgroup.stat": "how many groups are below",
    "cgroup.max.depth": "how deep groups may be", "cgroup.max.descendants": "how many groups may be below",
    "cgroup.pressure": "whether PSI is kept", "cpu.pressure": "how long tasks waited for a CPU",
    "io.pressure": "how long tasks waited for the disk", "irq.pressure": "how long interrupts took",
}  # fmt: skip
SAME_IN_V2 = {  # what does in v1 just what another does in v2
    "memory.limit_in_bytes": "memory.max", "memory.usage_in_bytes": "memory.current",
    "memory.max_usage_in_bytes": "memory.peak", "tasks": "cgroup.procs",
}  # fmt: skip
ONLY_IN_V1 = {
    "memory.failcnt": "how often the limit was met: v2 counts what came of it",
    "memory.use_hierarchy": "whether groups below are charged as well: in v2 they always are",
    "memory.swappiness": "what reclaim takes first: v2 has only vm.swappiness, of the machine",
    "memory.oom_control": "whether there is an OOM killer: in v2 there always is",
    "memory.force_empty": "takes all that can be reclaimed",
    "memory.memsw.usage_in_bytes": "memory and swap in one: v2 counts swap by itself",
    "memory.memsw.max_usage_in_bytes": "memory and swap in one: v2 counts swap by itself",
    "memory.memsw.limit_in_bytes": "a limit of memory and swap in one: v2 limits swap by itself",
    "memory.memsw.failcnt": "memory and swap in one: v2 counts swap by itself",
}  # fmt: skip
