"""What comes out for the packaged cases, and that no reduction changes it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from cowpath import cases, checking, designs
from cowpath.cases.plan import compile_case
from cowpath.checker import boot
from cowpath.checker.check import check_case
from cowpath.checker.properties import find
from cowpath.checker.result import Result
from cowpath.checker.space import Space
from cowpath.engine import costs
from cowpath.kernel.state import EXPLORE

from ..slow import some_nightly

DESIGNS = ("linux-3.0", "preallocate", "charge-after-unlock", "unlock-charge-relock", "linux-3.1")
HAVE_HIGH = ("linux-6.18", str(Path(__file__).parents[1] / "data" / "designs" / "high-at-return.toml"))


@cache
def verdicts(design: str, case: str, reduction: bool = True) -> dict[str, Result]:
    found = checking.check(design, case, reduction=reduction)
    return {result.property: result for result in found.results}


def violated(design: str, case: str) -> set[str]:
    return {name for name, result in verdicts(design, case).items() if result.verdict == "violated"}


def test_the_commit_is_what_makes_the_difference() -> None:
    bad = verdicts("linux-3.0", "commit")["isolation"]
    assert bad.verdict == "violated" and bad.certified
    assert len(bad.schedule) == bad.depth
    assert bad.chain == [
        "victim waits for the page lock of lib page 0, held by attacker in A, which waits for A's memory: "
        "limit 1 page, OOM killer off"
    ]
    for design in ("preallocate", "linux-3.1"):
        assert not violated(design, "commit")


def test_ways_2_and_3() -> None:
    assert violated("charge-after-unlock", "truncate-while-waiting") == {"no-stale-page"}
    for case in ("commit", "truncate-while-waiting", "two-threads"):
        assert not violated("unlock-charge-relock", case)
        assert not violated("charge-after-map", case)


def test_a_counter_makes_one_kill_the_last() -> None:
    bad = verdicts("linux-3.0", "oom-lock")["progress"]
    assert bad.verdict == "violated" and bad.cycle
    assert "oom_lock is a counter, in none of these" in bad.reason
    assert verdicts("linux-3.0-oom-flag", "oom-lock")["progress"].verdict == "proved"
    assert verdicts("linux-3.1", "oom-lock")["progress"].verdict == "proved"


def test_a_wait_that_cannot_be_killed() -> None:
    assert "killable" in violated("linux-2.6.39", "killed-waiter")
    assert "killable" not in violated("linux-3.0", "killed-waiter")


LARGE = (
    "cold-readahead", "readahead-oom-on", "mmap-sem-dirty", "mmap-sem-oom-on", "oom-lock", "swap-in", "vma-lock"
)  # fmt: skip


@pytest.mark.parametrize(
    ("design", "case"),
    some_nightly(
        [(design, case) for case in cases.names() for design in (HAVE_HIGH if cases.load(case).has_high else DESIGNS)],
        nightly={
            *((design, "high-readahead") for design in HAVE_HIGH),
            ("linux-6.18", "high-cat"),
            *((design, case) for case in LARGE for design in DESIGNS if design not in ("linux-3.0", "preallocate")),
        },
    ),
)
def test_reduction_and_symmetry_change_no_verdict(design: str, case: str) -> None:
    reduced, whole = verdicts(design, case), verdicts(design, case, reduction=False)
    assert {name: result.verdict for name, result in reduced.items()} == {
        name: result.verdict for name, result in whole.items()
    }
    for name, result in whole.items():
        if result.verdict == "violated":  # as short, and as long as it says
            assert reduced[name].depth == result.depth == len(result.schedule), name
    assert reduced["isolation"].states <= whole["isolation"].states


@pytest.mark.parametrize("case", cases.names())
def test_what_is_explored_is_what_is_played(case: str) -> None:
    """A state is a function of the moves that led to it: the books, which are not put back, decide nothing."""
    plan, table = compile_case(cases.load(case)), costs.load()
    design = designs.load("linux-6.18" if plan.case.has_high else "preallocate")
    space, played = Space(), Space()
    boot.start(plan, design, table, space)
    space.explore(0, fold=False, reduce=False)
    boot.start(plan, design, table, played)
    start = played.x.words.copy()
    for state in space.newest():
        played.x.words[:] = start
        way = space.way_to(state)
        assert played.play(way) == len(way)
        assert (played.x.words == space.x.words).all()


@pytest.mark.parametrize("case", cases.names())
def test_cases_say_what_they_are(case: str) -> None:
    loaded = cases.load(case)
    assert loaded.name == case and loaded.summary
    assert len(loaded.tasks) <= EXPLORE.tasks


def test_a_limit_is_never_a_proof() -> None:
    found = checking.check("preallocate", "killed-waiter", states=50)
    assert found.verdict == "unfinished"
    assert {result.verdict for result in found.results} == {"unfinished"}
    assert all("limit of states" in result.reason for result in found.results)


def test_frames_and_the_bound_on_missed_states() -> None:
    found = checking.check(["linux-3.0", "preallocate"], "commit", properties=["isolation", "accounting"])
    assert found.frame.shape[0] == 4
    assert found.frame.filter(design="linux-3.0", property="isolation")["verdict"].to_list() == ["violated"]
    assert 0 < found.summary["missed_state_bound"] < 1e-12


def test_every_packaged_design_is_audited() -> None:
    found = checking.audit(properties="lock-order", processes=1, states=1)  # who is there, not what comes of it
    assert {result.design for result in found.results} == set(designs.names())
    some_have_high = any(designs.has_memory_high(designs.load(name)) for name in designs.names())
    there = {name for name in cases.names() if some_have_high or not cases.load(name).has_high}
    assert {result.case for result in found.results} == there


def test_a_property_that_is_asked_for_twice_is_that_property() -> None:
    """Its bits were added up, which made another property's: isolation twice was "proved" where it is violated."""
    found = checking.check("linux-3.0", "commit", properties=["isolation", "isolation"])
    assert [(result.property, result.verdict) for result in found.results] == [("isolation", "violated")]
    isolation = find("isolation")
    twice = check_case(compile_case(cases.load("commit")), designs.load("linux-3.0"), [isolation] * 2, costs.load())
    assert [result.verdict for result in twice] == ["violated"] * 2
