"""The sums that ``cowpath kernels`` shows are those of the model as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from cowpath import designs
from cowpath.kernels import fidelity
from cowpath.validate import many
from cowpath.validate.scenario import read_scenarios

from ..slow import some_nightly

TRUTH = Path(__file__).parents[1] / "data" / "truth"
LATER = ("linux-6.18.jsonl", "cgroup-v2.jsonl")


@pytest.mark.parametrize("name", some_nightly(LATER, {"linux-6.18.jsonl"}))
def test_the_sums_are_those_of_the_model(name: str) -> None:
    """A change of a kernel that changes them: ``make fidelity``."""
    jobs = many.jobs_of(read_scenarios(TRUTH / name), None)
    scores = many.scores_by_design(many.run(job) for job in jobs)
    for design, its in scores.items():
        told = fidelity.load()[design][name.removesuffix(".jsonl")]
        assert told == {
            "agree": sum(each.agree for each in its), "total": sum(each.total for each in its),
            "outcomes_ok": sum(each.outcome_ok for each in its), "outcomes": len(its),
        }, design  # fmt: skip


def test_every_name_in_it_is_a_design() -> None:
    assert set(fidelity.load()) <= set(designs.names())
