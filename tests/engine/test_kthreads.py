"""The kernel's threads: there from the beginning, asleep, in nobody's way, and in nobody's figures."""

from __future__ import annotations

from typing import Any

import pytest

from cowpath import api
from cowpath.engine import loop, waitfor
from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.kernel.wait import try_to_wake_up
from cowpath.observe.watch import mask_of
from cowpath.session.load import plan_session
from cowpath.session.plan import MachineSettings, Plan
from cowpath.session.table import Table

DESIGN = "linux-3.0"


def plan_of(text: str, **settings: Any) -> Plan:
    return plan_session(text, "s.sh", Table(bystanders=(), settings=MachineSettings(**settings)))


def boot(plan: Plan, **options: Any) -> Any:
    return api.build_machine(plan, api.load_design(DESIGN), api.Options(**options))


def clock_of(k: Any, plan: Plan) -> Any:
    return api.make_clock(k, plan, api.load_design(DESIGN), lambda events: None)


def test_they_come_after_the_others_and_sleep() -> None:
    plan = plan_of("sleep 1ms")
    k = boot(plan)
    assert (plan.shell, plan.kthreads, k.state.n_tasks, k.state.n_mms) == (0, (1, 2), 3, 1)
    for t, name in ((1, "kswapd0"), (2, "flush-8:0")):
        task = k.state.tasks[t]
        assert plan.comms[task.program] == name == n.KT_NAMES[task.kthread]
        assert (task.run_state, task.wait_kind, task.wait_id) == (n.T_SLEEPING, n.W_IDLE, task.kthread)
        assert (task.mm, task.group, plan.ops[task.pc]["code"]) == (n.NONE, 0, n.OP_KTHREAD)


def test_they_keep_no_run_alive() -> None:
    """With nothing left but them, the script's end is the end, and no time passes."""
    plan = plan_of("sleep 1ms")
    k = boot(plan)
    ending = clock_of(k, plan).run(10**10)
    assert ending.reason == "script" and ending.at < 2_000_000
    assert [int(task.run_state) for task in k.state.tasks[:3]] == [n.T_FREE, n.T_SLEEPING, n.T_SLEEPING]


def test_who_is_woken_goes_back_to_sleep() -> None:
    plan = plan_of("sleep 1ms")
    k = boot(plan)
    k.books.log_mask = mask_of([n.EV_WAIT])
    try_to_wake_up(k, 1)
    assert loop.run(k, 500_000, loop.FOREVER, 100, plan.shell) == loop.UNTIL
    slept = [(int(e["task"]), int(e["a"]), int(e["b"])) for e in k.books.log[: int(k.books.log_count)]]
    assert (1, n.W_IDLE, n.KT_KSWAPD) in slept
    assert k.state.tasks[1].run_state == n.T_SLEEPING


def test_what_one_waits_for_is_no_verdict() -> None:
    """A kernel thread behind a page lock is not a task outside that is held up; who waits for it would be."""
    plan = plan_of("sleep 1ms")
    k = boot(plan)
    for t in (0, 2):
        task = k.state.tasks[t]
        task.run_state, task.wait_kind = n.T_SLEEPING, n.W_PAGE_LOCK
    assert waitfor.waits_for_lock(k, 0) and not waitfor.waits_for_lock(k, 2)


@pytest.mark.parametrize("swap", [-1, (4 << 30) + 1])
def test_swap_has_bounds(swap: int) -> None:
    with pytest.raises(InputError, match="--swap: a swap space of"):
        boot(plan_of("sleep 1"), swap=swap)


def test_the_swappiness_of_the_machine_is_the_roots_and_its_childrens() -> None:
    plan = plan_of("cgcreate -g memory:A", swappiness=7)
    k = boot(plan)
    assert k.state.groups[0].swappiness == 7
    clock_of(k, plan).run(10**9)
    assert k.state.groups[1].swappiness == 7
    assert boot(plan_of("true")).state.groups[0].swappiness == 60
