"""memory.high: a task that is throttled in the charge holds up others outside, on the way to user mode it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from cowpath import checking

AT_RETURN = Path(__file__).parents[1] / "data" / "designs" / "high-at-return.toml"
LOCKS = {"high-readahead": "the read of lib page 0", "high-write": "the i_mutex of log", "high-populate": "mmap_sem"}
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
    assert result.reason.endswith("attacker in A, which is throttled: A is over its memory.high of 2 pages"), (
        "the case's one, and the page table that the attacker has had before"
    )


def test_throttled_at_the_end_of_a_call_of_one_batch_nobody_waits() -> None:
    (result,) = checking.check(["linux-6.18"], ["high-cat"], properties="isolation").results
    assert result.verdict == "proved"


@pytest.mark.parametrize("case", [*LOCKS, "high-cat"])
def test_throttled_on_the_way_to_user_mode_nobody_waits(case: str) -> None:
    (result,) = checking.check([AT_RETURN], [case], properties="isolation").results
    assert result.verdict == "proved"


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
    ("high-cat", ("file_read: 3 high_delay", "readahead: 6 high_delay")),
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
