"""Lanes and holds against the log and against the machine's own books."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cowpath import api
from cowpath.kernel import names as n
from cowpath.observe import lanes
from cowpath.observe.keeper import Keeper
from cowpath.observe.timeline import MOST_HOLDS
from cowpath.observe.watch import Wanted

RUNS = [
    ("oom-off.sh", "linux-3.0", None),
    ("crowd.sh", "preallocate", None),
    ("swap.sh", "linux-3.1", None),
    ("commit.sh", "pte-prealloc", 600_000_000),
]
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="module", params=RUNS)
def result(request: pytest.FixtureRequest) -> api.Result:
    session, design, until = request.param
    options = api.Options(until=until)
    plan = api.load_plan(EXAMPLES / session, options)
    return api.run_plan(plan, api.load_design(design), options, Wanted(keeper=Keeper(None), timeline=True))


def test_a_lane_has_no_gap_and_its_sums_are_its_pieces(result: api.Result) -> None:
    timeline = result.seen.timeline
    assert timeline is not None and timeline.resolution == 0
    for number, life in enumerate(timeline.lives):
        mine = timeline.pieces[timeline.pieces["life"] == number]
        assert (mine["begin"][1:] == mine["end"][:-1]).all()
        assert len(mine) == 0 or mine["begin"][0] == life["begin"]
        for state in range(len(lanes.STATES)):
            in_it = mine[mine["state"] == state]
            assert (in_it["end"] - in_it["begin"]).sum() == life["ns"][state]
        if life["end"] != lanes.NO_END:
            dead = mine[mine["state"] == lanes.DEAD]
            assert len(dead) == 0 or dead["begin"][0] == life["end"]


def test_waits_are_those_of_the_books(result: api.Result) -> None:
    """The machine's own sums, which no log was needed for."""
    timeline, blocked = result.seen.timeline, result.summary["blocked_ns"]
    assert timeline is not None
    pieces = timeline.pieces
    ns = pieces["end"] - pieces["begin"]
    asleep = ~np.isin(pieces["state"], (lanes.RUNNING, lanes.RUNNABLE, lanes.CHARGING, lanes.DEAD))
    for kind, name in ((n.W_PAGE_LOCK, "page_lock"), (n.W_OOM, "memory"), (n.W_MMAP_READ, "mmap_read")):
        assert ns[asleep & (pieces["kind"] == kind)].sum() == blocked[name]


def test_no_cpu_runs_two_tasks(result: api.Result) -> None:
    timeline = result.seen.timeline
    assert timeline is not None
    on_cpu = timeline.pieces[timeline.pieces["state"] == lanes.RUNNING]
    times = np.concatenate([on_cpu["end"], on_cpu["begin"]])
    change = np.repeat([-1, 1], len(on_cpu))
    order = np.lexsort((change, times))  # ends before begins
    assert np.cumsum(change[order]).max() <= result.summary["cpus"]


def test_a_charge_that_met_a_limit_is_shown_until_it_ends(result: api.Result) -> None:
    """From the first failure to the end of the charge a task charges, or sleeps in it."""
    timeline, events = result.seen.timeline, result.events
    assert timeline is not None
    ended = events.filter(events["kind"] == "charge")
    spans = list(zip(ended["task"], ended["time_ns"] - ended["value"], ended["time_ns"], strict=True))
    charging = timeline.pieces[timeline.pieces["state"] == lanes.CHARGING]
    tasks = timeline.lives["task"][charging["life"]]
    for task, begin, end in spans:
        mine = charging[(tasks == task) & (charging["begin"] < end) & (charging["end"] > begin)]
        assert (mine["begin"] >= begin).all() and (mine["end"] <= end).all()
    if result.design == "pte-prealloc":
        assert spans


def test_holds_are_the_logs(result: api.Result) -> None:
    """All of them, or the longest of tasks and of the disk."""
    timeline, events = result.seen.timeline, result.events
    assert timeline is not None
    logged = events.filter(events["kind"].is_in(["page_lock", "page_lock_sent"]) & (events["value"] > 0))
    ended = timeline.holds[timeline.holds["open"] == 0]
    for disk in (False, True):
        mine = ended[(ended["life"] == lanes.BY_DISK) == disk]
        ns = mine["end"] - mine["begin"]
        found = sorted(zip(mine["end"].tolist(), ns.tolist(), mine["page"].tolist(), strict=True))
        theirs = logged.filter((logged["task"] <= n.REQUEST_OWNER) == disk)
        wanted = sorted(zip(theirs["time_ns"], theirs["value"], theirs["a"], strict=True))
        if len(wanted) > MOST_HOLDS:
            assert set(found) <= set(wanted)
            assert ns.min() >= sorted(theirs["value"])[-MOST_HOLDS]
        else:
            assert found == wanted


