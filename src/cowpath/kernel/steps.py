"""The table of steps and of paths: their numbers, names, and what each step takes, needs and gives back.

The table is data for the loader of designs (which checks an order against it) and for the search (which enumerates
orders from it). What a step does is in the file named after its kernel counterpart; ``step.py`` dispatches.
"""

from __future__ import annotations

from dataclasses import dataclass

from .names import (
    H_CHARGE,
    H_I_MUTEX,
    H_MMAP_READ,
    H_MMAP_WRITE,
    H_NEW_PAGE,
    H_PAGE_LOCK,
    H_PAGE_REF,
    H_PAGE_TABLE,
)

# --- steps -------------------------------------------------------------------------------------
# of a fault
MMAP_READ_LOCK = 0
FIND_VMA = 1
HANDLE_PTE_FAULT = 2
MMAP_READ_UNLOCK = 3
FIND_PAGE = 4
LOCK_PAGE = 5
UNLOCK_PAGE = 6
PUT_PAGE = 7
ANON_VMA_PREPARE = 8
ALLOC_PAGE = 9
CHARGE = 10
COPY_PAGE = 11
CLEAR_PAGE = 12
MAP_PAGE = 13
MAP_ZERO_PAGE = 14
RECHECK_MAPPING = 15
PAGE_MKWRITE = 16
WP_REUSE = 17
FIND_SWAP_PAGE = 18
BALANCE_DIRTY_PAGES = 19
PTE_ALLOC_ONE = 20
# of read-ahead, read, write and write-back
RA_WINDOW = 21
EACH_PAGE = 22
NEXT_PAGE = 23
ADD_TO_PAGE_CACHE = 24
SUBMIT_IO = 25
WAIT_UPTODATE = 26
COPY_TO_USER = 27
COPY_FROM_USER = 28
GRAB_PAGE = 29
SET_PAGE_DIRTY = 30
I_MUTEX_LOCK = 31
I_MUTEX_UNLOCK = 32
SWAP_WINDOW = 33
ADD_TO_SWAP_CACHE = 34
WRITE_CACHE_PAGES = 35
FILEMAP_FDATAWAIT = 36
# of the other system calls
MMAP_WRITE_LOCK = 37
MMAP_WRITE_UNLOCK = 38
MAP_REGION = 39
UNMAP_REGION = 40
MLOCK_FIXUP = 41
POPULATE = 42
INVALIDATE_PAGE = 43
TRUNCATE_SETSIZE = 44
TRUNCATE_PAGE = 45
UNMAP_MAPPING_RANGE = 46
SHOW_MAP = 47
D_LOOKUP = 48
D_ADD = 49
FILEMAP_FLUSH = 50
# of tasks, of the groups' files and of kernel threads
DUP_MM = 51
WAKE_UP_NEW_TASK = 52
EXEC_MMAP = 53
EXIT_MM = 54
EXIT_NOTIFY = 55
DO_WAIT = 56
NANOSLEEP = 57
SEND_SIGKILL = 58
RESIZE_LIMIT = 59
FLUSHER_SLEEP = 60
WB_WRITEBACK = 61
KSWAPD_TRY_TO_SLEEP = 62
# of reclaim
DRAIN_ALL_STOCK = 63
SHRINK_ZONE = 64
BALANCE_PGDAT = 65
MMPUT = 66
# what is not a step but costs time
USER = 67  # an access to memory in user mode
EXCEPTION = 68  # entering and leaving the kernel for a fault
SYSCALL = 69  # the same for a system call
SWITCH = 70  # a context switch
WAKE = 71  # try_to_wake_up
RES_CHARGE = 72  # a try to raise a group's counter
SCAN_PAGE = 73  # reclaim looks at a page
SCAN_PRIORITY = 74  # reclaim starts a round over a group's lists
RMAP_PTE = 75  # a page table entry visited through the reverse mapping
RECLAIM_PAGE = 76  # a page leaves the page cache
ZAP_PTE = 77  # a page table entry is cleared
FREE_PAGE = 78
UNCHARGE = 79
DUP_PTE = 80  # fork copies a page table entry
OOM_SCAN_TASK = 81  # select_bad_process looks at a task
OOM_KILL = 82  # the kill itself, with its messages
SIGNAL = 83  # a signal is delivered to a handler
FIND_MISS = 84
OOM_SLEEP = 85  # mem_cgroup_handle_oom, without the kill
SWAP_SLOT = 86  # a slot of the swap space is found, or given back
WRITE_PAGE = 87  # ->writepage(): a page is made ready for the disk
ALLOC_SLOW = 88  # __alloc_pages_slowpath: memory is below its watermark

