"""Charges that may fail, in every interleaving: who still waits for a group's memory behind whom."""

from __future__ import annotations

from pathlib import Path

import pytest

from cowpath import checking

LATER = ("linux-3.12", "linux-6.18")


def violated(design: str | Path, case: str, *properties: str) -> set[str]:
    results = checking.check([design], [case], properties=properties or None).results
    assert {result.verdict for result in results} <= {"proved", "violated"}
    return {result.property for result in results if result.verdict == "violated"}


@pytest.mark.parametrize("design", LATER)
@pytest.mark.parametrize("case", ["commit", "killed-waiter", "write"])
def test_with_the_killer_off_nobody_waits_for_anothers_memory(design: str, case: str) -> None:
    assert violated(design, case) == set()


def test_with_the_killer_on_a_charge_that_goes_round_keeps_who_wants_its_lock_waiting() -> None:
    assert violated("linux-6.18", "write-oom-on") == {"isolation"}
    assert violated("linux-3.12", "write-oom-on", "isolation") == set(), "it kills at the end of a fault only"


def test_the_charge_of_2011_in_a_kernel_of_today_brings_the_bug_back(tmp_path: Path) -> None:
    sleeps = tmp_path / "sleeps.toml"
    sleeps.write_text('extends = "linux-6.18"\npolicies.charge_on_oom = "sleep"\npaths.pagefault_out_of_memory = []\n')
    assert "isolation" in violated(sleeps, "write", "isolation")
