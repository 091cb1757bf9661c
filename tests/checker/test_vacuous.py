"""A proof on a machine that stands still is told from one that means something; what never happens is said."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from cowpath import cases, checking, designs
from cowpath.cases.plan import CasePlan, compile_case
from cowpath.checker import boot, coverage
from cowpath.checker.check import check_case
from cowpath.checker.coverage import Coverage, coverage_of
from cowpath.checker.properties import PACKAGED, find
from cowpath.checker.result import Result, worst
from cowpath.checker.space import Space
from cowpath.cli import app
from cowpath.designs import Design
from cowpath.engine import costs
from cowpath.kernel.steps import PATH_NAMES
from cowpath.searching.suite import VACUOUS, Bench

from ..slow import NIGHTLY
from .test_seeded_faults import changed, with_path

PREALLOCATE = designs.load("preallocate").paths["file_cow"]
# a step in which nobody ever wakes up again, and which takes nothing: it stands for a lock that nobody can take
ASLEEP = with_path("preallocate", "file_cow", "flusher_sleep", *PREALLOCATE)


def results(design: Design, case: str) -> dict[str, Result]:
    found = check_case(compile_case(cases.load(case)), design, PACKAGED, costs.load())
    return {result.property: result for result in found}


def own(text: str, design: str = "preallocate", name: str = "isolation") -> Result:
    (found,) = check_case(compile_case(cases.read(text, "own.toml")), designs.load(design), [find(name)], costs.load())
    return found


@pytest.mark.parametrize("case", ["commit", "cold-page", "two-threads", "killed-waiter"])
def test_who_never_gets_past_a_step_violates_nothing_and_proves_nothing(case: str) -> None:
    """Not the property, which holds, but the proof is at fault; to be killed there is not to get past it."""
    for name, result in results(ASLEEP, case).items():
        assert result.verdict in ("vacuous", "violated"), name
        if result.verdict == "vacuous":
            assert result.reason == f"proved, but vacuous: file_cow never gets past step 1 in {result.states:,} states"
    assert results(ASLEEP, case)["isolation"].verdict == "vacuous"


def test_a_lock_that_is_owned_from_the_start(tmp_path: Path) -> None:
    """A new field is 0, and 0 is a task: a lock of which that was forgotten belongs to task 0 for ever."""
    old = "    anon_vma_prepare(k, current(k, t).vma, k.state.tasks[t].group)\n"
    lock = (
        "    f = current(k, t)\n"
        "    if f.file != n.NONE and k.state.files[f.file].writeback_index != n.NONE:\n"
        "        from .wait import sleep_alone\n"
        "        return sleep_alone(k, t, n.W_I_MUTEX, f.file, 0)\n"
    )
    found = changed(tmp_path, "memory.py", old, lock + old, "preallocate", "commit", "isolation")
    assert found.verdict == "vacuous"
    assert found.reason == f"proved, but vacuous: file_cow never gets past step 1 in {found.states} states"


def test_who_waits_for_memory_for_ever_is_what_a_case_is_about() -> None:
    """With the killer off a full group's charge never gets through: that is no lock."""
    for result in results(designs.load("preallocate"), "commit").values():
        assert result.verdict == "proved"
        assert result.coverage is not None
        (fault, copy) = result.coverage.never_completed
        assert (fault.task, fault.path, fault.why) == ("attacker", "page_fault", "file_cow")
        assert (copy.path, copy.step, copy.name, copy.why) == ("file_cow", 3, "charge", "memory")
        assert result.coverage.never_reached["file_cow"][0] == "4 find_page"


def test_a_loop_that_comes_back_to_its_charge_waits_for_memory() -> None:
    """write(2) of two pages in a group that has room for one: the steps after the charge have been reached once."""
    text = cases.load("write").text.replace("limit = 1", "limit = 2").replace("pages = 2", "pages = 3")
    text = text.replace('"writef @log 0 1"', '"writef @log 0 2"').replace('"writef @log 1 1"', '"writef @log 2 1"')
    result = own(text, name="accounting")
    assert result.verdict == "proved" and result.coverage is not None
    (write,) = result.coverage.never_completed
    assert (write.name, write.why) == ("next_page", "memory")


def test_who_only_fails_has_got_past_it() -> None:
    result = results(designs.load("linux-3.0"), "io-error")["no-stale-page"]
    assert result.verdict == "proved" and result.coverage is not None
    assert [(each.path, each.why) for each in result.coverage.never_completed] == [
        ("page_fault", "fails"), ("file_cow", "fails"),
    ]  # fmt: skip


def test_a_task_that_never_moves() -> None:
    text = cases.load("commit").text.replace("[tasks.victim]", '[tasks.victim]\nstarts = "outside"')
    result = own(text)
    assert (result.verdict, result.reason) == (
        "vacuous", f"proved, but vacuous: victim never moves in {result.states} states",
    )  # fmt: skip
    started = own('outside = ["start victim"]\n' + text)
    assert started.verdict == "proved"


def test_a_path_that_nobody_enters() -> None:
    text = cases.load("commit").text.replace('"touch lib 0 1 1 w"', '"touch lib 0 1 1 r"')
    assert own(text).reason.startswith("proved, but vacuous: file_cow is never entered in ")


