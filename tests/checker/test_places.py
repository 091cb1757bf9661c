"""Where a path may pay for memory.high: the places against an independent enumeration, and what the search says."""

from __future__ import annotations

from itertools import permutations

import pytest
from rich.text import Text

from cowpath import cases, checking, designs
from cowpath.errors import InputError
from cowpath.kernels.check import PAYING
from cowpath.searching.measures import Throttled
from cowpath.searching.places import PATHS, _with, paid_at, placements
from cowpath.searching.run import Worker, _set_aside, search
from cowpath.searching.show import where_it_is_paid
from cowpath.searching.suite import EVERY, IDLE, Failure

from ..slow import in_nightly_only

KERNEL = "linux-6.18"
CASES = ("cat", "readahead", "truncate", "windows")


def without() -> tuple[str, ...]:
    """Read-ahead of the kernel, paid for on the way to user mode only."""
    return tuple(step for step in designs.load(KERNEL).paths["readahead"] if step not in PAYING)


def placed(step: str, *where: str) -> tuple[str, ...]:
    """The same with steps before a step of it, or ("") at the end."""
    at = without().index(step) if step else len(without())
    return (*without()[:at], *where, *without()[at:])


@pytest.fixture(scope="module")
def worker() -> Worker:
    return Worker(designs.load(KERNEL), "readahead", [cases.load(f"high-{name}") for name in CASES])


@pytest.mark.parametrize("steps", [("ra_window", "each_page", "charge", "next_page"), without()[:5]])
def test_the_places_against_all_permutations(steps: tuple[str, ...]) -> None:
    """All orders of all subsets, of which those are left that keep the other steps where they are."""
    wanted = set()
    for paying in ((), PAYING[:1], PAYING[1:], PAYING):
        for order in permutations((*steps, *paying)):
            if tuple(step for step in order if step not in PAYING) == steps:
                wanted.add(order)
    found = [steps, *_with(steps, PAYING[0]), *_with(steps, PAYING[1])]
    found += [order for reclaimed in _with(steps, PAYING[0]) for order in _with(reclaimed, PAYING[1])]
    assert len(found) == len(set(found))
    assert set(found) == wanted


def test_the_number_of_orders_of_readahead() -> None:
    orders = list(placements("readahead", designs.load(KERNEL).paths["readahead"]))
    gaps = len(without()) + 1
    assert len(orders) == len(set(orders)) == 1 + 2 * gaps + gaps * (gaps + 1)
    assert orders[0] == without()
    assert designs.load(KERNEL).paths["readahead"] in orders


def test_a_step_is_never_placed_where_it_may_not_stand() -> None:
    assert not set(PATHS) & {"reclaim", "exit", "exit_to_user", "file_cow", "kswapd"}
    assert {"readahead", "write", "fork", "mlock"} <= set(PATHS)


def outcome(worker: Worker, steps: tuple[str, ...]) -> Failure | Throttled:
    found = worker.outcome(steps)
    assert isinstance(found, (Failure, Throttled))
    return found


@pytest.mark.parametrize("before", ["add_to_page_cache", "alloc_page", "next_page", "submit_io"])
def test_asleep_with_pages_locked_others_wait(worker: Worker, before: str) -> None:
    """The kernel's own order (after the charge), before the next page, and before the request is sent."""
    failures = {failure.case: failure.property for failure in worker.failures(placed(before, *PAYING))}
    assert failures["high-readahead"] == "isolation"


def test_reclaimed_after_the_request_the_task_reads_its_pages_again(worker: Worker) -> None:
    """Nobody outside waits, and yet it is no cure: the property says so, and so does the clock."""
    steps = placed("", *PAYING)
    assert Failure("no-reread", "high-readahead") in worker.failures(steps)
    assert not any(failure.property == "isolation" for failure in worker.failures(steps))
    measured = worker.measured(steps)
    assert isinstance(measured, Throttled)
    assert measured.outside_ns == 0 and measured.reread > 0


@in_nightly_only
def test_what_is_no_cure_is_measured_where_it_pays_at_once(worker: Worker) -> None:
    refuted = Failure("no-reread", "high-readahead")
    orders = [placed("", "reclaim_high"), placed("", *PAYING), placed("submit_io", *PAYING)]
    ((steps, measured),) = worker.no_cure([(order, refuted) for order in orders])
    assert steps == placed("", *PAYING), "and before the request is sent others wait"
    assert isinstance(measured, Throttled) and measured.reread > 1000


