"""The machine: one NumPy record with nested arrays of records.

``state`` is what two machines must differ in to be different (the explorer copies, hashes and compares it);
``books`` is everything else: clock, run queues, costs, counters, the log. Indices replace pointers, ``NONE`` is NULL,
lists are intrusive like the kernel's. Kernel code takes the whole record ``k``: passing arrays around would cost
Numba a reference count at every call.

A field must not bear the name of a NumPy attribute (``flags``, ``size``, ``data``, ``item``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from . import names as n
from .vmstat import BUCKETS, KILLS_KEPT

FRAMES = 6  # a system call that faults, whose fault reads ahead, whose charge reclaims, ... and one to spare
REGISTERS = 4  # nested loops of a program
COSTS = 112  # room for the cost table
DIRECTORY_LEVELS = 3  # above the leaf tables; 9 bits each with 512 entries: 48-bit addresses
MAX_LIMIT = 1 << 30  # bytes: NumPy 2.4 overflows silently at 2 GiB; stay well away


def _alignment(kind: np.dtype[Any]) -> int:
    """What C would align a field of this type to; NumPy forgets it for a record inside a record."""
    if kind.subdtype is not None:
        return _alignment(kind.subdtype[0])
    if kind.fields is not None:
        return max(_alignment(field[0]) for field in kind.fields.values())
    return kind.alignment


def record(**fields: Any) -> np.dtype[Any]:
    """A record type whose instances read like a C struct (``page.locked_by``), laid out as C would."""
    formats = [np.dtype(kind) for kind in fields.values()]
    offsets, end, widest = [], 0, 1
    for kind in formats:
        align = _alignment(kind)
        end = -(-end // align) * align
        offsets.append(end)
        end += kind.itemsize
        widest = max(widest, align)
    whole = -(-end // widest) * widest
    layout: Any = {"names": list(fields), "formats": formats, "offsets": offsets, "itemsize": whole}
    return np.dtype((np.record, np.dtype(layout, align=True)))


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

waitq = record(head="i4", tail="i4")  # of tasks, by task.wait_next, first in first out

page = record(
    locked_by="i4",  # FREE, a task, or REQUEST_OWNER - request
    waiters=waitq,
    group="i4",  # who is charged: a group, 0 (root, nobody), or NONE (not charged)
    file="i4",  # page->mapping: a file, or NONE
    index="i4",  # in the file
    bits="i4",  # PG_*
    refs="i4",
    mapcount="i4",
    rmap="i4",  # first page table entry that maps it
    lru_next="i4",  # on the list of the group that is charged
    lru_prev="i4",
    zone_next="i4",  # on the machine's list
    zone_prev="i4",
    io_next="i4",  # the next page of the same disk request
)
pte = record(page="i4", bits="i4", rmap_next="i4", rmap_prev="i4")
frame = record(
    path="i4",
    pc="i4",  # place in the path
    phase="i4",  # within the step
    held="i4",  # H_*
    ret="i4",  # what the path that this one called has answered
    unwinding="i4",  # the error (or RETRY) for which everything is being given back, or 0
    fault="i4",  # F_*
    relock="i4",  # the page has been locked before in this fault
    page="i4",
    newpage="i4",
    mm="i4",
    vma="i4",
    file="i4",
    group="i4",
    batch="i4",  # charge: pages tried for at once
    retries="i4",  # charge: rounds of reclaim left before OOM
    oomed="i4",  # charge: holds the group's OOM lock (bit 1) and is counted in under_oom (bit 2)
    priority="i4",  # reclaim
    which="i4",  # reclaim: list
    todo="i4",  # reclaim: pages left to scan of the list
    done="i4",  # pages done, or reclaimed
    scanned="i4",
    scan=("i4", 4),  # reclaim: pages still to be scanned of each list at this priority
    vpn="i8",  # the faulting page, or the first page of a range
    index="i8",  # in the file
    count="i8",  # pages left
    arg="i8",
)
task = record(
    run_state="i4",  # T_*
    wait_kind="i4",
    wait_id="i4",
    wait_next="i4",
    killable="i4",  # the sleep ends at a fatal signal
    exclusive="i4",  # one such waiter is woken at a time
    granted="i4",  # the mmap_sem was handed to it while it slept
    sigkill="i4",  # a fatal signal is pending
    memdie="i4",  # TIF_MEMDIE
    oom_victim="i4",  # chosen by the OOM killer
    exiting="i4",  # PF_EXITING
    mm="i4",
    group="i4",
    parent="i4",
    leader="i4",  # thread group
    threads="i4",  # of a leader: how many others there are in its group
    first_child="i4",  # the oldest
    last_child="i4",
    sibling="i4",  # the next younger
    born="i4",  # the order in which tasks were made: the kernel's task list is in this order
    program="i4",  # whose name it bears
    slot="i4",
    pc="i4",  # next instruction
    depth="i4",  # frames in use
    status="i4",  # of its last instruction or child (shell's $?)
    exit_status="i4",
    cpu="i4",
    affinity="i4",
    oom_score_adj="i4",
    is_root="i4",  # has CAP_SYS_ADMIN
    sigbus_handler="i4",
    kthread="i4",  # a kernel thread, without an address space: which (KT_*)
    progress="i4",  # pages done of the current OP_TOUCH or OP_FILL
    entry="i4",  # first instruction of its program: re-use looks back no further
    reuse_left="i4",  # accesses to earlier pages still owed
    reuse_vpn="i8",  # the one in hand, or NONE
    remaining="i8",  # ns left of the current OP_COMPUTE
    registers=("i4", REGISTERS),
    frames=(frame, FRAMES),
)
vma = record(mm="i4", next="i4", file="i4", prot="i4", start="i8", end="i8", pgoff="i8")
mm = record(
    users="i4",  # tasks; 0 = free
    readers="i4",  # of mmap_sem
    writer="i4",  # task or NONE
    waiters=waitq,  # on mmap_sem, readers and writers in one queue
    root="i4",  # top directory
    vmas="i4",  # first mapping, in order of addresses
    anon_rss="i4",
    file_rss="i4",
    swapents="i4",  # entries whose page is in swap
    tables="i4",  # leaf page tables (nr_ptes)
    owner_group="i4",
)
res_counter = record(usage="i8", limit="i8")  # pages
lru = record(head="i4", tail="i4", count="i4")
# zone_reclaim_stat: of anonymous pages and of files', how many were scanned lately, and how many of them were in use
recent = record(scanned=("i8", 2), rotated=("i8", 2))
group = record(
    alive="i4",
    parent="i4",
    use_hierarchy="i4",
    res=res_counter,
    memsw=res_counter,
    oom_kill_disable="i4",
    oom_lock="i4",
    under_oom="i4",
    swappiness="i4",
    last_child="i4",  # where hierarchical reclaim goes on
    tasks="i4",
    oom_waiters=waitq,
    lists=(lru, 5),
    recent=recent,
)
zone = record(
    lists=(lru, 5),
    recent=recent,
    min_pages="i4",  # watermarks, in free pages
    low_pages="i4",
    high_pages="i4",
    pages_scanned="i8",  # host-wide, since a page was freed last
    dirty="i4",  # pages of files that are to be written
    writeback="i4",  # pages that are being written
    wanted="i4",  # pages that reclaim has asked the flusher to write
)
swap = record(
    count="i4",  # page table entries that hold it (swap_map)
    page="i4",  # 1 + the page that the swap cache has for it
    group="i4",  # who is charged for it (swap_cgroup), or NONE
    next="i4",  # free slots
)
file = record(
    first="i4",  # its slots in the page cache: first ... first + room - 1
    room="i4",
    pages="i4",  # i_size, in pages
    cached="i4",
    i_mutex="i4",  # task or NONE
    i_mutex_waiters=waitq,
    readahead="i4",  # window in pages, 0 = none
    bad_first="i4",  # reads of these pages fail
    bad_count="i4",
    shmem="i4",  # no disk behind it: a missing page is zeroes
    dirty="i4",  # pages to be written
    writeback_index="i4",  # where the flusher goes on
)
request = record(busy="i4", submitted="i4", owner="i4", first="i4", last="i4", pages="i4", write="i4", next="i4")
cpu = record(stock_group="i4", stock="i4", drain="i4", dirtied="i4")

task_books = record(
    vruntime="i8",
    since="i8",  # when it fell asleep
    asleep="i8",  # ns asleep in the current fault
    fault_at="i8",  # when the current fault began
    alarm="i8",  # when its sleep ends
    following="i4",  # what its next move is: 0 (user mode), 1 + a step, or -1 (it gives things back)
    pause="i8",  # ns after which the sleep that it now begins ends; 0: nothing ends it by time
    via="i4",  # scratch: from whom a search for holders came here
    charging="i4",  # engine.waitfor.survey: the group for whose memory it waits in a charge, or NONE
    stuck_on="i4",  # survey: the group that will never let it go on, or NONE
    stalled="i4",  # the group for whose memory its current wait has passed the bound, or NONE
    cpu_ns="i8",
    minflt="i8",
    majflt="i8",
)
page_books = record(locked_at="i8", locked_in="i4")  # when, and in which step
group_books = record(
    counters=("i8", n.COUNTERS),
    max_usage="i8",
    memsw_max_usage="i8",
    failcnt="i8",
    memsw_failcnt="i8",
    cache="i8",
    rss="i8",
    mapped_file="i8",
    swap="i8",  # its pages in swap
    pgpgin="i8",
    pgpgout="i8",
    pgfault="i8",
    pgmajfault="i8",
    progress_at="i8",  # last successful charge, uncharge or exit in its subtree
    rounds="i8",  # retries since then
    blocked="i4",  # engine.waitfor.survey
    deaths="i8",
    killed="i8",
    waits=("i8", n.WAIT_KINDS),  # sleeps of its tasks that have ended, by what for (W_*)
    wait_ns=("i8", n.WAIT_KINDS),
)
latency = record(  # of the faults of a group's tasks
    count="i8",
    shortest="i8",
    longest="i8",
    at="i8",  # when the longest ended
    task="i4",  # whose it was
    comm="i4",
    path="i4",
    buckets=("i8", BUCKETS),
)
hold = record(  # the longest of a page lock that has ended (if one has)
    ended="i4", task="i4", ns="i8", comm="i4", group="i4", file="i4", index="i4", step="i4"
)
kill = record(at="i8", group="i4", task="i4", comm="i4", badness="i4")
cpu_books = record(
    now="i8",
    curr="i4",
    queued="i4",
    min_vruntime="i8",
    slice_at="i8",
    pace="i8",  # of this slice: percent more or less than the costs say
    resched="i4",
    idle_ns="i8",
)
timer = record(at="i8", order="i8", what="i4", which="i4")
op = record(code="i4", bits="i4", a="i8", b="i8", c="i8", d="i8")
event = record(time="i8", kind="i2", cpu="i2", task="i4", a="i4", b="i4", value="i8", extra="i8")
path = record(
    length="i4",
    loop_at="i4",
    loop_end="i4",
    skips_cached="i4",
    reads_file="i4",
    has_on_error="i4",
    error_length="i4",
    steps=("i4", 32),
    on_error=("i4", 32),
)
sched = record(latency="i8", min_granularity="i8", wakeup_granularity="i8", jitter="i8")
disk = record(latency="i8", page_ns="i8", busy_ns="i8", reads_in_a_row="i4", nr_requests="i4")


def machine_dtype(capacity: Capacity) -> np.dtype[Any]:
    """The record type of a machine of this capacity. Raises ValueError where NumPy could not hold it."""
    c = capacity
    state = record(
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
        reads=waitq,  # requests that wait for the disk, by request.next
        writes=waitq,
        writes_waiting="i4",  # requests to write that are not done
        congested=waitq,  # tasks: wait_iff_congested
        writeback_waiters=waitq,  # tasks: wait_on_page_writeback
        zone=zone,
        tasks=(task, c.tasks),
        pages=(page, c.pages),
        mms=(mm, c.mms),
        vmas=(vma, c.vmas),
        directories=(record(used="i4", up="i4", slot="i4", entry=("i4", c.entries)), c.directories),
        tables=(record(mm="i4", used="i4", up="i4", slot="i4", start="i8", pte=(pte, c.entries)), c.tables),
        files=(file, c.files),
        slots=("i4", c.slots),
        groups=(group, c.groups),
        cpus=(cpu, c.cpus),
        requests=(request, c.requests),
        swaps=(swap, c.swaps),
        names=("i4", c.names),  # slot -> task
    )
    books = record(
        now="i8",
        spent="i8",  # what the current step has cost so far
        cpu="i4",  # on which it runs
        resched_ok="i4",  # the step passed a cond_resched()
        error="i4",  # a pool is exhausted: which (ERR_*)
        driver="i4",  # 0: no one wants wake-ups recorded
        rng="i8",
        quantum="i8",  # ns of user-mode computing in one move
        reuse="i4",  # accesses to earlier pages per recorded one, in 1/256
        log_mask="i8",
        log_count="i4",
        n_woken="i4",
        n_timers="i4",
        drain_asked="i8",  # CPUs whose stock a worker is to drain, a bit each
        host="i4",
        order="i8",
        steps="i8",
        stall_ns="i8",  # a wait outside that is longer is a stall
        next_check="i8",
        bound_ns="i8",  # a group without progress for so long, and
        bound_rounds="i8",  # so many rounds of retries, has come to a standstill
        n_stalls="i4",
        n_kills="i4",
        hold=hold,
        sched=sched,
        disk=disk,
        cost=("i8", COSTS),
        paths=(path, c.paths),
        tasks=(task_books, c.tasks),
        pages=(page_books, c.pages),
        groups=(group_books, c.groups),
        latencies=(latency, c.groups),
        kills=(kill, KILLS_KEPT),
        cpus=(cpu_books, c.cpus),
        mm_table=("i4", c.mms),  # the leaf table that each mm used last
        mm_vma=("i4", c.mms),  # mmap_cache
        runq=(record(heap=("i4", c.tasks)), c.cpus),
        woken=("i4", c.tasks),
        stalls=("i4", c.tasks),  # tasks whose wait has just become a stall
        queue=("i4", c.tasks),  # scratch
        request_at=("i8", c.requests),
        dirtied_at=("i8", c.files),  # when the file's oldest dirty page became so
        timers=(timer, c.tasks + c.requests),
        log=(event, c.log),
        ops=(op, c.ops),
    )
    whole = record(state=state, books=books)
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
ERROR_NAMES = (
    "", "the machine's memory (raise --memory)", "tasks", "address spaces", "mappings", "page-table directories",
    "page tables", "disk requests", "frames of a task", "timers",
    "page-cache slots of a file (written beyond its room)", "instructions",
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


def new_machine(capacity: Capacity = CLOCK) -> Any:
    """An empty machine: no tasks, no files, one group (0: root). Untouched memory is not committed."""
    layout = machine_dtype(capacity)
    k = np.zeros(1, layout).view(np.dtype((Machine, layout)))[0]
    for nothing in ("free_page", "free_task", "free_mm", "free_vma", "free_directory", "free_table", "free_swap",
                    "kswapd", "flusher", "disk_busy"):  # fmt: skip
        k.state[nothing] = n.NONE
    for queue in ("reads", "writes", "congested", "writeback_waiters"):
        k.state[queue].head = k.state[queue].tail = n.NONE
    for which in range(5):
        k.state.zone.lists[which].head = k.state.zone.lists[which].tail = n.NONE
    return k
