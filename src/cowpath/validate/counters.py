"""The counters of a group, named and in the units of the schemas: what the files of the memory controller hold."""

from __future__ import annotations

from typing import Any

from cowpath.kernel import names as n
from cowpath.kernels.memcg_files import MemcgFiles
from cowpath.session import memcg_text, memcg_text2

Counters = dict[str, Any]
V1_STAT = (  # keys of memory.stat that are told apart, of those that Linux 3.0 has not
    "shmem", "dirty", "writeback", "swapcached", "rss_huge", "workingset_refault_anon", "workingset_refault_file",
)  # fmt: skip


def of_group(k: Any, group: int, keys: MemcgFiles | None, drained: bool = False) -> Counters:
    """All counters of a group; ``keys`` are those of the kernel's cgroup v2, None for v1. ``drained``: v1's, without
    what CPUs keep of charges.
    """
    return _v1(k, group, drained) if keys is None else _v2(k, group, keys)


def _v1(k: Any, group: int, drained: bool) -> Counters:
    kept = _kept(k, group) if drained else 0
    state, books = k.state.groups[group], k.books.groups[group]
    own, total = _v1_stat(k, group), dict[str, int]()
    for member in memcg_text.subtree(k, group):
        for key, value in _v1_stat(k, member).items():
            total[f"total_{key}"] = total.get(f"total_{key}", 0) + value
    found: Counters = {
        "usage_in_bytes": int(state.res.usage - kept) * n.PAGE_SIZE,
        "max_usage_in_bytes": int(books.max_usage) * n.PAGE_SIZE,
        "failcnt": int(books.failcnt),
        "memsw.usage_in_bytes": int(state.memsw.usage - kept) * n.PAGE_SIZE,
        "memsw.max_usage_in_bytes": int(books.memsw_max_usage) * n.PAGE_SIZE,
        "memsw.failcnt": int(books.memsw_failcnt),
        "kmem.usage_in_bytes": int(books.kmem_usage) * n.PAGE_SIZE,
        "kmem.max_usage_in_bytes": int(books.kmem_max_usage) * n.PAGE_SIZE,
        "oom_kill": int(books.events_local[n.MEMCG_EVENTS.index("oom_kill")]),
        "under_oom": int(state.under_oom > 0),
        "stat": nonzero(own),
    }
    if list(total.values()) != list(own.values()):
        found["stat_total"] = nonzero(total)
    return found


def _kept(k: Any, group: int) -> int:
    """Pages that CPUs keep of charges for a group and those below it."""
    members = set(memcg_text2.subtree(k, group))
    cpus = k.state["cpus"][: int(k.state.n_cpus)]
    return sum(int(stock["pages"]) for cpu in cpus for stock in cpu["stocks"] if int(stock["group"]) in members)


def _v1_stat(k: Any, group: int) -> dict[str, int]:
    stat = memcg_text.memory_stat(k, group)
    own = {key: value for key, value in stat.items() if not key.startswith(("total_", "hierarchical_"))}
    own |= {key: value for key, value in memcg_text2.vm_events(k, group).items() if key in V1_STAT}
    own["rss_huge"] = memcg_text2.of_pages(k, group)["anon_thp"] * n.PAGE_SIZE
    return own


def _v2(k: Any, group: int, keys: MemcgFiles) -> Counters:
    state, books = k.state.groups[group], k.books.groups[group]
    found: Counters = {
        "current": int(state.res.usage) * n.PAGE_SIZE,
        "peak": int(books.max_usage) * n.PAGE_SIZE,
        "swap.current": int(state.swap_usage) * n.PAGE_SIZE,
        "events": pairs(memcg_text2.events(k, group, keys)),
        "stat": nonzero(memcg_text2.memory_stat(k, group, keys)),
    }
    local, swap = pairs(memcg_text2.events_local(k, group, keys)), pairs(memcg_text2.swap_events(k, group, keys))
    if local != found["events"]:
        found["events.local"] = local
    if any(swap.values()):
        found["swap.events"] = swap
    return found


def vm_events(k: Any, group: int) -> dict[str, int]:
    """What the group's vm events have come to."""
    books = k.books.groups[group]
    events = memcg_text2.vm_events(k, group).items()
    counts = {name.upper(): count for name, count in events if not name.startswith("workingset")}  # of memory.stat
    for name in ("pgfault", "pgmajfault", "pgpgin", "pgpgout"):
        counts[name.upper()] = int(books[name])
    counts["THP_FAULT_ALLOC"] = int(books.thp_fault_alloc)
    return nonzero(counts)


def dying(k: Any) -> int:
    """Groups that have been removed and are still charged for something (nr_dying_descendants)."""
    return sum(is_dying(k, group) for group in range(1, int(k.state.n_groups)))


def is_dying(k: Any, group: int) -> bool:
    """It has been removed, and is still charged for something."""
    state = k.state.groups[group]
    return bool(not state.alive and (state.res.usage > 0 or state.swap_usage > 0))


def pairs(text: str) -> dict[str, int]:
    """The lines of a file, "key number"."""
    return {key: int(value) for key, value in map(str.split, text.splitlines())}


def nonzero(values: dict[str, int]) -> dict[str, int]:
    """Without what is zero, as the schemas have it."""
    return {key: value for key, value in values.items() if value}
