"""What the machine's books consist of: clocks, costs, counters, figures, the log; nothing that two states differ in."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import layout
from . import names as n
from .figures import BUCKETS


def record(**fields: Any) -> np.dtype[Any]:
    """NumPy's type of a record: the books are not renamed, nor narrowed."""
    return layout.record(**fields).dtype


COSTS = 160  # steps, and what else costs time (steps.costs)

LRU_BATCH = 31  # PAGEVEC_SIZE, the most
SWAP_SLOTS_CACHE = 64  # SWAP_SLOTS_CACHE_SIZE

task_books = record(
    vruntime="i8",
    since="i8",  # when it fell asleep
    asleep="i8",  # ns asleep in the current fault
    fault_at="i8",  # when the current fault began
    alarm="i8",  # when its timer goes off
    ends="i8",  # when its sleep ends; 0: not by time
    following="i4",  # what its next move is: 0 (user mode), 1 + a step, or -1 (it gives things back)
    pause="i8",  # ns after which the sleep that it now begins ends; 0: nothing ends it by time
    via="i4",  # scratch: from whom a search for holders came here
    search="i8",  # the last one that came here
    charging="i4",  # engine.standstill.survey: the group for whose memory it waits in a charge, or NONE
    stuck_on="i4",  # survey: the group that will never let it go on, or NONE
    stalled="i4",  # the group for whose memory its current wait has passed the bound, or NONE
    cpu_ns="i8",
    minflt="i8",
    majflt="i8",
    returned="i8",  # pages that its read, write and remote calls have done
    chosen_at="i8",  # 1 + when the OOM killer chose it; 0: it has not
    free="i4",  # survey: it may yet do something that counts (standstill.may_act, may_come)
    lost="i4",  # survey: it will never go on
    aged="i8",  # books.aged when it last went back to earlier pages
    fetches="i4",  # touches of code that lie behind it in its program, while it goes back to them; else 0
    fetches_end="i4",  # where they end in books.fetched
    fetch_power="i4",  # how far back it is
    fetch_left="i4",  # pages that far back that are still to be fetched
    reaped="i4",  # 1: its parent, a shell, reaps it as soon as it is dead (SIGCHLD), 2: and has
    scan_target=("i8", 4),  # its reclaim: pages that were to be scanned of each list (targets of shrink_lruvec)
    batch=("i8", 4),  # of these, in the batch in hand: BATCH_* of shrink_node.py
    dirtied_pause="i8",  # pages that it dirties until it looks at the limits; 0: as many as any (nr_dirtied_pause)
    paced_at="i8",  # until when what it has dirtied is paid for (dirty_paused_when)
    family="i8",  # of a recorded command's tasks: when its first one was born (task.born); 0: it is none of one
    began="i4",  # the instruction at which it was forked
    completed="i4",  # OP_COMPLETEs that it has come past
    over_since="i8",  # 1 + when the charge that it is in met a limit; 0: it has met none
)
page_books = record(
    locked_at="i8",  # since when its lock belongs to who has it now
    locked_in="i4",  # in which step it was taken
    origin="i8",  # what it was made for, or was before it was truncated: a place (places.py)
    buffers="i4",  # 1 + the group that is charged for its buffer heads; 0: it has none
    buffered="i4",  # pages that these are for
    head="i4",  # of a folio of several pages: 1 + its head; 0: it is a head itself (folio.py)
    tails="i4",  # of a head: how many other pages its folio has
    next_page="i4",  # 1 + the next page of the folio; 0: it is the last
    batched="i4",  # 1 + the CPU with whose new pages it waits for its place on the lists; 0: it does not
    zeroes="i4",  # anonymous memory that nobody has written anything else to
    dirtied="i4",  # of a file's that is dirty, or being written: 1 + the group that is charged; 0: nobody is
    workingset="i4",  # PG_workingset: it has been on the active list, in this life of its or in the one before
)
group_books = record(
    counters=("i8", n.COUNTERS),
    max_usage="i8",
    memsw_max_usage="i8",
    failcnt="i8",
    memsw_failcnt="i8",
    cache="i8",
    rss="i8",
    kmem="i8",  # of the kernel: page tables, stacks, objects
    kmem_usage="i8",  # the same with those below it (v1's memory.kmem.usage_in_bytes)
    kmem_max_usage="i8",
    slab=("i8", 2),  # bytes of objects that memory.stat has heard of (account_slab)
    percpu="i8",  # bytes
    mapped_file="i8",
    swap="i8",  # its pages in swap
    shadow_nodes="i4",  # its nodes of the page cache's trees that have nothing but shadows
    deferred="i8",  # of these, those that reclaim has wanted to look at and has not yet (nr_deferred)
    dirty="i8",  # its pages of files that are dirty
    writeback="i8",  # ... that are being written
    events=("i8", len(n.MEMCG_EVENTS)),  # of its subtree (memory.events)
    events_local=("i8", len(n.MEMCG_EVENTS)),  # its own
    vm_events=("i8", len(n.VM_EVENTS)),  # its own
    cost=("i8", 2),  # of reclaiming anonymous pages and files' from its subtree lately (anon_cost, file_cost)
    nonresident_age="i8",  # pages evicted from its subtree, or activated in it
    refaults=("i8", 2),  # anonymous pages and files' that had come back as active ones, when it was reclaimed last
    pgpgin="i8",
    pgpgout="i8",
    thp_fault_alloc="i8",  # faults that have made a huge page, and
    thp_fault_fallback="i8",  # that have had to do without
    thp_fault_fallback_charge="i8",  # ... for want of the group's memory
    split_pages="i8",  # pages that splitting a folio has made: each counts in pgpgout, none in pgpgin
    pgfault="i8",
    pgmajfault="i8",
    joined="i8",  # tasks that have ever been in its subtree
    progress_at="i8",  # last successful charge, uncharge, exit or OOM kill in its subtree
    rounds="i8",  # retries since then
    blocked="i4",  # engine.standstill.survey
    deaths="i8",
    killed="i8",
    waits=("i8", n.WAIT_KINDS),  # sleeps of its tasks that have ended, by what for (W_*)
    wait_ns=("i8", n.WAIT_KINDS),
)
tree = record(  # of a file's pages in the page cache (xarray.py), and its inode
    first="i4",  # 1 + its first node's number; 0: none has been needed yet
    height="i4",  # levels of nodes
    entries="i4",
    inode="i4",  # 1 + the group that is charged for its inode and dentry; 0: nobody is
)
xa_node = record(
    owner="i4",  # 1 + the group that is charged for it; 1: nobody is; 0: it is not there
    entries="i4",
    shadows="i4",  # of these, those that are shadows of what was evicted
    listed="i8",  # 1 + which one it was in the order in which nodes have come to have nothing else; 0: it has
)
latency = record(  # of the faults of a group's tasks
    count="i8",
    total="i8",
    shortest="i8",
    longest="i8",
    at="i8",  # when the longest ended
    task="i4",  # whose it was
    comm="i4",
    path="i4",
    buckets=("i8", BUCKETS),
)
PSI_AVERAGES = 3  # over 10, 60 and 300 s


