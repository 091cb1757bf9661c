"""The case book for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from cowpath.checker.result import Result
from cowpath.checker.show import MARKS, verdict_text
from cowpath.observe.terminal import Fitted, Hanging
from cowpath.observe.text import clean, visible

from .entry import TEXTS, Entry
from .orders import Searched
from .trials import APART, BACK, HAS, UNKNOWN, WITHOUT, Back, Outcome

STYLES = {BACK: "bold red", HAS: "yellow", WITHOUT: "green", UNKNOWN: "yellow", APART: "dim"}
LETTERS = 10  # of a commit's id in a table
NAME = 10  # letters for what is said of an entry


def entries_table(entries: Sequence[Entry]) -> RenderableType:
    """A row per entry."""
    table = Fitted("", "commit", "without", "lock", "waits for", "trials")
    for entry in entries:
        trials = Text(str(len(entry.trials))) if entry.trials else Text("-", "dim")
        commit = entry.commits[0][:LETTERS] if entry.commits else "-"
        table.add_row(str(entry.number), commit, entry.fixed or "-", entry.lock, entry.wait, trials)
    return table


def entry_report(entry: Entry) -> Iterator[RenderableType]:
    """All that the book says of one entry."""
    yield Text(f"{entry.number}. {entry.title}")
    rows = [
        ("commits", ", ".join(entry.commits)), ("came with", entry.since), ("gone with", entry.fixed),
        ("lock", entry.lock), ("waits for", entry.wait), ("symptom", entry.symptom), ("fix", entry.fix),
        ("source", entry.source), ("no trial", entry.left_out),
    ]  # fmt: skip
    for name, value in rows:
        if value:
            yield Hanging(f"  {name:<{NAME}} {visible(value)}", NAME + 1)
    for trial in entry.trials:
        yield Text()
        yield Hanging(f"  {trial.case}, {trial.property}: {trial.before.name} violates, {trial.after.name} holds")
        yield Hanging(f"    {visible(trial.why)}", 0)


def outcomes_table(outcomes: Sequence[Outcome]) -> RenderableType:
    """A row per trial."""
    table = Fitted("", "case", "property", "before", "after")
    for each in outcomes:
        table.add_row(
            str(each.entry.number), each.trial.case, each.trial.property, _side(each.before), _side(each.after)
        )
    return table


def _side(result: Result) -> Text:
    """A design, its verdict and the moves of a violation."""
    moves = f" in {result.depth} moves" if result.chain else ""
    return Text.assemble(f"{clean(result.design)}\n", verdict_text(result.verdict), moves)


def chains(outcomes: Sequence[Outcome]) -> Iterator[RenderableType]:
    """Why "before" violates, and each trial that did not come out as the book says."""
    for each in outcomes:
        yield Text(f"{each.entry.number}, {each.trial.case}: {each.trial.why}", "bold")
        for line in each.before.chain:
            yield Padding(Text(line), (0, 0, 0, 2))
        for side, result, wanted in (("before", each.before, "violated"), ("after", each.after, "proved")):
            if result.verdict != wanted:
                what = f"{side} was to be {MARKS[wanted]} and is {MARKS[result.verdict]}: {result.reason}"
                yield Padding(Text(what, "bold red"), (0, 0, 0, 2))


def searched_table(searched: Sequence[Searched]) -> RenderableType:
    """A row per trial whose fix is an order of steps."""
    table = Fitted("", "case", "property", "path", "orders:", "safe:", "moved:", "the fix")
    for each in searched:
        fix = Text(f"found, number {each.fix}", "green") if each.fix else Text("not found", "bold red")
        table.add_row(
            str(each.entry.number), each.trial.case, each.trial.property, each.path, f"{each.orders:,}",
            f"{len(each.safe):,}", str(each.moved), fix,
        )  # fmt: skip
    return table


def searched_json(searched: Searched) -> dict[str, Any]:
    """A trial's orders: how many there are, which are safe, and the place of the historical one."""
    return {
        "entry": searched.entry.number, "case": searched.trial.case, "property": searched.trial.property,
        "path": searched.path, "orders": searched.orders, "safe": [list(steps) for steps in searched.safe],
        "moved": searched.moved, "fix": searched.fix,
    }  # fmt: skip


def backs_table(backs: Sequence[Back]) -> RenderableType:
    """A row per trial that is about the design; what it brings back comes first."""
    table = Fitted("", "case", "property", "", "the bug")
    order = (BACK, UNKNOWN, HAS, WITHOUT)
    for each in sorted((back for back in backs if back.verdict != APART), key=lambda back: order.index(back.verdict)):
        verdict = Text(each.verdict, STYLES[each.verdict])
        table.add_row(str(each.entry.number), each.trial.case, each.trial.property, verdict, each.entry.symptom)
    return table


def entry_json(entry: Entry) -> dict[str, Any]:
    """An entry without its trials."""
    return {name: getattr(entry, name) for name in ("number", *TEXTS)} | {"commits": list(entry.commits)}


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """A trial and both results."""
    return {
        "entry": outcome.entry.number, "case": outcome.trial.case, "property": outcome.trial.property,
        "before": outcome.before.as_json(), "after": outcome.after.as_json(), "as_expected": outcome.as_expected,
    }  # fmt: skip


def back_json(back: Back) -> dict[str, Any]:
    """A trial's case on a design."""
    return {
        "entry": back.entry.number, "case": back.trial.case, "property": back.trial.property, "verdict": back.verdict,
        "found": back.found and back.found.as_json(), "kernel": back.kernel and back.kernel.as_json(),
    }  # fmt: skip
