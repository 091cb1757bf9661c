"""Designs in which a charge fails, and what a task does on one until it sleeps or is back in user mode."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import islice
from typing import Any

from cowpath.designs import Design, from_data
from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.frames import do_page_fault
from cowpath.kernel.mmap import new_vma
from cowpath.kernel.step import look_ahead, step
from cowpath.kernels import profile

from .hand import Hand

WAITS = {"pagefault_out_of_memory": ["oom_wait"]}
SYNCHRONIZES = {"pagefault_out_of_memory": ["oom_synchronize"]}
RECLAIM = {"reclaim": ["shrink_node"]}
MOST = 5_000  # moves


@cache
def at_faults_end() -> Design:
    """The charge of 3.12, on the paths of 3.1."""
    policies = profile.load("linux-3.12").policies
    paths = SYNCHRONIZES | RECLAIM
    return from_data({"extends": "linux-3.1", "policies": policies, "paths": paths}, "at-faults-end.toml")


def by_page_counters(paths: dict[str, list[str]] = WAITS, **changed: Any) -> Design:
    """The charge of 6.18, but for what is changed, on the paths of 3.1."""
    policies = profile.load("linux-6.18").policies | {"oom_reaper": "none"} | changed
    return from_data({"extends": "linux-3.1", "policies": policies, "paths": paths | RECLAIM}, "by-page-counters.toml")


def full(design: Design, pages: int = 10, killer: bool = False, memsw: int = n.UNLIMITED) -> tuple[Hand, int]:
    """A machine with a group whose pages, of a task outside by now, cannot be reclaimed: there is no swap."""
    hand = Hand(design)
    g = hand.group(limit=pages, memsw=memsw)
    hand.of(g).oom_kill_disable = not killer
    filler = hand.task()
    for vpn in range(pages):
        hand.maps(filler, vpn, hand.page(g))
    return hand, g


def mapped(hand: Hand, t: int, vpn: int = 64, pages: int = 8, file: int = n.NONE) -> int:
    """The task may write there, and nothing is there yet."""
    new_vma(hand.k, int(hand.task_of(t).mm), vpn, vpn + pages, file, 0, n.VM_WRITE)
    return vpn


def play(hand: Hand, t: int, moves: int = MOST) -> Counter[str]:
    """Let the task go on until it sleeps or is back in user mode; how often it came to each path."""
    task, entered = hand.task_of(t), Counter[str]()
    while moves and task.depth > 0 and task.run_state == n.T_RUNNABLE:
        before = [int(f.path) for f in islice(task.frames, int(task.depth))]
        look_ahead(hand.k, t)
        step(hand.k, t)
        moves -= 1
        after = [int(f.path) for f in islice(task.frames, int(task.depth))]
        if len(after) > len(before) or (len(after) == len(before) and after != before):
            entered[s.PATH_NAMES[after[-1]]] += 1
    return entered


def fault(hand: Hand, t: int, vpn: int, write: bool = True, user: bool = True, moves: int = MOST) -> Counter[str]:
    """The task touches a page."""
    bits = (n.F_WRITE if write else 0) | n.F_ALLOW_RETRY | n.F_KILLABLE | (n.F_USER if user else 0)
    do_page_fault(hand.k, t, int(hand.task_of(t).mm), vpn, bits)
    return play(hand, t, moves)


def call(hand: Hand, t: int, path: int, moves: int = MOST, **fields: Any) -> Counter[str]:
    """The task makes a system call."""
    hand.call(t, path, int(hand.k.books.paths[path].steps[0]), **fields)
    return play(hand, t, moves)


def failcnts(hand: Hand, g: int) -> tuple[int, int]:
    """Of memory, and of memory and swap."""
    return int(hand.k.books.groups[g].failcnt), int(hand.k.books.groups[g].memsw_failcnt)


def events(hand: Hand, g: int) -> dict[str, int]:
    """memory.events.local, without what is 0."""
    counts = (int(count) for count in hand.k.books.groups[g].events_local)
    return {name: count for name, count in zip(n.MEMCG_EVENTS, counts, strict=True) if count}
