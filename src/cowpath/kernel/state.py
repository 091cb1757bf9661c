"""The machine: one NumPy record with nested arrays of records.

``state`` is what two machines must differ in to be different (the explorer copies, hashes and compares it);
``books`` is everything else: clock, run queues, costs, counters, the log. Indices replace pointers, ``NONE`` is NULL,
lists are intrusive like the kernel's. Kernel code takes the whole record ``k``: passing arrays around would cost
Numba a reference count at every call.

A field must not bear the name of a NumPy attribute (``flags``, ``size``, ``data``, ``item``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np

from . import books, records
from . import names as n
from .figures import KILLS_KEPT
from .layout import Record, laid_out, many, num, record, ref
from .objects import OBJECTS
from .plain import view
from .policies import POLICIES
from .steps import PATH_NAMES

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
    dentries: int  # names of files that programs look up
    paths: int
    path_steps: int
    log: int
    narrow: bool = False  # the state's numbers have half the width


CLOCK = Capacity(
    pages=1 << 22,
    tasks=8192,
    mms=16384,  # while it forks or execs, a task has two
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
    dentries=1 << 12,
    paths=len(PATH_NAMES),
    path_steps=32,
    log=1 << 17,
)
EXPLORE = Capacity(
    pages=12, tasks=6, mms=6, vmas=12, directories=18, tables=6, entries=8, files=3, slots=12, groups=4, cpus=2,
    requests=3, swaps=4, ops=256, names=8, dentries=4, paths=len(PATH_NAMES),
    path_steps=32, log=256, narrow=True,
)  # fmt: skip


CACHE_LINE = 64  # bytes
HIGH_WATER = "a high-water mark: what lies above was never used"
FREE_LIST = "which of the free records is used next"


def state_record(c: Capacity) -> Record:
    """What two machines must differ in to be different."""
    return record(
        n_tasks="i4",  # high-water marks: what lies above was never used
        n_pages=num(folded=HIGH_WATER),
        n_mms=num(folded=HIGH_WATER),
        n_vmas=num(folded=HIGH_WATER),
        n_directories=num(folded=HIGH_WATER),
        n_tables=num(folded=HIGH_WATER),
        n_files="i4",
        n_groups="i4",
        n_cpus="i4",
        memory="i4",  # pages of the machine
        cgroup2="i4",  # its groups are those of cgroup v2
        recursiveprot="i4",  # mounted with memory_recursiveprot
        free_page=num(start=n.NONE, folded=FREE_LIST),  # heads of the free lists
        free_task=num(start=n.NONE, folded=FREE_LIST),
        free_mm=num(start=n.NONE, folded=FREE_LIST),
        free_vma=num(start=n.NONE, folded=FREE_LIST),
        free_directory=num(start=n.NONE, folded=FREE_LIST),
        free_table=num(start=n.NONE, folded=FREE_LIST),
        free_swap=ref("swap"),
        free_file=ref("file"),
        n_slots="i4",  # of the page cache, that files have
        n_swaps="i4",
        swap_pages="i4",  # size of the swap space
        used_swaps="i4",
        used_pages="i4",
        births="i4",
        **{policy.field: num() for policy in POLICIES},  # policies, by the place of the value
        kswapd=ref("task"),  # or NONE
        flusher=ref("task"),
        oom_reaper=ref("task"),
        oom_reaper_list=ref("mm"),  # the first that it is to reap
        flush_file=ref("file", when="n_files > 0", start=0),  # the file at which the flusher goes on
        disk_busy=ref("request"),  # the request that the disk works on, or NONE
        outside="i4",  # the explorer's: which moves of the outside have been made, a bit each
        reads=records.requestq,  # requests that wait for the disk
        writes=records.requestq,
        writes_waiting="i4",  # requests to write that are not done
        congested=records.waitq,  # wait_iff_congested
        writeback_waiters=records.waitq,  # wait_on_page_writeback
        **records.mutexes("machine"),
        zone=records.zone,
        tasks=many(records.task, c.tasks, used="n_tasks"),
        pages=many(records.page, c.pages, used="n_pages"),
        mms=many(records.mm, c.mms, used="n_mms"),
        vmas=many(records.vma, c.vmas, used="n_vmas"),
        directories=many(records.directory(c.entries), c.directories, used="n_directories"),
        tables=many(records.table(c.entries), c.tables, used="n_tables"),
        files=many(records.file, c.files, used="n_files"),
        slots=many(ref("page", at=1), c.slots),  # page cache
        shmem_swp=many(ref("swap", at=1), c.slots),  # beside it: where what is not there is in swap
        groups=many(records.group, c.groups, used="n_groups"),
        cpus=many(records.cpu(min(records.NR_MEMCG_STOCK, c.groups - 1)), c.cpus, used="n_cpus"),
        requests=many(records.request, c.requests),
        swaps=many(records.swap, c.swaps, used="n_swaps"),
        names=many(ref("task", at=1), c.names),  # slot -> task
        dentries=("i4", c.dentries),  # 1: the dcache has the name
    )


def books_record(c: Capacity) -> Record:
    """Everything else."""
    return record(
        now="i8",
        spent="i8",  # what the current step has cost so far
        cpu="i4",  # on which it runs
        resched_ok="i4",  # the step passed a cond_resched()
        error="i4",  # a pool is exhausted: which (ERR_*)
        error_file="i4",  # ERR_SLOTS: of which file
        nr_threads="i8",  # tasks that there are, with dead ones that are not reaped and those being forked
        max_threads="i8",  # so many there may be
        driver="i4",  # 0: no one wants wake-ups recorded
        rng="i8",
        quantum="i8",  # ns of user-mode computing in one move
        charge_batch="i4",  # pages that a charge tries for at once (CHARGE_BATCH)
        dirty_ratelimit="i4",  # pages dirtied on a CPU between two looks at the limits (ratelimit_pages)
        reap_retries="i4",  # tries of the OOM reaper to have a victim's mmap_sem (MAX_OOM_REAP_RETRIES)
        reclaim_retries="i4",  # fruitless rounds of reclaim before the last (MEM_CGROUP_RECLAIM_RETRIES)
        objects=("i4", len(OBJECTS)),  # what a charge for one takes (objects.py)
        buffers="i4",  # blocks of a file system in a page, each with a buffer head
        charges_kmem="i4",  # groups are charged for kernel memory, where the paths have the steps
        has_high="i4",  # a group may have a memory.high: charges look for it
        gathers_slots="i4",  # a CPU frees slots of the swap space by 64 (SWAP_SLOTS_CACHE_SIZE)
        zero_every="i4",  # of so many pages of memory a program writes a zero to the first; 0: to none
        lru_batch="i4",  # new pages that join the lists together (PAGEVEC_SIZE); 0: each at once
        remembers="i4",  # reclaim knows what it has evicted and what that has cost: shadows, costs, ages
        has_low="i4",  # ... a memory.low or memory.min: reclaim looks for it
        reuse="i4",  # accesses to earlier pages per recorded one, in 1/256
        fetches="i4",  # pages of the code that a recorded program came to last, fetched again per recorded touch
        n_fetched="i4",
        aged="i8",  # pages that reclaim has looked at
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
        single_pages="i4",  # the explorer's: folios have one page
        moved="i8",  # the explorer's: tasks that have made a move, a bit each
        coverage=(books.coverage, c.tasks * c.paths if c.narrow else 1),  # the explorer's, by task, then path
        outside=(books.outside, MOST_OUTSIDE),
        holds=(books.hold, n.HOLD_KINDS),
        locked="i8",  # pages that are locked
        most_locked="i8",  # the most that were at once
        most_locked_at="i8",  # since when
        sched=books.sched,
        disk=books.disk,
        cost=("i8", books.COSTS),
        paths=(books.path, c.paths),
        tasks=(books.task_books, c.tasks),
        pages=(books.page_books, c.pages),
        shadows=("i8", c.slots),  # of what was evicted from the page cache, by its slot (workingset.py)
        swap_shadows=("i8", c.swaps),  # ... and from the swap cache
        zeromap=("i4", c.swaps),  # the slot is of a page of zeroes, and nothing was written
        origins=("i8", c.swaps),  # of what is in each swap slot: page_books.origin
        psi_on="i4",  # memory.pressure is kept
        psi_at="i8",  # up to when
        psi_next="i8",  # when the averages are next brought up to date
        psi=(books.psi(c.cpus), c.groups),
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
        reap_at=("i8", c.mms),  # when the delay of one in the OOM reaper's queue is over
        trees=(books.tree, c.files),
        nodes=(books.xa_node, 1 if c.narrow else c.slots // 60 + 5 * c.files),  # of the trees, by files
        n_nodes="i4",
        nodes_listed="i8",  # nodes that have come to have nothing but shadows
        has_rcu="i4",  # what call_rcu frees goes when a grace period is over (rcu.py)
        n_rcu="i4",
        rcu_at="i8",  # when the first of those is over
        rcu=(books.rcu, 1 if c.narrow else 64),
        dirtied_at=("i8", c.files),  # when the file's oldest dirty page became so
        timers=(books.timer, c.tasks + c.requests),
        log=(books.event, c.log),
        ops=(books.op, c.ops),
        fetched=("i4", c.ops),  # where instructions touch code, in their order
        rescues=("i1", c.ops),  # a way leads from the instruction to one that may help a group (engine.foresight)
    )


@cache
def machine_dtype(capacity: Capacity) -> np.dtype[Any]:
    """The record type of a machine of this capacity. Raises ValueError where NumPy could not hold it."""
    state = state_record(capacity)
    whole = laid_out({"state": state.narrow if capacity.narrow else state.dtype, "books": books_record(capacity).dtype})
    if not 0 < whole.itemsize < MAX_LIMIT * 2 - (1 << 20):
        raise ValueError(f"a machine of {capacity} does not fit into a NumPy record (2 GiB)")
    return whole


# pools that can be exhausted (books.error); engine/exhausted.py says what they are
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
ERR_FILES = 11


class Machine(np.record):  # type: ignore[misc]
    """The record. Numba asks for its ``data`` at every call from Python; NumPy's own takes 15 ms."""

    @property
    def data(self) -> memoryview:
        """The machine's bytes; of a record within it, what NumPy says."""
        names = self.dtype.names
        if names != ("state", "books"):
            return super().data
        return np.asarray(self.base).view(np.uint8).data

    @cached_property
    def plain(self) -> Any:
        """The machine for plain Python."""
        return view(self.dtype, 0, self.data)


@cache
def _machine_type(capacity: Capacity) -> np.dtype[Any]:
    return np.dtype((Machine, machine_dtype(capacity)))


def aligned_zeros(count: int, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """An array of zeroes that begins where a line of the processor's cache does, as its vectors like it."""
    raw = np.zeros(count * dtype.itemsize + CACHE_LINE, np.uint8)
    begin = -raw.ctypes.data % CACHE_LINE
    return raw[begin : begin + count * dtype.itemsize].view(dtype)


def new_machine(capacity: Capacity = CLOCK) -> Any:
    """An empty machine: no tasks, no files, one group (0: root). Untouched memory is not committed."""
    k = aligned_zeros(1, np.dtype(machine_dtype(capacity))).view(_machine_type(capacity))[0]
    state_record(capacity).begin(k.state)
    return k
