"""Small rows as files of scenarios have them."""

from __future__ import annotations

from typing import Any

from cowpath.validate.scenario import Scenario, scenario_of
from cowpath.validate.score import Score, score
from cowpath.words import Place

Row = dict[str, Any]
AFTER = "after_exit_of_all_tasks"


def row(*entries: Row, start: Row | None = None, **more: Any) -> Row:
    """A row of v2 with one group and one task; ``entries`` are what its steps have come to, behind a mapping."""
    first = {"step": "start", "groups": {"A": start or {"current": 0, "events": {"high": 0}, "stat": {}}}}
    result = [first, {"step": "t anon a 64"}, *entries]
    steps = [entry["step"].split(" ", 1) for entry in result[1:] if entry["step"] != AFTER]
    return {
        "id": "anon01_row", "desc": "a row", "kernel": "6.18.15", "groups": {"A": {}},
        "tasks": {"t": {"group": "A", "cpu": 0}, "o": {"cpu": 1}, "victim": {}},
        "files": {"lib": {"pages": 1}}, "steps": steps, "runs": 3, "result": result, "oom_killed": [], **more,
    }  # fmt: skip


def step(text: str = "t touch a 0 1 1 w", group: Row | None = None, **more: Any) -> Row:
    """What a step has come to."""
    return {"step": text, **more, **({"groups": {"A": group}} if group is not None else {})}


def scenario(real: Row) -> Scenario:
    return scenario_of(real, Place("rows.jsonl", 1))


def compared(real: Row, simulated: Row) -> Score:
    return score(scenario(real), simulated, "linux-6.18")


def counters(real: Row, simulated: Row) -> dict[str, str]:
    """The verdict of each counter that is scored."""
    return {f"{each.step}: {each.label}": each.verdict for each in compared(real, simulated).counters}


def wrong(real: Row, simulated: Row) -> list[str]:
    """The outcomes that are not right."""
    return [each.what for each in compared(real, simulated).outcomes if not each.right]


def outcomes(real: Row, simulated: Row) -> list[str]:
    """All outcomes."""
    return [each.what for each in compared(real, simulated).outcomes]
