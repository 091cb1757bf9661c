"""Thinning of a group's usage, and sums over stretches of time."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cowpath.observe.usage import BINS, POINT, Bins, thinned

ROWS = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 2), st.integers(0, 50)), max_size=200)


@given(ROWS, st.integers(1, 20))
def test_what_is_left_has_the_first_last_least_and_most(rows: list[tuple[int, int, int]], bins: int) -> None:
    points = np.array(sorted(rows, key=lambda row: row[0]), POINT)
    left = thinned(points, bins)
    assert len(left) <= 4 * 3 * (bins + 1)
    assert set(left.tolist()) <= set(points.tolist())
    assert (np.diff(left["time"]) >= 0).all()
    if len(points):
        width = -(-int(points["time"].max() + 1) // bins)
        for group in range(3):
            for place in np.unique(points["time"] // width):
                mine = [
                    each[(each["group"] == group) & (each["time"] // width == place)]["pages"]
                    for each in (points, left)
                ]
                if len(mine[0]):
                    assert mine[0].min() == mine[1].min() and mine[0].max() == mine[1].max()
                    assert mine[0][0] == mine[1][0] and mine[0][-1] == mine[1][-1]


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 10**13), st.integers(1, 5)), max_size=20), max_size=5)
)
def test_sums_stay_when_the_stretches_get_longer(blocks: list[list[tuple[int, int, int]]]) -> None:
    bins = Bins(2)
    for block in blocks:
        groups, times, values = (np.array([row[i] for row in block], np.int64) for i in range(3))
        bins.add(groups, times, values)
    rows = [row for block in blocks for row in block]
    for group in range(2):
        assert bins.sums[group].sum() == sum(value for g, _, value in rows if g == group)
    for group, time, _ in rows:
        assert bins.sums[group][time // bins.width] > 0
        assert time // bins.width < BINS
