"""The memory controller's files as Linux 3.0 has them: their names, which can be written, and what reading gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.session.plan import HostText, Plan
from cowpath.units import UNLIMITED_BYTES, parse_limit
from cowpath.words import nearest

MOUNTS = ("/sys/fs/cgroup/memory", "/cgroup/memory", "/dev/cgroup/memory")

LIMITS = (n.CG_LIMIT, n.CG_MEMSW_LIMIT)
TRIGGERS = (  # whatever is written: a reset, or force_empty
    n.CG_FAILCNT, n.CG_MEMSW_FAILCNT, n.CG_MAX_USAGE, n.CG_MEMSW_MAX_USAGE, n.CG_FORCE_EMPTY,
)  # fmt: skip
RANGES = {n.CG_OOM_CONTROL: (0, 1), n.CG_SWAPPINESS: (0, 100), n.CG_USE_HIERARCHY: (0, 1)}
WRITABLE = {name: number for number, name in enumerate(n.CG_FILES)}

READABLE = (
    "memory.usage_in_bytes", "memory.max_usage_in_bytes", "memory.limit_in_bytes", "memory.failcnt", "memory.stat",
    "memory.use_hierarchy", "memory.swappiness", "memory.oom_control", "memory.memsw.usage_in_bytes",
    "memory.memsw.max_usage_in_bytes", "memory.memsw.limit_in_bytes", "memory.memsw.failcnt",
)  # fmt: skip
TASK_FILES = ("tasks", "cgroup.procs")  # readable, one number a line
NOT_MODELLED = (
    "memory.soft_limit_in_bytes", "memory.move_charge_at_immigrate", "memory.numa_stat",
    "cgroup.event_control", "cgroup.clone_children", "notify_on_release",
)  # fmt: skip
V2_NAMES = {
    "memory.max": "memory.limit_in_bytes", "memory.current": "memory.usage_in_bytes",
    "memory.swap.max": "memory.memsw.limit_in_bytes", "memory.peak": "memory.max_usage_in_bytes",
    "memory.events": "memory.failcnt", "memory.high": "memory.limit_in_bytes",
}  # fmt: skip

ERRORS = {  # by errno, in glibc's words
    2: "No such file or directory", 3: "No such process", 4: "Interrupted system call", 5: "Input/output error",
    11: "Resource temporarily unavailable", 12: "Cannot allocate memory", 14: "Bad address",
    16: "Device or resource busy", 22: "Invalid argument",
}  # fmt: skip


def writable(name: str) -> int:
    """The CG_* of a file that can be written. Raises InputError, without a place."""
    if name in WRITABLE:
        return WRITABLE[name]
    if name in READABLE or name in TASK_FILES:
        how = "echo $! > tasks, or cgclassify" if name in TASK_FILES else None
        raise InputError(f"{name} cannot be written", hint=how)
    raise _unknown(name, WRITABLE)


def readable(name: str) -> str:
    """The name of a file that can be read. Raises InputError, without a place."""
    if name in READABLE or name in TASK_FILES:
        return name
    if name in WRITABLE:
        raise InputError(f"{name} cannot be read", hint="echo 0 > memory.force_empty")
    raise _unknown(name, READABLE + TASK_FILES)


def _unknown(name: str, known: Any) -> InputError:
    if name in NOT_MODELLED:
        return InputError(f"{name} is not modelled")
    if name in V2_NAMES:
        return InputError(f"no such file: {name!r}", hint=f"cgroup v1 calls it {V2_NAMES[name]}")
    return InputError(f"no such file: {name!r}", hint=nearest(name, known) or f"for example {n.CG_FILES[0]}")


def read_value(file: int, text: str) -> int:
    """What OP_CG_SET writes to a file: pages for limits, else the number. Raises InputError, without a place."""
    if file in LIMITS:
        return parse_limit(text)
    if file in TRIGGERS:
        return 0
    low, high = RANGES[file]
    if text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high:
        return int(text)
    raise InputError(f"{text!r} is not a value of {n.CG_FILES[file]}", hint=f"a whole number from {low} to {high}")


# --- reading, at run time ------------------------------------------------------------------------


FORK = {  # bash's make_child
    n.HOST_FORK_RETRY: "fork: retry: Resource temporarily unavailable",
    n.HOST_FORK_FAILED: "fork: Resource temporarily unavailable",
}


def printed(k: Any, plan: Plan, number: int) -> str:
    """What the machine asks to be printed (books.host): a text of the plan, or what a shell says that cannot fork."""
    if number in FORK:
        return f"{plan.name}: {FORK[number]}\n"
    return render(k, plan.texts[number], int(k.state.tasks[int(k.books.host_task)].status))


def render(k: Any, text: HostText, status: int) -> str:
    """What the shell prints at an OP_HOST, with its last newline. ``status`` is the task's: an errno."""
    if text.kind == "echo":
        return text.text + "\n"
    if text.kind == "error":
        return f"{text.text}{ERRORS.get(status, f'error {status}')}\n"
    if text.kind == "cat":
        return "".join(read_file(k, text.group, name) for name in text.files)
    values = (f"{name}: " + read_file(k, text.group, name).rstrip("\n").replace("\n", "\n\t") for name in text.files)
    return f"{text.text}:\n" + "".join(f"{value}\n" for value in values) + "\n"


