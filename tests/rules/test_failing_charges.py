"""A charge that may fail: how often it tries, who kills, who waits where, and what is given back."""

from __future__ import annotations

import errno

import pytest

from cowpath.engine import invariants
from cowpath.engine.waitfor import waiting_frame
from cowpath.kernel import names as n
from cowpath.kernel import oom_kill, oom_mm, waits
from cowpath.kernel import steps as s
from cowpath.kernel.memcg_stock import refill_stock, stock_of
from cowpath.kernel.mmap import unmap_vmas
from cowpath.kernel.page_counter import page_counter_try_charge
from cowpath.kernel.res_counter import res_counter_uncharge
from cowpath.kernel.signals import send_sigkill

from .hand import Hand
from .later import at_faults_end, by_page_counters, call, events, failcnts, fault, full, mapped, play

LATER = pytest.mark.parametrize("design", [at_faults_end(), by_page_counters()], ids=["3.12", "6.18"])


def is_in_order(hand: Hand) -> bool:
    """Pages, counters, locks and sections add up."""
    for check in (invariants.check_pages, invariants.check_swap_and_disk):
        assert check(hand.k) == (invariants.FINE, -1), invariants.in_words(*map(int, check(hand.k)))
    return invariants.locks.oom_sections_add_up(hand.k) == invariants.OK


def holds_nothing(hand: Hand, t: int) -> bool:
    task = hand.task_of(t)
    return not any(int(f.held) for f in task.frames) and int(hand.mm(t).mmap_sem.readers) == 0


# --- counters ------------------------------------------------------------------------------------
def test_memory_and_swap_is_tried_first_and_given_back_if_memory_refuses() -> None:
    hand = Hand(by_page_counters())
    g = hand.group(limit=3, memsw=5)
    assert page_counter_try_charge(hand.k, g, 6) == (g, 1)
    assert page_counter_try_charge(hand.k, g, 4) == (g, 0)
    assert hand.usage(g) == hand.memsw(g) == [0]
    assert page_counter_try_charge(hand.k, g, 3)[0] == n.NONE
    assert hand.usage(g) == hand.memsw(g) == [3]


def test_what_an_ancestor_refuses_is_on_nobodys_account() -> None:
    hand = Hand(by_page_counters())
    top = hand.group(limit=3)
    low = hand.group(parent=top)
    assert page_counter_try_charge(hand.k, low, 4) == (top, 0)
    assert hand.usage(top, low) == hand.memsw(top, low) == [0, 0]
    assert failcnts(hand, top) == (1, 0) and failcnts(hand, low) == (0, 0)


@pytest.mark.parametrize(("failcnt", "counted"), [("all", (0, 1)), ("memory", (0, 0))])
def test_memory_and_swap_counts_its_refusals_until_only_memory_does(failcnt: str, counted: tuple[int, int]) -> None:
    hand = Hand(by_page_counters(failcnt=failcnt))
    g = hand.group(limit=3, memsw=3)
    page_counter_try_charge(hand.k, g, 4)
    assert failcnts(hand, g) == counted


def test_a_stock_that_gets_larger_than_a_batch_goes_back_as_a_whole() -> None:
    for batch, kept in ((32, 0), (64, 40)):
        hand = Hand(by_page_counters(charge_batch=batch))
        g = hand.group()
        for _ in range(2):
            assert page_counter_try_charge(hand.k, g, 20)[0] == n.NONE
            refill_stock(hand.k, 0, g, 20)
        assert hand.usage(g) == [kept] and stock_of(hand.k, 0, g) == kept


# --- how often a charge tries (kernels.md, section 10) -------------------------------------------
def test_a_users_fault_fails_after_six_rounds_in_3_12_and_sleeps_at_its_end_with_nothing_held() -> None:
    hand, g = full(at_faults_end())
    t = hand.task(g)
    paths = fault(hand, t, mapped(hand, t))
    assert failcnts(hand, g) == (7, 0) and paths["reclaim"] == 6 and paths["pagefault_out_of_memory"] == 1
    assert hand.asleep(t) == [True] and holds_nothing(hand, t) and is_in_order(hand)


def test_and_after_eighteen_rounds_in_6_18() -> None:
    hand, g = full(by_page_counters())
    t = hand.task(g)
    paths = fault(hand, t, mapped(hand, t))
    assert failcnts(hand, g) == (19, 0) and paths["reclaim"] == 18 and paths["pagefault_out_of_memory"] == 1
    assert events(hand, g) == {"max": 18}
    assert hand.asleep(t) == [True] and holds_nothing(hand, t) and is_in_order(hand)


