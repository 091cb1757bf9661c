"""docs/steps.md's example of a new step: the page table under the page lock, on its case and on small ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from cowpath import checking
from cowpath.errors import InputError

UNREADABLE = """
path = "file_read"
[files.lib]
pages = 1
warm = false
unreadable = true
[groups.A]
[tasks.reader]
group = "A"
before = '''
mapf lib @lib 1 r private
handle sigbus
'''
does = "touch lib 0 1 1 r"
then = "stay"
"""


def violated(design: str | Path, case: str | Path, *properties: str) -> set[str]:
    results = checking.check([design], [case], properties=properties or None).results
    assert {result.verdict for result in results} <= {"proved", "violated"}
    return {result.property for result in results if result.verdict == "violated"}


def test_under_the_lock_a_task_outside_waits_for_the_groups_memory() -> None:
    checks = checking.check(["pte-alloc-under-lock"], ["page-table"])
    found = {result.property: result for result in checks.results if result.verdict == "violated"}
    assert set(found) == {"isolation", "no-stuck", "starvation"}
    assert "victim waits for the page lock of lib page 0, held by attacker in A, which waits for A's memory" in (
        found["isolation"].reason
    )


@pytest.mark.parametrize("design", ["pte-prealloc", "linux-3.1"])
def test_before_the_lock_or_without_a_charge_nobody_does(design: str) -> None:
    assert violated(design, "page-table") == set()


@pytest.mark.parametrize("case", ["killed-waiter", "oom-on", "truncate-while-waiting"])
def test_a_charge_that_is_over_is_no_wait_of_the_step_that_may_charge_a_table(case: str) -> None:
    """The table is there: pte_alloc_one has nothing to charge, though the copy's charge has met the limit before."""
    assert violated("pte-alloc-under-lock", case, "isolation") == set()


@pytest.mark.parametrize(("error_exit", "leaks"), [("", ""), ("put_page", "no-leak"), ("pte_free", "")])
def test_the_preallocated_page_table_goes_back_when_the_page_cannot_be_read(
    tmp_path: Path, error_exit: str, leaks: str
) -> None:
    """Also by an error exit of the design's own; one that forgets it leaks."""
    (tmp_path / "unreadable.toml").write_text(UNREADABLE)
    own = f'[on_error]\nfile_read = ["unlock_page", "put_page", "{error_exit}"]\n' if error_exit else ""
    (tmp_path / "mine.toml").write_text(f'extends = "pte-prealloc"\n{own}')
    found = violated(tmp_path / "mine.toml", tmp_path / "unreadable.toml", "accounting", "no-leak")
    assert found == ({leaks} if leaks else set())


def test_linux_allocated_it_under_the_lock_until_5_0_and_the_killer_does_not_help() -> None:
    """4.19 goes round its charge with the page's lock in hand, until the victim is gone; later kernels before."""
    (bad,) = checking.check("linux-4.19", "page-table-oom-on", properties="isolation").results
    assert bad.verdict == "violated" and bad.certified
    assert (
        "victim waits for the page lock of lib page 0, held by attacker in A, which waits for A's memory" in bad.reason
    )
    for design in ("linux-5.15", "linux-6.18"):
        assert violated(design, "page-table-oom-on") == set()


FULL = """
path = "anon"
[groups.A]
limit = {limit}
[tasks.one]
group = "A"
before = '''
anon heap 2
touch heap 0 2 1 w
'''
does = "anon more 1"
"""


@pytest.mark.parametrize("design", ["linux-3.0", "linux-6.18"])
def test_a_cases_limit_is_of_pages_beside_the_page_tables_made_before(tmp_path: Path, design: str) -> None:
    """Whether a design charges page tables or not, what a case's tasks have at the start fits into its limits."""
    (tmp_path / "fits.toml").write_text(FULL.format(limit=2))
    (fits,) = checking.check([design], [tmp_path / "fits.toml"], properties="accounting").results
    assert fits.verdict != "violated", "and it gets through"
    (tmp_path / "over.toml").write_text(FULL.format(limit=1).replace("limit = 1", "limit = 1\nkiller = false"))
    with pytest.raises(InputError, match="does not get through what it does before the start"):
        checking.check([design], [tmp_path / "over.toml"])
