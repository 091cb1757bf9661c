"""The kernel's vocabulary: numbers with names, shared by the compiled code and by Python.

Numba treats a module's integers as constants, so each name is a plain ``int``. Nothing here has state.
"""

from __future__ import annotations

from . import waits
from .waits import (
    H_CHARGE as H_CHARGE,
)
from .waits import (
    H_I_MUTEX as H_I_MUTEX,
)
from .waits import (
    H_INVALIDATE_READ as H_INVALIDATE_READ,
)
from .waits import (
    H_INVALIDATE_WRITE as H_INVALIDATE_WRITE,
)
from .waits import (
    H_KMEM as H_KMEM,
)
from .waits import (
    H_MMAP_READ as H_MMAP_READ,
)
from .waits import (
    H_MMAP_WRITE as H_MMAP_WRITE,
)
from .waits import (
    H_NEW_PAGE as H_NEW_PAGE,
)
from .waits import (
    H_PAGE_LOCK as H_PAGE_LOCK,
)
from .waits import (
    H_PAGE_REF as H_PAGE_REF,
)
from .waits import (
    H_PAGE_TABLE as H_PAGE_TABLE,
)
from .waits import (
    H_SWAP_ENTRY as H_SWAP_ENTRY,
)
from .waits import (
    H_VMA_READ as H_VMA_READ,
)
from .waits import (
    W_CHILD as W_CHILD,
)
from .waits import (
    W_COMPLETION as W_COMPLETION,
)
from .waits import (
    W_CONGESTED as W_CONGESTED,
)
from .waits import (
    W_I_MUTEX as W_I_MUTEX,
)
from .waits import (
    W_IDLE as W_IDLE,
)
from .waits import (
    W_INVALIDATE_READ as W_INVALIDATE_READ,
)
from .waits import (
    W_INVALIDATE_WRITE as W_INVALIDATE_WRITE,
)
from .waits import (
    W_MEMORY as W_MEMORY,
)
from .waits import (
    W_MMAP_READ as W_MMAP_READ,
)
from .waits import (
    W_MMAP_WRITE as W_MMAP_WRITE,
)
from .waits import (
    W_NONE as W_NONE,
)
from .waits import (
    W_OOM as W_OOM,
)
from .waits import (
    W_PAGE_LOCK as W_PAGE_LOCK,
)
from .waits import (
    W_PAUSE as W_PAUSE,
)
from .waits import (
    W_STOPPED as W_STOPPED,
)
from .waits import (
    W_SWAP_ENTRY as W_SWAP_ENTRY,
)
from .waits import (
    W_THROTTLE as W_THROTTLE,
)
from .waits import (
    W_TIMER as W_TIMER,
)
from .waits import (
    W_TRACED as W_TRACED,
)
from .waits import (
    W_USERFAULT as W_USERFAULT,
)
from .waits import (
    W_VMA_LOCK as W_VMA_LOCK,
)
from .waits import (
    W_WRITEBACK as W_WRITEBACK,
)

NONE = -1  # the NULL of every index
PAGE_SIZE = 4096
UNLIMITED = (1 << 63) // PAGE_SIZE - 1  # pages; res_counter's RESOURCE_MAX

