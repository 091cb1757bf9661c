"""The table of waits and locks: what a task may sleep for, who holds that, what ends it, and what it is called.

All who must know a kind of wait or lock read it here: sleeping, waking and signals, the layout of the state, error
exits, the wait-for graph, the rules that are checked, the lock order, the explorer's folding, and the words, figures,
lanes, traces and pages.

A new mutex is one entry in ``LOCKS``: its place in the records and how it begins, its ``W_*`` number and its ``H_*``
bit, who waits for whom, the rules and the words follow. Besides it takes a step that calls ``mutex.mutex_lock`` and
one that calls ``mutex.mutex_unlock`` (with ``number`` of its name), their ``StepInfo`` (``takes`` and ``gives``:
``hold`` of its name), and what they cost. An entry is made before anything but this file is imported: ``names`` reads
the table once.
"""

from __future__ import annotations

from dataclasses import dataclass

# what ends a wait, but for a signal
BY_OTHERS = ""  # who holds it, or a child, does something
BY_TIME = "time"  # a timer
BY_TIME_TOO = "time too"  # others, or a timer, if one is set
BY_DISK = "disk"  # a request that is on its way

# classes of colour in the pictures
PAGE_LOCK = "page_lock"
OTHER_LOCK = "other_lock"
MEMORY = "memory"
IO = "io"
ASLEEP = "asleep"  # of its own will
BLOCKED = (PAGE_LOCK, OTHER_LOCK, MEMORY)  # not of its own will: others hold what it needs


@dataclass(frozen=True)
class Hold:
    """What a frame may hold: a bit of ``frame.held``, in the order of the bits."""

    name: str
    of: str = ""  # the kind of thing
    which: str = ""  # the field of the frame that says which one
    order: int = 0  # of a lock: its place in the lock order; 0: no lock
    shown: bool = False  # the pictures say of which one


@dataclass(frozen=True)
class Mutex:
    """A mutex: of each file, address space or group, or one of the machine. An entry of ``LOCKS``."""

    name: str  # of its field in the record, and in all words: "i_mutex"
    of: str  # whose: "file", "mm", "group", or "machine"
    order: int  # its place in the lock order: it is taken by who holds none with this number or a higher one
    killable: bool = False  # mutex_lock_killable: SIGKILL ends the wait, and the step fails
    figure: str = ""  # among a run's figures, if it is not its own name


@dataclass(frozen=True)
class Rwsem:
    """A lock for many readers or one writer, of each file or address space. An entry of ``RWSEMS``."""

    name: str  # of its field in the record, and in all words: "mmap_sem"
    of: str  # whose: "file" or "mm"
    order: int  # its place in the lock order
    title: str = ""  # in sentences, if it is not its name alone: "the invalidate_lock of {file}"
    figures: tuple[str, str] = ("", "")  # of who waits to read and to write, among a run's figures


@dataclass(frozen=True)
class Wait:
    """A kind of wait (``task.wait_kind``), in the order of the numbers.

    In the words ``{page}``, ``{file}``, ``{group}``, ``{memory}``, ``{mark}`` and ``{mm}`` stand for what it is called.
    """

    name: str  # in tables
    of: str = ""  # the kind of thing whose number ``task.wait_id`` is; empty: none
    queue: str = ""  # the field of that thing's record where the sleepers stand; empty: alone
    all_in_one: bool = False  # the queue is the machine's, for all such things
    in_front: bool = False  # who only waits, and does not want to have it, stands in front (prepare_to_wait)
    ends: str = BY_OTHERS
    hold: str = ""  # what the sleeper will hold when it has it
    mutex: Mutex | None = None
    rwsem: Rwsem | None = None
    writes: bool = False  # it is to have the rwsem for writing
    colour: str = ASLEEP
    does: str = ""  # of a task: "waits for the page lock of {page}"
    what: str = ""  # what it waits for: "the page lock of {page}"
    short: str = "time"  # after "sleeps:"
    figure: str = ""  # its name among a run's figures, if it counts as blocked there
    in_a_fault: bool = False  # a fault may sleep so
    interruptible: bool = False  # any signal ends it (TASK_INTERRUPTIBLE)

    @property
    def blocks(self) -> bool:
        """What it waits for others hold: a lock or memory."""
        return self.colour in BLOCKED


# the lock order (mm/filemap.c): i_mutex, mmap_sem, invalidate_lock, page lock
I_MUTEX = Mutex("i_mutex", "file", order=10)
MMAP_SEM = Rwsem("mmap_sem", "mm", order=20, figures=("mmap_read", "mmap_write"))
VMA_LOCK_ORDER = 22  # of a mapping (6.4)
INVALIDATE_LOCK = Rwsem(
    "invalidate_lock", "file", order=25, title="the invalidate_lock of {file}", figures=("invalidate_lock",) * 2
)  # 730633f0b7f9, 5.15
PAGE_LOCK_ORDER = 30

