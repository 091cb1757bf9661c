"""The case book: its entries say what they are, its trials come out as they say, and a design's old bugs are found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cowpath import casebook, cases, designs
from cowpath.casebook import trials
from cowpath.casebook.entry import read
from cowpath.cases.plan import compile_case
from cowpath.checker import properties
from cowpath.checker.check import Settings, check_case
from cowpath.cli import app
from cowpath.engine import costs
from cowpath.errors import InputError

from .slow import in_nightly_only

ENTRIES = casebook.load()
FAST = (1, 2, 3, 4, 5, 7, 8, 9, 10, 12, 13, 14, 15, 16, 19, 20, 21, 22, 28, 29, 30)
LARGE = (18, 26, 34, 35)  # machines of more states
TRIAL = """
[[trials]]
case = "commit"
property = "isolation"
before = "linux-3.0"
after = "preallocate"
why = "It waits."
"""
ENTRY = """
number = 4
title = "a bug"
lock = "page lock"
wait = "charge"
symptom = "a stall"
fix = "none"
source = "none"
"""


def cowpath(*words: str) -> Any:
    return CliRunner().invoke(app, list(words))


def test_every_entry_has_trials_or_the_reason_why_not() -> None:
    assert [entry.number for entry in ENTRIES] == list(range(1, 36))
    assert {entry.number for entry in ENTRIES if entry.trials} == {*FAST, *LARGE}
    assert all(bool(entry.trials) != bool(entry.left_out) for entry in ENTRIES)


def test_every_case_of_the_book_is_in_a_trial_and_no_design_is_asked_about_it_otherwise() -> None:
    used = {trial.case for entry in ENTRIES for trial in entry.trials}
    assert set(cases.of_the_book()) <= used and not set(cases.of_the_book()) & set(cases.names())


@pytest.mark.parametrize("number", FAST)
def test_before_violates_and_after_holds(number: int) -> None:
    found = casebook.run([casebook.find(number)], Settings())
    assert [outcome.trial.case for outcome, _ in found if not outcome.as_expected] == []
    assert all(outcome.before.chain or outcome.before.reason for outcome, _ in found)


# on other kernels than those of the trials: what holds "after" does not hold there of itself
VARIED = (
    ("fault-reads", "no-delay", "linux-3.1", {"fault_retry": False}),
    ("fault-reclaims", "no-delay", "linux-5.15", {"fault_retry": True}),
    ("fault-pauses", "no-delay", "linux-5.15", {"dirty_fault": "keeps"}),
    ("dying-writer", "within-limit", "linux-6.1", {"dying_charge": "force"}),
    ("dying-high", "dying-exempt", "linux-6.18", {"high_dying": "pays"}),
)


@pytest.mark.parametrize(("case", "name", "kernel", "policies"), VARIED)
def test_other_kernels_with_the_same_mistake_violate(
    case: str, name: str, kernel: str, policies: dict[str, Any]
) -> None:  # fmt: skip
    varied = designs.from_data({"extends": kernel, "policies": policies}, "varied.toml")
    (result,) = check_case(compile_case(cases.load(case)), varied, [properties.find(name)], costs.load())
    assert result.verdict == "violated"


def test_the_search_finds_fixes_that_are_orders() -> None:
    """mmap_sem before the move begins; the rwsem let go before mmap_sem is taken; nothing paid within the write."""
    found = list(casebook.search_all([casebook.find(number) for number in (1, 14, 15, 22)]))
    assert [(each.entry.number, each.path) for each in found] == [(1, "attach"), (14, "write"), (15, "attach")]
    for each in found:
        assert each.fix > 0 and 0 < len(each.safe) < each.orders
        assert each.trial.before.paths[each.path] not in each.safe


@in_nightly_only
def test_and_the_larger_ones() -> None:
    found = list(casebook.search_all([casebook.find(number) for number in (4, 19, 20)]))
    assert {each.entry.number for each in found if each.fix} == {4, 19, 20}


@in_nightly_only
@pytest.mark.parametrize("number", LARGE)
def test_and_so_do_the_larger_ones(number: int) -> None:
    test_before_violates_and_after_holds(number)


def test_no_verdict_is_decided_by_a_name(tmp_path: Path) -> None:
    """The same two designs under each other's names, and the trial comes out the other way round."""
    (tmp_path / "before.toml").write_text('extends = "preallocate"\nname = "linux-3.0-like"\n')
    (tmp_path / "after.toml").write_text('extends = "linux-3.0"\nname = "mended"\n')
    entry = read(
        ENTRY + TRIAL.replace('"linux-3.0"', f'{{ name = "b", extends = "{tmp_path}/before.toml" }}').replace(
            '"preallocate"', f'{{ name = "a", extends = "{tmp_path}/after.toml" }}'
        ), "x.toml",
    )  # fmt: skip
    ((outcome, _),) = casebook.run([entry], Settings())
    assert (outcome.before.verdict, outcome.after.verdict) == ("proved", "violated") and not outcome.as_expected


