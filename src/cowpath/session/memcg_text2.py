"""What reading the files of a memory cgroup v2 gives: each is a text with its last newline.

What they count is of the whole subtree, but for ``memory.events.local``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from cowpath.kernel import names as n
from cowpath.kernel import objects as o
from cowpath.kernel.books import PSI_AVERAGES
from cowpath.kernel.kmem import STACK
from cowpath.kernels.memcg_files import MemcgFiles
from cowpath.session.memcg_text import is_counted


def of(value: Callable[[Any, int], int]) -> Callable[..., str]:
    """A file that is one number of pages, in bytes."""
    return lambda k, group, _: f"{value(k, group) * n.PAGE_SIZE}\n"


def limit(value: Callable[[Any, int], Any]) -> Callable[..., str]:
    """A limit: a number of bytes, or max."""

    def read(k: Any, group: int, _: MemcgFiles) -> str:
        pages = int(value(k, group))
        return "max\n" if pages >= n.UNLIMITED else f"{pages * n.PAGE_SIZE}\n"

    return read


current = of(lambda k, group: int(k.state.groups[group].res.usage))
peak = of(lambda k, group: int(k.books.groups[group].max_usage))
swap_current = of(lambda k, group: int(k.state.groups[group].swap_usage))
maximum = limit(lambda k, group: k.state.groups[group].res.limit)
high = limit(lambda k, group: k.state.groups[group].high)
low = limit(lambda k, group: k.state.groups[group].low_pages)
minimum = limit(lambda k, group: k.state.groups[group].min_pages)
swap_max = limit(lambda k, group: k.state.groups[group].swap_max)
swap_high = limit(lambda k, group: k.state.groups[group].swap_high)


def oom_group(k: Any, group: int, _: MemcgFiles) -> str:
    """memory.oom.group."""
    return f"{int(k.state.groups[group].oom_group)}\n"


# --- counts --------------------------------------------------------------------------------------
def events(k: Any, group: int, keys: MemcgFiles) -> str:
    """memory.events."""
    return _events(k.books.groups[group].events, keys)


def events_local(k: Any, group: int, keys: MemcgFiles) -> str:
    """memory.events.local."""
    return _events(k.books.groups[group].events_local, keys)


def _events(counts: Any, keys: MemcgFiles) -> str:
    known = {name: int(counts[number]) for number, name in enumerate(n.MEMCG_EVENTS)}
    return _lines({key: known.get(key, 0) for key in keys.events})


def swap_events(k: Any, group: int, _: MemcgFiles) -> str:
    """memory.swap.events."""
    counts = k.books.groups[group].events
    return _lines({key: int(counts[n.MEMCG_EVENTS.index(f"swap_{key}")]) for key in ("high", "max", "fail")})


def stat(k: Any, group: int, keys: MemcgFiles) -> str:
    """memory.stat. A key that the model does not count is 0."""
    return _lines(memory_stat(k, group, keys))


def memory_stat(k: Any, group: int, keys: MemcgFiles) -> dict[str, int]:
    """The keys of memory.stat in the kernel's order."""
    total: dict[str, int] = {}
    for member in subtree(k, group):
        for key, value in _own(k, member).items():
            total[key] = total.get(key, 0) + value
    return {key: 0 if key in keys.uncounted else total.get(key, 0) for key in keys.stat}


def _own(k: Any, group: int) -> dict[str, int]:
    """What is counted of a group by itself."""
    books, lists = k.books.groups[group], k.state.groups[group].lists
    pages = {
        "anon": books.rss, "file": books.cache, "kernel": books.kmem,
        "file_mapped": books.mapped_file, **of_pages(k, group),
        **{name: lists[number].count for number, name in enumerate(n.LRU_NAMES)},
    }  # fmt: skip
    return {
        **{key: int(value) * n.PAGE_SIZE for key, value in pages.items()},
        **_kernel_memory(k, group),
        **_reclaim(k, group),
        "pgfault": int(books.pgfault), "pgmajfault": int(books.pgmajfault),
        "thp_fault_alloc": int(books.thp_fault_alloc),
    }  # fmt: skip


def vm_events(k: Any, group: int) -> dict[str, int]:
    """What reclaim has done in a group by itself, by the kernel's names."""
    counts = k.books.groups[group].vm_events
    return {name: int(counts[number]) for number, name in enumerate(n.VM_EVENTS)}


def _reclaim(k: Any, group: int) -> dict[str, int]:
    """The same, and the sums that memory.stat has of it."""
    events = vm_events(k, group)
    sums = {
        "pgscan": sum(events[f"pgscan_{who}"] for who in RECLAIMERS),
        "pgsteal": sum(events[f"pgsteal_{who}"] for who in RECLAIMERS),
        "workingset_refault": events["workingset_refault_file"],  # until 5.8: of files alone
        "workingset_activate": events["workingset_activate_file"],
    }
    return sums | events


