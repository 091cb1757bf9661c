"""Run queues and affinity: wherever tasks move, each that can run does."""

from __future__ import annotations

from typing import Any

import pytest

from cowpath.engine import loop
from cowpath.kernel import names as n

from .small import SECOND, Small, task

pytestmark = pytest.mark.usefixtures("small_is_compiled")
MS = 1_000_000


def all_done(k: Any) -> None:
    mortal = k.state["tasks"]["kthread"] == n.KT_NONE
    assert not k.state["tasks"]["run_state"][mortal].any()


@pytest.mark.parametrize("cpus", [1, 2, 3])
def test_a_task_that_moves_away_lets_the_next_of_its_cpu_run(cpus: int) -> None:
    """The CPU that it leaves is idle for a moment: whoever is given it then keeps it."""
    programs = [(("cpu", (i + j) % cpus), ("compute", MS), ("cpu", j % cpus), ("compute", MS)) for i in range(2)
                for j in range(2)]  # fmt: skip
    small = Small([task(1, *program) for program in programs], cpus=cpus)
    k = small.finish()
    all_done(k)
    assert int(k.books.now) < SECOND


def test_each_bound_program_of_a_crowd_is_done() -> None:
    small = Small([task(1, ("compute", MS // 10), ("cpu", 0), ("compute", MS // 10)) for _ in range(6)], cpus=2)
    all_done(small.finish())


def test_a_bound_task_runs_where_it_is_bound_to_whatever_was_queued_there() -> None:
    """One computes on CPU 1 for long; who moves there waits for its turn in that queue and gets it."""
    small = Small([task(1, ("cpu", 1), ("compute", 20 * MS)), task(2, ("compute", MS), ("cpu", 1), ("compute", MS))],
                  cpus=2)  # fmt: skip
    k = small.until(lambda k: any(int(t.affinity) == 1 and int(t.group) == 2 for t in k.state.tasks[:8]))
    mover = next(t for t in range(8) if int(k.state.tasks[t].group) == 2)
    assert int(k.state.tasks[mover].cpu) == 1
    all_done(small.finish())


def test_threads_and_children_of_a_bound_task_are_bound() -> None:
    fork = ("fork", (("compute", MS),), True, None)
    small = Small([task(1, ("cpu", 1), fork, ("fork", (("compute", MS),), False, None), ("compute", MS))], cpus=2)
    small.until(lambda k: sum(int(t.group) == 1 and int(t.run_state) == n.T_RUNNABLE for t in k.state.tasks[:12]) == 3)
    assert {int(t.affinity) for t in small.k.state.tasks[:12] if int(t.group) == 1} == {1}
    assert small.run(100_000) == loop.SCRIPT
