"""Sizes, limits and times as people write them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.units import pages, parse_limit, parse_size, parse_time


@pytest.mark.parametrize(
    ("text", "size"),
    [("4096", 4096), ("64M", 64 << 20), ("64MiB", 64 << 20), ("64Mi", 64 << 20), ("1.5G", 3 << 29), ("2t", 2 << 40)],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("64M", 16384),
        ("4096", 1),
        ("4097", 2),
        ("0", 0),
        ("-1", n.UNLIMITED),
        ("max", n.UNLIMITED),
        ("99999999999T", n.UNLIMITED),
    ],
)
def test_limits_are_rounded_up_to_pages(text: str, expected: int) -> None:
    assert parse_limit(text) == expected


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("5ms", 5_000_000),
        ("1.5s", 1_500_000_000),
        ("200us", 200_000),
        ("10ns", 10),
        ("2", 2 * 10**9),
        ("1m", 60 * 10**9),
    ],
)
def test_times(text: str, ns: int) -> None:
    assert parse_time(text) == ns


@pytest.mark.parametrize("text", ["64Q", "", "M", "-1", "1e3", "²", "64 M", "9" * 5000, "99999999T"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(InputError):
        parse_size(text)


@pytest.mark.parametrize("text", ["64Q", "1.5G", "64MiB", "-2", "", "9" * 5000])
def test_limits_are_read_as_strictly_as_the_kernel_reads_them(text: str) -> None:
    with pytest.raises(InputError, match="is not a limit"):
        parse_limit(text)


@pytest.mark.parametrize("text", ["5 ms", "ms", "-1", "1e3", "inf", "99999999999h"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(InputError):
        parse_time(text)


@given(st.integers(0, 1 << 20), st.sampled_from("KMGT"))
def test_a_unit_is_a_power_of_1024(number: int, unit: str) -> None:
    assert parse_size(f"{number}{unit}") == number * 1024 ** ("KMGT".index(unit) + 1)


@given(st.text(max_size=12))
def test_any_text_is_a_value_or_an_input_error(text: str) -> None:
    for read in (parse_size, parse_limit, parse_time):
        with suppress(InputError):
            assert read(text) >= 0


def test_pages() -> None:
    assert [pages(size) for size in (0, 1, 4096, 4097)] == [0, 1, 1, 2]