RECLAIMERS = ("kswapd", "direct", "proactive")


def _kernel_memory(k: Any, group: int) -> dict[str, int]:
    """What the kernel has for its tasks, in bytes."""
    state = k.state
    tasks, mms = state["tasks"][: int(state.n_tasks)], state["mms"][: int(state.n_mms)]
    stacks = STACK * int(np.count_nonzero((tasks["kmem"] == 1 + group) & (tasks["run_state"] != n.T_ZOMBIE)))
    own = int(k.books.objects[o.OWN_TABLES]) * int(np.count_nonzero(mms["kmem"] == 1 + group))
    of_kernel = state.groups[group]
    tables = int(k.books.groups[group].kmem) - int(of_kernel.slab_pages) - int(of_kernel.kernel_pages)
    unreclaimable, reclaimable = map(int, k.books.groups[group].slab)
    return {
        "kernel_stack": stacks * n.PAGE_SIZE, "pagetables": (tables + own) * n.PAGE_SIZE,
        "slab_reclaimable": reclaimable, "slab_unreclaimable": unreclaimable, "slab": reclaimable + unreclaimable,
        "percpu": int(k.books.groups[group].percpu),
    }  # fmt: skip


def of_pages(k: Any, group: int) -> dict[str, int]:
    """What is looked up page by page."""
    pages = k.state["pages"][: int(k.state.n_pages)]
    mine = np.flatnonzero((pages["group"] == group) & (pages["refs"] > 0))
    pages, sizes = pages[mine], 1 + k.books["pages"]["tails"][mine].astype(np.int64)
    bits, of_file = pages["bits"], pages["file"] != n.NONE
    shmem, anon = of_file & (bits & n.PG_SWAPBACKED != 0), bits & n.PG_ANON != 0
    huge = (sizes == n.HPAGE_PMD_NR) & (of_file | (pages["mapcount"] >= n.HPAGE_PMD_NR))
    return {
        "shmem": int(sizes[shmem].sum()),
        "file_dirty": int(sizes[of_file & ~shmem & (bits & n.PG_DIRTY != 0)].sum()),
        "file_writeback": int(sizes[of_file & (bits & n.PG_WRITEBACK != 0)].sum()),
        "swapcached": int(np.count_nonzero(bits & n.PG_SWAPCACHE)),
        "anon_thp": int(sizes[anon & huge].sum()),
        "file_thp": int(sizes[of_file & huge].sum()),
    }


def pressure(k: Any, group: int, _: MemcgFiles | None = None) -> str:
    """memory.pressure: averages in percent, the total in us."""
    psi = k.books.psi[group]
    lines = []
    for which, name in enumerate(("some", "full")):
        averages = [int(avg) for avg in psi.avg[PSI_AVERAGES * which : PSI_AVERAGES * (which + 1)]]
        shown = [f"{avg >> 11}.{(avg & 2047) * 100 >> 11:02}" for avg in averages]
        lines.append("{} avg10={} avg60={} avg300={} total={}\n".format(name, *shown, int(psi.total[which]) // 1000))
    return "".join(lines)


# --- the group itself ----------------------------------------------------------------------------
def controllers(k: Any, group: int, _: MemcgFiles) -> str:
    """cgroup.controllers."""
    return "memory\n" if has_memory(k, group) else "\n"


def subtree_control(k: Any, group: int, _: MemcgFiles) -> str:
    """cgroup.subtree_control."""
    return "memory\n" if k.state.groups[group].controls else "\n"


def populated(k: Any, group: int, _: MemcgFiles) -> str:
    """cgroup.events."""
    some = any(k.state.groups[member].tasks > 0 for member in subtree(k, group))
    return _lines({"populated": int(some), "frozen": 0})


def has_memory(k: Any, group: int) -> bool:
    """It has the memory controller's files: its parent's cgroup.subtree_control says so."""
    return group == 0 or bool(k.state.groups[int(k.state.groups[group].parent)].controls)


def subtree(k: Any, group: int) -> Iterator[int]:
    """The group and every group below it; a dead one only if it keeps what it had."""
    for member in range(int(k.state.n_groups)):
        up = member
        while up > 0 and up != group:
            up = int(k.state.groups[up].parent)
        if up == group and (member == group or is_counted(k, member)):
            yield member


def _lines(values: dict[str, int]) -> str:
    return "".join(f"{key} {value}\n" for key, value in values.items())
