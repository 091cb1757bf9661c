"""The checking mode: every rule notices when it is broken. Random sessions keep them all: test_random_sessions.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numba
import numpy as np
import pytest

from cowpath.engine import invariants
from cowpath.engine.invariants_disk import note_dirty, nothing_dirty_was_lost
from cowpath.engine.invariants_pages import OK
from cowpath.kernel import names as n
from cowpath.kernel.lru import lru_del

from .checked import SMALL, boot, run, wrong
from .strategies import File, Group, Session, Task

pytestmark = pytest.mark.usefixtures("small_is_compiled")


def test_bounds_are_checked() -> None:
    assert numba.config.BOUNDSCHECK
    k = boot(BUSY)
    k.state.n_cpus = SMALL.cpus + 1
    with pytest.raises(IndexError):
        invariants.run_checked(k, 0, 0, 0)


# --- each rule notices ---------------------------------------------------------------------------
BUSY = Session(
    design="linux-3.0", cpus=2, memory=2000, swap=0, reserve=0, disk_ns=0, nr_requests=128, threads=True,
    swappiness=60, seed=1, slice_ns=3_000, readahead=4, reuse=0.0,
    files=(File(40, False, False, 0), File(40, False, True, 0), File(8, True, False, 0)),
    groups=(Group(0, True, 90, 0, False), Group(1, False, 30, 0, False), Group(0, False, None, 0, True)),
    tasks=(
        Task(1, (("sleep", 900_000_000),), 0, False, (4, 20, 0), ()),
        Task(2, (), 0, False, (48, 0, 0), ()),
        Task(3, (("fork", (("compute", 90_000_000),), True, None), ("compute", 90_000_000)), 0, False, (20, 0, 20), ()),
    ),
    shell=(), kill_all_ns=0,
)  # fmt: skip


SWAPPING = Session(
    design="linux-3.0", cpus=2, memory=2000, swap=60, reserve=0, disk_ns=20_000, nr_requests=128, threads=True,
    swappiness=60, seed=1, slice_ns=3_000, readahead=4, reuse=0.0,
    files=(File(40, False, False, 0), File(40, False, True, 0), File(8, True, False, 0)),
    groups=(Group(0, True, 60, None, True), Group(1, False, 30, None, True), Group(0, False, 20, None, True)),
    tasks=(
        Task(1, (("sweep", 9, True),), 0, False, (0, 0, 0), ()),
        Task(2, (("sweep", 9, True),), 0, False, (0, 0, 0), ()),
        Task(3, (("write", 0, 0, 40, None, 0), ("sleep", 100_000), ("sweep", 3, True)), 0, False, (0, 0, 0), ()),
    ),
    shell=(), kill_all_ns=0,
)  # fmt: skip


def swaps_in_use(k: Any, fits: Callable[[Any], bool]) -> list[Any]:
    slots = [k.state.swaps[slot] for slot in range(int(k.state.n_swaps))]
    return [swap for swap in slots if (swap.count > 0 or swap.page > 0) and fits(swap)]


def damaged(session: Session, damage: Callable[[Any], None]) -> Any:
    """The session's machine, run until it has what is to be damaged."""
    k = boot(session)
    for _ in range(2_000):
        assert run(k, 10)[1] == wrong(k) == ""
        try:
            damage(k)
        except (IndexError, StopIteration):
            continue
        return k
    raise AssertionError("the session is too tame")


def used_pages(k: Any) -> list[int]:
    return [p for p in range(int(k.state.n_pages)) if k.state.pages[p].refs > 0]


def page_where(k: Any, fits: Callable[[Any], bool]) -> Any:
    return next(k.state.pages[p] for p in used_pages(k) if fits(k.state.pages[p]))


def task_where(k: Any, fits: Callable[[Any], bool]) -> int:
    return next(t for t in range(int(k.state.n_tasks)) if fits(k.state.tasks[t]))


def mm_of(k: Any, group: int) -> Any:
    """The address space of a task of the group."""
    t = task_where(k, lambda task: task.run_state != n.T_FREE and task.group == group and task.mm != n.NONE)
    return k.state.mms[int(k.state.tasks[t].mm)]


def sleeper(k: Any, kind: int) -> int:
    return task_where(k, lambda task: task.run_state == n.T_SLEEPING and task.wait_kind == kind)


def free_a_used_page(k: Any) -> None:
    p = used_pages(k)[0]
    k.state.pages[p].lru_next, k.state.free_page = k.state.free_page, p


def take_a_reference(k: Any) -> None:
    page_where(k, lambda page: page.mapcount > 0).refs += 1


def lose_a_page(k: Any) -> None:
    k.state.used_pages -= 1


