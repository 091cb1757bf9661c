"""What a check says of one property on one case: its verdict, and the shortest schedule that leads to a violation."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

PROVED = "proved"
VIOLATED = "violated"
UNFINISHED = "unfinished"
FINGERPRINT_BITS = 64


@dataclass(frozen=True)
class Result:
    """One verdict. ``depth``: moves of the counterexample; without one, of the longest way that was needed anywhere."""

    design: str  #: Its name.
    path: str  #: What the case is about.
    case: str  #: Its name.
    property: str  #: Its name.
    verdict: str  #: ``proved``, ``violated`` or ``unfinished``.
    depth: int  #: Moves.
    states: int  #: Visited by the search that decided it.
    transitions: int  #: Of the same search.
    wall_s: float  #: From the beginning of the case, in seconds.
    chain: list[str]  #: Who waits for whom at the end, in words.
    schedule: list[str]  #: Who moves.
    cycle: list[str]  #: ... and then goes on so for ever (starvation, progress).
    certified: bool  #: The schedule is a shortest one of the search without reduction.
    reason: str  #: Of a verdict that is not "proved", in one line.

    def as_json(self) -> dict[str, Any]:
        """The object that ``--json`` prints (docs/json.md)."""
        return asdict(self)


def missed(states: int) -> float:
    """A bound on the chance that one of so many states was taken for another one: N * N / 2 ** 65."""
    return states**2 / 2.0 ** (FINGERPRINT_BITS + 1)


def worst(results: list[Result]) -> str:
    """The verdict of them all: one violation is one, else one that is not finished."""
    verdicts = {result.verdict for result in results}
    return next((verdict for verdict in (VIOLATED, UNFINISHED) if verdict in verdicts), PROVED)