def read_file(k: Any, group: int, name: str) -> str:
    """A file's text, with its last newline, in the format of Linux 3.0."""
    state, books = k.state.groups[group], k.books.groups[group]
    match name:
        case "memory.stat":
            return "".join(f"{key} {value}\n" for key, value in memory_stat(k, group).items())
        case "memory.oom_control":
            return f"oom_kill_disable {state.oom_kill_disable}\nunder_oom {int(state.under_oom > 0)}\n"
        case "tasks" | "cgroup.procs":
            return "".join(f"{task}\n" for task in _tasks(k, group, leaders=name != "tasks"))
    value = {
        "memory.usage_in_bytes": lambda: _usage(k, group),
        "memory.max_usage_in_bytes": lambda: _bytes(books.max_usage),
        "memory.limit_in_bytes": lambda: _bytes(state.res.limit),
        "memory.failcnt": lambda: int(books.failcnt),
        "memory.memsw.usage_in_bytes": lambda: _usage(k, group, memsw=True),
        "memory.memsw.max_usage_in_bytes": lambda: _bytes(books.memsw_max_usage),
        "memory.memsw.limit_in_bytes": lambda: _bytes(state.memsw.limit),
        "memory.memsw.failcnt": lambda: int(books.memsw_failcnt),
        "memory.use_hierarchy": lambda: int(state.use_hierarchy),
        "memory.swappiness": lambda: int(state.swappiness),
    }[name]()
    return f"{value}\n"


def memory_stat(k: Any, group: int) -> dict[str, int]:
    """The keys of memory.stat in the kernel's order; bytes, but for the four counts."""
    limit, memsw_limit = _hierarchical_limits(k, group)
    total: dict[str, int] = {}
    for member in subtree(k, group):
        for key, value in _local_stat(k, member).items():
            total[key] = total.get(key, 0) + value
    return {
        **_local_stat(k, group),
        "hierarchical_memory_limit": limit,
        "hierarchical_memsw_limit": memsw_limit,
        **{f"total_{key}": value for key, value in total.items()},
    }


def subtree(k: Any, group: int) -> Iterator[int]:
    """The group and, where ``use_hierarchy`` is set, every living group below it."""
    yield group
    if k.state.groups[group].use_hierarchy:
        for child in range(1, int(k.state.n_groups)):
            if child != group and k.state.groups[child].alive and _is_below(k, child, group):
                yield child


def _is_below(k: Any, group: int, ancestor: int) -> bool:
    while group > 0 and group != ancestor:
        group = int(k.state.groups[group].parent)
    return group == ancestor


def _local_stat(k: Any, group: int) -> dict[str, int]:
    books, lists = k.books.groups[group], k.state.groups[group].lists
    return {
        "cache": _bytes(books.cache),
        "rss": _bytes(books.rss),
        "mapped_file": _bytes(books.mapped_file),
        "pgpgin": int(books.pgpgin),
        "pgpgout": int(books.pgpgout),
        "swap": _bytes(books.swap),
        "pgfault": int(books.pgfault),
        "pgmajfault": int(books.pgmajfault),
        **{name: _bytes(lists[number].count) for number, name in enumerate(n.LRU_NAMES)},
    }


def _hierarchical_limits(k: Any, group: int) -> tuple[int, int]:
    """The tightest limits up the tree (``memcg_get_hierarchical_limit``), in bytes."""
    state = k.state.groups[group]
    limit, memsw = int(state.res.limit), int(state.memsw.limit)
    while state.use_hierarchy and state.parent >= 0:
        state = k.state.groups[state.parent]
        if not state.use_hierarchy:
            break
        limit, memsw = min(limit, int(state.res.limit)), min(memsw, int(state.memsw.limit))
    return _bytes(limit), _bytes(memsw)


def _usage(k: Any, group: int, memsw: bool = False) -> int:
    """``mem_cgroup_usage``: a group's counter; the root has none, its pages are counted."""
    if group == 0:
        books = [k.books.groups[g] for g in subtree(k, 0)]
        return sum(_bytes(b.cache + b.rss + (b.swap if memsw else 0)) for b in books)
    counter = k.state.groups[group].memsw if memsw else k.state.groups[group].res
    return _bytes(counter.usage)


def _tasks(k: Any, group: int, leaders: bool) -> list[int]:
    tasks = k.state.tasks[: int(k.state.n_tasks)]
    alive = (tasks["run_state"] == n.T_RUNNABLE) | (tasks["run_state"] == n.T_SLEEPING)
    return [
        t for t in range(len(tasks)) if alive[t] and tasks[t].group == group and (not leaders or tasks[t].leader == t)
    ]


def _bytes(pages: Any) -> int:
    """Pages in bytes; what has no limit is the kernel's RESOURCE_MAX."""
    return UNLIMITED_BYTES if pages >= n.UNLIMITED else int(pages) * n.PAGE_SIZE
