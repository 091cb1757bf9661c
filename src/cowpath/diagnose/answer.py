"""A diagnosis as one JSON object (``cowpath diagnose --json``)."""

from __future__ import annotations

from typing import Any

from cowpath.diagnose import advice
from cowpath.diagnose.oom_told import told as oom_told
from cowpath.diagnose.verdict import Diagnosis
from cowpath.diagnose.waits import Judged


def fixed_in(told: Diagnosis) -> list[str]:
    """The releases that mended what is shown, in the entries' order."""
    return list(dict.fromkeys(release for match in told.matches for release in match.entry.mended))


def play(told: Diagnosis) -> list[str]:
    """The commands that play what is shown, those of sure matches first."""
    ordered = sorted(told.matches, key=lambda match: not match.sure)
    return list(dict.fromkeys(match.entry.play for match in ordered if match.entry.play))


def task_as_json(each: Judged, behind: list[str]) -> dict[str, Any]:
    """One task."""
    task = each.task
    return {
        "name": task.name,
        "pid": task.pid,
        "state": task.state or None,
        "report": task.kind,
        "line": task.line,
        "seconds": task.seconds,
        "waits_for": each.waits_for,
        "mode": each.mode or None,
        "on_the_way": each.inner or None,
        "where": each.where or None,
        "stack_cut": task.cut,
        "holds": [str(held) for held in each.held],
        "may_hold": [str(held) for held in each.may_hold],
        "held_in": {held.lock: held.where for held in (*each.held, *each.may_hold)},
        "charge_site": each.site or None,
        "waits_for_group_memory": each.group_memory and not each.reenters,
        "for_memory_of": each.for_memory_of,
        "certain": each.certain,
        "behind": behind,
        "dying": task.dying,
    }


def as_json(told: Diagnosis) -> dict[str, Any]:
    """The whole diagnosis."""
    labels = [each.task.label for each in told.tasks]
    return {
        "memcg_stall": told.memcg_stall,
        "memcg_involved": told.memcg_involved,
        "why": told.why,
        "release": {"is": str(told.release), "how": told.release.how or None, "certain": told.release.said},
        "tasks": [
            task_as_json(each, [labels[other] for other in sorted(told.behind.get(place, ()))])
            for place, each in enumerate(told.tasks)
        ],
        "edges": [
            {
                "from": labels[edge.waiter], "to": labels[edge.holder], "lock": edge.lock, "certain": edge.certain,
                "why": edge.why,
            }
            for edge in told.edges
        ],
        "entries": [
            {
                "number": match.entry.number, "title": match.entry.title, "symptom": match.entry.symptom,
                "commits": list(match.entry.commits),
                "mended_in": list(match.entry.mended), "certain": match.sure, "why": match.why,
                "tasks": [labels[place] for place in match.tasks],
            }
            for match in told.matches
        ],
        "fixed_in": fixed_in(told),
        "helps": advice.helps(told),
        "capture_next": advice.capture_next(told),
        "play": play(told),
        "oom": [oom_told(report, told) for report in told.reports.ooms],
        "lines": told.reports.lines,
    }  # fmt: skip
