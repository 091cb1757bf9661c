"""Limits, protection and swap of cgroup v2, as real kernels have them: rows of the measurements on 6.1 and 6.18.

Debian's 6.1.192 and 6.18.15 in an emulator, three runs each. What is exact there is exact here: who dies, errnos, pages
that stay. Counters move in batches of 64 pages a CPU, so usage is right to two batches.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cowpath import api
from cowpath.engine.invariants_pages import OK
from cowpath.engine.invariants_swap import swap_usage_adds_up
from cowpath.kernel import names as n
from cowpath.session.load import plan_session
from cowpath.session.table import read_table

KERNEL = "linux-6.18"
S = 1_000_000_000
ROOT = "/sys/fs/cgroup"
STAYS = "sleep 1000"
STOCKS = 2 * 64  # pages


class Run:
    """A session whose programs are written here, by name; 2 CPUs, no re-use of pages."""

    def __init__(
        self, folder: Path, text: str, programs: dict[str, str], machine: str = "", until: int = 30 * S
    ) -> None:
        lines = [f'[machine]\nreuse = 0\nmemory = "512M"\n{machine}\n[bystanders]\nprograms = []\n']
        for name, program in programs.items():
            (folder / f"{name}.prog").write_text(program + "\n", encoding="utf-8")
            lines.append(f'[programs.{name}]\nwritten = "{name}.prog"\n')
        (folder / "session.toml").write_text("".join(lines), encoding="utf-8")
        self.plan = plan_session(text, "session.sh", read_table(folder / "session.toml"))
        design = api.load_design(KERNEL)
        self.k: Any = api.build_machine(self.plan, design, api.Options())
        self.clock = api.make_clock(self.k, self.plan, design, lambda events: None)
        self.clock.run(until)
        assert swap_usage_adds_up(self.k) == OK
        self.lines = self.clock.output.splitlines()

    def alive(self) -> set[str]:
        """The names of the programs that live, without the shell and the kernel's threads."""
        rows = self.k.state.tasks[: int(self.k.state.n_tasks)]
        living = [row for row in rows if row.run_state in (n.T_RUNNABLE, n.T_SLEEPING) and not row.kthread]
        return {self.plan.comms[int(row.program)] for row in living} - {"sh"}

    def group(self, name: str) -> Any:
        """A group's state."""
        return self.k.state.groups[self.plan.groups.index(name)]

    def events(self, name: str, local: bool = False) -> dict[str, int]:
        """memory.events."""
        books = self.k.books.groups[self.plan.groups.index(name)]
        counts = books.events_local if local else books.events
        return {key: int(counts[number]) for number, key in enumerate(n.MEMCG_EVENTS)}

    def cache(self, name: str) -> int:
        """Pages of the page cache that the group is charged for."""
        return int(self.k.books.groups[self.plan.groups.index(name)].cache)


def writes(pages: int) -> str:
    """A program that writes so many anonymous pages and stays."""
    return f"anon a {pages}\ntouch a 0 {pages} 1 w\n{STAYS}"


# --- memory.max ------------------------------------------------------------------------------------
def test_memory_max_below_usage_kills_from_the_writer(tmp_path: Path) -> None:
    """max01: two tasks, 3000 and 1000 pages; lowered to 8 MiB the write returns 0 and the biggest is dead."""
    run = Run(
        tmp_path,
        f"mkdir {ROOT}/A\ncgexec -g memory:A big & sleep 1; cgexec -g memory:A small & sleep 1\n"
        f"echo 8M > {ROOT}/A/memory.max && echo fine; sleep 1; cat {ROOT}/A/memory.max",
        {"big": writes(3000), "small": writes(1000)},
        until=8 * S,
    )
    assert run.lines == ["fine", "8388608"] and "big" not in run.alive()
    events = run.events("A")
    assert events["oom_kill"] >= 1 and events["oom"] >= events["oom_kill"], "every turn of its loop is counted"
    assert events["max"] == 0, "nobody has charged"


