"""What reading the memory controller's files of v1 gives, as Linux 3.0 has it: each is a text with its last newline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from cowpath.kernel import names as n
from cowpath.units import UNLIMITED_BYTES

Read = Callable[[Any, int], str]  # of a machine and a group


def of(value: Callable[[Any, int], int]) -> Read:
    """A file that is one number."""
    return lambda k, group: f"{value(k, group)}\n"


def stat(k: Any, group: int) -> str:
    """memory.stat."""
    return "".join(f"{key} {value}\n" for key, value in memory_stat(k, group).items())


def oom_control(k: Any, group: int) -> str:
    """memory.oom_control."""
    state = k.state.groups[group]
    return f"oom_kill_disable {state.oom_kill_disable}\nunder_oom {int(state.under_oom > 0)}\n"


def tasks(k: Any, group: int) -> str:
    """Tasks, a number a line."""
    return "".join(f"{task}\n" for task in _tasks(k, group, leaders=False))


def procs(k: Any, group: int) -> str:
    """cgroup.procs: without their threads."""
    return "".join(f"{task}\n" for task in _tasks(k, group, leaders=True))


usage = of(lambda k, group: _usage(k, group))
max_usage = of(lambda k, group: _bytes(k.books.groups[group].max_usage))
limit = of(lambda k, group: _bytes(k.state.groups[group].res.limit))
failcnt = of(lambda k, group: int(k.books.groups[group].failcnt))
memsw_usage = of(lambda k, group: _usage(k, group, memsw=True))
memsw_max_usage = of(lambda k, group: _bytes(k.books.groups[group].memsw_max_usage))
memsw_limit = of(lambda k, group: _bytes(k.state.groups[group].memsw.limit))
memsw_failcnt = of(lambda k, group: int(k.books.groups[group].memsw_failcnt))
use_hierarchy = of(lambda k, group: int(k.state.groups[group].use_hierarchy))
swappiness = of(lambda k, group: int(k.state.groups[group].swappiness))


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
    """The group and, where ``use_hierarchy`` is set, every group below it; a dead one only if it keeps what it had."""
    yield group
    if k.state.groups[group].use_hierarchy:
        for child in range(1, int(k.state.n_groups)):
            if child != group and is_counted(k, child) and _is_below(k, child, group):
                yield child


def is_counted(k: Any, group: int) -> bool:
    """The group is there, or has been removed and is counted by those above it all the same (``removed_group``)."""
    return bool(k.state.groups[group].alive or k.state.removed_group)


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
