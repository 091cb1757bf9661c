"""The orders of the search against an independent enumeration, and the search itself on a small path."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest

from cowpath import cases, checking, designs
from cowpath.errors import InputError
from cowpath.searching.journal import Journal
from cowpath.searching.measures import Measure, pareto
from cowpath.searching.orders import orders
from cowpath.searching.run import search
from cowpath.searching.suite import Failure

REDUCED = ("find_page", "lock_page", "alloc_page", "charge", "copy_page", "map_page", "unlock_page", "put_page")


def fits(order: tuple[str, ...]) -> bool:
    """The dependencies of the reduced alphabet, written down once more, by places and not by what is held."""
    at = {step: place for place, step in enumerate(order)}
    return (
        at["find_page"] < at["lock_page"] < at["unlock_page"]
        and at["find_page"] < at["copy_page"] < at["put_page"]
        and at["unlock_page"] < at["put_page"]
        and at["alloc_page"] < at["copy_page"] < at["map_page"]
        and at["alloc_page"] < at["charge"]
    )


def test_the_number_of_orders() -> None:
    plain = [order for order in orders("file_cow", REDUCED) if len(order) == len(REDUCED)]
    assert len(plain) == len(set(plain))
    assert set(plain) == {order for order in permutations(REDUCED) if fits(order)}


def test_the_number_of_orders_with_a_pair() -> None:
    with_pair = [order for order in orders("swap_in", designs.load("linux-3.0").paths["swap_in"]) if len(order) == 8]
    steps = ("find_swap_page", "lock_page", "lock_page", "charge", "map_page", "unlock_page", "unlock_page", "put_page")

    def possible(order: tuple[str, ...]) -> bool:
        locks = [step for step in order if step.endswith("lock_page")]
        return (
            order[0] == "find_swap_page"
            and order[-1] == "put_page"  # all else works on the page that was found
            and order.index("charge") < order.index("map_page")
            and locks == ["lock_page", "unlock_page"] * 2
        )

    assert set(with_pair) == {order for order in set(permutations(steps)) if possible(order)}


@pytest.mark.parametrize("name", ["preallocate", "charge-after-map", "charge-after-unlock", "unlock-charge-relock"])
def test_every_packaged_design_is_among_them(name: str) -> None:
    steps = designs.load("linux-3.0").paths["file_cow"]
    wanted = designs.load(name).paths["file_cow"]
    assert wanted in set(orders("file_cow", steps))


def test_a_search_that_is_interrupted_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    suite = [cases.load("swap-in")]
    design = designs.load("linux-3.0")
    seen: list[int] = []

    def interrupt(done: int, total: int, safe: int) -> None:
        seen.append(done)
        if done == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(design, "swap_in", suite, None, interrupt, fresh=True)
    resumed: list[int] = []
    found = search(design, "swap_in", suite, None, lambda done, total, safe: resumed.append(done))
    assert resumed[0] == 21
    again = search(design, "swap_in", suite, None)  # and nothing is left over from before
    assert [each.steps for each in found.safe] == [each.steps for each in again.safe]
    assert found.failed_by == again.failed_by
    assert found.orders == len(seen) + len(resumed)


def test_a_journal_that_was_cut_off(tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    journal = Journal(file, fresh=False)
    journal.write(0, Failure("isolation", "commit"))
    journal.write(1, Measure(1, 2, 3, 4))
    with file.open("a") as lines:
        lines.write('{"order": 2, "prop')
    assert journal.read(10) == {0: Failure("isolation", "commit"), 1: Measure(1, 2, 3, 4)}


def test_the_front() -> None:
    measures = [Measure(1, 1, 0, 5), Measure(2, 0, 0, 5), Measure(2, 1, 0, 5), Measure(1, 1, 0, 5)]
    assert pareto(measures) == [True, True, False, True]


def test_a_path_without_cases() -> None:
    with pytest.raises(InputError, match="no case is about path 'anon_read'"):
        checking.search("anon_read")
    with pytest.raises(InputError, match="did you mean file_cow"):
        checking.search("file_cov")