def test_after_seven_rounds_in_4_19() -> None:
    hand, g = full(by_page_counters(charge_batch=32, charge_retries=5))
    t = hand.task(g)
    assert fault(hand, t, mapped(hand, t))["reclaim"] == 7 and failcnts(hand, g) == (8, 0)


def test_with_both_limits_the_same_nothing_counts_in_6_18_and_memory_and_swap_before() -> None:
    for failcnt, counted in (("memory", (0, 0)), ("all", (0, 19))):
        hand, g = full(by_page_counters(failcnt=failcnt), memsw=10)
        t = hand.task(g)
        assert fault(hand, t, mapped(hand, t))["reclaim"] == 18
        assert failcnts(hand, g) == counted


def test_a_charge_that_gives_up_early_has_reclaimed_twice() -> None:
    """__GFP_NORETRY: three refusals. The window ends with the page (6.10), or goes on with the next one (4.19)."""
    for readahead, windows in (("end", 1), ("skip", 32)):
        hand, g = full(by_page_counters(readahead_charge=readahead, large_folios=False, readahead_windows="on demand"))
        t = hand.task(g)
        hand.k.state.files[0].readahead = 32
        hand.k.state.files[0].pages = hand.k.state.files[0].room = 20
        paths = call(hand, t, s.P_READ, file=0, count=1, arg=n.NONE)
        pages = min(windows, 4)  # a first window of one page is read four at a time
        assert paths["reclaim"] == 2 * pages + 18
        assert failcnts(hand, g)[0] == 3 * pages + 19
        assert int(hand.task_of(t).status) == errno.ENOMEM and is_in_order(hand)


def test_a_cold_mapped_read_in_3_12_is_charged_to_root_after_its_first_refusal() -> None:
    hand, g = full(at_faults_end())
    t = hand.task(g)
    hand.k.state.files[0].readahead = 32
    fault(hand, t, mapped(hand, t, file=0), write=False, moves=500)
    assert failcnts(hand, g) == (7, 0)
    assert int(hand.task_of(t).memcg_oom) == 0 or hand.asleep(t) == [True]
    charged = {int(page.group) for page in hand.k.state.pages if page.refs and page.file == 0}
    assert charged == {0}


# --- who waits, and who gets an error -----------------------------------------------------------
@LATER
def test_who_sleeps_at_the_faults_end_goes_on_when_there_is_room(design: object) -> None:
    hand, g = full(design)  # type: ignore[arg-type]
    t = hand.task(g)
    vpn = mapped(hand, t)
    fault(hand, t, vpn)
    unmap_vmas(hand.k, 0, 0, 1)
    assert hand.asleep(t) == [False]
    play(hand, t)
    assert int(hand.task_of(t).depth) == 0 and int(hand.of(g).under_oom) == 0
    fault(hand, t, vpn)
    assert int(hand.mm(t).anon_rss) == 1 and hand.usage(g) == [10] and is_in_order(hand)


@LATER
def test_who_is_killed_at_the_faults_end_wakes(design: object) -> None:
    hand, g = full(design)  # type: ignore[arg-type]
    t = hand.task(g)
    fault(hand, t, mapped(hand, t))
    send_sigkill(hand.k, t)
    play(hand, t)
    assert hand.asleep(t) == [False] and int(hand.of(g).under_oom) == 0 == int(hand.task_of(t).memcg_oom)


@LATER
def test_a_fault_from_kernel_mode_fails_and_waits_for_nothing(design: object) -> None:
    hand, g = full(design)  # type: ignore[arg-type]
    t = hand.task(g)
    buffer = mapped(hand, t)
    hand.cached(0)
    call(hand, t, s.P_READ, file=0, count=1, arg=buffer)
    assert int(hand.task_of(t).status) == errno.EFAULT
    assert int(hand.task_of(t).memcg_oom) == 0 and int(hand.of(g).under_oom) == 0 and is_in_order(hand)


@LATER
def test_a_read_or_write_that_has_done_some_of_it_does_not_fail(design: object) -> None:
    for path in (s.P_READ, s.P_WRITE):
        hand, g = full(design)  # type: ignore[arg-type]
        t = hand.task(g)
        hand.cached(0)
        hand.k.state.files[0].pages = 2
        call(hand, t, path, file=0, count=2, arg=n.NONE)
        assert int(hand.task_of(t).status) == 0
        assert int(hand.k.state.files[0].i_mutex.owner) == n.FREE and is_in_order(hand)
        hand.task_of(t).pc = 0
        call(hand, t, path, file=0, index=1, count=1, arg=n.NONE)
        assert int(hand.task_of(t).status) == errno.ENOMEM