def lose_a_mapping(k: Any) -> None:
    page = page_where(k, lambda page: page.mapcount > 0 and page.file != n.NONE)
    page.mapcount -= 1
    page.refs -= 1


def count_rss_twice(k: Any) -> None:
    mm_of(k, 1).anon_rss += 1


def lose_a_vma(k: Any) -> None:
    mm = k.state.mms[int(k.state.tasks[0].mm)]
    k.state.vmas[int(k.state.n_vmas)].end = 5
    k.state.n_vmas += 1
    assert mm.vmas == n.NONE


def lose_a_directory_entry(k: Any) -> None:
    k.state.directories[int(mm_of(k, 1).root)].used += 1


def break_an_lru_list(k: Any) -> None:
    page_where(k, lambda page: page.bits & n.PG_LRU and page.lru_prev != n.NONE).lru_prev = n.NONE


def take_off_the_lru(k: Any) -> None:
    lru_del(k, int(k.state.groups[1].lists[n.LRU_ACTIVE_ANON].head))


def move_in_the_file(k: Any) -> None:
    page_where(k, lambda page: page.file != n.NONE and page.mapcount == 0).index += 1


def forget_an_uncharge(k: Any) -> None:
    k.state.groups[2].res.usage += 1


def exceed_the_limit(k: Any) -> None:
    k.state.groups[2].res.limit = k.state.groups[2].res.usage - 1


def miscount_statistics(k: Any) -> None:
    k.books.groups[1].cache += 1


def lock_for_somebody_else(k: Any) -> None:
    page_where(k, lambda page: page.locked_by == n.FREE).locked_by = 0


def charge_nothing(k: Any) -> None:
    k.state.tasks[0].frames[0].held |= n.H_CHARGE


def look_up_another_step(k: Any) -> None:
    k.books.tasks[0].following += 1


def keep_a_request(k: Any) -> None:
    free = next(r for r in range(SMALL.requests) if not k.state.requests[r].busy)
    k.state.requests[free].busy = 1
    k.state.requests[free].first = n.NONE


def count_a_reader_twice(k: Any) -> None:
    mm_of(k, 1).mmap_sem.readers += 1


def lock_an_inode_for_nobody(k: Any) -> None:
    k.state.files[0].i_mutex.owner = 0


def wake_without_unqueueing(k: Any) -> None:
    k.state.tasks[sleeper(k, n.W_OOM)].run_state = n.T_RUNNABLE


def kill_without_waking(k: Any) -> None:
    k.state.tasks[sleeper(k, n.W_OOM)].sigkill = 1


def lose_a_timer(k: Any) -> None:
    t = sleeper(k, n.W_TIMER)
    timers = k.books["timers"][: int(k.books.n_timers)]
    timers["which"][(timers["what"] == 0) & (timers["which"] == t)] = SMALL.tasks - 1


def count_a_section_twice(k: Any) -> None:
    k.state.groups[3].under_oom += 1


def add_a_user(k: Any) -> None:
    mm_of(k, 1).users += 1


def queue_twice(k: Any) -> None:
    k.books.woken[0] = task_where(k, lambda task: task.run_state == n.T_RUNNABLE)
    k.books.n_woken = 1


def lose_a_running_task(k: Any) -> None:
    """What loop.move did that switched after put_back had."""
    k.books.cpus[int(running(k)[0])].curr = n.NONE


def running(k: Any) -> Any:
    return np.flatnonzero(k.books["cpus"]["curr"][: int(k.state.n_cpus)] != n.NONE)


def queue_where_nobody_looks(k: Any) -> None:
    cpu = k.books.cpus[int(running(k)[0])]
    k.books.runq[int(running(k)[0])].heap[int(cpu.queued)] = cpu.curr
    cpu.queued += 1
    cpu.curr = n.NONE


def queue_where_it_may_not_run(k: Any) -> None:
    here, there = (int(c) for c in running(k)[:2])
    t = int(k.books.cpus[there].curr)
    k.books.cpus[there].curr = n.NONE
    k.books.runq[here].heap[int(k.books.cpus[here].queued)] = t
    k.books.cpus[here].queued += 1
    k.state.tasks[t].affinity = there


def count_a_task_twice(k: Any) -> None:
    k.books.nr_threads += 1


def lose_a_child(k: Any) -> None:
    k.state.tasks[task_where(k, lambda task: task.parent > 0)].parent = 0


def break_the_zones_list(k: Any) -> None:
    page_where(k, lambda page: page.bits & n.PG_LRU and page.zone_prev != n.NONE).zone_prev = n.NONE


def count_an_entry_in_swap_twice(k: Any) -> None:
    mm_of(k, 2).swapents += 1


