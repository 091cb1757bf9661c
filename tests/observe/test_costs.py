"""Means, ranges and differences of measures, and the tables that show them."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.observe.costs import (
    EQUAL,
    MEASURES,
    Difference,
    Figure,
    difference,
    measures_of,
    nothing_of,
    number,
    session_costs,
)
from cowpath.observe.costs_tables import END_MARK, begin_mark, check_marks, markdown, report, with_tables
from cowpath.observe.metrics import BLOCKING

AMOUNTS = st.floats(1, 1e12)


def a_run(faults: int = 100, verdict: str = "isolated", ended: str = "script", **totals: int) -> dict[str, Any]:
    counters = {**dict.fromkeys(n.COUNTER_NAMES, 0), "faults": faults, **totals}
    return {
        "faults": faults,
        "totals": counters,
        "virtual_ns": 10**6,
        "verdict": verdict,
        "ended": ended,
        "fault_ns": 1000 * faults,
        "blocked_ns": dict.fromkeys((n.WAITS[kind].figure for kind in BLOCKING), 0),
    }


def shown(runs: dict[str, list[dict[str, Any]]], width: int = 80) -> str:
    out = io.StringIO()
    Console(file=out, width=width).print(report(session_costs("s.sh", runs)))
    return out.getvalue()


# --- figures


@given(st.lists(st.none() | AMOUNTS))
def test_a_mean_lies_in_its_range(values: list[float | None]) -> None:
    figure = Figure.of(values)
    known = [value for value in values if value is not None]
    if figure is None:
        assert not known
    else:
        assert (figure.least, figure.most) == (min(known), max(known))
        assert figure.least * (1 - 1e-9) <= figure.mean <= figure.most * (1 + 1e-9)


@given(AMOUNTS, st.floats(-0.99, 100))
def test_equal_is_a_difference_below_half_a_percent_and_nothing_else(base: float, share: float) -> None:
    found = difference(exactly(base * (1 + share)), exactly(base))
    assert found is not None
    assert found.share == pytest.approx(share, rel=1e-6, abs=1e-9)
    assert (str(found) == "equal") == (abs(found.share) < EQUAL)


def exactly(value: float) -> Figure:
    return Figure(value, value, value)


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "equal"), (0.0049, "equal"), (-0.0049, "equal"), (0.0051, "+0.51 %"), (0.0207, "+2.07 %"), (0.451, "+45.1 %"),
     (-0.5, "-50.0 %"), (1.5, "+150.0 %"), (9, "x 10.0"), (1234, "x 1,235.0"), (-1, "-100.0 %")],
)  # fmt: skip
def test_how_a_difference_reads(share: float, text: str) -> None:
    assert str(Difference(share, False)) == text
    assert str(Difference(share, True)) == (text if text == "equal" else f"({text})")


@given(st.lists(AMOUNTS, min_size=1), st.lists(AMOUNTS, min_size=1))
def test_a_difference_may_be_luck_if_the_ranges_overlap(mine: list[float], base: list[float]) -> None:
    found = difference(Figure.of(mine), Figure.of(base))
    assert found is not None
    assert found.within_spread == (not (max(mine) < min(base) or max(base) < min(mine)))


def test_nothing_is_compared_with_nothing() -> None:
    assert difference(exactly(3), exactly(0)) is None
    assert difference(exactly(3), None) is None
    assert str(difference(exactly(0), exactly(0))) == "equal"


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (7, "7"), (12.4, "12.4"), (12345.6, "12,346"), (99.96, "100.0")])
def test_counts(value: float, text: str) -> None:
    assert number(value) == text


# --- sessions


def test_the_base_is_linux_3_0_or_else_the_first() -> None:
    runs = {"preallocate": [a_run()], "linux-3.0": [a_run()]}
    assert session_costs("s.sh", runs).base == "linux-3.0"
    assert session_costs("s.sh", {"b": [a_run()], "a": [a_run()]}).base == "b"


def test_every_measure_is_compared_with_the_base() -> None:
    costs = session_costs("s.sh", {"linux-3.0": [a_run(charges=100)], "b": [a_run(charges=150), a_run(charges=170)]})
    row = costs.as_json()["designs"][1]["measures"]
    assert row["charges"] == {
        "mean": 160.0, "least": 150.0, "most": 170.0, "relative": pytest.approx(0.6), "within_spread": False
    }  # fmt: skip
    assert set(row) == {m.key for m in MEASURES}
    assert row["ns_per_fault"]["mean"] == 1000


def test_measures_that_are_zero_everywhere_are_only_named() -> None:
    costs = session_costs("s.sh", {"linux-3.0": [a_run()], "b": [a_run(retries=1)]})
    seen = {m.key for _, measures in measures_of(costs) for m in measures}
    assert "retries" in seen and "charges" not in seen
    assert "charges" in nothing_of(costs) and "retries" not in nothing_of(costs)
    assert len(seen) + len(nothing_of(costs)) == len(MEASURES)


def test_runs_that_did_not_come_to_their_end_are_named() -> None:
    bad = [a_run(), a_run(verdict="stuck", ended="settled")]
    text = " ".join(shown({"linux-3.0": bad, "b": [a_run(), a_run()]}).split())
    assert "linux-3.0: stuck with 1 of 2 seeds, not at the session's end with 1 of 2 seeds." in text


@pytest.mark.parametrize("width", [80, 120])
def test_numbers_are_whole_at_the_widths_of_terminals(width: int) -> None:
    totals = dict.fromkeys(n.COUNTER_NAMES, 12_345_678)
    del totals["faults"]
    runs = {"linux-3.0": [a_run(12_345_678, **totals)], "charge-after-unlock": [a_run(12_345_678, **totals)] * 3}
    runs["charge-after-unlock"][0] = a_run(12_345_678, **dict.fromkeys(totals, 23_456_789))
    text = shown(runs, width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    for word in ("12,345,678", "16,049,382", "23,456,789", "charge-after-unlock"):
        assert word in text


# --- Markdown


def a_page(*sessions: str) -> str:
    return "# Costs\n" + "".join(f"about {s}\n\n{begin_mark(s)}\nold\n{END_MARK}\n\nmore\n" for s in sessions)


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    page = a_page("a.sh", "b.sh")
    check_marks(page, ["b.sh", "a.sh"], "page.md")
    once = with_tables(page, "b.sh", "new")
    assert once == page.replace(f"{begin_mark('b.sh')}\nold", f"{begin_mark('b.sh')}\nnew")
    assert with_tables(once, "b.sh", "new") == once


@pytest.mark.parametrize(
    ("page", "words"),
    [("# Costs\n", ["no place for the tables of a.sh", begin_mark("a.sh")]),
     (f"one\n{begin_mark('a.sh')}\ntwo\n", [":2:", END_MARK]),
     (f"{begin_mark('a.sh')}\n{begin_mark('b.sh')}\n{END_MARK}", [":1:", END_MARK])],
)  # fmt: skip
def test_a_page_without_a_place(page: str, words: list[str]) -> None:
    with pytest.raises(InputError) as error:
        check_marks(page, ["a.sh"], "page.md")
    assert all(word in str(error.value) for word in ["page.md", *words])


def test_markdown_tables_are_well_formed() -> None:
    runs = {"linux-3.0": [a_run(charges=100), a_run(charges=102)], "b": [a_run(charges=150), a_run(charges=152)]}
    text = markdown(session_costs("s.sh", runs), "cowpath costs s.sh")
    assert text.startswith("`cowpath costs s.sh`\n")
    assert "| b | 151 (150 to 152) **+49.5 %** |" in text
    for block in text.split("\n\n"):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        assert len({row.count("|") for row in rows}) <= 1
