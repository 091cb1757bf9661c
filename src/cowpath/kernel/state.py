"""The machine: one NumPy record with nested arrays of records.

``state`` is what two machines must differ in to be different (the explorer copies, hashes and compares it);
``books`` is everything else: clock, run queues, costs, counters, the log. Indices replace pointers, ``NONE`` is NULL,
lists are intrusive like the kernel's. Kernel code takes the whole record ``k``: passing arrays around would cost
Numba a reference count at every call.

A field must not bear the name of a NumPy attribute (``flags``, ``size``, ``data``, ``item``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from . import books, records
from . import names as n
from .layout import narrowed, record
from .vmstat import KILLS_KEPT

MOST_OUTSIDE = 15  # moves of the outside: bits of state.outside
DIRECTORY_LEVELS = 3  # above the leaf tables; 9 bits each with 512 entries: 48-bit addresses
MAX_LIMIT = 1 << 30  # bytes: NumPy 2.4 overflows silently at 2 GiB; stay well away


@dataclass(frozen=True)
class Capacity:
    """How many of each thing a machine has room for. Every capacity is compiled anew: use the ones below."""

    pages: int
    tasks: int
    mms: int
    vmas: int
    directories: int
    tables: int
    entries: int  # of a page table, a power of two
    files: int
    slots: int  # page-cache slots: the pages of all files together
    groups: int
    cpus: int
    requests: int
    swaps: int
    ops: int
    names: int  # slots that name tasks ($!)
    paths: int
    path_steps: int
    log: int
    narrow: bool = False  # the state's numbers have half the width


CLOCK = Capacity(
    pages=1 << 22,
    tasks=8192,
    mms=8192,
    vmas=1 << 19,
    directories=1 << 16,
    tables=49152,
    entries=512,
    files=8192,
    slots=1 << 23,
    groups=128,
    cpus=32,
    requests=1 << 14,
    swaps=1 << 20,
    ops=1 << 22,
    names=1 << 14,
    paths=64,
    path_steps=32,
    log=1 << 17,
)
EXPLORE = Capacity(
    pages=12, tasks=6, mms=6, vmas=12, directories=18, tables=6, entries=8, files=3, slots=12, groups=4, cpus=2,
    requests=3, swaps=4, ops=256, names=8, paths=32, path_steps=32, log=256, narrow=True,
)  # fmt: skip


def state_dtype(c: Capacity) -> np.dtype[Any]:
    """What two machines must differ in to be different."""
    return record(
        n_tasks="i4",  # high-water marks: what lies above was never used
        n_pages="i4",
        n_mms="i4",
        n_vmas="i4",
        n_directories="i4",
        n_tables="i4",
        n_files="i4",
        n_groups="i4",
        n_cpus="i4",
        memory="i4",  # pages of the machine
        free_page="i4",  # heads of the free lists
        free_task="i4",
        free_mm="i4",
        free_vma="i4",
        free_directory="i4",
        free_table="i4",
        free_swap="i4",
        free_file="i4",
        n_slots="i4",  # of the page cache, that files have
        n_swaps="i4",
        swap_pages="i4",  # size of the swap space
        used_swaps="i4",
        used_pages="i4",
        births="i4",
        oom_counter="i4",  # policy: oom_lock counts (3.0) instead of being a flag (79dfdaccd1d5)
        killable_lock="i4",  # policy: a fault's wait for a page lock ends at a fatal signal (37b23e0525d3)
        allow_retry="i4",  # policy: FAULT_FLAG_ALLOW_RETRY (d065bd810b6d)
        kswapd="i4",  # task, or NONE
        flusher="i4",
        flush_file="i4",  # the file at which the flusher goes on
        disk_busy="i4",  # the request that the disk works on, or NONE
        outside="i4",  # the explorer's: which moves of the outside have been made, a bit each
        reads=records.waitq,  # requests that wait for the disk, by request.next
        writes=records.waitq,
        writes_waiting="i4",  # requests to write that are not done
        congested=records.waitq,  # tasks: wait_iff_congested
        writeback_waiters=records.waitq,  # tasks: wait_on_page_writeback
        zone=records.zone,
        tasks=(records.task, c.tasks),
        pages=(records.page, c.pages),
        mms=(records.mm, c.mms),
        vmas=(records.vma, c.vmas),
        directories=(record(used="i4", up="i4", slot="i4", entry=("i4", c.entries)), c.directories),
        tables=(records.table(c.entries), c.tables),
        files=(records.file, c.files),
        slots=("i4", c.slots),
        groups=(records.group, c.groups),
        cpus=(records.cpu, c.cpus),
        requests=(records.request, c.requests),
        swaps=(records.swap, c.swaps),
        names=("i4", c.names),  # slot -> task
    )


def books_dtype(c: Capacity) -> np.dtype[Any]:
    """Everything else."""
    return record(
        now="i8",
        spent="i8",  # what the current step has cost so far
        cpu="i4",  # on which it runs
        resched_ok="i4",  # the step passed a cond_resched()
        error="i4",  # a pool is exhausted: which (ERR_*)
        driver="i4",  # 0: no one wants wake-ups recorded
        rng="i8",
        quantum="i8",  # ns of user-mode computing in one move
        charge_batch="i4",  # pages that a charge tries for at once (CHARGE_BATCH)
        reclaim_retries="i4",  # fruitless rounds of reclaim before the last (MEM_CGROUP_RECLAIM_RETRIES)
        reuse="i4",  # accesses to earlier pages per recorded one, in 1/256
        log_mask="i8",
        log_count="i4",
        n_woken="i4",
        n_timers="i4",
        drain_asked="i8",  # CPUs whose stock a worker is to drain, a bit each
        host="i4",  # OP_HOST: which text, for whom
        host_task="i4",
        order="i8",
        steps="i8",
        stall_ns="i8",  # a wait outside that is longer is a stall
        next_check="i8",
        bound_ns="i8",  # a group without progress for so long, and
        bound_rounds="i8",  # so many rounds of retries, has come to a standstill
        n_stalls="i4",
        search="i8",  # how many searches for holders there have been
        n_kills="i4",
        n_outside="i4",  # the explorer's: what a case allows to happen from outside
        whole_reclaim="i4",  # the explorer's: a pass of reclaim is one move
        shares_mm="i4",  # the explorer's: an mm may be seen by more than one task
        memory_suffices="i4",  # the explorer's: the machine is never short of pages
        forgets_misses="i4",  # the explorer's: mmap_miss stays 0
        outside=(books.outside, MOST_OUTSIDE),
        hold=books.hold,
        sched=books.sched,
        disk=books.disk,
        cost=("i8", books.COSTS),
        paths=(books.path, c.paths),
        tasks=(books.task_books, c.tasks),
        pages=(books.page_books, c.pages),
        groups=(books.group_books, c.groups),
        latencies=(books.latency, c.groups),
        kills=(books.kill, KILLS_KEPT),
        cpus=(books.cpu_books, c.cpus),
        mm_table=("i4", c.mms),  # the leaf table that each mm used last
        mm_vma=("i4", c.mms),  # mmap_cache
        runq=(record(heap=("i4", c.tasks)), c.cpus),
        woken=("i4", c.tasks),
        stalls=("i4", c.tasks),  # tasks whose wait has just become a stall
        queue=("i4", c.tasks),  # scratch
        request_at=("i8", c.requests),
        dirtied_at=("i8", c.files),  # when the file's oldest dirty page became so
        timers=(books.timer, c.tasks + c.requests),
        log=(books.event, c.log),
        ops=(books.op, c.ops),
    )


@cache
def machine_dtype(capacity: Capacity) -> np.dtype[Any]:
    """The record type of a machine of this capacity. Raises ValueError where NumPy could not hold it."""
    state = state_dtype(capacity)
    whole = record(state=narrowed(state) if capacity.narrow else state, books=books_dtype(capacity))
    if not 0 < whole.itemsize < MAX_LIMIT * 2 - (1 << 20):
        raise ValueError(f"a machine of {capacity} does not fit into a NumPy record (2 GiB)")
    return whole


# pools that can be exhausted (books.error)
ERR_NONE = 0
ERR_PAGES = 1
ERR_TASKS = 2
ERR_MMS = 3
ERR_VMAS = 4
ERR_DIRECTORIES = 5
ERR_TABLES = 6
ERR_REQUESTS = 7
ERR_FRAMES = 8
ERR_TIMERS = 9
ERR_SLOTS = 10
ERR_OPS = 11
ERR_FILES = 12
ERROR_NAMES = (
    "", "the machine's memory (raise --memory)", "tasks", "address spaces", "mappings", "page-table directories",
    "page tables", "disk requests", "frames of a task", "timers",
    "page-cache slots of a file (written beyond its room)", "instructions",
    "page-cache slots for shared anonymous memory",
)  # fmt: skip


class Machine(np.record):  # type: ignore[misc]
    """The record. Numba asks for its ``data`` at every call from Python; NumPy's own takes 15 ms."""

    @property
    def data(self) -> memoryview:
        """The machine's bytes; of a record within it, what NumPy says."""
        names = self.dtype.names
        if names != ("state", "books"):
            return super().data
        return np.asarray(self.base).view(np.uint8).data


@cache
def _machine_type(capacity: Capacity) -> np.dtype[Any]:
    return np.dtype((Machine, machine_dtype(capacity)))


def new_machine(capacity: Capacity = CLOCK) -> Any:
    """An empty machine: no tasks, no files, one group (0: root). Untouched memory is not committed."""
    k = np.zeros(1, machine_dtype(capacity)).view(_machine_type(capacity))[0]
    for nothing in ("free_page", "free_task", "free_mm", "free_vma", "free_directory", "free_table", "free_swap",
                    "free_file", "kswapd", "flusher", "disk_busy"):  # fmt: skip
        k.state[nothing] = n.NONE
    for queue in ("reads", "writes", "congested", "writeback_waiters"):
        k.state[queue].head = k.state[queue].tail = n.NONE
    for which in range(5):
        k.state.zone.lists[which].head = k.state.zone.lists[which].tail = n.NONE
    return k
