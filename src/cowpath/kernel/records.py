"""What the machine's state consists of: a page, a task and its frames, an address space, a group, a file, ...

Indices replace pointers, ``NONE`` is NULL, lists are intrusive like the kernel's. Each field says what it numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import names as n
from .layout import Field, Record, either, many, num, record, ref
from .waits import LOCKS, RWSEMS

FRAMES = 6  # a system call that faults on shmem, which is in swap, which is read, for which reclaim makes room
REGISTERS = 4  # nested loops of a program
OPEN_FILES = 4  # that a task reads in turn and that know where it was


@dataclass(frozen=True)
class Things:
    """Where the things of a kind are: what a ``ref`` to that kind numbers."""

    array: str  # of the state; empty: of the books
    count: str = ""  # the field of the state that says how many there are; empty: as many as the array holds
    live: str = ""  # the condition that one of them is in use, of its own fields; empty: all are
    renamed: bool = True  # which number one of them has means nothing: the explorer folds what differs in it


THINGS = {
    "page": Things("pages", "n_pages", "refs > 0"),
    "task": Things("tasks", "n_tasks", "run_state != T_FREE"),
    "mm": Things("mms", "n_mms", "users > 0 or tables > 0"),
    "vma": Things("vmas", "n_vmas", "end > 0"),
    "directory": Things("directories", "n_directories", "used > 0"),
    "table": Things("tables", "n_tables", "mm > NONE"),
    "request": Things("requests", "", "busy > 0"),
    "file": Things("files", "n_files", renamed=False),
    "group": Things("groups", "n_groups", renamed=False),
    "cpu": Things("cpus", "n_cpus", renamed=False),
    "swap": Things("swaps", "n_swaps", renamed=False),
    "slot": Things("slots", renamed=False),  # of the page cache
    "name": Things("names", renamed=False),  # of tasks
    "dentry": Things("dentries", renamed=False),  # of files
    "path": Things("", renamed=False),
    "op": Things("", renamed=False),
}


def queue(kind: str) -> Record:
    """The ends of a list: first in, first out."""
    return record(head=ref(kind), tail=ref(kind))


waitq = queue("task")  # by task.wait_next
requestq = queue("request")  # by request.next
mutex = record(owner=ref("task"), waiters=waitq)
rwsem = record(readers="i4", writer=ref("task"), waiters=waitq)  # readers and writers in one queue


def mutexes(of: str) -> dict[str, Record]:
    """The mutexes of such a thing (``waits.LOCKS``)."""
    return {lock.name: mutex for lock in LOCKS if lock.of == of}


def rwsems(of: str) -> dict[str, Record]:
    """The rwsems of such a thing (``waits.RWSEMS``)."""
    return {sem.name: rwsem for sem in RWSEMS if sem.of == of}


def on_lru(kind: str) -> Field:
    """A link of a page's place in a list, which counts while the page is on one."""
    return ref(kind, when="bits & PG_LRU", otherwise=n.NONE)


page = record(
    # FREE, a task, or REQUEST_OWNER - request
    locked_by=either(
        ref("task", when="locked_by >= 0", start=n.FREE),
        ref("request", at=n.REQUEST_OWNER, down=True, when="locked_by <= REQUEST_OWNER"),
    ),
    waiters=waitq,
    group=ref("group"),  # who is charged: a group, 0 (root, nobody), or NONE (not charged)
    file=ref("file"),  # page->mapping: a file, or NONE
    index="i4",  # in the file
    bits="i4",  # PG_*
    refs="i4",
    mapcount="i4",
    rmap=ref("pte"),  # first page table entry that maps it
    lru_next=on_lru("page"),  # on the list of the group that is charged; of a free page: the next free one
    lru_prev=on_lru("page"),
    zone_next=on_lru("page"),  # on the machine's list
    zone_prev=on_lru("page"),
    io_next=ref("page"),  # the next page of the same disk request
)
MAPS = "bits & PTE_PRESENT"
MAPS_PAGE = "bits & PTE_PRESENT and bits & PTE_ZERO == 0"
pte = record(
    page=either(ref("page", when=MAPS, start=0), ref("swap", when="bits & PTE_SWAP")),
    bits="i4",
    rmap_next=ref("pte", when=MAPS_PAGE, start=0),
    rmap_prev=ref("pte", when=MAPS_PAGE, start=0),
)


