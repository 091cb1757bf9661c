"""The wait-for chain in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cowpath.kernel import names as n
from cowpath.kernel.names import W_MEMORY
from cowpath.kernel.places import ANONYMOUS, COPIED, SWAPPED, TRUNCATED, UNKNOWN, VPN_BITS
from cowpath.kernel.state import Capacity, new_machine
from cowpath.observe.scene import Scene
from cowpath.observe.text import LONGEST_NAME, clean, count, duration, size
from cowpath.observe.words import chain_of_hops
from cowpath.programs.code import Region

TINY = Capacity(
    pages=8, tasks=8, mms=2, vmas=2, directories=2, tables=2, entries=8, files=2, slots=8, groups=3, cpus=1,
    requests=2, swaps=64, ops=8, names=4, dentries=2, paths=2, path_steps=32, log=16,
)  # fmt: skip


def chain_in_words(links: list[Link], scene: Scene) -> str:
    return str(chain_of_hops(links, scene))


@dataclass(frozen=True)
class Link:
    task: int
    kind: int
    what: int = 0
    step: str = ""


@dataclass(frozen=True)
class File:
    name: str


@dataclass(frozen=True)
class Plan:
    comms: tuple[str, ...] = ("ls", "cc1", "ps")
    files: tuple[File, ...] = (File("/lib/libc.so.6"), File("/home/u/Makefile"))
    groups: tuple[str, ...] = ("", "A", "A/B")
    regions: tuple[Region, ...] = (Region(10, 20, "heap", 900, 200), Region(20, 30, "stack", 1000, 8))


@pytest.fixture
def scene() -> Scene:
    k: Any = new_machine(TINY)
    for page in k.state.pages:
        page.locked_by, page.file = n.FREE, n.NONE
    for t, (program, group) in enumerate([(0, 0), (1, 1), (2, 0), (1, 2)]):
        k.state.tasks[t].program, k.state.tasks[t].group = program, group
    k.state.pages[3].file, k.state.pages[3].index = 0, 31
    for g in k.state.groups:
        g.res.limit = g.memsw.limit = n.UNLIMITED
    k.state.groups[1].res.limit = k.state.groups[1].memsw.limit = (64 << 20) // n.PAGE_SIZE
    k.state.groups[1].oom_kill_disable = 1
    return Scene(k, Plan())


def test_the_commits_own_chain(scene: Scene) -> None:
    links = [Link(0, n.W_PAGE_LOCK, 3), Link(1, W_MEMORY, 1, "charge")]
    assert chain_in_words(links, scene) == (
        "ls[0] waits for the page lock of libc.so.6 page 31, held by cc1[1] in A, "
        "which waits for A's memory: limit 64M, OOM killer off"
    )


def test_mmap_sem_behind_a_writer(scene: Scene) -> None:
    links = [Link(2, n.W_MMAP_READ), Link(3, n.W_MMAP_WRITE), Link(1, n.W_OOM, 1)]
    assert chain_in_words(links, scene) == (
        "ps[2] waits for mmap_sem (to read), behind the waiting writer cc1[3] in A/B, which waits for mmap_sem "
        "(to write), held by cc1[1] in A, which waits for A's memory: limit 64M, OOM killer off"
    )


def test_i_mutex(scene: Scene) -> None:
    links = [Link(0, n.W_I_MUTEX, 1), Link(1, n.W_NONE, 0, "copy_page")]
    assert chain_in_words(links, scene) == (
        "ls[0] waits for the i_mutex of Makefile, held by cc1[1] in A, which is in copy_page"
    )


def test_a_page_under_read(scene: Scene) -> None:
    scene.k.state.pages[3].locked_by = n.REQUEST_OWNER - 1
    assert chain_in_words([Link(0, n.W_PAGE_LOCK, 3)], scene) == (
        "ls[0] waits for the read of libc.so.6 page 31 from disk"
    )
    assert chain_in_words([Link(0, n.W_PAGE_LOCK, 3), Link(1, W_MEMORY, 1)], scene).startswith(
        "ls[0] waits for the read of libc.so.6 page 31 from disk, which has yet to be sent to the disk by cc1[1] in A, "
    )


def test_a_circle(scene: Scene) -> None:
    links = [Link(0, n.W_PAGE_LOCK, 3), Link(1, n.W_I_MUTEX, 1), Link(0, n.W_PAGE_LOCK, 3)]
    assert chain_in_words(links, scene) == (
        "ls[0] waits for the page lock of libc.so.6 page 31, held by cc1[1] in A, "
        "which waits for the i_mutex of Makefile, held by ls[0]: a deadlock"
    )


def test_limits(scene: Scene) -> None:
    group = scene.k.state.groups[2]
    assert scene.memory_of(2) == "A/B's memory: no limit, OOM killer on"
    group.res.limit, group.memsw.limit = 256, 1024
    assert scene.memory_of(2) == "A/B's memory: limit 1M, memory+swap limit 4M, OOM killer on"


@pytest.mark.parametrize("kind", [*range(9), 99])
def test_every_kind_of_wait_has_words(scene: Scene, kind: int) -> None:
    assert chain_in_words([Link(0, kind, 1)], scene).startswith("ls[0] ")


def test_no_chain_no_words(scene: Scene) -> None:
    assert chain_in_words([], scene) == ""


@given(st.text(max_size=200))
def test_no_name_can_give_the_terminal_an_order(name: str) -> None:
    shown = clean(name)
    assert shown.isprintable() or not shown
    assert len(shown) <= LONGEST_NAME
    shown.encode("utf-8")


def test_names_are_shown_escaped_and_cut_in_the_middle() -> None:
    assert clean("a\x1b[31m\nb") == "a\\x1b[31m\\nb"
    assert clean("\udcff") == "\\udcff"
    assert clean("x" * 50 + "end", 11) == "xxxx...xend"


@pytest.mark.parametrize(
    ("ns", "text"),
    [(0, "0 ns"), (999, "999 ns"), (1234, "1.23 us"), (999_700, "1.00 ms"), (45_000_000, "45.0 ms"), (None, "-"),
     (4_015_000_000_000, "4,015 s"), (99_960_000_000, "100 s"), (10**9, "1.00 s")],
)  # fmt: skip
def test_duration(ns: int | None, text: str) -> None:
    assert duration(ns) == text


def test_sizes_and_counts() -> None:
    assert [size(v) for v in (None, 5, 64 << 20, 67_076_096)] == ["-", "5", "64M", "63.97M"]
    assert [count(v) for v in (None, 1234567, 0)] == ["-", "1,234,567", "0"]


def in_memory(pc: int, vpn: int) -> int:
    return ANONYMOUS - (pc << VPN_BITS) - vpn


def test_a_page_is_named_by_what_it_is_or_was(scene: Scene) -> None:
    """From the log, when it has long gone."""
    for place, name in (
        (31, "libc.so.6 page 31"),
        ((1 << 32) + 2, "Makefile page 2"),
        (TRUNCATED + 31, "page 31 of libc.so.6, truncated"),
        (COPIED + 31, "copy of libc.so.6 page 31"),
        (COPIED + SWAPPED + 31, "swap-cache page (copy of libc.so.6 page 31)"),
        (in_memory(12, 1000), "heap page 100"),
        (in_memory(12, 1000) - SWAPPED, "swap-cache page (heap page 100)"),
        (in_memory(22, 1000), "stack page 0"),  # another program
        (in_memory(99, 0x7FFFF), "anonymous page 0x7ffff"),  # a recording's
        (UNKNOWN, "a page"),
    ):
        assert scene.place(place) == name


def test_a_page_frame_is_named_by_what_is_in_it(scene: Scene) -> None:
    state, books = scene.k.state, scene.k.books
    state.n_tasks, state.n_tables = 4, 1
    assert scene.page(n.NONE) == "the zero page"
    assert scene.page(3) == "libc.so.6 page 31"
    assert scene.page(4) == "free page frame 4"
    state.pages[4].refs = 1
    assert scene.page(4) == "page frame 4"
    state.tasks[1].depth, state.tasks[1].frames[0].newpage = 1, 4
    assert scene.page(4) == "cc1[1]'s new page"
    state.pages[4].bits = n.PG_SWAPCACHE
    assert scene.page(4) == "swap-cache page (swap slot 0)"
    books.pages[4].origin = in_memory(12, 1000)
    assert scene.page(4) == "swap-cache page (heap page 100)"
    state.pages[4].bits = 0
    assert scene.page(4) == "heap page 100"
    books.pages[4].origin = TRUNCATED + 31
    assert scene.page(4) == "page 31 of libc.so.6, truncated"
    books.pages[4].origin, state.pages[4].bits = 0, n.PG_TABLE
    state.tasks[1].frames[0].newpage, state.tasks[1].frames[0].prealloc_pte = n.NONE, 4
    assert scene.page(4) == "cc1[1]'s new page table"
    state.tables[0].page, state.tables[0].mm, state.tasks[2].mm = 4, 1, 1
    assert scene.page(4) == "a page table of ps[2]"
