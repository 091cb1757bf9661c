"""memory.high: a task that is throttled in the charge holds up others outside, on the way to user mode it does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cowpath import cases, checking, designs
from cowpath.kernels.check import PAYING

PACKAGED = Path(cases.__file__).parent
AT_RETURN = Path(__file__).parents[1] / "data" / "designs" / "high-at-return.toml"
LOCKS = {
    "high-readahead": "the read of lib page 0", "high-write": "the i_mutex of log", "high-mlock": "mmap_sem",
    "high-populate": "mmap_sem", "high-fork": "mmap_sem (to read)",
    "high-truncate": "the invalidate_lock of lib (to write)",
}  # fmt: skip
NOBODY_OVER = """
[groups.A]
high = 4
[tasks.one]
group = "A"
before = "anon heap 2"
does = "touch heap 0 2 1 w"
"""


@pytest.mark.parametrize("case", list(LOCKS))
def test_throttled_in_the_charge_with_a_lock_that_others_want(case: str) -> None:
    (result,) = checking.check(["linux-6.18"], [case], properties="isolation").results
    assert result.verdict == "violated" and result.certified
    assert LOCKS[case] in result.reason
    mark = 1 + (3 if case == "high-fork" else 1)  # the case's one, and the page tables that the attacker had before
    assert result.reason.endswith(f"attacker in A, which is throttled: A is over its memory.high of {mark} pages")


def test_throttled_at_the_end_of_a_call_of_one_batch_nobody_waits() -> None:
    (result,) = checking.check(["linux-6.18"], ["high-cat"], properties="isolation").results
    assert result.verdict == "proved"


@pytest.fixture
def pays_at_return(tmp_path: Path) -> Path:
    """linux-6.18, but on the way to user mode only: as it was before c9afe31ec443."""
    lines = ['extends = "linux-6.18"', "[paths]"]
    for path, steps in designs.load("linux-6.18").paths.items():
        left = [step for step in steps if step not in PAYING]
        if path != "exit_to_user" and len(left) < len(steps):
            lines.append(f"{path} = {json.dumps(left)}")
    (tmp_path / "pays.toml").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path / "pays.toml"


@pytest.mark.parametrize("case", [*LOCKS, "high-cat"])
def test_throttled_on_the_way_to_user_mode_nobody_waits(case: str, pays_at_return: Path) -> None:
    found = checking.check([pays_at_return], [case], properties="isolation")
    assert found.results[0].verdict == "proved" and found.coverage[0]["never_throttled"] == ()
    assert checking.check([AT_RETURN], ["high-write"], properties="isolation").results[0].verdict == "proved"


def test_what_will_be_needed_is_read_ahead_in_one_batch_whatever_the_window(tmp_path: Path) -> None:
    text = (PACKAGED / "high-readahead.toml").read_text(encoding="utf-8").replace("readahead = 3", "readahead = 1")
    for does, verdict in (("readf @lib 0 3", "proved"), ("fadv @lib willneed", "violated")):
        (tmp_path / "case.toml").write_text(text.replace("readf @lib 0 3", does), encoding="utf-8")
        (result,) = checking.check(["linux-6.18"], [tmp_path / "case.toml"], properties="isolation").results
        assert result.verdict == verdict


def test_a_fault_that_reads_ahead_is_throttled_without_mmap_sem_since_5_1(tmp_path: Path) -> None:
    (tmp_path / "keeps.toml").write_text('extends = "linux-6.1"\n[policies]\nfault_retry = true\n')
    before, after = checking.check(
        [tmp_path / "keeps.toml", "linux-6.1"], ["high-fault"], properties="isolation"
    ).results
    assert before.verdict == "violated" and "ps waits for mmap_sem (to read)" in before.reason
    assert after.verdict == "proved"


def test_the_sleep_ends_so_nobody_is_stuck_behind_it() -> None:
    results = checking.check(["linux-6.18"], ["high-write"], properties=["no-stuck", "starvation"]).results
    assert {result.verdict for result in results} == {"proved"}


@pytest.mark.parametrize(("case", "places"), [
    ("high-cat", ("file_read: 3 high_delay", "readahead: 8 high_delay")),
    ("high-readahead", ("file_read: 3 high_delay",)),
])  # fmt: skip
def test_where_nobody_is_throttled_is_told(case: str, places: tuple[str, ...]) -> None:
    """A case may be too small for an order of the steps: then they never act, and the proof is no proof of them."""
    (coverage,) = checking.check("linux-6.18", case, properties="no-leak").coverage
    assert coverage["never_throttled"] == places


def test_a_kernel_without_it_proves_nothing(tmp_path: Path) -> None:
    (result,) = checking.check(["linux-3.0"], ["high-write"], properties="isolation").results
    assert result.verdict == "vacuous" and "linux-3.0 has no memory.high" in result.reason
    (tmp_path / "nobody.toml").write_text(NOBODY_OVER, encoding="utf-8")
    (result,) = checking.check(["linux-6.18"], [tmp_path / "nobody.toml"], properties="isolation").results
    assert result.verdict == "vacuous" and "nobody is ever throttled" in result.reason


def test_a_case_of_it_is_left_out_where_it_is_not() -> None:
    for design, there in (("linux-3.0", False), ("linux-6.18", True)):
        assert any(job.case.has_high for job in checking.load_jobs([design], None, None)) == there