def test_the_lost_fix_is_found_again(tmp_path: Path) -> None:
    """63f3655f9501 had it, f9ce0be71d1f lost it: the page table behind the lock again, on a kernel that has the fix."""
    lost = tmp_path / "lost.toml"
    lost.write_text('extends = "linux-5.15"\n[paths]\nfile_shared_write = ["find_page", "lock_page", "unlock_page", '
                    '"page_mkwrite", "create_empty_buffers", "lock_page", "recheck_mapping", "pte_alloc_one", '
                    '"map_page", "unlock_page", "put_page", "balance_dirty_pages"]\n')  # fmt: skip
    done = cowpath("cases", "run", "19", "20", "4", "--design", str(lost), "--json")
    told = json.loads(done.stdout)["trials"]
    assert done.exit_code == 1
    assert {each["entry"] for each in told if each["verdict"] == trials.BACK} == {19, 20}
    assert {each["verdict"] for each in told if each["entry"] == 4} == {trials.WITHOUT}


def test_a_bug_that_its_kernel_has_is_not_brought_back() -> None:
    backs = casebook.brought_back([casebook.find(4)], designs.load("linux-3.0-oom-flag"), Settings())
    assert {back.verdict for back in backs} == {trials.HAS}
    backs = casebook.brought_back([casebook.find(34)], designs.load("preallocate"), Settings())
    assert {back.verdict for back in backs} == {trials.APART}


def test_the_commands(tmp_path: Path) -> None:
    assert "1d65f86db148" in cowpath("cases", "show", "4").stdout
    assert "no trial" in cowpath("cases", "show", "32").stdout
    page = tmp_path / "book.html"
    done = cowpath("cases", "run", "4", "--report", str(page))
    assert done.exit_code == 0 and "2 of 2 trials came out" in done.stdout and page.stat().st_size > 10_000
    done = cowpath("cases", "show", "77")
    assert done.exit_code == 2 and "no entry 77" in done.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ENTRY, "left_out"),
        (ENTRY + 'left_out = "x"' + TRIAL, "left_out"),
        (ENTRY.replace("title", "tittle") + TRIAL, "tittle"),
        (ENTRY.replace("number = 4", "number = true") + TRIAL, "number"),
        (ENTRY + 'commits = "a"' + TRIAL, "commits"),
        (ENTRY + TRIAL.replace('"commit"', '"comit"'), "comit"),
        (ENTRY + TRIAL.replace("isolation", "isolated"), "isolated"),
        (ENTRY + TRIAL.replace('"linux-3.0"', "3"), "before"),
        (ENTRY + TRIAL.replace("why", "whyever"), "why"),
        (ENTRY + "trials = 3", "trials"),
        (ENTRY + "[[", "TOML"),
    ],
)
def test_a_bad_entry_is_an_error_that_names_it(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(text, "x.toml")
