"""Who has held page locks: the table, the JSON and the picture of a run say the same, and it is what the log says."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl
import pytest

from cowpath import api
from cowpath.kernel import names as n
from cowpath.observe.tables import holder

ROOT = Path(__file__).parents[2]
COLD = ROOT / "tests" / "data" / "tried" / "cold3hold.sh"
SWAP = ROOT / "examples" / "swap.sh"
OOM_OFF = ROOT / "examples" / "oom-off.sh"


@cache
def watched(session: Path) -> api.Result:
    with TemporaryDirectory() as folder:
        return api.run(session, keep_events=True, report=Path(folder) / "page.html")


def test_read_ahead_that_waits_for_memory_holds_what_it_has_not_sent() -> None:
    """The three pages are locked for the whole run, by no task's lock_page: their reader has them in hand."""
    lock = watched(COLD).summary["page_lock"]
    assert lock["kind"] == "readahead" and lock["ended"] is False and lock["page"] == "lib page 84"
    assert lock["longest_hold_ns"] > 9_800_000_000
    assert lock["locked_now"] == 3 < lock["most_locked"]
    assert lock["by_kind"]["readahead"]["locked_now"] == 3
    assert lock["by_kind"]["task"]["longest_hold_ns"] < 1_000_000
    assert holder(watched(COLD).summary) == "read-ahead of attacker[3] in A"


@pytest.mark.parametrize("session", [COLD, SWAP, OOM_OFF], ids=lambda path: path.stem)
def test_json_picture_and_log_say_the_same(session: Path) -> None:
    result = watched(session)
    timeline, lock = result.seen.timeline, result.summary["page_lock"]
    assert timeline is not None
    lengths = timeline.holds["end"] - timeline.holds["begin"]
    assert lock["longest_hold_ns"] == lengths.max()
    for number, kind in enumerate(n.LOCKER_NAMES):
        its: dict[str, Any] = lock["by_kind"][kind]
        mine = timeline.holds["kind"] == number
        assert (its["longest_hold_ns"] or 0) == lengths[mine].max(initial=0)
        ended = result.lock_holds.filter(pl.col("kind") == kind)
        going_on = mine & (timeline.holds["open"] == 1)
        assert its["locked_now"] == np.count_nonzero(going_on)
        assert its["holds"] == len(ended) + its["locked_now"]
        assert its["total_ns"] == ended["ns"].sum() + lengths[going_on].sum()
    assert lock["locked_now"] == sum(each["locked_now"] for each in lock["by_kind"].values())


@pytest.mark.parametrize("session", [COLD, SWAP], ids=lambda path: path.stem)
def test_the_most_at_once(session: Path) -> None:
    """Of the log: a hold that begins where another one of its page ends was handed on, and is no other page."""
    result = watched(session)
    holds = result.lock_holds.select(pl.col("time_ns") - pl.col("ns"), pl.col("time_ns").alias("end"), "page").rows()
    assert result.seen.timeline is not None
    still = result.seen.timeline.holds[result.seen.timeline.holds["open"] == 1]
    holds += zip(still["begin"].tolist(), [1 << 62] * len(still), still["page"].tolist(), strict=True)
    handed_on = {(begin, page) for begin, _, page in holds} & {(end, page) for _, end, page in holds}
    changes = [(begin, 1) for begin, _, page in holds if (begin, page) not in handed_on]
    changes += [(end, -1) for _, end, page in holds if (end, page) not in handed_on]
    counts = np.cumsum([change for _, change in sorted(changes, key=lambda change: (change[0], -change[1]))])
    most = result.summary["page_lock"]["most_locked"]
    assert 0 < most <= counts.max() <= most + 2  # what is let go and what is taken at one time: in either order


def test_a_reader_of_swap_is_told_apart_and_its_page_named() -> None:
    kinds = watched(SWAP).summary["page_lock"]["by_kind"]
    for kind in ("swap_readahead", "disk"):
        assert kinds[kind]["holds"] > 0 and kinds[kind]["page"].startswith("swap-cache page (heap page ")
    assert kinds["readahead"]["holds"] == 0
