"""Each example of docs/costs.md shows the cost that it was made for."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from cowpath import api
from cowpath.cli.costs import measure, play
from cowpath.kernel import names as n
from cowpath.observe.costs import Figure, SessionCosts

from .session.test_examples import COSTS
from .slow import in_nightly_only
from .test_cli import call

ROOT = Path(__file__).parents[1]
WAYS_2_AND_3 = ("charge-after-map", "charge-after-unlock", "unlock-charge-relock")
OTHERS = ("linux-3.0", *WAYS_2_AND_3)
MS = 1_000_000  # ns


@cache
def costs(session: str) -> SessionCosts:
    designs = [api.load_design(name) for name in ("preallocate", *OTHERS, "linux-3.1")]
    plans = [api.load_plan(ROOT / "examples" / session, api.Options())]
    return measure(plans, play(plans, designs, 2, api.Options()))[0]


def figure(session: str, design: str, key: str) -> Figure:
    found = next(row for row in costs(session).rows if row.design == design).figures[key]
    assert found is not None
    return found


def mean(session: str, design: str, key: str) -> float:
    return figure(session, design, key).mean


@pytest.mark.parametrize("session", sorted(COSTS))
def test_nothing_goes_wrong_beside_what_it_shows(session: str) -> None:
    expected = "stuck with 2 of 2 seeds" if session == "moved.sh" else ""
    assert {row.trouble for row in costs(session).rows} == {expected}


def test_a_sigbus_storm_makes_way_1_ask_for_a_page_at_every_fault() -> None:
    storm = "sigbus-storm.sh"
    for key in ("allocations_wasted", "charges_wasted"):
        assert mean(storm, "preallocate", key) >= mean(storm, "preallocate", "sigbus") > 100_000
        assert all(mean(storm, design, key) < 1000 for design in OTHERS)
    assert mean(storm, "preallocate", "virtual_ns") > 1.3 * mean(storm, "linux-3.0", "virtual_ns")


def test_way_1_has_a_task_killed_for_a_fault_that_needs_no_memory() -> None:
    for design, kills in {"preallocate": 1, "linux-3.1": 1, **dict.fromkeys(OTHERS, 0)}.items():
        assert figure("sigbus-full.sh", design, "oom_kills") == Figure(kills, kills, kills)
        assert mean("sigbus-full.sh", design, "jobs_done") == 2 - kills


def test_way_1s_charge_evicts_the_page_that_it_is_about_to_copy() -> None:
    rounds = mean("own-page.sh", "linux-3.0", "jobs_done")
    for design in ("preallocate", "linux-3.1"):
        for key in ("own_pages_evicted", "major_faults", "retries", "charges_wasted"):
            assert mean("own-page.sh", design, key) == rounds
    for key in ("own_pages_evicted", "major_faults", "retries", "charges_wasted"):
        assert all(mean("own-page.sh", design, key) == 0 for design in ("linux-3.0", "charge-after-unlock"))
        assert mean("own-page.sh", "unlock-charge-relock", key) == 0


def test_way_3_waits_for_the_page_with_mmap_sem_held() -> None:
    waited = {design: mean("lost-retry.sh", design, "blocked_mmap_write_ns") for design in ("preallocate", *OTHERS)}
    mapped = {design: mean("lost-retry.sh", design, "jobs_done") for design in ("preallocate", *OTHERS)}
    way_3 = "unlock-charge-relock"
    assert all(waited[way_3] > 5 * waited[design] for design in waited if design != way_3)
    assert all(mapped[way_3] < 0.8 * mapped[design] for design in mapped if design != way_3)


def test_in_a_crowd_the_time_under_the_lock_decides() -> None:
    copies = {design: mean("crowd.sh", design, "faults") for design in ("preallocate", *OTHERS)}
    held = {design: mean("crowd.sh", design, "lock_ns_per_fault") for design in ("preallocate", *OTHERS)}
    assert copies["preallocate"] > 1.2 * copies["unlock-charge-relock"] > 1.25 * copies["linux-3.0"]
    assert held["unlock-charge-relock"] < 1.1 * held["preallocate"] < 0.7 * held["linux-3.0"]


def test_reclaim_meets_way_2s_pages_before_they_are_charged() -> None:
    assert mean("uncharged.sh", "charge-after-map", "uncharged_seen") > 0
    assert mean("uncharged.sh", "charge-after-map", "charges_wasted") == 100
    for design in ("linux-3.0", "preallocate", "charge-after-unlock", "unlock-charge-relock"):
        assert mean("uncharged.sh", design, "uncharged_seen") == 0


@pytest.mark.parametrize(("design", "nobodys"), [("linux-3.0", 0), ("charge-after-map", 100)])
def test_nobody_is_charged_for_the_swap_of_an_uncharged_page(design: str, nobodys: int) -> None:
    plan = api.load_plan(ROOT / "examples" / "uncharged.sh", api.Options())
    loaded = api.load_design(design)
    k = api.build_machine(plan, loaded, api.Options())
    api.make_clock(k, plan, loaded, lambda events: None).run(700 * MS)  # the eater has all that it wanted
    swaps = k.state["swaps"][: int(k.state.n_swaps)]
    swaps = swaps[swaps["count"] > 0]
    in_cache = swaps["page"] > 0
    page_group = k.state["pages"]["group"][swaps["page"][in_cache] - 1]
    assert np.count_nonzero(page_group == n.NONE) == nobodys
    assert np.count_nonzero(swaps["group"][~in_cache] == 1) == (8 << 20) // n.PAGE_SIZE  # A's own: all that it may have


def test_every_design_charges_swap_ins_under_the_page_lock() -> None:
    for key in ("swap_ins", "blocked_page_lock_ns", "lock_ns_per_fault"):
        assert mean("swap.sh", "linux-3.0", key) > 0
        assert len({mean("swap.sh", row.design, key) for row in costs("swap.sh").rows}) == 1


@pytest.mark.parametrize("design", ["linux-3.0", "preallocate", "linux-3.1"])
def test_who_was_moved_out_waits_for_the_memory_of_the_group_that_it_has_left(design: str) -> None:
    run = api.run(ROOT / "examples" / "moved.sh", design)
    assert run.verdict == "stuck" and run.group_verdicts == {"A": "waits"}
    assert any(re.match(r"(child|mover)\[\d+\] waits for .*, held by (child|mover)\[", line) for line in run.chain)
    assert all("which waits for A's memory" in line or "] waits for A's memory" in line for line in run.chain)


def test_make_costs_runs_them_all_and_the_page_has_them() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    listed = re.search(r"^COSTS := (.*)$", makefile, re.MULTILINE)
    assert listed is not None
    assert {f"{name}.sh" for name in listed[1].split()} == COSTS
    page = (ROOT / "docs" / "costs.md").read_text(encoding="utf-8")
    assert set(re.findall(r"<!-- cowpath costs: (\S+) -->", page)) == COSTS


@in_nightly_only
def test_the_page_is_what_make_costs_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = ROOT / "docs" / "costs.md"
    found = re.findall(r"`cowpath costs (examples/\S+) --seeds (\d+)`", page.read_text(encoding="utf-8"))
    assert len(found) == len(COSTS) and len({seeds for _, seeds in found}) == 1
    copy = tmp_path / "costs.md"
    copy.write_bytes(page.read_bytes())
    monkeypatch.chdir(ROOT)
    result = call("costs", *(session for session, _ in found), "--seeds", found[0][1], "--markdown", str(copy))
    assert result.exit_code == 0, result.output
    assert copy.read_text(encoding="utf-8") == page.read_text(encoding="utf-8"), "make costs"