# --- what a step answers -----------------------------------------------------------------------
NEXT = 0  # go on with the path's next step
AGAIN = 1  # the same step has more to do, after what it has cost
SLEEP = 2  # the task is on a wait queue; the step runs again when it is woken
CALL = 3  # another path was pushed; the step runs again when that has returned
YIELD = 4  # schedule() while runnable; then the step runs again
HOST = 5  # stop the driver: Python has something to do (read a cgroup file); then go on
EXITED = 6  # the task is gone
RETRY = 7  # drop everything and start the fault again (VM_FAULT_RETRY)
FAIL_OOM = 8  # VM_FAULT_OOM / -ENOMEM
FAIL_SIGBUS = 9  # VM_FAULT_SIGBUS
FAIL_SEGV = 10  # no such mapping, or no permission
FAIL_KILLED = 11  # a fatal signal ended a killable wait
FAIL_FAULT = 12  # -EFAULT: a system call could not reach the caller's memory
FAIL_IO = 13  # -EIO
FAIL_INVAL = 14  # -EINVAL
FAIL_BUSY = 15  # -EBUSY
FAIL_NOENT = 16  # -ENOENT
FAIL_EXIST = 17  # -EEXIST
FAIL_CHARGE = 18  # VM_FAULT_OOM / -ENOMEM of a charge: a fault from user mode is tried again
FAIL_AGAIN = 19  # -EAGAIN
FAIL_ACCES = 20  # -EACCES
FAIL_NFILE = 21  # -ENFILE
FAIL_USERFAULT = 22  # the page is to be filled by a userfaultfd's handler
STATUS_NAMES = (
    "next", "again", "sleep", "call", "yield", "host", "exited", "retry", "ENOMEM", "SIGBUS", "SIGSEGV",
    "killed", "EFAULT", "EIO", "EINVAL", "EBUSY", "ENOENT", "EEXIST", "no charge", "EAGAIN",
    "EACCES", "ENFILE", "userfault",
)  # fmt: skip

# --- tasks -------------------------------------------------------------------------------------
T_FREE = 0
T_RUNNABLE = 1
T_SLEEPING = 2
T_ZOMBIE = 3  # dead, not yet waited for

# what a sleeping task waits for (task.wait_kind): the table is in waits.py
WAITS = waits.waits()
WAIT_NAMES = tuple(wait.name for wait in WAITS)
WAIT_KINDS = len(WAITS)
BLOCKS = tuple(int(wait.blocks) for wait in WAITS)  # by W_*: others hold what it waits for, a lock or memory
ENDS_BY_TIME = tuple(int(wait.ends == waits.BY_TIME) for wait in WAITS)  # a timer ends it
MAY_END_BY_TIME = tuple(int(wait.ends in (waits.BY_TIME, waits.BY_TIME_TOO)) for wait in WAITS)
GOES_BY = tuple(int(wait.ends != waits.BY_OTHERS) for wait in WAITS)  # time or the disk ends it: no task need
INTERRUPTIBLE = tuple(int(wait.interruptible) for wait in WAITS)
IN_FRONT = tuple(int(wait.in_front) for wait in WAITS)
QUEUED = tuple(int(wait.queue != "") for wait in WAITS)
IS_MUTEX = tuple(int(wait.mutex is not None) for wait in WAITS)
IS_RWSEM = tuple(int(wait.rwsem is not None) for wait in WAITS)
TO_WRITE = tuple(int(wait.writes) for wait in WAITS)
TO_READ_IT = tuple(  # by W_*: the kind of wait for the same rwsem to read
    next((kind for kind, other in enumerate(WAITS) if other.rwsem is wait.rwsem is not None), 0) for wait in WAITS
)
MUTEX_KILLABLE = tuple(int(wait.mutex is not None and wait.mutex.killable) for wait in WAITS)

# kernel threads (task.kthread)
KT_NONE = 0  # an ordinary task
KT_KSWAPD = 1
KT_FLUSHER = 2
KT_OOM_REAPER = 3
KT_NAMES = ("", "kswapd0", "flush-8:0", "oom_reaper")

# --- what a frame holds (frame.held): the table is in waits.py -----------------------------------
HOLDS = waits.holds()
HOLD_NAMES = tuple(hold.name for hold in HOLDS)
HOLD_KINDS = len(HOLDS)
HOLD_OF_WAIT = tuple(sum(1 << i for i, hold in enumerate(HOLDS) if hold.name == wait.hold) for wait in WAITS)
H_LOCKS = sum(1 << i for i, hold in enumerate(HOLDS) if hold.order)
H_TREE_LOCK = waits.hold("tree_lock")
H_THREADGROUP = waits.hold("threadgroup_rwsem")
H_MOVING = waits.hold("moving_task")
H_MUTEXES = sum(HOLD_OF_WAIT[kind] for kind in range(WAIT_KINDS) if IS_MUTEX[kind])
NOT_BEFORE = tuple(  # by the place of the bit: who takes this lock holds none of these
    sum(1 << i for i, other in enumerate(HOLDS) if hold.order and other.order >= hold.order) for hold in HOLDS
)

