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
# of read-ahead, read and write
RA_WINDOW = 18
EACH_PAGE = 19
NEXT_PAGE = 20
ADD_TO_PAGE_CACHE = 21
SUBMIT_IO = 22
WAIT_UPTODATE = 23
COPY_TO_USER = 24
COPY_FROM_USER = 25
GRAB_PAGE = 26
SET_PAGE_DIRTY = 27
I_MUTEX_LOCK = 28
I_MUTEX_UNLOCK = 29
# of the other system calls
MMAP_WRITE_LOCK = 30
MMAP_WRITE_UNLOCK = 31
MAP_REGION = 32
UNMAP_REGION = 33
MLOCK_FIXUP = 34
POPULATE = 35
INVALIDATE_PAGE = 36
TRUNCATE_SETSIZE = 37
TRUNCATE_PAGE = 38
SHOW_MAP = 39
DUP_MM = 40
WAKE_UP_NEW_TASK = 41
EXEC_MMAP = 42
EXIT_MM = 43
EXIT_NOTIFY = 44
DO_WAIT = 45
NANOSLEEP = 46
SEND_SIGKILL = 47
RESIZE_LIMIT = 48
# of reclaim
DRAIN_ALL_STOCK = 49
SHRINK_ZONE = 50
MMPUT = 51
# what is not a step but costs time
USER = 52  # an access to memory in user mode
EXCEPTION = 53  # entering and leaving the kernel for a fault
SYSCALL = 54  # the same for a system call
SWITCH = 55  # a context switch
WAKE = 56  # try_to_wake_up
RES_CHARGE = 57  # a try to raise a group's counter
SCAN_PAGE = 58  # reclaim looks at a page
SCAN_PRIORITY = 59  # reclaim starts a round over a group's lists
RMAP_PTE = 60  # a page table entry visited through the reverse mapping
RECLAIM_PAGE = 61  # a page leaves the page cache
ZAP_PTE = 62  # a page table entry is cleared
FREE_PAGE = 63
UNCHARGE = 64
DUP_PTE = 65  # fork copies a page table entry
OOM_SCAN_TASK = 66  # select_bad_process looks at a task
OOM_KILL = 67  # the kill itself, with its messages
SIGNAL = 68  # a signal is delivered to a handler
FIND_MISS = 69
OOM_SLEEP = 70  # mem_cgroup_handle_oom, without the kill

COST_NAMES = (
    "mmap_read_lock", "find_vma", "handle_pte_fault", "mmap_read_unlock", "find_page", "lock_page", "unlock_page",
    "put_page", "anon_vma_prepare", "alloc_page", "charge", "copy_page", "clear_page", "map_page", "map_zero_page",
    "recheck_mapping", "page_mkwrite", "wp_reuse", "ra_window", "each_page", "next_page", "add_to_page_cache",
    "submit_io", "wait_uptodate", "copy_to_user", "copy_from_user", "grab_page", "set_page_dirty", "i_mutex_lock",
    "i_mutex_unlock", "mmap_write_lock", "mmap_write_unlock", "map_region", "unmap_region", "mlock_fixup", "populate",
    "invalidate_page", "truncate_setsize", "truncate_page", "show_map", "dup_mm", "wake_up_new_task", "exec_mmap",
    "exit_mm", "exit_notify", "do_wait", "nanosleep", "send_sigkill", "resize_limit", "drain_all_stock", "shrink_zone",
    "mmput", "user_access", "exception", "syscall", "context_switch", "wake_up", "res_charge", "scan_page",
    "scan_priority", "rmap_pte", "reclaim_page", "zap_pte", "free_page", "uncharge", "dup_pte",
    "oom_scan_task", "oom_kill", "signal", "find_miss", "oom_sleep",
)  # fmt: skip
N_STEPS = USER
STEP_NAMES = COST_NAMES[:N_STEPS]


@dataclass(frozen=True)
class StepInfo:
    """What a step does to the frame: bits of ``H_*`` that it takes, that it needs held, and that it gives back."""

    name: str
    takes: int = 0
    needs: int = 0
    gives: int = 0


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
        "unlock_page": StepInfo("unlock_page", needs=H_PAGE_LOCK, gives=H_PAGE_LOCK),
        "put_page": StepInfo("put_page", needs=H_PAGE_REF, gives=H_PAGE_REF),
        "alloc_page": StepInfo("alloc_page", takes=H_NEW_PAGE),
        "charge": StepInfo("charge", takes=H_CHARGE, needs=H_NEW_PAGE),
        "clear_page": StepInfo("clear_page", needs=H_NEW_PAGE),
        "copy_page": StepInfo("copy_page", needs=H_NEW_PAGE | H_PAGE_REF),
        "map_page": StepInfo("map_page", gives=H_NEW_PAGE | H_CHARGE),
        "recheck_mapping": StepInfo("recheck_mapping", needs=H_PAGE_LOCK),
        "page_mkwrite": StepInfo("page_mkwrite", needs=H_PAGE_REF),
        "wp_reuse": StepInfo("wp_reuse", takes=H_PAGE_REF),
        "add_to_page_cache": StepInfo("add_to_page_cache", needs=H_NEW_PAGE, gives=H_NEW_PAGE | H_CHARGE),
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
        "show_map": StepInfo("show_map", needs=H_MMAP_READ),
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
P_READAHEAD = 8
P_RECLAIM = 9
P_READ = 10
P_WRITE = 11
P_MMAP = 12
P_MUNMAP = 13
P_MLOCK = 14
P_FADVISE = 15
P_TRUNCATE = 16
P_READ_PROC = 17
P_FORK = 18
P_CLONE = 19
P_EXEC = 20
P_EXIT = 21
P_WAIT = 22
P_SLEEP = 23
P_KILL = 24
P_CG_SET = 25
PATH_NAMES = (
    "page_fault", "anon", "anon_read", "file_read", "file_cow", "file_shared_write", "wp_copy", "wp_shared",
    "readahead", "reclaim", "read", "write", "mmap", "munmap", "mlock", "fadvise", "truncate", "read_proc", "fork",
    "clone", "exec", "exit", "wait", "sleep", "kill", "cg_set",
)  # fmt: skip
FAULT_PATHS = ("anon", "anon_read", "file_read", "file_cow", "file_shared_write", "wp_copy", "wp_shared")