@LATER
def test_mlock_is_asked_to_try_again_and_mmap_does_not_tell(design: object) -> None:
    hand, g = full(design)  # type: ignore[arg-type]
    t = hand.task(g)
    vpn = mapped(hand, t)
    call(hand, t, s.P_MLOCK, mm=int(hand.task_of(t).mm), vpn=vpn, count=4)
    assert int(hand.task_of(t).status) == errno.EAGAIN
    assert int(hand.k.state.vmas[int(hand.mm(t).vmas)].prot) & n.VM_LOCKED
    hand.task_of(t).pc = hand.task_of(t).status = 0
    op = hand.k.books.ops[0]
    op.a, op.b, op.c, op.d, op.bits = 100, 4, n.NONE, 0, n.VM_WRITE | n.MAP_POPULATE
    call(hand, t, s.P_MMAP_POPULATE, mm=int(hand.task_of(t).mm), vpn=100, count=4, op=0)
    assert int(hand.task_of(t).status) == 0 and int(hand.mm(t).anon_rss) == 0 and is_in_order(hand)


def test_a_page_table_that_cannot_be_charged_goes_back() -> None:
    hand, g = full(by_page_counters(paths={
        "pagefault_out_of_memory": ["oom_wait"],
        "anon": ["anon_vma_prepare", "pte_alloc_one", "alloc_page", "clear_page", "charge", "map_page"],
    }))  # fmt: skip
    t = hand.task(g)
    used = int(hand.k.state.used_pages)
    fault(hand, t, mapped(hand, t))
    assert hand.asleep(t) == [True] and int(hand.k.state.used_pages) == used and is_in_order(hand)


# --- who kills -----------------------------------------------------------------------------------
def dies(hand: Hand, t: int, g: int, pages: int) -> None:
    """What the task had is given back."""
    hand.task_of(t).mm = n.NONE
    res_counter_uncharge(hand.k, g, pages)


def test_the_killer_works_in_the_charge_under_the_machines_lock_and_the_charge_goes_round() -> None:
    hand, g = full(by_page_counters(), killer=True)
    t, large = hand.task(g), hand.weighs(hand.task(g), 9)
    vpn = mapped(hand, t)
    fault(hand, t, vpn, moves=1)
    while not hand.task_of(large).sigkill:
        play(hand, t, moves=1)
    assert hand.task_of(large).sigkill and not hand.task_of(t).sigkill and not hand.asleep(t)[0]
    assert events(hand, g)["oom_kill"] == 1
    before = events(hand, g)["oom"]
    play(hand, t, moves=1500)
    assert events(hand, g)["oom_kill"] == 1 and events(hand, g)["oom"] > before, "a victim is there: nobody else dies"
    dies(hand, large, g, 9)
    play(hand, t)
    assert int(hand.task_of(t).depth) == 0 and int(hand.mm(t).anon_rss) == 1
    assert int(hand.k.state.oom_lock.owner) == n.FREE


def test_who_comes_while_another_kills_waits_for_the_machines_lock() -> None:
    for mutex, wakes in (("uninterruptible", False), ("killable", True)):
        hand, g = full(by_page_counters(oom_mutex=mutex), killer=True)
        other = hand.task()
        hand.k.state.oom_lock.owner = other
        hand.call(other, s.P_EXIT, s.EXIT_MM, held=waits.hold("oom_lock"))
        t = hand.task(g)
        fault(hand, t, mapped(hand, t))
        assert hand.asleep(t) == [True] and int(hand.task_of(t).wait_kind) == waits.number("oom_lock")
        send_sigkill(hand.k, t)
        assert hand.asleep(t) == [not wakes]


def test_who_finds_room_with_the_lock_in_hand_kills_nobody() -> None:
    for looks, killed in ((True, False), (False, True)):
        hand, g = full(by_page_counters(oom_looks_again=looks), killer=True)
        t, large = hand.task(g), hand.weighs(hand.task(g), 9)
        fault(hand, t, mapped(hand, t), moves=1)
        while int(hand.k.state.oom_lock.owner) != t:
            play(hand, t, moves=1)
        hand.of(g).res.limit = 20
        play(hand, t)
        assert bool(hand.task_of(large).sigkill) == killed and int(hand.mm(t).anon_rss) == 1


