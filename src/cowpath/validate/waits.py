"""What a task waits for, in words that the kernel's symbols and the model's own names both come down to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

RUNS = "nothing: it runs"
IDLE = "its next command, or time"
OOM = "memory: it is full"
RETURN = "throttled, at the return to user space"
CHARGE = "throttled, inside a charge"
PAGE = "a page's lock"
MMAP = "the address space's lock"
INODE = "the file's lock"
INVALIDATE = "the file's invalidate_lock"
CHILD = "a child"
DISK = "the disk"
STOPPED = "SIGCONT"
HANDLER = "the handler of a userfaultfd"
UNKNOWN = "something else"

# functions in which a task sleeps, and what for then; the first one of its stack that stands here tells
SLEEPS_IN = {
    "mem_cgroup_oom_synchronize": OOM, "mem_cgroup_handle_oom": OOM,
    "folio_wait_bit_common": PAGE, "folio_wait_bit": PAGE, "__folio_lock": PAGE, "__folio_lock_killable": PAGE,
    "__folio_lock_or_retry": PAGE, "__lock_page": PAGE, "__lock_page_or_retry": PAGE, "sleep_on_page": PAGE,
    "sleep_on_page_killable": PAGE, "wait_on_page_bit_killable": PAGE, "wait_on_page_bit": PAGE,
    "folio_wait_writeback": DISK, "wait_on_page_writeback": DISK, "jbd2_log_wait_commit": DISK, "io_schedule": DISK,
    "balance_dirty_pages": DISK, "balance_dirty_pages_ratelimited_flags": DISK, "reclaim_throttle": DISK,
    "m_start": MMAP, "lock_next_vma": MMAP, "__access_remote_vm": MMAP, "access_remote_vm": MMAP,
    "lock_mm_and_find_vma": MMAP, "vm_mmap_pgoff": MMAP, "__vm_munmap": MMAP, "do_madvise": MMAP,
    "do_mprotect_pkey": MMAP, "do_mlock": MMAP, "dup_mmap": MMAP, "exit_mmap": MMAP, "mmap_read_lock": MMAP,
    "process_vm_rw_single_vec": MMAP, "__get_user_pages_remote": MMAP, "madvise_lock": MMAP, "vma_start_write": MMAP,
    "__vma_start_write": MMAP, "__mm_populate": MMAP,
    "ext4_buffered_write_iter": INODE, "ext4_file_write_iter": INODE, "generic_file_write_iter": INODE,
    "shmem_file_write_iter": INODE, "do_truncate": INODE, "ext4_file_read_iter": INODE,
    "ext4_setattr": INVALIDATE, "ext4_truncate": INVALIDATE, "page_cache_ra_unbounded": INVALIDATE,
    "page_cache_ra_order": INVALIDATE, "filemap_create_folio": INVALIDATE, "filemap_invalidate_lock": INVALIDATE,
    "do_wait": CHILD, "kernel_wait4": CHILD, "kernel_clone": CHILD,
    "pipe_read": IDLE, "anon_pipe_read": IDLE,
    "handle_userfault": HANDLER,
    "hrtimer_nanosleep": IDLE, "do_nanosleep": IDLE, "do_signal_stop": STOPPED, "ptrace_stop": STOPPED,
}  # fmt: skip
THROTTLED = ("__mem_cgroup_handle_over_high", "mem_cgroup_handle_over_high")
CHARGES = ("try_charge_memcg", "try_charge")  # below the throttle in a stack: the task sleeps inside the charge

# the model's names (kernel/waits.py)
NAMES = {
    "": RUNS, "work": IDLE, "memory (OOM)": OOM, "memory": OOM, "page lock": PAGE, "swap entry": PAGE,
    "mmap_sem for reading": MMAP, "mmap_sem for writing": MMAP, "VMA lock": MMAP, "i_mutex": INODE,
    "invalidate_lock for reading": INVALIDATE, "invalidate_lock for writing": INVALIDATE, "child": CHILD,
    "sleep": IDLE, "write-back": DISK, "the disk": DISK, "pause": DISK, "stopped": STOPPED,
    "userfault": HANDLER, "traced": CHILD, "completion": IDLE,
}  # fmt: skip
THROTTLE = "throttled"
TO_USER = "exit_to_user"  # the path on which it holds nothing


def real(entry: Mapping[str, Any]) -> set[str]:
    """What the task of a step (``ctl stack``, ``ctl wait``, ``ctl sample``) was seen waiting for, in each run."""
    if "histogram" in entry:
        return {_most(histogram, _symbols) for histogram in _runs(entry["histogram"])}
    if "wchan" not in entry:
        return {RUNS} if entry.get("state") == "R" else set()
    columns = [_each(entry["state"]), _each(entry.get("wchan", "")), _runs(entry.get("stack", []))]
    runs = max(map(len, columns))
    return {seen(*(column[min(run, len(column) - 1)] for column in columns)) for run in range(runs)}


def simulated(entry: Mapping[str, Any]) -> set[str]:
    """The same of the model: it says what a task waits for by its own name, and on which paths it is."""
    if "histogram" in entry:
        return {_most(entry["histogram"], _names)}
    return {named(entry["waits"], entry.get("paths", ()))} if "waits" in entry else set()


def named(name: str, paths: Sequence[str]) -> str:
    """What a wait of the model's is."""
    if name == THROTTLE:
        return RETURN if TO_USER in paths else CHARGE
    return NAMES.get(name, name)


def seen(state: str, wchan: str, stack: Sequence[str]) -> str:
    """What a task that was seen so waits for: its state, the function that it sleeps in, its stack from the inside."""
    if state.startswith("R"):
        return RUNS
    symbols = [symbol.partition(".")[0] for symbol in (wchan, *stack)]
    if any(symbol in THROTTLED for symbol in symbols):
        return CHARGE if any(symbol in CHARGES for symbol in symbols) else RETURN
    return next((SLEEPS_IN[symbol] for symbol in symbols if symbol in SLEEPS_IN), UNKNOWN)


def _most(histogram: Mapping[str, int], of: Callable[[str], str]) -> str:
    """What it was seen waiting for most often."""
    counts: dict[str, int] = {}
    for key, count in histogram.items():
        what = of(key)
        counts[what] = counts.get(what, 0) + count
    return max(counts, key=lambda what: counts[what], default=RUNS)


def _symbols(key: str) -> str:
    """Of ``state wchan inner<outer<...``."""
    state, wchan, stack = (*key.split(" "), "", "")[:3]
    return seen(state, wchan, stack.split("<"))


def _names(key: str) -> str:
    """Of ``state name of a wait inner<outer<...``."""
    words = key.partition(" ")[2]
    name = max((each for each in (*NAMES, THROTTLE) if f"{words} ".startswith(f"{each} ")), key=len, default="")
    return named(name, words.removeprefix(name).strip().split("<"))


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _runs(value: Any) -> list[Any]:
    """One for each run, where the runs differ."""
    differ = isinstance(value, dict) and "per_run" in value
    return [each for each in value["per_run"] if each is not None] if differ else [value]


def words(found: Iterable[str]) -> str:
    """For people."""
    return " or ".join(sorted(found)) or "-"