def test_who_held_it_holds_it(result: api.Result) -> None:
    """The holder that a wait names had the lock when the wait began."""
    timeline = result.seen.timeline
    assert timeline is not None
    if (timeline.holds["life"] >= 0).sum() == MOST_HOLDS:
        pytest.skip("more holds than are kept: a short one may be missing")
    waits = timeline.pieces[(timeline.pieces["state"] == lanes.PAGE_LOCK) & (timeline.pieces["by"] >= 0)]
    long = waits[waits["end"] - waits["begin"] > 1_000_000]
    for wait in long:
        mine = timeline.holds[(timeline.holds["life"] == wait["by"]) & (timeline.holds["what"] == wait["what"])]
        assert ((mine["begin"] <= wait["begin"]) & (mine["end"] >= wait["begin"])).any()


def test_json_has_the_lanes(result: api.Result) -> None:
    timeline = result.seen.timeline
    assert timeline is not None
    rows = result.summary["lanes"]
    assert len(rows) == len(timeline.lives)
    assert [sum(row["ns"].values()) for row in rows] == timeline.lives["ns"].sum(axis=1).tolist()
    assert sum(row["kernel_thread"] for row in rows) == 2


# --- joining
@st.composite
def contiguous(draw: st.DrawFn) -> lanes.Pieces:
    rows = []
    for life in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, 1000))
        for length in draw(st.lists(st.integers(1, 20_000), min_size=1, max_size=40)):
            rows.append((at, at + length, life, draw(st.integers(0, len(lanes.STATES) - 1))))
            at += length
    pieces = np.zeros(len(rows), lanes.PIECE)
    for i, (begin, end, life, state) in enumerate(rows):
        pieces[i]["begin"], pieces[i]["end"], pieces[i]["life"], pieces[i]["state"] = begin, end, life, state
        pieces[i]["what"], pieces[i]["by"] = lanes.NOTHING, lanes.NOBODY
    return pieces


@given(contiguous(), st.integers(3, 60))
def test_joined_pieces_cover_the_same_time(pieces: lanes.Pieces, most: int) -> None:
    joined, resolution = lanes.join(pieces, most)
    assert len(joined) <= max(most, 3)
    for life in np.unique(pieces["life"]):
        before, after = pieces[pieces["life"] == life], joined[joined["life"] == life]
        assert after["begin"][0] == before["begin"].min() and after["end"][-1] == before["end"].max()
        assert (after["begin"][1:] == after["end"][:-1]).all()
    if len(pieces) <= most:
        assert resolution == 0 and not joined["joined"].any()
    kept = joined[joined["joined"] == 0].tolist()
    assert set(kept) <= set(pieces.tolist())
    assert (joined["end"] - joined["begin"])[joined["joined"] == 1].sum() == sum(
        piece[1] - piece[0] for piece in set(pieces.tolist()) - set(kept)
    )


def test_long_waits_and_what_is_cut_off_stay_as_they_are() -> None:
    """However many short pieces there are around them."""
    pieces = np.zeros(4001, lanes.PIECE)
    pieces["begin"] = np.arange(4001) * 1000
    pieces["end"] = pieces["begin"] + 1000
    pieces["state"] = np.arange(4001) % 2 * lanes.RUNNABLE
    for place, state in ((1000, lanes.PAGE_LOCK), (2000, lanes.MEMORY)):
        pieces["end"][place] += 2_000_000
        pieces["begin"][place + 1 :] += 2_000_000
        pieces["end"][place + 1 :] += 2_000_000
        pieces["state"][place] = state
    pieces["open"][-1] = 1
    joined, _ = lanes.join(pieces, 20)
    assert len(joined) <= 20
    for place in (1000, 2000, 4000):
        assert pieces[place] in joined


def test_a_joined_piece_shows_what_took_most_of_its_time() -> None:
    pieces = np.zeros(4, lanes.PIECE)
    pieces["begin"], pieces["end"] = [0, 100, 700, 1000], [100, 700, 1000, 9000]
    pieces["state"] = [lanes.RUNNING, lanes.MEMORY, lanes.RUNNING, lanes.DEAD]
    joined, _ = lanes.join(pieces, 2)
    assert joined["state"].tolist() == [lanes.MEMORY, lanes.DEAD]
    assert joined["joined"].tolist() == [1, 0]
