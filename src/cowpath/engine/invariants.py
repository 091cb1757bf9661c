"""The checking mode: after every move, is everything still true that must always be true?

``violation`` checks a machine between two moves; ``run_checked`` is ``loop.run`` with such a check after every move,
``nothing_is_left`` what must be true when all tasks are gone. For small machines: a check looks at all of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cowpath.kernel import names as n
from cowpath.kernel.compiled import compiled, entry_point

from . import invariants_accounts as accounts
from . import invariants_disk as disk
from . import invariants_locks as locks
from . import invariants_pages as pages
from . import invariants_queues as queues
from . import invariants_ranges as ranges
from . import invariants_swap as swap
from . import invariants_tables as tables
from . import invariants_tasks as tasks
from . import loop
from .invariants_pages import OK

FINE = 0
WORDS = (
    "",
    "a free page is in use, locked, mapped, listed or charged (page)",
    "a page's references do not add up (page)",
    "a page's list of mappings is wrong (page)",
    "page tables or rss do not add up, or an entry maps what does not belong there (table or mm)",
    "mappings are not in order, or one is lost (mm)",
    "page-table directories do not add up (directory)",
    "an LRU list is wrong (page or group)",
    "a page that is in use is on no list (page)",
    "the page cache's slots and its pages disagree (page or file)",
    "a group's usage is not its pages + stock, or above its limit, or kernel memory is lost (group)",
    "memory.stat is not what the pages give (group)",
    "a page lock's owner is dead, or does not know it (page)",
    "a frame holds what is not its task's or maps without mmap_sem, or its next step is not the one looked up (task)",
    "a disk request is not in order (request)",
    "the holders of an rwsem, or of a mapping's lock, do not add up (mm, file or vma)",
    "the owner of a mutex is dead, or does not know it (file, mm, ...)",
    "a sleeper is not in its queue, or somebody is who does not belong there (task, page, mm, file or group)",
    "a wake-up was lost (task)",
    "the OOM section's counters do not add up (group or task)",
    "the users of an mm do not add up (mm)",
    "a task is in no run queue, in two, or in one where nobody takes it (task)",
    "parents, children, leaders, the groups' tasks or the machine's do not add up (task, group or count)",
    "a swap slot's count is not the entries that name it, or a slot is lost (slot)",
    "the swap cache's slots and its pages disagree, or both are charged (page)",
    "a group's memsw is not its usage + its swap, or above its limit (slot or group)",
    "the disk's queues are not the requests that were sent (request)",
    "the pages under write-back are not those of requests (pages)",
    "the counts of dirty pages are not the dirty pages of files (file)",
    "a field numbers what there is not (field)",
    "a dirty page of a file is gone, and was not written (slot of the page cache)",
    "something is left over when all tasks are gone",
)
OUT_OF_RANGE = len(WORDS) - 3
DIRTY_LOST = len(WORDS) - 2
LEFT_OVER = len(WORDS) - 1


@compiled
def check_pages(k):
    """Pages, mappings and accounts: (what is wrong, of which), or (FINE, OK)."""
    at = pages.free_pages_are_clean(k)
    if at != OK:
        return 1, at
    at = pages.references_add_up(k)
    if at != OK:
        return 2, at
    at = tables.mappings_point_back(k)
    if at != OK:
        return 3, at
    at = tables.page_tables_add_up(k)
    if at != OK:
        return 4, at
    at = tables.vmas_are_in_order(k)
    if at != OK:
        return 5, at
    at = tables.directories_add_up(k)
    if at != OK:
        return 6, at
    at = pages.lru_lists_are_whole(k)
    if at != OK:
        return 7, at
    at = pages.pages_in_use_are_listed(k)
    if at != OK:
        return 8, at
    at = pages.page_cache_agrees(k)
    if at != OK:
        return 9, at
    at = accounts.usage_adds_up(k)
    if at == OK:
        at = accounts.kernel_memory_adds_up(k)
    if at != OK:
        return 10, at
    at = accounts.statistics_add_up(k)
    if at != OK:
        return 11, at
    return FINE, OK


@compiled
def check_locks(k):
    """Locks, queues and tasks: (what is wrong, of which), or (FINE, OK)."""
    at = locks.page_locks_have_owners(k)
    if at != OK:
        return 12, at
    at = locks.frames_own_what_they_hold(k)
    if at == OK:
        at = locks.faults_keep_their_lock(k)
    if at == OK:
        at = locks.next_steps_are_known(k)
    if at != OK:
        return 13, at
    at = disk.requests_are_in_order(k)
    if at != OK:
        return 14, at
    at = locks.rwsems_add_up(k)
    if at == OK:
        at = locks.vma_locks_add_up(k)
    if at != OK:
        return 15, at
    at = locks.mutexes_have_owners(k)
    if at != OK:
        return 16, at
    at = queues.sleepers_stand_in_their_queue(k)
    if at != OK:
        return 17, at
    at = queues.no_wakeup_is_lost(k)
    if at != OK:
        return 18, at
    at = locks.oom_sections_add_up(k)
    if at != OK:
        return 19, at
    at = tasks.mms_have_users(k)
    if at != OK:
        return 20, at
    at = tasks.tasks_are_queued_once(k)
    if at != OK:
        return 21, at
    at = tasks.families_are_whole(k)
    if at != OK:
        return 22, at
    return FINE, OK


@compiled
def check_swap_and_disk(k):
    """Swap slots, requests, write-back: (what is wrong, of which), or (FINE, OK)."""
    at = swap.slots_are_counted(k)
    if at != OK:
        return 23, at
    at = swap.swap_cache_agrees(k)
    if at != OK:
        return 24, at
    at = swap.memsw_adds_up(k)
    if at != OK:
        return 25, at
    at = disk.disk_queues_are_whole(k)
    if at != OK:
        return 26, at
    at = disk.writeback_adds_up(k)
    if at != OK:
        return 27, at
    at = disk.dirty_adds_up(k)
    if at != OK:
        return 28, at
    return FINE, OK


@compiled
def check(k):
    """Everything: (what is wrong, of which), or (FINE, OK). Not for a machine that has run out of something."""
    at = ranges.every_index_is_in_range(k)
    if at != OK:
        return OUT_OF_RANGE, at
    code, at = check_pages(k)
    if code != FINE:
        return code, at
    code, at = check_locks(k)
    if code != FINE:
        return code, at
    return check_swap_and_disk(k)


@entry_point
def run_checked(k, until, budget, shell):
    """``loop.run`` with a check after every move: (why it stopped, what is wrong, of which).

    Goes on after what ``loop.run`` would tell Python (a stall, a full log, a text to print).
    """
    code, at = check(k)
    if code != FINE:
        return loop.BUDGET, code, at
    dirty = np.zeros(len(k.state.slots), np.int8)
    for _ in range(budget):
        disk.note_dirty(k, dirty)
        why = loop.go_on(k, until, loop.FOREVER, 1, shell)
        if k.books.error:
            return loop.ERROR, FINE, OK
        code, at = check(k)
        if code == FINE:
            at = disk.nothing_dirty_was_lost(k, dirty)
            code = FINE if at == OK else DIRTY_LOST
        if code != FINE:
            return why, code, at
        if why == loop.UNTIL or why == loop.IDLE or why == loop.SCRIPT or why == loop.SETTLED:
            return why, FINE, OK
        if why == loop.LOG_FULL:
            k.books.log_count = 0
        k.books.n_stalls = 0
    return loop.BUDGET, FINE, OK


def nothing_is_left(k: Any) -> bool:
    """When all tasks but the kernel's threads are gone: no address space, no table, no lock, no frame, no entry that
    names a swap slot; pages only where the page cache, the swap cache, the disk or a kernel's thread has them."""
    state = k.state
    tasks, rows = state["tasks"][: int(state.n_tasks)], state["pages"][: int(state.n_pages)]
    mortal = tasks[tasks["kthread"] == n.KT_NONE]
    if (mortal["run_state"] != n.T_FREE).any() or mortal["depth"].any():
        return False
    used = rows[rows["refs"] > 0]
    busy = (used["locked_by"] <= n.REQUEST_OWNER) | (used["bits"] & n.PG_WRITEBACK != 0)
    flushed = [int(f["page"]) for task in tasks for f in task["frames"] if f["held"] & n.H_PAGE_REF]
    busy |= np.isin(np.flatnonzero(rows["refs"] > 0), flushed)
    kept = (used["file"] != n.NONE) | (used["bits"] & n.PG_SWAPCACHE != 0)
    idle = kept & (used["refs"] == 1) & (used["locked_by"] == n.FREE) & (used["mapcount"] == 0)
    mms = state["mms"][: int(state.n_mms)]
    left = mms["users"].any() or mms["tables"].any() or state["vmas"]["end"].any()
    out = np.count_nonzero(state["shmem_swp"][: int(state.n_slots)])  # pages of shmem that has a name
    left = left or state["swaps"]["count"].sum() != out or state["files"]["anonymous"].any()
    return bool((idle | busy).all()) and not left


def in_words(code: int, at: int) -> str:
    """A violation as a sentence."""
    return f"{WORDS[code]}: {ranges.FIELDS[at] if code == OUT_OF_RANGE else at}"
