"""The memory controller's files in the formats of Linux 3.0."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cowpath.errors import InputError
from cowpath.kernel import books as kept
from cowpath.kernel import names as n
from cowpath.kernel import records
from cowpath.session import cgroupfs, host
from cowpath.session.plan import HostText

KEYS = [
    "cache",
    "rss",
    "mapped_file",
    "pgpgin",
    "pgpgout",
    "swap",
    "pgfault",
    "pgmajfault",
    "inactive_anon",
    "active_anon",
    "inactive_file",
    "active_file",
    "unevictable",
    "hierarchical_memory_limit",
    "hierarchical_memsw_limit",
    "total_cache",
    "total_rss",
    "total_mapped_file",
    "total_pgpgin",
    "total_pgpgout",
    "total_swap",
    "total_pgfault",
    "total_pgmajfault",
    "total_inactive_anon",
    "total_active_anon",
    "total_inactive_file",
    "total_active_file",
    "total_unevictable",
]


@pytest.fixture
def k() -> Any:
    """The groups of a machine: root, A, A/B, and C, which is not below A."""
    groups = np.zeros(4, records.group).view(np.recarray)
    books = np.zeros(4, kept.group_books).view(np.recarray)
    tasks = np.zeros(3, records.task).view(np.recarray)
    for g, parent in enumerate((n.NONE, 0, 1, 0)):
        groups[g].alive = 1
        groups[g].parent = parent
        for counter in (groups[g].res, groups[g].memsw):
            counter.limit = n.UNLIMITED
    groups[1].use_hierarchy = groups[2].use_hierarchy = 1
    groups[1].res.limit, groups[1].res.usage, groups[1].oom_kill_disable, groups[1].under_oom = 16384, 16384, 1, 3
    groups[1].lists[n.LRU_ACTIVE_ANON].count = 7
    books[1].rss, books[2].rss, books[3].rss, books[1].failcnt, books[2].pgfault = 10, 5, 100, 7, 3
    books[1].swap, books[2].swap, books[0].rss, books[0].swap = 3, 2, 4, 1
    tasks[1].run_state, tasks[1].group, tasks[1].leader = n.T_SLEEPING, 1, 1
    tasks[2].run_state, tasks[2].group, tasks[2].leader = n.T_RUNNABLE, 1, 1
    return SimpleNamespace(
        state=SimpleNamespace(groups=groups, n_groups=4, tasks=tasks, n_tasks=3), books=SimpleNamespace(groups=books)
    )


def test_memory_stat(k: Any) -> None:
    stat = cgroupfs.memory_stat(k, 1)
    assert list(stat) == KEYS
    assert (stat["rss"], stat["total_rss"], stat["active_anon"], stat["total_pgfault"]) == (40960, 61440, 28672, 3)
    assert stat["hierarchical_memory_limit"] == 64 << 20
    assert stat["hierarchical_memsw_limit"] == (1 << 63) - 1
    assert cgroupfs.memory_stat(k, 2)["hierarchical_memory_limit"] == 64 << 20  # its parent's
    assert cgroupfs.memory_stat(k, 0)["total_rss"] == 4 * 4096  # the root has no use_hierarchy
    assert (stat["swap"], stat["total_swap"]) == (3 * 4096, 5 * 4096)


def test_files(k: Any) -> None:
    assert cgroupfs.read_file(k, 1, "memory.oom_control") == "oom_kill_disable 1\nunder_oom 1\n"
    assert cgroupfs.read_file(k, 1, "memory.usage_in_bytes") == "67108864\n"
    assert cgroupfs.read_file(k, 1, "memory.failcnt") == "7\n"
    assert cgroupfs.read_file(k, 3, "memory.limit_in_bytes") == "9223372036854775807\n"
    assert cgroupfs.read_file(k, 0, "memory.usage_in_bytes") == f"{4 * 4096}\n"
    assert cgroupfs.read_file(k, 0, "memory.memsw.usage_in_bytes") == f"{5 * 4096}\n"  # with what is in swap
    assert cgroupfs.read_file(k, 1, "tasks") == "1\n2\n"
    assert cgroupfs.read_file(k, 1, "cgroup.procs") == "1\n"
    for name in (*cgroupfs.READABLE, *cgroupfs.TASK_FILES):
        assert cgroupfs.read_file(k, 0, name).count("\n") == len(cgroupfs.read_file(k, 0, name).splitlines())


def test_what_the_shell_prints(k: Any) -> None:
    def shown(kind: str, *files: str, text: str = "", status: int = 0) -> str:
        return host.render(k, HostText(kind, 1, files, text, 1), status)

    assert shown("echo", text="hello") == "hello\n"
    assert shown("cat", "memory.failcnt") == "7\n"
    assert shown("cgget", "memory.failcnt", "memory.oom_control", text="A") == (
        "A:\nmemory.failcnt: 7\nmemory.oom_control: oom_kill_disable 1\n\tunder_oom 1\n\n"
    )
    assert shown("error", text="cgset: A: memory.memsw.limit_in_bytes: ", status=22) == (
        "cgset: A: memory.memsw.limit_in_bytes: Invalid argument\n"
    )


def test_names() -> None:
    assert cgroupfs.writable("memory.limit_in_bytes") == n.CG_LIMIT
    assert cgroupfs.readable("memory.stat") == "memory.stat"
    for name in ("memory.stat", "tasks", "memory.numa_stat", "memory.lmit_in_bytes", ""):
        with pytest.raises(InputError):
            cgroupfs.writable(name)
    with pytest.raises(InputError, match=r"memory\.force_empty cannot be read"):
        cgroupfs.readable("memory.force_empty")


@pytest.mark.parametrize("text", ["0", "1", "now", ""])
def test_whatever_is_written_to_force_empty_empties(text: str) -> None:
    assert cgroupfs.read_value(cgroupfs.writable("memory.force_empty"), text) == (0, 0)
