"""24 stacks of real hung or slow systems: is it a memory cgroup's stall, who waits for what, which entry is it?

The answers are from the threads that the stacks are from (tests/data/stacks: each file's first line names its own). For
five of them it is no memory cgroup's stall, or nobody can tell.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from cowpath.diagnose import Diagnosis, diagnose

STACKS = Path(__file__).parents[1] / "data" / "stacks"

# stack: verdict; what each task waits for; what each surely holds; the entries of the book, the sure ones marked
ANSWERS: dict[str, tuple[str, list[str], list[set[str]], dict[int, bool]]] = {
    "buffer-head-charge-ext3-read": ("yes", ["memory: charge"], [{"page lock"}], {12: True}),
    "cgroup-procs-write-rcu": ("no", ["RCU"], [{"cgroup_mutex"}], {}),
    "fuse-writeback-vs-lock": ("no", ["page lock", "write-back"], [{"s_umount"}, {"inode lock", "page lock"}], {}),
    "futex-java-thread": ("no", ["user lock"], [set()], {}),
    "high-reclaim-nofs-btrfs-lockdep": (
        "yes", ["memory: reclaim"], [{"file system lock", "shrinker_rwsem"}], {29: True},
    ),
    "high-thrash-file-varnish": ("cannot tell", ["page lock", "idle"], [set(), set()], {}),
    "high-throttle-sleep": ("yes", ["memory: throttle"], [set()], {25: True}),
    "imutex-write-vs-truncate": ("yes", ["memory: OOM", "inode lock"], [{"inode lock"}, set()], {9: True}),
    "kmem-fork-6.18-selfmade": (
        "yes", ["memory: OOM", "memory: reclaim", "memory: reclaim"], [set(), {"mmap lock"}, set()], {},
    ),
    "memcg-reclaim-vs-xfs-log": (
        "cannot tell", ["memory: the host's", "memory: the host's", "journal", "journal"],
        [{"mmap lock"}, {"mmap lock"}, set(), {"inode lock"}], {13: True},
    ),
    "memory-max-write-oom": ("yes", ["memory: OOM"], [{"oom_lock"}], {}),
    "mlock-fault-page-lock": ("cannot tell", ["page lock"], [set()], {}),
    "nofs-wait-writeback-ext4": (
        "yes", ["memory: reclaim"], [{"inode lock", "journal", "file system lock"}], {13: True},
    ),
    "oom-disabled-6.18-selfmade": ("yes", ["memory: OOM", "memory: OOM"], [set(), set()], {}),
    "oom-disabled-and-proc-reader": ("yes", ["memory: OOM", "mmap lock"], [{"mmap lock"}, set()], {10: True}),
    "oom-lock-vs-mmap-lock-syzbot": ("yes", ["memory: OOM"], [{"oom_lock"}], {}),
    "populate-fault-loop-device": ("cannot tell", ["page lock"], [set()], {}),
    "ps-behind-munmap": ("cannot tell", ["mmap lock"], [set()], {}),
    "pte-charge-under-page-lock": (
        "yes", ["memory: reclaim", "page lock"], [{"page lock", "mmap lock"}, {"s_umount"}], {19: True},
    ),
    "readahead-oom-cat-2.6.39": ("yes", ["memory: OOM"], [{"page lock"}], {7: False, 8: False}),
    "reparent-charges-loop": ("no", ["not known"], [set()], {102: False}),
    "rmdir-force-empty-rcu": ("no", ["RCU"], [{"inode lock"}], {}),
    "skmem-charge-nbd-recursion": (
        "no", ["memory: reclaim"], [{"file system lock", "journal", "shrinker_rwsem"}], {101: True},
    ),
    "thrash-6.18-selfmade": (
        "yes", ["memory: reclaim", "page lock"], [{"page lock", "invalidate lock"}, set()], {},
    ),
}  # fmt: skip
NO_MEMCG = (
    "ps-behind-munmap", "mlock-fault-page-lock", "populate-fault-loop-device", "fuse-writeback-vs-lock",
    "futex-java-thread",
)  # fmt: skip


def diagnosed(name: str) -> Diagnosis:
    with (STACKS / f"{name}.txt").open("rb") as raw:
        return diagnose(raw)


def test_every_stack_has_its_answer() -> None:
    assert {path.stem for path in STACKS.glob("*.txt")} == set(ANSWERS)


@pytest.mark.parametrize("name", ANSWERS)
def test_answer(name: str) -> None:
    told = diagnosed(name)
    verdict, waits, holds, entries = ANSWERS[name]
    assert told.memcg_stall == verdict
    assert [each.waits_for for each in told.tasks] == waits
    assert [{held.lock for held in each.held} for each in told.tasks] == holds
    assert {match.entry.number: match.sure for match in told.matches} == entries


@pytest.mark.parametrize("name", NO_MEMCG)
def test_nobody_is_said_to_wait_for_a_group(name: str) -> None:
    told = diagnosed(name)
    assert told.memcg_stall != "yes"
    assert not told.stalled
    assert not told.behind


@pytest.mark.parametrize(
    ("name", "waiter", "holder", "lock"),
    [
        ("imutex-write-vs-truncate", 1, 0, "inode lock"),
        ("oom-disabled-and-proc-reader", 1, 0, "mmap lock"),
        ("pte-charge-under-page-lock", 1, 0, "page lock"),
        ("pte-charge-under-page-lock", 0, 1, "write-back"),
        ("thrash-6.18-selfmade", 1, 0, "page lock"),
    ],
)
def test_who_can_be_behind_whom(name: str, waiter: int, holder: int, lock: str) -> None:
    edges = [(edge.waiter, edge.holder, edge.lock, edge.certain) for edge in diagnosed(name).edges]
    assert (waiter, holder, lock, False) in edges  # which page, whose mmap lock: the stacks do not say
