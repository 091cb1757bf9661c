"""The checking mode: random sessions keep every rule after every move, and every rule notices when it is broken."""

from __future__ import annotations

import fcntl
from collections import Counter
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from cowpath.engine import invariants, loop
from cowpath.kernel import names as n
from cowpath.kernel.state import new_machine

from .checked import SMALL, boot, run, wrong
from .strategies import DESIGNS, File, Group, Session, Task, sessions

EXAMPLES = 200  # in each part
REACHED = (
    "retries", "allocations_wasted", "charges_wasted", "pages_reclaimed", "oom_kills", "oom_rounds", "sigbus",
    "pages_copied", "charges_bypassed", "major_faults",
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def compiled(tmp_path_factory: pytest.TempPathFactory) -> None:
    """One of xdist's workers compiles; the others wait, and load what it has cached."""
    shared = tmp_path_factory.getbasetemp().parent
    with (shared / "compile.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run(boot(BUSY), 0)


@pytest.mark.parametrize("part", range(8))
def test_random_sessions_keep_every_rule(part: int) -> None:
    reached: Counter[str] = Counter()

    @seed(part)
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(sessions())
    def keeps_every_rule(session: Session) -> None:
        k = boot(session)
        why, problem = run(k)
        assert not problem, f"{problem}; after {k.books.steps} moves"
        if why == loop.SCRIPT and not k.state["tasks"]["run_state"].any():
            assert invariants.nothing_is_left(k)
            reached["finished"] += 1
        counters = k.books["groups"]["counters"].sum(axis=0)
        for name in REACHED:
            reached[name] += int(counters[n.COUNTER_NAMES.index(name)])

    keeps_every_rule()
    assert all(reached[name] for name in REACHED), "the sessions are too tame"
    assert reached["finished"] > EXAMPLES // 4


def test_bounds_are_checked() -> None:
    assert numba.config.BOUNDSCHECK
    k = new_machine(SMALL)
    k.state.n_cpus = SMALL.cpus + 1
    with pytest.raises(IndexError):
        invariants.run_checked(k, 0, 0, 0)


# --- each rule notices ---------------------------------------------------------------------------
BUSY = Session(
    design="linux-3.0", cpus=2, memory=2000, seed=1, slice_ns=3_000, readahead=4, reuse=0.0,
    files=(File(40, False, False, 0), File(40, False, True, 0), File(8, True, False, 0)),
    groups=(Group(0, True, 90, 0, False), Group(1, False, 30, 0, False), Group(0, False, None, 0, True)),
    tasks=(
        Task(1, (("sleep", 900_000_000),), 0, False, (4, 20, 0), ()),
        Task(2, (), 0, False, (48, 0, 0), ()),
        Task(3, (("fork", (("compute", 90_000_000),), True, None), ("compute", 90_000_000)), 0, False, (20, 0, 20), ()),
    ),
    shell=(), kill_all_ns=0,
)  # fmt: skip


def used_pages(k: Any) -> list[int]:
    return [p for p in range(int(k.state.n_pages)) if k.state.pages[p].refs > 0]


def page_where(k: Any, fits: Callable[[Any], bool]) -> Any:
    return next(k.state.pages[p] for p in used_pages(k) if fits(k.state.pages[p]))


def task_where(k: Any, fits: Callable[[Any], bool]) -> int:
    return next(t for t in range(int(k.state.n_tasks)) if fits(k.state.tasks[t]))


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
    k.state.mms[int(k.state.tasks[1].mm)].anon_rss += 1


def lose_a_vma(k: Any) -> None:
    mm = k.state.mms[int(k.state.tasks[0].mm)]
    k.state.vmas[int(k.state.n_vmas)].end = 5
    k.state.n_vmas += 1
    assert mm.vmas == n.NONE


def lose_a_directory_entry(k: Any) -> None:
    k.state.directories[int(k.state.mms[int(k.state.tasks[1].mm)].root)].used += 1


def break_an_lru_list(k: Any) -> None:
    page_where(k, lambda page: page.bits & n.PG_LRU and page.lru_prev != n.NONE).lru_prev = n.NONE


def take_off_the_lru(k: Any) -> None:
    chain = k.state.groups[1].lists[n.LRU_ACTIVE_ANON]
    page = k.state.pages[int(chain.head)]
    chain.head = page.lru_next
    k.state.pages[int(page.lru_next)].lru_prev = n.NONE
    chain.count -= 1
    page.lru_next = n.NONE
    page.bits &= ~n.PG_LRU


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


def keep_a_request(k: Any) -> None:
    free = next(r for r in range(SMALL.requests) if not k.state.requests[r].busy)
    k.state.requests[free].busy = 1
    k.state.requests[free].first = n.NONE


def count_a_reader_twice(k: Any) -> None:
    k.state.mms[int(k.state.tasks[1].mm)].readers += 1


def lock_an_inode_for_nobody(k: Any) -> None:
    k.state.files[0].i_mutex = 0


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
    k.state.mms[int(k.state.tasks[1].mm)].users += 1


def queue_twice(k: Any) -> None:
    k.books.woken[0] = task_where(k, lambda task: task.run_state == n.T_RUNNABLE)
    k.books.n_woken = 1


def lose_a_child(k: Any) -> None:
    k.state.tasks[task_where(k, lambda task: task.parent > 0)].parent = 0


BROKEN = (
    (1, free_a_used_page), (1, lose_a_page), (2, take_a_reference), (3, lose_a_mapping), (4, count_rss_twice),
    (5, lose_a_vma), (6, lose_a_directory_entry), (7, break_an_lru_list), (8, take_off_the_lru), (9, move_in_the_file),
    (10, forget_an_uncharge), (10, exceed_the_limit), (11, miscount_statistics), (12, lock_for_somebody_else),
    (13, charge_nothing), (14, keep_a_request), (15, count_a_reader_twice), (16, lock_an_inode_for_nobody),
    (17, wake_without_unqueueing), (17, kill_without_waking), (18, lose_a_timer), (19, count_a_section_twice),
    (20, add_a_user), (21, queue_twice), (22, lose_a_child),
)  # fmt: skip


@pytest.mark.parametrize(("rule", "damage"), BROKEN, ids=[damage.__name__ for _, damage in BROKEN])
def test_every_rule_notices(rule: int, damage: Callable[[Any], None]) -> None:
    k = boot(BUSY)
    assert run(k, 2_000)[1] == wrong(k) == ""
    damage(k)
    assert wrong(k) == invariants.WORDS[rule]


def test_every_rule_is_tested() -> None:
    assert {rule for rule, _ in BROKEN} == set(range(1, invariants.LEFT_OVER))


def test_a_leak_is_noticed_at_the_end() -> None:
    k = boot(BUSY)
    assert not invariants.nothing_is_left(k)  # its shell is alive
    k.state["tasks"]["run_state"] = n.T_FREE
    k.state["mms"]["users"] = 0
    assert invariants.nothing_is_left(k)
    warm = np.flatnonzero(k.state["pages"]["file"][: int(k.state.n_pages)] == 1)
    k.state.pages[int(warm[0])].refs += 1
    assert not invariants.nothing_is_left(k)


def test_all_designs_are_among_them() -> None:
    from cowpath import designs

    assert set(DESIGNS) == set(designs.names())
