"""The table of steps and of paths: each step is declared here, once, with all that is to be known of it.

A path is a list of steps. ``STEPS`` has an entry per step: the file in which its function ``step_NAME`` stands, what it
takes, needs and gives back, on which paths it has nothing to do, which paths it calls. From it are made the numbers
(``Step``; ``FIND_PAGE`` and so on, plain integers, which compiled code takes as constants), the dispatch and the error
exits (``dispatch.py``), the loader's check of a design, the search's dependencies, and who waits in a charge. Steps of
one's own join it (``own.py``) before the dispatch is made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from .names import (
    H_CHARGE,
    H_I_MUTEX,
    H_INVALIDATE_READ,
    H_INVALIDATE_WRITE,
    H_KMEM,
    H_MMAP_READ,
    H_MMAP_WRITE,
    H_MOVING,
    H_NEW_PAGE,
    H_PAGE_LOCK,
    H_PAGE_REF,
    H_PAGE_TABLE,
    H_SWAP_ENTRY,
    H_THREADGROUP,
    H_TREE_LOCK,
    H_VMA_READ,
)

MOST_STEPS = 128  # numbers below are steps', those from here on what else costs time


# --- paths: what a task in the kernel is on; ``P_FILE_COW`` and so on are their numbers -----------
PATH_NAMES = (
    "page_fault", "anon", "anon_read", "file_read", "file_cow", "file_shared_write", "wp_copy", "wp_shared",
    "swap_in", "readahead", "swap_readahead", "reclaim", "read", "write", "mmap", "munmap", "mlock", "fadvise",
    "truncate", "read_proc", "fork", "clone", "exec", "exit", "wait", "sleep", "kill", "cg_set", "fsync",
    "writeback", "kswapd", "flusher", "lseek", "lookup", "creat", "readdir",
    "mmap_populate", "handle_mm_fault", "exit_to_user", "pagefault_out_of_memory", "oom_reaper", "madvise_populate",
    "read_maps", "open", "mprotect", "access_remote_vm", "pipe", "pipe_write", "madvise", "attach",
)  # fmt: skip
# what some kernels do not do at all: there the path has no steps, and nobody enters it
MAY_BE_EMPTY = (
    "exit_to_user", "pagefault_out_of_memory", "oom_reaper", "madvise_populate", "read_maps", "open", "lseek",
    "access_remote_vm", "pipe", "pipe_write", "attach",
)  # fmt: skip
FOR_EVER = ("kswapd", "flusher", "oom_reaper")  # what kernel threads do: it has no end
FAULT_PATHS = PATH_NAMES[PATH_NAMES.index("anon") : PATH_NAMES.index("swap_in") + 1]
LAST_FAULT_PATH = PATH_NAMES.index("swap_in")


def _all_but(*paths: str) -> tuple[str, ...]:
    return tuple(each for each in PATH_NAMES if each not in paths)


@dataclass(frozen=True)
class Misplaced:
    """A step has nothing to do on these paths: why, and what would be right."""

    paths: tuple[str, ...]
    why: str
    hint: str


@dataclass(frozen=True)
class StepInfo:
    """A step. Its function is ``step_NAME`` of ``cowpath.kernel.FILE``, or ``function`` (a step of one's own).

    ``takes``, ``needs``, ``gives``: bits of ``H_*``. ``undo``: what an error exit finds to give back at its place, if
    that is not what it takes. ``before``: a step that must not have been taken yet. ``once``: it may not come twice.
    ``calls``: the paths that it may call, which ``call_NAME`` of its file sets up (or ``call``, as FILE.FUNCTION).
    ``charges``: it waits for a group's memory. ``fault``: it may stand on the path of a fault.
    """

    name: str
    file: str = ""
    takes: int = 0
    needs: int = 0
    gives: int = 0
    undo: int | None = None
    before: str = ""
    once: bool = False
    calls: tuple[str, ...] = ()
    charges: bool = False
    fault: bool = False
    misplaced: tuple[Misplaced, ...] = ()
    function: Callable[..., Any] | None = None
    call: str | Callable[..., Any] = ""
    cost_ns: int = 0  # of one's own: what it costs where the cost table does not name it

    @property
    def to_undo(self) -> int:
        """What an error exit gives back at its place, if it is held."""
        return self.takes if self.undo is None else self.undo


# --- where a step has nothing to do ------------------------------------------------------------
NO_FILE = Misplaced(
    ("anon", "anon_read", "wp_copy"), "there is no page of a file on this path", "it belongs to the paths of files"
)
NOT_IN_SWAP = Misplaced(("swap_in",), "there is no page of a file on this path", "find_swap_page")
HAS_TABLE = Misplaced(
    ("wp_copy", "wp_shared", "swap_in"),
    "there is a page table already on this path",
    "it belongs to the paths that find no entry",
)
ONLY_SWAP = Misplaced(_all_but("swap_in"), "there is no page in swap on this path", "it belongs to swap_in")
ONLY_WP_COPY = Misplaced(_all_but("wp_copy"), "there is no page to reuse on this path", "it belongs to wp_copy")

AT_FAULTS_END = Misplaced(
    _all_but("pagefault_out_of_memory"), "no fault has failed here", "it belongs to pagefault_out_of_memory"
)

IN_RECLAIM = Misplaced(
    ("reclaim", "writeback", "kswapd", "flusher", "exit", "oom_reaper", "attach"),
    "nothing is charged on this path, nor paid for",
    "it belongs to the paths that charge, and to exit_to_user",
)

ONLY_CALLS = Misplaced(
    (*FAULT_PATHS, "page_fault", "reclaim", "writeback", "kswapd", "flusher", "exit", "oom_reaper"),
    "no block of a file system is needed on this path", "it belongs to the paths of system calls",
)  # fmt: skip

ONLY_ATTACH = Misplaced(_all_but("attach"), "no task moves to another group on this path", "it belongs to attach")

ONLY_RECLAIM = Misplaced(_all_but("reclaim"), "nothing is reclaimed on this path", "it belongs to reclaim")

ONLY_FORK = Misplaced(_all_but("fork"), "no address space is copied on this path", "it belongs to fork")

ONLY_EXEC = Misplaced(_all_but("exec"), "no program begins on this path", "it belongs to exec")

ONLY_PIPE = Misplaced(
    _all_but("pipe", "pipe_write"), "there is no pipe on this path", "it belongs to pipe and pipe_write"
)

ONLY_REMOTE = Misplaced(
    _all_but("access_remote_vm"), "nobody else's memory is accessed on this path", "it belongs to access_remote_vm"
)

ONLY_FORKS = Misplaced(_all_but("fork", "clone"), "no task is made on this path", "it belongs to fork and clone")

MAKES_NO_MAPPING = Misplaced(
    _all_but("mmap", "mmap_populate", "munmap", "mlock", "mprotect"), "no mapping is made on this path",
    "it belongs to mmap, munmap, mlock and mprotect",
)  # fmt: skip

NOT_OF_A_FILE = Misplaced(
    _all_but("readahead", "read", "write", "truncate", "fadvise"),
    "there is no file on this path",
    "it belongs to readahead and truncate",
)

ONLY_SWAP_READAHEAD = Misplaced(
    _all_but("swap_readahead"), "no page is read from swap on this path", "it belongs to swap_readahead"
)

ONLY_REAPER = Misplaced(_all_but("oom_reaper"), "nobody is reaped on this path", "it belongs to oom_reaper")

AROUND_A_FAULT = Misplaced(_all_but("page_fault"), "no fault begins or ends here", "it belongs to page_fault")

NOT_INTO_THE_CACHE = Misplaced(
    _all_but("readahead", "write"), "no page joins the page cache on this path", "it belongs to readahead and write"
)

ONLY_OPEN = Misplaced(_all_but("open"), "no file is opened on this path", "it belongs to open")

ONLY_FILE_READ = Misplaced(_all_but("file_read"), "only a read maps what lies around", "it belongs to file_read")

ONLY_MADVISE = Misplaced(_all_but("madvise"), "nothing is advised on this path", "it belongs to madvise")

RECLAIM = "frames.call_reclaim"

# --- steps -------------------------------------------------------------------------------------
STEPS: list[StepInfo] = [
    # of a fault: entry
    StepInfo("mmap_read_lock", "memory", takes=H_MMAP_READ, before="mmput"),
    StepInfo("find_vma", "memory", needs=H_MMAP_READ),
    StepInfo("handle_pte_fault", "memory", needs=H_MMAP_READ, calls=FAULT_PATHS),
    StepInfo("mmap_read_unlock", "memory", needs=H_MMAP_READ, gives=H_MMAP_READ),
    # of a fault: what a design may reorder
    StepInfo("find_page", "filemap", takes=H_PAGE_REF, calls=("readahead", "swap_in"), fault=True,
             misplaced=(NO_FILE, NOT_IN_SWAP)),
    StepInfo("lock_page", "memory", takes=H_PAGE_LOCK, needs=H_PAGE_REF,
             calls=("readahead", "swap_in", "swap_readahead"), fault=True, misplaced=(NO_FILE,)),
    StepInfo("unlock_page", "memory", needs=H_PAGE_LOCK | H_PAGE_REF, gives=H_PAGE_LOCK, fault=True),
    StepInfo("put_page", "memory", needs=H_PAGE_REF, gives=H_PAGE_REF, fault=True),
    StepInfo("anon_vma_prepare", "memory", before="map_page", fault=True),  # the new page's reverse mapping
    StepInfo("alloc_page", "memory", takes=H_NEW_PAGE, calls=("reclaim",), call=RECLAIM, fault=True),
    StepInfo("charge", "memcg_charge", takes=H_CHARGE, needs=H_NEW_PAGE, once=True, calls=("reclaim",), call=RECLAIM,
             charges=True, fault=True),
    StepInfo("copy_page", "memory", needs=H_NEW_PAGE | H_PAGE_REF, fault=True),
    StepInfo("clear_page", "memory", needs=H_NEW_PAGE, fault=True),
    StepInfo("map_page", "map_page", gives=H_NEW_PAGE | H_CHARGE | H_PAGE_TABLE, once=True, fault=True),
    StepInfo("map_zero_page", "map_page", gives=H_PAGE_TABLE, fault=True),
    StepInfo("recheck_mapping", "memory", needs=H_PAGE_LOCK, fault=True, misplaced=(NO_FILE, NOT_IN_SWAP)),
    StepInfo("page_mkwrite", "memory", needs=H_PAGE_REF, fault=True, misplaced=(NO_FILE, NOT_IN_SWAP)),
    StepInfo("wp_reuse", "wp_reuse", takes=H_PAGE_REF, fault=True, misplaced=(ONLY_WP_COPY,)),
    StepInfo("find_swap_page", "swap_state", takes=H_PAGE_REF, calls=("swap_readahead",), fault=True,
             misplaced=(ONLY_SWAP,)),
    StepInfo("balance_dirty_pages", "dirty_throttling", calls=("writeback",), fault=True),
    StepInfo("pte_alloc_one", "pte_alloc", takes=H_PAGE_TABLE, calls=("reclaim",), call=RECLAIM, charges=True,
             fault=True, misplaced=(HAS_TABLE,)),
    # of read-ahead, read, write and write-back
    StepInfo("ra_window", "readahead"),
    StepInfo("each_page", "syscalls"),
    StepInfo("next_page", "syscalls"),
    StepInfo("add_to_page_cache", "filemap", needs=H_NEW_PAGE, gives=H_NEW_PAGE | H_CHARGE | H_KMEM,
             undo=H_PAGE_LOCK | H_PAGE_REF),  # write(2): the page that it has inserted is in hand, locked
    StepInfo("submit_io", "filemap"),
    StepInfo("wait_uptodate", "filemap", needs=H_PAGE_REF),
    StepInfo("copy_to_user", "syscalls", needs=H_PAGE_REF, calls=("page_fault",), call="syscalls.call_copy_user"),
    StepInfo("copy_from_user", "syscalls", needs=H_I_MUTEX, calls=("page_fault",), call="syscalls.call_copy_user"),
    StepInfo("grab_page", "filemap", takes=H_PAGE_REF | H_PAGE_LOCK, needs=H_I_MUTEX, calls=("swap_in",),
             call="filemap.call_find_page"),
    StepInfo("set_page_dirty", "filemap", needs=H_PAGE_LOCK),
    StepInfo("i_mutex_lock", "syscalls", takes=H_I_MUTEX),
    StepInfo("i_mutex_unlock", "syscalls", needs=H_I_MUTEX, gives=H_I_MUTEX),
    StepInfo("swap_window", "swap_state"),
    StepInfo("add_to_swap_cache", "swap_state", needs=H_NEW_PAGE, gives=H_NEW_PAGE | H_CHARGE | H_SWAP_ENTRY),
    StepInfo("write_cache_pages", "writeback"),
    StepInfo("filemap_fdatawait", "writeback"),
    # of the other system calls
    StepInfo("mmap_write_lock", "memory", takes=H_MMAP_WRITE),
    StepInfo("mmap_write_unlock", "memory", needs=H_MMAP_WRITE, gives=H_MMAP_WRITE),
    StepInfo("map_region", "syscalls", needs=H_MMAP_WRITE, gives=H_KMEM),
    StepInfo("unmap_region", "syscalls", needs=H_MMAP_WRITE, gives=H_KMEM),
    StepInfo("mlock_fixup", "syscalls", needs=H_MMAP_WRITE, gives=H_KMEM),
    StepInfo("populate", "syscalls", calls=("page_fault", "handle_mm_fault")),
    StepInfo("invalidate_page", "filemap"),
    StepInfo("truncate_setsize", "truncate", needs=H_I_MUTEX),
    StepInfo("truncate_page", "truncate", needs=H_I_MUTEX),
    StepInfo("unmap_mapping_range", "truncate", needs=H_I_MUTEX),
    StepInfo("show_map", "syscalls", needs=H_MMAP_READ),
    StepInfo("d_lookup", "namei", needs=H_I_MUTEX),
    StepInfo("d_add", "namei", needs=H_I_MUTEX),
    StepInfo("filemap_flush", "writeback", calls=("writeback",)),
    # of tasks, of the groups' files and of kernel threads
    StepInfo("dup_mm", "fork", needs=H_MMAP_WRITE),
    StepInfo("wake_up_new_task", "fork", gives=H_KMEM),
    StepInfo("exec_mmap", "fork", gives=H_KMEM),
    StepInfo("exit_mm", "exit"),
    StepInfo("exit_notify", "exit"),
    StepInfo("do_wait", "exit"),
    StepInfo("nanosleep", "wait"),
    StepInfo("send_sigkill", "signals"),
    StepInfo("resize_limit", "memcg_files", calls=("reclaim",)),
    StepInfo("flusher_sleep", "writeback"),
    StepInfo("wb_writeback", "writeback", calls=("writeback",)),
    StepInfo("kswapd_try_to_sleep", "kswapd"),
    # of reclaim
    StepInfo("drain_all_stock", "vmscan"),
    StepInfo("shrink_zone", "vmscan"),
    StepInfo("shrink_node", "shrink_node"),
    StepInfo("balance_pgdat", "kswapd", calls=("reclaim",)),
    StepInfo("mmput", "exit"),
    # of a fault that has failed for want of a group's memory
    StepInfo("oom_synchronize", "oom_synchronize", charges=True, misplaced=(AT_FAULTS_END,)),
    StepInfo("oom_wait", "oom_synchronize", charges=True, misplaced=(AT_FAULTS_END,)),
    # of memory.high
    StepInfo("reclaim_high", "memcg_high", once=True, calls=("reclaim",), fault=True, misplaced=(IN_RECLAIM,)),
    StepInfo("high_delay", "memcg_high", once=True, fault=True, misplaced=(IN_RECLAIM,)),
    # of the page cache of later kernels
    StepInfo("invalidate_lock_shared", "invalidate_lock", takes=H_INVALIDATE_READ, misplaced=(NOT_OF_A_FILE,)),
    StepInfo("invalidate_unlock_shared", "invalidate_lock", needs=H_INVALIDATE_READ, gives=H_INVALIDATE_READ),
    StepInfo("invalidate_lock", "invalidate_lock", takes=H_INVALIDATE_WRITE, misplaced=(NOT_OF_A_FILE,)),
    StepInfo("invalidate_unlock", "invalidate_lock", needs=H_INVALIDATE_WRITE, gives=H_INVALIDATE_WRITE),
    StepInfo("fatal_signal_pending", "syscalls"),
    # of fork, where it charges page tables
    StepInfo("dup_mmap", "fork", needs=H_MMAP_WRITE, undo=H_KMEM, calls=("reclaim",), call=RECLAIM, charges=True,
             misplaced=(ONLY_FORK,)),
    StepInfo("copy_page_range", "fork", needs=H_MMAP_WRITE, gives=H_PAGE_TABLE, misplaced=(ONLY_FORK,)),
    # of the locks of mappings
    StepInfo("lock_vma", "vma_lock", takes=H_VMA_READ, misplaced=(AROUND_A_FAULT,)),
    StepInfo("vma_end_read", "vma_lock", needs=H_VMA_READ, gives=H_VMA_READ, misplaced=(AROUND_A_FAULT,)),
    StepInfo("vmf_anon_prepare", "vma_lock", before="map_page", fault=True),
    StepInfo("vma_start_write", "vma_lock", needs=H_MMAP_WRITE),
    StepInfo("vma_end_write_all", "vma_lock", needs=H_MMAP_WRITE),
    StepInfo("lock_next_vma", "vma_lock"),
    StepInfo("fault_around", "fault_around", before="map_page", once=True, fault=True, misplaced=(ONLY_FILE_READ,)),
    # of swap, where a page is charged when it is made for the swap cache
    StepInfo("swapcache_prepare", "swap_state", takes=H_SWAP_ENTRY, needs=H_NEW_PAGE, misplaced=(ONLY_SWAP_READAHEAD,)),
    # of the OOM reaper
    StepInfo("oom_reaper_wait", "oom_reaper", misplaced=(ONLY_REAPER,)),
    StepInfo("oom_reap_task_mm", "oom_reaper", misplaced=(ONLY_REAPER,)),
    # of open
    StepInfo("alloc_file", "file_table", undo=H_KMEM, calls=("reclaim",), call=RECLAIM, charges=True,
             misplaced=(ONLY_OPEN,)),
    # of kernel memory
    StepInfo("copy_process", "kmem_charge", takes=H_KMEM, calls=("reclaim",), call=RECLAIM, charges=True,
             misplaced=(ONLY_FORKS,)),
    StepInfo("vm_area_alloc", "kmem_charge", needs=H_MMAP_WRITE, takes=H_KMEM, calls=("reclaim",), call=RECLAIM,
             charges=True, misplaced=(MAKES_NO_MAPPING,)),
    StepInfo("bprm_mm_init", "kmem_charge", takes=H_KMEM, calls=("reclaim",), call=RECLAIM, charges=True,
             misplaced=(ONLY_EXEC,)),
    StepInfo("load_elf_binary", "kmem_charge", undo=H_KMEM, calls=("reclaim",), call=RECLAIM, charges=True,
             misplaced=(ONLY_EXEC,)),
    StepInfo("alloc_pipe_info", "kmem_charge", undo=H_KMEM, calls=("reclaim",), call=RECLAIM, charges=True,
             misplaced=(ONLY_PIPE,)),
    StepInfo("pipe_write", "kmem_charge", undo=H_KMEM, calls=("reclaim",), call=RECLAIM, charges=True,
             misplaced=(ONLY_PIPE,)),
    StepInfo("get_user_pages_remote", "remote", needs=H_MMAP_READ, calls=("handle_mm_fault",),
             misplaced=(ONLY_REMOTE,)),
    StepInfo("xas_create", "page_cache_charge", needs=H_NEW_PAGE, takes=H_KMEM, calls=("reclaim",), call=RECLAIM,
             charges=True, misplaced=(NOT_INTO_THE_CACHE,)),
    StepInfo("create_empty_buffers", "page_cache_charge", needs=H_PAGE_REF, undo=H_KMEM, calls=("reclaim",),
             call=RECLAIM, charges=True, fault=True, misplaced=(NO_FILE, NOT_IN_SWAP)),
    StepInfo("mprotect_fixup", "syscalls", needs=H_MMAP_WRITE, gives=H_KMEM),
    StepInfo("getblk", "kmem_charge", takes=H_KMEM, calls=("reclaim",), call=RECLAIM, charges=True,
             misplaced=(ONLY_CALLS,)),
    StepInfo("brelse", "kmem_charge", needs=H_KMEM, gives=H_KMEM, misplaced=(ONLY_CALLS,)),
    # of a task that moves to another group, where its charges come along
    StepInfo("threadgroup_lock", "move_charge", takes=H_THREADGROUP),
    StepInfo("threadgroup_unlock", "move_charge", needs=H_THREADGROUP, gives=H_THREADGROUP),
    StepInfo("mc_begin", "move_charge", takes=H_MOVING, misplaced=(ONLY_ATTACH,)),
    StepInfo("move_charge", "move_charge", needs=H_MMAP_READ | H_MOVING, misplaced=(ONLY_ATTACH,)),
    StepInfo("mc_end", "move_charge", needs=H_MOVING, gives=H_MOVING, misplaced=(ONLY_ATTACH,)),
    # of the lock of a file system's tree
    StepInfo("tree_lock", "tree_lock", takes=H_TREE_LOCK),
    StepInfo("tree_unlock", "tree_lock", needs=H_TREE_LOCK, gives=H_TREE_LOCK),
    StepInfo("evict_inode", "tree_lock", undo=H_TREE_LOCK, misplaced=(ONLY_RECLAIM,)),
    StepInfo("madvise_vma", "madvise", needs=H_MMAP_READ, misplaced=(ONLY_MADVISE,)),
]  # fmt: skip

# --- what is not a step but costs time: its constant, and its name in a table of costs -----------
OTHER_COSTS = {
    "USER": "user_access",  # an access to memory in user mode
    "EXCEPTION": "exception",  # entering and leaving the kernel for a fault
    "SYSCALL": "syscall",  # the same for a system call
    "SWITCH": "context_switch",  # a context switch
    "WAKE": "wake_up",  # try_to_wake_up
    "RES_CHARGE": "res_charge",  # a try to raise a group's counter
    "SCAN_PAGE": "scan_page",  # reclaim looks at a page
    "SCAN_PRIORITY": "scan_priority",  # reclaim starts a round over a group's lists
    "RMAP_PTE": "rmap_pte",  # a page table entry visited through the reverse mapping
    "RECLAIM_PAGE": "reclaim_page",  # a page leaves the page cache
    "ZAP_PTE": "zap_pte",  # a page table entry is cleared
    "FREE_PAGE": "free_page",
    "UNCHARGE": "uncharge",
    "DUP_PTE": "dup_pte",  # fork copies a page table entry
    "OOM_SCAN_TASK": "oom_scan_task",  # select_bad_process looks at a task
    "OOM_KILL": "oom_kill",  # the kill itself, with its messages
    "SIGNAL": "signal",  # a signal is delivered to a handler
    "FIND_MISS": "find_miss",
    "OOM_SLEEP": "oom_sleep",  # mem_cgroup_handle_oom, without the kill
    "SWAP_SLOT": "swap_slot",  # a slot of the swap space is found, or given back
    "WRITE_PAGE": "write_page",  # ->writepage(): a page is made ready for the disk
    "ALLOC_SLOW": "alloc_slow",  # __alloc_pages_slowpath: memory is below its watermark
}

OF_THE_KERNEL = len(STEPS)  # what comes after is of one's own
Step = IntEnum("Step", [(info.name.upper(), number) for number, info in enumerate(STEPS)])  # type: ignore[misc]
Path = IntEnum("Path", [(name.upper(), number) for number, name in enumerate(PATH_NAMES)])  # type: ignore[misc]

# plain integers of this module: Numba takes them as constants
globals().update({step.name: int(step) for step in Step})
globals().update({f"P_{path.name}": int(path) for path in Path})
globals().update({name: MOST_STEPS + i for i, name in enumerate(OTHER_COSTS)})
if TYPE_CHECKING:

    def __getattr__(name: str) -> int: ...


# by a step's number
STEP_NAMES: list[str] = []
TO_UNDO = np.zeros(MOST_STEPS, np.int64)
CHARGES = np.zeros(MOST_STEPS, np.int64)
TAKES = np.zeros(MOST_STEPS, np.int64)
GIVES = np.zeros(MOST_STEPS, np.int64)


def note(number: int, info: StepInfo) -> None:
    """Enter a step into what compiled code looks up by its number."""
    STEP_NAMES.append(info.name)
    TO_UNDO[number] = info.to_undo
    CHARGES[number] = info.charges
    TAKES[number] = info.takes
    GIVES[number] = info.gives


for _number, _info in enumerate(STEPS):
    note(_number, _info)


def add(info: StepInfo) -> None:
    """A step of one's own."""
    STEPS.append(info)
    note(len(STEPS) - 1, info)


def number_of(name: str) -> int:
    """The number of the step of this name. Raises ValueError."""
    return STEP_NAMES.index(name)


def costs() -> dict[str, int]:
    """What a cost table may name, and its number."""
    others = {name: MOST_STEPS + i for i, name in enumerate(OTHER_COSTS.values())}
    return {name: number for number, name in enumerate(STEP_NAMES)} | others