# --- fault flags (frame.fault) -----------------------------------------------------------------
F_WRITE = 1
F_ALLOW_RETRY = 2
F_KILLABLE = 4
F_USER = 8
F_MAJOR = 16
F_EXEC = 32
F_VMA_LOCK = 128  # this try has the lock of its mapping, or had it, instead of mmap_sem
F_COPY = 256  # of UFFDIO_COPY: no processor's fault, and not for the userfaultfd
F_FPIN = 64  # of a fault on a file: mmap_sem was let go for I/O, so it ends in VM_FAULT_RETRY

# --- how a charge may be made (frame.gfp) --------------------------------------------------------
GFP_READAHEAD = 1  # for a page that nobody has asked for yet (readahead_gfp_mask)
GFP_KERNEL_PAGE = 4  # for kernel memory, which is no page of the machine (__GFP_ACCOUNT)

# --- mappings (vma.prot) -----------------------------------------------------------------------
VM_WRITE = 1
VM_EXEC = 2
VM_SHARED = 4
VM_LOCKED = 8
VM_ANON_VMA = 16  # anon_vma_prepare has run
VM_HUGEPAGE = 64  # madvise(MADV_HUGEPAGE)
VM_RAND_READ = 128  # MADV_RANDOM
VM_UFFD_MISSING = 256  # UFFDIO_REGISTER: who finds nothing here waits for a handler
MAP_POPULATE = 32  # of OP_MMAP, not of the mapping: its pages are faulted in at once

# --- page table entries (pte.bits) -------------------------------------------------------------
PTE_PRESENT = 1
PTE_WRITE = 2
PTE_ACCESSED = 4
PTE_DIRTY = 8
PTE_ZERO = 16  # maps the zero page: pte.page is NONE
PTE_SWAP = 32  # not present: pte.page is the swap slot where the page is
PTE_EXCLUSIVE = 64  # the page, or what is in the slot, is this entry's alone (PG_anon_exclusive, pte_swp_exclusive)

# --- pages (page.bits) -------------------------------------------------------------------------
PG_UPTODATE = 1
PG_DIRTY = 2
PG_REFERENCED = 4
PG_ACTIVE = 8
PG_LRU = 16
PG_ANON = 32
PG_ERROR = 64
PG_UNEVICTABLE = 128
PG_MLOCKED = 256
PG_SWAPBACKED = 512  # of shmem: stands on the anonymous lists
PG_SWAPCACHE = 1024  # anonymous, and the copy of swap slot page.index
PG_WRITEBACK = 2048  # a disk request is writing it
PG_RECLAIM = 4096  # reclaim has begun the write: to the list's tail when it is done
PG_READAHEAD = 16384  # the marker of a window: who comes here reads the next one ahead
PG_TABLE = 8192  # a page table: on no list, neither rss nor cache

LRU_INACTIVE_ANON = 0
LRU_ACTIVE_ANON = 1
LRU_INACTIVE_FILE = 2
LRU_ACTIVE_FILE = 3
LRU_UNEVICTABLE = 4
LRU_NAMES = ("inactive_anon", "active_anon", "inactive_file", "active_file", "unevictable")

# owner of a page lock (page.locked_by): a task >= 0, FREE, or a disk request r as REQUEST_OWNER - r
FREE = -1
REQUEST_OWNER = -2

# who holds a page lock (books.holds)
HOLD_TASK = 0
HOLD_READAHEAD = 1  # read-ahead has put the page into the page cache, and has not sent it to the disk yet
HOLD_SWAP_READAHEAD = 2  # the same with the swap cache
HOLD_DISK = 3  # a request that is on its way reads the page
LOCKER_NAMES = ("task", "readahead", "swap_readahead", "disk")
HOLD_KINDS = len(LOCKER_NAMES)