OOM_LOCK = Mutex("oom_lock", "machine", order=40, figure="memory")  # of who kills; taken within a step that charges

TREE_LOCK = Mutex("tree_lock", "machine", order=27)  # of a file system's metadata

# cgroup_threadgroup_rwsem (4.2): who moves tasks has it to write, who forks to read; here forks exclude one another
THREADGROUP = Mutex("threadgroup_rwsem", "machine", order=5)
MOVING = Mutex("moving_task", "machine", order=45)  # mc.moving_task; who charges waits for its end

LOCKS: list[Mutex] = [I_MUTEX, OOM_LOCK, TREE_LOCK, THREADGROUP, MOVING]  # new ones at the end
RWSEMS = (MMAP_SEM, INVALIDATE_LOCK)


def _wait_of(lock: Mutex) -> Wait:
    """The wait for a mutex."""
    what = f"the {lock.name}" if lock.of == "machine" else f"the {lock.name} of {{{lock.of}}}"
    return Wait(
        lock.name, of=lock.of, queue=f"{lock.name}.waiters", hold=lock.name, mutex=lock, colour=OTHER_LOCK,
        does=f"waits for {what}", what=what, short=lock.name, figure=lock.figure or lock.name,
    )  # fmt: skip


def _read_or_write(sem: Rwsem, writes: bool) -> Wait:
    """The wait for an rwsem."""
    what = f"{sem.title or sem.name} (to {'write' if writes else 'read'})"
    return Wait(
        f"{sem.name} for {'writing' if writes else 'reading'}", of=sem.of, queue=f"{sem.name}.waiters",
        hold=f"{sem.name} ({'write' if writes else 'read'})", rwsem=sem, writes=writes, colour=OTHER_LOCK,
        does=f"waits for {what}", what=what, short=f"{sem.name} ({'write' if writes else 'read'})",
        figure=sem.figures[writes], in_a_fault=not writes,
    )  # fmt: skip


# what a sleeping task waits for (task.wait_kind); task.wait_id says which one
W_NONE = 0
W_PAGE_LOCK = 1
W_MMAP_READ = 2
W_MMAP_WRITE = 3
W_I_MUTEX = 4
W_OOM = 5  # mem_cgroup_handle_oom
W_CHILD = 6  # a slot, or ANY_CHILD / ALL_CHILDREN
W_TIMER = 7  # sleep
W_WRITEBACK = 8  # until the page has been written (wait_on_page_writeback)
W_PAUSE = 9  # a nap that a timer ends: in balance_dirty_pages, or after a host-wide OOM kill
W_CONGESTED = 10  # until the disk has fewer writes to do, or a timer ends it (wait_iff_congested)
W_IDLE = 11  # a kernel thread that has nothing to do: which (KT_*)
W_MEMORY = 12  # of a chain, not of a task: inside a charge that is not getting through
W_THROTTLE = 13  # mem_cgroup_handle_over_high: the penalty for charging over memory.high
W_INVALIDATE_READ = 14
W_INVALIDATE_WRITE = 15
W_VMA_LOCK = 16  # of who has mmap_sem for writing: until nobody faults on the mapping
W_STOPPED = 17  # in user mode, until SIGCONT
W_SWAP_ENTRY = 18  # while somebody else makes a page for a swap slot
W_USERFAULT = 19  # handle_userfault: until UFFDIO_COPY has filled the page
W_TRACED = 20  # of who has attached to a task (PTRACE_ATTACH): until that has stopped; a slot
W_COMPLETION = 21  # until another task has come so far in its program (OP_AWAIT)
BUILT_IN = (
    Wait("nothing"),
    Wait(
        "page lock", of="page", queue="waiters", in_front=True, hold="page lock", colour=PAGE_LOCK,
        does="waits for the page lock of {page}", what="the page lock of {page}", short="page lock", figure="page_lock",
        in_a_fault=True,
    ),
    _read_or_write(MMAP_SEM, False),
    _read_or_write(MMAP_SEM, True),
    _wait_of(I_MUTEX),
    Wait(
        "memory (OOM)", of="group", queue="oom_waiters", in_front=True, colour=MEMORY, does="waits for {memory}",
        what="{group}'s memory", short="memory", figure="memory", in_a_fault=True,
    ),
    Wait("child", interruptible=True, does="waits for its children", short="a child"),
    Wait("sleep", ends=BY_TIME, interruptible=True, does="sleeps"),
    Wait(
        "write-back", of="page", queue="writeback_waiters", all_in_one=True, ends=BY_DISK, colour=IO,
        does="waits until {page} is written",
    ),
    Wait("pause", ends=BY_TIME, does="pauses"),
    Wait(
        "the disk", queue="congested", all_in_one=True, ends=BY_TIME, colour=IO,
        does="waits for the disk, which has too many writes to do",
    ),
    Wait("work", ends=BY_TIME_TOO, does="has nothing to do"),
    Wait("memory", colour=MEMORY, does="waits for {memory}", what="{group}'s memory"),
    Wait(
        "throttled", of="group", ends=BY_TIME, colour=MEMORY, does="is throttled: {group} is over its {mark}",
        what="{group}'s memory", short="memory.high", figure="throttled",
    ),
    _read_or_write(INVALIDATE_LOCK, False),
    _read_or_write(INVALIDATE_LOCK, True),
    Wait(
        "VMA lock", of="vma", colour=OTHER_LOCK, does="waits for a VMA lock (to write)", what="a VMA lock (to write)",
        short="VMA lock", figure="mmap_write",
    ),
    Wait("stopped", interruptible=True, does="is stopped", short="SIGSTOP"),
    Wait(
        "swap entry", of="swap", queue="waiters", colour=OTHER_LOCK, does="waits for a swap entry", what="a swap entry",
        short="swap entry", figure="page_lock", in_a_fault=True,
    ),
    Wait(
        "userfault", interruptible=True, does="waits for the handler of its userfaultfd", short="userfault",
        in_a_fault=True,
    ),
    Wait("traced", interruptible=True, does="waits until the task that it traces has stopped", short="a tracee"),
    Wait(
        "completion", of="task", interruptible=True, does="waits for another task of its command", short="another task",
    ),
)  # fmt: skip

