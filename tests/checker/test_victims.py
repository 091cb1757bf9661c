"""The OOM killer's victim in a counterexample's words."""

from __future__ import annotations

from pathlib import Path

import cowpath

CASE = Path(__file__).parents[1] / "data" / "tried" / "case-victim.toml"


def test_a_victim_that_waits_behind_its_own_groups_charge_is_a_cycle() -> None:
    [result] = cowpath.check("linux-3.1", str(CASE), properties="no-stuck").results
    assert result.verdict == "violated"
    assert (
        "held by writer in A, which waits for A's memory: limit 2 pages, OOM killer on: it chose hog, which waits for "
        "the i_mutex of log, held by writer (a cycle)" in result.chain[0]
    )