def test_nobody_to_kill_and_the_charge_goes_over_the_limit_or_fails_without_end() -> None:
    for nobody, rss in (("force", 1), ("fail", 0)):
        hand, g = full(by_page_counters(nobody_to_kill=nobody), killer=True)
        t = hand.task(g)
        hand.task_of(t).oom_score_adj = -1000
        for _ in range(2):
            paths = fault(hand, t, 64 if rss and int(hand.mm(t).anon_rss) else mapped(hand, t))
            assert int(hand.task_of(t).depth) == 0 and hand.asleep(t) == [False]
            assert paths["reclaim"] in (0, 18)
        assert int(hand.mm(t).anon_rss) == rss and hand.usage(g) == [10 + rss]


def test_with_the_killer_on_3_12_kills_at_the_faults_end() -> None:
    hand, g = full(at_faults_end(), killer=True)
    t, large = hand.task(g), hand.weighs(hand.task(g), 9)
    fault(hand, t, mapped(hand, t))
    assert hand.task_of(large).sigkill and int(hand.task_of(t).depth) == 0 == int(hand.of(g).under_oom)


@pytest.mark.parametrize(("dying", "usage"), [("force", 11), ("bypass", 10), ("root", 10)])
def test_a_dying_task_goes_past_the_limit(dying: str, usage: int) -> None:
    hand, g = full(by_page_counters(dying_charge=dying))
    t = hand.task(g)
    hand.task_of(t).sigkill = 1
    paths = fault(hand, t, mapped(hand, t))
    assert paths["reclaim"] == 0 and hand.usage(g) == [usage] and int(hand.mm(t).anon_rss) == 1


def test_a_dying_task_does_as_others_until_somebody_has_been_killed_for_it() -> None:
    hand, g = full(by_page_counters(), killer=True)
    t = hand.weighs(hand.task(g), 9)
    hand.task_of(t).sigkill = 1
    paths = fault(hand, t, mapped(hand, t))
    assert paths["reclaim"] == 18 + 17 and int(hand.mm(t).anon_rss) == 9
    assert hand.task_of(t).memdie and int(hand.task_of(t).depth) == 0 and paths["pagefault_out_of_memory"] == 0


# --- whom ----------------------------------------------------------------------------------------
def chosen(hand: Hand, g: int, limit: int = 1000) -> int:
    return int(oom_mm.select_bad_process(hand.k, g, limit)[0])


@pytest.mark.parametrize("victim", ["mm", "leader"])
def test_nobody_else_is_chosen_until_the_victims_memory_is_given_back(victim: str) -> None:
    hand = Hand(by_page_counters(oom_victim=victim))
    g = hand.group()
    small, large = hand.weighs(hand.task(g), 100), hand.weighs(hand.task(g), 200)
    assert chosen(hand, g) == large
    hand.task_of(large).memdie = 1
    assert chosen(hand, g) == oom_mm.DYING
    m = int(hand.task_of(large).mm)
    hand.task_of(large).mm = n.NONE  # it exits
    hand.call(large, s.P_EXIT, s.EXIT_MM, other_mm=m)
    assert chosen(hand, g) == oom_mm.DYING
    hand.k.state.mms[m].oom_skip = 1
    assert chosen(hand, g) == small


def test_points_are_pages_and_oom_score_adj_is_per_mille_of_the_limit() -> None:
    hand = Hand(by_page_counters())
    g = hand.group()
    t = hand.weighs(hand.task(g), 10)
    hand.mm(t).tables, hand.mm(t).swapents = 3, 2
    for adj, points in ((0, 15), (5, 25), (-100, -185), (-1000, oom_mm.NOT_ELIGIBLE)):
        hand.task_of(t).oom_score_adj = adj
        assert int(oom_mm.oom_badness(hand.k, t, 2000)) == points


def test_of_two_as_bad_the_younger_process_is_chosen_and_before_5_15_a_leader() -> None:
    hand = Hand(by_page_counters())
    g = hand.group()
    two = hand.weighs(hand.task(g), 200), hand.weighs(hand.task(g), 200)
    for older, younger in (two, two[::-1]):
        hand.task_of(older).born, hand.task_of(younger).born = 1, 2
        assert chosen(hand, g) == younger
    hand = Hand(by_page_counters(oom_victim="mm"))
    g = hand.group()
    leader, thread = hand.weighs(hand.task(g), 200), hand.weighs(hand.task(g), 200)
    hand.task_of(thread).leader = leader
    for born in ((1, 2), (2, 1)):
        hand.task_of(leader).born, hand.task_of(thread).born = born
        assert chosen(hand, g) == leader


