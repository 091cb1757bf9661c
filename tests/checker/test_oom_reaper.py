"""What the OOM reaper is for, and what a fault that lets mmap_sem go before it sleeps for dirty pages is worth."""

from __future__ import annotations

from pathlib import Path

import pytest

from cowpath import checking

NO_REAPER = 'extends = "linux-6.18"\n[policies]\noom_reaper = "none"\n[paths]\noom_reaper = []\n'


def verdicts(design: str | Path, case: str | Path, *properties: str) -> dict[str, str]:
    return {r.property: r.verdict for r in checking.check([design], [case], properties=list(properties)).results}


def test_without_the_reaper_who_kills_goes_round_for_ever(tmp_path: Path) -> None:
    """The victim waits for a lock of who has killed it: only the reaper gives its memory back."""
    (tmp_path / "alone.toml").write_text(NO_REAPER)
    graph = ("progress", "no-stuck", "no-leak", "accounting")
    assert verdicts("linux-6.18", "oom-victim-waits", *graph) == dict.fromkeys(graph, "proved")
    assert verdicts("linux-4.19", "oom-victim-waits", "progress") == {"progress": "proved"}
    assert verdicts(tmp_path / "alone.toml", "oom-victim-waits", "progress") == {"progress": "violated"}
    assert verdicts("linux-3.0", "oom-victim-waits", "progress") == {"progress": "violated"}


AT_THE_LIMIT = ("write-oom-on", "fork-oom-on", "populate-oom-on")


@pytest.mark.parametrize("case", AT_THE_LIMIT)
@pytest.mark.parametrize("design", ["linux-6.1", "linux-6.18", "linux-7.2"])
def test_who_charges_goes_round_with_its_locks_until_its_victim_or_the_reaper_has_freed_memory(
    design: str, case: str
) -> None:
    found = verdicts(design, case, "isolation", "no-stuck", "progress")
    assert found == {"isolation": "violated", "no-stuck": "proved", "progress": "proved"}


def test_without_a_case_named_a_kernel_is_not_asked_about_a_path_that_it_does_not_have() -> None:
    assert {d: any(job.case.name == "populate-oom-on" for job in checking.load_jobs([d], None, None))
            for d in ("linux-4.19", "linux-5.15")} == {"linux-4.19": False, "linux-5.15": True}  # fmt: skip


@pytest.mark.parametrize(("value", "verdict"), [("keeps", "violated"), ("completed", "proved")])
def test_ps_waits_behind_a_fault_that_has_dirtied_a_page(tmp_path: Path, value: str, verdict: str) -> None:
    text = f'extends = "linux-3.0"\n[policies]\ndirty_fault = "{value}"\n'
    (tmp_path / f"{value}.toml").write_text(text)
    assert verdicts(tmp_path / f"{value}.toml", "mmap-sem-dirty", "isolation") == {"isolation": verdict}
