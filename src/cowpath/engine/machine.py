"""From a plan, a design and costs to a machine that is ready to run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.kernel import records
from cowpath.kernel import steps as st
from cowpath.kernel.policies import POLICIES
from cowpath.kernel.state import CLOCK, Capacity, new_machine
from cowpath.kernels.check import ERROR_EXIT_STEPS
from cowpath.kernels.chosen import interface_of
from cowpath.kernels.memcg_files import adapted
from cowpath.kernels.objects import sizes

from .foresight import may_rescue
from .psi import PSI_FREQ_NS

if TYPE_CHECKING:
    from cowpath.designs import Design
    from cowpath.programs.code import Ops
    from cowpath.session.plan import Plan

    from .costs import Costs

DEFAULT_CPUS = 2
DEFAULT_MEMORY = 4 << 30  # bytes
MOST_SWAP = 4 << 30  # bytes
DEFAULT_SWAPPINESS = 60
DEFAULT_REUSE = 4.0  # accesses to earlier pages for each recorded one
DEFAULT_READAHEAD = 32  # pages: 128 KiB
LEAST_PAGES = 64  # of memory, beside the files that are there from the start
RATELIMIT_PAGES = 32  # of a small machine
QUANTUM_NS = 50_000
PRESSURE = "memory.pressure"  # the file
THREAD_SIZE = 8192  # bytes: a task's kernel stack (arch/x86/include/asm/page_64_types.h)
LEAST_TASKS = 20  # fork_init
NR_REQUESTS = 128  # of the disk's queue, to write: BLKDEV_MAX_RQ
KTHREADS = {n.KT_KSWAPD: "kswapd", n.KT_FLUSHER: "flusher", n.KT_OOM_REAPER: "oom_reaper"}
REAP_RETRIES = 10  # MAX_OOM_REAP_RETRIES
LOOPS_OVER_FILE = ("read", "lookup", "creat", "readdir")


def build(
    plan: Plan,
    design: Design,
    costs: Costs,
    *,
    cpus: int | None = None,
    memory: int | None = None,
    swap: int | None = None,
    tasks: int | None = None,
    seed: int = 0,
    reuse: float | None = None,
    capacity: Capacity = CLOCK,
    empty: Any = None,
) -> Any:
    """The machine at boot: files cached as the plan says, first tasks ready. Raises InputError for what can't be.

    ``memory`` and ``swap`` are in bytes, ``tasks`` is how many there may be;
    what is None is what the plan's settings say, or else the default. ``empty``: a new machine of that capacity.
    """
    settings = plan.settings
    cpus = cpus or settings.cpus or DEFAULT_CPUS
    memory = memory or settings.memory or DEFAULT_MEMORY
    swap = (settings.swap or 0) if swap is None else swap
    pages = memory // n.PAGE_SIZE
    _check(cpus, pages, swap, seed, plan, capacity)
    k = new_machine(capacity) if empty is None else empty
    state, books = k.state, k.books  # NumPy looks a record within a record up anew each time: that is most of the work
    state.memory = pages
    _set_watermarks(k, pages)
    state.swap_pages = swap // n.PAGE_SIZE
    books.max_threads = _max_threads(tasks or settings.tasks, pages, capacity)
    state.n_cpus = cpus
    books["cpus"]["curr"] = n.NONE
    rng = seed * 7919 % 2147483646 + 1
    for _ in range(8):  # neighbouring seeds part ways
        rng = rng * 48271 % 2147483647
    books.rng = rng
    wanted = settings.reuse if reuse is None else reuse
    books.reuse = round(256 * (DEFAULT_REUSE if wanted is None else wanted))
    books.quantum = QUANTUM_NS
    books.charge_batch = design.policies["charge_batch"]
    books.charges_kmem = 1
    books.has_rcu = 1
    books.buffers = n.PAGE_SIZE // (settings.blocks or n.PAGE_SIZE)
    books.remembers = 1
    books.lru_batch = design.policies["lru_batch"]
    books.gathers_slots = design.policies["swap_slots_cache"]
    books.dirty_ratelimit = RATELIMIT_PAGES
    books.reap_retries = REAP_RETRIES
    books.reclaim_retries = design.policies["charge_retries"]
    _set_design(k, design)
    _set_costs(k, costs)
    cgroup2 = interface_of(design.kernel, plan.interfaces) == "v2"
    _set_groups(k, len(plan.groups), DEFAULT_SWAPPINESS if settings.swappiness is None else settings.swappiness)
    if cgroup2:
        state.cgroup2 = state.groups[0].controls = 1  # systemd passes the controller on to the groups that it makes
        state.recursiveprot = settings.recursiveprot is not False  # and mounts it so
    _set_files(k, plan, design)
    _check_cpus(plan, cpus)
    books["ops"][: len(plan.ops)] = adapted(plan.ops, design.kernel.name) if cgroup2 else plan.ops
    books.fetches = settings.fetches or 0
    fetched = fetches_of(plan.ops)
    books.n_fetched = len(fetched)
    books["fetched"][: len(fetched)] = fetched
    books["rescues"][: len(plan.ops)] = may_rescue(plan.ops)
    books.psi_on = any(PRESSURE in text.files for text in plan.texts)
    books.psi_next = PSI_FREQ_NS
    for start in plan.starts:
        boot_task(k, start)
    books.driver = 1
    return k


def fetches_of(ops: Ops) -> Any:
    """Where recorded programs come to a page of code for the first time."""
    return np.flatnonzero((ops["code"] == n.OP_TOUCH) & (ops["b"] == 1) & (ops["bits"] & n.F_EXEC != 0))


def _check(cpus: int, pages: int, swap: int, seed: int, plan: Plan, capacity: Capacity) -> None:
    if not 1 <= cpus <= capacity.cpus:
        raise InputError(f"{cpus} CPUs", hint=f"1 to {capacity.cpus}")
    if not min(LEAST_PAGES, capacity.pages) <= pages <= capacity.pages:
        most = capacity.pages * n.PAGE_SIZE >> 30
        raise InputError(f"a memory of {pages} pages of {n.PAGE_SIZE} bytes", hint=f"256K to {most}G")
    if not 0 <= swap <= MOST_SWAP:
        raise InputError(f"--swap: a swap space of {swap} bytes", hint=f"0 (none) to {MOST_SWAP >> 30}G")
    if seed < 0:
        raise InputError(f"seed {seed}", hint="0 or more")
    rooms = sum(max(file.room, 1) for file in plan.files)
    limits = (("groups", len(plan.groups), capacity.groups), ("files", len(plan.files), capacity.files),
              ("pages of files", rooms, capacity.slots), ("instructions", len(plan.ops), capacity.ops),
              ("names of tasks", len(plan.slots), capacity.names))  # fmt: skip
    for what, have, most in limits:
        if have > most:
            raise InputError(f"the session needs {have} {what}", file=plan.name, hint=f"there is room for {most}")
    warm = sum(file.pages for file in plan.files if file.warm)
    if warm + LEAST_PAGES > pages and not capacity.narrow:
        raise InputError(
            f"the files that are warm at the start have {warm} pages, the machine {pages}", hint="raise --memory"
        )


def _max_threads(tasks: int | None, pages: int, capacity: Capacity) -> int:
    """How many tasks there may be: by default fork_init's max_threads (kernel/fork.c), if there is room for so many.

    The explorer's machine has no such limit: a case that needs more tasks than there is room for is an error.
    """
    if capacity.narrow:
        return n.UNLIMITED
    most = max(LEAST_TASKS, pages * n.PAGE_SIZE // (8 * THREAD_SIZE))
    if tasks is None:
        return min(most, capacity.tasks)
    if not 1 <= tasks <= capacity.tasks:
        raise InputError(f"--tasks: {tasks} tasks", hint=f"1 to {capacity.tasks}")
    return tasks


def _check_cpus(plan: Plan, cpus: int) -> None:
    """No program may ask for a CPU that the machine does not have."""
    ops = plan.ops
    pinned = np.concatenate(
        [
            ops["a"][ops["code"] == n.OP_AFFINITY],
            ops["d"][ops["code"] == n.OP_FORK] - 1,
            [start.cpu for start in plan.starts],
        ]
    )
    if len(pinned) and pinned.max() >= cpus:
        raise InputError(
            f"a program asks for CPU {int(pinned.max())}", file=plan.name, hint=f"this machine has CPUs 0 to {cpus - 1}"
        )


def _set_design(k: Any, design: Design) -> None:
    state = k.state
    for policy in POLICIES:
        state[policy.field] = policy.number(design.policies[policy.name])
    k.books["objects"][:] = sizes(design.kernel.release)
    for row, name in zip(k.books.paths, st.PATH_NAMES, strict=False):
        set_steps(row, design.paths[name])
        row.skips_cached = name == "readahead"
        row.reads_file = name in LOOPS_OVER_FILE
        if name in design.on_error:
            bits = [ERROR_EXIT_STEPS[step] for step in design.on_error[name]]
            row.has_on_error = 1
            row.error_length = len(bits)
            row["on_error"][: len(bits)] = bits


def set_steps(row: Any, names: Sequence[str]) -> None:
    """The steps of a path, of which this is the row in ``books.paths``. Its own error exit, if it has one, stays."""
    steps = [st.STEP_NAMES.index(step) for step in names]
    row.length = len(steps)
    row["steps"][: len(steps)] = steps
    if st.EACH_PAGE in steps:
        row.loop_at = steps.index(st.EACH_PAGE)
        row.loop_end = steps.index(st.NEXT_PAGE)


def _set_watermarks(k: Any, pages: int) -> None:
    """init_per_zone_wmark_min: 4 * sqrt(KiB of memory) KiB, 128 KiB to 64 MiB; low and high a quarter and a half above.

    A machine of less than 16 MiB, which Linux would not boot on, keeps no more than 1/128 of its memory.
    """
    kib = pages * n.PAGE_SIZE >> 10
    least = min(max(math.isqrt(kib * 16), 128), 65536) * 1024 // n.PAGE_SIZE
    least = min(least, pages // 128)
    zone = k.state.zone
    zone.min_pages, zone.low_pages, zone.high_pages = least, least + least // 4, least + least // 2


def _set_costs(k: Any, costs: Costs) -> None:
    books = k.books
    cost, sched, disk = books.cost, books.sched, books.disk
    for name, number in st.costs().items():
        cost[number] = costs.steps[name]
    for name, value in costs.sched.items():
        sched[name] = value
    disk.nr_requests = NR_REQUESTS
    disk.latency = costs.disk["latency"]
    disk.page_ns = n.PAGE_SIZE * 1000 // costs.disk["bandwidth"]


def _set_groups(k: Any, count: int, swappiness: int) -> None:
    k.state.n_groups = 1
    records.group.begin(k.state["groups"][:count])
    root = k.state.groups[0]
    root.alive = 1
    root.parent = n.NONE
    root.res.limit = root.memsw.limit = n.UNLIMITED
    root.swappiness = swappiness


def _readahead(plan: Plan, design: Design) -> int:
    """The largest window in pages, of all files (bdi->ra_pages)."""
    if plan.settings.readahead is not None:
        return plan.settings.readahead
    if plan.settings.rotational is False or design.policies["rotational_readahead"] == "128 KiB":
        return DEFAULT_READAHEAD
    return 2 * (n.IO_PAGES_OF_4M if design.policies["disk_request"] == "4 MiB" else n.IO_PAGES)


def _set_files(k: Any, plan: Plan, design: Design) -> None:
    readahead = _readahead(plan, design)
    k.state.n_files = len(plan.files)
    first, rows = 0, k.state.files
    for number, file in enumerate(plan.files):
        row = rows[number]
        records.file.begin(row)
        row.first = first
        row.room = max(file.room, 1)
        row.pages = file.pages
        row.readahead = 1 if file.name.endswith("/") else readahead  # a directory's blocks are read one by one
        row.shmem = file.shmem
        k.books.trees[number].inode = file.pages > 0  # the machine has been up for long: somebody has looked it up
        if file.warm and file.pages:
            _warm(k, number, first, file.pages)
        first += int(row.room)
    k.state.n_slots = first


def _warm(k: Any, file: int, first: int, count: int) -> None:
    """All pages of a file in the page cache, charged to nobody (root), on root's inactive list."""
    state = k.state
    start = int(state.n_pages)
    numbers = np.arange(start, start + count, dtype=np.int32)
    pages = state["pages"][start : start + count]
    records.page.begin(pages)
    pages["group"] = 0
    pages["file"] = file
    pages["index"] = np.arange(count)
    shmem = bool(state.files[file].shmem)
    pages["bits"] = n.PG_UPTODATE | n.PG_LRU | (n.PG_SWAPBACKED | n.PG_DIRTY if shmem else 0)
    pages["refs"] = 1
    which = n.LRU_INACTIVE_ANON if shmem else n.LRU_INACTIVE_FILE
    state.zone.lists[which].count += count * bool(state.lruvecs)  # which only counts then
    both = (("lru", state.groups[0].lists[which]), ("zone", state.zone.lists[which]))
    for links, chain in both[: 1 if state.lruvecs else 2]:
        pages[f"{links}_next"] = np.append(numbers[1:], chain.head)
        pages[f"{links}_prev"] = np.append(np.int32(n.NONE), numbers[:-1])
        if chain.head != n.NONE:
            state["pages"][f"{links}_prev"][int(chain.head)] = numbers[-1]
        else:
            chain.tail = numbers[-1]
        chain.head = numbers[0]
        chain.count += count
    state["slots"][first : first + count] = numbers + 1
    state.files[file].cached = count
    state.n_pages += count
    state.used_pages += count
    k.books.groups[0].cache += count