def table(entries: int) -> Record:
    """A leaf page table."""
    return record(
        mm=ref("mm"),  # or NONE: free
        used="i4",  # entries
        up=ref("directory", when="mm > NONE"),  # where it hangs, and in which place; of a free one: the next free one
        slot="i4",
        page=ref("page"),  # that it stands in and that a group is charged for; NONE: its memory is not counted
        start="i8",  # the first page that it covers
        pte=many(pte, entries),
    )


def directory(entries: int) -> Record:
    """A page-table directory."""
    return record(
        used="i4",  # entries
        level="i4",  # how many levels of directories there are from here on: 1: its entries are leaf tables
        up=ref("directory"),  # where it hangs, and in which place
        slot="i4",
        entry=many(either(ref("directory", when="level > 1"), ref("table", when="level == 1")), entries),
    )


frame = record(
    path=ref("path", start=0),
    pc="i4",  # place in the path
    phase="i4",  # within the step
    held="i8",  # H_*; the widest of a narrow machine has 31 bits
    ret="i4",  # what the path that this one called has answered
    unwinding="i4",  # the error (or RETRY) for which everything is being given back, or 0
    fault="i4",  # F_*
    relock="i4",  # the page has been locked before in this fault
    page=ref("page"),
    newpage=ref("page"),
    prealloc_pte=ref("page"),  # the page of a page table that pte_alloc_one has made, or NONE
    old_page=ref("page"),  # wp_copy: what the entry mapped (orig_pte)
    mm=ref("mm"),
    other_mm=ref("mm"),  # that fork fills, or that exec or exit takes down
    vma=ref("vma"),
    file=ref("file"),
    group=ref("group", start=0),
    **(
        {"mutex_group": ref("group", start=0)} if mutexes("group") else {}
    ),  # its task's, when it took the group's mutex
    request=ref("request"),  # to the disk, that is being filled
    swap=ref("swap"),  # swap_in: the slot that the entry names (orig_pte)
    fault_path=ref("path"),  # page_fault: the path that it calls
    dentry=ref("dentry"),  # the name that is looked up
    op=ref("op", start=0),  # the instruction that the system call is made by
    charged_group=ref("group"),  # swap_in, kernel memory: the group that has been charged, until that has its place
    kmem="i4",  # kernel memory in hand: pages
    objects="i4",  # ... and objects, in bytes
    batch="i4",  # charge: pages tried for at once
    retries="i4",  # charge: rounds of reclaim left before OOM
    oomed="i4",  # charge: holds the group's OOM lock (bit 1) and is counted in under_oom (bit 2)
    gfp="i4",  # how it may charge: GFP_*
    tried="i4",  # charge by page counters: what it has done already: TRIED_*
    priority="i4",  # reclaim; elsewhere 1 + the largest order of its folios; 0: not said (read-ahead: page by page)
    victim=ref("group", start=0),  # reclaim: the group whose lists are scanned; 0: the machine's
    lru=num(start=n.NONE),  # reclaim: list (LRU_*)
    todo="i4",  # reclaim: pages left to scan of the list
    done="i4",  # pages done, or reclaimed
    scanned="i4",
    status="i4",  # wait: the highest status of the children that have been waited for
    scan=("i4", 4),  # reclaim: pages still to be scanned of each list at this priority
    vpn="i8",  # the faulting page, or the first page of a range
    index="i8",  # in the file
    count="i8",  # pages left
    arg="i8",  # a number that the path was called with: R_* of a reclaim, a buffer's address, a file's size, ns, ...
)
# where the last window of read-ahead began, its pages, how many of them lie behind its marker (from it on), and the
# order of its largest folios
file_ra_state = record(start="i4", pages="i4", async_pages="i4", order="i4")
# a file that a task reads: 1 + which, 1 + the page that the last read ended with
# and, where that is charged for, 1 + the group that is
opened = record(file=ref("file", at=1), prev="i4", ra=file_ra_state, kmem=ref("group", at=1))
WAIT_ID = [
    ref(w.of, when=f"wait_kind == {kind}", start=0) for kind, w in enumerate(n.WAITS) if w.of and w.of != "machine"
]
task = record(
    run_state="i4",  # T_*
    wait_kind="i4",  # W_*
    wait_id=either(*WAIT_ID),
    wait_next=ref("task"),
    killable="i4",  # the sleep ends at a fatal signal
    exclusive="i4",  # one such waiter is woken at a time
    lock_sleeps="i4",  # times that it has slept for the page lock that it wants; WOKEN: it only waits, and is done
    granted="i4",  # the rwsem was handed to it while it slept
    sigkill="i4",  # a fatal signal is pending
    sigstop="i4",  # it is to stop, or has stopped
    sigterm="i4",  # SIGTERM, sent to a task that is to stop: it dies when it comes back to user mode
    memdie="i4",  # TIF_MEMDIE
    oom_victim="i4",  # chosen by the OOM killer
    kmem=ref("group", at=1),  # 1 + the group that is charged for its kernel stack and its objects, or 0
    pipe=ref("group", at=1),  # 1 + the group that is charged for its pipe
    pipe_pages="i4",  # that it has written into it
    memcg_oom=ref("group", start=0),  # the group for which a charge of its fault has failed (memcg_in_oom); 0: none has
    short_of=ref("group", start=0),  # its fault fails for want of this group's memory, with nobody to kill; or 0
    pdeath_signal="i4",  # it is killed when its parent dies (PR_SET_PDEATHSIG)
    exiting="i4",  # PF_EXITING
    mm=ref("mm"),
    group=ref("group", start=0),
    parent=ref("task"),
    leader=ref("task"),  # thread group
    threads="i4",  # of a leader: how many others there are in its group
    first_child=ref("task"),  # the oldest
    last_child=ref("task"),
    sibling=ref("task"),  # the next younger; of a free record: the next free one
    born="i4",  # the order in which tasks were made: the kernel's task list is in this order
    program=num(folded="nothing depends on a task's name"),  # whose name it bears
    slot=ref("name"),
    pc=ref("op", start=0),  # next instruction
    depth="i4",  # frames in use
    status="i4",  # of its last instruction or child (shell's $?)
    exit_status="i4",
    cpu=ref("cpu", start=0),
    affinity=ref("cpu"),
    oom_score_adj="i4",
    is_root="i4",  # has CAP_SYS_ADMIN
    sigbus_handler="i4",
    kthread="i4",  # a kernel thread, without an address space: which (KT_*)
    progress="i4",  # pages done of the current OP_TOUCH or OP_FILL
    entry=ref("op", start=0),  # first instruction of its program: re-use looks back no further
    reuse_left="i4",  # accesses to earlier pages still owed
    reuse_vpn=num("i8", start=n.NONE),  # the one in hand, or NONE
    remaining="i8",  # ns left of the current OP_COMPUTE
    over_high="i4",  # pages charged over memory.high that it has not paid for (memcg_nr_pages_over_high)
    high_reclaimed="i4",  # of these, those that have been reclaimed for
    high_retries="i4",  # while it pays: 1 + rounds of reclaim left that free nothing; else 0
    high_freed="i4",  # the last round has freed something
    lost_own="i4",  # it has reclaimed for its debt what its own read or fault was still to get; from then on, for good
    dying_paid="i4",  # it has begun to reclaim for memory.high when it was being killed; from then on, for good
    registers=("i4", REGISTERS),
    opened=many(opened, OPEN_FILES),  # the latest first
    frames=many(frame, FRAMES, used="depth"),  # those that are not in use are zeroes
)
vma = record(
    mm=ref("mm"),  # or NONE: free
    next=ref("vma", when="end > 0"),  # by addresses; of a free record: the next free one
    file=ref("file"),
    prot="i4",
    start="i8",
    end="i8",
    pgoff="i8",
    ra=file_ra_state,  # of the open file behind it
    mmap_miss="i4",  # faults that did not find their page, less those that did
    readers="i4",  # faults that have its lock
    kmem=ref("group", at=1),  # 1 + the group that is charged for it, or 0
    anon_vma=ref("group", at=1),  # 1 + the group that is charged for its anon_vma, or 0
    marked="i4",  # who has mmap_sem for writing is to change it: nobody new reads
)
mm = record(
    users="i4",  # tasks; 0 = free
    **rwsems("mm"),
    root=ref("directory", when="tables > 0", otherwise=n.NONE),  # top directory; of a free one: the next free one
    vmas=ref("vma"),  # first mapping, in order of addresses
    anon_rss="i4",
    file_rss="i4",
    swapents="i4",  # entries whose page is in swap
    tables="i4",  # leaf page tables (nr_ptes)
    kmem=ref("group", at=1),  # 1 + the group that is charged for its upper page tables and its objects, or 0
    objects="i4",  # bytes
    oom_skip="i4",  # MMF_OOM_SKIP: the OOM reaper has done with it
    unstable="i4",  # MMF_UNSTABLE: and has begun
    reap="i4",  # it is in the OOM reaper's queue (oom_queue.py)
    reap_next=ref("mm"),  # the next one in it
    owner_group=ref("group", start=0),
    **mutexes("mm"),
)
res_counter = record(usage="i8", limit="i8")  # pages
lru = record(count="i4", head=ref("page"), tail=ref("page"))  # pages, by lru_next or zone_next
# zone_reclaim_stat: of anonymous pages and of files', how many were scanned lately, and how many of them were in use
recent = record(scanned=("i8", 2), rotated=("i8", 2))
group = record(
    alive="i4",
    parent=ref("group", start=0),
    use_hierarchy="i4",
    res=res_counter,
    memsw=res_counter,
    oom_kill_disable="i4",
    oom_lock="i4",
    under_oom="i4",
    swappiness="i4",
    oom_group="i4",  # memory.oom.group: all of it dies together
    high=num("i8", start=n.UNLIMITED),  # memory.high, pages
    low_pages="i8",  # memory.low and memory.min: what reclaim spares
    min_pages="i8",
    swap_max=num("i8", start=n.UNLIMITED),  # memory.swap.max, pages
    swap_high=num("i8", start=n.UNLIMITED),
    swap_usage="i8",  # slots that its pages have (v2)
    controls="i4",  # cgroup.subtree_control of v2: the groups below have the memory controller
    last_child=ref("group", start=0),  # where hierarchical reclaim goes on
    slab_pages="i4",  # pages that it is charged for objects of the kernel
    slab_bytes="i4",  # what these take
    parked="i4",  # bytes that are left of them on no CPU (nr_charged_bytes)
    made_of="i4",  # bytes of objects that its parent is charged for it
    kernel_pages="i4",  # pages of the kernel that are no objects and no page tables of the last level
    tasks="i4",
    oom_waiters=waitq,
    lists=many(lru, 5),
    recent=recent,
    **mutexes("group"),
)
zone = record(
    lists=many(lru, 5),
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
    page=ref("page", at=1),  # 1 + the page that the swap cache has for it
    group=ref("group", start=0),  # who is charged for it (swap_cgroup), or NONE
    reserved="i4",  # SWAP_HAS_CACHE without a page yet: somebody is making one
    waiters=waitq,  # for that
    owner=ref("group", at=1),  # v2: 1 + the group whose swap_usage counts it, or 0
    next=ref("swap", start=0),  # free slots
)
file = record(
    first=ref("slot", start=0),  # its slots in the page cache: first ... first + room - 1
    room="i4",
    pages="i4",  # i_size, in pages
    cached="i4",
    readahead="i4",  # the largest window in pages (ra_pages); 0 or 1: none
    bad_first="i4",  # reads of these pages fail
    bad_count="i4",
    shmem="i4",  # no disk behind it: a missing page is zeroes, or in swap
    anonymous="i4",  # made by mmap(MAP_SHARED | MAP_ANONYMOUS): goes with its last mapping
    mapped="i4",  # mappings of it
    next=ref("file"),  # free files
    dirty="i4",  # pages to be written
    writeback_index="i4",  # where the flusher goes on
    **mutexes("file"),
    **rwsems("file"),
)
request = record(
    busy="i4",
    submitted="i4",
    owner=ref("task", when="busy > 0", start=0),
    first=ref("page", when="busy > 0"),
    last=ref("page", when="busy > 0"),
    pages="i4",
    write="i4",
    next=ref("request", when="busy > 0"),
)
NR_MEMCG_STOCK = 7  # groups that a CPU keeps charges for, from 6.16 on
stock = record(group=ref("group", start=0), pages="i4")  # 0: free


def cpu(stocks: int) -> Record:
    """A CPU."""
    return record(
        stocks=many(stock, stocks),  # what it keeps of charges
        drain="i4",  # its worker is to drain that
        obj_group=ref("group", start=0),  # whose objects share what is left of a page (cached_objcg), or 0
        obj_bytes="i4",  # that
        dirtied="i4",
    )