def test_a_parent_may_wait_for_a_child_for_ever() -> None:
    text = cases.load("fork-cow").text.replace("[tasks.child]", '[tasks.child]\nthen = "stay"')
    text = text.replace('does = "touch heap 0 1 1 w"', 'does = """\ntouch heap 0 1 1 w\nwait all\n"""', 1)
    result = own(text)
    assert result.coverage is not None
    assert [(each.path, each.why) for each in result.coverage.never_completed] == [("wait", "child")]
    assert result.verdict == "proved"


def test_a_step_of_ones_own_that_always_fails_is_passed_by_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's steps fail for a reason that the case has, here a page that cannot be read."""
    unreadable = cases.load("io-error").text
    monkeypatch.setattr(coverage, "OF_THE_KERNEL", 0)  # as if all steps were of one's own
    assert own(unreadable).verdict == "proved"
    monkeypatch.setattr(coverage, "_may_fail", lambda case: False)  # as if nothing in the case said so
    assert own(unreadable).reason.startswith("proved, but vacuous: page_fault never gets past step 3 in ")


def covered(plan: CasePlan, design: Design, **reductions: object) -> Coverage:
    space = Space()
    boot.start(plan, design, costs.load(), space)
    space.explore(0, **reductions)  # type: ignore[arg-type]
    return coverage_of(plan, design, space.coverage, space.moved)


@pytest.mark.parametrize("case", cases.names())
def test_no_reduction_loses_a_step(case: str) -> None:
    """What is made of a reduced search is what is made of the whole one, and no packaged proof is vacuous."""
    plan = compile_case(cases.load(case))
    alike = boot.alike_tasks(plan)
    older = [designs.load(name) for name in ("linux-3.0", "preallocate", "unlock-charge-relock", "pte-prealloc")]
    today = plan.case.has_high or not all(design.paths[plan.case.path] for design in older)  # it is of no use there
    some = older if NIGHTLY else older[cases.names().index(case) % 2 :: 2]  # a reduction is the same on each
    for design in [designs.load("linux-6.18")] if today else some:
        whole = covered(plan, design, fold=False, reduce=False)
        assert covered(plan, design, alike=alike) == whole
        assert covered(plan, design, reduce=False, edges=True) == whole
        assert not whole.vacuous


def test_a_search_that_was_cut_short_says_nothing() -> None:
    found = checking.check("linux-3.0", "commit", properties="isolation")
    assert found.verdict == "violated" and found.summary["coverage"] == []
    found = checking.check("preallocate", "killed-waiter", properties="isolation", states=50)
    assert found.verdict == "unfinished" and found.summary["coverage"] == []


def test_the_worst_verdict() -> None:
    one = own(cases.load("commit").text)
    verdicts = ["violated", "vacuous", "unfinished", "proved"]
    each = [replace(one, verdict=verdict) for verdict in verdicts]
    assert [worst(each[at:]) for at in range(4)] == verdicts


def test_the_search_takes_no_vacuous_order() -> None:
    bench = Bench(cases.load("cold-page"), designs.load("preallocate"), costs.load(), "file_cow")
    assert bench.failure(PREALLOCATE) is None
    failure = bench.failure(("flusher_sleep", *PREALLOCATE))
    assert failure is not None and (failure.property, failure.case) == (VACUOUS, "cold-page")
    assert bench.failure(PREALLOCATE) is None


@pytest.fixture
def idle_case(tmp_path: Path) -> Path:
    file = tmp_path / "idle.toml"
    file.write_text(cases.load("commit").text.replace("[tasks.victim]", '[tasks.victim]\nstarts = "outside"'))
    return file


def test_table_json_page_and_status(idle_case: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    arguments = ["check", "-d", "preallocate", "-c", str(idle_case), "-p", "isolation"]
    shown = CliRunner().invoke(app, [*arguments, "--report", str(page)])
    assert shown.exit_code == 4
    words = " ".join(shown.stdout.split())
    assert "proved, but vacuous: victim never moves in " in words
    assert "never moved: victim" in words
    assert "never reached in file_cow: 4 find_page, 5 lock_page" in words
    assert "never completed: file_cow of attacker: waits for memory in step 3 (charge)" in words
    text = page.read_text()
    assert "1 verdict: 1 proved, but vacuous" in text and "never moved: victim" in text
    found = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert found["results"][0]["verdict"] == "vacuous"
    (coverage,) = found["coverage"]
    assert (coverage["case"], coverage["vacuous"]) == ("idle", "victim never moves")
    assert coverage["never_moved"] == ["victim"]
    assert coverage["never_completed"][1] == {
        "task": "attacker", "path": "file_cow", "step": 3, "name": "charge", "why": "memory",
    }  # fmt: skip


def test_what_led_to_the_start_is_not_counted() -> None:
    """The heap that the attacker has filled before: nobody has entered ``anon`` since."""
    plan, design = compile_case(cases.load("commit")), designs.load("preallocate")
    space = Space()
    boot.start(plan, design, costs.load(), space)
    assert space.k.books["coverage"]["tried"].any()
    space.explore(0)
    assert "anon" not in covered(plan, design).never_reached
    entered = [(int(t), PATH_NAMES[path]) for t, path in zip(*np.nonzero(space.coverage["tried"]), strict=True)]
    assert entered == [
        (0, "page_fault"), (0, "file_cow"), (0, "reclaim"), (1, "page_fault"), (1, "file_read"), (1, "exit"),
    ]  # fmt: skip