def psi(cpus: int) -> np.dtype[Any]:
    """memory.pressure of a group: engine.psi."""
    return record(
        total=("i8", 2),  # ns: some, full
        avg_total=("i8", 2),  # of these, what is in the averages
        avg=("i8", 2 * PSI_AVERAGES),  # percent, in 1/2048
        times=("i8", 3 * cpus),  # by CPU, since they were added up: some, full, not idle
        stalled="i8",  # CPUs with a task that is held up, a bit each
        working="i8",
        waiting="i8",
    )


hold = record(  # of page locks, by a kind of owner (HOLD_*): those that have ended, and the longest of them
    ended="i8",  # how many
    total="i8",  # ns
    ns="i8",
    place="i8",
    task="i4",
    comm="i4",
    group="i4",
    step="i4",
)
coverage = record(  # of a task on a path: engine.coverage
    tried="i8",  # places of the path that it has come to, a bit each
    charging="i8",  # ... at which a charge of its has met a limit
    throttled="i8",  # ... at which it has slept because it is over memory.high
    called="i8",  # ... from which it has called another path
    calls="i8",  # paths that it has called from there
    left="i8",  # how it has come out of the path: LEFT_*
)
outside = record(what="i4", a="i4", b="i4")  # engine.moves
kill = record(at="i8", group="i4", task="i4", comm="i4", badness="i4")
cpu_books = record(
    slab=("i8", 2),  # bytes of objects of which memory.stat has not heard yet (kmem.account_slab)
    now="i8",
    curr="i4",
    queued="i4",
    min_vruntime="i8",
    slice_at="i8",
    pace="i8",  # of this slice: percent more or less than the costs say
    resched="i4",
    lru_add=("i4", LRU_BATCH),  # new pages that are to join the lists, together
    lru_adds="i4",  # how many
    slots_ret=("i4", SWAP_SLOTS_CACHE),  # slots of the swap space that are to be freed, together
    slots="i4",  # how many
    idle_ns="i8",
)
rcu = record(  # kernel memory that goes when a grace period is over (rcu.py)
    at="i8",
    cpu="i4",
    group="i4",
    tables="i4",  # page tables
    nodes="i4",  # of the page cache's trees
    objects="i8",  # bytes
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
