"""What a page says first: how the tasks outside fared, on which designs, in a sentence; and which two to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cowpath.observe.tables import stall_time
from cowpath.observe.text import clean
from cowpath.report.told import Told
from cowpath.results import SEVERITY, Result


@dataclass(frozen=True)
class Outcome:
    """Designs on which a session came to the same: one card."""

    designs: list[str]
    numbers: list[int]  # their places on the page
    told: Told  # of the first of them
    stall: str  # the longest of a task outside; "-": none


def outcomes(results: Sequence[Result], said: Sequence[Told]) -> list[Outcome]:
    """A card for each outcome, in the order of the designs: the verdicts, the chains and what was not finished."""
    found: dict[tuple[str, ...], Outcome] = {}
    for number, (result, told) in enumerate(zip(results, said, strict=True)):
        key = (told.verdict, *told.groups, *told.groups.values(), *result.chain, told.cut)
        outcome = found.setdefault(key, Outcome([], [], told, stall_time(result.summary)))
        outcome.designs.append(clean(result.design))
        outcome.numbers.append(number)
    return list(found.values())


def badness(result: Result) -> tuple[int, int]:
    """How badly the tasks outside fared."""
    stall = result.summary.get("longest_stall")
    return SEVERITY[result.verdict], int(stall["ns"]) if stall else 0


def pair(results: Sequence[Result]) -> list[int]:
    """The two to look at first: the first and the last design, or if these fared alike the best and the worst."""
    if len(results) == 1:
        return [0]
    last = len(results) - 1
    if results[0].verdict != results[last].verdict:
        return [0, last]
    numbers = range(len(results))
    best, worst = (choose(numbers, key=lambda number: badness(results[number])) for choose in (min, max))
    return sorted((best, worst)) if best != worst else [0, last]


@dataclass(frozen=True)
class Part:
    """A verdict of the headline, and for which designs."""

    verdict: str
    where: str  # "on linux-3.0 and preallocate"; empty: on the only one


def headline(results: Sequence[Result], shown: Sequence[int]) -> list[Part]:
    """The verdicts of the designs that are shown; one for all of them where they are the same."""
    if len({result.verdict for result in results}) == 1:
        where = f"on {clean(results[0].design)}" if len(results) == 1 else f"on all {len(results)} designs"
        return [Part(results[0].verdict, where)]
    of = {number: results[number].verdict for number in shown}
    if len(set(of.values())) == 1:
        return [Part(results[shown[0]].verdict, "on " + " and ".join(clean(results[number].design) for number in of))]
    return [Part(verdict, f"on {clean(results[number].design)}") for number, verdict in of.items()]


def reason(results: Sequence[Result], shown: Sequence[int]) -> tuple[str, str]:
    """Who waits for whom on the worst of these designs: its name, and the sentence; both empty if nobody does."""
    worst = max(shown, key=lambda number: badness(results[number]))
    chain = results[worst].chain
    return (clean(results[worst].design), chain[0]) if chain else ("", "")