COST_NAMES = (
    "mmap_read_lock", "find_vma", "handle_pte_fault", "mmap_read_unlock", "find_page", "lock_page", "unlock_page",
    "put_page", "anon_vma_prepare", "alloc_page", "charge", "copy_page", "clear_page", "map_page",
    "map_zero_page", "recheck_mapping", "page_mkwrite", "wp_reuse", "find_swap_page", "balance_dirty_pages",
    "pte_alloc_one",
    "ra_window", "each_page", "next_page", "add_to_page_cache", "submit_io", "wait_uptodate", "copy_to_user",
    "copy_from_user", "grab_page", "set_page_dirty", "i_mutex_lock", "i_mutex_unlock", "swap_window",
    "add_to_swap_cache", "write_cache_pages", "filemap_fdatawait", "mmap_write_lock", "mmap_write_unlock",
    "map_region", "unmap_region", "mlock_fixup", "populate", "invalidate_page", "truncate_setsize",
    "truncate_page", "unmap_mapping_range", "show_map", "d_lookup", "d_add", "filemap_flush", "dup_mm",
    "wake_up_new_task", "exec_mmap", "exit_mm", "exit_notify", "do_wait", "nanosleep", "send_sigkill", "resize_limit",
    "flusher_sleep", "wb_writeback", "kswapd_try_to_sleep", "drain_all_stock", "shrink_zone", "balance_pgdat",
    "mmput", "user_access", "exception", "syscall", "context_switch", "wake_up", "res_charge", "scan_page",
    "scan_priority", "rmap_pte", "reclaim_page", "zap_pte", "free_page", "uncharge", "dup_pte", "oom_scan_task",
    "oom_kill", "signal", "find_miss", "oom_sleep", "swap_slot", "write_page", "alloc_slow",
)  # fmt: skip
N_STEPS = USER
STEP_NAMES = COST_NAMES[:N_STEPS]


@dataclass(frozen=True)
class StepInfo:
    """What a step does to the frame: bits of ``H_*`` that it takes, that it needs held, and that it gives back.

    ``before``: a step that must not have been taken yet.
    """

    name: str
    takes: int = 0
    needs: int = 0
    gives: int = 0
    before: str = ""