# --- user-mode instructions (op.code): what a task's program consists of -------------------------
# Addresses and lengths are in pages. "slot" is a number that names a task within the session ($!).
OP_EXIT = 0  # a = exit status, or EXIT_ERRNO
OP_COMPUTE = 1  # a = nanoseconds of CPU in user mode
OP_TOUCH = 2  # pages a, a+c, ... (b of them); d = 1 + loop register added to a (0: none); bits = F_WRITE | F_EXEC
OP_MMAP = 3  # a = first page, b = pages, c = file or NONE, d = offset in the file; bits = VM_*, MAP_POPULATE
OP_MUNMAP = 4  # a = first page, b = pages
OP_READ = 5  # a = file, b = first page of it, c = pages, d = first page of the buffer or NONE (fixed and touched)
OP_WRITE = 6  # the same for write(2)
OP_FADVISE = 7  # posix_fadvise: a = file, b = first page, c = pages, or NONE: all; bits = FADV_*
OP_MLOCK = 8  # a = first page, b = pages
OP_TRUNCATE = 9  # a = file, b = its new size in pages
OP_READ_PROC = 10  # read a file of /proc/PID: a = slot, or ALL_TASKS one after the other; bits = PROC_*
OP_FORK = (
    11  # a = the child's first instruction, b = slot for the child or NONE, c = program, d = 1 + cpu; bits = FORK_*
)
OP_EXEC = 12  # a = first instruction, c = program: a new, empty address space
OP_WAIT = 13  # a = slot, ANY_CHILD or ALL_CHILDREN: its exit status becomes the task's; bits = FORK_THREAD, WAIT_*
OP_SLEEP = 14  # a = nanoseconds
OP_KILL = 15  # a = slot; bits = KILL_*, none: SIGKILL
OP_LOOP = 16  # a = loop register: set it to 0
OP_NEXT = 17  # a = loop register, b = rounds (-1: for ever), c = instruction to go back to
OP_JUMP = 18  # a = instruction; bits = JUMP_*
OP_MARK = 19  # a job is done: a = its number in the program
OP_ATTACH = 20  # a = group: join it (cgexec), and pass over the next b instructions: they are for when it is not there
OP_CG_CREATE = 21  # a = group, b = its parent; bits = CREATE_*
OP_CG_SET = 22  # a = group, b = CG_*, c = value (pages, or the number itself), d = a second one, or 0
OP_CG_DELETE = 23  # a = group; bits = DELETE_TREE
OP_HOST = 24  # a = number of the text that Python prints now (cat, cgget), b = its group; bits = HOST_*
OP_AFFINITY = 25  # a = cpu, or NONE for any
OP_OOM_ADJ = 26  # a = oom_score_adj
OP_FILL = 27  # like TOUCH a, b, c with writes, until the task's group's usage = limit = rss + cache
OP_SIGBUS = 28  # a = 1: a handler that goes on after the access; 0: the default (the process dies)
OP_FAIL_READS = 29  # a = file, b = page, c = pages: reads of them from disk give an I/O error; c = 0: no more
OP_CLASSIFY = 30  # a = group, b = slot: move that task into the group; bits 1 = and its threads (cgroup.procs)
OP_FSYNC = 31  # a = file: write its dirty pages and wait
OP_KTHREAD = 32  # a = KT_*: what a kernel thread does, for ever
OP_STATUS = 33  # a = the task's status from now on (true, false)
OP_LSEEK = 34  # a = file
OP_STAT = 35  # look a name up: a = directory (a file), b = dentry
OP_CREAT = 36  # open(O_CREAT): the same
OP_READDIR = 37  # a = directory
OP_MADVISE = 38  # a = first page, b = pages, c = MADV_*; bits = F_WRITE: of MADV_POPULATE, _WRITE and not _READ
OP_OPEN = 39  # a = file
OP_MPROTECT = 40  # mprotect, madvise: a = first page, b = pages, c = which of VM_*; bits = what they are now
OP_REMOTE = 41  # the memory of another task: a = slot, b = first page of its, c = pages; bits = REMOTE_*
OP_PIPE = 42  # pipe(2); or a = pages: a write(2) of so many into it
OP_FAMILY = 43  # the task begins a recorded command: those that it forks are of its family (completion.py)
OP_COMPLETE = 44  # it has done one more thing that others of its family wait for
OP_AWAIT = 45  # a = first instruction of another task of its family: until that has done b such things, or has ended
OP_NAMES = (
    "exit", "compute", "touch", "mmap", "munmap", "read", "write", "fadvise", "mlock", "truncate", "read_proc", "fork",
    "exec", "wait", "sleep", "kill", "loop", "next", "jump", "mark", "attach", "cg_create", "cg_set", "cg_delete",
    "host", "affinity", "oom_adj", "fill", "sigbus", "fail_reads", "classify", "fsync", "kthread",
    "status", "lseek", "stat", "creat", "readdir", "madvise", "open", "mprotect", "remote", "pipe",
    "family", "complete", "await",
)  # fmt: skip