def test_who_shares_the_victims_memory_dies_too_and_a_child_only_before_5_15() -> None:
    for victim, child_dies in (("mm", True), ("leader", False)):
        hand = Hand(by_page_counters(oom_victim=victim))
        g = hand.group()
        parent = hand.weighs(hand.task(g), 200)
        child = hand.weighs(hand.task(g, parent=parent), 20)
        sharer = hand.task()
        hand.task_of(sharer).mm = hand.task_of(child if child_dies else parent).mm
        oom_mm.oom_kill_process(hand.k, n.NONE, parent, g, 1000, 200)
        assert [bool(hand.task_of(t).sigkill) for t in (parent, child, sharer)] == [not child_dies, child_dies, True]


def test_with_oom_group_all_of_the_highest_such_group_up_to_the_limit_die() -> None:
    hand = Hand(by_page_counters())
    top = hand.group()
    middle = hand.group(parent=top)
    low = hand.group(parent=middle)
    tasks = victim, other, spared, above = [hand.weighs(hand.task(g), 10) for g in (low, middle, middle, top)]
    hand.task_of(spared).oom_score_adj = -1000
    hand.of(middle).oom_group = hand.of(low).oom_group = 1
    oom_mm.oom_kill_process(hand.k, n.NONE, victim, top, 1000, 10)
    assert [bool(hand.task_of(t).sigkill) for t in tasks] == [True, True, False, False]
    assert events(hand, middle) == {"oom_group_kill": 1, "oom_kill": 1} and events(hand, low) == {"oom_kill": 1}
    assert int(hand.k.books.groups[top].events[n.ME_OOM_KILL]) == 2 and events(hand, top) == {}
    assert above not in (victim, other)


def test_in_3_12_points_are_pages_and_root_has_3_percent_less() -> None:
    hand = Hand(at_faults_end())
    g = hand.group()
    t = hand.weighs(hand.task(g), 100)
    assert int(oom_kill.oom_badness(hand.k, t, g, 2000)) == 100
    hand.task_of(t).is_root = 1
    assert int(oom_kill.oom_badness(hand.k, t, g, 2000)) == 40
    assert int(oom_kill.oom_badness(hand.k, t, g, 9000)) == 1


# --- what counts as waiting ----------------------------------------------------------------------
def test_rounds_that_end_are_no_wait_and_a_charge_that_goes_round_is_one() -> None:
    hand, g = full(by_page_counters(), killer=True)
    t = hand.task(g)
    hand.weighs(hand.task(g), 9)
    fault(hand, t, mapped(hand, t), moves=1)
    waited = []
    while int(hand.k.state.oom_lock.owner) != t:
        waited.append(int(waiting_frame(hand.k, t)))
        play(hand, t, moves=1)
    assert set(waited[:-1]) == {n.NONE}, "eighteen rounds, and it has not failed yet"
    for _ in range(50):
        assert int(waiting_frame(hand.k, t)) != n.NONE
        play(hand, t, moves=1)


def test_a_charge_whose_room_others_have_had_waits() -> None:
    hand, g = full(by_page_counters())
    t = hand.task(g)
    fault(hand, t, mapped(hand, t), moves=1)
    while not any(f.path == s.P_RECLAIM for f in hand.task_of(t).frames):
        play(hand, t, moves=1)
    hand.of(g).res.limit = 11
    while int(hand.task_of(t).frames[1].phase) != 0 or any(f.path == s.P_RECLAIM for f in hand.task_of(t).frames):
        play(hand, t, moves=1)
    assert int(waiting_frame(hand.k, t)) == n.NONE, "there is room"
    hand.of(g).res.limit = 10
    play(hand, t, moves=1)
    assert int(waiting_frame(hand.k, t)) != n.NONE


def test_who_sleeps_at_the_faults_end_waits_and_who_faults_again_and_again_does_not() -> None:
    hand, g = full(by_page_counters())
    t = hand.task(g)
    fault(hand, t, mapped(hand, t))
    assert int(waiting_frame(hand.k, t)) == 0 and holds_nothing(hand, t)
    hand, g = full(by_page_counters(), killer=True)
    t = hand.task(g)
    hand.task_of(t).oom_score_adj = -1000
    fault(hand, t, mapped(hand, t))
    assert int(waiting_frame(hand.k, t)) == n.NONE and int(hand.task_of(t).depth) == 0
