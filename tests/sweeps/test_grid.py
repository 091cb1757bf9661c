"""What a sweep varies: values, names, and which points they come to."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cowpath.errors import InputError
from cowpath.options import Options
from cowpath.sweeps.grid import MANY, Grid, dimension, grid_of, read_dimension
from cowpath.sweeps.values import as_number, read_values
from cowpath.units import parse_size

SOURCE = 'cgcreate -g memory:A\necho ${LIMIT:-64M} > memory.max\nOWN=3\ntouch "$OWN" $1\n'


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,2,4,all", "1 2 4 all"),
        ("32M..128M/4", "32M 64M 96M 128M"),
        ("32M..512M/5log", "32M 64M 128M 256M 512M"),
        ("1..8/8", "1 2 3 4 5 6 7 8"),
        ("1..3/9", "1 2 3"),  # whole numbers stay whole, and each is there once
        ("0.5..2.0/4", "0.5 1 1.5 2"),
        ("1s..4s/4", "1000000000ns 2000000000ns 3000000000ns 4000000000ns"),
        ("64M..64M/1", "64M"),
        ("2,2,2", "2"),
    ],
)
def test_values(text: str, values: str) -> None:
    assert read_values(text, "x") == tuple(values.split())


@given(low=st.integers(1, 1 << 40), more=st.integers(0, 1 << 40), count=st.integers(1, 50), log=st.booleans())
def test_a_range_of_sizes_goes_from_end_to_end_in_whole_pages(low: int, more: int, count: int, log: bool) -> None:
    low, high = low // 4096 * 4096 + 4096, (low + more) // 4096 * 4096 + 4096
    values = [parse_size(text) for text in read_values(f"{low}B..{high}B/{count}{'log' if log else ''}", "x")]
    assert values[0] == low and (values[-1] == high or count == 1)
    assert values == sorted(set(values)) and len(values) <= count
    assert all(value % 4096 == 0 for value in values)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no value"), ("1..2", "is not a range"), ("5..1/3", "ends below its beginning"),
        ("a..b/3", "no range goes"), ("0..8/3log", "come nowhere"),
        ("1..2/0", "0 values"), ("1..2/9999999", "9,999,999 values"),
    ],
)  # fmt: skip
def test_what_is_no_value(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_values(text, "x")


def test_numbers_on_an_axis() -> None:
    assert [as_number(text) for text in ("64M", "4", "1500ms", "all")] == [64 << 20, 4.0, 1.5, None]


def test_points_come_with_seeds_innermost() -> None:
    grid = grid_of(["a=1,2", "b=x"], ["d1", "d2"], 2)
    assert [(p.values, p.design, p.seed) for p in grid][:5] == [
        (("1", "x"), "d1", 0), (("1", "x"), "d1", 1), (("1", "x"), "d2", 0), (("1", "x"), "d2", 1),
        (("2", "x"), "d1", 0),
    ]  # fmt: skip
    assert len(grid) == len(list(grid)) == 8


def test_where_a_value_goes() -> None:
    grid = grid_of(
        {"A:memory.max+A:memory.high": ["64M"], "jobs": "all", "make[2]": "-k", "LIMIT": [7], "$1": "w", "cpus": "3",
         "cold": "yes", "memory": "2G"}, ["d"], 1,
    )  # fmt: skip
    found = grid.setting(next(grid.combinations()), Options(), SOURCE)
    assert found.fixed.files == {("A", "memory.max"): "64M", ("A", "memory.high"): "64M"}
    assert found.fixed.arguments == {("make", 2): "-k"} and found.fixed.jobs == "all"
    assert found.options == replace(
        Options(), env=("LIMIT=7",), arguments=("w",), cpus=3, cold=True, memory=2 << 30
    )  # fmt: skip


@pytest.mark.parametrize(
    ("vary", "words"),
    [
        ("LIMTI=1", "did you mean LIMIT"), ("nosuch=1", "uses no variable"), ("OWN=1", "sets it itself"),
        ("cpus=many", "not a number"), ("cold=maybe", "yes or no"), ("$2=x", "vary .1 first"),
        ("a b=1", "nothing that"), ("memory=0", "memory is 0"),
    ],
)  # fmt: skip
def test_what_cannot_be_varied(vary: str, words: str) -> None:
    grid = grid_of([vary], ["d"], 1)
    with pytest.raises(InputError, match=words):
        grid.setting(next(grid.combinations()), Options(), SOURCE)


def test_grids_that_are_none() -> None:
    for vary, words in (["a"], "no NAME=VALUES"), (["=1"], "no NAME=VALUES"), (["a+=1"], "a name is missing"):
        with pytest.raises(InputError, match=words):
            grid_of(vary, ["d"], 1)
    with pytest.raises(InputError, match="an empty grid"):
        dimension("a", [])
    with pytest.raises(InputError, match="varied twice"):
        grid_of(["a=1", "b+a=2"], ["d"], 1).check(yes=False)


def test_a_million_points_are_asked_about() -> None:
    grid = Grid((read_dimension("a=1..1000/1000"),), ("d",), tuple(range(1000)))
    assert len(grid) == MANY
    with pytest.raises(InputError, match="1,000,000 points"):
        grid.check(yes=False)
    grid.check(yes=True)


def test_fractions_do_not_drift() -> None:
    values = read_values("0..1000000/1001", "x")
    assert values[500] == "500000" and Fraction(values[-1]) == 10**6