def forget_a_reference_of_the_swap_cache(k: Any) -> None:
    page_where(k, lambda page: page.bits & n.PG_SWAPCACHE).refs -= 1


def stop_the_disk(k: Any) -> None:
    page_where(k, lambda page: page.bits & n.PG_WRITEBACK and k.state.disk_busy != n.NONE)
    k.state.disk_busy = n.NONE


def end_a_write_of_one_page(k: Any) -> None:
    page_where(k, lambda page: page.bits & n.PG_WRITEBACK).bits &= ~n.PG_WRITEBACK


def sleep_for_what_is_written(k: Any) -> None:
    t = task_where(k, lambda task: task.wait_kind == n.W_TIMER and k.state.writeback_waiters.head == n.NONE)
    task = k.state.tasks[t]
    task.wait_id = next(p for p in used_pages(k) if not k.state.pages[p].bits & n.PG_WRITEBACK)
    task.wait_kind, task.wait_next, task.killable = n.W_WRITEBACK, n.NONE, 0
    k.state.writeback_waiters.head = k.state.writeback_waiters.tail = t


def leave_a_queue_for_the_disk(k: Any) -> None:
    k.state.tasks[sleeper(k, n.W_TIMER)].wait_kind = n.W_CONGESTED


def switch_the_flusher_off(k: Any) -> None:
    t = task_where(k, lambda task: task.kthread == n.KT_FLUSHER and task.wait_kind == n.W_IDLE and k.state.zone.dirty)
    k.books.tasks[t].alarm += 1


def name_a_slot_once_more(k: Any) -> None:
    swaps_in_use(k, lambda swap: swap.count > 0)[0].count += 1


def lose_a_slot(k: Any) -> None:
    k.state.used_swaps -= 1


def forget_the_swap_caches_page(k: Any) -> None:
    swaps_in_use(k, lambda swap: swap.count > 0 and swap.page > 0)[0].page = 0


def charge_slot_and_page(k: Any) -> None:
    fits = lambda page: page.bits & n.PG_SWAPCACHE and page.group > 0  # noqa: E731
    page = page_where(k, fits)
    k.state.swaps[int(page.index)].group = page.group


def forget_a_charge_for_swap(k: Any) -> None:
    k.state.groups[2].memsw.usage -= 1


def charge_a_slot_to_nobody(k: Any) -> None:
    swaps_in_use(k, lambda swap: swap.count > 0 and swap.group == 2)[0].group = n.NONE


def exceed_the_limit_with_swap(k: Any) -> None:
    k.state.groups[2].memsw.limit = k.state.groups[2].memsw.usage - 1


def lose_a_request(k: Any) -> None:
    first = next(k.state.requests[r] for r in (int(k.state.writes.head),) if r != n.NONE)
    k.state.writes.head = first.next
    if first.next == n.NONE:
        k.state.writes.tail = n.NONE


def miscount_the_writes(k: Any) -> None:
    k.state.writes_waiting += 1


def miscount_the_write_back(k: Any) -> None:
    k.state.zone.writeback += 1


def miscount_a_files_dirty_pages(k: Any) -> None:
    task_where(k, lambda task: task.kthread == n.KT_FLUSHER and task.wait_kind != n.W_IDLE)
    k.state.files[0].dirty += 1
    k.state.zone.dirty += 1


def table_with_a_page(k: Any) -> Any:
    return next(table for table in k.state.tables[: int(k.state.n_tables)] if table.mm >= 0 and table.page >= 0)


def lose_a_page_tables_page(k: Any) -> None:
    table_with_a_page(k).page = n.NONE


def map_a_page_table(k: Any) -> None:
    k.state.pages[int(table_with_a_page(k).page)].bits |= n.PG_UPTODATE


def forget_a_page_table(k: Any) -> None:
    k.books.groups[int(k.state.pages[int(table_with_a_page(k).page)].group)].kmem -= 1


def hold_a_page_table_that_is_not_there(k: Any) -> None:
    k.state.tasks[0].frames[0].held |= n.H_PAGE_TABLE


def name_a_page_that_is_not_there(k: Any) -> None:
    k.state.tasks[task_where(k, lambda task: task.depth > 0)].frames[0].newpage = int(k.state.n_pages)