STEPS: tuple[StepInfo, ...] = tuple(
    {
        "mmap_read_lock": StepInfo("mmap_read_lock", takes=H_MMAP_READ),
        "mmap_read_unlock": StepInfo("mmap_read_unlock", needs=H_MMAP_READ, gives=H_MMAP_READ),
        "find_vma": StepInfo("find_vma", needs=H_MMAP_READ),
        "handle_pte_fault": StepInfo("handle_pte_fault", needs=H_MMAP_READ),
        "mmap_write_lock": StepInfo("mmap_write_lock", takes=H_MMAP_WRITE),
        "mmap_write_unlock": StepInfo("mmap_write_unlock", needs=H_MMAP_WRITE, gives=H_MMAP_WRITE),
        "find_page": StepInfo("find_page", takes=H_PAGE_REF),
        "lock_page": StepInfo("lock_page", takes=H_PAGE_LOCK, needs=H_PAGE_REF),
        "unlock_page": StepInfo("unlock_page", needs=H_PAGE_LOCK | H_PAGE_REF, gives=H_PAGE_LOCK),
        "put_page": StepInfo("put_page", needs=H_PAGE_REF, gives=H_PAGE_REF),
        "anon_vma_prepare": StepInfo("anon_vma_prepare", before="map_page"),  # the new page's reverse mapping
        "alloc_page": StepInfo("alloc_page", takes=H_NEW_PAGE),
        "charge": StepInfo("charge", takes=H_CHARGE, needs=H_NEW_PAGE),
        "clear_page": StepInfo("clear_page", needs=H_NEW_PAGE),
        "copy_page": StepInfo("copy_page", needs=H_NEW_PAGE | H_PAGE_REF),
        "map_page": StepInfo("map_page", gives=H_NEW_PAGE | H_CHARGE | H_PAGE_TABLE),
        "map_zero_page": StepInfo("map_zero_page", gives=H_PAGE_TABLE),
        "pte_alloc_one": StepInfo("pte_alloc_one", takes=H_PAGE_TABLE),
        "find_swap_page": StepInfo("find_swap_page", takes=H_PAGE_REF),
        "recheck_mapping": StepInfo("recheck_mapping", needs=H_PAGE_LOCK),
        "page_mkwrite": StepInfo("page_mkwrite", needs=H_PAGE_REF),
        "wp_reuse": StepInfo("wp_reuse", takes=H_PAGE_REF),
        "add_to_page_cache": StepInfo("add_to_page_cache", needs=H_NEW_PAGE, gives=H_NEW_PAGE | H_CHARGE),
        "add_to_swap_cache": StepInfo("add_to_swap_cache", needs=H_NEW_PAGE, gives=H_NEW_PAGE),
        "wait_uptodate": StepInfo("wait_uptodate", needs=H_PAGE_REF),
        "copy_to_user": StepInfo("copy_to_user", needs=H_PAGE_REF),
        "copy_from_user": StepInfo("copy_from_user", needs=H_I_MUTEX),
        "set_page_dirty": StepInfo("set_page_dirty", needs=H_PAGE_LOCK),
        "grab_page": StepInfo("grab_page", takes=H_PAGE_REF | H_PAGE_LOCK, needs=H_I_MUTEX),
        "i_mutex_lock": StepInfo("i_mutex_lock", takes=H_I_MUTEX),
        "i_mutex_unlock": StepInfo("i_mutex_unlock", needs=H_I_MUTEX, gives=H_I_MUTEX),
        "map_region": StepInfo("map_region", needs=H_MMAP_WRITE),
        "unmap_region": StepInfo("unmap_region", needs=H_MMAP_WRITE),
        "mlock_fixup": StepInfo("mlock_fixup", needs=H_MMAP_WRITE),
        "dup_mm": StepInfo("dup_mm", needs=H_MMAP_WRITE),
        "truncate_setsize": StepInfo("truncate_setsize", needs=H_I_MUTEX),
        "truncate_page": StepInfo("truncate_page", needs=H_I_MUTEX),
        "unmap_mapping_range": StepInfo("unmap_mapping_range", needs=H_I_MUTEX),
        "show_map": StepInfo("show_map", needs=H_MMAP_READ),
        "d_lookup": StepInfo("d_lookup", needs=H_I_MUTEX),
        "d_add": StepInfo("d_add", needs=H_I_MUTEX),
    }.get(name, StepInfo(name))
    for name in STEP_NAMES
)

# --- paths -------------------------------------------------------------------------------------
P_PAGE_FAULT = 0
P_ANON = 1
P_ANON_READ = 2
P_FILE_READ = 3
P_FILE_COW = 4
P_FILE_SHARED_WRITE = 5
P_WP_COPY = 6
P_WP_SHARED = 7
P_SWAP_IN = 8
P_READAHEAD = 9
P_SWAP_READAHEAD = 10
P_RECLAIM = 11
P_READ = 12
P_WRITE = 13
P_MMAP = 14
P_MUNMAP = 15
P_MLOCK = 16
P_FADVISE = 17
P_TRUNCATE = 18
P_READ_PROC = 19
P_FORK = 20
P_CLONE = 21
P_EXEC = 22
P_EXIT = 23
P_WAIT = 24
P_SLEEP = 25
P_KILL = 26
P_CG_SET = 27
P_FSYNC = 28
P_WRITEBACK = 29
P_KSWAPD = 30
P_FLUSHER = 31
P_LSEEK = 32
P_LOOKUP = 33
P_CREAT = 34
P_READDIR = 35
P_MMAP_POPULATE = 36
P_HANDLE_MM_FAULT = 37
PATH_NAMES = (
    "page_fault", "anon", "anon_read", "file_read", "file_cow", "file_shared_write", "wp_copy", "wp_shared",
    "swap_in", "readahead", "swap_readahead", "reclaim", "read", "write", "mmap", "munmap", "mlock", "fadvise",
    "truncate", "read_proc", "fork", "clone", "exec", "exit", "wait", "sleep", "kill", "cg_set", "fsync",
    "writeback", "kswapd", "flusher", "lseek", "lookup", "creat", "readdir",
    "mmap_populate", "handle_mm_fault",
)  # fmt: skip
FAULT_PATHS = ("anon", "anon_read", "file_read", "file_cow", "file_shared_write", "wp_copy", "wp_shared", "swap_in")
LAST_FAULT_PATH = P_SWAP_IN