EXIT_ERRNO = -1  # of OP_EXIT: the errno of the last call, 0 if it went well
ANY_CHILD = -1
ALL_CHILDREN = -2
ALL_TASKS = -3
PROC_MMAP_SEM = 0  # of OP_READ_PROC: cmdline, smaps, exe, ...: with the mm's mmap_sem
PROC_NO_LOCK = 1  # stat, statm, status: only counters of the mm
PROC_MAPS = 2  # maps: as cmdline, or (6.17) under the locks of its mappings
REMOTE_READV = 0  # of OP_REMOTE: process_vm_readv
REMOTE_WRITEV = 1  # process_vm_writev
REMOTE_MEM = 2  # a write to /proc/PID/mem
REMOTE_POKE = 3  # PTRACE_POKEDATA
REMOTE_COPY = 4  # UFFDIO_COPY: fills pages that its userfaultfd has been asked for
MADV_POPULATE = 0
MADV_DONTNEED = 1
MADV_COLD = 2
MADV_PAGEOUT = 3
FADV_DONTNEED = 0
FADV_WILLNEED = 1
HPAGE_PMD_NR = 512  # pages that a whole page table maps
IO_PAGES, IO_PAGES_OF_4M = 320, 1024  # of a disk's largest request: 1280 KiB or 4 MiB (BLK_DEF_MAX_SECTORS_CAP)
WILLNEED_BATCH = 512  # pages: 2 MiB (force_page_cache_readahead)
JUMP_ALWAYS = 0
JUMP_IF_OK = 1  # the task's last status is 0
JUMP_IF_FAILED = 2
WAIT_COMPLETION = 4  # of a frame of OP_AWAIT, in the place of these bits
WAIT_STOPPED = 2  # of OP_WAIT: not for a child, but until the task that the slot names has stopped
FORK_THREAD = 1
FORK_ANEW = 2  # the slot's last bearer, if it is a child of the same task, loses it: a job in a shell's loop
FORK_SHELL = 4  # a shell forks: at the limit of tasks it says so and tries again (bash: make_child)
FORK_DIES_TOO = 8  # the child is killed when its parent dies
KILL_TREE = 1  # SIGKILL, its descendants too
KILL_TERM = 2  # SIGTERM: nobody handles it
KILL_STOP = 3
KILL_CONT = 4
CREATE_MISSING = 1  # a group that is there already stays as it is, and that is no failure (cgcreate, mkdir -p)
CREATE_ENABLES = 2  # in cgroup v2, the parent passes the memory controller on (cgcreate)
DELETE_TREE = 1  # first the groups below it (cgdelete -r)
HOST_KEEPS_STATUS = 1  # an error, whose reason is the task's status
HOST_READS = 2  # files of the group: it fails if that is not there
HOST_READS_MEMORY = 3  # ... of the memory controller: it fails as well if the group has none (cgroup v2)
HOST_FORK_RETRY = -1  # of books.host: what a shell says that cannot fork, and tries again
HOST_FORK_FAILED = -2  # ... and gives up
HOST_FORK_NOMEM = -3  # ... for want of memory: it does not try again
SLEEP_PARKED = 1  # of OP_SLEEP: to the explorer, a place where the task stays

