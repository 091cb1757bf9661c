"""The checker against what real kernels did: who was blocked there is violated here, and nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from cowpath import checking

from .world import WAYS_2_AND_3, scenario

OFF = scenario("oom-off")


def isolation(design: str, case: str) -> str:
    (result,) = checking.check(design, case, properties="isolation").results
    return result.verdict


def somebody_was_blocked(kernel: str) -> bool:
    rows: list[dict[str, Any]] = OFF["victims_us"]
    return any(str(row[kernel]).startswith("blocked") for row in rows)


@pytest.mark.parametrize("design", ["linux-3.0", "preallocate"])
def test_the_commits_case_is_what_was_measured(design: str) -> None:
    kernels = [key for key in OFF["victims_us"][0] if key in (design, "preallocate", "linux-3.0")]
    assert design in kernels, kernels
    assert (isolation(design, "commit") == "violated") == somebody_was_blocked(design)


@pytest.mark.parametrize("design", WAYS_2_AND_3)
def test_ways_2_and_3_block_nobody(design: str) -> None:
    assert OFF["ways_2_and_3"] == "no victim blocked"
    assert isolation(design, "commit") == "proved"


@pytest.mark.parametrize("design", ["linux-3.0", "preallocate", "linux-3.1"])
def test_what_no_kernel_of_the_time_was_safe_from(design: str) -> None:
    """A reader of /proc behind a writer behind a fault; swap-in under the page's lock; write(2)'s i_mutex."""
    for case in ("mmap-sem-reader", "swap-in", "write"):
        assert isolation(design, case) == "violated"
