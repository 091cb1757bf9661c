"""Running a random session in the checking mode. One small capacity for all, since each is compiled anew."""

from __future__ import annotations

import errno
from collections import Counter
from functools import cache
from typing import Any

from cowpath import designs
from cowpath.designs import Design
from cowpath.engine import costs, invariants, loop, machine
from cowpath.kernel import names as n
from cowpath.kernel import steps
from cowpath.kernel.state import Capacity
from cowpath.kernel.steps import PATH_NAMES

from .strategies import Session, plan_of

SMALL = Capacity(
    pages=4096, tasks=64, mms=64, vmas=512, directories=256, tables=256, entries=16, files=24, slots=1024, groups=6,
    cpus=3, requests=64, swaps=64, ops=1024, names=16, dentries=6, paths=len(PATH_NAMES), path_steps=32, log=16384,
)  # fmt: skip
UNTIL_NS = 200_000_000_000
MOVES = 8_000
CHUNK = 1_000  # moves between two looks at the log
SHELL = 0

loaded_costs = cache(costs.load)


@cache
def loaded_design(name: str) -> Design:
    return designs.load(name)


def boot(session: Session) -> Any:
    """The session's machine, ready to run."""
    design = loaded_design(session.design)
    k = machine.build(
        plan_of(session).on(design), design, loaded_costs(), cpus=session.cpus,
        memory=session.memory * n.PAGE_SIZE, swap=session.swap * n.PAGE_SIZE, seed=session.seed, capacity=SMALL,
    )  # fmt: skip
    if session.reserve:
        zone = k.state.zone
        zone.min_pages, zone.low_pages, zone.high_pages = session.reserve // 2, session.reserve, session.reserve * 2
    k.books.disk.nr_requests = session.nr_requests
    if session.disk_ns:
        k.books.disk.latency, k.books.disk.page_ns = session.disk_ns, session.disk_ns // 20
    for name in ("latency", "min_granularity", "wakeup_granularity"):
        k.books.sched[name] = session.slice_ns
    k.books.stall_ns, k.books.bound_ns, k.books.bound_rounds = 1_000_000, 50_000_000, 100
    return k


def run(k: Any, moves: int = MOVES) -> tuple[int, str]:
    """Run with a check after every move: why it stopped, and what is wrong ("" if nothing is)."""
    why, code, at = invariants.run_checked(k, UNTIL_NS, moves, SHELL)
    return int(why), invariants.in_words(int(code), int(at)) if code != invariants.FINE else ""


def run_counting(k: Any, seen: Counter[str]) -> tuple[int, str]:
    """``run``, and count what the log shows of write-back, reclaim, limits and moves between groups."""
    k.books.log_mask = sum(1 << kind for kind in (n.EV_STEP, n.EV_GROUP, n.EV_WAIT, n.EV_SWAP_IN))
    why, problem = loop.BUDGET, ""
    for _ in range(MOVES // CHUNK):
        why, problem = run(k, CHUNK)
        count_events(k, k.books["log"][: int(k.books.log_count)], seen)
        k.books.log_count = 0
        if why != loop.BUDGET or problem:
            break
    return why, problem


def count_events(k: Any, events: Any, seen: Counter[str]) -> None:
    """Add what these events show."""
    took = events[events["kind"] == n.EV_STEP]
    written = took[took["a"] == steps.WRITE_CACHE_PAGES]
    written = written[written["value"] >= k.books.cost[steps.WRITE_CACHE_PAGES] + k.books.cost[steps.WRITE_PAGE]]
    by_flusher = written["task"] == k.state.flusher
    by_fsync = written["extra"] == steps.P_FSYNC
    seen["pages written by the flusher"] += int(by_flusher.sum())
    seen["pages written by fsync"] += int(by_fsync.sum())
    seen["pages written by who dirties"] += int((~by_flusher & ~by_fsync).sum())
    seen["pages scanned by kswapd"] += int(((took["a"] == steps.SHRINK_ZONE) & (took["task"] == k.state.kswapd)).sum())
    tables = took[took["a"] == steps.PTE_ALLOC_ONE]
    seen["page tables made"] += int((tables["value"] >= k.books.cost[steps.ALLOC_PAGE]).sum())
    files = events[events["kind"] == n.EV_GROUP]
    limits = (files["b"] == n.CG_LIMIT) | (files["b"] == n.CG_MEMSW_LIMIT)
    seen["limits that were busy"] += int((limits & (files["extra"] == errno.EBUSY)).sum())
    empties = files["b"] == n.CG_FORCE_EMPTY
    seen["groups emptied"] += int((empties & (files["extra"] == 0)).sum())
    seen["groups too busy to be emptied"] += int((empties & (files["extra"] == errno.EBUSY)).sum())
    seen["tasks that joined a group"] += int((files["b"] == n.NONE).sum())
    seen["pages of shmem brought back"] += int((events[events["kind"] == n.EV_SWAP_IN]["extra"] != 0).sum())
    waits = events[events["kind"] == n.EV_WAIT]["a"]
    for kind in (n.W_WRITEBACK, n.W_PAUSE, n.W_CONGESTED, n.W_THROTTLE, n.W_STOPPED, n.W_OOM):
        seen[f"waits for {n.WAIT_NAMES[kind]}"] += int((waits == kind).sum())


def wrong(k: Any) -> str:
    """What is wrong with the machine as it stands, without the number of the thing."""
    return invariants.WORDS[int(invariants.run_checked(k, 0, 0, SHELL)[1])]