# files of the memory controller that OP_CG_SET writes
CG_LIMIT = 0
CG_MEMSW_LIMIT = 1
CG_OOM_CONTROL = 2
CG_SWAPPINESS = 3
CG_USE_HIERARCHY = 4
CG_FAILCNT = 5
CG_MEMSW_FAILCNT = 6
CG_MAX_USAGE = 7
CG_MEMSW_MAX_USAGE = 8
CG_FORCE_EMPTY = 9
CG_HIGH = 10
CG_MAX = 11
CG_LOW = 12
CG_MIN = 13
CG_SWAP_MAX = 14
CG_SWAP_HIGH = 15
CG_OOM_GROUP = 16
CG_PEAK = 17
CG_RECLAIM = 18  # and d: 1 + the swappiness, or 0
CG_KILL = 19
CG_SUBTREE = 20  # 1: the memory controller goes on to the children; 0: no longer; NONE: as it is
CG_LIMITS = (CG_LIMIT, CG_MEMSW_LIMIT, CG_HIGH, CG_MAX, CG_LOW, CG_MIN, CG_SWAP_MAX, CG_SWAP_HIGH)  # in pages
CG_MADE = -2  # of EV_GROUP: mkdir
CG_FILES = (
    "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.oom_control", "memory.swappiness",
    "memory.use_hierarchy", "memory.failcnt", "memory.memsw.failcnt", "memory.max_usage_in_bytes",
    "memory.memsw.max_usage_in_bytes", "memory.force_empty", "memory.high", "memory.max", "memory.low", "memory.min",
    "memory.swap.max", "memory.swap.high", "memory.oom.group", "memory.peak", "memory.reclaim", "cgroup.kill",
    "cgroup.subtree_control",
)  # fmt: skip

# --- events (event.kind) -----------------------------------------------------------------------
EV_FAULT = 0  # a fault ended: a = path, b = status, value = ns from entry to end, extra = ns asleep in it
EV_LOCK = 1  # a page lock was let go: a = page, b = step that took it, value = ns held, extra = place (places.py)
EV_WAIT = 2  # a task fell asleep: a = wait_kind, b = wait_id, value = step, extra = who is in the way (wait.owner_of)
EV_WAKE = 3  # and was woken: a = wait_kind, b = wait_id, value = ns asleep, extra = accesses of its instruction done
EV_CHARGE_FAIL = 4  # a = group over its limit, value = its failcnt (memory + memsw)
EV_RECLAIM = 5  # a reclaim pass ended: a = group, value = pages freed, extra = pages scanned
EV_OOM_KILL = 6  # a = group, b = victim, value = badness
EV_FORK = 7  # a = child, b = program, value = slot
EV_EXEC = 8  # a = program
EV_EXIT = 9  # value = status, a = 1 if killed, extra = pages done of the touch that it was in
EV_GROUP = 10  # a = group, b = CG_* (CG_MADE: mkdir) or NONE (joined), value = new value, extra = status
EV_MARK = 11  # a = job
EV_SCHED = 12  # a = task that the cpu goes on with (NONE: idle), value = ns that the last one ran
EV_USAGE = 13  # a = group, value = usage in pages
EV_IO = 14  # a disk request ended: a = request, b = pages, value = ns from submission
EV_STEP = 15  # a = step, b = status, value = cost in ns, extra = path
EV_STALL = 16  # a stall ended: a = group whose memory was waited for, b = wait_kind, value = ns
EV_HOST = 17  # a = number of the text
EV_PAGEOUT = 18  # reclaim begins to write a page: a = page, b = swap slot or NONE, value = file << 32 | index
EV_EVICT = 19  # reclaim frees a page: a = page, b = group it was charged to, value = file << 32 | index, or swap slot
EV_SWAP_IN = 20  # a page is mapped from swap: a = page, b = group charged, value = swap slot, extra = 1: of shmem
EV_CHARGE = 21  # a charge that had met a limit has ended (got through, or past it): a = group, value = ns since then
EV_LOCK_WAIT = 22  # before a wait for a page lock: a = page, b = wait.page_owner, value = place
EV_LOCK_SENT = 23  # read-ahead has sent a page that it had locked to the disk: as for EV_LOCK
EV_FAULT_BEGIN = 24  # the processor faults: a = F_*, b = 1: the page is mapped, but not so; value = the address's page
EVENT_NAMES = (
    "fault", "page_lock", "wait", "wake", "charge_fail", "reclaim", "oom_kill", "fork", "exec", "exit", "group", "mark",
    "sched", "usage", "io", "step", "stall", "host",
    "pageout", "evict", "swap_in", "charge", "page_lock_wait",
    "page_lock_sent", "fault_begin",
)  # fmt: skip