@in_nightly_only  # tests/docs has the search of all
def test_on_the_way_to_user_mode_or_asleep_after_the_request_is_safe(worker: Worker) -> None:
    at_return, asleep = outcome(worker, without()), outcome(worker, placed("", "high_delay"))
    assert isinstance(at_return, Throttled) and isinstance(asleep, Throttled)
    assert (at_return.outside_ns, at_return.reread) == (asleep.outside_ns, asleep.reread) == (0, 0)
    assert 0 < abs(at_return.sleep_ns - asleep.sleep_ns) + 1 < 1_000_000 < at_return.sleep_ns


def test_reclaimed_in_the_charge_a_later_window_takes_the_pages_of_an_earlier_one(worker: Worker) -> None:
    steps = (*placed("add_to_page_cache", "reclaim_high"), "high_delay")
    assert worker.failures(steps) == [Failure("no-reread", "high-windows")]


@pytest.mark.parametrize("before", ["each_page", "invalidate_unlock_shared"])
def test_asleep_with_the_invalidate_lock_a_truncate_waits(worker: Worker, before: str) -> None:
    """Before the first page of a window, for what the one before it has cost, it takes a case with two of them."""
    found = outcome(worker, placed(before, "high_delay"))
    assert isinstance(found, Failure) and found.property == "isolation"
    assert found.case in ("high-truncate", "high-windows")


def test_what_has_nothing_to_do_where_it_stands_is_not_safe() -> None:
    """Who reads a batch a call owes nothing before a window: of a step there this case alone says nothing."""
    worker = Worker(designs.load(KERNEL), "readahead", [cases.load("high-cat")])
    assert outcome(worker, placed("ra_window", *PAYING)) == Failure(IDLE, EVERY)


def test_the_kernels_own_order_costs_the_outsider_the_whole_sleep(worker: Worker) -> None:
    measured = worker.measured(designs.load(KERNEL).paths["readahead"])
    assert isinstance(measured, Throttled)
    assert measured.outside_ns > 1_000_000_000 and measured.over > 0


@in_nightly_only
def test_the_search_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    few = list(placements("readahead", designs.load(KERNEL).paths["readahead"]))[:6]
    monkeypatch.setattr("cowpath.searching.run.placements", lambda path, steps: iter(few))
    suite = [cases.load("high-cat"), cases.load("high-readahead")]

    def interrupt(done: int, total: int, safe: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(designs.load(KERNEL), "readahead", suite, None, interrupt, fresh=True)
    resumed: list[int] = []
    found = search(designs.load(KERNEL), "readahead", suite, None, lambda done, total, safe: resumed.append(done))
    assert resumed == [4, 5, 6]
    assert without() in [each.steps for each in found.safe]
    assert all(isinstance(each.measure, Throttled) for each in found.safe)


def test_a_kernel_without_it_has_nothing_to_place() -> None:
    with pytest.raises(InputError, match=r"linux-3\.0 has no memory\.high"):
        checking.search("readahead", "linux-3.0")


def few(path: str) -> list[tuple[str, ...]]:
    """The order that pays at the return only, and the one that pays at the path's end as well."""
    steps = tuple(step for step in designs.load(KERNEL).paths[path] if step not in PAYING)
    return [steps, (*steps, *PAYING)]


def test_faults_that_a_path_makes_pay_too_until_they_are_told_not_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cowpath.searching.run.placements", lambda path, steps: iter(few(path)))
    found = search(designs.load(KERNEL), "madvise_populate", [cases.load("high-populate")], None, fresh=True)
    assert found.paid is not None and found.paid.as_they_are == {"isolation": {"high-populate": 2}}
    assert {each.steps for each in found.safe} == set(few("madvise_populate"))
    assert not any(each.known_as for each in found.safe), "the packaged ones have other faults"
    text = "".join(line.plain for line in where_it_is_paid(found, found.paid) if isinstance(line, Text))
    assert "isolation in high-populate (2). So in these orders its faults pay nothing." in text
    assert isinstance(found.paid.own, Throttled) and f"outsiders wait {found.paid.own.cells()[0]}" in text


def test_a_case_of_a_limit_that_no_place_can_help_is_set_aside() -> None:
    suite = [cases.load(name) for name in ("write", "write-oom-on", "high-write")]
    left, aside = _set_aside(designs.load(KERNEL), "write", suite)
    assert [case.name for case in left] == ["high-write"]
    assert aside == (Failure("isolation", "write-oom-on"),)


def test_where_an_order_sleeps() -> None:
    reclaim, delay = PAYING
    assert paid_at(("lock", "charge"), delay) == "at the return only"
    assert paid_at(("lock", reclaim, "charge", delay), delay) == "at the end"
    assert paid_at(("lock", delay, reclaim, "charge"), delay) == "before charge"
    assert paid_at(("lock", reclaim, "charge", delay), reclaim) == "before charge"
