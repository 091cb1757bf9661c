"""Who is held up on today's kernels, by every interleaving of small machines: the soft limit, and the hard one.

What was measured on Debian's 6.1.192, 6.18.15 and 7.2.12 in an emulator says who waits behind whom; cases ask for each.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from cowpath import cases, checking

from ..slow import some_nightly

KERNELS = ("linux-6.1", "linux-6.18", "linux-7.2")
# the verdicts on the one between are in test_history.py, too
BY_KERNEL = pytest.mark.parametrize("kernel", some_nightly(KERNELS, nightly={"linux-6.18"}))
PROPOSAL = "high-delay-in-charge"
PACKAGED = Path(cases.__file__).parent
ONE_ENTRY = (
    "high-readahead",
    "high-truncate",
    "high-populate",
    "high-fork",
    "high-write",
)  # more than a batch in a call
NO_MORE_THAN_A_BATCH = ("high-cat", "high-append", "high-spawn", "high-anon")
AT_THE_LIMIT = ("commit", "oom-on", "cold-page", "cold-readahead", "readahead-oom-on")
GOES_ROUND = {
    "write-oom-on": "the i_mutex of log", "fork-oom-on": "mmap_sem (to read)", "populate-oom-on": "mmap_sem",
    "truncate-oom-on": "the invalidate_lock of lib (to write)", "oom-group": "the i_mutex of log",
}  # fmt: skip


def isolation(design: str, case: str | Path) -> tuple[str, str]:
    """The verdict, and the reason if it is violated; a violation's schedule is a shortest one."""
    (result,) = checking.check([design], [case], properties="isolation").results
    assert result.verdict in ("proved", "violated") and result.certified == (result.verdict == "violated")
    return result.verdict, result.reason


@BY_KERNEL
@pytest.mark.parametrize("case", ONE_ENTRY)
def test_more_than_a_batch_over_the_mark_in_one_call_holds_others_up(kernel: str, case: str) -> None:
    verdict, reason = isolation(kernel, case)
    assert verdict == "violated" and "which is throttled" in reason


@BY_KERNEL
@pytest.mark.parametrize("case", NO_MORE_THAN_A_BATCH)
def test_no_more_than_a_batch_in_a_call_is_paid_for_with_nothing_held(kernel: str, case: str) -> None:
    assert isolation(kernel, case)[0] == "proved"


@pytest.mark.parametrize("case", NO_MORE_THAN_A_BATCH)
def test_the_proposal_brings_it_back_for_calls_of_a_batch_or_less(case: str) -> None:
    verdict, reason = isolation(PROPOSAL, case)
    assert verdict == "violated" and "which is throttled" in reason


def test_what_the_proposal_changes_is_one_policy() -> None:
    turns = checking.bisect("linux-6.18", PROPOSAL, "high-append", "isolation").turns
    assert [(turn.change, turn.before, turn.after) for turn in turns] == [
        ("policy high_delay_in_charge: over a batch -> always", "proved", "violated")
    ]


# --- what was measured to differ: who still waits behind mmap_lock -----------------------------------
@pytest.mark.parametrize(("case", "file", "waits"), [
    ("high-populate", "cmdline", {"linux-6.1", "linux-6.12", "linux-6.18", "linux-7.2"}),
    ("high-populate", "maps", {"linux-6.1", "linux-6.12"}),
    ("high-fork", "cmdline", {"linux-6.1", "linux-6.12", "linux-6.18", "linux-7.2"}),
    ("high-fork", "maps", {"linux-6.1", "linux-6.12", "linux-6.18", "linux-7.2"}),
])  # fmt: skip
def test_which_reader_of_proc_waits(case: str, file: str, waits: set[str], tmp_path: Path) -> None:
    """Of populate the readers of cmdline everywhere, of maps until 6.17 (per-VMA locks); of fork all."""
    text = (PACKAGED / f"{case}.toml").read_text(encoding="utf-8")
    (tmp_path / "reads.toml").write_text(
        text.replace("readproc attacker", f"readproc attacker {file}"), encoding="utf-8"
    )
    found = {kernel: isolation(kernel, tmp_path / "reads.toml")[0] for kernel in (*KERNELS, "linux-6.12")}
    assert {kernel for kernel, verdict in found.items() if verdict == "violated"} == waits