def test_memory_max_with_nobody_to_kill_returns(tmp_path: Path) -> None:
    run = Run(
        tmp_path,
        f"mkdir {ROOT}/A\ncgexec -g memory:A hard & sleep 1\necho 1M > {ROOT}/A/memory.max && echo fine",
        {"hard": f"oom_score_adj -1000\n{writes(1000)}"},
        until=8 * S,
    )
    assert run.lines == ["fine"] and run.alive() == {"hard"} and run.group("A").res.usage >= 1000
    assert run.events("A")["oom"] == 1 and run.events("A")["oom_kill"] == 0


def test_memory_max_below_usage_swaps_first(tmp_path: Path) -> None:
    """max03: 4096 pages, lowered to 8 MiB with swap on: nobody dies, and what has a slot counts as swap, in memory too.

    Measured: 1,617 to 1,638 pages in memory and 3,328 to 3,330 slots after the write; all 4,096 once all were read.
    """
    run = Run(
        tmp_path,
        f"mkdir {ROOT}/A\ncgexec -g memory:A big & sleep 1\necho 8M > {ROOT}/A/memory.max && echo fine\n"
        f"cat {ROOT}/A/memory.swap.current",
        {"big": f"anon a 4096\ntouch a 0 4096 1 w\n{STAYS}"},
        'swap = "256M"',
    )
    slots = int(run.lines[1]) // 4096
    assert run.lines[0] == "fine" and run.alive() == {"big"}
    assert run.group("A").res.usage <= 2048 and 4096 - 2048 <= slots <= 4096
    assert run.events("A")["oom"] == 0


def test_swap_max_leaves_the_page_and_counts(tmp_path: Path) -> None:
    run = Run(
        tmp_path,
        f"mkdir {ROOT}/A\necho 4M > {ROOT}/A/memory.swap.max; echo 8M > {ROOT}/A/memory.max\ncgexec -g memory:A big &\n"
        f"sleep 5; cat {ROOT}/A/memory.swap.events",
        {"big": writes(4096)},
        'swap = "256M"',
        until=20 * S,
    )
    assert run.alive() == set(), "8 MiB and 4 MiB of swap are not enough"
    assert run.events("A")["swap_max"] > 0 and run.events("A")["oom_kill"] == 1
    assert run.events("A")["swap_fail"] == run.events("A")["swap_max"]


def test_no_swap_at_all_for_a_group(tmp_path: Path) -> None:
    run = Run(
        tmp_path,
        f"mkdir {ROOT}/A\necho 0 > {ROOT}/A/memory.swap.max; echo 8M > {ROOT}/A/memory.max\ncgexec -g memory:A big &\n"
        "sleep 5",
        {"big": writes(3000)},
        'swap = "256M"',
        until=10 * S,
    )
    assert run.alive() == set() and run.k.state.used_swaps == 0 and run.events("A")["oom_kill"] == 1


# --- the OOM killer --------------------------------------------------------------------------------
def test_an_oom_of_the_parent_takes_the_biggest_of_the_subtree(tmp_path: Path) -> None:
    """hier01: P 32 MiB, A and B write 5000 pages each: A's task dies, B's lives; the kill is counted where it was."""
    run = Run(
        tmp_path,
        "cgcreate -g memory:P/A -g memory:P/B\ncgset -r memory.max=32M P\ncgexec -g memory:P/A a & sleep 1\n"
        "cgexec -g memory:P/B b & sleep 3",
        {"a": writes(5000), "b": writes(5000)},
        until=10 * S,
    )
    assert run.alive() == {"b"}
    assert run.events("P")["oom_kill"] == run.events("P/A", local=True)["oom_kill"] == 1
    assert run.events("P/B")["oom_kill"] == 0 and run.events("P", local=True)["oom_kill"] == 0
    assert run.events("P", local=True)["max"] >= 18 and run.events("P/B", local=True)["max"] == 0


