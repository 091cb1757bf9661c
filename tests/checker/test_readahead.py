"""Random reads of a cold file: who reads one page holds nobody up, but where 3.0 takes the read for a stream's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cowpath import cases, designs
from cowpath.cases.plan import compile_case
from cowpath.checker.check import check_case
from cowpath.checker.properties import PACKAGED
from cowpath.designs import Design
from cowpath.engine import costs

CASE = (Path(__file__).parents[1] / "data" / "tried" / "case-pread.toml").read_text()
BY_READ = CASE.replace('before = "mapf lib @lib 4 r private"\n', "").replace("touch lib 2 1 1 r", "readf @lib 2 1")
LINUX = designs.load("linux-3.0")


def violated(text: str, design: Design) -> set[str]:
    found = check_case(compile_case(cases.read(text, "case-pread.toml")), design, PACKAGED, costs.load())
    assert {result.verdict for result in found} <= {"proved", "violated"}
    return {result.property for result in found if result.verdict == "violated"}


def test_a_random_read_of_one_page_holds_nobody_up() -> None:
    """The attacker's page is charged before it is in the cache, and there is no other."""
    assert BY_READ != CASE and not violated(BY_READ, LINUX)


def test_a_fault_that_has_just_inserted_the_page_before_makes_it_a_streams() -> None:
    """3.0 takes any page before it for history (try_context_readahead); since 2cad40180197 that must be more."""
    assert violated(CASE, LINUX) == {"isolation", "no-stuck", "starvation"}
    assert not violated(CASE, replace(LINUX, policies={**LINUX.policies, "context_readahead": "longer"}))
