"""The matrix of an audit at any width: nothing cut off, every cell there, what its signs mean below it."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from itertools import product

import pytest
from rich.console import Console

from cowpath.checker.matrix import Matrix


@dataclass
class Told:
    """What a matrix reads of a result."""

    design: str
    path: str
    case: str
    property: str
    verdict: str
    depth: int


KERNELS = ("linux-3.0", "linux-2.6.39", *(f"linux-{6 + number // 10}.{number % 10}" for number in range(12)))
CASES = ("commit", "truncate-while-waiting")
DESIGNS = (*KERNELS, "preallocate", "charge-after-unlock", "mine", "mine (2)")


def drawn(results: list[Told], width: int) -> str:
    file = io.StringIO()
    Console(file=file, width=width).print(Matrix(results))  # type: ignore[arg-type]
    return file.getvalue()


def results(designs: tuple[str, ...]) -> list[Told]:
    """On each design another number of moves, so that each cell is another."""
    names = ("isolation", "no-leak", "no-less")
    return [
        Told(design, "file_cow", case, name, "violated" if name == "isolation" else "proved", 10 + number)
        for case, (number, design), name in product(CASES, enumerate(designs), names)
    ]


@pytest.mark.parametrize("width", [40, 80, 100, 200])
def test_every_cell_is_there_at_any_width(width: int) -> None:
    text = drawn(results(DESIGNS), width)
    assert "…" not in text and max(map(len, text.splitlines())) <= width
    rows = [line for line in text.splitlines() if line.strip().startswith(CASES)]
    for case in CASES:
        found = [int(sign) for line in rows if line.strip().startswith(case) for sign in re.findall(r"I(\d+)", line)]
        assert sorted(found) == [10 + number for number in range(len(DESIGNS))]


def test_kernels_stand_by_release_under_their_numbers_and_the_others_have_letters() -> None:
    text = drawn(results(DESIGNS), 80)
    head, *_ = [line for line in text.splitlines() if line.strip().startswith("case")]
    assert head.split()[1:4] == ["2.6.39", "3.0", "6.0"]
    words = " ".join(text.split())
    assert "a preallocate, b charge-after-unlock, c mine, d mine (2) I isolation" in words
    assert "no-leak" not in words, "only what stands in a cell has a sign"


def test_what_is_proved_on_every_design_is_named_in_one_line() -> None:
    told = [Told(design, "fork", case, "isolation", "proved", 3) for design in DESIGNS[:3] for case in CASES]
    bad = [Told(design, "fork", "mine", "isolation", "violated", 3) for design in DESIGNS[:3]]
    assert drawn(told, 120).strip() == "Proved in 2 of 2 cases on every design: commit, truncate-while-waiting"
    text = drawn([*told, *bad], 120)
    assert "Proved in 2 of 3 cases on every design: commit, truncate-while-waiting" in text
    assert [line.split()[1] for line in text.splitlines() if line.startswith("fork")] == ["mine"]


def test_a_few_designs_are_told_in_words() -> None:
    assert "isolation 10" in drawn(results(("linux-3.0", "linux-3.1")), 80)


def test_signs_of_what_is_no_violation_and_of_two_properties_with_the_same_initials() -> None:
    told = [
        Told(design, "fork", "commit", name, verdict, 3)
        for design in DESIGNS
        for name, verdict in (("no-leak", "vacuous"), ("no-less", "unfinished"), ("isolation", "proved"))
    ]
    words = " ".join(drawn(told, 80).split())
    assert "NLv" in words and "NL'?" in words and "NL no-leak, NL' no-less" in words and "I isolation" not in words


def test_a_design_that_a_case_is_not_about_has_a_dash() -> None:
    told = [each for each in results(DESIGNS) if (each.case, each.design) != ("commit", "mine")]
    lines = [line.split() for line in drawn(told, 80).splitlines() if line.strip().startswith("commit")]
    assert sum(line.count("-") for line in lines) == 1 and sum(map(len, lines)) == len(lines) + len(DESIGNS)