@pytest.mark.parametrize(("whole", "left"), [(0, {"small", "third"}), (1, set())])
def test_oom_group(whole: int, left: set[str], tmp_path: Path) -> None:
    """oom01 and its like: tasks of 2500, 4000 and 1500 pages in 28 MiB; the third runs into it, the biggest dies."""
    run = Run(
        tmp_path,
        f"mkdir {ROOT}/A; echo 28M > {ROOT}/A/memory.max; echo {whole} > {ROOT}/A/memory.oom.group\n"
        "cgexec -g memory:A small & sleep 1; cgexec -g memory:A big & sleep 1; cgexec -g memory:A third & sleep 3",
        {"small": writes(2500), "big": writes(4000), "third": writes(1500)},
        until=10 * S,
    )
    assert run.alive() == left
    assert run.events("A")["oom_kill"] == (3 if whole else 1) and run.events("A")["oom_group_kill"] == whole


def test_oom_group_of_a_parent_is_not_asked(tmp_path: Path) -> None:
    """oom03: the OOM is A's; memory.oom.group of P, above it, kills nobody."""
    run = Run(
        tmp_path,
        "cgcreate -g memory:P/A -g memory:P/B\ncgset -r memory.oom.group=1 P; cgset -r memory.max=16M P/A\n"
        "cgexec -g memory:P/A v & sleep 1; cgexec -g memory:P/B b & sleep 1; cgexec -g memory:P/A t & sleep 3",
        {"v": writes(500), "b": writes(500), "t": writes(5000)},
        until=10 * S,
    )
    assert run.alive() == {"v", "b"} and run.events("P")["oom_group_kill"] == 0


# --- memory.reclaim --------------------------------------------------------------------------------
def test_reclaim_takes_what_there_is(tmp_path: Path) -> None:
    """recl01: of 6144 pages of the page cache 10 MiB go, to a cluster of 32; 1 GiB is not there: EAGAIN, all gone."""
    run = Run(
        tmp_path,
        f"mkdir {ROOT}/A\ncgexec -g memory:A reads\ncat {ROOT}/A/memory.current\n"
        f"echo 10M > {ROOT}/A/memory.reclaim && echo fine; cat {ROOT}/A/memory.current\n"
        f"echo 1G > {ROOT}/A/memory.reclaim",
        {"reads": "readf @f 0 6144 16"},
    )
    before, after = int(run.lines[0]), int(run.lines[2])
    assert run.lines[1] == "fine" and 0 <= (before - after) // 4096 - 2560 < 32
    assert run.lines[3:] == ["echo: A: memory.reclaim: Resource temporarily unavailable"] and run.cache("A") == 0


@pytest.mark.parametrize("how", ["10M", "10M swappiness=0", "4096"])
def test_reclaim_of_anonymous_memory_without_swap(how: str, tmp_path: Path) -> None:
    """recl02: EAGAIN."""
    run = Run(
        tmp_path,
        f"mkdir {ROOT}/A\ncgexec -g memory:A big & sleep 1\necho '{how}' > {ROOT}/A/memory.reclaim",
        {"big": writes(6144)},
        until=5 * S,
    )
    assert run.lines == ["echo: A: memory.reclaim: Resource temporarily unavailable"]
    assert run.group("A").res.usage >= 6144


# --- memory.low, memory.min ------------------------------------------------------------------------
READS = {"a": "readf @f 0 6144 16", "b": "readf @h 0 16384 16"}


def protected(tmp_path: Path, settings: str, parent: str, machine: str = "") -> Run:
    """48 MiB; A reads 6144 pages of a file, then its sibling B reads 16384 of another."""
    return Run(
        tmp_path,
        f"cgcreate -g memory:P/A -g memory:P/B\ncgset -r memory.max=48M P\n{settings}\n"
        f"cgexec -g memory:{parent} a; cgexec -g memory:P/B b",
        READS,
        machine,
    )


@pytest.mark.parametrize("file", ["low", "min"])
def test_what_is_protected_stays(file: str, tmp_path: Path) -> None:
    """low01: A is below its 32 MiB: not a page of its goes. Measured: 6144 of 6144."""
    run = protected(tmp_path, f"cgset -r memory.{file}=32M P/A", "P/A")
    assert run.cache("P/A") == 6144 and run.events("P/A")["low"] == 0
    assert run.group("P").res.usage <= 12288


def test_without_protection_the_older_pages_go(tmp_path: Path) -> None:
    """low02. Measured: none of the 6144 is left. The model's reclaim takes the groups in turn, so B's go as well."""
    assert protected(tmp_path, "", "P/A").cache("P/A") < 6144 // 2


