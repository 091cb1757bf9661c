"""What orders share in a search: beginnings, schedules, a machine for the clock. None of it changes what is found."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from cowpath import cases, designs
from cowpath.cases.plan import compile_case
from cowpath.engine import costs
from cowpath.kernel.steps import STEPS
from cowpath.searching import beginnings
from cowpath.searching.beginnings import Beginnings, looked_at
from cowpath.searching.neighbours import Neighbours
from cowpath.searching.orders import Steps, orders
from cowpath.searching.rank import Timed
from cowpath.searching.run import Share, _outcomes, chunks
from cowpath.searching.suite import Bench, first_failure

T = TypeVar("T")

DESIGN = designs.load("linux-3.0")
EVERY = list(orders("file_cow", DESIGN.paths["file_cow"]))
PART = EVERY[996:1100:2]  # with one more pair of unlock and lock: some are safe
SUITE = ("commit", "cold-page", "io-error", "truncate-while-waiting")


def bench(case: str) -> Bench:
    return Bench(cases.load(case), DESIGN, costs.load(), "file_cow")


# --- beginnings
def test_what_is_known_of_a_beginning_holds_for_orders_of_the_same_steps() -> None:
    known = Beginnings[str]()
    known.add(("find_page", "lock_page", "unlock_page", "put_page"), 0b01, "so")
    assert known.find(("find_page", "lock_page", "put_page", "unlock_page")) == "so"
    assert known.find(("find_page", "unlock_page", "lock_page", "put_page")) is None, "a task may stand there"
    assert known.find(("find_page", "lock_page", "put_page")) is None, "these are other steps"
    assert known.find(("find_page", "lock_page", "put_page", "put_page")) is None


def test_a_step_of_ones_own_may_look_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = ("find_page", "lock_page", "unlock_page", "put_page")
    assert looked_at(steps, 0) == 1 and looked_at(steps, 0b11) == 3 and looked_at(steps, 0b1111) == 4
    monkeypatch.setattr(beginnings, "OF_THE_KERNEL", [info.name for info in STEPS].index("unlock_page"))
    assert looked_at(steps, 0) == 4


@pytest.mark.parametrize("case", SUITE)
def test_a_search_that_is_looked_up_is_the_same_to_the_last_move(case: str) -> None:
    """Of orders by themselves, and of the same with what has been seen of those before; some of it is looked up."""
    shared, searched = bench(case), 0
    for steps in PART:
        known = shared._known is not None and shared._known.find(steps) is not None
        searched += not known
        shared.failure(steps)
        if known:
            assert shared.seen == bench(case)._search(steps)
    assert 0 < searched <= len(PART)
    assert searched < len(PART) or case in ("cold-page", "truncate-while-waiting")


# --- schedules
def test_neighbours_refute_what_a_search_refutes_and_nothing_else() -> None:
    suite, again, neighbours = [bench(case) for case in SUITE], [bench(case) for case in SUITE], Neighbours()
    refuted = 0
    for steps in PART:
        failure = neighbours.failure(suite, steps)
        assert (failure is None) == (first_failure(again, steps) is None), steps
        if failure is not None:
            refuted += 1
            there = next(each for each in again if each.plan.case.name == failure.case)
            assert there.failure(steps) is not None, steps
    assert 0 < refuted < len(PART)


def test_a_schedule_is_no_counterexample_where_it_violates_nothing() -> None:
    here = bench("commit")
    failure = here.failure(DESIGN.paths["file_cow"])
    assert failure is not None
    way = here.seen.way
    assert here.goes_wrong(DESIGN.paths["file_cow"], failure, way)
    assert not here.goes_wrong(DESIGN.paths["file_cow"], failure, way[:-1])
    assert not here.goes_wrong(designs.load("preallocate").paths["file_cow"], failure, way)
    assert not here.goes_wrong(DESIGN.paths["file_cow"], failure, ())


# --- the clock
@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="no files without a name here: machines are built anew")
def test_a_machine_that_begins_anew_measures_what_a_new_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    plans = [compile_case(cases.load(name)) for name in ("commit", "two-threads")]
    some = [
        designs.load(name).paths["file_cow"] for name in ("preallocate", "charge-after-map", "unlock-charge-relock")
    ]
    timed = Timed(plans, DESIGN, costs.load(), "file_cow")
    found = [timed.measure(steps) for steps in some]
    assert [timed.measure(steps) for steps in reversed(some)] == found[::-1]
    assert len(set(found)) > 1
    monkeypatch.delattr(os, "memfd_create")
    for steps, measured in zip(some, found, strict=True):
        design = replace(DESIGN, paths=DESIGN.paths | {"file_cow": steps})
        assert Timed(plans, design, costs.load(), "file_cow").measure(steps) == measured


# --- shared out
class Threads(ThreadPoolExecutor):
    """One thread that works for the search."""

    count = 1

    def first(self, function: Callable[..., T], /, *arguments: Any) -> T:
        return function(*arguments)


@contextmanager
def threads() -> Iterator[Threads]:
    with Threads(1) as pool:
        yield pool


@pytest.fixture(scope="module")
def small() -> tuple[Share, list[Steps]]:
    """A search with few orders, of which most are unsafe."""
    return Share.of(DESIGN, "swap_in", [cases.load("swap-in")]), list(orders("swap_in", DESIGN.paths["swap_in"]))


def test_whoever_works_and_whatever_is_known_already_the_outcomes_are_the_same(
    small: tuple[Share, list[Steps]],
) -> None:
    share, every = small
    alone = dict(_outcomes(share, every, list(range(len(every))), None))
    assert sorted(alone) == list(range(len(every)))
    assert dict(_outcomes(share, every, list(range(len(every))), threads)) == alone
    left = [at for at in range(len(every)) if at % 3 == 1]
    assert dict(_outcomes(share, every, left, None)) == {at: alone[at] for at in left}


def test_a_part_begins_where_it_always_does() -> None:
    whole = list(chunks(EVERY, set(range(len(EVERY)))))
    assert [at for chunk in whole for at, _ in chunk.orders] == list(range(len(EVERY)))
    (part,) = chunks(EVERY, {70, 75})
    assert part.wanted == {70, 75} and [at for at, _ in part.orders] == list(range(64, 76))