BROKEN = (
    (1, free_a_used_page), (1, lose_a_page), (2, take_a_reference), (3, lose_a_mapping), (4, count_rss_twice),
    (5, lose_a_vma), (6, lose_a_directory_entry), (7, break_an_lru_list), (8, take_off_the_lru), (9, move_in_the_file),
    (10, forget_an_uncharge), (10, exceed_the_limit), (11, miscount_statistics), (12, lock_for_somebody_else),
    (13, charge_nothing), (13, look_up_another_step), (14, keep_a_request), (15, count_a_reader_twice),
    (16, lock_an_inode_for_nobody),
    (17, wake_without_unqueueing), (17, kill_without_waking), (18, lose_a_timer), (19, count_a_section_twice),
    (20, add_a_user), (21, queue_twice), (21, lose_a_running_task), (21, queue_where_nobody_looks),
    (21, queue_where_it_may_not_run), (22, lose_a_child), (22, count_a_task_twice),
    (invariants.OUT_OF_RANGE, name_a_page_that_is_not_there),
)  # fmt: skip


BROKEN_IN_SWAP = (
    (2, forget_a_reference_of_the_swap_cache), (4, count_an_entry_in_swap_twice), (7, break_the_zones_list),
    (14, stop_the_disk), (14, end_a_write_of_one_page), (17, leave_a_queue_for_the_disk),
    (18, sleep_for_what_is_written), (18, switch_the_flusher_off), (23, name_a_slot_once_more), (23, lose_a_slot),
    (24, forget_the_swap_caches_page), (24, charge_slot_and_page), (25, forget_a_charge_for_swap),
    (25, charge_a_slot_to_nobody), (25, exceed_the_limit_with_swap), (26, lose_a_request), (26, miscount_the_writes),
    (27, miscount_the_write_back), (28, miscount_a_files_dirty_pages),
)  # fmt: skip


BROKEN_IN_TABLES = (
    (2, lose_a_page_tables_page), (2, map_a_page_table), (11, forget_a_page_table),
    (13, hold_a_page_table_that_is_not_there),
)  # fmt: skip


@pytest.mark.parametrize(("rule", "damage"), BROKEN, ids=[damage.__name__ for _, damage in BROKEN])
def test_every_rule_notices(rule: int, damage: Callable[[Any], None]) -> None:
    k = boot(BUSY)
    assert run(k, 2_000)[1] == wrong(k) == ""
    damage(k)
    assert wrong(k) == invariants.WORDS[rule]


@pytest.mark.parametrize(("rule", "damage"), BROKEN_IN_TABLES, ids=[damage.__name__ for _, damage in BROKEN_IN_TABLES])
def test_every_rule_notices_in_page_tables(rule: int, damage: Callable[[Any], None]) -> None:
    k = boot(replace(BUSY, design="pte-prealloc"))
    assert run(k, 2_000)[1] == wrong(k) == ""
    damage(k)
    assert wrong(k) == invariants.WORDS[rule]


@pytest.mark.parametrize(("rule", "damage"), BROKEN_IN_SWAP, ids=[damage.__name__ for _, damage in BROKEN_IN_SWAP])
def test_every_rule_notices_in_swap(rule: int, damage: Callable[[Any], None]) -> None:
    assert wrong(damaged(SWAPPING, damage)) == invariants.WORDS[rule]


def test_it_is_noticed_when_something_dirty_is_lost() -> None:
    """A page that was dirty before a move is clean after it, or gone, and was not written: not unless truncated."""
    k = damaged(SWAPPING, lambda k: page_where(k, lambda page: page.bits & n.PG_DIRTY and page.file == 0))
    was = np.zeros(SMALL.slots, np.int8)
    note_dirty(k, was)
    assert was.any() and nothing_dirty_was_lost(k, was) == OK
    page = page_where(k, lambda page: page.bits & n.PG_DIRTY and page.file == 0)
    slot = int(k.state.files[0].first + page.index)
    page.bits = page.bits & ~n.PG_DIRTY | n.PG_WRITEBACK
    assert nothing_dirty_was_lost(k, was) == OK
    page.bits &= ~n.PG_WRITEBACK
    assert nothing_dirty_was_lost(k, was) == slot
    k.state.slots[slot] = 0
    assert nothing_dirty_was_lost(k, was) == slot
    k.state.files[0].pages = page.index
    was[slot + 1 :] = 0
    assert nothing_dirty_was_lost(k, was) == OK


def test_every_rule_is_tested() -> None:
    assert {rule for rule, _ in BROKEN + BROKEN_IN_SWAP} | {invariants.DIRTY_LOST} == set(
        range(1, invariants.LEFT_OVER)
    )


def test_a_leak_is_noticed_at_the_end() -> None:
    k = boot(BUSY)
    assert not invariants.nothing_is_left(k)  # its shell is alive
    k.state["tasks"]["run_state"] = n.T_FREE
    k.state["mms"]["users"] = 0
    assert invariants.nothing_is_left(k)
    warm = np.flatnonzero(k.state["pages"]["file"][: int(k.state.n_pages)] == 1)
    k.state.pages[int(warm[0])].refs += 1
    assert not invariants.nothing_is_left(k)