def test_low_gives_way_where_nothing_else_is_left_and_min_does_not(tmp_path: Path) -> None:
    """low04: B writes 8192 anonymous pages, without swap. Measured: A keeps 3,840 of 6,144, low counts 84, no kill."""
    left = {}
    for file in ("low", "min"):
        run = Run(
            tmp_path,
            f"cgcreate -g memory:P/A -g memory:P/B\ncgset -r memory.max=48M P\ncgset -r memory.{file}=32M P/A\n"
            "cgexec -g memory:P/A a; cgexec -g memory:P/B b & sleep 4",
            {"a": READS["a"], "b": writes(8192)},
            until=10 * S,
        )
        left[file] = (run.cache("P/A"), run.alive(), run.events("P/A")["low"] > 0)
    assert left["low"][1:] == ({"b"}, True) and 6144 - 2200 - STOCKS * 3 <= left["low"][0] <= 12288 - 8192
    assert left["min"] == (6144, set(), False), "B's task is killed, and A keeps all"


@pytest.mark.parametrize(("recursive", "kept"), [(True, True), (False, False)])
def test_protection_passes_to_children_by_the_mount_option_only(recursive: bool, kept: bool, tmp_path: Path) -> None:
    """low07: P has low = 32 MiB and its child none: with memory_recursiveprot the child has it, without it does not."""
    run = Run(
        tmp_path,
        "cgcreate -g memory:G/P/A -g memory:G/C\ncgset -r memory.max=48M G\ncgset -r memory.low=32M G/P\n"
        "cgexec -g memory:G/P/A a; cgexec -g memory:G/C b",
        READS,
        f"recursiveprot = {str(recursive).lower()}",
    )
    assert (run.cache("G/P/A") > 6144 - STOCKS) == kept


# --- swap ------------------------------------------------------------------------------------------
def test_memory_swap_high_throttles_page_by_page(tmp_path: Path) -> None:
    """swap08: swap.high 4 MiB, max 8 MiB: 3400 pages written. Measured: a sleep of 20 ms and more for each page once
    the swap is over its mark, 17 counts of `high` each, in swap.events only: 274 to 380 sleeps in six runs.
    """
    run = Run(
        tmp_path,
        f"mkdir {ROOT}/A; echo 8M > {ROOT}/A/memory.max; echo 4M > {ROOT}/A/memory.swap.high\ncgexec -g memory:A t",
        {"t": "anon a 3400\ntouch a 0 3400 1 w"},
        'swap = "256M"',
        until=60 * S,
    )
    books = run.k.books.groups[1]
    sleeps, slept = int(books.waits[n.W_THROTTLE]), int(books.wait_ns[n.W_THROTTLE])
    assert 274 <= sleeps <= 380 and slept > 20_000_000 * sleeps / 1.5
    events = run.events("A")
    assert events["high"] == 0 and events["swap_high"] == pytest.approx(17 * sleeps, rel=0.2)


def test_what_a_removed_group_has_in_swap_is_its_readers(tmp_path: Path) -> None:
    """swap04: A's task moves to B, A is removed, and all pages are read: those from swap are B's.

    Measured: 2,366 to 2,420 slots, of 2,048 or more that must be; B is charged for 2,112 pages then, and no slot.
    """
    run = Run(
        tmp_path,
        f"mkdir {ROOT}/A {ROOT}/B; echo 8M > {ROOT}/A/memory.max\ncgexec -g memory:A t & sleep 3\n"
        f"echo $! > {ROOT}/B/cgroup.procs; cat {ROOT}/A/memory.swap.current; rmdir {ROOT}/A && echo gone\nsleep 10",
        {"t": "anon a 4096\ntouch a 0 4096 1 w\nsleep 4\ntouch a 0 4096 1 r\nsleep 100"},
        'swap = "256M"',
        until=20 * S,
    )
    swapped = int(run.lines[0]) // 4096
    assert run.lines[1] == "gone" and 2048 <= swapped <= 4096
    assert 2048 <= run.group("B").res.usage <= swapped + STOCKS and run.group("B").swap_usage == 0
