"""fork-bomb-oom-off: the bomb with 32 children and the killer off: everybody sleeps, nobody spins.

"The victim alone on its CPU": the bomb is bound to the other one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import pytest

from cowpath.engine.verdict import Judgement
from cowpath.kernel import names as n

from .world import MS, S, World, limits, scenario

OFF = scenario("fork-bomb-oom-off")
RUNS = OFF["runs"]
CHILDREN = 32
TRIES = 7  # "failcnt is 7 per sleeper": one with a batch, six with a page
STALL_AT, END = 20 * S, 21 * S
# a real child has pages of its own that it copies after the fork (stack, data); the model's child has none, so that
# there is room for a few more copies of lib: half of what is left goes to them
OWN_PAGES = 6
TOLERANCE = OWN_PAGES * CHILDREN // 2


@dataclass
class Seen:
    verdict: Judgement
    failcnt: tuple[int, int]  # at 1 s, and at the end
    sleepers: int
    copied: int
    kills: int
    stall_ns: int  # of the victim, at the end
    longest_ns: int  # that it has ever slept for a lock
    victims_faults: tuple[int, int]
    locked: int


@cache
def seen(number: int) -> Seen:
    """Run the truth's run of this number; runs of the same kernel differ by their seed."""
    run = RUNS[number]
    seed = [row["kernel"] + row["victim_touch"] for row in RUNS[:number]].count(run["kernel"] + run["victim_touch"])
    text = limits(oom_off=True) + "cgexec -g memory:A taskset -c 1 bomb &\nsleep 30\n"
    world = World(text, "fork-bomb-oom-off.sh", run["kernel"], seed, (n.EV_WAKE,), reads=run["victim_touch"] == "read")
    locked = 0
    for now in range(50 * MS, S + 1, 50 * MS):
        world.run(now)
        locked = max(locked, world.lib_pages_locked())
    failcnt, faults = world.number("failcnt"), int(world.k.books.groups[0].counters[n.C_FAULTS])
    world.run(END)
    victim = world.tasks("victim")[0]
    waits = world.k.state.tasks[victim].wait_kind == n.W_PAGE_LOCK
    wakes = [row for block in world.events for row in block if row["task"] == victim and row["a"] == n.W_PAGE_LOCK]
    return Seen(
        verdict=world.verdict(),
        failcnt=(failcnt, world.number("failcnt")),
        sleepers=sum(world.k.state.tasks[t].wait_kind == n.W_OOM for t in world.tasks(group=1)),
        copied=world.count(n.C_COW),
        kills=world.count(n.C_OOM_KILLS),
        stall_ns=int(world.k.books.now - world.k.books.tasks[victim].since) if waits else 0,
        longest_ns=max((int(row["value"]) for row in wakes), default=0),
        victims_faults=(faults, int(world.k.books.groups[0].counters[n.C_FAULTS])),
        locked=locked,
    )


each_run = pytest.mark.parametrize(
    "number", range(len(RUNS)), ids=[f"{i}-{run['kernel']}-{run['victim_touch']}" for i, run in enumerate(RUNS)]
)


@each_run
def test_the_victim(number: int) -> None:
    """With the charge under the lock it stalls soon and for good; with the commit it never does."""
    run, result = RUNS[number], seen(number)
    if run["stall_at_end"] == "none":
        assert result.stall_ns == 0 and result.verdict.outside == "isolated"
        assert result.longest_ns / 1000 <= run["max_returned_us"]
        assert result.victims_faults[1] > 10 * result.victims_faults[0]
    else:
        assert result.verdict.outside == "stuck"
        assert result.stall_ns > STALL_AT - S  # "20.7 s on page 242, from 0.3 s on"
        assert result.victims_faults[0] == result.victims_faults[1]


@each_run
def test_every_child_sleeps_and_nobody_spins(number: int) -> None:
    run, result = RUNS[number], seen(number)
    assert "failcnt is 7 per sleeper and constant" in OFF["why"]
    assert result.verdict.groups == {"A": "waits"} and result.kills == run["oom_kills"] == 0
    assert result.failcnt[0] == result.failcnt[1]
    assert 0 < result.sleepers <= CHILDREN + 1  # "the bomb's parent may block too"
    extra = result.failcnt[1] - TRIES * result.sleepers
    if run["kernel"] == "linux-3.0":
        assert run["failcnt"] % TRIES == 0  # nothing was ever given back: batches filled the group exactly
        assert extra == 0
    else:  # a retried fault gives its page back: at the end a batch fails where single pages still fit
        assert 0 <= extra < 32 and abs(result.failcnt[1] - run["failcnt"]) < 32


@each_run
def test_copies_in_the_group(number: int) -> None:
    assert abs(seen(number).copied - RUNS[number]["cows_in_A"]) <= TOLERANCE


@each_run
def test_pages_of_lib_locked_at_a_time(number: int) -> None:
    measured = RUNS[number]["lib_pages_locked_max"]
    assert seen(number).locked >= 5 if measured >= 5 else seen(number).locked <= 3
