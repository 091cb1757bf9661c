"""The fork bomb's verdicts do not hang on a seed: twenty agree, on each of the designs that were measured."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from cowpath import api
from cowpath.engine.verdict import judge
from cowpath.kernel import names as n
from cowpath.session.load import plan_session
from cowpath.session.table import load_tables

from ..slow import NIGHTLY, some_nightly

EXAMPLES = Path(__file__).parents[2] / "examples"
SEEDS = 20 if NIGHTLY else 2
PINNED_SEEDS = 4 if NIGHTLY else 1
UNTIL_NS = 3_500_000_000  # the bound for a standstill is 2 s
STALL_NS = 20_000_000  # below the usual bound: a working killer ends most waits before that, and the run is short
SESSION = """\
cgcreate -g memory:A
cgset -r memory.limit_in_bytes=64M A
cgset -r memory.memsw.limit_in_bytes=64M A
cgexec -g memory:A {pin}bomb
"""  # in the foreground: where nothing can happen any more, the run ends


@dataclass(frozen=True)
class Expected:
    outside: str
    group: str
    kills: range


MANY = range(10, 10_000)
LONGEST_NS = 2_000_000_000  # where the killer works, a stall is bounded
UNPINNED = {
    "linux-3.0": Expected("stuck", "live-locked", range(1, 3)),
    "preallocate": Expected("isolated", "live-locked", range(1, 3)),
    "linux-3.0-oom-flag": Expected("stalled", "progresses", MANY),
    "linux-3.1": Expected("isolated", "progresses", MANY),
}
PINNED = {  # one CPU runs only one of the bomb's tasks at a time: the killer works with the counter too
    "linux-3.0": Expected("stalled", "progresses", MANY),
    "preallocate": Expected("isolated", "progresses", MANY),
}


def seen(design: str, pin: str, seeds: int) -> tuple[Counter[tuple[str, str]], set[int]]:
    """How often each pair of verdicts came out, and the numbers of kills."""
    plan = plan_session(SESSION.format(pin=pin), "bomb.sh", load_tables(EXAMPLES / "fork-bomb.sh"))
    loaded = api.load_design(design)
    verdicts, kills = Counter[tuple[str, str]](), set()
    for seed in range(seeds):
        k = api.build_machine(plan, loaded, api.Options(seed=seed))
        k.books.log_mask = 0
        clock = api.make_clock(k, plan, loaded, lambda events: None)
        clock.stall_ns = k.books.stall_ns = STALL_NS
        clock.run(UNTIL_NS)
        verdict = judge(k, plan, clock)
        verdicts[verdict.outside, verdict.groups["A"]] += 1
        if verdict.outside == "stalled":
            assert verdict.longest is not None and verdict.longest.ns < LONGEST_NS
        kills.add(int(k.books.groups[1].counters[n.C_OOM_KILLS]))
    return verdicts, kills


@pytest.mark.parametrize("design", some_nightly(list(UNPINNED), nightly=["linux-3.0-oom-flag"]))
def test_seeds_agree(design: str) -> None:
    expected = UNPINNED[design]
    verdicts, kills = seen(design, "", SEEDS)
    assert verdicts == {(expected.outside, expected.group): SEEDS}
    assert all(count in expected.kills for count in kills), kills


@pytest.mark.parametrize("design", PINNED)
def test_on_one_cpu_the_killer_works(design: str) -> None:
    expected = PINNED[design]
    verdicts, kills = seen(design, "taskset -c 1 ", PINNED_SEEDS)
    assert verdicts == {(expected.outside, expected.group): PINNED_SEEDS}
    assert all(count in expected.kills for count in kills), kills
