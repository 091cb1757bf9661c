"""What a fault costs on each design, relative to linux-3.0: the model's time against real kernels' instructions."""

from __future__ import annotations

from functools import cache

import pytest

from cowpath import api, designs
from cowpath.cli.costs import measure, play
from cowpath.observe.costs import Difference

from .world import EXAMPLES, TRUTH

ROWS = {row["path"]: row for row in TRUTH["cost"]["rows"]}
COW = [row for path, row in ROWS.items() if path.startswith("COW fault")]
FAILING = [row for path, row in ROWS.items() if "SIGBUS" in path or path.startswith("the same in a memcg")]
DESIGNS = ("linux-3.0", "preallocate", "charge-after-map", "charge-after-unlock", "unlock-charge-relock")


@cache
def model(session: str) -> dict[str, Difference]:
    """How much longer the loop runs on each design, everything included, as the instructions were counted."""
    options = api.Options()
    plans = [api.load_plan(EXAMPLES / session, options)]
    (costs,) = measure(plans, play(plans, [designs.load(name) for name in DESIGNS], 1, options))
    return {row.design: found for row in costs.rows if (found := row.relative["virtual_ns"]) is not None}


def real(row: dict[str, float], design: str) -> float:
    return row[design] / row["linux-3.0"] - 1


def test_the_truth_has_what_is_compared() -> None:
    assert len(COW) == 2 and len(FAILING) == 2
    assert 0.45 < min(real(row, "preallocate") for row in FAILING) < max(real(row, "preallocate") for row in FAILING)


@pytest.mark.parametrize("row", FAILING, ids=("root", "memcg"))
def test_a_failing_fault_under_way_1(row: dict[str, float]) -> None:
    assert real(row, "preallocate") / 2 < model("cost-sigbus.sh")["preallocate"].share < real(row, "preallocate") * 2


@pytest.mark.parametrize("row", COW, ids=("root", "memcg"))
def test_a_copy_under_way_3(row: dict[str, float]) -> None:
    design = "unlock-charge-relock"
    assert real(row, design) / 2 < model("cost-cow.sh")[design].share < real(row, design) * 2


@pytest.mark.parametrize("row", COW, ids=("root", "memcg"))
@pytest.mark.parametrize("design", ["preallocate", "charge-after-unlock"])
def test_what_differs_by_less_than_half_a_percent_is_equal(design: str, row: dict[str, float]) -> None:
    assert str(Difference(real(row, design), False)) == "equal"
    assert str(model("cost-cow.sh")[design]) == "equal"


@pytest.mark.parametrize("design", ["charge-after-map", "charge-after-unlock", "unlock-charge-relock"])
def test_only_way_1_pays_for_faults_that_fail(design: str) -> None:
    assert str(model("cost-sigbus.sh")[design]) == "equal"
