"""Per-VMA locks in every interleaving: who still waits behind a fault that waits for memory, by release."""

from __future__ import annotations

from pathlib import Path

import pytest

from cowpath import cases, checking


def isolation(design: str, case: str | Path) -> tuple[str, str]:
    (result,) = checking.check([design], [case], properties="isolation").results
    return result.verdict, result.reason


def test_a_fault_no_longer_holds_up_who_maps_something_else() -> None:
    before, why = isolation("linux-6.1", "mmap-sem-oom-on")
    assert before == "violated" and "behind the waiting writer mapper in A" in why
    assert isolation("linux-6.12", "mmap-sem-oom-on")[0] == "proved"


def test_but_who_unmaps_what_it_is_about_and_who_waits_for_him() -> None:
    verdict, why = isolation("linux-6.12", "vma-lock")
    assert verdict == "violated"
    assert "held by mapper in A, which waits for a VMA lock (to write), held by attacker in A" in why


@pytest.mark.parametrize(("design", "file", "verdict"), [
    ("linux-6.12", "maps", "violated"), ("linux-6.18", "maps", "proved"), ("linux-6.18", "cmdline", "violated"),
])  # fmt: skip
def test_maps_is_read_without_mmap_sem_since_6_17(tmp_path: Path, design: str, file: str, verdict: str) -> None:
    """Behind a thread that waits to write for one who populates memory with mmap_sem."""
    text = cases.load("high-populate").text
    assert '"readproc attacker"' in text
    (tmp_path / "maps.toml").write_text(text.replace('"readproc attacker"', f'"readproc attacker {file}"'))
    assert isolation(design, tmp_path / "maps.toml")[0] == verdict


@pytest.mark.parametrize("case", ["mmap-sem-oom-on", "vma-lock"])
def test_nothing_is_lost_on_the_way_back_to_mmap_sem(case: str) -> None:
    results = checking.check(
        ["linux-6.12"], [case], properties=["accounting", "no-leak", "lock-order", "no-stuck"]
    ).results
    assert {result.verdict for result in results} == {"proved"}
