"""What the pictures of runs show: whom, in what order, which arrows; and the sentence above them."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cowpath import api
from cowpath.observe import lanes as ln
from cowpath.observe.scene import Scene
from cowpath.observe.watch import Wanted
from cowpath.report import cast as casting
from cowpath.report import outcomes
from cowpath.report.picture import Picture, picture
from cowpath.report.strip import CELLS, Scale, strip, time_in_cells
from cowpath.report.tale import Tale
from cowpath.report.told import told

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def made(session: str, *designs: str) -> list[api.Result]:
    options = api.Options()
    plan = api.load_plan(EXAMPLES / session, options)
    return [api.run_plan(plan, api.load_design(design), options, Wanted(timeline=True)) for design in designs]


def pictures(results: list[api.Result]) -> tuple[list[Picture], casting.Cast]:
    runs = []
    for result in results:
        assert result.seen.timeline is not None
        runs.append(casting.strange(Tale(result.seen.timeline, Scene(None, result.plan)), result.seen.waits))
    who = casting.cast(runs)
    return [picture(run.tale, who) for run in runs], who


@pytest.fixture(scope="module")
def results() -> list[api.Result]:
    return made("oom-off.sh", "linux-3.0", "preallocate")


def names(found: Picture) -> list[list[str]]:
    return [[row.name for row in block.rows] for block in found.blocks]


def test_the_lock_the_outside_and_the_group(results: list[api.Result]) -> None:
    """In this order, the same on both designs; the holder is the first of its group."""
    (before, after), who = pictures(results)
    assert [block.kind for block in before.blocks] == ["locks", "outside", "group"]
    assert names(before)[0] == names(after)[0] == ["who holds the lock", "lib page 100"]
    assert names(before)[1] == names(after)[1]
    assert names(before)[1][:2] == ["outside", "read-100[5]"]
    assert names(before)[1][-1].startswith("7 more tasks outside, none waiting")
    assert names(before)[2][:2] == ["in A", "attacker[3]"]
    assert (who.begin, who.end) == (0, max(result.summary["virtual_ns"] for result in results))


def test_an_arrow_from_the_hold_to_each_wait_for_it(results: list[api.Result]) -> None:
    (before, after), _ = pictures(results)
    stuck = {sentence.split(" waits ")[0] for sentence in results[0].chain}
    lanes = {row.y: row for block in before.blocks for row in block.rows}
    assert {lanes[arrow.below].title for arrow in before.arrows} == stuck and len(stuck) == 7
    (hold,) = list(lanes[before.arrows[0].above].marks)
    assert {arrow.hold for arrow in before.arrows} == {hold.key} and hold.label == "attacker[3] in A"
    assert all(arrow.at >= hold.bar.left for arrow in before.arrows)
    assert "Meanwhile it was waited for by read-100[5], cow-100[6]" in hold.words and "and 3 more" in hold.words
    assert hold.key in next(row for row in lanes.values() if row.title == "attacker[3]").holds
    assert after.arrows == [] and not any(mark.bar.look == "stranger" for block in after.blocks for row in block.rows
                                          for mark in row.marks)  # fmt: skip


def test_waits_have_the_length_that_the_timeline_has(results: list[api.Result]) -> None:
    (before, _), who = pictures(results)
    timeline = results[0].seen.timeline
    assert timeline is not None
    strangers = timeline.pieces[np.isin(timeline.pieces["state"], ln.FOR_OTHERS)
                                & (timeline.lives["group"][timeline.pieces["life"]] == 0)]  # fmt: skip
    shown = [mark.bar for row in before.blocks[1].rows for mark in row.marks]
    wanted = sorted((piece["end"] - piece["begin"]) * 100 / (who.end - who.begin) for piece in strangers)
    assert sorted(bar.width for bar in shown) == pytest.approx(wanted, abs=0.01)


def test_the_sentence_and_the_cards(results: list[api.Result]) -> None:
    assert outcomes.pair(results) == [0, 1]
    assert outcomes.headline(results, [0, 1]) == [
        outcomes.Part("stuck", "on linux-3.0"), outcomes.Part("isolated", "on preallocate"),
    ]  # fmt: skip
    assert outcomes.reason(results, [0, 1]) == ("linux-3.0", results[0].chain[0])
    assert outcomes.headline(results[:1], [0]) == [outcomes.Part("stuck", "on linux-3.0")]
    alike = [results[1], results[0], results[1]]
    assert outcomes.pair(alike) == [0, 1]  # the first and the last fared alike: the best and the worst
    cards = outcomes.outcomes(alike, [told(result) for result in alike])
    assert [card.numbers for card in cards] == [[0, 2], [1]]
    assert outcomes.headline(alike[::2], [0, 1]) == [outcomes.Part("isolated", "on all 2 designs")]


def test_a_short_wait_in_a_long_run_is_looked_at_closely() -> None:
    """The window is the wait and twice its length on either side."""
    (result,) = made("high-readahead.sh", "linux-6.1")
    timeline = result.seen.timeline
    assert timeline is not None
    run = casting.strange(Tale(timeline, Scene(None, result.plan)), result.seen.waits)
    assert casting.window([run]) == (0, timeline.ends)
    longest = casting.length(run.pieces[0])
    long = casting.Strange(Tale(replace(timeline, ends=100 * longest), run.tale.scene), run.pieces, run.first)
    begin, end = casting.window([long])
    assert end - begin == 5 * longest and begin < run.pieces[0]["begin"] < end


def test_a_session_without_groups_and_locks(tmp_path: Path) -> None:
    session = tmp_path / "nothing.sh"
    session.write_text("echo hello\n")
    (found,), who = pictures(made(str(session), "linux-3.1"))
    assert (who.locks, who.groups, found.arrows) == ([], [], [])
    assert [block.kind for block in found.blocks] == ["outside"]


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 10_000)), max_size=20))
def test_cells_take_what_the_pieces_take(spans: list[tuple[int, int]]) -> None:
    """Summed as plainly as can be."""
    scale = Scale(1_000, 13_000)
    pieces = np.zeros(len(spans), ln.PIECE)
    pieces["begin"] = [begin for begin, _ in spans]
    pieces["end"] = [begin + length for begin, length in spans]
    edges = [scale.begin + scale.cell * i for i in range(CELLS + 1)]
    plain = [sum(max(0.0, min(end, right) - max(begin, left)) for begin, end in pieces[["begin", "end"]].tolist())
             for left, right in itertools.pairwise(edges)]  # fmt: skip
    assert time_in_cells(pieces, scale).tolist() == pytest.approx(plain, abs=0.01)


def test_a_strip_shows_what_took_most_of_a_cell_but_death() -> None:
    scale = Scale(0, CELLS * 100)
    lives = np.zeros(1, ln.LIFE)
    lives["group"] = 1
    pieces = np.zeros(3, ln.PIECE)
    pieces["begin"], pieces["end"] = [0, 60, 100], [60, 100, CELLS * 100]
    pieces["state"] = [ln.PAGE_LOCK, ln.RUNNING, ln.DEAD]
    (bar,) = strip(lives, pieces, scale)
    assert (bar.look, bar.left, bar.width) == ("page_lock", 0, 100 / CELLS)
    lives["group"] = 0
    assert strip(lives, pieces, scale)[0].look == "stranger"


@pytest.mark.parametrize(("begin", "end", "first", "last"), [
    (0, 12_060_761_920, "0 s", "12 s"), (0, 6_642_622_617, "0 s", "6 s"), (0, 900_000_000, "0 ms", "800 ms"),
    (1_000_000_000, 1_000_002_000, "1000000 us", "1000002 us"), (0, 1, "0 ns", "1 ns"),
])  # fmt: skip
def test_ticks_are_round_and_few(begin: int, end: int, first: str, last: str) -> None:
    ticks = Scale(begin, end).ticks()
    assert (ticks[0][1], ticks[-1][1]) == (first, last) and 2 <= len(ticks) <= 7