# --- memory.events (books.groups[g].events, .events_local) ----------------------------------------
ME_LOW = 0
ME_HIGH = 1
ME_MAX = 2
ME_OOM = 3
ME_OOM_KILL = 4
ME_OOM_GROUP_KILL = 5
ME_SWAP_HIGH = 6  # these three: memory.swap.events
ME_SWAP_MAX = 7
ME_SWAP_FAIL = 8
MEMCG_EVENTS = (
    "low", "high", "max", "oom", "oom_kill", "oom_group_kill", "swap_high", "swap_max", "swap_fail",
)  # fmt: skip

# --- what reclaim has done in a group (books.groups[g].vm_events): keys of memory.stat, and of /proc/vmstat ----------
VM_PGSCAN = 0  # and the two after it: by whom (of kswapd, direct, proactive)
VM_PGSTEAL = 3
VM_PGACTIVATE = 6
VM_PGDEACTIVATE = 7
VM_PGREFILL = 8
VM_REFAULT = 9  # workingset_refault_anon, and _file after it
VM_ACTIVATE = 11
VM_RESTORE = 13
VM_PSWPIN = 15
VM_PSWPOUT = 16
VM_SWPIN_ZERO = 17
VM_SWPOUT_ZERO = 18
VM_NODERECLAIM = 19
VM_EVENTS = (
    "pgscan_kswapd", "pgscan_direct", "pgscan_proactive", "pgsteal_kswapd", "pgsteal_direct", "pgsteal_proactive",
    "pgactivate", "pgdeactivate", "pgrefill", "workingset_refault_anon", "workingset_refault_file",
    "workingset_activate_anon", "workingset_activate_file", "workingset_restore_anon", "workingset_restore_file",
    "pswpin", "pswpout", "swpin_zero", "swpout_zero", "workingset_nodereclaim",
)  # fmt: skip

# --- counters per group (books.groups[g].counters) ----------------------------------------------
C_FAULTS = 0
C_MAJOR = 1
C_RETRIES = 2  # VM_FAULT_RETRY
C_ALLOCS = 3
C_ALLOCS_WASTED = 4  # allocated for a fault and given back unused
C_CHARGES = 5
C_CHARGES_WASTED = 6
C_STEPS = 7  # steps taken inside faults
C_SCANNED = 8
C_RECLAIMED = 9
C_OOM_KILLS = 10
C_JOBS = 11
C_OOM_ROUNDS = 12  # times a task came out of mem_cgroup_handle_oom to try again
C_SIGBUS = 13
C_COW = 14  # pages copied
C_BYPASSED = 15  # charges that went past the limit because the task was being killed
C_SWAP_IN = 16  # pages read from swap for a fault
C_SWAP_OUT = 17  # pages that reclaim has begun to write to swap
C_PAGE_OUT = 18  # pages of files that reclaim has begun to write
C_LOCK_HOLDS = 19  # page locks that its tasks have taken and let go
C_LOCK_NS = 20  # ns that its tasks have held page locks
C_OWN_EVICTED = 21  # pages that a fault wants, or has just copied, taken by its own reclaim
C_SEEN_UNCHARGED = 22  # mapped pages that nobody is charged for, met by reclaim (way 2's; and those of killed tasks)
C_DIRTIED = 23  # pages of files made dirty
COUNTERS = 24
COUNTER_NAMES = (
    "faults", "major_faults", "retries", "allocations", "allocations_wasted", "charges", "charges_wasted",
    "fault_steps", "pages_scanned", "pages_reclaimed", "oom_kills", "jobs_done", "oom_rounds", "sigbus", "pages_copied",
    "charges_bypassed", "swap_ins", "swap_outs", "page_outs", "lock_holds", "lock_ns", "own_pages_evicted",
    "uncharged_seen", "pages_dirtied",
)  # fmt: skip
