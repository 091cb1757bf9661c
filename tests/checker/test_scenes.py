"""What an order of a path that pays for memory.high costs in the clock, with the kernel's own batches and retries."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cowpath import designs
from cowpath.kernels.check import PAYING
from cowpath.searching import scenes
from cowpath.searching.measures import Throttled
from cowpath.searching.places import PATHS, calls_faults, with_bare_faults

KERNEL = "linux-6.18"
S = 1_000_000_000


def cost(path: str, *after: str) -> Throttled:
    """Of the kernel's path with nothing paid in it, or in the faults that it makes; and these steps at its end."""
    design = designs.load(KERNEL)
    bare = with_bare_faults(design) if calls_faults(design, path) else design
    steps = (*(step for step in design.paths[path] if step not in PAYING), *after)
    return scenes.measure(scenes.Scene.of(path), replace(bare, paths=bare.paths | {path: steps}))


def test_each_scene_is_of_a_path_that_may_pay() -> None:
    assert set(scenes.paths()) == {"fork", "madvise_populate", "mlock", "readahead", "write"} <= set(PATHS)


@pytest.mark.parametrize("path", scenes.paths())
def test_paid_at_the_return_it_holds_nobody_up_and_the_task_is_done_sooner(path: str) -> None:
    own, at_return = scenes.measure(scenes.Scene.of(path), designs.load(KERNEL)), cost(path)
    assert own.outside_ns > S and at_return.outside_ns == 0
    assert S < at_return.own_ns < own.own_ns and at_return.reread == 0
    assert at_return.over >= own.over > 1024, "it was 1,024 pages over the mark before"


def test_a_read_that_reclaims_after_the_request_reads_its_pages_again_and_again() -> None:
    """Nobody outside waits, and it is no cure: 256 pages, and thousands of them are read twice."""
    again, at_return = cost("readahead", *PAYING), cost("readahead")
    assert again.outside_ns == 0 and again.reread > 10 * 256
    assert again.own_ns > 20 * at_return.own_ns