def boot_task(k: Any, start: Any) -> None:
    """A task that is there from the beginning, outside all groups: ready to run, or a kernel thread, asleep."""
    state, books = k.state, k.books
    t = int(state.n_tasks)
    state.n_tasks += 1
    task = state.tasks[t]
    records.task.begin(task)
    books.nr_threads += 1
    state.births += 1
    task.born = state.births
    task.leader = t
    task.program = start.comm
    task.slot = start.slot
    task.pc = task.entry = start.entry
    task.affinity = start.cpu
    task.is_root = 1
    if start.slot != n.NONE:
        state.names[start.slot] = t + 1
    state.groups[0].tasks += 1
    books.tasks[t].stalled = n.NONE
    if start.kthread != n.KT_NONE:  # it has had nothing to do so far; woken, it runs its OP_KTHREAD
        task.kthread = start.kthread
        task.run_state = n.T_SLEEPING
        task.wait_kind = n.W_IDLE
        task.wait_id = start.kthread
        state[KTHREADS[start.kthread]] = t
        return
    task.mm = _boot_mm(k)
    task.run_state = n.T_RUNNABLE
    books.woken[int(books.n_woken)] = t
    books.n_woken += 1


def _boot_mm(k: Any) -> int:
    """An empty address space."""
    m = int(k.state.n_mms)
    k.state.n_mms += 1
    mm = k.state.mms[m]
    records.mm.begin(mm)
    mm.users = 1
    k.books.mm_table[m] = k.books.mm_vma[m] = n.NONE
    return m
