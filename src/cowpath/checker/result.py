"""What a check says of one property on one case: its verdict, and the shortest schedule that leads to a violation."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from .coverage import Coverage

PROVED = "proved"
VIOLATED = "violated"
VACUOUS = "vacuous"  # proved, but of a machine on which nothing happens that could violate it
UNFINISHED = "unfinished"
FINGERPRINT_BITS = 64


@dataclass(frozen=True)
class Result:
    """One verdict. ``depth``: moves of the counterexample; without one, of the longest way that was needed anywhere."""

    design: str  #: Its name.
    path: str  #: What the case is about.
    case: str  #: Its name.
    property: str  #: Its name.
    verdict: str  #: ``proved``, ``violated``, ``vacuous`` or ``unfinished``.
    depth: int  #: Moves.
    states: int  #: Visited by the search that decided it.
    transitions: int  #: Of the same search.
    wall_s: float  #: From the beginning of the case, in seconds.
    chain: list[str]  #: Who waits for whom at the end, in words.
    schedule: list[str]  #: Who moves.
    cycle: list[str]  #: ... and then goes on so for ever (starvation, progress).
    certified: bool  #: The schedule is a shortest one of the search without reduction.
    reason: str  #: Of a verdict that is not "proved", in one line.
    coverage: Coverage | None = field(default=None, repr=False)  #: What the search has come to; None: it was cut short.

    def as_json(self) -> dict[str, Any]:
        """An entry of ``results`` in what ``--json`` prints (docs/json.md)."""
        found = asdict(self)
        del found["coverage"]  # of the case, not of the property: it has an entry of its own
        return found


def missed(states: int) -> float:
    """A bound on the chance that one of so many states was taken for another one: N * N / 2 ** 65."""
    return states**2 / 2.0 ** (FINGERPRINT_BITS + 1)


def worst(results: list[Result]) -> str:
    """The verdict of them all: one violation is one, else a vacuous proof, else what is not finished."""
    verdicts = {result.verdict for result in results}
    return next((verdict for verdict in (VIOLATED, VACUOUS, UNFINISHED) if verdict in verdicts), PROVED)
