"""The fork bomb's verdicts do not hang on a seed: twenty agree, on each of the four designs that were measured."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from cowpath import api
from cowpath.session.load import plan_session
from cowpath.session.table import load_tables

EXAMPLES = Path(__file__).parents[2] / "examples"
SEEDS = 20
PINNED_SEEDS = 4
UNTIL_NS = 4_000_000_000  # the bound for a standstill is 2 s
SESSION = """\
cgcreate -g memory:A
cgset -r memory.limit_in_bytes=64M A
cgset -r memory.memsw.limit_in_bytes=64M A
cgexec -g memory:A {pin}bomb
"""  # in the foreground: where nothing can happen any more, the run ends


@dataclass(frozen=True)
class Expected:
    outside: frozenset[str]  # where the killer works under the page lock, the seed decides if a stall passes the bound
    group: str
    kills: range


MANY = range(10, 10_000)
BOUNDED = frozenset({"stalled", "isolated"})
LONGEST_NS = 3_000_000_000  # a bounded stall is well below the run's length
UNPINNED = {
    "linux-3.0": Expected(frozenset({"stuck"}), "live-locked", range(1, 3)),
    "preallocate": Expected(frozenset({"isolated"}), "live-locked", range(1, 3)),
    "linux-3.0-oom-flag": Expected(BOUNDED, "progresses", MANY),
    "linux-3.1": Expected(frozenset({"isolated"}), "progresses", MANY),
}
PINNED = {  # one CPU runs only one of the bomb's tasks at a time: the killer works with the counter too
    "linux-3.0": Expected(BOUNDED, "progresses", MANY),
    "preallocate": Expected(frozenset({"isolated"}), "progresses", MANY),
}


def seen(design: str, pin: str, seeds: int) -> tuple[Counter[tuple[str, str]], set[int]]:
    """How often each pair of verdicts came out, and the numbers of kills."""
    plan = plan_session(SESSION.format(pin=pin), "bomb.sh", load_tables(EXAMPLES / "fork-bomb.sh"))
    loaded = api.load_design(design)
    verdicts, kills = Counter[tuple[str, str]](), set()
    for seed in range(seeds):
        result = api.run_plan(plan, loaded, api.Options(seed=seed, until=UNTIL_NS))
        verdicts[result.verdict, result.group_verdicts["A"]] += 1
        kills.add(int(result.summary["groups"]["A"]["oom_kills"]))
        stall = result.summary["longest_stall"]
        assert result.verdict != "stalled" or stall["ns"] < LONGEST_NS
    return verdicts, kills


def check(verdicts: Counter[tuple[str, str]], expected: Expected, seeds: int) -> None:
    """All seeds gave the group this verdict, and the outside one of these; one that may stall did so at least once."""
    assert {group for _, group in verdicts} == {expected.group} and verdicts.total() == seeds
    assert {outside for outside, _ in verdicts} <= expected.outside
    assert "stalled" not in expected.outside or any(outside == "stalled" for outside, _ in verdicts)


@pytest.mark.parametrize("design", UNPINNED)
def test_twenty_seeds_agree(design: str) -> None:
    expected = UNPINNED[design]
    verdicts, kills = seen(design, "", SEEDS)
    check(verdicts, expected, SEEDS)
    assert all(count in expected.kills for count in kills), kills


@pytest.mark.parametrize("design", PINNED)
def test_on_one_cpu_the_killer_works(design: str) -> None:
    expected = PINNED[design]
    verdicts, kills = seen(design, "taskset -c 1 ", PINNED_SEEDS)
    check(verdicts, expected, PINNED_SEEDS)
    assert all(count in expected.kills for count in kills), kills