H_PAGE_REF = 1  # a reference to frame.page
H_PAGE_LOCK = 2  # the lock of frame.page
H_NEW_PAGE = 4  # frame.newpage is ours
H_CHARGE = 8  # frame.newpage is charged
H_MMAP_READ = 16  # frame.mm's mmap_sem, shared
H_MMAP_WRITE = 32  # frame.mm's mmap_sem, exclusive
H_I_MUTEX = 64  # frame.file's i_mutex
H_PAGE_TABLE = 128  # frame.prealloc_pte is ours, charged, and in no address space yet
H_INVALIDATE_READ = 256  # frame.file's invalidate_lock, shared
H_INVALIDATE_WRITE = 512  # frame.file's invalidate_lock, exclusive
H_VMA_READ = 1024  # the lock of frame.vma, shared: instead of mmap_sem
H_SWAP_ENTRY = 2048  # frame.swap is reserved (SWAP_HAS_CACHE): whoever else wants to read it waits
H_KMEM = 4096  # kernel memory that frame.charged_group is charged for: frame.kmem pages, frame.objects bytes
MOST_HOLDS = 31  # bits of a narrow machine's ``held``


def _hold_of(lock: Mutex) -> Hold:
    """A mutex in hand. Which one, the frame says in the field that bears the name of the kind of thing.

    But for a group's: ``frame.group`` is the one over its limit, and a task may leave its group with the mutex in hand.
    """
    which = {"machine": "", "group": "mutex_group"}.get(lock.of, lock.of)
    return Hold(lock.name, lock.of, which, lock.order, shown=lock.of == "file")


BUILT_IN_HOLDS = (
    Hold("page reference", "page", "page", shown=True),
    Hold("page lock", "page", "page", PAGE_LOCK_ORDER, shown=True),
    Hold("new page", "page", "newpage", shown=True),
    Hold("charge"),
    Hold("mmap_sem (read)", "mm", "mm", MMAP_SEM.order),
    Hold("mmap_sem (write)", "mm", "mm", MMAP_SEM.order),
    _hold_of(I_MUTEX),
    Hold("page table", "page", "prealloc_pte"),
    Hold("invalidate_lock (read)", "file", "file", INVALIDATE_LOCK.order, shown=True),
    Hold("invalidate_lock (write)", "file", "file", INVALIDATE_LOCK.order, shown=True),
    Hold("VMA lock (read)", "vma", "vma", VMA_LOCK_ORDER),
    Hold("swap entry", "swap", "swap"),
    Hold("kernel memory"),
)


def waits() -> tuple[Wait, ...]:
    """All kinds of wait; the place of each is its number."""
    return BUILT_IN + tuple(_wait_of(lock) for lock in LOCKS[1:])


def holds() -> tuple[Hold, ...]:
    """All that a frame may hold; the place of each is its bit."""
    found = BUILT_IN_HOLDS + tuple(_hold_of(lock) for lock in LOCKS[1:])
    if len(found) > MOST_HOLDS:
        raise ValueError(f"{len(LOCKS)} mutexes: there is room for {MOST_HOLDS - len(BUILT_IN_HOLDS) + 1}")
    return found


def number(name: str) -> int:
    """``W_*`` of a mutex, by its name."""
    return next(place for place, wait in enumerate(waits()) if wait.name == name)


def hold(name: str) -> int:
    """``H_*`` of a mutex, by its name."""
    return 1 << next(place for place, each in enumerate(holds()) if each.name == name)