NO_FAULT_WAITS = """
from cowpath.engine.waitfor import find_end
from cowpath.kernel import names as n
from cowpath.kernel import steps as s

def no_fault_waits(k):
    \"\"\"No fault waits for mmap_sem behind one who is throttled.\"\"\"
    for t, task in enumerate(k.state.tasks):
        waits = int(task.run_state) == n.T_SLEEPING and int(task.wait_kind) == n.W_MMAP_READ
        if waits and int(task.frames[0].path) == s.P_PAGE_FAULT and find_end(k, t) != n.NONE:
            return False
    return True
"""
FAULT_WAITS = {"linux-6.1": "violated", "linux-6.18": "proved", "linux-7.2": "proved"}


@pytest.mark.parametrize(
    ("kernel", "verdict"), some_nightly(list(FAULT_WAITS.items()), nightly=[("linux-7.2", "proved")])
)
def test_a_siblings_fault_waits_behind_the_mapper_until_it_has_its_mappings_own_lock(
    kernel: str, verdict: str, tmp_path: Path
) -> None:
    """Measured: yes on 6.1; no longer on 6.18 and 7.2."""
    (tmp_path / "mine.py").write_text(NO_FAULT_WAITS, encoding="utf-8")
    text = (PACKAGED / "high-populate.toml").read_text(encoding="utf-8")
    text = text.replace("anon own 1\ntouch own 0 1 1 w", "anon own 2\ntouch own 0 1 1 w").replace("mlock own\n", "")
    sibling = '\n[tasks.sibling]\nthread_of = "attacker"\ndoes = "touch own 1 1 1 w"\n'
    (tmp_path / "faults.toml").write_text(text[: text.index("[tasks.ps]")] + sibling, encoding="utf-8")
    property_ = f"{tmp_path / 'mine.py'}:no_fault_waits"
    (result,) = checking.check([kernel], [tmp_path / "faults.toml"], properties=property_).results
    assert result.verdict == verdict


# --- the hard limit ---------------------------------------------------------------------------------
@BY_KERNEL
@pytest.mark.parametrize("case", AT_THE_LIMIT)
def test_at_the_hard_limit_nobody_waits_for_a_user_fault_or_for_read_ahead(kernel: str, case: str) -> None:
    assert isolation(kernel, case)[0] == "proved"


@BY_KERNEL
@pytest.mark.parametrize("case", list(GOES_ROUND))
def test_a_charge_that_goes_round_with_the_killer_on_holds_others_up(kernel: str, case: str) -> None:
    verdict, reason = isolation(kernel, case)
    assert verdict == "violated" and GOES_ROUND[case] in reason and "waits for A's memory" in reason


@BY_KERNEL
@pytest.mark.parametrize("case", [*GOES_ROUND, "readahead-oom-on", "vma-lock", "mmap-sem-oom-on", "page-table-oom-on"])
def test_with_the_killer_off_nobody_waits(kernel: str, case: str, tmp_path: Path) -> None:
    text = (PACKAGED / f"{case}.toml").read_text(encoding="utf-8").replace("oom_group = true\n", "")
    off = tmp_path / "off.toml"
    off.write_text(text.replace("[groups.A]\n", "[groups.A]\nkiller = false\n"), encoding="utf-8")
    assert isolation(kernel, off)[0] == "proved"


@BY_KERNEL
def test_with_nobody_to_kill_a_fault_is_tried_again_for_ever_and_nobody_waits_for_it(kernel: str) -> None:
    results = checking.check([kernel], ["unkillable"]).results
    verdicts = {result.property: result for result in results}
    assert {name for name, result in verdicts.items() if result.verdict != "proved"} == {"progress"}
    assert "A is out of memory, its OOM killer is on" in verdicts["progress"].reason


def test_where_the_charge_goes_past_the_limit_instead_there_is_an_end() -> None:
    (result,) = checking.check(["linux-4.19"], ["unkillable"], properties="progress").results
    assert result.verdict == "proved"
