"""What the machine's state consists of: a page, a task and its frames, an address space, a group, a file, ...

Indices replace pointers, ``NONE`` is NULL, lists are intrusive like the kernel's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .layout import record

FRAMES = 6  # a system call that faults on shmem, which is in swap, which is read, for which reclaim makes room
REGISTERS = 4  # nested loops of a program
OPEN_FILES = 4  # that a task reads in turn and that know where it was

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


def table(entries: int) -> np.dtype[Any]:
    """A leaf page table."""
    return record(
        mm="i4",  # or NONE: free
        used="i4",  # entries
        up="i4",  # the directory where it hangs, and in which place
        slot="i4",
        page="i4",  # that it stands in and that a group is charged for; NONE: its memory is not counted
        start="i8",  # the first page that it covers
        pte=(pte, entries),
    )


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
    prealloc_pte="i4",  # the page of a page table that pte_alloc_one has made, or NONE
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
# where the last window of read-ahead began, its pages, and how many of them lie behind its marker (from it on)
file_ra_state = record(start="i4", pages="i4", async_pages="i4")
# a file that a task reads: 1 + which, 1 + the page that the last read ended with
opened = record(file="i4", prev="i4", ra=file_ra_state)
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
    opened=(opened, OPEN_FILES),  # the latest first
    frames=(frame, FRAMES),
)
vma = record(
    mm="i4",
    next="i4",
    file="i4",
    prot="i4",
    start="i8",
    end="i8",
    pgoff="i8",
    ra=file_ra_state,  # of the open file behind it
    mmap_miss="i4",  # faults that did not find their page, less those that did
)
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
lru = record(count="i4", head="i4", tail="i4")  # pages, by lru_next or zone_next
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
    readahead="i4",  # the largest window in pages (ra_pages); 0 or 1: none
    bad_first="i4",  # reads of these pages fail
    bad_count="i4",
    shmem="i4",  # no disk behind it: a missing page is zeroes, or in swap
    anonymous="i4",  # made by mmap(MAP_SHARED | MAP_ANONYMOUS): goes with its last mapping
    mapped="i4",  # mappings of it
    next="i4",  # free files
    dirty="i4",  # pages to be written
    writeback_index="i4",  # where the flusher goes on
)
request = record(busy="i4", submitted="i4", owner="i4", first="i4", last="i4", pages="i4", write="i4", next="i4")
cpu = record(stock_group="i4", stock="i4", drain="i4", dirtied="i4")
